"""Predictive distribution of an exporter's growth, from the yearly growth of many exporters.

Yearly log growth of exporter i in year t is mean + exporter_i + year_t + residual_it. The variances are taken by
moments and the mean by generalised least squares (Searle, Casella and McCulloch 1992, ch. 5 and 7). Over h years ahead

    log growth ~ h (mean + own) + Student t,   variance h (s2_residual + s2_year) + h^2 (s2_own + s2_mean),

the first part being shocks that average out, the second what is not known of the lasting rate. The t has
``DEGREES`` degrees of freedom, scaled to that variance, since growth has fatter tails than a normal law.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import special

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import whole_years

DEGREES = 6
FLOOR = 0.02**2
"""Least variance between exporters and between years: no two are known to grow at the very same rate."""

MIN_GROWTHS = 15

WINDOW = 12
"""Latest yearly growth rates that are read. Ten score a little worse on both panels of exporters, fifteen on one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """What a panel of yearly log growth is made of, in log points a year (variances: squared).

    ``mean`` and its squared standard error ``s2_mean``; variances ``s2_year`` between years, ``s2_exporter`` between
    exporters, ``s2_residual``; ``own`` and ``s2_own`` are the shrunken lasting lead of one exporter and what is not
    known of it (0 and ``s2_exporter`` where none was given); ``n_growths``, ``n_exporters`` and ``n_years`` are counts.
    """

    mean: float
    s2_mean: float
    s2_year: float
    s2_exporter: float
    s2_residual: float
    own: float
    s2_own: float
    n_growths: int
    n_exporters: int
    n_years: int

    @property
    def rate(self) -> float:
        """Expected lasting growth, log points a year."""
        return self.mean + self.own


@dataclass(frozen=True, slots=True, kw_only=True)
class Predictive:
    """Log growth over some years: a Student t with mean ``centre`` and standard deviation ``sd``, log points."""

    centre: float
    sd: float

    def above(self, log_growth: float) -> float:
        """Probability of more than ``log_growth``."""
        if self.sd == 0:
            return float(self.centre > log_growth)
        return float(special.stdtr(DEGREES, (self.centre - log_growth) / self._scale))

    def quantile(self, share: float) -> float:
        return float(self.centre + self._scale * special.stdtrit(DEGREES, share))

    def interval(self, level: float) -> tuple[float, float]:
        """The central interval of ``level`` per cent."""
        if not 1 < level < 100:
            raise ModelInputError(f"level={level:g}: a level is in per cent, between 1 and 100, such as 80")
        return self.quantile(0.5 - level / 200), self.quantile(0.5 + level / 200)

    def crps(self, observed: float) -> float:
        """Continuous ranked probability score of ``observed``, log points (Jordan, Krüger and Lerch 2019, app. A)."""
        n, z = DEGREES, (observed - self.centre) / self._scale
        half = special.beta(0.5, n / 2)
        spread = 2 * np.sqrt(n) / (n - 1) * special.beta(0.5, n - 0.5) / half**2
        density = (1 + z**2 / n) ** (-(n + 1) / 2) / (np.sqrt(n) * half)
        score = z * (2 * special.stdtr(n, z) - 1) + 2 * density * (n + z**2) / (n - 1) - spread
        return float(self._scale * score)

    @property
    def _scale(self) -> float:
        return self.sd * np.sqrt((DEGREES - 2) / DEGREES)


