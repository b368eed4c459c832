"""How the study of one agreement names its flows, methods, tests and verdicts."""

from dataclasses import dataclass

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
    "raised": "raised {subject}",
    "lowered": "lowered {subject}",
    "hints_up": "may have raised {subject}",
    "hints_down": "may have lowered {subject}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The flow under study in words.

    ``partner`` its name, ``iso3`` its code; ``flow``, ``outcome`` and ``start`` as the notebook's parameters.
    """

    partner: str
    iso3: str
    flow: str
    outcome: str
    start: int

    def __str__(self) -> str:
        if self.outcome == "share":
            return f"Korea's share in {self.partner}'s {'imports' if self.flow == 'exports' else 'exports'}"
        return f"Korea's {self.flow} {'to' if self.flow == 'exports' else 'from'} {self.partner}"

    @property
    def other(self) -> "Subject":
        flow = "imports" if self.flow == "exports" else "exports"
        return Subject(partner=self.partner, iso3=self.iso3, flow=flow, outcome=self.outcome, start=self.start)


def effect(log_points: float) -> str:
    """Log points as a signed percentage: 0.33 gives ``+39%``."""
    from math import expm1

    return signed_pct(100 * expm1(log_points), 0)


def p(value: float) -> str:
    """A permutation p to two figures: ``0.51``, ``0.029``."""
    return f"{value:.2f}" if value >= 0.095 else f"{value:.3f}"


def times(multiple: float) -> str:
    return f"{multiple:.2f} times"
