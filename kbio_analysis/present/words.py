"""One word a format: what turns a number, a date or a list into text, in sentences, tables and charts alike.

A word never computes; it rounds and spells. Every one of them can be used in a ``%%say`` cell, as the format of a
table's column, and as the format of a chart's axis. A minus is the typographic one.
"""

from collections.abc import Callable, Iterable
from datetime import date
from math import ceil, expm1, floor, isfinite, log10
from typing import Any, Literal

from kbio_analysis.vocabulary import ODDS, UNITS, WITH_ARTICLE

MISSING = "–"

_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def number(value: float, decimals: int = 0) -> str:
    """``1,234``: grouped, with a true minus; what rounds to nothing has no sign."""
    return _signed(value, f",.{decimals}f")


def sig(value: float, digits: int = 2) -> str:
    """``digits`` significant figures, grouped and never in powers of ten: ``1,200``, ``0.34``."""
    return number(_rounded(value, digits), max(0, _decimals(value, digits))) if value else "0"


def usd(
    value_usd_m: float,
    digits: int | None = None,
    *,
    unit: Literal["m", "bn"] | None = None,
    decimals: int | None = None,
    signed: bool = False,
) -> str:
    """A value in US$ million: ``US$11.6bn``, ``US$413m``, ``−US$1.2bn``, ``US$0.35m``.

    In billions from 1,000 on, else in millions; ``unit`` forces one. ``digits`` rounds to so many significant figures
    (``US$410m`` where an interval is wide), ``decimals`` sets the digits after the point, ``signed`` puts a plus before
    what is above zero. Less than US$0.1m is given in dollars: ``US$3,200``.
    """
    value = _rounded(value_usd_m, digits) if digits and value_usd_m else value_usd_m
    if 0 < abs(value) < 0.1 and unit is None and decimals is None:
        return f"{'−' if value < 0 else ''}US${sig(1e6 * abs(value), digits or 2)}"
    billions = unit == "bn" if unit else round(abs(value)) >= 1000
    amount = abs(value) / 1000 if billions else abs(value)
    if decimals is None:
        decimals = 1 if billions and not digits else max(0, _decimals(amount, digits or 2)) if amount else 0
    if amount == 0:
        return "US$0"
    text = f"US${amount:,.{decimals}f}{'bn' if billions else 'm'}"
    nothing = not any(c in "123456789" for c in text)
    return text if nothing else f"−{text}" if value < 0 else f"+{text}" if signed else text


def pct(value: float, decimals: int = 1) -> str:
    """A percentage: ``12.2%``."""
    return f"{number(value, decimals)}%"


def signed_pct(value: float, decimals: int = 1) -> str:
    """A change in per cent with its sign: ``+18.2%``."""
    return f"{_signed(value, f'+,.{decimals}f')}%"


def change(log_effect: float, decimals: int = 0) -> str:
    """Log points as a change in per cent: 0.33 gives ``+39%``."""
    return signed_pct(100 * expm1(log_effect), decimals)


def log_points(value: float, decimals: int = 2) -> str:
    """``+0.42``."""
    return _signed(value, f"+.{decimals}f")


def points(value: float, decimals: int = 1) -> str:
    """Percentage points, without a sign of their own unless negative: ``4.2 points``, ``1 point``."""
    text = number(value, decimals)
    return f"{text} point" if text in ("1", "−1") else f"{text} points"


def times(multiple: float, decimals: int = 1) -> str:
    """``2.0 times``."""
    return f"{number(multiple, decimals)} times"


def plain(value: float) -> str:
    """A number as an analyst would type it, as a parameter is: ``11.9``, ``−3``."""
    return _minus(f"{value:g}")


def p_value(value: float) -> str:
    """A p-value to two figures: ``0.51``, ``0.029``; below a thousandth ``under 0.001``."""
    return "under 0.001" if value < 0.001 else f"{value:.2f}" if value >= 0.095 else f"{value:.3f}"


def chance(probability: float) -> str:
    """A probability in whole per cent, never rounded to certainty: ``41%``, ``under 1%``, ``over 99%``."""
    share = 100 * probability
    return "under 1%" if share < 1 else "over 99%" if share > 99 else f"{share:.0f}%"


def chance_range(low: float, high: float) -> str:
    """Two probabilities as a range, or one figure when they read the same: ``7–57%``."""
    first, last = chance(low), chance(high)
    if first == last:
        return first
    return f"{first} to {last}" if "er" in first + last else f"{first[:-1]}–{last}"


def odds_word(probability: float) -> str:
    """A probability in plain words by one scale; its cut points are 5, 33, 45, 55, 67 and 95 per cent."""
    return next((word for bound, word in ODDS if probability < bound), "very likely")


