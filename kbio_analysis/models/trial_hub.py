"""Will a rank among the hubs of clinical trials be reached? Read from a short history of yearly moves, and from shares.

The next moves are drawn from those seen, with one further move's worth of weight on a two-sided geometric law of the
same mean size, so that no rank is out of reach by construction: the posterior mean of a Dirichlet process of mass one
(Ferguson 1973, Annals of Statistics 1). The chain is exact; its error comes from redrawing the weights (the Bayesian
bootstrap, Rubin 1981, Annals of Statistics 9). Years without a rank are bridged by moves as equal as can be.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import checked_frame, whole_years
from kbio_analysis.models.growth import required_growth_pct

MAIN_SCOPE = "all_trials"
"""The scope with published shares of the rivals; the others have ranks only."""

OUT_OF_REACH = 2.0
"""A rival with this multiple of the target place's share, or more, counts as out of reach."""

PRIOR_MASS = 1.0
"""Weight of the geometric law beside the moves seen, in moves."""

SMALLEST_MEAN_MOVE = 0.5
"""Mean size of that law in places when the moves seen were smaller."""

WIDEST_MOVE = 10
"""Widest move a year that the chain knows."""

LOWEST_RANK = 30
"""The chain's last place; a country below it counts as standing there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubRace:
    """Where a country stands in the race for a rank.

    ``scopes`` one row a scope: first_year, last_year, latest_rank and, with two ranks or more, moves (their number),
    bridged (of them, those for years without a rank), chance, low and high as :func:`rank_chance` has them;
    ``histories``: scope -> ranks by year. Of the main scope: ``fan`` as there; ``shares`` year x (own, rival,
    rival_geo), per cent, rival being the target place's holder among the others; ``gap`` the chance by the walk of
    their ratio and its number of steps, None if it cannot be told; ``growth_needed_pct`` growth a year of the own share
    that meets the rival's; ``held`` years at the target rank or better.
    """

    scopes: pd.DataFrame
    histories: Mapping[str, pd.Series]
    fan: pd.DataFrame
    shares: pd.DataFrame
    gap: tuple[float, int] | None
    growth_needed_pct: float | None
    held: int

    @property
    def main(self) -> pd.Series:
        """The row of the main scope."""
        return self.scopes.astype(object).loc[MAIN_SCOPE]

    @property
    def ranks(self) -> pd.DataFrame:
        """Every rank and the main scope's fan, long: scope, year, rank, low, median, high."""
        parts = [pd.DataFrame({"scope": s, "year": h.index, "rank": h.to_numpy()}) for s, h in self.histories.items()]
        return pd.concat([*parts, self.fan.reset_index().assign(scope=MAIN_SCOPE)], ignore_index=True)


def hub_race(
    trials: pd.DataFrame, *, home: str, target_rank: int, target_year: int, rival_growth_pct: float, seed: int
) -> HubRace:
    """Read the race from long rows (scope, measure, geo, year, value); scopes are never joined.

    Raises :class:`ModelInputError` if the main scope has fewer than two ranks or no share of a rival.
    """
    trials = checked_frame(trials, ("scope", "measure", "geo", "year", "value"), "trials")
    ranks = trials[(trials.measure == "rank") & (trials.geo == home)]
    histories = {
        scope: rows.set_index("year")["value"].sort_index().astype(int) for scope, rows in ranks.groupby("scope")
    }
    shares, leaders = _shares(trials[trials.scope == MAIN_SCOPE], home, target_rank)
    if len(histories.get(MAIN_SCOPE, ())) < 2 or shares.empty:
        raise ModelInputError(f"{MAIN_SCOPE}: two ranks and one share of a rival are needed; use a later as_of")
    rows, fans = {}, {}
    for scope, h in histories.items():
        rows[scope] = {"first_year": h.index.min(), "last_year": h.index.max(), "latest_rank": h.iloc[-1]}
        if len(h) > 1:
            best, (moves, bridged) = min(leaders + 1, target_rank) if scope == MAIN_SCOPE else 1, yearly_moves(h)
            terms = {"target_rank": target_rank, "target_year": target_year, "best_rank": best, "seed": seed}
            chance, fans[scope] = rank_chance(h, **terms)
            rows[scope] |= {"moves": len(moves), "bridged": bridged, **chance}
    latest, years = shares.iloc[-1], target_year - int(shares.index[-1])
    met = min(latest.rival * (1 + rival_growth_pct / 100) ** years, 100.0)
    return HubRace(
        scopes=pd.DataFrame.from_dict(rows, orient="index"),
        histories=histories,
        fan=fans[MAIN_SCOPE],
        shares=shares,
        gap=gap_chance(shares.own / shares.rival, target_year=target_year, rival_growth_pct=rival_growth_pct),
        growth_needed_pct=required_growth_pct(latest.own, met, years) if years > 0 else None,
        held=int((histories[MAIN_SCOPE] <= target_rank).sum()),
    )