def components(panel: pd.DataFrame, *, own: pd.Series | None = None) -> Components:
    """The components of growth of a panel (years x exporters, positive values, gaps as NaN).

    Rows may be some years apart: growth over k years holds k yearly shocks and k times the lasting rate.

    ``own``: yearly values of the exporter that is to be forecast, which is not in the panel; its lead over the yearly
    means is shrunk by its own length. Raises ModelInputError for fewer than ``MIN_GROWTHS`` growth rates.
    """
    panel = whole_years(panel, "panel")
    growth, spans = _log_growth(panel)
    table = growth.to_numpy(dtype=float)
    here = np.isfinite(table)
    n = int(here.sum())
    if n < MIN_GROWTHS:
        raise ModelInputError(f"{n} yearly growth rates; at least {MIN_GROWTHS} are needed to tell their spread")
    table = np.where(here, table, np.nan)
    years, exporters = here.any(axis=1), here.any(axis=0)
    growth, spans = growth[years], spans[years]
    means = np.nanmean(table[years], axis=1)
    left, by_year = table[years] - means[:, None], means / spans
    s2_residual = float(np.nanvar(left / np.sqrt(spans)[:, None]))
    held = (here[years] * spans[:, None]).sum(axis=0)[exporters]
    by_exporter = np.nansum(left[:, exporters], axis=0) / held
    noise_year = s2_residual / here[years].sum(axis=1) / spans
    # Weighed by the length of the records: one odd year of a newcomer is no evidence that exporters differ.
    between = held @ (by_exporter - np.average(by_exporter, weights=held)) ** 2 - (len(held) - 1) * s2_residual
    s2_exporter = max(between / max(held.sum() - held @ held / held.sum(), 1.0), FLOOR)
    s2_year = max((_variance(by_year) - noise_year.mean()) / (1 / spans).mean(), FLOOR)
    # Years share a shock, so a year with many exporters is hardly worth more than one with few.
    weights = 1 / (s2_year / spans + noise_year)
    found = Components(
        mean=float(np.average(by_year, weights=weights)),
        s2_mean=float(1 / weights.sum()),
        s2_year=float(s2_year),
        s2_exporter=float(s2_exporter),
        s2_residual=s2_residual,
        own=0.0,
        s2_own=s2_exporter,
        n_growths=n,
        n_exporters=int(exporters.sum()),
        n_years=len(by_year),
    )
    if own is None:
        return found
    lead = leads(found, panel, whole_years(own, "own").to_frame("own")).loc["own"]
    return replace(found, own=float(lead.own), s2_own=float(lead.s2_own))


def leads(found: Components, panel: pd.DataFrame, exporters: pd.DataFrame) -> pd.DataFrame:
    """The lasting lead of each of ``exporters`` over the means of ``panel``, shrunk by the length of its own record.

    Index exporters; columns years (of growth that can be compared), lead as recorded, own as shrunk and s2_own, what
    is not known of it. An exporter without a comparable year has own 0, s2_own ``s2_exporter`` and no lead.
    """
    means = _log_growth(panel)[0].mean(axis=1)
    growth, spans = _log_growth(exporters.reindex(panel.index))
    ahead = growth.sub(means, axis=0)
    years = ahead.notna().mul(spans, axis=0).sum()
    lead = ahead.sum().div(years.where(years > 0))
    weight = found.s2_exporter / (found.s2_exporter + found.s2_residual / years.where(years > 0))
    own = (weight * lead).fillna(0.0)
    s2_own = found.s2_exporter * (1 - weight.fillna(0.0))
    return pd.DataFrame({"years": years, "lead": lead, "own": own, "s2_own": s2_own})


def predictive(
    found: Components, years: int, *, rate: float | None = None, s2_rate: float = 0.0, s2_start: float = 0.0
) -> Predictive:
    """Log growth over ``years`` years; ``s2_start`` is what is not known of the value it starts from.

    ``rate`` and ``s2_rate`` replace the panel's lasting rate and what is not known of it, in log points a year.
    Raises ModelInputError for less than one year.
    """
    if years < 1:
        raise ModelInputError(f"years={years}: a forecast looks at least one year ahead")
    lasting = found.s2_own + found.s2_mean if rate is None else s2_rate
    variance = years * (found.s2_residual + found.s2_year) + years**2 * lasting + s2_start
    return Predictive(centre=years * (found.rate if rate is None else rate), sd=float(np.sqrt(variance)))


