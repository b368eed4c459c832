"""What a measured value makes of a claim: a rule, a named tolerance and a number in, a verdict out.

Each claim is read in one or more ways (another base year, definition or end of an interval); the first reading
decides, the others say how firmly.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import typed

SUPPORTED, CAVEAT, WRONG_YEAR = "supported", "supported with a caveat", "wrong year"
DISAGREE, NOT_SUPPORTED, NOT_TESTABLE = "sources disagree", "not supported", "not testable here"
VERDICTS = (SUPPORTED, CAVEAT, WRONG_YEAR, DISAGREE, NOT_SUPPORTED, NOT_TESTABLE)
"""The verdicts, by the words they are recorded with."""

AIM = "an aim"
"""What a claim under the rule odds is in place of a verdict: it cannot be true or false yet."""

OTHER_YEAR, OTHER_SOURCE = "other year", "source"
"""Kinds of reading that make a verdict: of a year in which the claim is true; of another source of the same thing."""

RULES = ("equals", "at_least", "at_most", "more_than", "odds", "untestable")

SCOPES = {
    "same": "",
    "near": "by the nearest published definition",
    "part": "of part of the period",
    "best_case": "a best case",
    "lower_bound": "a lower bound",
    "earlier": "of an earlier period",
}
"""How far what was measured is what was claimed."""

TOLERANCES = ("printed", "about", "none", "exact", "places", "year")
"""Names a claim's test may use."""

ROUNDING = 1e-12  # two floats that are equal on paper


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """The named widths that every verdict uses.

    ``rounding_steps`` half-width of *printed*, in units of the last printed digit; ``about_pct`` of *about* and
    ``caveat_pct`` of what still earns a caveat, per cent of the claim; ``rank_places`` of *places*, and how far off an
    exact rank or count still earns one.
    """

    rounding_steps: float = 0.5
    about_pct: float = 5.0
    caveat_pct: float = 10.0
    rank_places: int = 1

    def __post_init__(self) -> None:
        if min(self.rounding_steps, self.about_pct, self.caveat_pct, self.rank_places) < 0:
            raise ModelInputError("a tolerance is negative; widths start at 0")

    def widths(self, name: str, claimed: float, step: float) -> tuple[float, float]:
        """Half-widths within which the tolerance ``name`` counts as held, and as near. Raises ModelInputError."""
        if name not in TOLERANCES:
            raise ModelInputError(f"tolerance {name!r} is not known; known: {', '.join(TOLERANCES)}")
        about, wide = (abs(claimed) * pct / 100 for pct in (self.about_pct, self.caveat_pct))
        places = float(self.rank_places)
        held = {"printed": self.rounding_steps * step, "about": about, "places": places}.get(name, 0.0)
        near = {"exact": places, "places": 2 * places, "year": 0.0}.get(name, wide)
        return held, max(held, near)

    def scaled(self, factor: float) -> "Tolerances":
        """Every width times ``factor``."""
        widths = {name: getattr(self, name) * factor for name in ("rounding_steps", "about_pct", "caveat_pct")}
        return replace(self, **widths, rank_places=round(self.rank_places * factor))


@typed
def judged(findings: pd.DataFrame, tolerances: Tolerances, *, prefer: Sequence[str] = ()) -> pd.DataFrame:
    """Every reading of every claim with the verdict it would give alone; the first of a claim decides.

    ``findings`` has a row a reading, in order: claim, reading (its label), kind (what it varies, blank for the reading
    as stated), rule, tolerance, scope, value (claimed), step (last printed digit), found, found_low, found_high
    (missing where nothing was measured; under the rule odds a probability, which makes no verdict). ``prefer`` names
    readings that decide instead of the first, each as ``claim:reading``.

    Added are the ends of a deciding reading's interval as readings of kind "interval", and the columns decides,
    held and near (half-widths), outcome, alone, and differs (decides something, and something else than the deciding
    reading does alone). Raises ModelInputError for an unknown rule, tolerance, scope or preferred reading.
    """
    rows = []
    for claim, (first, *others) in groupby(_preferred(findings, prefer).to_dict("records"), lambda row: row["claim"]):
        ends = {"low end": first["found_low"], "high end": first["found_high"]} if pd.notna(first["found"]) else {}
        blank = {"kind": "interval", "found_low": np.nan, "found_high": np.nan}
        others += [first | blank | {"reading": name, "found": end} for name, end in ends.items() if pd.notna(end)]
        for row in (first, *others):
            held, near = tolerances.widths(row["tolerance"], row["value"], row["step"])
            out = _outcome(row, held, near)
            made = {"claim": claim, "decides": row is first, "held": held, "near": near, "outcome": out}
            rows.append(row | made | {"alone": _alone(out, row["scope"], row["rule"])})
    every = pd.DataFrame(rows)
    deciding = every["claim"].map(every[every["decides"]].set_index("claim")["alone"])
    return every.assign(differs=(every["alone"] != NOT_TESTABLE) & (every["alone"] != deciding))


