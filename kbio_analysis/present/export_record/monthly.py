"""Sentences and tables about the monthly series: its season, and the year to date against the target path."""

import calendar
from collections.abc import Mapping

import pandas as pd

from kbio_analysis.models.export_record import YearToDate
from kbio_analysis.models.season import RankTest, Season
from kbio_analysis.present.text import count, join, pct, signed_pct, usd_m

SHOWS, HINTS = 0.05, 0.20
"""Below the first p a season is said to show, below the second to be hinted at."""

LEVEL_PCT = 1.0
"""Within this of the path exports are called level with it, per cent."""


def p_words(p: float) -> str:
    """``p = 0.006``; the ends as bounds, never zero or one."""
    if p > 0.999:
        return "p > 0.999"
    return "p < 0.001" if p < 0.001 else f"p = {p:.3f}"


def season_sentence(season: Season | None, *, label: str, n_months: int) -> str:
    """Whether the series has a season at all, by strength and by its own shuffles."""
    if season is None:
        return f"{label} holds {count(n_months, 'month')} in the chosen span: too few to say whether there is a season."
    if season.p_value < SHOWS:
        verdict = "a season shows"
    elif season.p_value < HINTS:
        verdict = "a season is hinted at but not established"
    else:
        verdict = "there is no evidence of a season"
    return (
        f"In {label} {verdict}: its strength is {season.strength:.2f} on a scale from 0 to 1, and "
        f"{p_words(season.p_value)} against {season.n_shuffles:,} series whose months were shuffled within each year."
    )


def pattern_sentence(season: Season | None) -> str:
    """Where the season lies: the highest and lowest month, and the place in the quarter."""
    if season is None:
        return "Months and quarters are not compared."
    high, low = int(season.effect_pct.idxmax()), int(season.effect_pct.idxmin())
    text = (
        f"On average {calendar.month_name[high]} stands {signed_pct(season.effect_pct[high])} from the trend and "
        f"{calendar.month_name[low]} {signed_pct(season.effect_pct[low])}."
    )
    tests = [_rank_words(season.by_month, "calendar month", "year"), _rank_words(season.by_quarter, "place", "quarter")]
    return f"{text} {' '.join(t for t in tests if t)}".rstrip()


def _rank_words(test: RankTest | None, place: str, block: str) -> str:
    if test is None:
        return ""
    what = f"a rank test over {test.n_blocks} whole {block}s ({p_words(test.p_value)})"
    if test.p_value >= SHOWS:
        return f"{what[0].upper()}{what[1:]} sees no {place} of the {block} above the others."
    best = int(test.effect_pct.idxmax())
    if block == "quarter":
        ordinal = ("first", "second", "third")[best - 1]
        named = f"the {ordinal} month of the quarter, {signed_pct(test.effect_pct[best])} from the quarter's average"
    else:
        named = f"{calendar.month_name[best]}, {signed_pct(test.effect_pct[best])} from the year's average"
    return f"{what[0].upper()}{what[1:]} sees a pattern, highest in {named}."


def sensitivity_sentence(strengths: pd.DataFrame | None) -> str:
    """How much the strength of the season hangs on the smoother and on outliers."""
    if strengths is None:
        return "There is no decomposition to vary."
    low, high = strengths["ordinary"].min(), strengths["ordinary"].max()
    robust_low, robust_high = strengths["robust"].min(), strengths["robust"].max()
    lower = "lower" if robust_high < low else "higher" if robust_low > high else "overlapping"
    return (
        f"Over smoothing windows of {join([str(w) for w in strengths.index])} the strength runs from {low:.2f} "
        f"to {high:.2f}; with outliers weighed down it is {lower}, {robust_low:.2f} to {robust_high:.2f}."
    )


def level_words(ahead_pct: float) -> str:
    """``5.4% ahead of``, ``0.4% behind`` (called level within 1%)."""
    if abs(ahead_pct) < LEVEL_PCT:
        return f"level with ({signed_pct(ahead_pct)})"
    return f"{pct(abs(ahead_pct))} {'ahead of' if ahead_pct > 0 else 'behind'}"


def months_words(seen: YearToDate) -> str:
    """``January to July 2026`` or one month's name."""
    first, last = calendar.month_name[1], calendar.month_name[seen.n_months]
    return f"{first} {seen.year}" if seen.n_months == 1 else f"{first} to {last} {seen.year}"


def to_date_sentence(seen: YearToDate | None, *, label: str, base_year: int) -> str:
    """The year under way against the target path, same months compared."""
    if seen is None:
        return f"{label} holds no year after {base_year} with a whole {base_year} beside it: no year to date."
    total = signed_pct(100 * (seen.to_date / seen.base - 1))
    grown = f", {total} on the same months of {seen.base_year}"
    if seen.year_before is not None and seen.year - 1 != seen.base_year:
        change = signed_pct(100 * (seen.to_date / seen.year_before - 1))
        grown = f", {change} on the same months of {seen.year - 1} and {total} on those of {seen.base_year}"
    text = (
        f"{label} came to {usd_m(seen.to_date)} in {months_words(seen)}{grown}: {level_words(seen.ahead_pct)} a path "
        f"of {pct(seen.growth_pct, 2)} a year ({usd_m(seen.path)})."
    )
    if seen.low is None:
        return text
    low, high = 100 * (seen.low / seen.path - 1), 100 * (seen.high / seen.path - 1)
    if low > 0 or high < 0:
        verdict = f"it would still be {'ahead of' if low > 0 else 'behind'} the path"
    else:
        verdict = "it could be on either side of the path"
    span = f"{signed_pct(low)} to {signed_pct(high)}"
    return f"{text} Had every month moved as far as first counts have been seen to, {verdict} ({span})."


def full_years_sentence(rows: pd.DataFrame, *, base_year: int) -> str:
    """How the definitions' last full years stand to the path, counted."""
    if rows.empty:
        return f"No definition shown holds {base_year} and a later year."
    ahead, behind = int((rows.ahead_pct >= LEVEL_PCT).sum()), int((rows.ahead_pct <= -LEVEL_PCT).sum())
    level = len(rows) - ahead - behind
    parts = [f"{n} {word}" for n, word in ((ahead, "ahead"), (level, "level"), (behind, "behind")) if n]
    last = join(sorted({str(y) for y in rows.year}))
    return (
        f"Of {count(len(rows), 'definition')} with a full year after {base_year} (to {last}), {join(parts)}: from "
        f"{signed_pct(rows.ahead_pct.min())} to {signed_pct(rows.ahead_pct.max())} against the path."
    )


def to_date_table(seen: Mapping[str, YearToDate | None]) -> pd.DataFrame:
    """The year to date of each series that has one."""
    rows = [
        (label, months_words(s), s.to_date, s.year_before, s.base, s.path, s.ahead_pct)
        for label, s in seen.items()
        if s is not None
    ]
    names = ["Series", "Months", "US$ million", "Year before", "Base year", "Path", "Against the path"]
    return pd.DataFrame(rows, columns=names)
