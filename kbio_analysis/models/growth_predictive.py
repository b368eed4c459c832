"""Predictive distribution of an exporter's growth, from the yearly growth of many exporters.

Yearly log growth of exporter i in year t is mean + exporter_i + year_t + residual_it. The variances are taken by
moments and the mean by generalised least squares (Searle, Casella and McCulloch 1992, ch. 5 and 7). Over h years ahead

    log growth ~ h (mean + own) + Student t,   variance h (s2_residual + s2_year) + h^2 (s2_own + s2_mean),

the first part being shocks that average out, the second what is not known of the lasting rate. The t has
``DEGREES`` degrees of freedom, scaled to that variance, since growth has fatter tails than a normal law.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import sqrt

import numpy as np
import pandas as pd
from scipy import special

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import checked_level, whole_years

DEGREES = 6
FLOOR = 0.02**2
"""Least variance between exporters and between years: no two are known to grow at the very same rate."""

MIN_GROWTHS = 15

MIN_SHARES = 5
"""Fewest exporters whose growth makes a class share."""

WINDOW = 12
"""Latest yearly growth rates that are read. Ten score a little worse on both panels of exporters, fifteen on one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Components:
    """What a panel of yearly log growth is made of, in log points a year (variances: squared).

    ``mean`` and its squared standard error ``s2_mean``; variances ``s2_year`` between years, ``s2_exporter`` between
    exporters, ``s2_residual``; ``own`` and ``s2_own`` are the shrunken lasting lead of one exporter and what is not
    known of it (0 and ``s2_exporter`` where none was given); ``n_years`` counts the years of growth.
    """

    mean: float
    s2_mean: float
    s2_year: float
    s2_exporter: float
    s2_residual: float
    own: float
    s2_own: float
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
        tail = checked_level(level) / 200
        return self.quantile(0.5 - tail), self.quantile(0.5 + tail)

    def crps(self, observed: float) -> float:
        """Continuous ranked probability score of ``observed``, log points."""
        return crps_t(observed, self.centre, self._scale, DEGREES)

    @property
    def _scale(self) -> float:
        return self.sd * sqrt((DEGREES - 2) / DEGREES)


def crps_t(y: float, centre: float, scale: float, degrees: int) -> float:
    """CRPS of a scaled t distribution (Jordan, Krueger & Lerch 2019, table 2); of the normal as degrees grow."""
    z, n = (y - centre) / scale, degrees
    if n <= 1:
        raise ModelInputError("the CRPS of a t distribution needs more than one degree of freedom")
    half = special.beta(0.5, n / 2)
    spread = 2 * sqrt(n) / (n - 1) * special.beta(0.5, n - 0.5) / half**2
    density = (1 + z * z / n) ** (-(n + 1) / 2) / (sqrt(n) * half)
    return float(scale * (z * (2 * special.stdtr(n, z) - 1) + 2 * density * (n + z * z) / (n - 1) - spread))


def components(panel: pd.DataFrame, *, own: pd.Series | None = None) -> Components:
    """The components of growth of a panel (years x exporters, positive values, gaps as NaN, rows some years apart).

    ``own``: yearly values of the exporter that is to be forecast, which is not in the panel; its lead over the yearly
    means is shrunk by its own length. Raises ModelInputError for fewer than ``MIN_GROWTHS`` growth rates.
    """
    panel = whole_years(panel, "panel")
    growth, spans = _log_growth(panel)
    found = _components(growth, spans)
    if own is None:
        return found
    lead = leads(found, panel, own.to_frame("own")).loc["own"]
    return replace(found, own=float(lead.own), s2_own=float(lead.s2_own))


def leads(found: Components, panel: pd.DataFrame, exporters: pd.DataFrame) -> pd.DataFrame:
    """The lasting lead of each of ``exporters`` over the means of ``panel``, shrunk by the length of its own record.

    Index exporters; columns years (of growth that can be compared), lead as recorded, own as shrunk and s2_own, what
    is not known of it. An exporter without a comparable year has own 0, s2_own ``s2_exporter`` and no lead.
    """
    panel, exporters = whole_years(panel, "panel"), whole_years(exporters, "exporters")
    (theirs, spans), (growth, _) = _log_growth(panel), _log_growth(exporters.reindex(panel.index))
    return pd.DataFrame(_leads(found, theirs, growth, spans), index=exporters.columns)