def rank_chance(
    history: pd.Series, *, target_rank: int, target_year: int, best_rank: int = 1, n: int = 1000, seed: int = 0
) -> tuple[pd.Series, pd.DataFrame]:
    """P(rank <= ``target_rank`` in ``target_year``) from the yearly moves of ``history``; never exactly 0 or 1.

    Returns chance, with low and high, its 90% range over redrawn weights; and the fan, year x (low, median, high), the
    80% range of the rank on the way. ``history``: whole ranks by year. ``best_rank`` is the best place within reach
    (places above it are held by countries out of reach); a move beyond it ends there. With no year left the chance is
    known: 0 or 1.
    """
    history = whole_years(history, "history").sort_index()
    moves, _ = yearly_moves(history)
    latest_year, latest = int(history.index[-1]), int(history.iloc[-1])
    if target_year < latest_year:
        raise ModelInputError(f"the history ends in {latest_year}, after the target year {target_year}")
    if not 1 <= best_rank <= LOWEST_RANK or not 1 <= target_rank <= LOWEST_RANK:
        raise ModelInputError(f"ranks from 1 to {LOWEST_RANK} only")
    weighted = move_weights(moves)
    values, weights = weighted.index.to_numpy(), weighted.to_numpy()
    way = (target_year - latest_year, min(best_rank, latest))
    laws = np.vstack([step[0] for step in _chain(latest, values, weights[None, :], *way)])
    draws = np.random.default_rng(seed).dirichlet(weights, size=n)
    tails = _chain(latest, values, draws, *way)[-1][:, :target_rank].sum(axis=1)
    cumulative, ends = np.cumsum(laws, axis=1), {"low": 0.1, "median": 0.5, "high": 0.9}
    fan = pd.DataFrame({name: 1 + (cumulative < q - 1e-12).sum(axis=1) for name, q in ends.items()})
    fan = fan.set_axis(pd.RangeIndex(latest_year, target_year + 1, name="year"), axis=0)
    low, high = np.quantile(tails, [0.05, 0.95])
    return pd.Series({"chance": laws[-1][:target_rank].sum(), "low": low, "high": high}), fan


def yearly_moves(history: pd.Series) -> tuple[np.ndarray, int]:
    """Moves a year of a rank history by year, and how many of them bridge years without a rank.

    Raises :class:`ModelInputError` for fewer than two ranks.
    """
    ranks = whole_years(history, "history").sort_index()
    if len(ranks) < 2:
        raise ModelInputError(f"{len(ranks)} rank in the history: two are needed to see a move")
    years, spans = np.arange(ranks.index[0], ranks.index[-1] + 1), np.diff(ranks.index)
    filled = np.round(np.interp(years, ranks.index, ranks) + 1e-9)
    return np.diff(filled).astype(int), int(spans[spans > 1].sum())


