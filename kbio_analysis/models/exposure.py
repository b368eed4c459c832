"""What past falls in one destination say about making a loss up elsewhere.

An episode is a year in which exports to a large destination fell. What was made up is what the other markets took
beyond their own demand: x_jt - x_j,t-1 M_jt/M_j,t-1 summed over j, with M a market's imports from everybody (constant
market shares: Tyszynski 1951; Leamer & Stern 1970). Episodes of one year share the same year, so the bootstrap draws
whole years (Efron 1979; Cameron, Gelbach & Miller 2008).
"""

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_count, checked_frame, checked_level, typed, whole_years

MIN_YEARS = 5
"""Fewest different years with a fall from which a share is estimated."""

MAX_STEP = 3.0
"""A market whose recorded imports move by more than this factor in a year has a broken record, and is left out."""


def episodes(exports: pd.DataFrame, demand: pd.DataFrame, *, fall_pct: float, min_share_pct: float) -> pd.DataFrame:
    """Falls of at least ``fall_pct`` in destinations that took at least ``min_share_pct`` the year before.

    ``exports`` and ``demand`` (a market's imports from everybody) are years x ISO3 in US$ million; years without
    demand give no episode. Columns: iso3, year, loss_usd_m (positive), elsewhere_usd_m (change of exports to all
    others), gained_usd_m (what others took beyond their demand).
    """
    if not (0 < fall_pct <= 100 and 0 < min_share_pct <= 100):
        raise ModelInputError("episodes: the fall and the share are per cents above 0 and at most 100")
    x, demand = (whole_years(checked_frame(frame, [], "episodes"), "episodes") for frame in (exports, demand))
    x = x.astype(float).fillna(0.0)
    before = x.shift()
    step = (demand / demand.shift()).reindex(index=x.index, columns=x.columns)
    step = step.where((step < MAX_STEP) & (step > 1 / MAX_STEP))
    gained = (x - before * step).where(step.notna())
    fell = (before.div(before.sum(axis=1), axis=0) >= min_share_pct / 100) & (x <= before * (1 - fall_pct / 100))
    change, rows = x - before, []
    for year, partner in fell.stack()[lambda f: f].index:
        if step.loc[year].notna().any():
            loss = -change.at[year, partner]
            elsewhere = change.loc[year].sum() + loss
            rows.append((partner, year, loss, elsewhere, gained.loc[year].drop(partner).sum()))
    return pd.DataFrame(rows, columns=["iso3", "year", "loss_usd_m", "elsewhere_usd_m", "gained_usd_m"])


@typed
def reallocation(found: pd.DataFrame, *, n_draws: int, level: float, seed: int) -> pd.Series:
    """The share of past falls (``found``: :func:`episodes`) that was made up elsewhere in the same year.

    Named n_years (with a fall), made_up (sum of gains over sum of losses), low and high (its bootstrap percentile
    interval of ``level`` per cent from ``n_draws`` draws of years); the last three None below MIN_YEARS years.
    Raises ModelInputError for a level or a number of draws that is none.
    """
    level, n_draws = checked_level(level), check_count(n_draws, "n_draws")
    by_year = found.groupby("year")[["gained_usd_m", "loss_usd_m"]].sum().to_numpy()
    found = pd.Series({"n_years": len(by_year), "made_up": None, "low": None, "high": None}, dtype=object)
    if len(by_year) < MIN_YEARS:
        return found
    drawn = np.random.default_rng(seed).integers(0, len(by_year), (n_draws, len(by_year)))
    gained, lost = by_year[drawn].sum(axis=1).T
    found["low"], found["high"] = np.quantile(gained / lost, [(1 - level / 100) / 2, (1 + level / 100) / 2])
    found["made_up"] = by_year[:, 0].sum() / by_year[:, 1].sum()
    return found
