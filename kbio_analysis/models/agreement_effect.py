"""What an agreement did to one flow: five estimators on one panel, their checks, and the verdict they allow.

The outcome is in logs, so effects are log points and 100 (exp(effect) - 1) per cent. The demeaned synthetic control
is the main estimate, named before anything is fitted; the others show how much hangs on that choice. The verdict is a
rule on the checks, written here once, and can be that nothing can be told.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.donors import DONOR_RULES, Candidates, DonorPool, screen
from kbio_analysis.models.synthetic_bounds import DriftBounds, relative_magnitudes
from kbio_analysis.models.synthetic_control import (
    METHODS,
    CheckResult,
    SyntheticControlFit,
    conformal,
    fit,
    leave_one_out,
    placebo_in_space,
    placebo_in_time,
)

MAIN_METHOD = "demeaned"
"""The estimator the verdict rests on, chosen beforehand."""

ALPHA = 0.10
"""Largest permutation p at which a gap counts as unlike the placebos'."""

TIME_PLACEBO_LEADS = (3, 4, 5, 6)
"""Years before the start at which the agreement is pretended."""

OUTCOMES = ("value", "share")
"""The flow itself, and Korea's share in the partner's total of that direction."""

MIN_READABLE_PRE = 8
"""Years before the start that a verdict, or a specification counted for one, needs: a few years are matched by
chance when there are dozens of donors to mix."""

SPEC_COLUMNS = ["outcome", "window", "rule", "method", "n_pre", "n_donors"]
SPEC_COLUMNS += ["effect_log_points", "effect_pct", "p", "p_floor", "pre_rmspe", "n_placebos"]
"""Columns of the specification table."""

