"""Tables and records of the reform notebook, each shown by one call."""

from collections.abc import Mapping, Sequence

import pandas as pd

from kbio_analysis.models.pipeline import CHANCES, Prospects
from kbio_analysis.models.reform_clock import ClockGain
from kbio_analysis.models.segment_share import SegmentShare
from kbio_analysis.models.trial_hub import MAIN_SCOPE, HubRace
from kbio_analysis.present.outputs import record
from kbio_analysis.present.reform import blockbusters, clock, hub, market
from kbio_analysis.present.tables import table
from kbio_analysis.present.text import chance, count

SIMULATED_RTOL = 1e-6
"""Tolerance of results that rest on sums over many seeded draws."""

KEYS = {"New drug": "new_drug", "Biosimilar": "biosimilar"}
"""How a track is named in a record."""


def show_assumptions(frame: pd.DataFrame, *, source: str) -> None:
    """Every assumed range beside the published one."""
    table(frame, id="assumptions", caption="Assumed ranges beside what others published", source=source)


def show_clock(gains: Sequence[ClockGain], *, target_year: int, source: str) -> None:
    """Months, revenue and present value a product: median and four cases of five."""
    columns = {
        "months_gained": "Months gained",
        "extra_usd_m": f"Revenue by end {target_year}, US$ million",
        "npv_usd_m": "Present value, US$ million",
        "all_npv_usd_m": "Present value if all sales waited, US$ million",
    }
    rows = []
    for gain in gains:
        for column, label in columns.items():
            median, low, high = gain.range_of(column)
            rows.append((gain.track.name, label, low, median, high))
    frame = pd.DataFrame(rows, columns=["Product", "Result", "10th percentile", "Median", "90th percentile"])
    formats = dict.fromkeys(frame.columns[2:], ",.2f")
    caption = "What the faster clock brings one product"
    table(frame, id="clock", caption=caption, source=source, formats=formats)


def show_needed(needed: pd.DataFrame, k: int, *, source: str) -> None:
    """Candidates one phase alone must hold."""
    frame = blockbusters.needed_table(needed)
    formats = {frame.columns[2]: ".2f"} | {f"For {chance(c)}": ",.0f" for c in CHANCES}
    caption = f"Candidates that one phase alone would have to hold for {blockbusters.wanted(k)}, by the chance wanted"
    table(frame, id="candidates-needed", caption=caption, source=source, formats=formats)


def show_pipeline(found: Prospects, chances: pd.DataFrame, k: int, *, source: str) -> None:
    """The pipeline by phase with its dates, and its chances by reading."""
    caption = "Korea's pipeline by phase: shortest and longer published times"
    formats = {"Candidates": ",.0f", "Chance of approval, %": ".1f"}
    table(blockbusters.timing_table(found), id="pipeline", caption=caption, source=source, formats=formats)
    frame = blockbusters.chances_table(chances)
    formats = dict.fromkeys(frame.columns[1:], chance)
    caption = f"Chance of {blockbusters.wanted(k)} from this pipeline, by share of approvals that pass US$1bn"
    table(frame, id="pipeline-chances", caption=caption, source=source, formats=formats)


def show_hub(race: HubRace, *, source: str) -> None:
    """Ranks and chances by scope, and the known shares."""
    caption = f"Korea's rank by scope, and the chance of rank {race.target_rank} or better in {race.target_year}"
    formats = {"Latest rank": ".0f", "Yearly moves": ".0f", "Chance of the place": chance}
    table(hub.scope_table(race), id="hub-scopes", caption=caption, source=source, formats=formats)
    frame = hub.share_table(race)
    formats = {frame.columns[1]: ".2f", frame.columns[2]: ".2f"}
    table(frame, id="hub-shares", caption="Shares of country entries, all trials", source=source, formats=formats)


def show_market(frame: pd.DataFrame, *, source: str) -> None:
    """Published biologics shares beside the implied ones; nothing without any."""
    if len(frame):
        shown = market.comparison_table(frame)
        formats = dict.fromkeys(shown.columns[2:], ".1f")
        caption = "Biologics' share of the market: published forecasts and the two rates together"
        table(shown, id="market-shares", caption=caption, source=source, formats=formats)


def show_sources(sources: pd.DataFrame) -> None:
    """Publisher, title, date and address of every source."""
    frame = sources[["publisher", "title", "published", "url"]].drop_duplicates()
    frame = frame.set_axis(["Publisher", "Title", "Published", "Address"], axis=1)
    caption = "Sources of every figure on this page"
    table(frame, id="sources", caption=caption, source="data/tables/sources.csv")


def record_clock(gains: Sequence[ClockGain]) -> None:
    """Medians of months, revenue and present value a product."""
    for gain in gains:
        key, name = KEYS[gain.track.name], gain.track.name.lower()
        kind = {"rtol": SIMULATED_RTOL}
        months = gain.range_of("months_gained")[0]
        record(f"{key}_months_gained", months, unit="months", meaning=f"median time gained by a {name}", **kind)
        extra = "median extra revenue to the end of the target year on the Korean clock"
        record(f"{key}_extra_usd_m", gain.range_of("extra_usd_m")[0], unit="US$ million", meaning=extra, **kind)
        npv = f"median present value of the gain for a {name} on the Korean clock"
        record(f"{key}_npv_usd_m", gain.range_of("npv_usd_m")[0], unit="US$ million", meaning=npv, **kind)
        whole = "the same if all of its sales in the world waited"
        record(f"{key}_all_npv_usd_m", gain.range_of("all_npv_usd_m")[0], unit="US$ million", meaning=whole, **kind)


