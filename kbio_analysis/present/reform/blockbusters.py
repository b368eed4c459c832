"""Sentences and tables about blockbusters: how many candidates a target takes, and whether time allows."""

from collections.abc import Mapping, Sequence

import pandas as pd

from kbio_analysis.models.conformal import clopper_pearson
from kbio_analysis.models.pipeline import CHANCES, PHASES, Prospects
from kbio_analysis.present.text import chance, join, pct

PHASE_LABELS = {"phase1": "phase I", "phase2": "phase II", "phase3": "phase III", "filed": "review"}
"""Where a candidate stands, as written."""

READINGS = {
    "no deadline": "No deadline",
    "approved in time, short times": "Approved in time, short times",
    "approved in time, long times": "Approved in time, long times",
    "above the mark in time, short times": "Above US$1bn in time, short times",
    "above the mark in time, long times": "Above US$1bn in time, long times",
}
"""What is asked of the pipeline, as written."""

UNLIKELY = 0.05
"""A record less probable than this under a share is called hard to square with it."""

TIMINGS = ("short", "long")
"""The two readings of published times."""

NUMBERS = {1: "one blockbuster", 2: "two blockbusters", 3: "three blockbusters", 4: "four blockbusters"}


def wanted(k: int) -> str:
    """``three blockbusters``."""
    return NUMBERS.get(k, f"{k} blockbusters")


def case_shares(share_pct: list[float]) -> dict[str, float]:
    """The three cases of the share of approvals that pass the mark, by label, as fractions."""
    names = ("low", "likely", "high")
    return {f"{name} ({value:g}%)": value / 100 for name, value in zip(names, share_pct, strict=True)}


def needed_sentence(needed: pd.DataFrame, k: int, case: str) -> str:
    """Candidates in one phase alone for even odds and for nine in ten."""
    parts = []
    for phase in ("phase1", "phase3"):
        row = needed.loc[(phase, case)]
        if pd.isna(row[0.5]) or pd.isna(row[0.9]):
            return f"At a share of {_share(case)} not even a million candidates give {wanted(k)} at such odds."
        parts.append(f"{int(row[0.5]):,} in {PHASE_LABELS[phase]} alone ({int(row[0.9]):,} for 90%)")
    return f"If {_share(case)} of approvals pass US$1bn, {wanted(k)} at even odds take {' or '.join(parts)}."


def pipeline_sentence(found: Prospects, chances: pd.DataFrame, k: int) -> str:
    """What the present pipeline gives without a deadline, over the cases of the share."""
    rows = found.table
    approvals = float((rows.candidates * rows.approval).sum())
    held = join([f"{int(r.candidates):,} in {PHASE_LABELS[p]}" for p, r in rows.iterrows()])
    given = chances.loc["no deadline"]
    span = join([f"{chance(v)} at a {c.split(' ')[0]} share" for c, v in given.items()])
    return (
        f"Korea's pipeline counts {held}. At the published rates that would end in {approvals:.0f} approvals, and the "
        f"chance of {wanted(k)} some day is {span}."
    )


def deadline_sentence(found: Prospects, chances: pd.DataFrame, k: int) -> str:
    """Which phases can still be above the mark in time, and what that leaves of the chance."""
    parts = []
    for timing, word in (("short", "the shortest published times"), ("long", "the longer ones")):
        rows = found.table[found.table[f"billion_{timing}"] <= found.target_year]
        who = "candidates now in " + join([PHASE_LABELS[p] for p in rows.index]) if len(rows) else "no candidate"
        given = chances.loc[f"above the mark in time, {timing} times"]
        span = f", which leaves {_span(given)}" if len(rows) else ""
        parts.append(f"with {word} {who} can{span}")
    return (
        f"To sell above US$1bn by {found.target_year} a candidate must be approved and grow first: {'; '.join(parts)}."
    )


def record_sentence(*, new_drugs: int, best_usd_m: float, share_pct: list[float]) -> str:
    """Korea's own record against the likely share: how probable so few would be, and what the record allows."""
    likely = share_pct[1] / 100
    silent = (1 - likely) ** new_drugs
    _, top = clopper_pearson(0, new_drugs)
    verdict = "hard to square with" if silent < UNLIKELY else "compatible with"
    return (
        f"None of Korea's first {new_drugs} new drugs is known to have passed US$1bn (its largest product, a "
        f"biosimilar, sold for US${best_usd_m:,.0f}m). At a share of {share_pct[1]:g}% that would have a chance "
        f"of {chance(silent)}, so the record is {verdict} it; the record itself allows shares up to "
        f"{pct(100 * top)} (95% range)."
    )


