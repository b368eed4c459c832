"""Tables and records of the notebook on destinations, each shown by one call."""

from collections.abc import Sequence

import pandas as pd

from kbio_analysis.models.exposure import Reallocation, Shock
from kbio_analysis.models.market_gaps import MarketGaps, TrackRecord
from kbio_analysis.models.month_standing import MonthStanding
from kbio_analysis.present.diversification.exposure import CLAIMED_PCT, one_decimal
from kbio_analysis.present.outputs import record
from kbio_analysis.present.tables import table

FITTED_RTOL = 1e-6
"""Tolerance of what iterates to convergence or sums over draws from a fixed seed."""

_RECORDED = {
    "United States": "usa",
    "China": "china",
    "ASEAN": "asean",
    "European Union": "eu",
    "Southwest Asia": "southwest_asia",
    "Middle East": "middle_east",
    "Central Asia": "central_asia",
    "Africa": "africa",
}
RECORDED = tuple(_RECORDED)
"""The destinations whose shares are always put on record."""


def show_dependence(shares: pd.DataFrame, concentration: pd.DataFrame, years: Sequence[int], *, source: str) -> None:
    """Shares and concentration in chosen years."""
    rows = [y for y in dict.fromkeys(sorted(years)) if y in shares.index]
    frame = shares.loc[rows].join(concentration.loc[rows]).rename_axis("Year").reset_index()
    frame.insert(3, "Both", frame["United States"] + frame["China"])
    frame = frame.drop(columns=[name for name in RECORDED[4:] if name in frame])
    frame = frame.rename(columns={"hhi": "HHI", "effective_partners": "Equal partners"}).astype({"Year": str})
    formats = dict.fromkeys(frame.columns[1:], ".1f") | {"HHI": ".3f"}
    caption = "Per cent of Korea's exports by destination, and their concentration"
    table(frame, id="dependence", caption=caption, source=source, formats=formats)


def show_falls(past: Reallocation, names: pd.Series, *, source: str) -> None:
    """The falls behind the share made up elsewhere, a row a year."""
    if past.episodes.empty:
        return
    rows = []
    for year, found in past.episodes.groupby("year"):
        where = ", ".join(f"{names[e.iso3]} ({e.loss_usd_m / 1000:.1f})" for e in found.itertuples())
        rows.append((str(year), where, found.gained_usd_m.sum() / found.loss_usd_m.sum()))
    frame = pd.DataFrame(rows, columns=["Year", "Fell (US$ bn)", "Made up per dollar"])
    caption = "Falls in large destinations, and what others took beyond their own demand for each dollar lost"
    table(frame, id="falls", caption=caption, source=source, formats={"Made up per dollar": one_decimal})


def show_candidates(
    found: pd.DataFrame, growth: pd.Series, agreements: pd.Series, marked: pd.Series, *, source: str
) -> None:
    """Size, growth, distance and gap of the widest gaps; ``marked`` is ISO3 -> what disturbs trade there."""
    frame = pd.DataFrame(
        {
            "Market": found.partner,
            "GDP, US$ bn": found.gdp_usd_m / 1000,
            "GDP growth, % a year": growth.reindex(found.index),
            "Distance, km": found.distance_km,
            "Exports, US$ bn": found.actual_usd_m / 1000,
            "Expected, US$ bn": found.expected_usd_m / 1000,
            "Actual over expected": found.ratio,
            "Agreement from": agreements.reindex(found.index).map(lambda y: "none" if pd.isna(y) else f"{y:.0f}"),
            "Disturbed by": marked.reindex(found.index).fillna("–"),
        }
    )
    formats = dict.fromkeys(("GDP, US$ bn", "Distance, km"), ",.0f") | {"Actual over expected": ".2f"}
    formats |= dict.fromkeys(("GDP growth, % a year", "Exports, US$ bn", "Expected, US$ bn"), ".1f")
    caption = "Markets furthest below what size and distance suggest, yearly means; a comparison, not a potential"
    table(frame, id="candidates-table", caption=caption, source=source, formats=formats)


def show_regions(regions: pd.DataFrame, *, source: str) -> None:
    """Every group against expectation."""
    frame = pd.DataFrame(
        {
            "Region": regions.index,
            "Markets": regions.markets,
            "Exports, US$ bn": regions.actual_usd_m / 1000,
            "Expected, US$ bn": regions.expected_usd_m / 1000,
            "Actual over expected": regions.ratio,
        }
    )
    formats = {"Exports, US$ bn": ",.1f", "Expected, US$ bn": ",.1f", "Actual over expected": ".2f"}
    table(frame, id="regions", caption="Regions against expectation, yearly means", source=source, formats=formats)


def show_sources(sources: pd.DataFrame) -> None:
    """Publisher, title, date and address of every source."""
    frame = sources[["publisher", "title", "published", "url"]].drop_duplicates()
    frame = frame.set_axis(["Publisher", "Title", "Published", "Address"], axis=1)
    table(frame, id="sources", caption="Sources of every figure on this page", source="data/tables/sources.csv")


