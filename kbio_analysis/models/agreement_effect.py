"""What an agreement did to one flow: five estimators on one panel, their checks, and the verdict they allow.

The outcome is in logs, so effects are log points and 100 (exp(effect) - 1) per cent. The demeaned synthetic control
is the main estimate, named before anything is fitted; the others show how much hangs on that choice.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import product
from typing import Any, Literal

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import typed
from kbio_analysis.models.donors import DONOR_RULES, Candidates, DonorPool, screen
from kbio_analysis.models.synthetic_control import (
    METHODS,
    CheckResult,
    SyntheticControlFit,
    conformal,
    fit,
    leave_one_out,
    placebo_in_space,
    placebo_in_time,
    relative_magnitudes,
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

ESTIMATES = ["effect_log_points", "effect_pct", "p", "p_floor", "pre_rmspe", "n_placebos"]
"""Columns of every estimate."""

SPECIFICATION = ["outcome", "window", "rule", "method", "n_pre", "n_donors"]
"""Columns that say which specification an estimate is of."""

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
    """All that was estimated for one flow and partner, or ``why`` nothing was (then ``estimates`` is empty).

    ``pool`` the panel and its donors, None if none were screened; ``fits`` method -> fit on it; ``estimates`` one row
    a method with the columns label, ESTIMATES, conformal_p and conformal_floor; ``space``, ``time``, ``left_out`` and
    ``drift`` the main method's checks; ``extra_usd_m`` observed less counterfactual flow summed over the treated years
    (None unless the outcome is a flow).
    """

    pool: DonorPool | None
    why: str | None = None
    fits: Mapping[str, SyntheticControlFit] = field(default_factory=dict)
    estimates: pd.DataFrame = field(default_factory=pd.DataFrame)
    space: CheckResult | None = None
    time: CheckResult | None = None
    left_out: CheckResult | None = None
    drift: CheckResult | None = None
    extra_usd_m: float | None = None

    @property
    def main(self) -> SyntheticControlFit | None:
        """The main method's fit, None where nothing was estimated."""
        return self.fits.get(MAIN_METHOD)

    @property
    def checks(self) -> dict[str, float | None]:
        """What the checks of the main method came to, by the name of the result; None what could not be had."""
        main, left, time = self.main, self.left_out, self.time
        return {
            "effect_left_out_low": main and left.low,
            "effect_left_out_high": main and left.high,
            "largest_earlier_effect": time.statistic if main and len(time.table) else None,
            "drift_breakdown": self.drift.statistic if main and not main.exact else None,
            "conformal_p": float(self.estimates.conformal_p[MAIN_METHOD]) if main else None,
        }

    @property
    def phases(self) -> tuple[float, ...]:
        """The main gap's mean over the first five years and over those after, log points; nothing without both."""
        after = self.main.after if self.main else ()
        return (float(after.iloc[:5].mean()), float(after.iloc[5:].mean())) if len(after) > 5 else ()

    @property
    def opens_late(self) -> bool:
        """Whether the gap after the first five years is more than twice, and a tenth of a log point, that within."""
        return bool(self.phases) and abs(self.phases[1]) > max(0.1, 2 * abs(self.phases[0]))

    @property
    def records(self) -> dict[str, float | None]:
        """Every estimate by column and method; None where nothing was estimated."""
        rows = {m: self.estimates.loc[m] if self.fits else dict.fromkeys(ESTIMATES) for m in METHODS}
        return {f"{name}_{method}": row[name] for method, row in rows.items() for name in ESTIMATES[:-1]}

    @property
    def paths(self) -> pd.DataFrame:
        """By year the observed outcome and every method's counterfactual, in levels."""
        logs = {"observed": self.main.outcomes.iloc[:, 0]} | {m: f.counterfactual for m, f in self.fits.items()}
        return np.exp(pd.DataFrame(logs)).rename_axis("year")


def attempt(candidates: Candidates, partner: str, *, start: int, **choice: Any) -> AgreementEffect:
    """:func:`estimate` on the donors that :func:`.donors.screen` finds for ``choice``; a refusal is its ``why``."""
    pool = None
    try:
        pool = screen(candidates, partner, start=start, **choice)
        return estimate(pool, start)
    except ModelInputError as refusal:
        return AgreementEffect(pool=pool, why=str(refusal).rstrip("."))