def _components(table: np.ndarray, spans: np.ndarray) -> Components:
    """The components of log growth (years x exporters, NaN where there is none) over ``spans`` years each."""
    here = np.isfinite(table)
    n = int(here.sum())
    if n < MIN_GROWTHS:
        raise ModelInputError(f"{n} yearly growth rates; at least {MIN_GROWTHS} are needed to tell their spread")
    years, exporters = here.any(axis=1), here.any(axis=0)
    spans = spans[years]
    means = np.nanmean(table[years], axis=1)
    left, by_year = table[years] - means[:, None], means / spans
    s2_residual = float(np.nanvar(left / np.sqrt(spans)[:, None]))
    held = (here[years] * spans[:, None]).sum(axis=0)[exporters]
    by_exporter = np.nansum(left[:, exporters], axis=0) / held
    noise_year = s2_residual / here[years].sum(axis=1) / spans
    # Weighed by the length of the records: one odd year of a newcomer is no evidence that exporters differ.
    between = held @ (by_exporter - np.average(by_exporter, weights=held)) ** 2 - (len(held) - 1) * s2_residual
    s2_exporter = max(between / max(held.sum() - held @ held / held.sum(), 1.0), FLOOR)
    between_years = by_year.var(ddof=1) if len(by_year) > 2 else 0.0
    s2_year = max((between_years - noise_year.mean()) / (1 / spans).mean(), FLOOR)
    # Years share a shock, so a year with many exporters is hardly worth more than one with few.
    weights = 1 / (s2_year / spans + noise_year)
    return Components(
        mean=float(np.average(by_year, weights=weights)),
        s2_mean=float(1 / weights.sum()),
        s2_year=float(s2_year),
        s2_exporter=float(s2_exporter),
        s2_residual=s2_residual,
        own=0.0,
        s2_own=s2_exporter,
        n_years=len(by_year),
    )


