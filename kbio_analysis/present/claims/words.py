"""A verdict in words: figures in the claim's own unit and precision, and one sentence that says why."""

from collections.abc import Mapping, Sequence

import pandas as pd

from kbio_analysis.models.verdicts import (
    CANNOT_CONFIRM,
    CAVEAT,
    NOT_SUPPORTED,
    NOT_TESTABLE,
    SCOPES,
    SUPPORTED,
    VERDICTS,
    ClaimVerdict,
    Judged,
    Reading,
    Tolerances,
)
from kbio_analysis.present.ranks.words import ordinal
from kbio_analysis.present.text import chance, chance_range, count, join, pct

LEDGER = "40_claims_ledger"
"""The notebook that measures what no other records."""

MAX_NAMED = 8
"""Most claims that a sentence lists by name."""

_RULES = {"at_least": "at least ", "at_most": "at most ", "more_than": "more than "}


def figure(value: float, unit: str, step: float, *, finer: int = 1) -> str:
    """A value in a claim's unit, ``finer`` digits more than the claim was printed with: ``US$10.88bn`` for 10.9."""
    if unit == "rank":
        return ordinal(round(value))
    finer += int(unit == "multiple" and finer > 0)
    decimals = 0 if unit in ("count", "days", "year") else max(0, finer - _magnitude(step))
    decimals = 2 if unit == "true or false" else decimals
    value = round(value, decimals) + 0.0  # no minus before a nought
    number = f"{value:{'' if unit == 'year' else ','}.{decimals}f}".replace("-", "−")
    return {
        "US$ million": f"US${number}m",
        "US$ billion": f"US${number}bn",
        "per cent": f"{number}%",
        "per cent a year": f"{number}% a year",
        "multiple": f"{number} times",
        "million people": f"{number}m people",
        "days": f"{number} days",
        "true or false": f"a ratio of {number}",
    }.get(unit, number)


def claimed_figure(reading: Reading, unit: str) -> str:
    """What was claimed, at its own precision; a statement made as true has no figure."""
    if unit == "true or false":
        return "a ratio above 1" if reading.rule == "more_than" else "a ratio of 1"
    text = figure(reading.claimed, unit, reading.step, finer=0)
    about = "about " if reading.rule == "equals" and reading.tolerance in ("about", "places") else ""
    return _RULES.get(reading.rule, about) + text


def found_figure(reading: Reading, unit: str, *, full: bool = False) -> str:
    """What was found: a figure of the unit, or a chance with its range for an aim; a dash for nothing.

    ``full`` adds the period the figure is of.
    """
    if reading.value is None:
        return "–"
    if reading.rule == "odds":
        spread = reading.low is not None and reading.high is not None
        return chance(reading.value) + (f" ({chance_range(reading.low, reading.high)})" if spread else "")
    details = [reading.period] if reading.period and full else []
    if reading.low is not None and reading.high is not None:
        ends = (figure(end, unit, reading.step).removesuffix(" a year") for end in (reading.low, reading.high))
        details.insert(0, " to ".join(ends))
    return figure(reading.value, unit, reading.step) + (f" ({'; '.join(details)})" if details else "")


def verdict_sentence(found: ClaimVerdict, unit: str) -> str:
    """The verdict with the claimed and the found figure, what they are of, and the readings that dissent."""
    reading = found.main.reading
    opening = found.verdict[0].upper() + found.verdict[1:]
    if reading.value is None:
        return f"{opening}: {reading.why or 'nothing was measured'}."
    said = f"claimed {claimed_figure(reading, unit)}"
    if reading.rule == "odds":
        said += f", at odds of {found_figure(reading, unit)}"
    else:
        said += f", found {found_figure(reading, unit, full=True)}"
    scope = SCOPES[reading.scope]
    text = f"{opening}: {said}{f', {scope}' if scope else ''}"
    if found.verdict == NOT_TESTABLE:
        text += f", which cannot {'confirm' if reading.scope in CANNOT_CONFIRM else 'refute'} it"
    return f"{text}{_dissent(found, unit)}."


def _dissent(found: ClaimVerdict, unit: str) -> str:
    by_verdict: dict[str, list[str]] = {}
    for other in found.differing:
        by_verdict.setdefault(other.alone, []).append(f"“{other.reading.label}” ({_short(other, unit)})")
    nearly = by_verdict.pop(found.verdict, [])
    parts = [
        f"read as {join(by_verdict[verdict])} it would be {verdict}" for verdict in VERDICTS if verdict in by_verdict
    ]
    parts += [f"it holds only nearly read as {join(nearly)}"] if nearly else []
    return f"; {', and '.join(parts)}" if parts else ""


