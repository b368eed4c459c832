"""Growth arithmetic: what a target requires, and where a rate leads.

Rates are per cent a year; values keep the unit they come in.
"""

import math

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
    if years < 0 or int(years) != years:
        raise ModelInputError(f"years = {years}: give a whole number of years, 0 or more")
    steps = np.arange(int(years) + 1)
    index = pd.Index(steps + (base_year or 0), name="year")
    return pd.Series(value_at(base, growth_pct, steps), index=index, name="path", dtype=float)


def value_at(base: float, growth_pct: float, years: float | np.ndarray) -> float | np.ndarray:
    """``base`` after ``years`` (fractions allowed) at ``growth_pct`` a year."""
    _require_positive(base=base)
    if not (math.isfinite(growth_pct) and growth_pct > -100):
        raise ModelInputError(f"growth of {growth_pct} % a year: give a finite rate above -100")
    return base * (1 + growth_pct / 100) ** years


def _require_positive(**values: float) -> None:
    for name, value in values.items():
        if not (math.isfinite(value) and value > 0):
            raise ModelInputError(f"{name} = {value}: give a number above zero")