def share_needed_sentence(needed: pd.Series, k: int) -> str:
    """The share of approvals that would have to pass the mark, without a deadline."""
    if needed.isna().any():
        return f"Even if every approval passed US$1bn, this pipeline would not give {wanted(k)} at all odds asked."
    parts = [f"{pct(100 * v)} for {chance(c)}" for c, v in needed.items()]
    return f"Without a deadline {wanted(k)} take a share of approvals above US$1bn of {join(parts)}."


def rates_sentence(found: Prospects, published: pd.Series, success_rates: str) -> str:
    """The chance from phase I to approval multiplied out, beside the published totals."""
    own = 100 * float(found.table.approval.iloc[0])
    totals = published["success_phase1_to_approval"].sort_index()
    near = abs(own - totals[success_rates]) < 0.15
    agrees = "as its publisher says" if near else f"where its publisher says {pct(totals[success_rates])}"
    others = join([f"{pct(v)} ({name})" for name, v in totals.items() if name != success_rates])
    return (
        f"The four rates of {success_rates} multiply to {pct(own)} from phase I to approval, {agrees}; "
        f"others: {others}."
    )


def answer_blockbusters(
    found: Prospects, needed: pd.DataFrame, chances: pd.DataFrame, k: int, case: str, *, new_drugs: int
) -> str:
    """The blockbusters in one sentence."""
    row = needed.loc[("phase3", case), 0.5]
    takes = "over a million candidates" if pd.isna(row) else f"{int(row):,} candidates in phase III"
    short, long = (
        _listed([odds(v) for v in chances.loc[f"above the mark in time, {timing} times"]]) for timing in TIMINGS
    )
    shares = _listed([_share(c) for c in chances.columns])
    return (
        f"{wanted(k).capitalize()} at even odds take {takes} if {_share(case)} of approvals pass US$1bn; at "
        f"{shares} the pipeline's chance of them by {found.target_year} is {short} on the shortest published "
        f"times and {long} on longer ones, and Korea's own record, none in {new_drugs} new drugs, "
        f"{_fits(chances.columns, new_drugs)}."
    )


def needed_table(needed: pd.DataFrame) -> pd.DataFrame:
    """Candidates needed by phase and share: one row each."""
    frame = needed.reset_index()
    frame["phase"] = frame["phase"].map(PHASE_LABELS)
    names = ["Candidates in", "Share of approvals above US$1bn", "Chance of one candidate, %"]
    frame["per_candidate"] *= 100
    frame.columns = [*names, *(f"For {chance(c)}" for c in CHANCES)]
    return frame


def chances_table(chances: pd.DataFrame) -> pd.DataFrame:
    """Chances by reading and case of the share."""
    return chances.rename(index=READINGS).rename_axis("Reading").reset_index()


def timing_table(found: Prospects) -> pd.DataFrame:
    """Candidates, chance of approval, and the years of approval and of US$1bn by phase."""
    rows = found.table
    frame = pd.DataFrame({"Now in": [PHASE_LABELS[p] for p in PHASES], "Candidates": rows.candidates.to_numpy()})
    frame["Chance of approval, %"] = 100 * rows.approval.to_numpy()
    for what, word in (("approval", "Approved"), ("billion", "Above US$1bn")):
        spans = zip(rows[f"{what}_short"], rows[f"{what}_long"], strict=True)
        frame[word] = [str(a) if a == b else f"{a} to {b}" for a, b in spans]
    return frame


def odds(value: float) -> str:
    """A chance in words; zero, where no candidate can be in time, is called none."""
    return "none" if value == 0 else chance(value)


def _listed(texts: Sequence[str]) -> str:
    """``8%, 84% and over 99%``; one text where all read the same."""
    texts = list(texts)
    return texts[0] if len(set(texts)) == 1 else join(texts)


def _fits(cases: pd.Index, new_drugs: int) -> str:
    """Which of the shares tried a record of none among ``new_drugs`` is compatible with, at one in twenty."""
    fitting = [_share(c) for c in cases if (1 - float(_share(c).rstrip("%")) / 100) ** new_drugs >= UNLIKELY]
    if len(fitting) == len(cases):
        return "fits what was tried"
    return f"fits only {_listed(fitting)}" if fitting else "fits nothing tried"


def _share(case: str) -> str:
    """``11.8%`` from ``likely (11.8%)``."""
    return case.split("(")[1].rstrip(")")


def _span(values: Mapping[str, float]) -> str:
    """The chances over the cases, lowest to highest: ``8% to over 99%``."""
    texts = [chance(v) for v in sorted(pd.Series(values))]
    return texts[0] if texts[0] == texts[-1] else f"{texts[0]} to {texts[-1]}"
