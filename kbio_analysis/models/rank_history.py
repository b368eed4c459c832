"""Places among exporters as they were: who stood where, what a place took, and who ever climbed to one.

Panels are wide (yearly PeriodIndex x ISO3, US$ million) and hold one definition each. A member that is not held in a
year counts as standing below those that are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import frequency_of
from kbio_analysis.models.conformal import clopper_pearson


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where ``value_usd_m`` would stand in ``year`` in home's stead.

    ``rank`` among ``n_held``; ``share_of_place_pct``: of the place-th largest other; ``last_year_enough``: the last
    year in which it exceeded that other, None if never since ``first_year``, the first comparable one.
    """

    value_usd_m: float
    year: int
    rank: int
    n_held: int
    share_of_place_pct: float
    last_year_enough: int | None
    first_year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """Exporters once ranked ``ranks[0]`` to ``ranks[1]``, and whether they stood at ``place`` or better within a span.

    ``cases``: one row an exporter and year of origin: member, origin, rank, best_rank, best_year, entered, apart.
    ``apart`` marks windows that do not overlap, back from the latest; ``low`` and ``high`` are the exact 95% range of
    the share among those. ``first_year``: the first comparable year of the panel.
    """

    ranks: tuple[int, int]
    place: int
    within_years: int
    first_year: int
    cases: pd.DataFrame
    low: float
    high: float

    @property
    def n(self) -> int:
        return len(self.cases)

    @property
    def entered(self) -> int:
        return int(self.cases.entered.sum())


def standings(panel: pd.DataFrame) -> pd.DataFrame:
    """Place of every member in every year, 1 the largest; equal values share the better place; NaN where not held."""
    if frequency_of(panel.index, "exporter panel") != "annual":
        raise ModelInputError("standings need an annual panel; sum months to years first")
    return panel.rank(axis=1, ascending=False, method="min")


def first_comparable_year(panel: pd.DataFrame, place: int) -> int:
    """The first year that holds half of the most members ever held, and after which none enters at ``place`` or better.

    A member that turns up so high was large before, only not yet read: until it is there, the places up to ``place``
    are not those of the world.
    """
    places = standings(panel)
    held = places.notna().sum(axis=1)
    entry = places.apply(pd.Series.first_valid_index)
    late = [p for member, p in entry.items() if p is not None and places.loc[p, member] <= place]
    return max([held.index[held >= held.max() / 2][0], *late]).year


def comparable_standings(panel: pd.DataFrame, place: int) -> pd.DataFrame:
    """:func:`standings` from the first comparable year on, with the years as integers."""
    ranks = standings(panel).set_axis(panel.index.year, axis=0)
    return ranks[ranks.index >= first_comparable_year(panel, place)]


def ladder(panel: pd.DataFrame, home: str, place: int) -> pd.DataFrame:
    """Home against the ``place``-th largest of the others, by year (int) from the first comparable one.

    Columns n_held, home_rank, home_usd_m, rival (ISO3 of that other), rival_usd_m, multiple (rival over home),
    home_share_pct and rival_share_pct (of all held). Home's columns are NaN while it is not held.
    Raises ModelInputError if home is not in the last year or fewer than ``place`` others ever are.
    """
    if home not in panel.columns or not panel[home].iloc[-1] > 0:
        raise ModelInputError(f"{home} is not held in {panel.index[-1]}: use a later as_of or another definition")
    first = first_comparable_year(panel, place)
    places, rows = standings(panel), {}
    for period, values in panel.iterrows():
        others = values.drop(home).dropna().sort_values(ascending=False)
        if period.year < first or len(others) < place:
            continue
        total, own = values.sum(), values[home]
        rows[period.year] = {
            "n_held": int(values.notna().sum()),
            "home_rank": places.loc[period, home],
            "home_usd_m": own,
            "rival": others.index[place - 1],
            "rival_usd_m": float(others.iloc[place - 1]),
            "multiple": float(others.iloc[place - 1]) / own,
            "home_share_pct": 100 * own / total,
            "rival_share_pct": 100 * float(others.iloc[place - 1]) / total,
        }
    if panel.index[-1].year not in rows:
        raise ModelInputError(
            f"fewer than {place} exporters beside {home} in {panel.index[-1]}: ask for a higher place"
        )
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("year")


def placement(panel: pd.DataFrame, home: str, value_usd_m: float, place: int) -> Placement:
    """Where home would stand in the last year if it exported ``value_usd_m``."""
    rungs = ladder(panel, home, place)
    others = panel.iloc[-1].drop(home).dropna()
    enough = rungs.index[rungs.rival_usd_m < value_usd_m]
    return Placement(
        value_usd_m=value_usd_m,
        year=int(rungs.index[-1]),
        rank=1 + int((others > value_usd_m).sum()),
        n_held=len(others) + 1,
        share_of_place_pct=100 * value_usd_m / float(rungs.rival_usd_m.iloc[-1]),
        last_year_enough=int(enough[-1]) if len(enough) else None,
        first_year=int(rungs.index[0]),
    )


def entries(panel: pd.DataFrame, *, ranks: Sequence[int], place: int, within_years: int) -> Entries:
    """How often an exporter ranked ``ranks[0]`` to ``ranks[-1]`` stood at ``place`` or better within ``within_years``.

    An origin counts once its window has closed by the panel's last year; of an irregular panel only the years it
    holds are seen. Ranks at or above ``place`` are left out of the band.
    """
    if not ranks or within_years < 1:
        raise ModelInputError(f"ranks {list(ranks)} within {within_years} years: give ranks and one year or more")
    low_rank, high_rank = max(min(ranks), place + 1), max(ranks)
    places = comparable_standings(panel, place)
    origins = [year for year in places.index if year <= places.index[-1] - within_years]
    apart: list[int] = []
    for year in reversed(origins):
        if not apart or year + within_years <= apart[-1]:
            apart.append(year)
    rows = []
    for year in origins:
        window = places.loc[year + 1 : year + within_years]
        if window.empty:
            continue
        for member, rank in places.loc[year].items():
            if low_rank <= rank <= high_rank:
                best = float(window[member].min())
                when = int(window[member].idxmin()) if np.isfinite(best) else None
                rows.append((member, year, int(rank), best, when, best <= place, year in apart))
    columns = ["member", "origin", "rank", "best_rank", "best_year", "entered", "apart"]
    cases = pd.DataFrame(rows, columns=columns)
    separate = cases[cases.apart.astype(bool)]
    low, high = clopper_pearson(int(separate.entered.sum()), len(separate)) if len(separate) else (0.0, 1.0)
    return Entries(
        ranks=(low_rank, high_rank),
        place=place,
        within_years=within_years,
        first_year=int(places.index[0]),
        cases=cases,
        low=low,
        high=high,
    )
