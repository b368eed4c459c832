"""Will exports reach a target? One law of growth for every year ahead, and every chance read from it.

The year under way comes from its months (:mod:`.nowcast`), the years after it from the yearly growth of many
exporters (:mod:`.growth_predictive`). Chance, interval and year of doubling belong to the same law.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import nowcast
from kbio_analysis.models.checks import check_levels, typed, whole_years
from kbio_analysis.models.growth import required_growth_pct
from kbio_analysis.models.growth_predictive import WINDOW, Components, Predictive, combined_rate, components, predictive

NO_NOWCAST = (0, 10, 20)
"""Growth of the next year in the scenarios where its months say nothing, per cent."""

HORIZON = 60
"""Most years ahead in which a level is looked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """Where exports stand against the base. Values in US$ million on the base's scale, growth in per cent.

    ``history``: the base value moved by a definition's growth since the base year, by year, gaps left out; it ends in
    ``latest_year``. ``growth_since_base_pct`` is None when the definition tells of no later year. ``own`` is the
    definition's figure of the base year, None if it has none.
    """

    base_year: int
    base_usd_m: float
    latest_year: int
    latest_usd_m: float
    history: pd.Series
    growth_since_base_pct: float | None
    own: float | None

    @property
    def own_scale(self) -> float:
        """What turns a value on the base's scale into the definition's own; 1 if it has no figure of the base year."""
        return self.own / self.base_usd_m if self.own else 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """Exports from the last known year on: the years under way by their months, those after them by exporters' growth.

    ``found``: what the growth of exporters is made of; ``rate`` and ``s2_rate`` replace what it says of the lasting
    rate, as in :func:`growth_predictive.predictive`. ``under_way``: laws of log growth in the first years after
    ``start``, and ``nowcasts`` what they come from, on the scale of ``start``.
    """

    start: Position
    found: Components
    under_way: Sequence[Predictive] = ()
    rate: float | None = None
    s2_rate: float = 0.0
    nowcasts: Sequence[nowcast.Nowcast] = ()

    @property
    def now(self) -> nowcast.Nowcast | None:
        """The nowcast of the last year under way."""
        return self.nowcasts[-1] if self.nowcasts else None

    @property
    def last_year(self) -> int:
        """The last year that is known or nowcast."""
        return self.start.latest_year + len(self.under_way)

    def changed(self, **terms: object) -> "Outlook":
        """The same with some of its terms replaced."""
        return replace(self, **terms)

    def law(self, year: int) -> Predictive:
        """The law of log growth from the last known year to ``year``."""
        years, first = year - self.start.latest_year, self.start.latest_year + 1
        if not 1 <= years <= HORIZON:
            raise ModelInputError(f"{year}: the outlook covers {first} to {first + HORIZON - 1}")
        known, rest = self.under_way[:years], years - len(self.under_way)
        centre, s2 = sum(law.centre for law in known), sum(law.sd**2 for law in known)
        if rest < 1:
            return Predictive(centre=centre, sd=float(np.sqrt(s2)))
        later = predictive(self.found, rest, rate=self.rate, s2_rate=self.s2_rate, s2_start=s2)
        return Predictive(centre=centre + later.centre, sd=later.sd)

    def chance(self, level_usd_m: float, year: int) -> float:
        """Probability of at least ``level_usd_m`` in ``year``: 0 or 1 for a year that is known."""
        if year <= self.start.latest_year:
            return float(self.start.history[year] >= level_usd_m)
        return self.law(year).above(float(np.log(level_usd_m / self.start.latest_usd_m)))

    def median(self, year: int) -> float:
        """The middle of the law, US$ million; the figure itself for a year that is known."""
        known = year <= self.start.latest_year
        return float(self.start.history[year] if known else self.start.latest_usd_m * np.exp(self.law(year).centre))

    def required_pct(self, level_usd_m: float, since: int, until: int) -> float | None:
        """Growth a year from the middle of ``since`` to the level in ``until``; None if no year lies between."""
        years = until - since
        return required_growth_pct(self.median(since), level_usd_m, years) if years > 0 else None

    def bands(self, levels: Sequence[int], *, until: int) -> pd.DataFrame:
        """Every year from the first unknown one to ``until``: median and the bounds lo_L and hi_L, US$ million."""
        rows = {}
        for year in range(self.start.latest_year + 1, until + 1):
            rows[year] = {"median": self.median(year)}
            for level in check_levels(levels):
                ends = self.start.latest_usd_m * np.exp(self.law(year).interval(level))
                rows[year] |= dict(zip((f"lo_{level:g}", f"hi_{level:g}"), ends, strict=True))
        return pd.DataFrame.from_dict(rows, orient="index").rename_axis("year")

    def even_year(self, level_usd_m: float) -> float | None:
        """The (fractional) year from which exports stand at the level as likely as not; None within HORIZON if never.

        Known years count as they are; between two years the logs are joined by a line.
        """
        first = self.start.latest_year + 1
        ahead = {year: self.median(year) for year in range(first, first + HORIZON)}
        logs = np.log(pd.concat([self.start.history, pd.Series(ahead, dtype=float)])) - np.log(level_usd_m)
        above = np.flatnonzero(logs.to_numpy() >= 0)
        if not above.size:
            return None
        i, years = int(above[0]), logs.index
        if i == 0:
            return float(years[0])
        left, right = logs.iloc[i - 1], logs.iloc[i]
        return float(years[i] - (years[i] - years[i - 1]) * right / (right - left))


