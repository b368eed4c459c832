"""Will an exporter reach a place? All exporters' paths are simulated together and ranked, path by path.

A rank knows only differences: growth that all share cancels out, so drifts are taken relative to the mean of the
exporters that share a span of years, and what is assumed is how far their shocks go together. Records are short, so
drifts and volatilities are drawn towards what the exporters have in common.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import optimize
from scipy.special import digamma, polygamma

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_count, checked_frame, typed
from kbio_analysis.models.growth import reference_growth_source
from kbio_analysis.models.ranks import first_comparable_year, yearly

Rule = Literal["shrunken", "equal", "own"]

RULES: dict[str, str] = {
    "shrunken": "part of past leads kept",
    "equal": "no lasting leads",
    "own": "past leads kept in full",
}
"""What is supposed of the exporters' growth relative to one another.

``shrunken``: the less of a lead or lag the noisier the record; ``equal``: only shocks differ; ``own``: a what-if, for
past growth compounded forecasts badly.
"""

CONTENDER_SHARE = 0.1
"""Exporters below this share of home's exports are left out: they move neither home nor the place it aims at."""

MIN_CONTENDERS = 5
"""Fewest exporters that must share a span of years for growth relative to the others to mean anything."""

MIN_FREEDOM = 3.0
"""Least degrees of freedom of a drawn variance: with fewer it has no finite mean."""


Shocks = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
"""Standardised shocks (mean 0, variance 1) of a given shape."""


def fit(panel: pd.DataFrame, home: str, *, rule: Rule = "shrunken") -> pd.DataFrame:
    """Growth relative to the others and volatility of every contender of the last year of ``panel``.

    ``panel``: years (gaps allowed) x ISO3, US$ million, one definition. Over a span of k years log
    growth has mean k mu_i and variance k s_i^2. The s_i^2 are moderated across exporters (Smyth 2004); the mu_i,
    relative to the contenders' mean in the same span, are shrunk to a common mean by precision, with the spread of
    DerSimonian & Laird (1986).

    Returns one row a contender (ISO3), largest first: usd_m in the last year; drift relative to the contenders' mean
    and its standard error drift_sd, log points a year; volatility, the standard deviation of a year's own growth, log
    points, known with freedom degrees of freedom (inf: exact). ``attrs``: origin_year, and observed_correlation, the
    mean over pairs of contenders that share three spans (None without any).
    Raises ModelInputError if home is not held in the last year or too few contenders share a span of years.
    """
    if rule not in RULES:
        raise ModelInputError(f"rule {rule!r}: give one of {', '.join(RULES)}")
    panel = yearly(panel)
    last = panel.iloc[-1]
    if not last.get(home, np.nan) > 0:
        raise ModelInputError(f"{home} is not held in {panel.index[-1]}: use a later as_of or another definition")
    levels = last[last >= CONTENDER_SHARE * last[home]].sort_values(ascending=False)
    logs = np.log(panel[levels.index].where(panel[levels.index] > 0))
    growth = logs.diff().iloc[1:]
    spans = pd.Series(np.diff([p.year for p in panel.index]), index=growth.index, dtype=float)
    growth = growth[growth.notna().sum(axis=1) >= min(MIN_CONTENDERS, len(levels))]
    if growth.empty or len(levels) < 3:
        raise ModelInputError(
            f"{len(levels)} contenders share no span of years before {panel.index[-1]}: use another as_of"
        )
    spans = spans[growth.index]
    variance, freedom = _variances(growth, spans)
    drift, drift_sd = _drifts(growth, spans, variance, rule)
    race = {"usd_m": levels, "drift": drift, "drift_sd": drift_sd, "volatility": np.sqrt(variance), "freedom": freedom}
    frame = pd.DataFrame(race, index=levels.index)
    correlation = _mean_correlation(growth.div(np.sqrt(spans), axis=0))
    frame.attrs = {"origin_year": panel.index[-1].year, "observed_correlation": correlation}
    return frame


