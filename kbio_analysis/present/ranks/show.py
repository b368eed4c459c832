"""Tables and records of the notebook on ranks, each shown by one call."""

from collections.abc import Mapping

import pandas as pd

from kbio_analysis.models.rank_climb import (
    MARKET_GROWTH,
    OWN_FORECAST,
    OWN_PAST,
    SEGMENT_GROWTH,
    STANDING_STILL,
)
from kbio_analysis.models.rank_history import Entries, Placement
from kbio_analysis.models.ranks import RankOdds
from kbio_analysis.present.outputs import record
from kbio_analysis.present.ranks import checks, race, standing
from kbio_analysis.present.ranks.words import place_name
from kbio_analysis.present.tables import table
from kbio_analysis.present.text import chance
from kbio_analysis.vocabulary import SHORT_CLASSIFICATIONS

SIMULATED_RTOL = 5e-3
"""Tolerance of shares of simulated paths: elsewhere a rounding may tip a path or two of some hundred hits."""

GROWTH_CASES = {
    "still": STANDING_STILL,
    "past": OWN_PAST,
    "market": MARKET_GROWTH,
    "segment": SEGMENT_GROWTH,
    "forecast": OWN_FORECAST,
}
"""What the holder of the place may do: key of the record -> case."""

FORECAST_RTOL = 1e-3
"""Tolerance of what rests on fitted models: optimisers end a little apart elsewhere."""


def show_ranks(published: pd.DataFrame, ladders: Mapping[str, pd.DataFrame], *, source: str) -> None:
    """Korea's rank by year under every ranking."""
    caption = "Korea's rank by year: counted among the exporters held (HS 3002, SITC 54), and as published"
    table(standing.rank_table(published, ladders), id="ranks", caption=caption, source=source)


def published_rows(published: pd.DataFrame) -> pd.DataFrame:
    """The published ranks as ``record_published`` takes them: columns id, kind, value, unit and period."""
    return pd.DataFrame(
        {
            "id": published["definition"] + "_" + published["year"].astype(str),
            "kind": published["status"] + " rank",
            "value": published["rank"],
            "unit": "rank",
            "period": published["year"],
        }
    )


def show_aims(aims: Mapping[str, Placement], *, classification: str, place: int, source: str) -> None:
    """Where each aim would stand."""
    frame = standing.aims_table(aims)
    formats = {frame.columns[1]: ",.0f", frame.columns[3]: lambda v: f"{v:.0f}%"}
    caption = f"The aims on the ladder of {SHORT_CLASSIFICATIONS[classification]}, against {place_name(place)}"
    table(frame, id="aims", caption=caption, source=source, formats=formats)


def show_growth(
    needed: pd.DataFrame, rungs: pd.DataFrame, *, classification: str, place: int, target_year: int, source: str
) -> None:
    """The growth the place takes, by case."""
    frame = standing.growth_table(needed, rungs, target_year)
    formats = dict(zip(frame.columns[1:], (".1f", ",.0f", ".1f"), strict=True))
    caption = f"Growth that {place_name(place)} of {SHORT_CLASSIFICATIONS[classification]} takes by {target_year}"
    table(frame, id="growth-needed", caption=caption, source=source, formats=formats)


def show_climbs(climbs: pd.DataFrame, *, source: str) -> None:
    """Published ranks on the ladder of HS 3002; nothing without one."""
    if climbs.empty:
        return
    frame = standing.climb_table(climbs)
    caption = "Published ranks read off the ladder of HS 3002: growth to the place, by what its holder does"
    table(frame, id="climbs", caption=caption, source=source, formats=dict.fromkeys(frame.columns[1:], ".1f"))


def show_field(odds: RankOdds, *, classification: str, source: str) -> None:
    """The field and its chances."""
    frame = race.field_table(odds)
    formats = {"Latest, US$ million": ",.0f", "Chance of the place": chance}
    caption = (
        f"{SHORT_CLASSIFICATIONS[classification]}: chance of {place_name(odds.place)} or better in {odds.target_year}, "
        "and simulated ranks"
    )
    table(frame, id="field", caption=caption, source=source, formats=formats)


