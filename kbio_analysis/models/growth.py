"""Growth arithmetic: what a target requires, where a rate leads, and what an outside rate is worth as a prior.

Rates are per cent a year (``_pct``) or log points a year (``_log``); values keep the unit they come in.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import years_index


def required_growth_pct(base: float, target: float, years: float) -> float:
    """Constant growth that turns ``base`` into ``target`` in ``years``: 100((target/base)^(1/years) - 1), % a year.

    Raises :class:`ModelInputError` if base or target is not positive or years is not positive.
    """
    _require_positive(base=base, target=target, years=years)
    return 100 * math.expm1(math.log(target / base) / years)


def implied_growth_pct(y: pd.Series) -> float:
    """Compound growth between the first and the last period of a series by year or month, per cent a year."""
    y = years_index(y, "implied growth")
    if len(y) < 2:
        raise ModelInputError("implied growth needs a series of at least two points")
    per_year = 12 if y.index.freqstr.startswith("M") else 1
    return required_growth_pct(float(y.iloc[0]), float(y.iloc[-1]), (y.index[-1] - y.index[0]).n / per_year)


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


def shortfall(base: float, growth_pct: float, years: float, target: float) -> float:
    """How far growth at ``growth_pct`` ends below ``target`` after ``years`` (negative: above it). Unit of ``base``."""
    return target - value_at(base, growth_pct, years)


def doubling_year(base_year: float, growth_pct: float, *, multiple: float = 2.0) -> float:
    """Fractional year in which constant growth reaches ``multiple`` times the base; infinite without growth."""
    _require_rate(growth_pct)
    if multiple <= 1:
        raise ModelInputError(f"multiple = {multiple}: give a number above 1 (2 for doubling)")
    if growth_pct <= 0:
        return math.inf
    return base_year + math.log(multiple) / math.log1p(growth_pct / 100)


def share_index(own_growth_pct: float, segment_growth_pct: float, years: int, *, start: float = 100.0) -> pd.Series:
    """Share of a growing segment, as an index that starts at ``start`` (100, or a share in per cent).

    Own growth against segment growth: start x ((1 + own)/(1 + segment))^t for t = 0..years; falls whenever the
    segment grows faster.
    """
    _require_rate(own_growth_pct)
    _require_rate(segment_growth_pct)
    relative_pct = 100 * ((1 + own_growth_pct / 100) / (1 + segment_growth_pct / 100) - 1)
    return path(start, relative_pct, years).rename("share_index")


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthSource:
    """One opinion on mean growth: ``mean_log`` and its standard error ``sd_log``, log points a year."""

    name: str
    mean_log: float
    sd_log: float


@dataclass(frozen=True, slots=True, kw_only=True)
class CombinedGrowth:
    """Precision-weighted growth, one row per assumed error of the outside rate.

    ``table`` index ``external_sd_log`` (tau_J, log points a year); columns ``weight_own``, ``weight_external``,
    ``weight_reference`` (sum to 1), ``mean_log``, ``sd_log`` (log points a year) and ``growth_pct``.
    """

    table: pd.DataFrame
    own: GrowthSource
    external: GrowthSource
    reference: GrowthSource | None


def own_growth_source(values: Sequence[float] | np.ndarray | pd.Series) -> GrowthSource:
    """Mean log growth of a positive series and its standard error s/sqrt(n), n = growth steps, per step."""
    try:
        levels = np.asarray(values, dtype=float)
    except (TypeError, ValueError):
        raise ModelInputError(f"own growth: {type(values).__name__} was given; pass a list or Series") from None
    if levels.ndim != 1 or len(levels) < 3 or not (levels > 0).all():
        raise ModelInputError("own growth needs at least three positive values; use the outside rate alone below that")
    steps = np.diff(np.log(levels))
    return GrowthSource(name="own", mean_log=float(steps.mean()), sd_log=float(steps.std(ddof=1) / len(steps) ** 0.5))


def combine_growth_prior(
    own: GrowthSource,
    external_growth_pct: float,
    external_sds_log: Sequence[float] = (0.02, 0.04, 0.08),
    *,
    reference: GrowthSource | None = None,
) -> CombinedGrowth:
    """Weigh own growth, an outside rate and (optionally) a reference class by their precisions, on the log scale.

    Normal-normal updating: weight of source i is (1/sd_i^2) / sum_j (1/sd_j^2), the variance 1/sum_j (1/sd_j^2). With
    two sources this is w = (n/s^2)/(n/s^2 + 1/tau_J^2). ``external_sds_log`` are the tau_J to show: the error that
    such projections have shown, not the one that their publisher claims.
    Raises :class:`ModelInputError` for a rate at or below -100 % or an error that is not positive.
    """
    _require_rate(external_growth_pct)
    if not len(external_sds_log):
        raise ModelInputError("no error of the outside rate: give at least one, above zero")
    external_mean = math.log1p(external_growth_pct / 100)
    rows = {}
    for tau in external_sds_log:
        external = GrowthSource(name="external", mean_log=external_mean, sd_log=tau)
        rows[tau] = _precision_weighted(own, external, reference)
    table = pd.DataFrame.from_dict(rows, orient="index").rename_axis("external_sd_log")
    return CombinedGrowth(
        table=table,
        own=own,
        external=GrowthSource(name="external", mean_log=external_mean, sd_log=float(external_sds_log[0])),
        reference=reference,
    )


def _precision_weighted(own: GrowthSource, external: GrowthSource, reference: GrowthSource | None) -> dict[str, float]:
    sources = {"own": own, "external": external, "reference": reference}
    present = {name: source for name, source in sources.items() if source is not None}
    for name, source in present.items():
        if not source.sd_log > 0:
            raise ModelInputError(f"{name} growth: standard error {source.sd_log} must be above zero")
    total = sum(s.sd_log**-2 for s in present.values())
    weights = {f"weight_{n}": (sources[n].sd_log ** -2 / total if n in present else 0.0) for n in sources}
    mean = sum(weights[f"weight_{n}"] * s.mean_log for n, s in present.items())
    return {**weights, "mean_log": mean, "sd_log": total**-0.5, "growth_pct": 100 * math.expm1(mean)}


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
    return GrowthSource(name="reference", mean_log=mean, sd_log=float(np.sqrt(tau2 + 1 / w_random.sum())))


def _require_positive(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ModelInputError(f"{name} = {value}: give a number above zero")


def _require_rate(growth_pct: float) -> None:
    if not (math.isfinite(growth_pct) and growth_pct > -100):
        raise ModelInputError(f"growth of {growth_pct} % a year: give a finite rate above -100")
