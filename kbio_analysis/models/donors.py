"""Which partners may stand for what would have happened: every candidate is kept or refused with its reason, before
anything is estimated and without a look at the outcome after treatment."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_names, typed, whole_years

DONOR_RULES = {
    "clean": "clean",
    "large": "large flows",
    "no_resources": "no resource suppliers",
}
"""Rules for choosing donors, with how readers see them: all ask for no agreement of their own, no disturbance and a
full record; the others also for larger flows, or for no suppliers of energy and other resources."""

REASONS = {
    "agreement": "An agreement of its own by the window's end",
    "other record": "The record is of something else",
    "disturbed": "Trade disturbed for other reasons",
    "gaps": "No positive figure in some year",
    "small": "Small flow before the start",
    "resources": "Supplier of resources",
}
"""Why a partner is refused, in this order, with how readers see it."""

VISIBLE_WEIGHT = 0.005
"""A weight above this is shown."""

MIN_FLOW_USD_M = {"clean": 50.0, "large": 200.0, "no_resources": 50.0}
"""Average flow before treatment that a donor needs: tiny flows multiply by chance."""

RESOURCE_MULTIPLE = 3.0
"""A partner that sold Korea over this multiple of what it bought before treatment counts as a resource supplier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """What partners are chosen from. Frames are years x ISO3.

    ``exports``, ``imports`` of Korea in US$ million; ``import_share``, ``export_share`` Korea's fraction of the
    partner's total imports and exports; ``agreements`` ISO3 -> first year with an agreement; ``disturbed`` with the
    columns iso3, reason, first_year, last_year; ``flagged`` ISO3 -> why its record is of another thing; ``names``;
    ``energy`` ISO3 codes of energy exporters.
    """

    exports: pd.DataFrame
    imports: pd.DataFrame
    import_share: pd.DataFrame
    export_share: pd.DataFrame
    agreements: pd.Series
    disturbed: pd.DataFrame
    flagged: Mapping[str, str]
    names: pd.Series
    energy: frozenset[str] = frozenset()

    def levels(self, flow: str, outcome: str) -> pd.DataFrame:
        """The outcome before logs: the flow itself, or Korea's share in the partner's total of that direction."""
        shares = {"exports": self.import_share, "imports": self.export_share}
        return whole_years((shares if outcome == "share" else {"exports": self.exports, "imports": self.imports})[flow])


@dataclass(frozen=True, slots=True, kw_only=True)
class DonorPool:
    """``outcomes`` logs, years x (treated, kept donors), over the window the treated unit's record allows;
    ``refused`` one row a refused candidate: unit, reason, detail."""

    treated: str
    outcome: str
    outcomes: pd.DataFrame
    refused: pd.DataFrame

    @property
    def kept(self) -> tuple[str, ...]:
        return tuple(self.outcomes.columns[1:])

    @property
    def years(self) -> tuple[int, int]:
        """First and last year of the outcomes."""
        return int(self.outcomes.index[0]), int(self.outcomes.index[-1])

    @property
    def donor_mean(self) -> pd.DataFrame | None:
        """The donors' average outcome, for designs that know one series only; None without donors."""
        return self.outcomes.iloc[:, 1:].mean(axis=1).to_frame("donors") if self.kept else None

    def summary(self, names: Mapping[str, str], weights: pd.Series | None = None) -> pd.DataFrame:
        """Every candidate by what became of it: outcome, n_partners, partners (named, with their visible weights)."""
        given = pd.Series(0.0, index=self.kept) if weights is None else weights
        heavy = given[given > VISIBLE_WEIGHT].sort_values(ascending=False)
        light = [names.get(unit, unit) for unit in self.kept if unit not in heavy]
        rows = [("Kept, with weight", [f"{names.get(unit, unit)} {weight:.2f}" for unit, weight in heavy.items()])]
        rows += [("Kept, without weight", light)]
        for (reason, detail), own in self.refused.groupby(["reason", "detail"], sort=True):
            rows.append((f"{REASONS[reason]}: {detail}", [names.get(unit, unit) for unit in sorted(own.unit)]))
        rows = [(what, len(who), ", ".join(who)) for what, who in rows if who]
        return pd.DataFrame(rows, columns=["outcome", "n_partners", "partners"])


@typed
def screen(
    candidates: Candidates, treated: str, *, flow: str, outcome: str, start: int, window: tuple[int, int], rule: str
) -> DonorPool:
    """Sort all partners into donors of ``treated`` and refused ones, over the years of ``window`` (first, last).

    The window shrinks to the unbroken positive record of ``treated`` round ``start``. Raises ModelInputError for an
    unknown rule, a partner that is not in the record, or one without a figure in ``start`` and the year before.
    """
    check_names(rule, DONOR_RULES, "donor rule")
    levels = candidates.levels(flow, outcome).loc[window[0] : window[1]]
    if treated not in levels.columns:
        raise ModelInputError(f"{treated}: not in this record; choose another partner or outcome")
    known = np.isfinite(levels[treated]) & (levels[treated] > 0)
    if not known.reindex([start - 1, start], fill_value=False).all():
        raise ModelInputError(f"{treated}: no figure for {start - 1} and {start} within {window[0]}-{window[1]}")
    run = (~known).cumsum()
    levels = levels[known & (run == run[start])]
    first, last = int(levels.index[0]), int(levels.index[-1])
    bought, sold = (candidates.levels(way, "value").loc[first : start - 1].mean() for way in ("exports", "imports"))
    size, balance = (bought if flow == "exports" else sold), sold / bought
    clashes = candidates.disturbed[lambda d: (d.first_year <= last) & (d.last_year >= first)].drop_duplicates("iso3")
    full = (np.isfinite(levels) & (levels > 0)).all()
    small = set(full.index) - set(size.index[size >= MIN_FLOW_USD_M[rule]])
    rich = (set(full.index) - set(balance.index)) | set(balance.index[balance > RESOURCE_MULTIPLE])
    details = {  # a later reason gives way to an earlier one
        "resources": dict.fromkeys(rich, f"sold Korea over {RESOURCE_MULTIPLE:g} times what it bought")
        | dict.fromkeys(candidates.energy & set(full.index), "exporter of energy"),
        "small": dict.fromkeys(small, f"under US${MIN_FLOW_USD_M[rule]:g}m a year before {start}"),
        "gaps": dict.fromkeys(full.index[~full], "no positive figure in some year of the window"),
        "disturbed": dict(zip(clashes.iso3, clashes.reason.str.replace("_", " "), strict=True)),
        "other record": candidates.flagged,
        "agreement": {u: f"in force from {y:.0f}" for u, y in candidates.agreements.items() if y <= last},
    }
    if rule != "no_resources":
        del details["resources"]
    found = {unit: (reason, detail) for reason, own in details.items() for unit, detail in own.items()}
    others = [unit for unit in full.index if unit != treated]
    refused = [(unit, *found[unit]) for unit in others if unit in found]
    outcomes = np.log(levels[[treated, *(unit for unit in others if unit not in found)]].astype(float))
    table = pd.DataFrame(refused, columns=["unit", "reason", "detail"])
    return DonorPool(treated=treated, outcome=outcome, outcomes=outcomes, refused=table)