@typed
def estimate(pool: DonorPool, start: int) -> AgreementEffect:
    """Every estimator and check for the treated unit of ``pool`` from ``start`` on.

    Raises ModelInputError as :func:`.synthetic_control.fit` does.
    """
    fits = {m: fit(pool.outcomes, pool.treated, start, method=m) for m in METHODS}
    spaces = {m: placebo_in_space(f) for m, f in fits.items()}
    main = fits[MAIN_METHOD]
    extra = np.exp(main.outcomes.iloc[:, 0]) - np.exp(main.counterfactual)
    sharp = {m: conformal(f) for m, f in fits.items()}
    rows = {
        m: {"label": METHODS[m] + " (main)" * (m == MAIN_METHOD)}
        | _row(fits[m], spaces[m])
        | {"conformal_p": sharp[m].p_value, "conformal_floor": sharp[m].p_floor}
        for m in METHODS
    }
    return AgreementEffect(
        pool=pool,
        fits=fits,
        estimates=pd.DataFrame.from_dict(rows, orient="index").rename_axis("method"),
        space=spaces[MAIN_METHOD],
        time=placebo_in_time(main, [start - lead for lead in TIME_PLACEBO_LEADS]),
        left_out=leave_one_out(main),
        drift=relative_magnitudes(main),
        extra_usd_m=float(extra[extra.index >= main.start].sum()) if pool.outcome == "value" else None,
    )


def specifications(
    candidates: Candidates, partner: str, *, flow: str, start: int, window: tuple[int, int]
) -> pd.DataFrame:
    """Every estimator on every outcome, donor rule and window: the columns SPECIFICATION and ESTIMATES.

    A combination that cannot be fitted has no rows; a short record makes several windows one, which is counted once.
    """
    (first, last), rows, seen = window, [], set()
    for outcome in OUTCOMES:
        latest = int(candidates.levels(flow, outcome).index.max())
        early = {"as chosen": window, f"from {start - 10}": (max(first, start - 10), last)}
        windows = early | {"first five years": (first, min(last, start + 4)), f"to {latest}": (first, latest)}
        for (name, span), rule in product(windows.items(), DONOR_RULES):
            with suppress(ModelInputError):
                pool = screen(candidates, partner, flow=flow, start=start, window=span, outcome=outcome, rule=rule)
                if (key := (outcome, rule, *pool.years)) not in seen:
                    fits = [fit(pool.outcomes, partner, start, method=method) for method in METHODS]
                    seen.add(key)
                    for f in fits:
                        about = (outcome, name, rule, f.method, f.n_pre, len(f.weights))
                        rows.append(dict(zip(SPECIFICATION, about, strict=True)) | _row(f, placebo_in_space(f)))
    return pd.DataFrame(rows, columns=SPECIFICATION + ESTIMATES)


def readable(specs: pd.DataFrame) -> pd.DataFrame:
    """The specifications with MIN_READABLE_PRE years before the start, which alone are counted."""
    return specs[specs.n_pre >= MIN_READABLE_PRE]


def ranges(specs: pd.DataFrame) -> pd.DataFrame:
    """One row an outcome, window and rule: n_pre, n_donors, main, low and high effect (per cent), smallest p."""
    keys = ["outcome", "window", "rule"]
    effect = ("effect_pct", "min"), ("effect_pct", "max")
    first = {name: (name, "first") for name in ("n_pre", "n_donors")}
    ends = specs.groupby(keys, sort=False).agg(**first, low=effect[0], high=effect[1], p=("p", "min"))
    return ends.assign(main=specs[specs.method == MAIN_METHOD].set_index(keys).effect_pct).reset_index()


def verdict(found: AgreementEffect, specs: pd.DataFrame) -> Verdict:
    """Raised or lowered if every test passes, a hint if only the last two fail, else cannot tell (as of no estimate).

    In order: enough years before the start; a main gap unlike the placebos' (p <= ALPHA); all estimators agree in
    sign; no single donor decides the sign; earlier, pretended starts show less than the true one; most readable
    specifications agree in sign; the bounds at Mbar = 0.5 exclude zero.
    """
    if found.main is None:
        return Verdict(word="cannot_tell", tests={})
    effect, span = found.main.effect, found.left_out
    tests = {
        "pre-period": found.main.n_pre >= MIN_READABLE_PRE and not found.main.exact,
        "placebos": bool(found.estimates.loc[MAIN_METHOD, "p"] <= ALPHA),
        "estimators": agreeing_share(found.estimates, effect) == 1,
        "donors": span.low is not None and span.low * span.high > 0,
        "earlier starts": bool(found.time.statistic < abs(effect)),
        "specifications": agreeing_share(readable(specs), effect) >= SPAN_SHARE,
        "drift": found.drift.statistic > 0.5,
    }
    word = "cannot_tell"
    if all(list(tests.values())[:5]):
        up, down = ("raised", "lowered") if all(tests.values()) else ("hints_up", "hints_down")
        word = up if effect > 0 else down
    return Verdict(word=word, tests=tests)


def agreeing_share(estimates: pd.DataFrame, effect: float) -> float:
    """Share of estimates whose sign is that of ``effect``; 0 where there are none."""
    return float((np.sign(estimates.effect_log_points) == np.sign(effect)).mean()) if len(estimates) else 0.0


def _row(found: SyntheticControlFit, space: CheckResult) -> dict[str, float]:
    percent, n = 100 * float(np.expm1(found.effect)), len(space.table)
    values = (found.effect, percent, space.p_value, space.p_floor, found.pre_rmspe, n)
    return dict(zip(ESTIMATES, values, strict=True))