def record_dependence(shares: pd.DataFrame, concentration: pd.DataFrame, *, base_year: int) -> None:
    """Shares and concentration at both dates."""
    last = int(shares.index[-1])
    unit = {"unit": "per cent"}
    for name, key in _RECORDED.items():
        record(f"share_{key}_pct", shares[name][last], meaning=f"share of {name} in exports of {last}", **unit)
    for name in ("United States", "China", "ASEAN"):
        meaning = f"share of {name} in exports of {base_year}"
        record(f"share_{_RECORDED[name]}_base_pct", shares[name][base_year], meaning=meaning, **unit)
    both = shares["United States"] + shares["China"]
    record("share_usa_china_pct", both[last], meaning=f"share of both in {last}", **unit)
    record("share_usa_china_base_pct", both[base_year], meaning=f"share of both in {base_year}", **unit)
    meaning = f"change of the joint share from {base_year} to {last}"
    record("share_usa_china_change_points", both[last] - both[base_year], unit="percentage points", meaning=meaning)
    for suffix, year in (("", last), ("_base", base_year)):
        row = concentration.loc[year]
        record(f"hhi{suffix}", row.hhi, unit="index", meaning=f"Herfindahl-Hirschman index over partners in {year}")
        meaning = f"equal partners that give the index of {year}"
        record(f"effective_partners{suffix}", row.effective_partners, unit="partners", meaning=meaning)


def record_month(months: pd.DataFrame, usa: MonthStanding, china: MonthStanding) -> None:
    """The month of the article and its ranks."""
    key, row = usa.month.replace("-", "_"), months.loc[usa.month]
    record("n_months", usa.n, unit="months", meaning="months on record by region")
    for region, name in (("ASEAN", "asean"), ("USA", "usa"), ("CHN", "china")):
        record(f"{name}_{key}_usd_m", row[region], unit="US$ million", meaning=f"exports to {region} in {usa.month}")
    for name, found in (("usa", usa), ("china", china)):
        meaning = f"exports to ASEAN over those to {name} in the month"
        record(f"asean_over_{name}_{key}", found.ratio, unit="ratio", meaning=meaning)
        record(f"rank_asean_over_{name}_{key}", found.rank, unit="rank", meaning="rank of that ratio, 1 = highest")
        record(f"months_asean_above_{name}", found.n_above, unit="months", meaning=f"months with ASEAN above {name}")


def record_shock(lost: Shock, past: Reallocation) -> None:
    """What a shock costs and what past falls say."""
    record("shock_loss_usd_m", lost.loss_usd_m, unit="US$ million", meaning="lost before anything is made up")
    record("shock_loss_pct_of_exports", lost.loss_pct, unit="per cent", meaning="the same, of all exports")
    record("n_falls", len(past.episodes), unit="falls", meaning="falls in large destinations on record")
    share = {"unit": "share", "rtol": FITTED_RTOL}
    record("made_up_share", past.made_up, meaning="made up elsewhere beyond demand, pooled; None if too few", **share)
    record("made_up_low", past.low, meaning=f"lower end of its {past.level}% interval", **share)
    record("made_up_high", past.high, meaning=f"upper end of its {past.level}% interval", **share)


def record_openness(ratio: pd.Series, goods_pct: float | None) -> None:
    """Trade over GDP as published, and goods exports over GDP."""
    last = ratio.dropna()
    meaning = f"exports plus imports of goods and services over GDP in {last.index[-1]}"
    record("trade_over_gdp_pct", last.iloc[-1], unit="per cent", meaning=meaning)
    record("trade_over_gdp_year", int(last.index[-1]), unit="year", meaning="latest year of that ratio")
    reached = int((last >= CLAIMED_PCT).sum())
    record("years_trade_over_gdp_at_least_90", reached, unit="years", meaning="years in which it reached 90%")
    record(
        "goods_exports_over_gdp_pct", goods_pct, unit="per cent", meaning="customs goods exports over GDP, last year"
    )


def record_room(gaps: MarketGaps, found: pd.DataFrame, track: TrackRecord | None) -> None:
    """Elasticities, the widest gap and what such gaps foretold."""
    fitted = {"rtol": FITTED_RTOL}
    b = gaps.fit.coefficients
    record("gravity_gdp_elasticity", b["log_gdp"], unit="elasticity", meaning="exports to the market's GDP", **fitted)
    record("gravity_distance_elasticity", b["log_distance"], unit="elasticity", meaning="exports to distance", **fitted)
    top = None if found.empty else str(found.partner.iloc[0])
    record("top_candidate", top, unit="partner", meaning="market with the widest gap below expectation")
    n = int((gaps.markets.gap_usd_m > 0).sum())
    record("candidates_n", n, unit="markets", meaning="markets below expectation, the two largest included")
    value = None if track is None else track.correlation
    meaning = "rank correlation of the residual ten years before with growth since"
    record("gravity_residual_rank_correlation", value, unit="correlation", meaning=meaning, **fitted)