def combined_rate(found: Components, opinions: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """The panel's lasting rate weighed with outside opinions, by precision: rate and variance, log points a year.

    ``opinions``: growth of the market in per cent a year with its standard error in percentage points. Opinions copy
    one another, so their errors are taken to move together: together they count as one more observation of the mean
    over exporters. What sets the exporter apart, ``own``, is added to that mean. Without opinions the panel's own rate
    is returned. Raises ModelInputError for an error that is not positive.
    """
    rates, variances = [], []
    for growth_pct, error_points in opinions:
        if error_points <= 0:
            raise ModelInputError(f"the opinion of {growth_pct:g}% a year has no error; an opinion is never certain")
        factor = 1 + growth_pct / 100
        rates.append(float(np.log(factor)))
        variances.append((error_points / 100 / factor) ** 2)
    if not rates:
        return found.rate, found.s2_own + found.s2_mean
    weights = 1 / np.array(variances)
    opinion, s2_opinion = np.average(rates, weights=weights), np.average(np.sqrt(variances), weights=weights) ** 2
    weight = found.s2_mean / (found.s2_mean + s2_opinion)
    mean, s2 = (1 - weight) * found.mean + weight * opinion, weight * s2_opinion
    return float(mean + found.own), float(s2 + found.s2_own)


def hindcast(
    panel: pd.DataFrame, *, origins: Sequence[int], horizons: Sequence[int], event_pct: float, window: int = WINDOW
) -> pd.DataFrame:
    """Every exporter forecast from the others' last ``window`` growth rates up to each origin, by three rules.

    A row a case and rule: origin, horizon, exporter, rule (``components``; ``class share``: the others' growth over
    the latest window of the same length; ``no change``: the same spread around no growth), log_growth, happened
    (growth of more than ``event_pct`` a year), probability, crps, and in_80, in_95 (None for class share).
    """
    values = panel.set_axis([_year(y) for y in panel.index])
    rows = []
    for origin in origins:
        past = values.loc[origin - window : origin]
        for exporter in panel.columns:
            others = past.drop(columns=exporter)
            try:
                found = components(others, own=past[exporter])
            except ModelInputError:
                continue
            for horizon in horizons:
                if origin + horizon not in values.index:
                    continue
                grown = float(np.log(values.at[origin + horizon, exporter] / values.at[origin, exporter]))
                if not np.isfinite(grown):
                    continue
                threshold = horizon * np.log1p(event_pct / 100)
                case = {"origin": origin, "horizon": horizon, "exporter": exporter, "log_growth": grown}
                case["happened"] = grown > threshold
                rows += _scored(case, found, others, threshold)
    return pd.DataFrame(rows)


def skill(cases: pd.DataFrame) -> pd.DataFrame:
    """Mean scores by rule over the cases that every rule could forecast: cases, brier, crps, cover_80, cover_95 (%)."""
    wide = cases.groupby(["origin", "horizon", "exporter"])["rule"].transform("nunique")
    common = cases[wide == cases["rule"].nunique()]
    error = (common["probability"] - common["happened"]) ** 2
    kept = common.assign(brier=error, cover_80=100 * common["in_80"], cover_95=100 * common["in_95"])
    found = kept.groupby("rule", sort=False)[["brier", "crps", "cover_80", "cover_95"]].mean()
    return found.assign(cases=kept.groupby("rule", sort=False).size())


def compared(
    panels: Mapping[str, pd.DataFrame], *, origins: Sequence[int], horizons: Sequence[int], event_pct: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """:func:`hindcast` of several panels: its :func:`skill` by panel and rule, and the Brier score by panel and horizon
    of the components."""
    cases = {name: hindcast(p, origins=origins, horizons=horizons, event_pct=event_pct) for name, p in panels.items()}
    skills = pd.concat({name: skill(rows) for name, rows in cases.items()}, names=["panel", "rule"])
    every = pd.concat(cases, names=["panel"]).query("rule == 'components'")
    error = (every["probability"] - every["happened"]) ** 2
    return skills, error.groupby(["panel", every["horizon"]]).mean().unstack("horizon")


def _scored(case: dict, found: Components, others: pd.DataFrame, threshold: float) -> list[dict]:
    years, grown = case["horizon"], case["log_growth"]
    rows = []
    still = replace(found, mean=0.0, own=0.0)
    for rule, model in (("components", found), ("no change", still)):
        ahead = predictive(model, years)
        inside = {f"in_{level}": _within(ahead, level, grown) for level in (80, 95)}
        rows.append(case | {"rule": rule, "probability": ahead.above(threshold), "crps": ahead.crps(grown)} | inside)
    shares = _latest_growth(others, years)
    if len(shares) >= 5:
        chance = (1 + (shares >= threshold).sum()) / (len(shares) + 1)
        spread = np.abs(shares[:, None] - shares[None, :]).mean() / 2
        score = np.abs(shares - grown).mean() - spread
        rows.append(case | {"rule": "class share", "probability": chance, "crps": score, "in_80": None, "in_95": None})
    return rows


def _within(ahead: Predictive, level: int, value: float) -> bool:
    low, high = ahead.interval(level)
    return low <= value <= high


def _latest_growth(others: pd.DataFrame, years: int) -> np.ndarray:
    if len(others) <= years:
        return np.array([])
    grown = np.log(others.iloc[-1] / others.iloc[-1 - years]).to_numpy(dtype=float)
    return grown[np.isfinite(grown)]


def _log_growth(panel: pd.DataFrame) -> tuple[pd.DataFrame, np.ndarray]:
    """Log growth from each row of the panel to the next, and the years between them."""
    spans = np.diff([_year(label) for label in panel.index]).astype(float)
    return np.log(panel.where(panel > 0)).diff().iloc[1:], spans


def _variance(values: np.ndarray) -> float:
    return float(values.var(ddof=1)) if len(values) > 2 else 0.0


def _year(label: object) -> int:
    return int(getattr(label, "year", label))
