"""From candidates in clinical phases to blockbusters: chances, dates, and how many candidates a target takes.

A candidate in phase i is approved with the product of the transition rates from i on (the phase-by-phase method of
Hay et al. 2014, Nature Biotechnology 32), and an approved product passes the sales mark with a given share. Dates
are sums of cycle times; nothing here says that candidates are alike or independent, which the notebook must.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.poisson_binomial import at_least, attempts_needed, share_needed

PHASES = ("phase1", "phase2", "phase3", "filed")
"""Where a candidate stands, in order; ``filed`` is under review."""

CHANCES = (0.10, 0.50, 0.90)
"""Chances for which the number of candidates is asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prospects:
    """What a pipeline promises.

    ``table``: one row a phase; columns candidates, approval (probability), and by timing ``short`` and ``long``:
    approval_*, billion_* (calendar years of approval and of the first year above the mark). ``target_year``.
    """

    table: pd.DataFrame
    target_year: int

    def groups(self, share: float, *, event: str | None = None, timing: str = "short") -> list[tuple[int, float]]:
        """(candidates, chance) by phase; with ``event`` (approval or billion) only phases whose year is in time."""
        rows = self.table
        if event is not None:
            rows = rows[rows[f"{event}_{timing}"] <= self.target_year]
        return [(int(r.candidates), float(r.approval) * share) for r in rows.itertuples()]


def prospects(
    figures: pd.DataFrame,
    *,
    today: float,
    total_years_long: float,
    phase_done: float,
    years_to_mark: float,
    target_year: int,
) -> Prospects:
    """Chances and dates of the candidates in each phase.

    ``figures``: one row a phase of PHASES; columns candidates, success (transition probability) and years (cycle
    time). ``today`` as a year with fraction; ``total_years_long`` a longer published time from phase I to approval, to
    which all phases are stretched alike; ``phase_done`` the share of its present phase a candidate has behind it;
    ``years_to_mark`` years of sales to the mark, the year of launch counting as the first. Raises
    :class:`ModelInputError` for a share outside 0 to 1 or times that are not positive.
    """
    figures = figures.loc[list(PHASES)]
    rates, spans = figures["success"].to_numpy(dtype=float), figures["years"].to_numpy(dtype=float)
    if not ((rates >= 0) & (rates <= 1)).all() or not 0 <= phase_done <= 1:
        raise ModelInputError("transition rates and the share of the phase done: give values from 0 to 1")
    if not (spans > 0).all() or total_years_long <= 0 or years_to_mark < 1:
        raise ModelInputError("phase times must be above zero, and sales take one year or more to the mark")
    stretch = {"short": 1.0, "long": max(total_years_long / spans.sum(), 1.0)}
    table = pd.DataFrame(index=pd.Index(PHASES, name="phase"))
    table["candidates"] = figures["candidates"].to_numpy(dtype=int)
    table["approval"] = np.cumprod(rates[::-1])[::-1]
    remaining = np.cumsum(spans[::-1])[::-1] - phase_done * spans
    for timing, factor in stretch.items():
        approved = np.floor(today + factor * remaining).astype(int)
        table[f"approval_{timing}"] = approved
        table[f"billion_{timing}"] = approved + int(np.ceil(years_to_mark)) - 1
    return Prospects(table=table, target_year=target_year)


def candidates_needed(found: Prospects, k: int, shares: Mapping[str, float]) -> pd.DataFrame:
    """Candidates that one phase alone would have to hold for P(at least ``k``) of each of CHANCES.

    Index (phase, case of ``shares``); columns per_candidate (probability) and one count a chance, missing where no
    number suffices.
    """
    rows = {}
    for phase, row in found.table.iterrows():
        for case, share in shares.items():
            p = float(row.approval) * share
            needed = {chance: attempts_needed(k, p, chance) for chance in CHANCES}
            rows[phase, case] = {"per_candidate": p, **needed}
    frame = pd.DataFrame.from_dict(rows, orient="index")
    frame.index = pd.MultiIndex.from_tuples(frame.index, names=["phase", "case"])
    return frame


def chances_of(found: Prospects, k: int, shares: Mapping[str, float]) -> pd.DataFrame:
    """P(at least ``k``) by reading (rows) and case of ``shares`` (columns).

    Readings: no deadline; approved by the target year; above the mark by the target year; the latter two with short
    and with long times.
    """
    readings: Sequence[tuple[str, str | None, str]] = (
        ("no deadline", None, "short"),
        ("approved in time, short times", "approval", "short"),
        ("approved in time, long times", "approval", "long"),
        ("above the mark in time, short times", "billion", "short"),
        ("above the mark in time, long times", "billion", "long"),
    )
    return pd.DataFrame(
        {
            case: {
                name: at_least(k, found.groups(share, event=event, timing=timing)) for name, event, timing in readings
            }
            for case, share in shares.items()
        }
    ).rename_axis("reading")


def shares_needed(found: Prospects, k: int) -> pd.Series:
    """The share of approvals that must pass the mark for each of CHANCES, without a deadline; missing if all fail."""
    groups = found.groups(1.0)
    return pd.Series({chance: share_needed(k, groups, chance) for chance in CHANCES}, dtype=float, name="share")
