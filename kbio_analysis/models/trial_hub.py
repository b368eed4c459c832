"""The race for a place among the hubs of clinical trials: gap, growth it takes, and the chance, scope by scope."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.conformal import clopper_pearson
from kbio_analysis.models.rank_moves import GapChance, RankChance, gap_chance, rank_chance, share_growth_needed_pct

MAIN_SCOPE = "all_trials"
"""The scope with published shares of the rivals; the others have ranks only."""

OUT_OF_REACH = 2.0
"""A rival with this multiple of the target place's share, or more, counts as out of reach."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HubRace:
    """Where a country stands in the race for ``target_rank``.

    ``by_scope``: scope -> :class:`RankChance`, for scopes with two ranks or more; ``silent``: scope -> reason;
    ``histories``: scope -> ranks by year. Of the main scope: ``shares`` year x (own, rival, rival_geo), per cent, rival
    being the target place's holder among the others; ``gap`` the walk of their ratio (None if it cannot be told);
    ``growth_needed_pct`` growth of the own share a year that meets the rival's; ``held`` years at the target rank or
    better, ``years_seen``, and ``held_range`` the exact 95% range of that share; ``best_rank`` the best within reach.
    """

    by_scope: Mapping[str, RankChance]
    silent: Mapping[str, str]
    histories: Mapping[str, pd.Series]
    shares: pd.DataFrame
    gap: GapChance | None
    growth_needed_pct: float | None
    held: int
    years_seen: int
    held_range: tuple[float, float]
    best_rank: int
    target_rank: int
    target_year: int


def hub_race(
    trials: pd.DataFrame, *, home: str, target_rank: int, target_year: int, rival_growth_pct: float, seed: int
) -> HubRace:
    """Read the race from long rows (scope, measure, geo, year, value); scopes are never joined.

    Raises :class:`ModelInputError` if the main scope has fewer than two ranks or no share of a rival.
    """
    ranks = trials[(trials.measure == "rank") & (trials.geo == home)]
    histories = {
        scope: rows.set_index("year")["value"].sort_index().astype(int) for scope, rows in ranks.groupby("scope")
    }
    shares, leaders = _shares(trials[trials.scope == MAIN_SCOPE], home, target_rank)
    if len(histories.get(MAIN_SCOPE, ())) < 2 or shares.empty:
        raise ModelInputError(f"{MAIN_SCOPE}: two ranks and one share of a rival are needed; use a later as_of")
    terms = {"target_rank": target_rank, "target_year": target_year, "seed": seed}
    by_scope, silent = {}, {}
    for scope, history in histories.items():
        if len(history) < 2:
            silent[scope] = "one rank only"
            continue
        best = leaders + 1 if scope == MAIN_SCOPE else 1
        by_scope[scope] = rank_chance(history, best_rank=min(best, target_rank), **terms)
    latest = shares.iloc[-1]
    main = histories[MAIN_SCOPE]
    held = int((main <= target_rank).sum())
    return HubRace(
        by_scope=by_scope,
        silent=silent,
        histories=histories,
        shares=shares,
        gap=gap_chance(shares.own / shares.rival, target_year=target_year),
        growth_needed_pct=share_growth_needed_pct(
            latest.own, latest.rival, rival_growth_pct, target_year - int(shares.index[-1])
        ),
        held=held,
        years_seen=len(main),
        held_range=clopper_pearson(held, len(main)),
        best_rank=min(leaders + 1, target_rank),
        target_rank=target_rank,
        target_year=target_year,
    )


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