def move_weights(moves: np.ndarray) -> pd.Series:
    """Weight of every move from -WIDEST_MOVE to WIDEST_MOVE, in moves: those seen plus PRIOR_MASS spread geometrically.

    The spread's law is P(m) proportional to q^|m| with mean |m| = 2q/(1 - q^2) equal to that of the moves seen, at
    least SMALLEST_MEAN_MOVE.
    """
    mean = max(float(np.abs(moves).mean()), SMALLEST_MEAN_MOVE)
    q = (np.sqrt(1 + mean**2) - 1) / mean
    values = np.arange(-WIDEST_MOVE, WIDEST_MOVE + 1)
    spread = q ** np.abs(values)
    seen = np.array([(np.clip(moves, -WIDEST_MOVE, WIDEST_MOVE) == v).sum() for v in values], dtype=float)
    return pd.Series(seen + PRIOR_MASS * spread / spread.sum(), index=values, name="weight")


def gap_chance(ratio: pd.Series, *, target_year: int, rival_growth_pct: float = 0.0) -> tuple[float, int] | None:
    """P(ratio >= 1 in ``target_year``) for a log random walk seen at uneven years, and the steps it rests on.

    The rival's share is taken to change by ``rival_growth_pct`` a year, which lowers the ratio by as much.

    None below two points, without a year left, or without a move. sigma^2 = mean of (step^2 / years between), and the
    walk's end is t with as many degrees of freedom as steps.
    """
    logs = np.log(whole_years(ratio, "ratio").sort_index())
    years = target_year - int(logs.index[-1]) if len(logs) else 0
    if len(logs) < 2 or years < 1:
        return None
    spans = np.diff(logs.index.to_numpy(dtype=float))
    sd = float(np.sqrt(np.mean(np.diff(logs.to_numpy()) ** 2 / spans)))
    if sd == 0:
        return None
    ahead = float(logs.iloc[-1]) - years * np.log1p(rival_growth_pct / 100)
    return float(stats.t.cdf(ahead / (sd * np.sqrt(years)), df=len(spans))), len(spans)


def _chain(start: int, values: np.ndarray, weights: np.ndarray, years: int, best: int) -> list[np.ndarray]:
    """Laws of the rank after 0, 1, ..., ``years`` moves; each (rows of weights, LOWEST_RANK)."""
    p = weights / weights.sum(axis=1, keepdims=True)
    places, sure = np.arange(1, LOWEST_RANK + 1), np.eye(LOWEST_RANK)
    steps = np.tensordot(p, np.stack([sure[np.clip(places + m, best, LOWEST_RANK) - 1] for m in values]), axes=1)
    laws = [np.tile(sure[start - 1], (len(p), 1))]
    for _ in range(years):
        laws.append(np.einsum("ni,nij->nj", laws[-1], steps))
    return laws


def _shares(rows: pd.DataFrame, home: str, target_rank: int) -> tuple[pd.DataFrame, int]:
    """Own share beside that of the target place's holder by year, and how many rivals are out of reach in the last."""
    wide = rows[rows.measure == "share_pct"].pivot(index="year", columns="geo", values="value")
    gaps = rows[(rows.measure == "gap_to_third_points") & (rows.geo == home)].set_index("year")["value"]
    found, leaders = {}, 0
    for year, row in wide.iterrows():
        own, others = row.get(home), row.drop(home, errors="ignore").dropna().sort_values(ascending=False)
        if pd.isna(own):
            continue
        if len(others) >= target_rank:
            rival, geo = float(others.iloc[target_rank - 1]), str(others.index[target_rank - 1])
            leaders = int((others >= OUT_OF_REACH * rival).sum())
        elif year in gaps.index and target_rank == 3:
            rival, geo = float(own + gaps[year]), ""
        else:
            continue
        found[int(year)] = {"own": float(own), "rival": rival, "rival_geo": geo}
    frame = pd.DataFrame.from_dict(found, orient="index", columns=["own", "rival", "rival_geo"]).sort_index()
    return frame.rename_axis("year"), leaders
