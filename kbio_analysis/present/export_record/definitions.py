"""Sentences and tables about the definitions: how far apart they lie, the break of 2022, the codes behind a figure."""

from collections.abc import Iterable
from datetime import date

import pandas as pd

from kbio_analysis.models.export_record import Break, CodeMatch
from kbio_analysis.present.text import count, join, long_date, pct, signed_pct, usd_m

MEDICINES = ("biopharma", "heading")
"""Families that count biopharmaceuticals or their heading: what a biopharma headline may be held against."""

HEADLINE = "gov_biopharma_headline"

EQUAL_PCT = 0.5
"""Two figures within this share of each other are called equal."""


def medicines(near: pd.DataFrame) -> pd.DataFrame:
    """The rows of :func:`~kbio_analysis.models.export_record.nearness` that count biopharmaceuticals, headline out."""
    return near[near["family"].isin(MEDICINES) & (near["definition"] != HEADLINE)].reset_index(drop=True)


def gap_words(gap_pct: float) -> str:
    """``5.0% below it``, ``3.1% above it`` or ``equal to it within 0.5%``."""
    if abs(gap_pct) <= EQUAL_PCT:
        return f"equal to it within {pct(EQUAL_PCT)}"
    return f"{pct(abs(gap_pct))} {'below' if gap_pct < 0 else 'above'} it"


def range_sentence(near: pd.DataFrame, *, year: int, value_usd_m: float, as_of: date) -> str:
    """How far the counts of one year lie apart, and which comes nearest to the headline."""
    own = medicines(near)
    if own.empty:
        return f"By {long_date(as_of)} no count of biopharmaceutical exports in {year} was out beside the headline."
    first = own.iloc[0]
    nearest = f"{first.label} at {usd_m(first.exports_usd_m)}"
    headline = f"the headline of {usd_m(value_usd_m)}"
    if len(own) == 1:
        alone = (
            f"One count of Korea's biopharmaceutical exports of {year} was out by {long_date(as_of)} beside {headline}"
        )
        return f"{alone}: {nearest}, {gap_words(first.gap_pct)}."
    low, high = own.loc[own.exports_usd_m.idxmin()], own.loc[own.exports_usd_m.idxmax()]
    equal = int((own.gap_pct.abs() <= EQUAL_PCT).sum())
    verdict = "none equals" if equal == 0 else f"{equal} {'equals' if equal == 1 else 'equal'}"
    return (
        f"Korea's biopharmaceutical exports of {year} depend on who counts: {len(own)} counts out by "
        f"{long_date(as_of)} run from {usd_m(low.exports_usd_m)} ({low.label}) to {usd_m(high.exports_usd_m)} "
        f"({high.label}); {verdict} {headline}, and the nearest, {nearest}, is {gap_words(first.gap_pct)}."
    )


def stranger_sentence(near: pd.DataFrame, *, value_usd_m: float) -> str:
    """Whether a count of something else happens to equal the headline."""
    other = near[~near["family"].isin(MEDICINES) & (near.gap_pct.abs() <= EQUAL_PCT)]
    if other.empty:
        return f"No count of anything else in that year equals {usd_m(value_usd_m)} within {pct(EQUAL_PCT)}."
    named = join([f"{r.label} ({usd_m(r.exports_usd_m)})" for r in other.itertuples()])
    verb = "equals" if len(other) == 1 else "equal"
    return f"What {verb} it within {pct(EQUAL_PCT)} counts something else: {named}; that may be chance."


def nearness_table(near: pd.DataFrame) -> pd.DataFrame:
    """Every count of the headline's year by its distance from the headline."""
    rows = near[near["definition"] != HEADLINE]
    return rows[["label", "exports_usd_m", "gap_pct"]].set_axis(
        ["Count", "US$ million", "Against the headline"], axis=1
    )


def chart_sentence(shown: pd.DataFrame) -> str:
    """What is on the chart: how many definitions, over which years, and how many are a single figure."""
    if shown.empty:
        return "None of the chosen definitions has a figure in the chosen years."
    sizes = shown.groupby("definition").size()
    alone = int((sizes == 1).sum())
    single = (
        "" if alone == 0 else f", {alone} of them a single figure" if alone < len(sizes) else ", a single figure each"
    )
    span = f"{shown.year.min()}–{shown.year.max()}" if shown.year.min() < shown.year.max() else str(shown.year.min())
    return f"The chart holds {count(len(sizes), 'definition')} over {span}{single}; none is joined to another."


