"""Sentences about the target itself: what it takes, how it is defined, where exports stand.

Every function here takes results and returns Markdown text that stays true whatever the numbers are: the direction,
the comparison and the strength of each claim are chosen by the values, at the precision at which they are printed.
"""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from kbio_analysis.models.export_target import ExportOdds
from kbio_analysis.present.text import count, long_date, pct, signed_pct, usd_m
from kbio_analysis.vocabulary import ExportSeries

SAME_FIGURE_PCT = 0.5
"""Two published figures within this share of each other are called equal."""


def arithmetic_sentence(
    odds: ExportOdds, *, required_pct: float, segment_pct: float, segment_end: float, market_end: float
) -> str:
    """Required growth against the segment's own, and what the segment's and the whole market's pace would give."""
    gap = odds.target_usd_m - segment_end
    years = odds.target_year - odds.position.base_year
    verdict = "just the target" if abs(gap) < 0.5 else f"{usd_m(abs(gap))} {'short of' if gap > 0 else 'above'} it"
    return (
        f"The target of {usd_m(odds.target_usd_m)} takes {pct(required_pct, 2)} a year over {count(years, 'year')}. "
        f"Growing with the segment at {pct(segment_pct)} gives {usd_m(segment_end)}, {verdict}; growing with the whole "
        f"pharmaceutical market gives {usd_m(market_end)}."
    )


def share_sentence(required_pct: float, *, segment_pct: float, market_pct: float) -> str:
    """Whether reaching the target would mean gaining or losing share of the two markets."""

    def drift(own: float, market: float) -> str:
        change = 100 * ((1 + own / 100) / (1 + market / 100) - 1)
        if abs(change) < 0.05:
            return "holding its share"
        return f"{'gaining' if change > 0 else 'losing'} {pct(abs(change))} of its share a year"

    return (
        f"Reaching it would mean {drift(required_pct, segment_pct)} of a world segment that grows {pct(segment_pct)} a "
        f"year, and {drift(required_pct, market_pct)} of a pharmaceutical market that grows {pct(market_pct)}."
    )


def definitions_sentence(frame: pd.DataFrame, *, base_year: int, base_usd_m: float, as_of: date) -> str:
    """Which published definition comes nearest to the base value, and whether any equals it.

    ``frame`` has the columns label, year and exports_usd_m, the base's own row left out.
    """
    same_year = frame[frame.year == base_year]
    if same_year.empty:
        alone = f"the base of {usd_m(base_usd_m)} stands alone"
        return f"No published definition had a figure for {base_year} by {long_date(as_of)}; {alone}."
    gaps = 100 * (same_year.set_index("label").exports_usd_m / base_usd_m - 1)
    nearest = gaps.abs().idxmin()
    value = base_usd_m * (1 + gaps[nearest] / 100)
    verdict = (
        f"equals the base to within {pct(SAME_FIGURE_PCT)}"
        if abs(gaps[nearest]) <= SAME_FIGURE_PCT
        else f"is {pct(abs(gaps[nearest]))} {'below' if gaps[nearest] < 0 else 'above'} it"
    )
    known = count(len(gaps), "published definition had", "published definitions had")
    return (
        f"By {long_date(as_of)} {known} a figure for {base_year}, from {usd_m(same_year.exports_usd_m.min())} to "
        f"{usd_m(same_year.exports_usd_m.max())}; the nearest to the base of {usd_m(base_usd_m)} ({nearest}, "
        f"{usd_m(value)}) {verdict}."
    )


def scope_table(published: pd.DataFrame, series: Mapping[str, ExportSeries]) -> pd.DataFrame:
    """What each definition counts, over which years, with its last value."""
    rows = []
    for key, own in published.groupby("definition", sort=False):
        last = own.sort_values("year").iloc[-1]
        span = f"{own.year.min()}–{own.year.max()}" if len(own) > 1 else str(own.year.max())
        name, scope = series[key].label, series[key].scope
        rows.append((name, scope, f"{span} ({count(len(own), 'value')})", last.exports_usd_m))
    return pd.DataFrame(rows, columns=["Definition", "What it counts", "Years", "Last value, US$ million"])


def position_sentence(odds: ExportOdds, *, label: str) -> str:
    """How far the chosen definition has moved since the base year, and what that leaves to do."""
    start = odds.position
    if start.growth_since_base_pct is None:
        alone = f"so the base of {usd_m(start.base_usd_m)} is also the position"
        return f"{label} held no year after {start.base_year} by then, {alone}."
    moved = (
        f"From {start.base_year} to {start.latest_year} {label} moved by {signed_pct(start.growth_since_base_pct)}. "
        f"If the headline moved alike it stood at {usd_m(start.latest_usd_m)}"
    )
    if odds.required_growth_pct is None:
        return f"{moved}; no year is left to the target of {usd_m(odds.target_usd_m)}."
    return f"{moved}, and the target now takes {pct(odds.required_growth_pct, 2)} a year."
