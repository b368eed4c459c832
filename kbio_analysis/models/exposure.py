"""What a fall in one destination costs, and what past falls say about making it up elsewhere.

An episode is a year in which exports to a large destination fell. What was made up is what the other markets took
beyond their own demand: x_jt - x_j,t-1 M_jt/M_j,t-1 summed over j, with M a market's imports from everybody (constant
market shares: Tyszynski 1951; Leamer & Stern 1970). A change of plain exports elsewhere would only show that the
world's demand moves together. Episodes of one year share the same year, so the bootstrap draws whole years (Efron 1979;
Cameron, Gelbach & Miller 2008).
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError

MIN_YEARS = 5
"""Fewest different years with a fall from which a share is estimated."""

MAX_STEP = 3.0
"""A market whose recorded imports move by more than this factor in a year has a broken record, and is left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reallocation:
    """The share of past falls that was made up elsewhere in the same year.

    ``episodes`` columns iso3, year, loss_usd_m (positive), elsewhere_usd_m (change of exports to all others),
    gained_usd_m (what others took beyond their demand); ``made_up`` sum of gains over sum of losses, ``low`` and
    ``high`` its bootstrap percentile interval at ``level`` per cent. All three are None below MIN_YEARS years.
    """

    episodes: pd.DataFrame
    made_up: float | None
    low: float | None
    high: float | None
    level: int

    @property
    def n_years(self) -> int:
        return int(self.episodes.year.nunique())

    @property
    def undecided(self) -> bool:
        """Whether neither "nothing was made up" nor "everything was" can be ruled out."""
        return self.made_up is None or (self.low <= 0 and self.high >= 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shock:
    """Exports lost if a destination takes less, before anything is made up: US$ million and per cent of all exports."""

    loss_usd_m: float
    loss_pct: float


def shock(exports: pd.Series, partner: str, shock_pct: float) -> Shock:
    """The first-round loss when ``partner`` takes ``shock_pct`` per cent less; ``exports`` by ISO3, US$ million.

    Raises :class:`ModelInputError` for a partner without exports or a fall outside 0 to 100 per cent.
    """
    value = float(exports.get(partner, np.nan))
    if not value > 0:
        raise ModelInputError(f"shock: no exports to {partner!r} in this year; name a partner by its ISO3 code")
    if not 0 <= shock_pct <= 100:
        raise ModelInputError(f"shock: a fall of {shock_pct} per cent is not between 0 and 100")
    loss = value * shock_pct / 100
    return Shock(loss_usd_m=loss, loss_pct=100 * loss / float(exports.sum()))


def episodes(exports: pd.DataFrame, demand: pd.DataFrame, *, fall_pct: float, min_share_pct: float) -> pd.DataFrame:
    """Falls of at least ``fall_pct`` in destinations that took at least ``min_share_pct`` the year before.

    ``exports`` and ``demand`` (a market's imports from everybody) are years x ISO3 in US$ million; years without
    demand give no episode. Columns as in :class:`Reallocation`.
    """
    if fall_pct <= 0 or min_share_pct <= 0:
        raise ModelInputError("episodes: the fall and the share must be above zero")
    x = exports.astype(float).fillna(0.0)
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


def reallocation(found: pd.DataFrame, *, n_draws: int, level: int, seed: int) -> Reallocation:
    """Pool the episodes and draw their years ``n_draws`` times with replacement; deterministic by ``seed``."""
    if not 0 < level < 100 or n_draws < 1:
        raise ModelInputError("reallocation: level must be between 0 and 100 and at least one draw asked for")
    by_year = found.groupby("year")[["gained_usd_m", "loss_usd_m"]].sum().to_numpy()
    if len(by_year) < MIN_YEARS:
        return Reallocation(episodes=found, made_up=None, low=None, high=None, level=level)
    drawn = np.random.default_rng(seed).integers(0, len(by_year), (n_draws, len(by_year)))
    gained, lost = by_year[drawn].sum(axis=1).T
    low, high = np.quantile(gained / lost, [(1 - level / 100) / 2, (1 + level / 100) / 2])
    made_up = by_year[:, 0].sum() / by_year[:, 1].sum()
    return Reallocation(episodes=found, made_up=float(made_up), low=float(low), high=float(high), level=level)
