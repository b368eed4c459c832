"""Places among exporters: who stood where, what a place took, who ever climbed, and will an exporter reach one?

Panels are wide (years x ISO3, US$ million; years as integers, dates or yearly periods) and hold one definition each. A
member that is not held in a year counts as standing below those that are.

All exporters' paths are simulated together and ranked, path by path. Log growth of exporter i in a year is mean +
lead_i + year_t + residual_it: the components of :mod:`.growth_predictive`, whose predictive every exporter's own path
has. What is not known of the mean, which all share, and of each lead is drawn once a path. A path's deviations are
divided by one root of a chi-square over its degrees of freedom, so that the exporters together follow a multivariate
Student t (Kotz & Nadarajah 2004, ch. 1).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from statsmodels.stats.proportion import proportion_confint

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_count, check_names, typed, whole_years
from kbio_analysis.models.growth_predictive import DEGREES, WINDOW, Components, combined_rate, components, leads
from kbio_analysis.models.nowcast import nowcast

RULES = {
    "shrunken": "past leads, shrunk",
    "equal": "no lasting leads",
    "own": "past leads in full",
}
"""What is supposed of the exporters' growth relative to one another; ``own`` is a what-if."""

CONTENDER_SHARE = 0.1
"""Exporters below this share of home's exports are left out: they move neither home nor the place it aims at."""

FEWEST_PATHS = 50
"""With fewer paths that meet a condition, no share of them is given."""


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
    entry = places.notna().to_numpy().argmax(axis=0)  # the row of each member's first place, if it has one
    late = places.index[entry[places.to_numpy()[entry, np.arange(len(entry))] <= place]]
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Race:
    """The contenders in the last year of a panel.

    ``field``: ISO3, largest first; usd_m, own and own_sd, the lasting lead and its standard error, log points a year.
    ``common``: the components of the contenders' growth without home.
    """

    field: pd.DataFrame
    common: Components
    origin_year: int
    home: str

    def rate(self, opinions: Iterable[tuple[float, float]]) -> tuple[float, float]:
        """Growth that all share, log points a year, and its variance: the panel's, weighed as in combined_rate."""
        return combined_rate(replace(self.common, own=0.0, s2_own=0.0), opinions)


@typed
def fit(panel: pd.DataFrame, home: str, *, rule: str = "shrunken") -> Race:
    """Components of the contenders' growth, and every contender's lead, from the panel's last ``WINDOW`` growth rates.

    ``panel``: years (gaps allowed) x ISO3, US$ million, one definition.
    Raises ModelInputError if home is not held in the last year or growth rates are too few.
    """
    check_names(rule, RULES, "rule")
    panel = yearly(panel)
    last = panel.iloc[-1]
    if not last.get(home, np.nan) > 0:
        raise ModelInputError(f"{home} is not held in {panel.index[-1]}: use a later as_of or another definition")
    levels = last[last >= CONTENDER_SHARE * last[home]].sort_values(ascending=False)
    recent = panel.loc[:, levels.index].iloc[-1 - WINDOW :]
    others = recent.drop(columns=home)
    common = components(others)
    known = leads(common, others, recent)
    own, s2 = known["own"], known["s2_own"]
    if rule == "own":
        own = known["lead"].fillna(0.0)
        s2 = (common.s2_residual / known["years"].where(known["years"] > 0)).fillna(common.s2_exporter)
    elif rule == "equal":
        own, s2 = 0.0 * own, 0.0 * s2
    field = pd.DataFrame({"usd_m": levels, "own": own, "own_sd": np.sqrt(s2)})
    return Race(field=field.loc[levels.index], common=common, origin_year=int(panel.index[-1]), home=home)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankOdds:
    """Simulated places, and growth in the same paths.

    ``ranks`` (n_paths,): home's rank in the target year. ``fan``: year x (median, lo_80, hi_80, lo_95, hi_95) of it.
    ``levels``: year x (home, place) x (median, lo_80, hi_80), US$ million, the place being that of the ``place``-th
    largest other. ``field``: one row a contender: usd_m, rank_now, chance, median_rank, lo_80, hi_80. ``growth``
    (n_paths,): log growth of home's headline exports from the origin to the target year. ``place_usd_m`` (n_paths,):
    level of the place in the target year, and ``common_log`` (n_paths,) what of its log all exporters share.
    """

    place: int
    years: int
    ranks: np.ndarray
    fan: pd.DataFrame
    levels: pd.DataFrame
    field: pd.DataFrame
    growth: np.ndarray
    place_usd_m: np.ndarray
    common_log: np.ndarray

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
        return _chance(self.ranks <= place)

    def together(self, multiple: float) -> dict[str, float | None]:
        """Chances of the place and of exports ``multiple`` times those of the origin year, and of each given the other.

        Keys multiple, place_given_multiple, multiple_given_place; a conditional chance is None where fewer than
        FEWEST_PATHS paths meet its condition.
        """
        grown, there = self.growth >= np.log(multiple), self.ranks <= self.place
        return {
            "multiple": _chance(grown),
            "place_given_multiple": _chance(there[grown]) if grown.sum() >= FEWEST_PATHS else None,
            "multiple_given_place": _chance(grown[there]) if there.sum() >= FEWEST_PATHS else None,
        }

    def place_at(self, growth_pct: float) -> np.ndarray:
        """Level of the place in the target year, path by path, if what all share were growth of ``growth_pct``."""
        return self.place_usd_m * np.exp(self.years * np.log1p(growth_pct / 100) - self.common_log)

    def enough(self, value_usd_m: float) -> float:
        """Chance that ``value_usd_m`` exceeds the place's level in the target year."""
        return _chance(self.place_usd_m < value_usd_m)


