"""Growth arithmetic: what a target requires, where a rate leads, and what an outside rate is worth as a prior.

Rates are per cent a year (``_pct``) or log points a year (``_log``); values keep the unit they come in.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import typed


@typed
def required_growth_pct(base: float, target: float, years: float) -> float:
    """Constant growth that turns ``base`` into ``target`` in ``years``: 100((target/base)^(1/years) - 1), % a year.

    Raises :class:`ModelInputError` if base or target is not positive or years is not positive.
    """
    _require_positive(base=base, target=target, years=years)
    return 100 * math.expm1(math.log(target / base) / years)


@typed
def path(base: float, growth_pct: float, years: int, *, base_year: int | None = None) -> pd.Series:
    """``base`` compounding at ``growth_pct`` for ``years``: years + 1 values starting at the base.

    Indexed 0..years, or by calendar year when ``base_year`` is given. Unit of ``base``.
    """
    _require_positive(base=base)
    _require_rate(growth_pct)
    if years < 0 or int(years) != years:
        raise ModelInputError(f"years = {years}: give a whole number of years, 0 or more")
    steps = np.arange(int(years) + 1)
    index = pd.Index(steps + (base_year or 0), name="year")
    return pd.Series(base * (1 + growth_pct / 100) ** steps, index=index, name="path", dtype=float)


def value_at(base: float, growth_pct: float, years: float) -> float:
    """``base`` after ``years`` (fractions allowed) at ``growth_pct`` a year."""
    _require_positive(base=base)
    _require_rate(growth_pct)
    return base * (1 + growth_pct / 100) ** years


@typed
def doubling_year(base_year: float, growth_pct: float, *, multiple: float = 2.0) -> float:
    """Fractional year in which constant growth reaches ``multiple`` times the base; infinite without growth."""
    _require_rate(growth_pct)
    if multiple <= 1:
        raise ModelInputError(f"multiple = {multiple}: give a number above 1 (2 for doubling)")
    if growth_pct <= 0:
        return math.inf
    return base_year + math.log(multiple) / math.log1p(growth_pct / 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthSource:
    """One opinion on mean growth: ``mean_log`` and its standard error ``sd_log``, log points a year."""

    mean_log: float
    sd_log: float


def reference_growth_source(means_log: Sequence[float], variances_log: Sequence[float]) -> GrowthSource:
    """Mean growth g0 of comparable series and their true spread tau, as a prior for one more series.

    DerSimonian & Laird (1986): tau^2 = max(0, (Q - (k-1)) / (sum w - sum w^2/sum w)), w = 1/variance; the mean weighs
    by 1/(variance + tau^2); ``sd_log`` = sqrt(tau^2 + variance of that mean), the predictive spread for a new member.
    """
    g = np.asarray(means_log, dtype=float)
    v = np.asarray(variances_log, dtype=float)
    if g.shape != v.shape or len(g) < 3 or not (v > 0).all():
        raise ModelInputError("a reference class needs at least three members, each with a positive variance")
    w = 1 / v
    q = float(w @ (g - w @ g / w.sum()) ** 2)
    tau2 = max(0.0, (q - (len(g) - 1)) / (w.sum() - (w**2).sum() / w.sum()))
    w_random = 1 / (v + tau2)
    mean = float(w_random @ g / w_random.sum())
    return GrowthSource(mean_log=mean, sd_log=float(np.sqrt(tau2 + 1 / w_random.sum())))


def _require_positive(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ModelInputError(f"{name} = {value}: give a number above zero")


def _require_rate(growth_pct: float) -> None:
    if not (math.isfinite(growth_pct) and growth_pct > -100):
        raise ModelInputError(f"growth of {growth_pct} % a year: give a finite rate above -100")