@dataclass(frozen=True, slots=True, kw_only=True)
class RankOdds:
    """Simulated places at the end and on the way.

    ``ranks`` (n_paths,): home's rank in the target year; ``fan``: year x (median, lo_80, hi_80, lo_95, hi_95) of it;
    ``field``: one row a contender: usd_m, rank_now, chance, median_rank, lo_80, hi_80. ``place_usd_m`` (n_paths,):
    level of the ``place``-th largest other in the target year if the contenders' mean growth were zero.
    """

    place: int
    years: int
    ranks: np.ndarray
    fan: pd.DataFrame
    field: pd.DataFrame
    place_usd_m: np.ndarray

    @property
    def probability(self) -> float:
        """Chance that home stands at the place or better."""
        return self.chance_of(self.place)

    @property
    def simulation_error(self) -> float:
        """Standard error of that chance."""
        return float(np.sqrt(self.probability * (1 - self.probability) / len(self.ranks)))

    def chance_of(self, place: int) -> float:
        """Chance that home stands at ``place`` or better; ``place`` may be 0 (nobody does)."""
        return _chance(int((self.ranks <= place).sum()), len(self.ranks))

    def levels(self, growth_pct: float) -> np.ndarray:
        """Level of the place in the target year, path by path, if the contenders' mean growth is ``growth_pct``."""
        return self.place_usd_m * (1 + growth_pct / 100) ** self.years

    def enough(self, value_usd_m: float, growth_pct: float) -> float:
        """Chance that ``value_usd_m`` exceeds the place's level at that growth."""
        return _chance(int((self.levels(growth_pct) < value_usd_m).sum()), len(self.place_usd_m))


@typed
def simulate(
    race: pd.DataFrame,
    *,
    home: str,
    place: int,
    target_year: int,
    correlation: float,
    n_paths: int,
    seed: int,
    every_year: bool = True,
    shocks: Shocks = np.random.Generator.standard_normal,
) -> RankOdds:
    """Simulate every contender of :func:`fit` to ``target_year`` and rank them in each path.

    A year's log growth of i is mu_i + s_i (sqrt(rho) z_t + sqrt(1 - rho) u_it), so that the shocks of any two have
    correlation rho (the one-factor model, Vasicek 2002); mu_i and s_i^2 are drawn once a path from what is known of
    them. With ``every_year`` False only the target year is simulated, by one step of the same variance.
    Raises ModelInputError for a target year not after the origin, a correlation outside 0 to 1, or too high a place.
    """
    race = checked_frame(race, ("usd_m", "drift", "drift_sd", "volatility", "freedom"), "race")
    origin = race.attrs["origin_year"]
    years = target_year - origin
    check_count(years, "years to the target", most=100)
    check_count(n_paths, "n_paths", least=100)
    if not 0 <= correlation <= 1:
        raise ModelInputError(f"correlation = {correlation}: give a number from 0 to 1")
    if home not in race.index or not 1 <= place < len(race):
        raise ModelInputError(f"place {place} of {len(race)} contenders for {home}: give 1 to {len(race) - 1}")
    rng = np.random.default_rng(seed)
    own = race.index.get_loc(home)
    size = (n_paths, len(race))
    drift = race.drift.to_numpy() + race.drift_sd.to_numpy() * rng.standard_normal(size)
    volatility = race.volatility.to_numpy() * _scatter(race.freedom.to_numpy(), n_paths, rng)
    logs = np.tile(np.log(race.usd_m.to_numpy(dtype=float)), (n_paths, 1))
    steps = [1] * years if every_year else [years]
    fan = {}
    for reached, step in zip(np.cumsum(steps), steps, strict=True):
        common = np.sqrt(correlation) * shocks(rng, (n_paths, 1))
        logs += step * drift + np.sqrt(step) * volatility * (common + np.sqrt(1 - correlation) * shocks(rng, size))
        fan[origin + int(reached)] = _spread(1 + (logs > logs[:, [own]]).sum(axis=1))
    places = 1 + np.argsort(np.argsort(-logs, axis=1, kind="stable"), axis=1, kind="stable")
    others = np.sort(np.delete(logs, own, axis=1), axis=1)[:, -place]
    return RankOdds(
        place=place,
        years=years,
        ranks=places[:, own],
        fan=pd.DataFrame.from_dict(fan, orient="index").rename_axis("year"),
        field=_field(race, places, place),
        place_usd_m=np.exp(others),
    )


