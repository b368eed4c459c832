"""Sentences and tables about the odds: the answer, the reference classes, the pace, the vintages."""

from collections.abc import Callable, Mapping
from datetime import date
from math import isfinite

import pandas as pd

from kbio_analysis.models.export_target import ExportOdds
from kbio_analysis.present.text import (
    chance,
    chance_range,
    count,
    first_year,
    join,
    long_date,
    odds_word,
    pct,
    signed_pct,
    usd_m,
)

CLASS_FORMATS: Mapping[str, str | Callable[[object], str]] = {
    "Median growth, % a year": ".1f",
    "Reach the target": chance,
    "Least": chance,
    "Most": chance,
    "Double": chance,
    "Grow with the segment": chance,
}
"""How :func:`class_table` is formatted."""


def goal(odds: ExportOdds) -> str:
    """The event in words: ``exports reach US$11,600m by 2030``."""
    return f"exports reach {usd_m(odds.target_usd_m)} by {odds.target_year}"


def answer_sentence(odds: ExportOdds, *, as_of: date, segment_pct: float) -> str:
    """The report's answer in one sentence: pooled odds, their range over classes, and those of the segment's pace."""
    start = odds.position
    if odds.required_growth_pct is None:
        reached = "has reached" if odds.p_target else "has not reached"
        return (
            f"On the strategy's scale Korea's exports stood at {usd_m(start.latest_usd_m)} in {odds.target_year}: the "
            f"series {reached} the target of {usd_m(odds.target_usd_m)}."
        )
    share = odds.by_class.p_target
    across = "" if len(share) == 1 else f" ({chance_range(share.min(), share.max())} across them)"
    return (
        f"As of {long_date(as_of)}, {_verdict(odds)}: {chance(odds.p_target)} in the pool of reference "
        f"classes{across}, and {chance(odds.p_segment)} for keeping up with segment growth of "
        f"{pct(segment_pct)} a year since {start.base_year}."
    )


def _verdict(odds: ExportOdds) -> str:
    """The pooled odds in words, and whether the classes agree on which side of one half they lie."""
    aim = f"Korea's biopharmaceutical exports {goal(odds).removeprefix('exports ')}"
    share = odds.by_class.p_target
    if share.min() < 0.5 < share.max():
        side = "leans against" if odds.p_target < 0.45 else "leans towards" if odds.p_target > 0.55 else "is divided on"
        return f"the record of comparable exporters {side}, but does not settle, whether {aim}"
    return f"it is {odds_word(odds.p_target)} that {aim}"


def pace_sentence(odds: ExportOdds, *, segment_pct: float) -> str:
    """How exports have run against the segment since the base year, and the chance of keeping up to the target year."""
    start = odds.position
    keep = f"the pooled chance of keeping at least that pace from {start.base_year} to {odds.target_year} is"
    if start.growth_since_base_pct is None:
        return f"Against segment growth of {pct(segment_pct)} a year, {keep} {chance(odds.p_segment)}."
    years = start.latest_year - start.base_year
    pace = 100 * ((1 + start.growth_since_base_pct / 100) ** (1 / years) - 1)
    run = "level with" if abs(pace - segment_pct) < 0.05 else "ahead of" if pace > segment_pct else "behind"
    return (
        f"Since {start.base_year} they have grown {pct(pace)} a year, {run} the segment's {pct(segment_pct)}; {keep} "
        f"{chance(odds.p_segment)}."
    )


def classes_sentence(odds: ExportOdds) -> str:
    """What each reference class says of the target, and which could not speak."""
    parts = [
        f"{name} {chance(row.p_target)} ({count(int(row.n_cases), 'case')}, "
        f"median growth {pct(row.median_growth_pct)} a year)"
        for name, row in odds.by_class.iterrows()
    ]
    text = f"The chance that {goal(odds)}, by reference class: {join(parts)}."
    if odds.left_out:
        text += f" Not enough cases for: {join([f'{n} ({why})' for n, why in odds.left_out.items()])}."
    return text


