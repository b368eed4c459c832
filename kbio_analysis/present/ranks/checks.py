"""Sentences and tables about how far the odds may be trusted: assumptions, base rates, a test run, limits."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from kbio_analysis.models.rank_growth import RULES
from kbio_analysis.models.rank_history import Entries
from kbio_analysis.models.ranks import RankOdds
from kbio_analysis.present.ranks.words import been, exporters, place_name, places
from kbio_analysis.present.text import chance, chance_range, count, odds_word
from kbio_analysis.vocabulary import SHORT_CLASSIFICATIONS, UNREAD_EXPORTERS


def spread_sentence(spread: pd.DataFrame, odds: RankOdds) -> str:
    """How far the chance moves over the assumptions."""
    low, high = spread.min().min(), spread.max().max()
    if chance(low) == chance(high):
        return f"No assumption below moves the chance away from {chance(low)}."
    by_rule, by_shock = np.ptp(spread.mean(axis=1)), np.ptp(spread.mean())
    more = "what is supposed of lasting growth" if by_rule > by_shock else "how far shocks go together"
    words = list(dict.fromkeys([odds_word(low), odds_word(high)]))
    return (
        f"Over the assumptions below, the chance of {place_name(odds.place)} runs from "
        f"{chance(low)} to {chance(high)}: "
        f"{' to '.join(words)}. What moves it most is {more}."
    )


def spread_table(spread: pd.DataFrame) -> pd.DataFrame:
    """Chance by rule and correlation."""
    frame = spread.set_axis([f"Correlation {rho:.2f}" for rho in spread.columns], axis=1)
    return frame.set_axis([RULES[r].capitalize() for r in spread.index]).rename_axis("Lasting growth").reset_index()


def unseen_sentence(odds: RankOdds, classification: str) -> str:
    """What an exporter the panel does not hold would do to the chance."""
    if classification not in UNREAD_EXPORTERS:
        return f"{SHORT_CLASSIFICATIONS[classification]} holds every exporter that reports, so no place is hidden."
    one = "there is no place left to reach" if odds.place == 1 else f"falls to {chance(odds.chance_of(odds.place - 1))}"
    text = (
        f"{SHORT_CLASSIFICATIONS[classification]} is read for large exporters without "
        f"{UNREAD_EXPORTERS[classification]}: each of these that stands above Korea takes a place. "
    )
    if odds.place == 1:
        return f"{text}With one such exporter {one}."
    return f"{text}With one of them always in front, the chance of {chance(odds.probability)} {one}."


def entries_sentence(found: Mapping[str, Entries]) -> str:
    """How often an exporter of Korea's kind of rank has entered the top, definition by definition."""
    parts = []
    for name, e in found.items():
        label = f"{SHORT_CLASSIFICATIONS[name]} since {e.first_year}"
        if e.n == 0:
            parts.append(f"{label}: no case")
            continue
        who = sorted(set(e.cases.member[e.cases.entered.astype(bool)]))
        by = f", by {exporters(who)}" if who else ""
        apart = e.cases[e.cases.apart.astype(bool)]
        parts.append(
            f"{label}: {e.entered} of {count(e.n, 'start')}{by} ({int(apart.entered.sum())} of {len(apart)} that do "
            f"not overlap, 95% range {chance_range(e.low, e.high)})"
        )
    e = next(iter(found.values()))
    if e.ranks[0] > e.ranks[1]:
        return f"No rank of the band asked for lies below {place_name(e.place)}, so nobody could enter from it."
    return (
        f"An exporter ranked {places(*e.ranks)} {been(e.place)} within {count(e.within_years, 'year')}: "
        f"{'; '.join(parts)}."
    )


def hindcast_sentence(table: pd.DataFrame | None, *, classification: str, place: int, years: int) -> str:
    """How the simulation would have read ``years`` earlier, against the forecast that nothing changes."""
    name = SHORT_CLASSIFICATIONS[classification]
    if table is None:
        return (
            f"{name} is not held, or not comparable, {count(years, 'year')} before its last year: no test is possible."
        )
    hit = table.hit.astype(float)
    brier, stay = ((table.chance - hit) ** 2).mean(), ((table.rank_then <= place) != table.hit).mean()
    verdict = "equal to" if f"{brier:.3f}" == f"{stay:.3f}" else "better than" if brier < stay else "worse than"
    new = list(table.index[table.hit & (table.rank_then > place)])
    entered = f"new there: {exporters(new)}" if new else "nobody was new there"
    inside = int(table.inside_80.sum())
    return (
        f"Run on {name} as of {table.attrs['origin_year']}, the simulation gave those later at {place_name(place)} or "
        f"better {chance(table.chance[table.hit].mean())} on average and the rest "
        f"{chance(table.chance[~table.hit].mean())}; {entered}. Its mean squared error is {brier:.3f}, {verdict} the "
        f"{stay:.3f} of supposing that nothing changes, and its 80% ranges held {inside} of {len(table)} ranks of "
        f"{table.attrs['end_year']}."
    )


def limit_sentences(odds: RankOdds, rungs: pd.DataFrame, *, classification: str) -> Sequence[str]:
    """What the page cannot tell."""
    held, year = int((rungs.home_usd_m > 0).sum()), rungs.index[-1]
    sentences = [
        f"Korea's own record in {SHORT_CLASSIFICATIONS[classification]} holds {count(held, 'comparable year')} up to "
        f"{year}; its volatility and lasting growth are drawn largely from the other exporters.",
    ]
    if classification in UNREAD_EXPORTERS:
        sentences += [
            "The figures are flows reconciled from both sides, transcribed by hand from one vintage, far below customs "
            "figures for entrepots, and a missing one means a small flow, not none.",
        ]
    else:
        sentences += [
            f"It counts all pharmaceuticals, holds a few years only and ends in {year}, so a run to {odds.target_year} "
            f"spans {count(odds.years, 'year')}.",
            "Odd values are kept as reported: one that jumps, as Panama's does, gives its exporter too wide a range.",
        ]
    return [
        *sentences,
        "No product codes are published with the strategy's rank or level, so no ladder can be proved to be its own.",
        "The vaccine years move places up and back again; the simulation takes them as ordinary shocks.",
        "One vintage of each figure is held, so a run at an earlier date is only nearly in real time.",
    ]
