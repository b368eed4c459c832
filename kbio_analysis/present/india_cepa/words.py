"""How the study of one agreement names its flows, methods, tests and verdicts."""

from dataclasses import dataclass, replace

import pandas as pd

from kbio_analysis.present.text import signed_pct

METHOD_LABELS = {
    "simplex": "Synthetic control, simplex",
    "demeaned": "Synthetic control, demeaned (main)",
    "ridge": "Synthetic control, ridge-augmented",
    "sdid": "Synthetic difference in differences",
    "did": "Plain difference in differences",
}

RULE_LABELS = {"clean": "clean", "large": "large flows", "no_resources": "no resource suppliers"}

REASON_LABELS = {
    "agreement": "An agreement of its own by the window's end",
    "other record": "The record is of something else",
    "disturbed": "Trade disturbed for other reasons",
    "gaps": "No positive figure in some year",
    "small": "Small flow before the start",
    "resources": "Supplier of resources",
}

REASON_WORDS = {
    "agreement": "with an agreement of their own",
    "other record": "whose record is of something else",
    "disturbed": "disturbed for other reasons",
    "gaps": "with gaps",
    "small": "too small",
    "resources": "that supply resources",
}
"""The same within a sentence, after a count."""

TEST_LABELS = {
    "pre-period": "too few years before the start",
    "placebos": "a gap that partners without an agreement show as well",
    "estimators": "estimators that differ in sign",
    "donors": "a sign that hangs on one donor",
    "earlier starts": "gaps at least as large when the agreement is pretended to have come earlier",
    "specifications": "specifications that differ in sign",
    "drift": "bounds that hold zero once half the drift of the years before is allowed to go on",
}
"""What it means that a test of the verdict failed."""

VERDICTS = {
    "raised": "After {agreement} {subject} rose beyond what partners without one suggest, by every test made here",
    "lowered": "After {agreement} {subject} fell behind what partners without one suggest, by every test made here",
    "hints_up": "{Agreement} may have raised {subject}",
    "hints_down": "{Agreement} may have lowered {subject}",
    "cannot_tell": "Whether {agreement} changed {subject} cannot be told from the record",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The flow under study in words.

    ``partner`` its name, ``iso3`` its code; ``flow``, ``outcome`` and ``start`` as the notebook's parameters;
    ``agreed`` whether a goods agreement with the partner entered into force in the year ``start``.
    """

    partner: str
    iso3: str
    flow: str
    outcome: str
    start: int
    agreed: bool

    def __str__(self) -> str:
        if self.outcome == "share":
            return f"Korea's share in {self.partners} {'imports' if self.flow == 'exports' else 'exports'}"
        return f"Korea's {self.flow} {'to' if self.flow == 'exports' else 'from'} {self.partner}"

    @property
    def partners(self) -> str:
        """The partner in the possessive."""
        return f"{self.partner}'" if self.partner.endswith("s") else f"{self.partner}'s"

    @property
    def agreement(self) -> str:
        return "the agreement" if self.agreed else f"an agreement pretended for {self.start}"

    @property
    def other(self) -> "Subject":
        return replace(self, flow="imports" if self.flow == "exports" else "exports")


def subject(iso3: str, names: pd.Series, agreements: pd.DataFrame, *, flow: str, outcome: str, start: int) -> Subject:
    """The subject of a study: the name looked up in ``names``, the agreement in ``agreements`` (in_force_earliest)."""
    years = {day.year for day in agreements.in_force_earliest.dropna()}
    name = with_article(str(names.get(iso3, iso3)))
    return Subject(partner=name, iso3=iso3, flow=flow, outcome=outcome, start=start, agreed=start in years)


def with_article(name: str) -> str:
    """A partner's name as it stands in a sentence: ``the United States``, ``India``."""
    plural = ("Islands", "Republic", "Territories", "Emirates", "States", "Kingdom")
    return f"the {name}" if name.endswith(plural) or name in _WITH_ARTICLE else name


_WITH_ARTICLE = {"Netherlands", "Philippines", "Bahamas", "Maldives", "Seychelles", "Gambia", "Comoros"}


def effect(log_points: float) -> str:
    """Log points as a signed percentage: 0.33 gives ``+39%``."""
    from math import expm1

    return signed_pct(100 * expm1(log_points), 0)


def p(value: float) -> str:
    """A permutation p to two figures: ``0.51``, ``0.029``."""
    return f"{value:.2f}" if value >= 0.095 else f"{value:.3f}"


def times(multiple: float) -> str:
    return f"{multiple:.2f} times"