def _short(judged: Judged, unit: str) -> str:
    reading = judged.reading
    return chance(reading.value) if reading.rule == "odds" else figure(reading.value, unit, reading.step)


def answer_sentence(verdicts: Mapping[str, ClaimVerdict], labels: Mapping[str, str]) -> str:
    """How many claims have each verdict, and which the data do not support."""
    number = {name: sum(v.verdict == name for v in verdicts.values()) for name in VERDICTS}
    failing = [labels[claim] for claim, v in verdicts.items() if v.verdict == NOT_SUPPORTED]
    tail = f"; not supported {'is' if len(failing) == 1 else 'are'} {_named(failing)}" if failing else ""
    return (
        f"Of {count(len(verdicts), 'claim')} the data support {number[SUPPORTED]}, {number[CAVEAT]} with a caveat, do "
        f"not support {number[NOT_SUPPORTED]} and cannot test {number[NOT_TESTABLE]} here{tail}."
    )


def _named(labels: Sequence[str]) -> str:
    shown = [f"“{label}”" for label in labels[:MAX_NAMED]]
    rest = len(labels) - len(shown)
    return join([*shown, f"{rest} more"] if rest else shown)


def readings_sentence(verdicts: Mapping[str, ClaimVerdict]) -> str:
    """How many verdicts rest on which base year or definition is taken."""
    tested = [v for v in verdicts.values() if any(o.reading.kind != "interval" for o in v.others)]
    turned = [v for v in tested if any(o.reading.kind != "interval" for o in v.differing)]
    if not tested:
        return "No claim is read in more than one way."
    return (
        f"{count(len(tested), 'claim')} can be read in more than one way, by base year, definition or vintage; for "
        f"{len(turned)} of them another reading would have given another verdict."
    )


def upstream_sentence(states: Mapping[str, tuple[str, str]]) -> str:
    """Which notebooks' records are missing, failed or stale (name -> state, why); what rests on them is not judged."""
    bad = [
        f"{name} is {state}{f' ({why})' if why else ''}" for name, (state, why) in states.items() if state != "fresh"
    ]
    if not bad:
        return f"The records of {count(len(states), 'other paper')} that the tests rest on are fresh."
    return f"What rests on these records is not judged: {'; '.join(bad)}."


def untestable_sentence(verdicts: Mapping[str, ClaimVerdict], labels: Mapping[str, str]) -> str:
    """The claims that no data here decide."""
    names = [labels[claim] for claim, v in verdicts.items() if v.verdict == NOT_TESTABLE]
    if not names:
        return "Every claim could be tested."
    return f"{count(len(names), 'claim')} cannot be tested here: {_named(names)}; the ledger says why."


def tolerance_sentence(tolerances: Tolerances) -> str:
    """The widths in use, in words."""
    return (
        f"A printed figure holds within {tolerances.rounding_steps:g} of its last printed digit, one given as about "
        f"within {pct(tolerances.about_pct, 1)}, an approximate rank within {count(tolerances.rank_places, 'place')}; "
        f"what is off by up to {pct(tolerances.caveat_pct, 1)} of the claim, or an exact rank by "
        f"{count(tolerances.rank_places, 'place')}, earns a caveat. An aim is supported at odds of "
        f"{chance(tolerances.likely)} or more, and not supported below {chance(tolerances.unlikely)}."
    )


def widths_sentence(moved: Mapping[str, Sequence[str]], labels: Mapping[str, str]) -> str:
    """How many verdicts change when every width is scaled (label of the scaling -> claims)."""
    parts = []
    for how, claims in moved.items():
        verb = "changes" if len(claims) == 1 else "change"
        said = (
            f"{count(len(claims), 'verdict')} {verb} ({_named([labels[c] for c in claims])})" if claims else "none does"
        )
        parts.append(f"{'at' if parts else 'At'} {how} the width {said}")
    return f"{', and '.join(parts)}."


def labels_of(findings: pd.DataFrame, column: str = "label") -> dict[str, str]:
    """Claim -> a column of its test, in the order of the tests."""
    first = findings.drop_duplicates("claim").set_index("claim")
    return first[column].to_dict()


def _magnitude(step: float) -> int:
    """The power of ten of a step: 0.1 -> -1, 100 -> 2."""
    return len(f"{step:.0f}") - 1 if step >= 1 else -len(f"{step:.6f}".rstrip("0").split(".")[1])