@typed
def position(series: pd.Series, *, base_year: int, base_usd_m: float, until: int | None = None) -> Position:
    """The base value moved by the growth of ``series`` since ``base_year``; years that nobody published are no stop.

    ``until`` drops later years. Without a value for the base year nothing is known after it. Raises ModelInputError
    for a base value that is not positive.
    """
    if not base_usd_m > 0:
        raise ModelInputError(f"base value {base_usd_m}: give a value above zero")
    values = whole_years(series, "series").dropna()
    values = values[(values > 0) & (values.index >= base_year)]
    values = values if until is None else values[values.index <= until]
    own = float(values[base_year]) if base_year in values.index else None
    scaled = values * (base_usd_m / own) if own else pd.Series({base_year: base_usd_m}, dtype=float)
    history = scaled.rename("exports_usd_m").rename_axis("year").sort_index()
    latest = int(history.index[-1])
    return Position(
        base_year=base_year,
        base_usd_m=base_usd_m,
        latest_year=latest,
        latest_usd_m=float(history.iloc[-1]),
        history=history,
        growth_since_base_pct=None if latest == base_year else float(100 * (history.iloc[-1] / base_usd_m - 1)),
        own=own,
    )


def forecast(
    annual: pd.Series,
    monthly: Mapping[str, pd.Series],
    panel: pd.DataFrame,
    *,
    home: str,
    base_year: int,
    base_usd_m: float,
    until: int,
    opinions: Iterable[tuple[float, float]],
    revision_sd: Mapping[str, float] | None = None,
) -> Outlook:
    """The outlook on one day's knowledge: ``annual`` figures of a definition, ``monthly`` series, a ``panel``.

    The years after the last known one that have months are nowcast in turn, on the scale of the base; none where
    ``annual`` does not hold the base year. The panel's exporters other than ``home``, over the last WINDOW years of
    growth, give the law; its own record there is shrunk towards them. ``opinions``: growth of the market in per cent a
    year, with standard errors in points.
    """
    start = position(annual, base_year=base_year, base_usd_m=base_usd_m, until=until)
    nowcasts: list[nowcast.Nowcast] = []
    for year in range(start.latest_year + 1, until + 1 if start.own else 0):
        value = nowcasts[-1].value if nowcasts else start.latest_usd_m
        now = nowcast.nowcast(monthly, annual, year=year, start=value, revision_sd=revision_sd)
        if now is None:
            break
        nowcasts.append(now)
    recent = panel.iloc[-WINDOW - 1 :]
    found = components(recent.drop(columns=home, errors="ignore"), own=recent.get(home))
    rate, s2_rate = combined_rate(found, opinions)
    laws = [now.ahead for now in nowcasts]
    return Outlook(start=start, found=found, under_way=laws, rate=rate, s2_rate=s2_rate, nowcasts=nowcasts)


