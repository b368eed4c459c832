"""Sentences on who buys: shares of destinations, concentration, and what made exports grow."""

from collections.abc import Sequence

import pandas as pd

from kbio_analysis.models.concentration import ShiftShare
from kbio_analysis.present.text import join, pct, signed_pct

LEVEL_POINTS = 1.0
"""A change of the joint share by less than this many percentage points reads "about as much"."""

BIG_TWO = "United States and China"


def answer_sentence(shares: pd.DataFrame, concentration: pd.DataFrame, room: Sequence[str], *, base_year: int) -> str:
    """Whether the joint share of the United States and China moved, why, and where exports fall short.

    ``shares`` per cent by year with the columns United States, China and ASEAN; ``room`` names of the markets with
    the widest gaps, widest first, perhaps none.
    """
    last_year = int(shares.index[-1])
    last, base = shares.loc[last_year], shares.loc[base_year]
    both, before = last["United States"] + last["China"], base["United States"] + base["China"]
    change = last - base
    partners = concentration.effective_partners
    text = (
        f"In {last_year} the {BIG_TWO} together took {pct(both)} of Korea's exports, {_beside(both - before)} "
        f"{pct(before)} of {base_year}: China's share {moved(change['China'])}, the United States' "
        f"{moved(change['United States'])} and ASEAN's {moved(change['ASEAN'])} to {pct(last['ASEAN'])}, and exports "
        f"were as spread as over {partners[last_year]:.1f} equal partners after {partners[base_year]:.1f}"
    )
    if not room:
        return text + "; no other market lies below what its size and distance would suggest."
    return (
        f"{text}; the widest gaps below what size and distance suggest are in {join([the(name) for name in room])}, "
        "which is a comparison and not a promise."
    )


def the(name: str) -> str:
    """A country's name within a sentence: ``the United Kingdom``, ``Japan``."""
    plural = name.startswith("United ") or name in (
        "European Union",
        "Middle East",
        "Netherlands",
        "Philippines",
        "Maldives",
        "Bahamas",
        "Gambia",
    )
    return f"the {name}" if plural else name


def _beside(points: float) -> str:
    if abs(points) < LEVEL_POINTS:
        return "about as much as the"
    return f"{abs(points):.1f} points {'more' if points > 0 else 'less'} than the"


def moved(points: float) -> str:
    """``fell by 7.1 points``, ``rose by 6.3 points`` or ``did not move``, rounded to a tenth."""
    size = f"{abs(points):.1f}"
    return "did not move" if size == "0.0" else f"{'rose' if points > 0 else 'fell'} by {size} points"


def path_sentence(shares: pd.DataFrame) -> str:
    """Where the joint share of the two stood at its highest and lowest, and who led."""
    both = shares["United States"] + shares["China"]
    led = shares["China"] > shares["United States"]
    lead = f"China took more than the United States in {int(led.sum())} of these {len(led)} years"
    last = "China" if led.iloc[-1] else "the United States"
    return (
        f"Over {both.index[0]}–{both.index[-1]} the joint share ran between {pct(both.min())} ({both.idxmin()}) and "
        f"{pct(both.max())} ({both.idxmax()}). {lead}; in {both.index[-1]} {last} led, "
        f"{pct(shares['China'].iloc[-1])} to China against {pct(shares['United States'].iloc[-1])}. ASEAN's share "
        f"passed that of the United States in {int((shares['ASEAN'] > shares['United States']).sum())} of the years "
        f"and China's in {int((shares['ASEAN'] > shares['China']).sum())}."
    )


def concentration_sentence(concentration: pd.DataFrame, *, base_year: int) -> str:
    """The index and its reciprocal at both dates, and whether a change of the two big shares is all of it."""
    last = int(concentration.index[-1])
    first, now = concentration.hhi[base_year], concentration.hhi[last]
    word = "less" if now < first else "more"
    n = concentration.effective_partners
    return (
        f"The Herfindahl-Hirschman index over all partners went from {first:.3f} in {base_year} to {now:.3f} in "
        f"{last}, {word} concentrated: {n[base_year]:.1f} and {n[last]:.1f} equal partners. It was lowest in "
        f"{concentration.hhi.idxmin()} ({concentration.hhi.min():.3f}) and highest in {concentration.hhi.idxmax()} "
        f"({concentration.hhi.max():.3f})."
    )


def published_check_sentence(ours: pd.Series, published: pd.DataFrame) -> str:
    """Our index of the published year beside the printed one, in points of 10,000."""
    row = published[published.measure == "hhi"].iloc[-1]
    gap = 100 * (10_000 * ours[row.year] / row.value - 1)
    agree = "agree" if abs(gap) < 1 else "do not agree"
    return (
        f"For {int(row.year)} the Korea Enterprises Federation printed {row.value:,.1f} points from United Nations "
        f"figures; the customs record gives {10_000 * ours[row.year]:,.1f} ({signed_pct(gap, 2)}): the two {agree} "
        "within one per cent."
    )


def later_sentence(published: pd.DataFrame, panel_end: int) -> str:
    """What was printed for the years after the record ends: another count, not joined."""
    rows = published[(published.measure == "share") & (published.year > panel_end)]
    parts = []
    for partner, label in (("CHN+USA", "China and the United States together"), ("ASEAN", "ASEAN")):
        by_year = rows[rows.partner == partner].groupby("year").value.mean()
        if len(by_year):
            values = [f"{pct(v)} in {int(y)}" for y, v in by_year.items()]
            parts.append(f"{label} {join(values)}")
    if not parts:
        return "Nothing was printed about later years."
    return (
        f"After {panel_end}, where the yearly record ends, papers print first counts, not joined to it: {join(parts)}."
    )


def shift_sentence(decomposed: ShiftShare, *, base_year: int, last_year: int) -> str:
    """Which destinations carried the growth and which held it back."""
    table = decomposed.table[["contribution", "shift"]]
    ahead = table["shift"].sort_values(ascending=False)
    gained = [f"{the(name)} ({_points(v)})" for name, v in ahead[ahead > 0].head(3).items()]
    lost = [f"{the(name)} ({_points(v)})" for name, v in ahead[ahead < 0].iloc[::-1].head(3).items()]
    grew = "grew" if decomposed.growth_pct >= 0 else "shrank"
    text = f"From {base_year} to {last_year} exports {grew} by {pct(abs(decomposed.growth_pct))}."
    if not gained:
        return text + " Every destination moved at the same pace."
    return (
        f"{text} Against the average pace the most was gained in {join(gained)} and lost in {join(lost)}, in "
        "percentage points of that growth; gains and losses cancel by construction."
    )


def _points(value: float) -> str:
    return f"{value:+.1f}".replace("-", "−")