def record_blockbusters(needed: pd.DataFrame, chances: pd.DataFrame, shares: pd.Series, case: str) -> None:
    """Candidates for even odds, the pipeline's chances at the likely share, and the share for even odds."""
    for phase in ("phase1", "phase3"):
        half = needed.loc[(phase, case), 0.5]
        what = f"candidates in {blockbusters.PHASE_LABELS[phase]} alone for even odds at the likely share"
        record(f"{phase}_candidates_for_even_odds", None if pd.isna(half) else int(half), unit="count", meaning=what)
    names = {
        "no deadline": ("probability_of_blockbusters", "chance from the pipeline without a deadline, likely share"),
        "above the mark in time, short times": (
            "probability_of_blockbusters_in_time_short",
            "chance of sales above the mark in time, shortest published times, likely share",
        ),
        "above the mark in time, long times": (
            "probability_of_blockbusters_in_time_long",
            "chance of sales above the mark in time, longer published times, likely share",
        ),
    }
    for reading, (name, meaning) in names.items():
        record(name, float(chances.loc[reading, case]), unit="probability", meaning=meaning, rtol=SIMULATED_RTOL)
    low = float(chances.loc["above the mark in time, short times"].iloc[0])
    meaning = "chance of sales above the mark in time, shortest published times, low share"
    name = "probability_of_blockbusters_in_time_low_share"
    record(name, low, unit="probability", meaning=meaning, rtol=SIMULATED_RTOL)
    half = shares.loc[0.5]
    meaning = "share of approvals above the mark for even odds, without a deadline"
    value = None if pd.isna(half) else 100 * float(half)
    record("blockbuster_share_for_even_odds_pct", value, unit="per cent", meaning=meaning, rtol=SIMULATED_RTOL)


def record_hub(race: HubRace, before: HubRace) -> None:
    """Gap, growth it takes, and the chance with its error."""
    row, main = race.shares.iloc[-1], race.by_scope[MAIN_SCOPE]
    gap = {"unit": "percentage points", "meaning": "share of the place's holder less Korea's, latest year known"}
    record("trial_share_gap_points", float(row.rival - row.own), **gap)
    growth = {"unit": "per cent a year", "meaning": "growth of Korea's share that meets it by the target year"}
    record("trial_share_growth_needed_pct", race.growth_needed_pct, **growth)
    kind = {"unit": "probability", "rtol": SIMULATED_RTOL}
    record("probability_of_trial_rank", main.chance, meaning="chance of the target rank by the moves seen", **kind)
    record("probability_of_trial_rank_low", main.low, meaning="its 5% bound over redrawn moves", **kind)
    record("probability_of_trial_rank_high", main.high, meaning="its 95% bound over redrawn moves", **kind)
    walk = None if race.gap is None else race.gap.chance
    record("probability_of_trial_rank_by_share", walk, meaning="chance by the walk of the share ratio", **kind)
    old = before.by_scope[MAIN_SCOPE].chance
    record("probability_of_trial_rank_end_2024", old, meaning="the same chance on what was known at end 2024", **kind)


def record_market(found: SegmentShare, frame: pd.DataFrame) -> None:
    """The share the two rates lead to, the rest's growth, and the widest gap to a forecast."""
    record(
        "biologics_share_pct",
        float(found.share_pct.iloc[-1]),
        unit="per cent",
        meaning="share of biologics in the target year if both growth rates hold",
    )
    rest = {"unit": "per cent a year", "meaning": "growth of all else; none if biologics exceed the market"}
    record("rest_of_market_growth_pct", found.rest_growth_pct, **rest)
    widest = None if frame.empty else float(frame.gap_points.loc[frame.gap_points.abs().idxmax()])
    what = {"unit": "percentage points", "meaning": "largest difference to a published forecast of the share"}
    record("biologics_share_gap_points", widest, **what)


def limit_sentences(
    gains: Sequence[ClockGain], race: HubRace, table_of_assumptions: pd.DataFrame, *, pipeline: Mapping[str, int]
) -> list[str]:
    """What the page cannot tell, computed where it can be."""
    own = int((table_of_assumptions.Basis == "our assumption").sum())
    moves = len(race.by_scope[MAIN_SCOPE].moves)
    months = max(clock.announced_months(g.track) for g in gains)
    total = sum(pipeline.values())
    return [
        f"Nothing after the reform has been observed yet: the cuts of up to {months:.1f} months are announcements, and "
        f"no published figure stands behind {count(own, 'assumed range')}.",
        "Published uptake, peak sales and success rates are those of the United States and of large firms; Korean "
        "products need not be like them.",
        f"The {total:,} candidates are taken as independent and alike within a phase; shared failures would widen the "
        "law of the number that succeed, and a project in the count need not be a new substance.",
        f"The rank moves are {moves}, of which {race.by_scope[MAIN_SCOPE].bridged} bridge years without a published "
        "rank, and a rank also moves when others do.",
        "Biologics and the whole market come from two publishers, so their ratio is a share of nothing either counts.",
        "Rates of success of 2011–2020 are held in part only: the full set could not be read.",
    ]