def show_spread(spread: pd.DataFrame, odds: RankOdds, *, source: str) -> None:
    """The chance by assumption."""
    frame = checks.spread_table(spread)
    caption = f"Chance of {place_name(odds.place)} or better in {odds.target_year}, by assumption"
    table(frame, id="assumptions", caption=caption, source=source, formats=dict.fromkeys(frame.columns[1:], chance))


def record_standing(rungs: pd.DataFrame, aims: Mapping[str, Placement], needed: pd.DataFrame) -> None:
    """Where Korea stands, how far off the place is, and what it takes."""
    last, aim = rungs.iloc[-1], next(iter(aims.values()))
    record("latest_year", int(rungs.index[-1]), unit="year", meaning="last year of the ladder by as_of")
    record("rank_latest", int(last.home_rank), unit="place", meaning="Korea's rank among the exporters held")
    record("exporters_held", int(last.n_held), unit="count", meaning="exporters held in the latest year")
    level = {"unit": "US$ million", "meaning": "latest exports of the rival that holds the place"}
    record("place_level_usd_m", last.rival_usd_m, **level)
    record("place_over_korea", last.multiple, unit="multiple", meaning="that level over Korea's own")
    share = {"unit": "points", "meaning": "the place's share of the exports held less Korea's"}
    record("share_gap_points", last.rival_share_pct - last.home_share_pct, **share)
    record("aim_usd_m", aim.value_usd_m, unit="US$ million", meaning="exports the strategy aims at, set on the ladder")
    record("aim_rank", aim.rank, unit="place", meaning="rank that the aim would have had in the latest year")
    growth = {"unit": "per cent a year", "rtol": FORECAST_RTOL}
    for key, case in GROWTH_CASES.items():
        value = needed.needed_growth_pct.get(case)
        record(f"growth_needed_{key}_pct", value, meaning=f"growth the place takes, its holder: {case}", **growth)


def record_race(odds: RankOdds, spread: pd.DataFrame, *, other: RankOdds) -> None:
    """The simulated odds and ranks."""
    kind = {"unit": "probability", "rtol": SIMULATED_RTOL}
    record("probability_of_place", odds.probability, meaning="chance of the place or better in the target year", **kind)
    record("simulation_error", odds.simulation_error, meaning="standard error of that share of paths", **kind)
    record("probability_low", spread.min().min(), meaning="the same at the least hopeful assumption", **kind)
    record("probability_high", spread.max().max(), meaning="the same at the most hopeful assumption", **kind)
    record("probability_other_definition", other.probability, meaning="the same in the other definition", **kind)
    unseen = odds.chance_of(odds.place - 1)
    record("probability_one_unseen_ahead", unseen, meaning="the same with one unread exporter always ahead", **kind)
    end = odds.fan.iloc[-1]
    for name, column in (("median", "median"), ("low_80", "lo_80"), ("high_80", "hi_80")):
        meaning = f"Korea's simulated rank in the target year, {name.replace('_', ' ')}"
        record(f"rank_{name}", int(end[column]), unit="place", meaning=meaning)


def record_checks(found: Mapping[str, Entries], hindcast: pd.DataFrame | None, odds: RankOdds, aims: tuple) -> None:
    """The base rates, the test of the simulation, and whether the aim will do."""
    for name, e in found.items():
        key = SHORT_CLASSIFICATIONS[name].lower().replace(" ", "")
        record(f"entered_{key}", e.entered, unit="count", meaning="starts from the band that led into the top")
        record(f"starts_{key}", e.n, unit="count", meaning="exporter-years in the band whose window has closed")
    brier = None if hindcast is None else float(((hindcast.chance - hindcast.hit) ** 2).mean())
    meaning = "mean squared error of the simulation run as many years earlier"
    record("hindcast_error", brier, unit="squared probability", meaning=meaning, rtol=SIMULATED_RTOL)
    aim_usd_m, growth_pct = aims
    enough = {"unit": "probability", "meaning": "chance that the aim is the place if exporters grow with the market"}
    record("probability_aim_is_enough", race.enough(odds, aim_usd_m, growth_pct), rtol=SIMULATED_RTOL, **enough)
