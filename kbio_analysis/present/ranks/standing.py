"""Sentences and tables about places as they were: the rankings side by side, the gap, the aim, the growth needed."""

from collections.abc import Mapping
from datetime import date

import pandas as pd

from kbio_analysis.models.growth import required_growth_pct
from kbio_analysis.models.rank_climb import OWN_FORECAST, OWN_PAST
from kbio_analysis.models.rank_history import Placement
from kbio_analysis.present.ranks.words import ordinal, place_name, rate, the_exporter, times
from kbio_analysis.present.text import count, join, long_date, pct, usd_m
from kbio_analysis.vocabulary import (
    BIOPHARMA_CLASSIFICATION,
    BIOPHARMA_RANKINGS,
    MIN_TREND_POINTS,
    SHORT_CLASSIFICATIONS,
)

TARGET = "target"
"""Status of a published rank that is a wish."""


def conflict_sentence(published: pd.DataFrame, ladders: Mapping[str, pd.DataFrame], *, as_of: date) -> str:
    """Which rankings of Korea there are, and that they rank different things."""
    said = published[published.status != TARGET].sort_values("year").groupby("definition", sort=False).tail(1)
    parts = [f"{r.label}: {_about(r)}{ordinal(r.rank)} in {r.year}" for r in said.itertuples()]
    for name, rungs in ladders.items():
        last = rungs.iloc[-1]
        of_all = f"{ordinal(int(last.home_rank))} of {int(last.n_held)}"
        parts.append(f"{SHORT_CLASSIFICATIONS[name]}, counted here: {of_all} exporters held in {rungs.index[-1]}")
    text = f"By {long_date(as_of)} Korea's rank could be read in {count(len(parts), 'way')}, each of another thing: "
    text += f"{'; '.join(parts)}."
    if said.empty:
        return f"{text} No publisher had stated a rank by then."
    return (
        f"{text} No publisher prints the list behind a rank, so a difference between two rankings is not a move "
        "from one place to another."
    )


def same_year_sentence(published: pd.DataFrame, ladders: Mapping[str, pd.DataFrame]) -> str:
    """Published ranks beside those counted here for the same year."""
    parts = []
    for r in published[published.status != TARGET].itertuples():
        counted = [
            f"{ordinal(int(rungs.home_rank[r.year]))} in {SHORT_CLASSIFICATIONS[name]}"
            for name, rungs in ladders.items()
            if r.year in rungs.index and rungs.home_rank[r.year] > 0
        ]
        if counted:
            parts.append(f"in {r.year} {_about(r)}{ordinal(r.rank)} ({r.label}) stands beside {join(counted)}")
    if not parts:
        return "No published rank can be set beside one counted here for the same year."
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}."


