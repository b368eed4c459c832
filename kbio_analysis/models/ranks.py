"""Will an exporter reach a place? All exporters' paths are simulated together and ranked, path by path.

A rank knows only differences: growth that all share cancels out, so what is estimated is each exporter's growth
relative to the others, and what is assumed is how far their shocks go together.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_count
from kbio_analysis.models.rank_growth import Race, fit
from kbio_analysis.models.rank_history import first_comparable_year

Shocks = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]
"""Standardised shocks (mean 0, variance 1) of a given shape."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankOdds:
    """Simulated places at the end and on the way.

    ``probability`` that home stands at ``place`` or better in ``target_year`` and its ``simulation_error`` (standard
    error); ``fan``: year x (median, lo_80, hi_80, lo_95, hi_95) of home's rank; ``shares``: rank -> share of paths;
    ``field``: one row a contender: usd_m, rank_now, chance, median_rank, lo_80, hi_80. ``place_usd_m`` (n_paths,):
    level of the place-th largest other in the target year if the contenders' mean growth were zero.
    """

    home: str
    place: int
    target_year: int
    years: int
    probability: float
    simulation_error: float
    fan: pd.DataFrame
    shares: pd.Series
    field: pd.DataFrame
    place_usd_m: np.ndarray

    def chance_of(self, place: int) -> float:
        """Chance that home stands at ``place`` or better; ``place`` may be 0 (nobody does)."""
        n = len(self.place_usd_m)
        return _chance(n * float(self.shares[self.shares.index <= place].sum()), n)


def simulate(
    race: Race,
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
    """Simulate every contender to ``target_year`` and rank them in each path.

    A year's log growth of i is mu_i + s_i (sqrt(rho) z_t + sqrt(1 - rho) u_it), so that the shocks of any two have
    correlation rho (the one-factor model, Vasicek 2002); mu_i and s_i^2 are drawn once a path from what is known of
    them. With ``every_year`` False only the target year is simulated, by one step of the same variance.
    Raises ModelInputError for a target year not after the origin, a correlation outside 0 to 1, or too high a place.
    """
    years = target_year - race.origin_year
    check_count(years, "years to the target", most=100)
    check_count(n_paths, "n_paths", least=100)
    if not 0 <= correlation <= 1:
        raise ModelInputError(f"correlation = {correlation}: give a number from 0 to 1")
    if home not in race.levels.index or not 1 <= place < len(race.levels):
        raise ModelInputError(
            f"place {place} of {len(race.levels)} contenders for {home}: give 1 to {len(race.levels) - 1}"
        )
    rng = np.random.default_rng(seed)
    own = race.levels.index.get_loc(home)
    size = (n_paths, len(race.levels))
    drift = race.drift.to_numpy() + race.drift_sd.to_numpy() * rng.standard_normal(size)
    volatility = race.volatility.to_numpy() * _scatter(race.freedom.to_numpy(), n_paths, rng)
    logs = np.tile(np.log(race.levels.to_numpy(dtype=float)), (n_paths, 1))
    steps = [1] * years if every_year else [years]
    fan = {}
    for reached, step in zip(np.cumsum(steps), steps, strict=True):
        common = np.sqrt(correlation) * shocks(rng, (n_paths, 1))
        logs += step * drift + np.sqrt(step) * volatility * (common + np.sqrt(1 - correlation) * shocks(rng, size))
        fan[race.origin_year + int(reached)] = _spread(1 + (logs > logs[:, [own]]).sum(axis=1))
    places = 1 + np.argsort(np.argsort(-logs, axis=1, kind="stable"), axis=1, kind="stable")
    others = np.sort(np.delete(logs, own, axis=1), axis=1)[:, -place]
    counts = np.bincount(places[:, own], minlength=len(race.levels) + 1)[1:]
    hits = int(counts[:place].sum())
    return RankOdds(
        home=home,
        place=place,
        target_year=target_year,
        years=years,
        probability=_chance(hits, n_paths),
        simulation_error=_error(hits, n_paths),
        fan=pd.DataFrame.from_dict(fan, orient="index").rename_axis("year"),
        shares=pd.Series(counts / n_paths, index=pd.RangeIndex(1, len(counts) + 1, name="rank")),
        field=_field(race, places, place),
        place_usd_m=np.exp(others),
    )


def sensitivity(races: Mapping[str, Race], correlations: Sequence[float], **terms: object) -> pd.DataFrame:
    """Home's chance of the place for every rule and correlation: rules x correlations, the same draws throughout.

    ``races`` maps a rule to its fit; ``terms`` are the other arguments of :func:`simulate`.
    """
    return pd.DataFrame(
        {
            rho: {
                rule: simulate(race, **terms | {"correlation": rho, "every_year": False}).probability
                for rule, race in races.items()
            }
            for rho in correlations
        }
    )


def hindcast(
    panel: pd.DataFrame, home: str, *, years: int, place: int, correlation: float, n_paths: int, seed: int
) -> pd.DataFrame | None:
    """The simulation run ``years`` earlier, on what the panel held then: one row a contender of that year.

    Columns rank_then, chance (of ``place`` or better at the end), rank_now, hit, inside_80 (rank within the 80% range);
    ranks count the contenders still held at the end. None if that earlier year is not in the panel, is not
    comparable, or holds too little. ``attrs``: origin_year, end_year.
    """
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
    if place >= len(race.levels):
        return None
    terms = {"place": place, "target_year": end.year, "correlation": correlation, "n_paths": n_paths, "seed": seed}
    said = simulate(race, home=anchor, every_year=False, **terms).field
    now = panel.loc[end, race.levels.index].rank(ascending=False, method="min")
    table = pd.DataFrame({"rank_then": said.rank_now, "chance": said.chance, "rank_now": now.astype(int)})
    table["hit"] = table.rank_now <= place
    table["inside_80"] = table.rank_now.between(said.lo_80, said.hi_80)
    table.attrs = {"origin_year": origin.year, "end_year": end.year}
    return table.rename_axis("iso3")


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


def _field(race: Race, places: np.ndarray, place: int) -> pd.DataFrame:
    spread = _spread(places)
    hits = (places <= place).sum(axis=0)
    return pd.DataFrame(
        {
            "usd_m": race.levels,
            "rank_now": np.arange(1, len(race.levels) + 1),
            "chance": [_chance(int(k), len(places)) for k in hits],
            "median_rank": spread["median"].astype(int),
            "lo_80": spread["lo_80"].astype(int),
            "hi_80": spread["hi_80"].astype(int),
        },
        index=race.levels.index,
    )


def _chance(hits: float, n: int) -> float:
    """Laplace's rule, (1 + hits) / (2 + n): no finite number of paths makes anything certain or impossible."""
    return (1 + hits) / (2 + n)


def _error(hits: int, n: int) -> float:
    p = _chance(hits, n)
    return float(np.sqrt(p * (1 - p) / n))