def span(low: float, high: float, word: Callable[[float], str]) -> str:
    """Two ends in one word each, ``−2% to +27%``; one figure when they read the same."""
    first, last = word(low), word(high)
    return first if first == last else f"{first} to {last}"


def quantity(value: float, unit: str, step: float = 1, *, finer: int = 1) -> str:
    """A value in its unit, ``finer`` digits finer than ``step``: ``US$10.88bn``, ``6.6% a year``, ``4th``."""
    if unit == "rank":
        return ordinal(round(value))
    finer += int(unit == "multiple" and finer > 0)
    decimals = 0 if unit in ("count", "days", "year") else max(0, finer - floor(log10(step)))
    text = f"{value:.0f}" if unit == "year" else number(value, 2 if unit == "true or false" else decimals)
    return UNITS.get(unit, "{}").format(text)


def count(amount: int, noun: str, plural: str | None = None) -> str:
    """``1 case``, ``4 cases``, ``2 countries``; numbers are grouped."""
    return f"{amount:,} {noun if amount == 1 else plural or noun + 's'}"


def spelled(amount: int) -> str:
    """``one`` to ``ten``, then digits."""
    return _NUMBERS[amount - 1] if 1 <= amount <= len(_NUMBERS) else number(amount)


def ordinal(place: int, *, words: bool = False) -> str:
    """``5th``; in ``words`` ``fifth``, up to the tenth."""
    if words and 1 <= place <= len(_ORDINALS):
        return _ORDINALS[place - 1]
    ending = "th" if 10 <= place % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending}"


def day(value: str | date) -> str:
    """``31 August 2026``, from a date, a timestamp or its ISO text."""
    when = date.fromisoformat(value[:10]) if isinstance(value, str) else value
    return f"{when.day} {when:%B %Y}"


def month(value: Any) -> str:
    """``July 2026``, from a period, a date, or its ISO text."""
    when = date.fromisoformat(f"{value[:7]}-01") if isinstance(value, str) else value
    return when.strftime("%B %Y")


def crossing_year(crossing: float) -> str:
    """The first calendar year at or after a fractional one; infinite reads ``never``."""
    return str(ceil(crossing)) if isfinite(crossing) else "never"


def listed(items: Iterable[Any], word: Callable[[Any], str] | None = None) -> str:
    """``a``, ``a and b``, ``a, b and c``; ``none`` for nothing. ``word`` spells each item."""
    texts = [word(item) if word else str(item) for item in items]
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}" if texts else "none"


def pick(value: float, below: str, level: str, above: str, *, within: float = 0.0) -> str:
    """One of three texts for a number against zero; ``level`` when it is nearer to it than ``within``."""
    return level if abs(value) < within or value == 0 else below if value < 0 else above


def possessive(name: str) -> str:
    """``India's``, ``the Philippines'``."""
    return f"{name}'" if name.endswith("s") else f"{name}'s"


def the(name: str) -> str:
    """A country's name within a sentence: ``the United Kingdom``, ``Japan``."""
    plural = name.startswith("United ") or name.endswith((" Islands", " Republic", " Territories"))
    return f"the {name}" if plural or name in WITH_ARTICLE else name


def capital(text: str) -> str:
    """The text with its first letter in capital, the rest as it is."""
    return text[:1].upper() + text[1:]


def formatted(value: Any, how: str | Callable[[Any], str] | None, missing: str = MISSING) -> str:
    """A cell's or a tick's text: by a word, by a format specification or as it is; ``missing`` if it is not there."""
    if value is None or type(value).__name__ in ("NAType", "NaTType") or value != value:
        return missing
    if callable(how):
        return how(value)
    text = format(value, how) if how else str(value)
    return _minus(text) if how else text


def _signed(value: float, spec: str) -> str:
    return _minus(unsigned(format(value, spec)))


def unsigned(text: str) -> str:
    """A formatted number, without its sign where it rounds to nothing."""
    return text if any(c in "123456789" for c in text) else text.lstrip("+-")


def _minus(text: str) -> str:
    return text.replace("-", "−", 1) if text.startswith("-") else text


def _rounded(value: float, digits: int) -> float:
    return round(value, _decimals(value, digits))


def _decimals(value: float, digits: int) -> int:
    return digits - 1 - floor(log10(abs(value)))


WORDS: dict[str, Callable[..., str]] = {
    word.__name__: word
    for word in (
        *(number, sig, usd, pct, signed_pct, change, log_points, points, times, plain, p_value),
        *(chance, chance_range, odds_word, span, quantity, count, spelled, ordinal, day, month, crossing_year),
        *(listed, pick, possessive, the, capital),
    )
}
"""Every word a notebook may use in a sentence, by its name."""
