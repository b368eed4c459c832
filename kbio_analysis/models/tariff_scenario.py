"""What a tariff simulation compares: terms of entry, and the assumptions that no table gives."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf
from typing import Literal

from ..errors import ModelInputError

Cuts = Literal["none", "cd", "cd+rd", "cd+rd+sd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regime:
    """Terms of entry: which duties a preference takes off, for which part of each line, how deep and how fast.

    ``coverage`` is the fraction of a line's value that may claim it, ``depth`` the fraction of those duties removed
    in the end, ``phase_years`` the number of equal yearly cuts, the first at entry into force (0: all at once).
    """

    cuts: Cuts = "none"
    coverage: float = 1.0
    depth: float = 1.0
    phase_years: int = 0

    def __post_init__(self) -> None:
        if self.cuts not in ("none", "cd", "cd+rd", "cd+rd+sd"):
            raise ModelInputError(f"cuts is {self.cuts!r}: give none, cd, cd+rd or cd+rd+sd")
        if not (0 <= self.coverage <= 1 and 0 <= self.depth <= 1 and self.phase_years >= 0):
            raise ModelInputError("coverage and depth are fractions between 0 and 1, phase_years a count from 0")

    def stage(self, year: int) -> float:
        """Fraction of the final cut in force in ``year`` after entry (0 is the year of entry)."""
        return self.depth * min(1.0, (year + 1) / max(self.phase_years, 1))


MFN = Regime()
"""No preference."""

DFQF = Regime(cuts="cd", coverage=0.95)
"""Korea's duty-free entry for least developed countries, about 95% of lines."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """What is compared, and the assumptions that no table gives.

    The trade data were observed under ``today``; the change reported is ``agreement`` less ``without`` (None: today's
    terms go on), which replaces ``today`` ``without_from`` years after entry (a graduation, say). Traders always take
    the better of what is open to them. ``horizon``: last year after entry. ``utilisation`` is the mean and
    ``utilisation_sd`` the spread of a Beta; a preference is used only where its margin exceeds the compliance cost,
    drawn evenly from 0 to twice ``compliance_cost_pct`` of the value. ``eps_median``, ``eps_log_sd``: elasticity of
    import demand, log-normal. ``rho``: correlation of lines' elasticities. ``supply``: supply elasticities, equally
    likely. ``sigma_scale`` multiplies and ``sigma_cap`` bounds the elasticities of substitution. ``base_factors``:
    equally likely multiples of the base value. ``excluded``: HS chapters the agreement leaves out.
    """

    today: Regime
    agreement: Regime
    without: Regime | None = None
    without_from: int = 0
    horizon: int = 10
    utilisation: float = 0.70
    utilisation_sd: float = 0.12
    compliance_cost_pct: float = 2.0
    eps_median: float = 1.5
    eps_log_sd: float = 0.4
    rho: float = 0.5
    supply: Sequence[float] = (5.0, 20.0, inf)
    sigma_scale: float = 1.0
    sigma_cap: float = 12.0
    base_factors: Sequence[float] = (1.0,)
    excluded: Sequence[int] = field(default=())

    def __post_init__(self) -> None:
        mean, sd = self.utilisation, self.utilisation_sd
        if not (0 <= mean <= 1 and sd >= 0 and (sd == 0 or sd * sd < mean * (1 - mean))):
            raise ModelInputError(f"no Beta has mean {mean} and spread {sd}: lower utilisation_sd or set it to 0")
        if self.horizon < 0 or self.without_from < 0:
            raise ModelInputError("horizon and without_from count years after entry: give 0 or more")
        if not (self.eps_median > 0 and self.eps_log_sd >= 0 and 0 <= self.rho <= 1 and self.compliance_cost_pct >= 0):
            raise ModelInputError(
                "eps_median must be positive, eps_log_sd and compliance_cost_pct not negative, rho 0..1"
            )
        if not (self.sigma_cap > 1.1 and self.sigma_scale > 0):
            raise ModelInputError("sigma_cap must exceed 1.1 and sigma_scale be positive")
        if not self.supply or min(self.supply) <= 0 or not self.base_factors or min(self.base_factors) <= 0:
            raise ModelInputError("supply and base_factors need at least one value, all positive")
