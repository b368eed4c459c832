"""Tables and records of the export record, each shown by one call."""

import pandas as pd

from kbio_analysis.models.export_record import Break, CodeMatch, YearToDate
from kbio_analysis.models.revisions import MOVED_PCT, PendingMonths, Revisions
from kbio_analysis.models.season import Season
from kbio_analysis.present.export_record import definitions, monthly, revisions
from kbio_analysis.present.outputs import record
from kbio_analysis.present.tables import table
from kbio_analysis.present.text import signed_pct

FITTED_RTOL = 1e-6
"""Tolerance of results that rest on STL's local regressions."""

SHUFFLED_RTOL = 0.5
"""Tolerance of a p-value from shuffles: one shuffle more or less among few must not fail a check."""


def show_scopes(shown: pd.DataFrame, *, source: str) -> None:
    """What each definition counts; nothing without a definition."""
    if shown.empty:
        return
    frame = definitions.scope_table(shown)
    formats = {frame.columns[-1]: ",.0f"}
    table(frame, id="scopes", caption="What each definition counts", source=source, formats=formats)


def show_nearness(near: pd.DataFrame, *, year: int, source: str) -> None:
    """Every count of the headline's year by its distance from the headline; nothing without a count."""
    frame = definitions.nearness_table(near)
    if len(frame):
        caption = f"Counts of {year} by their distance from the headline; not all count biopharmaceuticals"
        formats = {"US$ million": ",.0f", "Against the headline": signed_pct}
        table(frame, id="nearness", caption=caption, source=source, formats=formats)


def show_both_years(rows: pd.DataFrame, *, year: int, source: str) -> None:
    """The counts that hold both years of the break; nothing without one."""
    if len(rows):
        frame = definitions.both_years_table(rows, year=year)
        formats = dict.fromkeys(frame.columns[1:3], ",.0f") | {"Change": signed_pct}
        caption = f"{year - 1} against {year} in every count that holds both under one name"
        table(frame, id="break", caption=caption, source=source, formats=formats)


def show_revisions(found: Revisions, *, source: str) -> None:
    """The revisions by kind of count, and the pairs that moved; nothing without a pair."""
    if found.pairs.empty:
        return
    caption = "First counts against the latest: by kind of count, per cent of the first"
    table(revisions.revision_table(found), id="revisions", caption=caption, source=source, formats=revisions.FORMATS)
    formats = {"First print": ",.0f", "Latest": ",.0f", "Revision": signed_pct}
    moved = revisions.pairs_table(found)
    if len(moved):
        caption = f"The pairs that moved by {MOVED_PCT:g}% or more, the furthest first; US$ million"
        table(moved, id="pairs", caption=caption, source=source, formats=formats)


def show_to_date(seen: dict[str, YearToDate | None], *, source: str) -> None:
    """The year to date against the target path; nothing without a series that has one."""
    frame = monthly.to_date_table(seen)
    if len(frame):
        formats = dict.fromkeys(frame.columns[2:6], ",.0f") | {"Against the path": signed_pct}
        table(frame, id="to-date", caption="The year to date, same months compared", source=source, formats=formats)


def show_full_years(rows: pd.DataFrame, *, source: str) -> None:
    """Last full years against the path; nothing without one."""
    if len(rows):
        names = ["Definition", "Year", "Base, US$ million", "US$ million", "Path", "Against the path"]
        formats = dict.fromkeys((names[2], names[3], names[4]), ",.0f") | {names[5]: signed_pct}
        caption = "Last full year of each definition against its own base grown along the target path"
        table(rows.set_axis(names, axis=1), id="full-years", caption=caption, source=source, formats=formats)


def record_definitions(near: pd.DataFrame, broken: Break | None, match: CodeMatch | None) -> None:
    """The spread of the definitions, the break and the codes behind the figure."""
    own = definitions.medicines(near)
    money = {"unit": "US$ million"}
    some = len(own) > 0
    low, high = (own.exports_usd_m.min(), own.exports_usd_m.max()) if some else (None, None)
    record("lowest_count_usd_m", low, meaning="lowest count of biopharmaceuticals in the headline's year", **money)
    record("highest_count_usd_m", high, meaning="highest count of biopharmaceuticals in the headline's year", **money)
    name = own.label.iloc[0] if some else None
    record("nearest_definition", name, unit="name", meaning="count of biopharmaceuticals nearest to the headline")
    gap = own.gap_pct.iloc[0] if some else None
    record("nearest_gap_pct", gap, unit="per cent", meaning="nearest count less the headline, share of the headline")
    apparent = broken.apparent_pct if broken else None
    record("break_apparent_pct", apparent, unit="per cent", meaning="new count after the break over the old before it")
    like = broken.like_for_like_pct if broken else None
    record("break_like_for_like_pct", like, unit="per cent", meaning="the same year on one classification")
    moved = broken.moved_out_usd_m if broken else None
    record(
        "break_moved_out_usd_m", moved, meaning="old count less the restated one, in the year before the break", **money
    )
    sums = len(match.matches) if match else None
    record("code_sums_matching", sums, unit="sums", meaning="sums of codes equal to the published figure")
    nearest = match.nearest[1] if match else None
    record("nearest_code_sum_usd_m", nearest, meaning="sum of codes nearest to the published figure", **money)


def record_revisions(found: Revisions, pending: PendingMonths | None, *, count_key: str) -> None:
    """How far the tentative counts moved and how their last month is to be read."""
    change = found.of(count_key)["revision_pct"]
    some = len(change) > 0
    record("revision_pairs", len(change), unit="pairs", meaning="first counts of the tentative series with a later one")
    share = {"unit": "per cent"}
    for name, value in (("lowest", "min"), ("median", "median"), ("highest", "max")):
        figure = getattr(change, value)() if some else None
        record(f"revision_{name}_pct", figure, meaning=f"{name} revision of a tentative month", **share)
    covered = pending.coverage_pct if pending else None
    record("revision_coverage_pct", covered, meaning="coverage that so few pairs can promise", **share)
    waiting = pending is not None and len(pending.months) > 0
    for side in ("low", "high"):
        value = pending.months[f"{side}_usd_m"].iloc[-1] if waiting else None
        record(
            f"last_month_{side}_usd_m", value, unit="US$ million", meaning=f"{side} end for the last tentative month"
        )


def record_monthly(season: Season | None, seen: YearToDate | None) -> None:
    """The season of the chosen series and its year to date."""
    strength = season.strength if season else None
    record("season_strength", strength, unit="0 to 1", meaning="share of variation that is season", rtol=FITTED_RTOL)
    p = season.p_value if season else None
    record("season_p_value", p, unit="probability", meaning="as strong a season in shuffled years", rtol=SHUFFLED_RTOL)
    quarter = season.by_quarter if season else None
    record("quarter_p_value", quarter.p_value if quarter else None, unit="probability", meaning="rank test by quarter")
    end = quarter.effect_pct[3] if quarter else None
    record("quarter_end_pct", end, unit="per cent", meaning="third month of a quarter against the quarter")
    to_date = seen.to_date if seen else None
    record("to_date_usd_m", to_date, unit="US$ million", meaning="chosen series in its last year so far")
    ahead = seen.ahead_pct if seen else None
    record("ahead_of_path_pct", ahead, unit="per cent", meaning="year to date against the target path")
