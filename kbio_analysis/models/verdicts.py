"""What a measured value makes of a claim: a rule, a named tolerance and a number in, a verdict out.

Nothing here knows a claim. Each claim is read in one or more ways (another base year, definition or end of an
interval); the first reading decides, the others say how firmly. No verdict is ever written by hand.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, isnan
from typing import Literal

import pandas as pd

from kbio_analysis.errors import ModelInputError

VERDICTS = ("supported", "supported with a caveat", "not supported", "not testable here")
"""The four verdicts, by the words they are recorded with."""

SUPPORTED, CAVEAT, NOT_SUPPORTED, NOT_TESTABLE = VERDICTS

Rule = Literal["equals", "at_least", "at_most", "more_than", "odds", "untestable"]
Standing = Literal["holds", "near", "fails", "unknown"]

SCOPES = {
    "same": "",
    "near": "by the nearest published definition",
    "part": "of part of the period",
    "best_case": "a best case",
    "lower_bound": "a lower bound",
    "earlier": "of an earlier period",
}
"""How far what was measured is what was claimed."""

CANNOT_REFUTE = ("lower_bound", "earlier")
"""Scopes in which a failure decides nothing."""

CANNOT_CONFIRM = ("best_case",)
"""Scopes in which anything but a failure decides nothing: the truth can only be less kind to the claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """The named widths that every verdict uses.

    ``rounding_steps`` half-width of *printed*, in units of the last printed digit; ``about_pct`` of *about*, per cent
    of the claim; ``caveat_pct`` how far off, per cent of the claim, still earns a caveat; ``rank_places`` of *places*,
    and how far off an exact rank or count still earns one; ``likely`` and ``unlikely`` the probabilities above which an
    aim counts as supported and below which as not.
    """

    rounding_steps: float = 0.5
    about_pct: float = 5.0
    caveat_pct: float = 10.0
    rank_places: int = 1
    likely: float = 0.67
    unlikely: float = 0.33

    def __post_init__(self) -> None:
        if min(self.rounding_steps, self.about_pct, self.caveat_pct, self.rank_places) < 0:
            raise ModelInputError("a tolerance is negative; widths start at 0")
        if not 0 < self.unlikely <= self.likely < 1:
            raise ModelInputError("odds: 0 < unlikely <= likely < 1 is needed")

    def widths(self, name: str, claimed: float, step: float) -> tuple[float, float]:
        """Half-widths within which the tolerance ``name`` counts as held, and as near. Raises ModelInputError."""
        wide = abs(claimed) * self.caveat_pct / 100
        held = {
            "printed": self.rounding_steps * step,
            "about": abs(claimed) * self.about_pct / 100,
            "none": 0.0,
            "exact": 0.0,
            "places": float(self.rank_places),
            "year": 0.0,
        }
        if name not in held:
            raise ModelInputError(f"tolerance {name!r} is not known; known: {', '.join(held)}")
        near = {"exact": float(self.rank_places), "places": 2.0 * self.rank_places, "year": 0.0}.get(name, wide)
        return held[name], max(held[name], near)

    def scaled(self, factor: float) -> "Tolerances":
        """Every width times ``factor``; the odds stay, as they are cut points and not widths."""
        return replace(
            self,
            rounding_steps=self.rounding_steps * factor,
            about_pct=self.about_pct * factor,
            caveat_pct=self.caveat_pct * factor,
            rank_places=round(self.rank_places * factor),
        )