def class_table(odds: ExportOdds) -> pd.DataFrame:
    """The reference classes and their pool, one row each; least and most are the exact 95% range of the share."""
    pool = {
        "n_cases": odds.by_class.n_cases.sum(),
        "p_target": odds.p_target,
        "p_doubling": odds.p_doubling,
        "p_segment": odds.p_segment,
    }
    frame = pd.concat([odds.by_class, pd.DataFrame([pool], index=["Pool, equal weights"])])
    columns = ["n_cases", "median_growth_pct", "p_target", "low", "high", "p_doubling", "p_segment"]
    frame = frame[columns].rename_axis("Class").reset_index()
    return frame.set_axis(["Class", "Cases", *CLASS_FORMATS], axis=1)


def doubling_sentence(odds: ExportOdds) -> str:
    """The median year of doubling in the pool."""
    year = odds.median_doubling_year
    if not isfinite(year):
        return "In more than half of the pooled cases exports never double at the pace they show."
    beyond = " (beyond the target year each case's own pace is continued)" if year > odds.target_year else ""
    return f"The first year at twice the base is {first_year(year)} in the median of the pool{beyond}."


def latest_year_sentence(before: ExportOdds, after: ExportOdds) -> str:
    """What the years observed since the base did to the odds, reference classes held fixed."""
    if after.position.growth_since_base_pct is None:
        return "No year after the base had been published, so nothing observed has moved the odds yet."
    years = [t for t in after.position.history.index if t > after.position.base_year]
    span = str(years[0]) if len(years) == 1 else f"{years[0]}–{years[-1]}"
    change = 100 * (after.p_target - before.p_target)
    move = (
        "left the pooled odds unchanged"
        if abs(change) < 0.5
        else (
            f"{'raised' if change > 0 else 'lowered'} the pooled odds from {chance(before.p_target)} to "
            f"{chance(after.p_target)}"
        )
    )
    growth = signed_pct(after.position.growth_since_base_pct)
    return f"With the reference classes held fixed, {span} alone ({growth}) {move}."


def vintage_sentence(pooled: Mapping[date, float]) -> str:
    """How the pooled odds read at each vintage, first against last."""
    parts = [f"{chance(p)} on {long_date(d)}" for d, p in pooled.items()]
    values = list(pooled.values())
    if len(values) == 1:
        return f"The pooled chance is {parts[0]}."
    change = 100 * (values[-1] - values[0])
    verdict = (
        "little changed" if abs(change) < 1 else f"{'up' if change > 0 else 'down'} {abs(change):.0f} points in all"
    )
    return f"Run on what had been published by each date, the pooled chance reads {join(parts)}: {verdict}."


def driver_table(drivers: pd.DataFrame) -> pd.DataFrame:
    """What the three results hang on, most telling assumption first."""
    order = (drivers.p_target_high - drivers.p_target_low).sort_values(ascending=False).index
    rows = []
    for name, r in drivers.loc[order].iterrows():
        years = (first_year(r.doubling_year_low), first_year(r.doubling_year_high))
        span = years[0] if years[0] == years[1] else " to ".join(years)
        rows.append(
            (name, chance_range(r.p_target_low, r.p_target_high), chance_range(r.p_segment_low, r.p_segment_high), span)
        )
    return pd.DataFrame(
        rows, columns=["Assumption changed alone", "Target", "Segment growth", "Median year of doubling"]
    )


def driver_sentence(drivers: pd.DataFrame) -> str:
    """Which assumption moves the odds of the target most."""
    spread = (drivers.p_target_high - drivers.p_target_low).sort_values(ascending=False)
    first = drivers.loc[spread.index[0]]
    if 100 * spread.iloc[0] < 1:
        return "None of the assumptions below moves the odds of the target by a point."
    span = chance_range(first.p_target_low, first.p_target_high)
    return f"What moves the odds of the target most is the choice under “{spread.index[0]}”: {span}."


def nearest_published(published: pd.DataFrame, *, base_year: int, base_usd_m: float) -> float:
    """The published figure of the base year nearest to the base value; the base itself if there is none."""
    same_year = published[published.year == base_year].exports_usd_m
    return float(same_year.iloc[(same_year - base_usd_m).abs().argmin()]) if len(same_year) else base_usd_m


def vintage_table(odds_by: Mapping[str, ExportOdds]) -> pd.DataFrame:
    """The odds of the target at each vintage, by class and pooled: columns as_of, method, probability."""
    rows = [(day, name, p) for day, o in odds_by.items() for name, p in o.by_class.p_target.items()]
    rows += [(day, "Pool, equal weights", o.p_target) for day, o in odds_by.items()]
    return pd.DataFrame(rows, columns=["as_of", "method", "probability"])