@typed
def simulate(
    race: Race,
    *,
    place: int,
    target_year: int,
    n_paths: int,
    seed: int,
    rate: tuple[float, float] | None = None,
    known: pd.DataFrame | None = None,
) -> RankOdds:
    """Simulate every contender of :func:`fit` to ``target_year`` and rank them in each path.

    ``rate``: the growth that all share, log points a year, and its variance (default: the panel's mean). ``known``:
    home's growth in the first years after the origin as counted elsewhere; index the years in turn, columns log_growth,
    sd (of that growth) and gap_sd (by which growth in the panel's own definition differs from it), log points.
    Raises ModelInputError for a target year not after the origin or too high a place.
    """
    years = target_year - race.origin_year
    check_count(target_year, "target_year", least=race.origin_year + 1, most=race.origin_year + 100)
    check_count(n_paths, "n_paths", least=100)
    field, common = race.field, race.common
    if not 1 <= place < len(field):
        raise ModelInputError(f"place {place} of {len(field)} contenders: give 1 to {len(field) - 1}")
    mean, s2_mean = (common.mean, common.s2_mean) if rate is None else rate
    rng = np.random.default_rng(seed)
    own, size = field.index.get_loc(race.home), (n_paths, len(field))
    scale = np.sqrt((DEGREES - 2) / rng.chisquare(DEGREES, (n_paths, 1)))
    shared = mean + scale * np.sqrt(s2_mean) * rng.standard_normal((n_paths, 1))
    lasting = shared + field["own"].to_numpy() + scale * field["own_sd"].to_numpy() * rng.standard_normal(size)
    logs = np.tile(np.log(field["usd_m"].to_numpy(dtype=float)), (n_paths, 1))
    headline, common_log, fan, levels = np.zeros(n_paths), np.zeros(n_paths), {}, {}
    for year in range(race.origin_year + 1, target_year + 1):
        together = scale * np.sqrt(common.s2_year) * rng.standard_normal((n_paths, 1))
        step = scale * np.sqrt(common.s2_residual) * rng.standard_normal(size)
        step += lasting + together
        if known is not None and year in known.index:
            counted = known.loc[year]
            grown = counted["log_growth"] + scale[:, 0] * counted["sd"] * rng.standard_normal(n_paths)
            step[:, own] = grown + counted["gap_sd"] * rng.standard_normal(n_paths)
        else:
            grown = step[:, own]
        logs, headline, common_log = logs + step, headline + grown, common_log + (shared + together)[:, 0]
        others = np.sort(np.where(np.arange(len(field)) == own, -np.inf, logs), axis=1)[:, -place]
        fan[year] = _spread(1 + (logs > logs[:, [own]]).sum(axis=1), "inverted_cdf")
        both = {"home": logs[:, own], "place": others}
        levels[year] = {f"{who}_{k}": np.exp(v) for who, x in both.items() for k, v in _spread(x, "linear").items()}
    places = 1 + np.argsort(np.argsort(-logs, axis=1, kind="stable"), axis=1)
    spread = {k: v.astype(int) for k, v in _spread(places, "inverted_cdf").items()}
    found = field[["usd_m"]].assign(rank_now=np.arange(1, len(field) + 1), chance=_chance(places <= place))
    return RankOdds(
        place=place,
        years=years,
        ranks=places[:, own],
        fan=pd.DataFrame.from_dict(fan, orient="index").rename_axis("year"),
        levels=pd.DataFrame.from_dict(levels, orient="index").rename_axis("year"),
        field=found.assign(median_rank=spread["median"], lo_80=spread["lo_80"], hi_80=spread["hi_80"]),
        growth=headline,
        place_usd_m=np.exp(others),
        common_log=common_log,
    )


