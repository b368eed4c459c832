"""Places among exporters as they were: who stood where, what a place took, and who ever climbed.

Panels are wide (years x ISO3, US$ million; years as integers, dates or yearly periods) and hold one definition each. A
member that is not held in a year counts as standing below those that are.
"""

from collections.abc import Mapping, Sequence

import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import whole_years


def yearly(panel: pd.DataFrame) -> pd.DataFrame:
    """The panel by whole years; refused unless it is a frame of years, each once."""
    panel = whole_years(panel, "exporter panel")
    if panel.empty or panel.index.has_duplicates:
        raise ModelInputError("exporter panel: give one row a year, each once, and one column an exporter")
    return panel


def standings(panel: pd.DataFrame) -> pd.DataFrame:
    """Place of every member by year (int), 1 the largest; equal values share the better place; NaN where not held."""
    return yearly(panel).rank(axis=1, ascending=False, method="min")


def first_comparable_year(panel: pd.DataFrame, place: int) -> int:
    """The first year that holds half of the most members ever held, and after which none enters at ``place`` or better:
    one that turns up so high was large before, only not yet read."""
    places = standings(panel)
    held = places.notna().sum(axis=1)
    entry = places.apply(pd.Series.first_valid_index).dropna().astype(int)
    late = [year for member, year in entry.items() if places.loc[year, member] <= place]
    return int(max([held.index[held >= held.max() / 2][0], *late]))


def comparable_standings(panel: pd.DataFrame, place: int) -> pd.DataFrame:
    """:func:`standings` from the first comparable year on."""
    return standings(panel).loc[first_comparable_year(panel, place) :]


def ladder(panel: pd.DataFrame, home: str, place: int) -> pd.DataFrame:
    """Home against the ``place``-th largest of the others, by year (int) from the first comparable one.

    Columns n_held, home_rank, home_usd_m, rival (ISO3 of that other), rival_usd_m, multiple (rival over home) and
    gap_points (between their shares of all held, in per cent). Home's are NaN while it is not held.
    Raises ModelInputError if home is not in the last year or fewer than ``place`` others ever are.
    """
    panel = yearly(panel)
    if home not in panel.columns or not panel[home].iloc[-1] > 0:
        raise ModelInputError(f"{home} is not held in {panel.index[-1]}: use a later as_of or another definition")
    places, rows = comparable_standings(panel, place), {}
    for year in places.index:
        others = panel.loc[year].drop(home).dropna().sort_values(ascending=False)
        if len(others) < place:
            continue
        total, own, level = panel.loc[year].sum(), panel.at[year, home], float(others.iloc[place - 1])
        rows[year] = {
            "n_held": int(panel.loc[year].notna().sum()),
            "home_rank": places.at[year, home],
            "home_usd_m": own,
            "rival": others.index[place - 1],
            "rival_usd_m": level,
            "multiple": level / own,
            "gap_points": 100 * level / total - 100 * own / total,
        }
    if panel.index[-1] not in rows:
        raise ModelInputError(
            f"fewer than {place} exporters beside {home} in {panel.index[-1]}: ask for a higher place"
        )
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("year")


def placements(panel: pd.DataFrame, home: str, values_usd_m: Mapping[str, float], place: int) -> pd.DataFrame:
    """Where home would stand in the last year if it exported each of ``values_usd_m``: one row a label.

    Columns value_usd_m, would_rank, n_held, share_of_place_pct (of the ``place``-th largest other) and
    last_year_enough: the last in which the value exceeded that other, None if never since the first comparable year.
    """
    rungs, others = ladder(panel, home, place), panel.iloc[-1].drop(home).dropna()
    frame = pd.DataFrame({"value_usd_m": values_usd_m})
    frame["would_rank"] = [1 + int((others > value).sum()) for value in frame.value_usd_m]
    frame["n_held"] = len(others) + 1
    frame["share_of_place_pct"] = 100 * frame.value_usd_m / float(rungs.rival_usd_m.iloc[-1])
    enough = [rungs.index[rungs.rival_usd_m < value] for value in frame.value_usd_m]
    frame["last_year_enough"] = pd.Series([int(e[-1]) if len(e) else None for e in enough], frame.index, dtype=object)
    return frame


def entry_cases(panel: pd.DataFrame, *, ranks: Sequence[int], place: int, within_years: int) -> pd.DataFrame:
    """Whether exporters ranked ``ranks[0]`` to ``ranks[-1]`` stood at ``place`` or better within ``within_years``.

    One row an exporter and year of origin: member, origin, entered, apart (its window overlaps no other counted one,
    back from the latest). An origin counts once its window has closed by the panel's last year; of an irregular
    panel only the years it holds are seen. Ranks at or above ``place`` are left out.
    """
    if not ranks or within_years < 1:
        raise ModelInputError(f"ranks {list(ranks)} within {within_years} years: give ranks and one year or more")
    places = comparable_standings(panel, place)
    low, high, apart = max(min(ranks), place + 1), max(ranks), places.index[-1] + 1
    rows = []
    for year in reversed(places.index[places.index <= places.index[-1] - within_years]):
        window = places.loc[year + 1 : year + within_years]
        separate = year + within_years <= apart
        apart = year if separate else apart
        for member, rank in places.loc[year].items():
            if len(window) and low <= rank <= high:
                rows.append((member, year, bool(window[member].min() <= place), separate))
    cases = pd.DataFrame(rows, columns=["member", "origin", "entered", "apart"])
    return cases.astype({"entered": bool, "apart": bool})


def entry_rates(panels: Mapping[str, pd.DataFrame], *, place: int, **band: object) -> pd.DataFrame:
    """:func:`entry_cases` counted, a row a panel: first_year (the first comparable), starts, entered, by (ISO3 of those
    that entered), starts and entries whose windows do not overlap (starts_apart, entered_apart), and the exact 95%
    range low to high of the share among those (0 to 1 without any)."""
    rows = {}
    for name, panel in panels.items():
        cases = entry_cases(panel, place=place, **band)
        apart, entered = cases[cases.apart], cases.entered[cases.apart].sum()
        low, high = proportion_confint(int(entered), len(apart), method="beta") if len(apart) else (0.0, 1.0)
        rows[name] = {
            "first_year": first_comparable_year(panel, place),
            "starts": len(cases),
            "entered": int(cases.entered.sum()),
            "by": sorted(set(cases.member[cases.entered])),
            "starts_apart": len(apart),
            "entered_apart": int(entered),
            "low": low,
            "high": high,
        }
    return pd.DataFrame.from_dict(rows, orient="index")
