"""Numbers and verdicts as words: every figure in a sentence passes through one of these."""

import math
from collections.abc import Sequence
from datetime import date


def usd_m(value: float, decimals: int = 0) -> str:
    """US$ million with thousands separators: ``US$11,600m``."""
    return f"US${value:,.{decimals}f}m" if value >= 0 else f"−US${-value:,.{decimals}f}m"


def usd_bn(value_usd_m: float, decimals: int = 1) -> str:
    """A value in US$ million shown in US$ billion: 11600 gives ``US$11.6bn``."""
    return f"US${value_usd_m / 1000:,.{decimals}f}bn"


def pct(value: float, decimals: int = 1) -> str:
    """A percentage: ``12.2%``, with a true minus sign."""
    return f"{value:.{decimals}f}%".replace("-", "−")


def signed_pct(value: float, decimals: int = 1) -> str:
    """A change in per cent with its sign: ``+18.2%``."""
    return f"{value:+.{decimals}f}%".replace("-", "−")


def chance(probability: float) -> str:
    """A probability in whole per cent, never rounded to certainty: ``41%``, ``under 1%``, ``over 99%``."""
    share = 100 * probability
    if share < 1:
        return "under 1%"
    return "over 99%" if share > 99 else f"{share:.0f}%"


def chance_range(low: float, high: float) -> str:
    """Two probabilities as a range, or one figure when they read the same."""
    first, last = chance(low), chance(high)
    if first == last:
        return first
    return f"{first} to {last}" if "er" in first + last else f"{first[:-1]}–{last}"


ODDS = (
    (0.05, "very unlikely"),
    (0.33, "unlikely"),
    (0.45, "less likely than not"),
    (0.55, "about a coin toss"),
)
ODDS_ABOVE = ((0.67, "more likely than not"), (0.95, "likely"), (1.01, "very likely"))


def odds_word(probability: float) -> str:
    """Plain words for a probability; the cut points are 5, 33, 45, 55, 67 and 95 per cent."""
    return next(word for bound, word in ODDS + ODDS_ABOVE if probability < bound)


def join(items: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])} and {items[-1]}" if items else "none"


def count(number: int, noun: str, plural: str | None = None) -> str:
    """``1 point``, ``4 points``; numbers are grouped."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def long_date(day: date) -> str:
    """``31 August 2026``."""
    return f"{day.day} {day:%B %Y}"


def first_year(crossing: float) -> str:
    """The first calendar year at or after a fractional crossing year; infinite reads ``never``."""
    return str(math.ceil(crossing)) if math.isfinite(crossing) else "never"