def alternatives(
    made: Outlook,
    market_pct: Sequence[float],
    errors_points: Sequence[float],
    own_figures: str,
    *,
    levels: Mapping[str, float],
    year: int,
) -> pd.DataFrame:
    """Chance of each of ``levels`` (US$ million) in ``year``, and median_usd_m, as chosen and by every other choice.

    One row a case, every choice changed alone. ``market_pct`` are the published growth rates, ``errors_points`` the
    errors that they may have; ``own_figures`` names the definition whose own figures are the other anchor.
    """
    cases = {"As chosen": made}
    cases["Growth after: the exporters' record alone"] = made.changed(rate=None, s2_rate=0.0)
    for growth in dict.fromkeys(market_pct):
        cases[f"Growth after: {growth:g}% a year".replace("-", "−")] = made.changed(rate=float(np.log1p(growth / 100)))
    for error in dict.fromkeys((min(errors_points), max(errors_points))):
        rate, s2_rate = combined_rate(made.found, [(growth, error) for growth in market_pct])
        cases[f"Market rates trusted to {error:g} points"] = made.changed(rate=rate, s2_rate=s2_rate)
    if made.now:
        for row in made.now.by_series.itertuples():
            alone = Predictive(centre=float(np.log1p(row.growth_pct / 100)), sd=row.sd)
            cases[f"{made.now.year} from {row.Index} alone"] = made.changed(under_way=[*made.under_way[:-1], alone])
        cases["Months not used"] = made.changed(under_way=())
    if made.start.own:
        own = position(made.start.history, base_year=made.start.base_year, base_usd_m=made.start.own)
        cases[f"{own_figures}: its own figures"] = made.changed(start=own)
    chances = {key: [case.chance(level, year) for case in cases.values()] for key, level in levels.items()}
    medians = [case.median(year) for case in cases.values()]
    return pd.DataFrame(chances | {"median_usd_m": medians}, index=pd.Index(list(cases), name="case"))


def curve(made: Outlook, growth_pct: Sequence[float], *, level_usd_m: float, year: int) -> pd.DataFrame:
    """The chance of the level by the growth a year assumed after the year under way: growth_pct, probability."""
    cases = [made.changed(rate=float(np.log1p(growth / 100))) for growth in growth_pct]
    return pd.DataFrame({"growth_pct": growth_pct, "probability": [case.chance(level_usd_m, year) for case in cases]})


def scenarios(made: Outlook, market_pct: Sequence[float], *, level_usd_m: float, year: int) -> pd.DataFrame:
    """Growth of the next year, taken as known, by growth after it: first_pct, after_pct, median_usd_m, probability.

    The next year grows as the 10, 50 and 90% points of its nowcast, or by NO_NOWCAST; after it no growth, the rates of
    ``market_pct`` and the one that just leads from the middle case to the level. Empty if no year lies between.
    """
    years = year - made.start.latest_year - 1
    if years < 1:
        return pd.DataFrame()
    law = made.under_way[0] if made.under_way else None
    first = [100 * float(np.expm1(law.quantile(share))) for share in (0.1, 0.5, 0.9)] if law else NO_NOWCAST
    needed = required_growth_pct(made.start.latest_usd_m * (1 + first[1] / 100), level_usd_m, years)
    rows = []
    for growth, pace in product(first, sorted({0.0, *market_pct, needed})):
        known = Predictive(centre=float(np.log1p(growth / 100)), sd=0.0)
        case = made.changed(under_way=[known], rate=float(np.log1p(pace / 100)))
        rows.append((growth, pace, case.median(year), case.chance(level_usd_m, year)))
    return pd.DataFrame(rows, columns=["first_pct", "after_pct", "median_usd_m", "probability"])
