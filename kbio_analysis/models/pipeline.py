"""From candidates in clinical phases to blockbusters: chances, dates, and how many candidates a target takes.

A candidate in phase i is approved with the product of the transition rates from i on (the phase-by-phase method of
Hay et al. 2014, Nature Biotechnology 32), and an approved product passes the sales mark with a given share. How many of
unlike candidates succeed follows the Poisson-binomial law. Dates are sums of cycle times; nothing here says that
candidates are alike or independent, which the notebook must.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd
from scipy import optimize, stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import checked_frame

PHASES = {"phase1": "phase I", "phase2": "phase II", "phase3": "phase III", "filed": "review"}
"""Where a candidate stands, in order, and as written; ``filed`` is under review."""

CHANCES = (0.10, 0.50, 0.90)
"""Chances for which the number of candidates is asked."""

READINGS: dict[str, str | None] = {
    "No deadline": None,
    "Approved in time, short times": "approval_short",
    "Approved in time, long times": "approval_long",
    "Above US$1bn in time, short times": "billion_short",
    "Above US$1bn in time, long times": "billion_long",
}
"""What is asked of a pipeline, and the year that must not be after the target's."""

MOST_ATTEMPTS = 1_000_000
"""More candidates than this are no answer."""


def prospects(
    figures: pd.DataFrame,
    *,
    today: date | str,
    total_years_long: float,
    phase_done: float,
    years_to_mark: float,
) -> pd.DataFrame:
    """Chances and dates of the candidates in each phase.

    ``figures``: one row a phase of PHASES; columns candidates, success (transition probability) and years (cycle
    time). ``total_years_long`` a longer published time from phase I to approval, to which all phases are stretched
    alike; ``phase_done`` the share of its present phase a candidate has behind it; ``years_to_mark`` years of sales to
    the mark, the year of launch counting as the first.

    Returns one row a phase: candidates, approval (probability), and by timing short and long the calendar years
    approval_* and billion_* (the first above the mark). Raises :class:`ModelInputError` for a share outside 0 to 1 or
    times that are not positive.
    """
    figures = checked_frame(figures, ("candidates", "success", "years"), "figures by phase").loc[list(PHASES)]
    rates, spans = figures["success"].to_numpy(dtype=float), figures["years"].to_numpy(dtype=float)
    if not ((rates >= 0) & (rates <= 1)).all() or not 0 <= phase_done <= 1:
        raise ModelInputError("transition rates and the share of the phase done: give values from 0 to 1")
    if not (spans > 0).all() or total_years_long <= 0 or years_to_mark < 1:
        raise ModelInputError("phase times must be above zero, and sales take one year or more to the mark")
    table = pd.DataFrame(index=pd.Index(list(PHASES), name="phase"))
    table["candidates"] = figures["candidates"].to_numpy(dtype=int)
    table["approval"] = np.cumprod(rates[::-1])[::-1]
    day = pd.Timestamp(today)
    now = day.year + (day.day_of_year - 1) / (366 if day.is_leap_year else 365)
    remaining = np.cumsum(spans[::-1])[::-1] - phase_done * spans
    for timing, factor in {"short": 1.0, "long": max(total_years_long / spans.sum(), 1.0)}.items():
        approved = np.floor(now + factor * remaining).astype(int)
        table[f"approval_{timing}"] = approved
        table[f"billion_{timing}"] = approved + int(np.ceil(years_to_mark)) - 1
    return table


def candidates_needed(found: pd.DataFrame, k: int, shares: Mapping[str, float]) -> pd.DataFrame:
    """Candidates that one phase of :func:`prospects` alone would have to hold for P(at least ``k``) of each of CHANCES.

    Index (phase, case of ``shares``); columns per_candidate (probability) and one count a chance, missing where no
    number suffices.
    """
    rows, found = {}, checked_frame(found, ("candidates", "approval"), "prospects")
    for phase, approval in found.approval.items():
        for case, share in shares.items():
            p = float(approval) * share
            rows[phase, case] = {"per_candidate": p, **{chance: attempts_needed(k, p, chance) for chance in CHANCES}}
    frame = pd.DataFrame.from_dict(rows, orient="index")
    return frame.set_axis(pd.MultiIndex.from_tuples(frame.index, names=["phase", "case"]))


def chances_of(found: pd.DataFrame, k: int, shares: Mapping[str, float], *, target_year: int) -> pd.DataFrame:
    """P(at least ``k``) by reading (rows, as READINGS) and case of ``shares`` (columns)."""
    chances, found = {}, checked_frame(found, ("candidates", "approval"), "prospects")
    for case, share in shares.items():
        chances[case] = {}
        for reading, year in READINGS.items():
            rows = found if year is None else found[found[year] <= target_year]
            chances[case][reading] = at_least(k, rows.candidates, rows.approval * share)
    return pd.DataFrame(chances).rename_axis("reading")


def shares_needed(found: pd.DataFrame, k: int) -> pd.Series:
    """The share of approvals that must pass the mark for each of CHANCES, without a deadline; missing if all fail."""
    needed = {chance: share_needed(k, found.candidates, found.approval, chance) for chance in CHANCES}
    return pd.Series(needed, dtype=float, name="share")


def at_least(k: int, counts: Sequence[int] | pd.Series, p: Sequence[float] | pd.Series) -> float:
    """P(at least ``k`` successes) among ``counts`` attempts of chance ``p`` each, group by group."""
    try:
        counts, p = np.asarray(counts, dtype=int), np.asarray(p, dtype=float)
    except (TypeError, ValueError):
        kinds = f"{type(counts).__name__} and {type(p).__name__}"
        raise ModelInputError(f"counts and p: {kinds} were given; pass lists or Series of numbers") from None
    if (counts < 0).any() or not ((p >= 0) & (p <= 1)).all():
        raise ModelInputError("attempts and chances: give counts of zero or more and chances from 0 to 1")
    if k <= 0 or counts.sum() == 0:
        return float(k <= 0)
    return float(stats.poisson_binom.sf(k - 1, np.repeat(p, counts)))


def attempts_needed(k: int, p: float, chance: float) -> int | None:
    """The fewest like attempts with P(at least ``k`` succeed) of at least ``chance``; None if MOST_ATTEMPTS do not do.

    The ``k``-th success comes at attempt n or earlier: the negative binomial law.
    """
    if k < 1 or not 0 < chance < 1 or not 0 <= p <= 1:
        raise ModelInputError(f"k = {k}, p = {p}, chance = {chance}: give k of 1 or more and chances between 0 and 1")
    if p == 0 or stats.binom.sf(k - 1, MOST_ATTEMPTS, p) < chance:
        return None
    return k + int(stats.nbinom.ppf(chance, k, p))


def share_needed(k: int, counts: pd.Series, p: pd.Series, chance: float) -> float | None:
    """The share by which every chance must be multiplied for P(at least ``k``) = ``chance``; None if 1 falls short.

    With chances of approval this is the share of approvals that must be of the wanted kind.
    """
    if not 0 < chance < 1:
        raise ModelInputError(f"chance = {chance}: give a value between 0 and 1")

    def gap(share: float) -> float:
        return at_least(k, counts, np.asarray(p) * share) - chance

    return float(optimize.brentq(gap, 0.0, 1.0, xtol=1e-10)) if gap(1.0) >= 0 else None