TOLERANCES = ("printed", "about", "none", "exact", "places", "year")
"""Names a claim's test may use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One way to read a claim: ``label`` says which; ``kind`` what it varies (blank for the reading as stated).

    ``claimed`` and ``value`` in the claim's unit (``value`` a probability under the rule odds, None if nothing was
    measured, and then ``why`` says why); ``low``, ``high`` an interval or None; ``step`` the last printed digit;
    ``period`` what was measured is of, blank if a record's notebook says it.
    """

    label: str
    kind: str
    rule: Rule
    tolerance: str
    scope: str
    claimed: float
    step: float
    value: float | None = None
    low: float | None = None
    high: float | None = None
    why: str = ""
    period: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A reading with its ``standing`` and the verdict it would give ``alone``."""

    reading: Reading
    standing: Standing
    alone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimVerdict:
    """The verdict on a claim, the reading that decides and the others, ends of its interval among them."""

    claim: str
    verdict: str
    main: Judged
    others: tuple[Judged, ...]

    @property
    def differing(self) -> tuple[Judged, ...]:
        """Readings that decide something alone, and something else than the deciding reading does alone."""
        return tuple(j for j in self.others if j.alone not in (NOT_TESTABLE, self.main.alone))

    @property
    def ratio(self) -> float | None:
        """Measured over claimed; None for odds and where nothing was measured."""
        reading = self.main.reading
        if reading.value is None or reading.rule == "odds" or reading.claimed == 0:
            return None
        return reading.value / reading.claimed


_LIMITS: dict[str, Callable[[float, float, float], bool]] = {
    "equals": lambda value, claimed, width: abs(value - claimed) <= width * (1 + 1e-12),
    "at_least": lambda value, claimed, width: value >= claimed - width,
    "at_most": lambda value, claimed, width: value <= claimed + width,
}


def standing(reading: Reading, tolerances: Tolerances) -> Standing:
    """How one reading stands. Raises ModelInputError for an unknown rule, tolerance or scope."""
    if reading.scope not in SCOPES:
        raise ModelInputError(f"scope {reading.scope!r} is not known; known: {', '.join(SCOPES)}")
    if reading.rule not in (*_LIMITS, "more_than", "odds", "untestable"):
        raise ModelInputError(f"rule {reading.rule!r} is not known; see kbio_analysis.models.verdicts")
    value = reading.value
    if reading.rule == "untestable" or value is None or not isfinite(value):
        return "unknown"
    if reading.rule == "odds":
        return "holds" if value >= tolerances.likely else "fails" if value < tolerances.unlikely else "near"
    held, near = tolerances.widths(reading.tolerance, reading.claimed, reading.step)
    if reading.rule == "more_than":
        return "holds" if value > reading.claimed else "near" if value >= reading.claimed - near else "fails"
    within = _LIMITS[reading.rule]
    return (
        "holds" if within(value, reading.claimed, held) else "near" if within(value, reading.claimed, near) else "fails"
    )


def alone(found: Standing, scope: str) -> str:
    """The verdict that one reading gives by itself."""
    if found == "unknown" or scope in (CANNOT_REFUTE if found == "fails" else CANNOT_CONFIRM):
        return NOT_TESTABLE
    if found == "fails":
        return NOT_SUPPORTED
    plain = scope in ("same", "lower_bound")
    return SUPPORTED if found == "holds" and plain else CAVEAT


def judge(claim: str, readings: Sequence[Reading], tolerances: Tolerances) -> ClaimVerdict:
    """The verdict on one claim: the first reading decides; a reading that dissents turns support into a caveat.

    Raises ModelInputError without a reading: a claim without a rule is an oversight, not a verdict.
    """
    if not readings:
        raise ModelInputError(f"claim {claim} has no test; add a row to the table claim_tests")
    main = readings[0]
    judged = [_judged(r, tolerances) for r in (*readings, *_ends(main))]
    dissent = any(j.standing in ("near", "fails") for j in judged[1:])
    verdict = judged[0].alone
    if verdict == SUPPORTED and dissent:
        verdict = CAVEAT
    return ClaimVerdict(claim=claim, verdict=verdict, main=judged[0], others=tuple(judged[1:]))


def judge_all(readings: Mapping[str, Sequence[Reading]], tolerances: Tolerances) -> dict[str, ClaimVerdict]:
    """:func:`judge` for every claim, in the order given."""
    return {claim: judge(claim, rows, tolerances) for claim, rows in readings.items()}


def counts(verdicts: Mapping[str, ClaimVerdict]) -> dict[str, int]:
    """How many claims have each verdict; all four are there."""
    return {name: sum(v.verdict == name for v in verdicts.values()) for name in VERDICTS}


def moved(before: Mapping[str, ClaimVerdict], after: Mapping[str, ClaimVerdict]) -> list[str]:
    """Claims whose verdict is another one after than before."""
    return [claim for claim, found in before.items() if after[claim].verdict != found.verdict]


def _judged(reading: Reading, tolerances: Tolerances) -> Judged:
    found = standing(reading, tolerances)
    return Judged(reading=reading, standing=found, alone=alone(found, reading.scope))


def _ends(main: Reading) -> list[Reading]:
    """The ends of the deciding reading's interval, read as it is."""
    ends = (("low end", main.low), ("high end", main.high))
    return [
        replace(main, label=label, kind="interval", value=value, low=None, high=None)
        for label, value in ends
        if value is not None and main.value is not None
    ]


def readings(findings: pd.DataFrame, *, prefer: Sequence[str] = ()) -> dict[str, list[Reading]]:
    """The readings of every claim from one row a reading, claims and readings in the order of the rows.

    Columns claim, reading, kind, rule, tolerance, scope, value (claimed), step, found, found_low, found_high,
    period_found and why. ``prefer`` names readings that decide instead of the first, each as
    ``claim:reading``; raises ModelInputError for one that does not exist.
    """
    made: dict[str, list[Reading]] = {}
    for row in findings.to_dict("records"):
        value, low, high = (None if isnan(row[name]) else row[name] for name in ("found", "found_low", "found_high"))
        same = {name: row[name] for name in ("kind", "rule", "tolerance", "scope", "step", "why")}
        same |= {"label": row["reading"], "claimed": row["value"], "period": row["period_found"]}
        entry = Reading(value=value, low=low, high=high, **same)
        made.setdefault(row["claim"], []).append(entry)
    for wish in prefer:
        claim, _, label = wish.partition(":")
        labels = [r.label for r in made.get(claim, ())]
        if label not in labels:
            known = ", ".join(f"{claim}:{name}" for name in labels) or "claims are named in the table article_claims"
            raise ModelInputError(f"no reading {wish!r}; {'known: ' if labels else ''}{known}")
        made[claim].insert(0, made[claim].pop(labels.index(label)))
    return made
