"""Which partners may stand for what would have happened: every candidate is kept or refused with its reason.

The reasons are applied in a fixed order before anything is estimated, and none of them looks at the outcome after
treatment.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError

DONOR_RULES = {
    "clean": "no agreement, no disturbance, a full record",
    "large": "as clean, with larger flows",
    "no_resources": "as clean, without suppliers of resources",
}
"""Rules for choosing donors."""

MIN_FLOW_USD_M = {"clean": 50.0, "large": 200.0, "no_resources": 50.0}
"""Average flow before treatment that a donor needs: tiny flows multiply by chance."""

RESOURCE_MULTIPLE = 3.0
"""A partner that sold Korea over this multiple of what it bought before treatment counts as a resource supplier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What partners are chosen from. Frames are years (PeriodIndex) x ISO3.

    ``exports``, ``imports`` of Korea in US$ million; ``import_share``, ``export_share`` Korea's fraction of the
    partner's total imports and exports; ``agreements`` ISO3 -> first year with an agreement; ``disturbed`` with the
    columns iso3, reason, first_year, last_year; ``flagged`` ISO3 -> why its record is of another thing; ``names``.
    """

    exports: pd.DataFrame
    imports: pd.DataFrame
    import_share: pd.DataFrame
    export_share: pd.DataFrame
    agreements: pd.Series
    disturbed: pd.DataFrame
    flagged: Mapping[str, str]
    names: pd.Series

    def flows(self, flow: str) -> pd.DataFrame:
        return self.exports if flow == "exports" else self.imports

    def levels(self, flow: str, outcome: str) -> pd.DataFrame:
        """The outcome before logs: the flow itself, or Korea's share in the partner's total of that direction."""
        if outcome == "value":
            return self.flows(flow)
        return self.import_share if flow == "exports" else self.export_share

    def latest_year(self, flow: str, outcome: str) -> int:
        return int(self.levels(flow, outcome).index.max().year)


@dataclass(frozen=True, slots=True, kw_only=True)
class DonorPool:
    """``outcomes`` logs, years x (treated, kept donors), over the window the treated unit's record allows;
    ``refused`` one row a refused candidate: unit, reason, detail."""

    treated: str
    flow: str
    outcome: str
    rule: str
    outcomes: pd.DataFrame
    refused: pd.DataFrame

    @property
    def kept(self) -> tuple[str, ...]:
        return tuple(self.outcomes.columns[1:])

    @property
    def first(self) -> int:
        return int(self.outcomes.index[0].year)

    @property
    def last(self) -> int:
        return int(self.outcomes.index[-1].year)

    @property
    def is_flow(self) -> bool:
        return self.outcome == "value"


def screen(
    candidates: Candidates, treated: str, *, flow: str, outcome: str, start: int, window: tuple[int, int], rule: str
) -> DonorPool:
    """Sort all partners into donors of ``treated`` and refused ones, over the years of ``window`` (first, last).

    The window shrinks to the unbroken positive record of ``treated`` round ``start``. Raises ModelInputError for an
    unknown rule, a partner that is not in the record, or one without a figure in ``start`` and the year before.
    """
    if rule not in DONOR_RULES:
        raise ModelInputError(f"unknown donor rule {rule!r}; choose among {', '.join(DONOR_RULES)}")
    levels = _own_window(candidates.levels(flow, outcome), treated, start, window)
    first, last = int(levels.index[0].year), int(levels.index[-1].year)
    before = candidates.flows(flow).index.year < start
    within = candidates.flows(flow).index.year >= first
    size = candidates.flows(flow)[before & within].mean()
    balance = candidates.imports[before & within].mean() / candidates.exports[before & within].mean()
    disturbed = candidates.disturbed
    overlap = disturbed[(disturbed.first_year <= last) & (disturbed.last_year >= first)]
    reasons = overlap.drop_duplicates("iso3").set_index("iso3").reason
    kept, refused = [], []
    for unit in levels.columns.drop(treated):
        values = levels[unit].to_numpy(dtype=float)
        if candidates.agreements.get(unit, np.inf) <= last:
            reason = ("agreement", f"in force from {int(candidates.agreements[unit])}")
        elif unit in candidates.flagged:
            reason = ("other record", candidates.flagged[unit])
        elif unit in reasons.index:
            reason = ("disturbed", str(reasons[unit]).replace("_", " "))
        elif not (np.isfinite(values) & (values > 0)).all():
            reason = ("gaps", "no positive figure in some year of the window")
        elif not size.get(unit, 0.0) >= MIN_FLOW_USD_M[rule]:
            reason = ("small", f"under US${MIN_FLOW_USD_M[rule]:g}m a year before {start}")
        elif rule == "no_resources" and balance.get(unit, np.inf) > RESOURCE_MULTIPLE:
            reason = ("resources", f"sold Korea over {RESOURCE_MULTIPLE:g} times what it bought")
        else:
            kept.append(unit)
            continue
        refused.append((unit, *reason))
    return DonorPool(
        treated=treated,
        flow=flow,
        outcome=outcome,
        rule=rule,
        outcomes=np.log(levels[[treated, *kept]].astype(float)),
        refused=pd.DataFrame(refused, columns=["unit", "reason", "detail"]),
    )


def _own_window(levels: pd.DataFrame, treated: str, start: int, window: tuple[int, int]) -> pd.DataFrame:
    """Rows of the window in which the treated unit's record is positive without a break round ``start``."""
    if treated not in levels.columns:
        raise ModelInputError(f"{treated}: not in this record; choose another partner or outcome")
    inside = levels[(levels.index.year >= window[0]) & (levels.index.year <= window[1])]
    known = {int(p.year) for p, v in inside[treated].items() if np.isfinite(v) and v > 0}
    if not {start - 1, start} <= known:
        raise ModelInputError(f"{treated}: no figure for {start - 1} and {start} within {window[0]}-{window[1]}")
    first = last = start
    while first - 1 in known:
        first -= 1
    while last + 1 in known:
        last += 1
    return inside[(inside.index.year >= first) & (inside.index.year <= last)]
