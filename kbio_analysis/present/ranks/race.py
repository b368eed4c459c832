"""Sentences and tables about places to come: the answer, the field, and whether the aim will do."""

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd

from kbio_analysis.models.rank_growth import Race
from kbio_analysis.models.ranks import RankOdds
from kbio_analysis.present.ranks.words import (
    exporter,
    money,
    ordinal,
    place_name,
    places,
    reaching,
    the_exporter,
)
from kbio_analysis.present.text import (
    chance,
    count,
    join,
    long_date,
    odds_word,
    pct,
)
from kbio_analysis.vocabulary import HOME, SHORT_CLASSIFICATIONS, UNREAD_EXPORTERS

SHOWN = 12
"""Exporters shown of a long field."""


def answer_sentence(
    odds: RankOdds, rungs: pd.DataFrame, spread: pd.DataFrame, *, classification: str, as_of: date
) -> str:
    """The report's answer: the odds in words and numbers, with the assumptions' range and the rank it starts from."""
    name, last = SHORT_CLASSIFICATIONS[classification], rungs.iloc[-1]
    best = ", a best case because not every exporter is held" if classification in UNREAD_EXPORTERS else ""
    return (
        f"As of {long_date(as_of)}, it is {odds_word(odds.probability)} that Korea {reaching(odds.place)} of {name} "
        f"in {odds.target_year}: {chance(odds.probability)} of simulated paths, {_range(spread)}{best}, "
        f"from {ordinal(int(last.home_rank))} of {int(last.n_held)} in {rungs.index[-1]}."
    )


def path_sentence(odds: RankOdds) -> str:
    """Where the simulation puts Korea, in the middle case and in four of five."""
    end = odds.fan.iloc[-1]
    return (
        f"The simulation puts Korea {ordinal(int(end['median']))} in the middle case and "
        f"{places(int(end.lo_80), int(end.hi_80))} in four of five."
    )


def simulation_sentence(odds: RankOdds, race: Race, *, correlation: float, n_paths: int) -> str:
    """The probability with its simulation error, and the assumed correlation beside the observed one."""
    text = (
        f"Of {count(n_paths, 'path')}, {_fine(odds.probability)} end with Korea at {place_name(odds.place)} or better "
        f"(simulation error {100 * odds.simulation_error:.2f} points). "
    )
    if race.observed_correlation is None:
        return f"{text}Shocks are assumed to have a correlation of {correlation:.2f}; the record shows none."
    return (
        f"{text}Shocks are assumed to have a correlation of {correlation:.2f}; yearly growth in the record has "
        f"{race.observed_correlation:.2f} on average over pairs of exporters.".replace("-0.", "−0.")
    )


def both_sentence(odds_by: Mapping[str, RankOdds], chosen: str) -> str:
    """The same question under the other definition."""
    parts = [
        f"{SHORT_CLASSIFICATIONS[name]}, from {odds.target_year - odds.years}: {chance(odds.probability)}"
        for name, odds in odds_by.items()
        if name != chosen
    ]
    return f"Asked of the other definition, which counts other goods, the chance reads: {join(parts)}."


def field_sentence(odds: RankOdds) -> str:
    """Which of today's top is most exposed, and which outsider is nearest."""
    rivals, own = odds.field.drop(HOME), odds.probability
    inside, outside = rivals[rivals.rank_now <= odds.place], rivals[rivals.rank_now > odds.place]
    if inside.empty:
        text = "The largest exporter now is Korea itself."
    else:
        exposed, left = inside.chance.idxmin(), chance(inside.chance.min())
        holders = "Of those now there" if len(inside) > 1 else "The only rival now there,"
        most = f", {the_exporter(exposed)} is the most exposed: it" if len(inside) > 1 else f" {the_exporter(exposed)},"
        text = f"{holders}{most} {reaching(odds.place)} in {odds.target_year} in {left} of paths."
    ahead = outside[outside.chance > own].sort_values("chance", ascending=False)
    if ahead.empty:
        return f"{text} No exporter from further down has a better chance to be there than Korea's {chance(own)}."
    parts = [f"{the_exporter(iso)} {chance(p)}" for iso, p in ahead.chance.head(3).items()]
    parts += [] if len(ahead) <= 3 else [f"{count(len(ahead) - 3, 'other')} with less"]
    have = "exporter from further down has" if len(ahead) == 1 else "exporters from further down have"
    return f"{text} {len(ahead)} {have} a better chance to be there than Korea ({chance(own)}): {join(parts)}."


def field_table(odds: RankOdds) -> pd.DataFrame:
    """The contenders with the best chances, Korea always among them."""
    top_rows = odds.field.sort_values(["chance", "usd_m"], ascending=False).head(SHOWN)
    rows = top_rows if HOME in top_rows.index else pd.concat([top_rows, odds.field.loc[[HOME]]])
    frame = pd.DataFrame(
        {
            "Exporter": [exporter(i) for i in rows.index],
            "Latest, US$ million": rows.usd_m.to_numpy(),
            "Rank now": rows.rank_now.to_numpy(),
            "Chance of the place": rows.chance.to_numpy(),
            "Middle rank": rows.median_rank.to_numpy(),
            "80% range": [places(r.lo_80, r.hi_80) for r in rows.itertuples()],
        }
    )
    return frame


def enough_sentence(odds: RankOdds, aim_usd_m: float, growth_pct: Mapping[str, float]) -> str:
    """What the place will take if the exporters together grow at outside rates, and whether the aim suffices."""
    parts = []
    for label, rate in growth_pct.items():
        level = odds.place_usd_m * (1 + rate / 100) ** odds.years
        low, middle, high = np.quantile(level, [0.1, 0.5, 0.9])
        parts.append(
            f"growing {label} ({pct(rate)} a year), {place_name(odds.place)} takes {money(middle)} in the middle case "
            f"({money(low)} to {money(high)} in four of five) and {money(aim_usd_m)} is enough in "
            f"{chance(enough(odds, aim_usd_m, rate))} of paths"
        )
    return f"Growth common to all moves no rank but sets the level: with the exporters together {'; '.join(parts)}."


def enough(odds: RankOdds, aim_usd_m: float, growth_pct: float) -> float:
    """Share of paths in which ``aim_usd_m`` exceeds the place's level, the exporters' mean growth being given."""
    level = odds.place_usd_m * (1 + growth_pct / 100) ** odds.years
    return (1 + float((level < aim_usd_m).sum())) / (2 + len(level))


def _range(spread: pd.DataFrame) -> str:
    low, high = spread.min().min(), spread.max().max()
    if chance(low) == chance(high):
        return "the same at every assumption tried"
    return f"from {chance(low)} to {chance(high)} over the assumptions tried"


def _fine(probability: float) -> str:
    """A share of paths with one decimal, never 0.0% or 100.0%."""
    share = 100 * probability
    return "under 0.1%" if share < 0.1 else "over 99.9%" if share > 99.9 else pct(share)