def hindcast(
    panel: pd.DataFrame, home: str, *, years: int, place: int, correlation: float, n_paths: int, seed: int
) -> pd.DataFrame | None:
    """The simulation run ``years`` earlier, on what the panel held then: one row a contender of that year.

    Columns rank_then, chance (of ``place`` or better at the end), rank_now, hit, inside_80 (rank within the 80% range);
    ranks count the contenders still held at the end. None if that earlier year is not in the panel, is not
    comparable, or holds too little. ``attrs``: origin_year, end_year, error (mean squared, of the chances) and
    error_unchanged (of supposing that everybody keeps the place).
    """
    panel = yearly(panel)
    end = panel.index[-1]
    origin = end - years
    if origin not in panel.index or origin.year < first_comparable_year(panel, place):
        return None
    kept = panel.loc[:origin, panel.iloc[-1] > 0]
    anchor = home if kept.iloc[-1].get(home, np.nan) > 0 else kept.iloc[-1].idxmin()
    try:
        race = fit(kept, anchor)
    except ModelInputError:
        # Too short a record then is an answer, not a failure.
        return None
    if place >= len(race):
        return None
    terms = {"place": place, "target_year": end.year, "correlation": correlation, "n_paths": n_paths, "seed": seed}
    said = simulate(race, home=anchor, every_year=False, **terms).field
    now = panel.loc[end, race.index].rank(ascending=False, method="min")
    table = pd.DataFrame({"rank_then": said.rank_now, "chance": said.chance, "rank_now": now.astype(int)})
    table["hit"] = table.rank_now <= place
    table["inside_80"] = table.rank_now.between(said.lo_80, said.hi_80)
    table.attrs = {
        "origin_year": origin.year,
        "end_year": end.year,
        "error": float(((table.chance - table.hit) ** 2).mean()),
        "error_unchanged": float(((table.rank_then <= place) != table.hit).mean()),
    }
    return table.rename_axis("iso3")


def moderated_variances(variances: np.ndarray, freedoms: np.ndarray) -> tuple[np.ndarray, float, float]:
    """Sample variances drawn towards a common one: moderated (n,), common variance and its degrees of freedom.

    Smyth (2004, section 6.2): given sigma_i^2, s_i^2 is scaled chi-square with d_i degrees of freedom; 1/sigma_i^2 is
    scaled chi-square with d_0 round 1/s_0^2. Moments of log s_i^2 give d_0 and s_0^2, and the moderated variance is
    (d_0 s_0^2 + d_i s_i^2) / (d_0 + d_i). If the s_i^2 scatter no more than chance, d_0 is infinite and all are s_0^2.
    """
    floored = np.maximum(variances, 1e-5 * np.median(variances) + 1e-12)
    half = freedoms / 2
    centred = np.log(floored) - digamma(half) + np.log(half)
    excess = float(np.var(centred, ddof=1) - polygamma(1, half).mean())
    if excess <= 1e-6:
        return np.full(len(floored), np.exp(centred.mean())), float(np.exp(centred.mean())), np.inf
    prior = 2 * optimize.brentq(lambda x: polygamma(1, x) - excess, 1e-6, 1e8)
    common = float(np.exp(centred.mean() + digamma(prior / 2) - np.log(prior / 2)))
    return (prior * common + freedoms * floored) / (prior + freedoms), common, float(prior)