def break_sentence(found: Break | None, *, what: str, as_of: date) -> str:
    """How much of the apparent fall at a classification break is the classification."""
    if found is None:
        return f"{what}: both sides of the break were not out by {long_date(as_of)}, so it cannot be measured."
    before, after = found.year - 1, found.year
    text = (
        f"{what}: the old classification gives {usd_m(found.old_usd_m)} for {before} and the new one "
        f"{usd_m(found.new_usd_m)} for {after}, an apparent {signed_pct(found.apparent_pct)}."
    )
    if found.restated_usd_m is None:
        return f"{text} No figure restated on the new classification was out, so nothing says how much of it is real."
    taken = "took out" if found.moved_out_usd_m > 0 else "added"
    return (
        f"{text} Restated on the new one, {before} comes to {usd_m(found.restated_usd_m)}: the classification {taken} "
        f"{usd_m(abs(found.moved_out_usd_m))} ({pct(abs(found.moved_out_pct))} of the old count), and like for like "
        f"the year brought {signed_pct(found.like_for_like_pct)}."
    )


def both_years_sentence(rows: pd.DataFrame, *, year: int) -> str:
    """Whether the counts that hold both years agree on the direction across the break."""
    if rows.empty:
        return f"No count holds both {year - 1} and {year}."
    low, high = rows.iloc[0], rows.iloc[-1]
    if len(rows) == 1:
        return f"One count holds both {year - 1} and {year} ({low.name}): {signed_pct(low.change_pct)}."
    agree = "disagree even on the direction" if low.change_pct < 0 < high.change_pct else "agree on the direction"
    span = f"from {signed_pct(low.change_pct)} ({low.name}) to {signed_pct(high.change_pct)} ({high.name})"
    return f"{len(rows)} counts hold both years under one name and {agree}: {span}."


def both_years_table(rows: pd.DataFrame, *, year: int) -> pd.DataFrame:
    """The counts that hold both years of the break."""
    names = ["Count", f"{year - 1}, US$ million", f"{year}, US$ million", "Change"]
    return rows.reset_index().set_axis(names, axis=1)


def codes_sentence(match: CodeMatch | None, *, label: str, year: int, as_of: date) -> str:
    """Which sums of codes equal the figure, and how far that goes as an identification."""
    if match is None:
        return f"By {long_date(as_of)} {label} and the codes of {year} were not both out: what makes it is open."
    tried = f"Of {count(match.n_sums, 'sum')} of the codes listed, "
    figure, within = usd_m(match.figure_usd_m), f"within {usd_m(match.tolerance_usd_m, 1)}"
    if match.matches.empty:
        codes, total = match.nearest
        near = f"the nearest is {_codes(codes)} at {usd_m(total, 1)}"
        return f"{tried}none equals {label}, {figure} in {year}, {within}; {near}."
    rows = [f"{_codes(r.codes)} ({usd_m(r.sum_usd_m, 1)})" for r in match.matches.head(3).itertuples()]
    more = len(match.matches) - len(rows)
    listed = join(rows) + (f" and {more} more" if more > 0 else "")
    crowd = f"{match.n_near:,} come within ten times that"
    verb = "equals" if len(match.matches) == 1 else "equal"
    apart = "" if len(match.matches) == 1 else " The figure cannot tell these sums apart."
    tail = f"It matches in {year}, and no more can be said: no other year is held by code.{apart}"
    return f"{tried}{len(match.matches)} {verb} {label}, {figure} in {year}, {within}: {listed}; {crowd}. {tail}"


def _codes(codes: Iterable[str]) -> str:
    return " + ".join(codes)


def share_sentence(counts: pd.DataFrame, *, part: str, whole: str) -> str:
    """The share of one count in another, year by year, where both are held."""
    wide = counts[counts["definition"].isin([part, whole])].pivot(index="year", columns="definition")["exports_usd_m"]
    wide = wide.reindex(columns=[part, whole]).dropna()
    if wide.empty:
        return "For other years no code is held that could test the match."
    share = 100 * wide[part] / wide[whole]
    labels = counts.drop_duplicates("definition").set_index("definition")["label"]
    verdict = "less than the whole each time, which neither confirms nor refutes the match"
    if (share > 100).any():
        verdict = "more than the whole in some year, which refutes that it is a part"
    years = join([f"{pct(v, 0)} in {year}" for year, v in share.items()])
    return f"As a share of {labels[whole]}, {labels[part]} made {years}: {verdict}."


def scope_table(shown: pd.DataFrame) -> pd.DataFrame:
    """What each definition counts, over which years, with its last value."""
    rows = []
    for label, own in shown.groupby("label", sort=False):
        last = own.sort_values("year").iloc[-1]
        span = f"{own.year.min()}–{own.year.max()}" if len(own) > 1 else str(own.year.max())
        rows.append((label, own.scope.iloc[0], f"{span} ({count(len(own), 'value')})", last.exports_usd_m))
    return pd.DataFrame(rows, columns=["Definition", "What it counts", "Years", "Last value, US$ million"])