SPAN_SHARE = 0.8
"""Share of specifications that must agree in sign for the estimate to count as robust."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """``word``: raised, lowered, hints_up, hints_down or cannot_tell; ``tests`` name -> passed; ``failed`` in order."""

    word: Literal["raised", "lowered", "hints_up", "hints_down", "cannot_tell"]
    tests: Mapping[str, bool]

    @property
    def failed(self) -> tuple[str, ...]:
        return tuple(name for name, passed in self.tests.items() if not passed)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementEffect:
    """All that was estimated for one flow and partner.

    ``pool`` the panel and its donors; ``fits`` method -> fit on it; ``estimates`` one row a method with
    effect_log_points, effect_pct, p, p_floor, pre_rmspe, n_placebos, conformal_p, conformal_floor; ``space``,
    ``time``, ``left_out`` and ``sharp`` the main method's checks; ``bounds`` under drift; ``extra_usd_m`` observed
    less counterfactual flow summed over the treated years (None unless the outcome is a flow).
    """

    pool: DonorPool
    start: int
    fits: Mapping[str, SyntheticControlFit]
    estimates: pd.DataFrame
    space: CheckResult
    time: CheckResult
    left_out: CheckResult
    sharp: CheckResult
    bounds: DriftBounds
    extra_usd_m: float | None

    @property
    def main(self) -> SyntheticControlFit:
        return self.fits[MAIN_METHOD]


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """Why nothing could be estimated; ``pool`` if donors were screened at all."""

    why: str
    pool: DonorPool | None


def attempt(candidates: Candidates, partner: str, *, start: int, **choice: Any) -> AgreementEffect | Silence:
    """:func:`estimate` on the donors that :func:`.donors.screen` finds for ``choice``; a refusal becomes a silence."""
    pool = None
    try:
        pool = screen(candidates, partner, start=start, **choice)
        return estimate(pool, start)
    except ModelInputError as refusal:
        return Silence(why=str(refusal), pool=pool)


def estimate(pool: DonorPool, start: int) -> AgreementEffect:
    """Every estimator and check for the treated unit of ``pool`` from ``start`` on.

    Raises ModelInputError as :func:`.synthetic_control.fit` does.
    """
    fits = {m: fit(pool.outcomes, pool.treated, start, method=m) for m in METHODS}
    spaces = {m: placebo_in_space(f) for m, f in fits.items()}
    main = fits[MAIN_METHOD]
    after = main.gap.index >= main.start
    extra = (np.exp(main.outcomes.iloc[:, 0]) - np.exp(main.counterfactual))[after].sum() if pool.is_flow else None
    rows = {m: _row(fits[m], spaces[m]) | _sharp(conformal(fits[m], ALPHA, n_grid=0)) for m in METHODS}
    return AgreementEffect(
        pool=pool,
        start=start,
        fits=fits,
        estimates=pd.DataFrame.from_dict(rows, orient="index").rename_axis("method"),
        space=spaces[MAIN_METHOD],
        time=placebo_in_time(main, [start - lead for lead in TIME_PLACEBO_LEADS]),
        left_out=leave_one_out(main),
        sharp=conformal(main, ALPHA),
        bounds=relative_magnitudes(main),
        extra_usd_m=None if extra is None else float(extra),
    )


def windows(first: int, last: int, *, start: int, latest: int) -> dict[str, tuple[int, int]]:
    """The windows of the specification table, by name; those equal to an earlier one are left out."""
    named = {
        "as chosen": (first, last),
        f"from {start - 10}": (max(first, start - 10), last),
        "first five years": (first, min(last, start + 4)),
        f"to {latest}": (first, latest),
    }
    return {name: span for k, (name, span) in enumerate(named.items()) if span not in list(named.values())[:k]}


def specifications(
    candidates: Candidates, partner: str, *, flow: str, start: int, window: tuple[int, int]
) -> pd.DataFrame:
    """Every estimator on every outcome, donor rule and window: the columns outcome, rule, window, method, n_pre,
    n_donors and those of ``estimates`` without the conformal ones.

    A combination that cannot be fitted has no rows and stands in ``attrs["refused"]`` with its reason.
    """
    seen: set[tuple[str, str, int, int]] = set()
    rows, refused = [], []
    for outcome in OUTCOMES:
        latest = candidates.latest_year(flow, outcome)
        for name, span in windows(*window, start=start, latest=latest).items():
            for rule in DONOR_RULES:
                labels = {"outcome": outcome, "window": name, "rule": rule}
                try:
                    pool = screen(candidates, partner, flow=flow, outcome=outcome, start=start, window=span, rule=rule)
                    key = (outcome, rule, pool.first, pool.last)
                    # A short record makes several windows one and the same: it is counted once.
                    rows += [] if key in seen else _cell(labels, pool, start)
                    seen.add(key)
                except ModelInputError as refusal:
                    refused.append(labels | {"why": str(refusal)})
    frame = pd.DataFrame(rows, columns=SPEC_COLUMNS)
    frame.attrs["refused"] = refused
    return frame


def _cell(labels: dict[str, str], pool: DonorPool, start: int) -> list[dict[str, Any]]:
    """One row a method for a pool of donors."""
    rows = []
    for method in METHODS:
        found = fit(pool.outcomes, pool.treated, start, method=method)
        sizes = {"n_pre": found.n_pre, "n_donors": len(found.donors)}
        rows.append(labels | {"method": method} | sizes | _row(found, placebo_in_space(found)))
    return rows


def verdict(found: AgreementEffect | Silence, specs: pd.DataFrame) -> Verdict:
    """Raised or lowered if every test passes, a hint if only the last two fail, else cannot tell (as of a silence).

    In order: enough years before the start; a main gap unlike the placebos' (p <= ALPHA); all estimators agree in
    sign; no single donor decides the sign; earlier, pretended starts show less than the true one; most readable
    specifications agree in sign; the bounds at Mbar = 0.5 exclude zero.
    """
    if isinstance(found, Silence):
        return Verdict(word="cannot_tell", tests={})
    effect, span = found.main.effect, found.left_out
    readable = specs[specs.n_pre >= MIN_READABLE_PRE]
    tests = {
        "pre-period": found.main.n_pre >= MIN_READABLE_PRE and bool(np.isfinite(found.main.ratio)),
        "placebos": bool(found.estimates.loc[MAIN_METHOD, "p"] <= ALPHA),
        "estimators": bool((np.sign(found.estimates.effect_log_points) == np.sign(effect)).all()),
        "donors": span.low is not None and span.low * span.high > 0,
        "earlier starts": bool(found.time.statistic < abs(effect)),
        "specifications": agreeing_share(readable, effect) >= SPAN_SHARE,
        "drift": found.bounds.breakdown > 0.5,
    }
    up = effect > 0
    if all(tests.values()):
        return Verdict(word="raised" if up else "lowered", tests=tests)
    if all(list(tests.values())[:5]):
        return Verdict(word="hints_up" if up else "hints_down", tests=tests)
    return Verdict(word="cannot_tell", tests=tests)


def agreeing_share(specs: pd.DataFrame, effect: float) -> float:
    """Share of specifications whose sign is that of ``effect``; 0 where there are none."""
    return float((np.sign(specs.effect_log_points) == np.sign(effect)).mean()) if len(specs) else 0.0


def _row(found: SyntheticControlFit, space: CheckResult) -> dict[str, float]:
    return {
        "effect_log_points": found.effect,
        "effect_pct": 100 * float(np.expm1(found.effect)),
        "p": space.p_value,
        "p_floor": space.p_floor,
        "pre_rmspe": found.pre_rmspe,
        "n_placebos": len(space.table),
    }


def _sharp(check: CheckResult) -> dict[str, float]:
    return {"conformal_p": check.p_value, "conformal_floor": check.p_floor}