def _variances(growth: pd.DataFrame, spans: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Moderated variance of a year's log growth and its degrees of freedom, by contender.

    A contender with fewer than two spans gets the common variance.
    """
    n = growth.notna().sum()
    held = growth.notna().mul(spans, axis=0)
    pace = growth.sum() / held.sum()
    left = (growth - held * pace).pow(2).div(spans, axis=0).sum()
    known = n.index[n >= 2]
    if len(known) < 3:
        raise ModelInputError(f"{len(known)} contenders with two spans of growth; 3 are needed: use a later as_of")
    own = (n[known] - 1).astype(float)
    moderated, common, prior = moderated_variances((left[known] / own).to_numpy(), own.to_numpy())
    variance = pd.Series(common, index=growth.columns)
    variance[known] = moderated
    freedom = pd.Series(prior, index=growth.columns) + own.reindex(growth.columns, fill_value=0.0)
    return variance, freedom.clip(lower=MIN_FREEDOM)


def _drifts(growth: pd.DataFrame, spans: pd.Series, variance: pd.Series, rule: Rule) -> tuple[pd.Series, pd.Series]:
    """Relative drift and its standard error by contender, log points a year, under ``rule``."""
    zero = pd.Series(0.0, index=growth.columns)
    if rule == "equal":
        return zero, zero.copy()
    relative = growth.sub(growth.mean(axis=1), axis=0)
    years = growth.notna().mul(spans, axis=0).sum()
    known = years.index[years > 0]
    mean, error = (relative.sum() / years)[known], (variance / years)[known]
    class_of_all = reference_growth_source(mean.to_numpy(), error.to_numpy())
    drift, spread = zero + class_of_all.mean_log, zero + class_of_all.sd_log**2
    if rule == "own":
        drift[known], spread[known] = mean, error
    else:
        keep = spread[known] / (spread[known] + error)
        drift[known], spread[known] = keep * mean + (1 - keep) * class_of_all.mean_log, keep * error
    return drift, np.sqrt(spread)


def _mean_correlation(growth: pd.DataFrame) -> float | None:
    """Mean pairwise correlation of growth per root year over the pairs that share at least three spans."""
    pairs = growth.corr(min_periods=3).to_numpy()
    above = pairs[np.triu_indices(len(pairs), k=1)]
    above = above[np.isfinite(above)]
    return float(above.mean()) if len(above) else None


def _scatter(freedom: np.ndarray, n_paths: int, rng: np.random.Generator) -> np.ndarray:
    """Factors on the volatility (n_paths, n): root of freedom over a chi-square draw; 1 where freedom is infinite."""
    factors = np.ones((n_paths, len(freedom)))
    known = np.isfinite(freedom)
    draws = rng.chisquare(freedom[known], (n_paths, int(known.sum())))
    factors[:, known] = np.sqrt(freedom[known] / draws)
    return factors


def _spread(values: np.ndarray) -> dict[str, float]:
    """Median and the 80% and 95% ranges of whole ranks: order statistics, never between two ranks."""
    levels = {"median": 0.5, "lo_80": 0.1, "hi_80": 0.9, "lo_95": 0.025, "hi_95": 0.975}
    found = np.quantile(values, list(levels.values()), method="inverted_cdf", axis=0)
    return dict(zip(levels, found, strict=True))


def _field(race: pd.DataFrame, places: np.ndarray, place: int) -> pd.DataFrame:
    spread, hits = _spread(places), (places <= place).sum(axis=0)
    return pd.DataFrame(
        {
            "usd_m": race.usd_m,
            "rank_now": np.arange(1, len(race) + 1),
            "chance": [_chance(int(k), len(places)) for k in hits],
            "median_rank": spread["median"].astype(int),
            "lo_80": spread["lo_80"].astype(int),
            "hi_80": spread["hi_80"].astype(int),
        }
    )


def _chance(hits: int, n: int) -> float:
    """Laplace's rule, (1 + hits) / (2 + n): no finite number of paths makes anything certain or impossible."""
    return (1 + hits) / (2 + n)