def _leads(found: Components, theirs: np.ndarray, growth: np.ndarray, spans: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of :func:`leads` for log ``growth`` beside ``theirs``, the others' (both years x exporters)."""
    count = np.isfinite(theirs).sum(axis=1)
    ahead = growth - (np.nansum(theirs, axis=1) / np.where(count > 0, count, np.nan))[:, None]
    years = spans @ np.isfinite(ahead)
    lead = np.nansum(ahead, axis=0) / np.where(years > 0, years, np.nan)
    weight = years / (years + found.s2_residual / found.s2_exporter)
    own = np.where(years > 0, weight * lead, 0.0)
    return {"years": years, "lead": lead, "own": own, "s2_own": found.s2_exporter * (1 - weight)}


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

    ``opinions``: growth of the market in per cent a year with its standard error in percentage points. Their errors are
    taken to move together: they count as one more observation of the mean over exporters, to which ``own`` is added.
    Without opinions the panel's own rate. Raises ModelInputError for an error that is not positive.
    """
    rates, errors = np.array(list(opinions), dtype=float).reshape(-1, 2).T / 100
    if not rates.size:
        return found.rate, found.s2_own + found.s2_mean
    if (errors <= 0).any():
        raise ModelInputError(f"opinions with errors {list(100 * errors)}: an opinion is never certain")
    sds = errors / (1 + rates)
    opinion, s2_opinion = np.average(np.log1p(rates), weights=sds**-2), np.average(sds, weights=sds**-2) ** 2
    weight = found.s2_mean / (found.s2_mean + s2_opinion)
    mean, s2 = (1 - weight) * found.mean + weight * opinion, weight * s2_opinion
    return float(mean + found.own), float(s2 + found.s2_own)


def hindcast(panel: pd.DataFrame, *, origins: Sequence[int], horizons: Sequence[int], event_pct: float) -> pd.DataFrame:
    """Every exporter forecast from the others' last WINDOW growth rates up to each origin, by three rules.

    A row a case and rule: origin, horizon, exporter, rule (``components``; ``class share``: the others' growth over
    the latest window of the same length; ``no change``: the same spread around no growth), probability of growth of
    more than ``event_pct`` a year and whether it happened, brier, crps, and cover_80, cover_95: 100 if the interval
    held the outcome, else 0 (missing for class share).
    """
    values, rows = whole_years(panel, "panel"), []
    years, logs = values.index.to_numpy(), _logs(values)
    for origin, (k, exporter) in product(origins, enumerate(values.columns)):
        window = (years >= origin - WINDOW) & (years <= origin)
        others, spans = np.delete(logs[window], k, axis=1), np.diff(years[window]).astype(float)
        theirs = np.diff(others, axis=0)
        try:
            found = _components(theirs, spans)
        except ModelInputError:
            # Too short a record then is an answer, not a failure.
            continue
        lead = _leads(found, theirs, np.diff(logs[window][:, [k]], axis=0), spans)
        found = replace(found, own=float(lead["own"][0]), s2_own=float(lead["s2_own"][0]))
        for horizon in horizons:
            ends = logs[(years == origin) | (years == origin + horizon), k]
            if len(ends) < 2 or not np.isfinite(grown := float(ends[1] - ends[0])):
                continue
            threshold = horizon * np.log1p(event_pct / 100)
            case = {"origin": origin, "horizon": horizon, "exporter": exporter, "happened": grown > threshold}
            for rule, model in (("components", found), ("no change", replace(found, mean=0.0, own=0.0))):
                ahead = predictive(model, horizon)
                bounds = {f"cover_{level}": ahead.interval(level) for level in (80, 95)}
                held = {name: 100.0 * (low <= grown <= high) for name, (low, high) in bounds.items()}
                scores = {"rule": rule, "probability": ahead.above(threshold), "crps": ahead.crps(grown)}
                rows.append(case | scores | held)
            shares = others[-1] - others[-1 - horizon] if len(others) > horizon else np.array([])
            shares = shares[np.isfinite(shares)]
            if len(shares) >= MIN_SHARES:
                chance = (1 + (shares >= threshold).sum()) / (len(shares) + 1)
                score = np.abs(shares - grown).mean() - np.abs(shares[:, None] - shares[None, :]).mean() / 2
                rows.append(case | {"rule": "class share", "probability": chance, "crps": score})
    cases = pd.DataFrame(rows)
    return cases.assign(brier=(cases["probability"] - cases["happened"]) ** 2) if rows else cases


def compared(
    panels: Mapping[str, pd.DataFrame], *, origins: Sequence[int], horizons: Sequence[int], event_pct: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """:func:`hindcast` of several panels: mean scores by panel and rule, and Brier score of the components by horizon.

    Means (happened, brier, crps, cover_80, cover_95) and the number of cases are over those that every rule forecast.
    """
    found = {name: hindcast(p, origins=origins, horizons=horizons, event_pct=event_pct) for name, p in panels.items()}
    cases = pd.concat(found, names=["panel"]).reset_index("panel")
    rules = cases.groupby(["panel", "origin", "horizon", "exporter"])["rule"].transform("nunique")
    common = cases[rules == cases.groupby("panel")["rule"].transform("nunique")].groupby(["panel", "rule"], sort=False)
    skills = common[["happened", "brier", "crps", "cover_80", "cover_95"]].mean().assign(cases=common.size())
    own = cases[cases["rule"] == "components"]
    return skills, own.groupby(["panel", "horizon"])["brier"].mean().unstack("horizon")


def _logs(panel: pd.DataFrame) -> np.ndarray:
    values = panel.to_numpy(dtype=float)
    return np.log(np.where((values > 0) & np.isfinite(values), values, np.nan))


def _log_growth(panel: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Log growth from each row (year) of the panel to the next, NaN where there is none, and the years between them."""
    return np.diff(_logs(panel), axis=0), np.diff(panel.index).astype(float)
