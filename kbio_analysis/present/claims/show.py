"""Tables and records of the claims ledger, each shown by one call."""

import re
from collections.abc import Mapping, Sequence

import pandas as pd

from kbio_analysis.models.verdicts import VERDICTS, ClaimVerdict, counts
from kbio_analysis.present.claims.words import LEDGER, found_figure, labels_of, verdict_sentence
from kbio_analysis.present.outputs import SIMULATED_RTOL, record
from kbio_analysis.present.tables import table

_COUNTS = dict(
    zip(
        VERDICTS,
        ("claims_supported", "claims_with_caveat", "claims_not_supported", "claims_not_testable"),
        strict=True,
    )
)


_QUALIFIER = re.compile(r",? (about|nearly|more than|\(1 = stated as true\))$")
"""What the claim's wording adds to its quantity: the sentence beside it says that."""


def ledger_frame(verdicts: Mapping[str, ClaimVerdict], findings: pd.DataFrame) -> pd.DataFrame:
    """One row a claim: what is claimed, the verdict's sentence and the notebook behind the deciding reading."""
    units, periods, said = (labels_of(findings, column) for column in ("unit", "period", "quantity"))
    at = findings.set_index(["claim", "reading"])["notebook"]
    rows = []
    for claim, v in verdicts.items():
        words = _QUALIFIER.sub("", said[claim])
        computed = at[claim, v.main.reading.label]
        name = f"{words[0].upper()}{words[1:]} ({periods[claim]})"
        rows.append((name, verdict_sentence(v, units[claim]), "here" if computed == LEDGER else computed))
    return pd.DataFrame(rows, columns=["Claim", "Verdict", "Computed in"])


def show_ledger(verdicts: Mapping[str, ClaimVerdict], findings: pd.DataFrame, *, source: str) -> None:
    """The ledger itself, in the order of the tests."""
    caption = "Every claim and its verdict; each name leads to the report that computes the figure"
    frame = ledger_frame(verdicts, findings)
    table(frame, id="claims-ledger", caption=caption, source=source, reports="Computed in")


def show_readings(verdicts: Mapping[str, ClaimVerdict], findings: pd.DataFrame, *, source: str) -> None:
    """Every reading that alone gives another verdict than the claim as stated, and what it found."""
    units, labels = labels_of(findings, "unit"), labels_of(findings)
    rows = [
        (labels[claim], j.reading.label, found_figure(j.reading, units[claim]), j.alone.capitalize())
        for claim, v in verdicts.items()
        for j in v.differing
    ]
    frame = pd.DataFrame(rows, columns=["Claim", "Read as", "Found", "Verdict by it alone"])
    caption = "Readings that alone give another verdict than the one that decides"
    table(frame, id="claims-readings", caption=caption, source=source)


def show_widths(found: Mapping[str, Mapping[str, ClaimVerdict]]) -> None:
    """Counts of verdicts by scaling of the widths (label -> verdicts)."""
    rows = [(how, *counts(verdicts).values()) for how, verdicts in found.items()]
    frame = pd.DataFrame(rows, columns=["Widths", *(name.capitalize() for name in VERDICTS)])
    table(frame, id="claims-widths", caption="Verdicts by how wide the tolerances are", source="this project")


def show_claim_sources(sources: pd.DataFrame, findings: pd.DataFrame) -> None:
    """The sources of every figure that this notebook took from tables itself, with the claims it was taken for."""
    used: dict[str, dict[str, None]] = {}
    for row in findings.itertuples():
        for name in filter(None, row.sources.split(";")):
            used.setdefault(name, {})[row.label] = None
    frame = pd.DataFrame(
        {
            "Title": sources["title"],
            "Publisher": sources["publisher"],
            "Published": sources["published"],
            "For": [", ".join(used[name]) for name in sources["source_id"]],
            "Address": sources["url"],
        }
    )
    table(frame, id="claims-sources", caption="Sources of the figures measured here", source="the table sources")


def record_verdicts(verdicts: Mapping[str, ClaimVerdict], findings: pd.DataFrame) -> None:
    """Counts, and for every claim its verdict and what was measured."""
    record("n_claims", len(verdicts), unit="claims", meaning="Claims under test")
    for name, number in counts(verdicts).items():
        record(_COUNTS[name], number, unit="claims", meaning=f"Claims that are {name}")
    units, labels = labels_of(findings, "unit"), labels_of(findings)
    for claim, v in verdicts.items():
        reading = v.main.reading
        unit = "probability" if reading.rule == "odds" else "ratio" if units[claim] == "true or false" else units[claim]
        record(f"verdict_{claim}", v.verdict, unit="verdict", meaning=f"Verdict: {labels[claim]}")
        meaning = f"Measured: {labels[claim]}"
        record(f"measured_{claim}", reading.value, unit=unit, meaning=meaning, rtol=SIMULATED_RTOL)


def record_moved(moved: Mapping[str, Sequence[str]]) -> None:
    """How many verdicts change with the widths; ``moved`` has the keys half and double."""
    for how, claims in moved.items():
        name = f"verdicts_moved_by_{how}_widths"
        record(name, len(claims), unit="claims", meaning=f"Verdicts that change with {how} the width")