def rank_table(published: pd.DataFrame, ladders: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Korea's rank by year, one column a ranking; the number of exporters held stands beside those counted here."""
    columns = {}
    for name, rungs in ladders.items():
        held = rungs[rungs.home_rank.notna()]
        columns[SHORT_CLASSIFICATIONS[name]] = held.apply(
            lambda r: f"{ordinal(int(r.home_rank))} of {int(r.n_held)}", axis=1
        )
    for label, rows in published[published.status != TARGET].groupby("label", sort=False):
        columns[label] = pd.Series([f"{_about(r)}{ordinal(r.rank)}" for r in rows.itertuples()], index=rows.year)
    frame = pd.DataFrame(columns).sort_index(ascending=False)
    return frame.rename_axis("Year").reset_index().astype({"Year": str})


def gap_sentence(rungs: pd.DataFrame, *, classification: str, place: int) -> str:
    """Where home stands, what the place took, and whether the gap has widened since home is held."""
    held = rungs[rungs.home_usd_m > 0]
    last, first, year = held.iloc[-1], held.iloc[0], held.index[-1]
    name = SHORT_CLASSIFICATIONS[classification]
    text = (
        f"In {name} Korea was {ordinal(int(last.home_rank))} of {int(last.n_held)} exporters held in {year}, with "
        f"{usd_m(last.home_usd_m)} or {pct(last.home_share_pct)} of their exports; {place_name(place)} among the "
        f"others was that of {the_exporter(last.rival)}, with {usd_m(last.rival_usd_m)} or {pct(last.rival_share_pct)}"
    )
    if last.multiple < 1:
        return f"{text}: Korea was ahead of it."
    gap = last.rival_share_pct - last.home_share_pct
    text = f"{text}: {times(last.multiple)} Korea's, a gap of {gap:.1f} points."
    if len(held) == 1:
        return text
    before = first.rival_share_pct - first.home_share_pct
    in_times = _move(f"{first.multiple:.1f}", f"{last.multiple:.1f}", last.multiple < first.multiple)
    in_points = _move(f"{before:.1f}", f"{gap:.1f}", gap < before)
    both = f"{in_times} in proportion and {in_points} in share" if in_times != in_points else f"{in_times} in both"
    return (
        f"{text} Since {held.index[0]}, when it was {times(first.multiple)} and {before:.1f} points, the gap has "
        f"{both}."
    )


def aims_sentence(aims: Mapping[str, Placement], *, place: int, classification: str) -> str:
    """Whether what the strategy wants to export would be the place it wants to have."""
    parts, enough = [], []
    for label, found in aims.items():
        enough.append(found.rank <= place)
        own = f"{label} ({usd_m(found.value_usd_m)}) would have been {ordinal(found.rank)} of {found.n_held}"
        if not enough[-1]:
            never = f"never enough since {found.first_year}"
            last = never if found.last_year_enough is None else f"last enough in {found.last_year_enough}"
            own = f"{own}, {pct(found.share_of_place_pct, 0)} of what {place_name(place)} took ({last})"
        parts.append(own)
    year = next(iter(aims.values())).year
    verdict = (
        "The two aims agree"
        if all(enough)
        else "The two aims do not agree"
        if not any(enough)
        else "Whether the two aims agree depends on which exports are doubled"
    )
    text = f"{verdict} on the ladder of {SHORT_CLASSIFICATIONS[classification]} in {year}: {'; '.join(parts)}."
    if classification == BIOPHARMA_CLASSIFICATION:
        return text
    return f"{text} The strategy's own level counts biopharmaceuticals alone and is not set among all pharmaceuticals."


def aims_table(aims: Mapping[str, Placement]) -> pd.DataFrame:
    """Where each aim would stand on the ladder of the last year."""
    rows = [
        (
            label,
            a.value_usd_m,
            f"{ordinal(a.rank)} of {a.n_held}",
            a.share_of_place_pct,
            str(a.last_year_enough or "never"),
        )
        for label, a in aims.items()
    ]
    year = next(iter(aims.values())).year
    columns = ["Exports", "US$ million", f"Rank in {year}", "Share of the place's level", "Last enough in"]
    return pd.DataFrame(rows, columns=columns)


def growth_sentence(needed: pd.DataFrame, rungs: pd.DataFrame, *, place: int, target_year: int, multiple: float) -> str:
    """The growth that the place takes, by what its holder does, against the growth that the other aim takes."""
    last, years = rungs.iloc[-1], target_year - rungs.index[-1]
    still = needed.needed_growth_pct.iloc[0]
    doubling = required_growth_pct(1.0, multiple, years)
    text = (
        f"To draw level with {the_exporter(last.rival)} by {target_year}, Korea's exports need a growth of "
        f"{rate(still)} a year if it stands still"
    )
    rest = [
        f"{rate(r.needed_growth_pct)} with {_case(case)} ({rate(r.rival_growth_pct)})"
        for case, r in needed.iloc[1:].iterrows()
    ]
    text = f"{text}{', ' if rest else ''}{join(rest) if rest else ''}."
    missing = [_why_missing(case) for case in (OWN_PAST, OWN_FORECAST) if case not in needed.index]
    text = " ".join([text, *missing])
    low, high = needed.needed_growth_pct.min().round(1), needed.needed_growth_pct.max().round(1)
    side = "more than" if low > round(doubling, 1) else "no more than" if high <= round(doubling, 1) else None
    versus = f"Multiplying exports by {multiple:g} over the same {count(years, 'year')} takes {rate(doubling)} a year"
    if side is None:
        return f"{text} {versus}: enough in some of these cases and too little in others."
    fit = "too little for the place in every case" if side == "more than" else "enough for the place in every case"
    return f"{text} {versus}: {fit}."


def growth_table(needed: pd.DataFrame, rungs: pd.DataFrame, target_year: int) -> pd.DataFrame:
    """The cases, one row each."""
    frame = needed.reset_index()
    frame["case"] = [f"{case[0].upper()}{case[1:]}" for case in frame.case]
    rival = the_exporter(rungs.rival.iloc[-1])
    columns = [f"Case for {rival}", "Its growth, % a year", f"Its level in {target_year}, US$ million"]
    return frame.set_axis([*columns, "Korea's growth needed, % a year"], axis=1)


def biopharma_ranks(published: pd.DataFrame) -> pd.DataFrame:
    """The published ranks of biopharmaceuticals that are no targets: label, year, rank."""
    kept = published.definition.isin(BIOPHARMA_RANKINGS) & (published.status != TARGET)
    return published.loc[kept, ["label", "year", "rank"]]


def climb_sentence(climbs: pd.DataFrame, *, place: int, target_year: int) -> str:
    """What the published ranks would take, if the ladder of HS 3002 were theirs."""
    ladder = SHORT_CLASSIFICATIONS[BIOPHARMA_CLASSIFICATION]
    if climbs.empty:
        return f"No published rank of biopharmaceuticals falls in a year that the ladder of {ladder} compares."
    parts = []
    for r in climbs.to_dict("records"):
        gains = r["rank"] - place
        if gains <= 0:
            parts.append(f"{ordinal(r['rank'])} in {r['year']} already was {place_name(place)} or better")
            continue
        still = r["standing still"]
        parts.append(
            f"from {ordinal(r['rank'])} in {r['year']} ({r['label']}) to {place_name(place)} was "
            f"{times(r['multiple'])} the value, {rate(still)} a year to {target_year} even if that place stood still"
        )
    return f"Read off the ladder of {ladder}, which none of their publishers is known to use: {'; '.join(parts)}."


def climb_table(climbs: pd.DataFrame) -> pd.DataFrame:
    """Published ranks and the growth a year they would take, one column a case."""
    frame = climbs.drop(columns="label")
    frame.insert(0, "Published rank", [f"{ordinal(r.rank)} in {r.year} ({r.label})" for r in climbs.itertuples()])
    frame = frame.drop(columns=["year", "rank"]).rename(columns={"multiple": "Value of the place over the rank's"})
    return frame.rename(columns={c: f"% a year, {c}" for c in frame.columns[2:]})


def _about(row: object) -> str:
    return "about " if row.status == "approximate" else ""


def _move(before: str, after: str, narrowed: bool) -> str:
    """``narrowed``, ``widened`` or ``stayed the same``, at the precision that is printed."""
    return "stayed the same" if before == after else "narrowed" if narrowed else "widened"


def _case(case: str) -> str:
    return {OWN_PAST: "its own past growth", OWN_FORECAST: "its own forecast"}.get(case, case)


def _why_missing(case: str) -> str:
    if case == OWN_PAST:
        return "Its record does not reach back far enough for a past growth."
    return (
        f"Its last unbroken run is shorter than {count(MIN_TREND_POINTS['annual'], 'year')}, too short for a forecast."
    )