@typed
def verdicts(readings: pd.DataFrame) -> pd.DataFrame:
    """One row a claim, by claim: the deciding reading's columns (as :func:`judged` gives them), its verdict and ratio.

    A reading that dissents turns support into a caveat. Where the deciding reading does not hold and one of another
    year does, the verdict is "wrong year"; where sources of the same thing come out on both sides, "sources disagree".
    ``ratio`` is found over claimed, missing for aims and where nothing was measured.
    """
    found = readings[readings["decides"]].set_index("claim")
    others = readings[~readings["decides"]]
    caveat = found.index.isin(others["claim"][others["outcome"].isin(["near", "fails"])])
    holding = others[others["outcome"] == "holds"]
    of_year, of_source = (found.index.isin(holding["claim"][holding["kind"] == k]) for k in (OTHER_YEAR, OTHER_SOURCE))
    off = found["outcome"].isin(["near", "fails"]) & (found["alone"] != NOT_TESTABLE)
    verdict = found["alone"].mask((found["alone"] == SUPPORTED) & caveat, CAVEAT)
    verdict = verdict.mask(off & of_year, WRONG_YEAR).mask(off & of_source, DISAGREE)
    ratio = (found["found"] / found["value"]).where((found["rule"] != "odds") & (found["value"] != 0))
    return found.assign(verdict=verdict, ratio=ratio)


def _outcome(reading: dict[str, Any], held: float, near: float) -> str:
    """How one reading (a row of ``findings``) comes out within its half-widths: holds, near, fails or unknown."""
    rule, found, claimed = reading["rule"], reading["found"], reading["value"]
    for name, known in (("scope", SCOPES), ("rule", RULES)):
        if reading[name] not in known:
            raise ModelInputError(f"{name} {reading[name]!r} is not known; known: {', '.join(known)}")
    if rule in ("untestable", "odds") or found is None or not np.isfinite(found):
        return "unknown"
    if rule == "more_than":
        return "holds" if found > claimed else "near" if found >= claimed - near else "fails"
    off = {"at_least": claimed - found, "at_most": found - claimed}.get(rule, abs(found - claimed) / (1 + ROUNDING))
    return "holds" if off <= held else "near" if off <= near else "fails"


def _alone(found: str, scope: str, rule: str) -> str:
    """The verdict that one reading gives by itself; an aim is one whatever its odds.

    A lower bound or an earlier period cannot refute; a best case can only refute: the truth is less kind to the claim.
    """
    if rule == "odds":
        return AIM
    if found == "unknown" or scope in (("lower_bound", "earlier") if found == "fails" else ("best_case",)):
        return NOT_TESTABLE
    if found == "fails":
        return NOT_SUPPORTED
    return SUPPORTED if found == "holds" and scope in ("same", "lower_bound") else CAVEAT


def _preferred(findings: pd.DataFrame, prefer: Sequence[str]) -> pd.DataFrame:
    """The findings with every preferred reading first among those of its claim; the last wish stands first."""
    order = pd.Series(range(len(findings)), index=findings.index)
    for i, wish in enumerate(prefer):
        claim, _, label = wish.partition(":")
        own = findings[findings["claim"] == claim]
        if label not in set(own["reading"]):
            known = ", ".join(f"{claim}:{name}" for name in own["reading"])
            hint = f"known: {known}" if known else "claims are named in the table article_claims"
            raise ModelInputError(f"no reading {wish!r}; {hint}")
        order[own.index[own["reading"] == label]] = -1 - i
    first = findings.groupby("claim", sort=False).ngroup()
    return findings.loc[pd.DataFrame({"claim": first, "order": order}).sort_values(["claim", "order"]).index]