def known_growth(panel: pd.Series, counted: pd.Series, monthly: Mapping[str, pd.Series]) -> pd.DataFrame | None:
    """Growth of home after the panel's last year as another definition counts it, for :func:`simulate`.

    ``panel`` and ``counted``: home's yearly exports in the panel's definition and in the other; ``monthly`` series from
    which the year after ``counted`` is nowcast, where they allow it (``attrs["nowcast_year"]``, else None). gap_sd is
    the root mean square of the differences of growth in the years that both hold. None if the other definition does
    not hold the panel's last year, or no difference or no later year is known.
    """
    own, other = (np.log(whole_years(s, "home's exports").dropna()) for s in (panel, counted))
    gaps = (other.diff() - own.diff())[[y for y in own.index if {y - 1, y} <= {*own.index} & {*other.index}]]
    if own.index[-1] not in other.index or gaps.dropna().empty:
        return None
    rows = {year: (value, 0.0) for year, value in other.diff().loc[own.index[-1] + 1 :].items()}
    ahead = nowcast(monthly, counted)
    if ahead is not None:
        rows[ahead.year] = (ahead.ahead.centre, ahead.ahead.sd)
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["log_growth", "sd"])
    frame = frame.assign(gap_sd=float(np.sqrt((gaps**2).mean())))
    frame.attrs["nowcast_year"] = ahead and ahead.year
    return frame if rows else None


def hindcast(panel: pd.DataFrame, *, years: int, place: int, n_paths: int, seed: int) -> pd.DataFrame:
    """The simulation run from every earlier year on what the panel held then, ``years`` ahead: a row a contender.

    Columns origin, iso3, rank_then, chance (of ``place`` or better at the end), rank_now, hit, inside_80 (rank within
    the 80% range); ranks count the contenders still held at the end. Empty if no year of the panel can be tested.
    """
    panel, rows = yearly(panel), []
    first = first_comparable_year(panel, place)
    for origin in panel.index[(panel.index >= first) & (panel.index + years).isin(panel.index)]:
        end = origin + years
        kept = panel.loc[:origin, panel.loc[end] > 0]
        kept = kept.loc[:, kept.iloc[-1] > 0]
        try:
            race = fit(kept, kept.iloc[-1].idxmin())
            said = simulate(race, place=place, target_year=int(end), n_paths=n_paths, seed=seed).field
        except ModelInputError:
            # Too short a record then is an answer, not a failure.
            continue
        now = panel.loc[end, said.index].rank(ascending=False, method="min").astype(int)
        table = pd.DataFrame({"rank_then": said.rank_now, "chance": said.chance, "rank_now": now, "hit": now <= place})
        table["inside_80"] = now.between(said.lo_80, said.hi_80)
        rows.append(table.rename_axis("iso3").reset_index().assign(origin=origin))
    columns = ["origin", "iso3", "rank_then", "chance", "rank_now", "hit", "inside_80"]
    return pd.concat(rows)[columns].reset_index(drop=True) if rows else pd.DataFrame(columns=columns)


def _spread(values: np.ndarray, method: str) -> dict[str, float]:
    """Median and the 80% and 95% ranges; ``inverted_cdf`` gives order statistics, never between two ranks."""
    levels = {"median": 0.5, "lo_80": 0.1, "hi_80": 0.9, "lo_95": 0.025, "hi_95": 0.975}
    return dict(zip(levels, np.quantile(values, list(levels.values()), method=method, axis=0), strict=True))


def _chance(hits: np.ndarray) -> np.ndarray:
    """Laplace's rule, (1 + hits) / (2 + n): no finite number of paths makes anything certain or impossible."""
    return (1 + hits.sum(axis=0)) / (2 + len(hits))
