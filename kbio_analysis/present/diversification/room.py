"""Sentences on where exports fall short of size and distance, and on what that is worth."""

import pandas as pd

from kbio_analysis.models.market_gaps import MarketGaps, TrackRecord
from kbio_analysis.present.diversification.dependence import the
from kbio_analysis.present.text import chance, count, join, usd_bn

ARTICLE_REGIONS = ("Southwest Asia", "ASEAN", "Middle East", "Central Asia", "Africa")
"""The regions to which exports are to be spread, as the article names them."""

LARGE = ("USA", "CHN")


def candidates(gaps: MarketGaps, names: pd.Series, *, most: int = 12) -> pd.DataFrame:
    """Markets below expectation, the two largest left out, widest gap first: ``markets`` with ``partner``."""
    found = gaps.markets.assign(partner=names.reindex(gaps.markets.index))
    found = found[(found.gap_usd_m > 0) & ~found.index.isin(LARGE)]
    return found.sort_values("gap_usd_m", ascending=False, kind="stable").head(most)


def gravity_sentence(gaps: MarketGaps, years: tuple[int, int], left_out: list[str]) -> str:
    """The elasticities and how the markets fall on either side."""
    b, se = gaps.fit.coefficients, gaps.fit.standard_errors
    below = int((gaps.markets.ratio < 1).sum())
    why = ", because a few large ones stand far above it" if 2 * below > len(gaps.markets) else ""
    missing = f" {join(left_out)} {'has' if len(left_out) == 1 else 'have'} no GDP or record here." if left_out else ""
    return (
        f"Over {years[0]}–{years[1]} exports to {len(gaps.markets)} markets go with GDP to the power "
        f"{_number(b['log_gdp'])} (s.e. {se['log_gdp']:.2f}) and with distance to the power "
        f"{_number(b['log_distance'])} ({se['log_distance']:.2f}). {below} of them lie below "
        f"expectation{why}.{missing}"
    )


def candidates_sentence(found: pd.DataFrame, agreements: pd.Series) -> str:
    """The widest gaps, and how many have an agreement already."""
    if found.empty:
        return "No market but the two largest lies below expectation."
    parts = [f"{the(r.partner)} ({usd_bn(r.gap_usd_m)})" for r in found.head(5).itertuples()]
    covered = int(found.index.isin(agreements.index).sum())
    text = f"The widest gaps a year are {join(parts)}."
    if not covered:
        return text + " None of these markets has an agreement on goods with Korea in force."
    whole = ", so tariffs alone do not explain the gaps" if 2 * covered >= len(found) else ""
    return f"{text} {covered} of the {len(found)} widest already have an agreement on goods with Korea{whole}."


def regions_sentence(regions: pd.DataFrame) -> str:
    """The article's regions against expectation; ``regions`` as ``models.market_gaps.by_group`` gives them."""
    held = regions.reindex([r for r in ARTICLE_REGIONS if r in regions.index])
    parts = [
        f"{the(name)} {100 * r.ratio:.0f}% ({usd_bn(r.gap_usd_m)} short)"
        if r.ratio < 1
        else f"{the(name)} {r.ratio:.1f} times as much"
        for name, r in held.iterrows()
    ]
    return f"Of what size and distance suggest, the regions that the article names buy: {join(parts)}."


def track_sentence(track: TrackRecord | None, *, then: tuple[int, int], now: tuple[int, int]) -> str:
    """Whether the same residual, ten years earlier, foretold who would grow."""
    if track is None:
        return "Whether such a residual ever foretold growth cannot be told: too few markets have both dates."
    share = track.faster_share
    useful = share > 0.6
    coin = "more than chance" if useful else "no better than a coin" if share >= 0.4 else "fewer than chance"
    p = "p < 0.001" if track.p_value < 0.001 else f"p = {track.p_value:.3f}"
    head = "foretold something" if useful else "was no map of what came"
    return (
        f"The same residual of {then[0]}–{then[1]} {head}: of {count(track.n_below, 'market')} below expectation "
        f"then, {chance(share)} grew faster to {now[0]}–{now[1]} than the median market, {coin}; over all {track.n} "
        f"the rank correlation with growth is {_number(track.correlation)} ({p}), part of it arithmetic, since early "
        "exports stand in both."
    )


def limit_sentences() -> tuple[str, ...]:
    """What the study does not hold."""
    return (
        "A residual is not potential: it holds tariffs, tastes, rivals, goods made in Korean plants abroad, transit "
        "through Hong Kong, Singapore and Vietnam, and errors of GDP, distance and customs.",
        "Shares count gross exports, so parts that return in goods made elsewhere count for the country of assembly, "
        "and what China assembles for the United States counts as China's.",
        "Groups are those of 2026 in every year, so that no share moves because a membership did; Hong Kong is not "
        "in China.",
        "The monthly table is another count with other groups and is joined to nothing.",
        "A fall that is foreseen, lasting or shared by other destinations is not the one simulated here.",
    )


def _number(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")
