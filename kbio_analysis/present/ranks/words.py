"""Places, exporters and gaps as words."""

from kbio_analysis.present.ranks.names import EXPORTERS
from kbio_analysis.present.text import join, pct, usd_bn, usd_m

_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
_WITH_ARTICLE = {"ARE", "DOM", "GBR", "NLD", "USA"}


def ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``10th``, ``21st``."""
    ending = "th" if 10 <= number % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def place_name(place: int) -> str:
    """``fifth place``."""
    return f"{_PLACES[place - 1] if place <= len(_PLACES) else ordinal(place)} place"


def top(place: int) -> str:
    """``the five largest exporters``; for the first place ``the largest exporter``."""
    if place == 1:
        return "the largest exporter"
    return f"the {_NUMBERS[place - 1] if place <= len(_NUMBERS) else place} largest exporters"


def reaching(place: int) -> str:
    """``is among the five largest exporters``; for the first place ``is the largest exporter``."""
    return f"is {top(1)}" if place == 1 else f"is among {top(place)}"


def been(place: int) -> str:
    """``was among the five largest exporters``; for the first place ``was the largest exporter``."""
    return reaching(place).replace("is ", "was ", 1)


def exporter(iso3: str) -> str:
    """An exporter's name as it stands in a table."""
    return EXPORTERS.get(iso3, iso3)


def the_exporter(iso3: str) -> str:
    """An exporter's name as it stands in a sentence."""
    return f"the {exporter(iso3)}" if iso3 in _WITH_ARTICLE else exporter(iso3)


def exporters(iso3: list[str]) -> str:
    """Several exporters in a sentence."""
    return join([the_exporter(i) for i in iso3])


def places(low: int, high: int) -> str:
    """``6th to 13th``, or one place when both are the same."""
    return ordinal(low) if low == high else f"{ordinal(low)} to {ordinal(high)}"


def rate(growth_pct: float) -> str:
    """A yearly rate, ``12.2%``; what rounds to nothing is ``0.0%`` without a sign."""
    return pct(round(growth_pct, 1) + 0.0)


def money(value_usd_m: float) -> str:
    """``US$11.6bn``, or in millions below a billion."""
    return usd_bn(value_usd_m) if value_usd_m >= 1000 else usd_m(value_usd_m)


def times(multiple: float) -> str:
    """``4.5 times``."""
    return f"{multiple:.1f} times"
