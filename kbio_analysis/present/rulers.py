"""Where values stand on the horizontal axis: years, months, other numbers, dates, or categories in their order."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from kbio_analysis.errors import UsageError
from kbio_analysis.present.canvas import Axis
from kbio_analysis.present.frames import Format, figure, hint, wording
from kbio_analysis.present.words import listed

_MONTH = re.compile(r"\d{4}-\d{2}")
_STEPS = {"M": (1, 2, 3, 6, 12, 24, 36, 60, 120, 240), "Q": (1, 2, 4, 8, 20, 40), "Y": (1, 2, 5, 10, 20, 50)}


class Ruler:
    """Turns the values of one column into positions, and positions into what is read.

    ``kind`` is number, year, period (months or quarters), day or category. ``step`` is by how much years or periods
    follow one another, so that a wider step is a gap.
    """

    def __init__(self, values: pd.Series, say: Format = None):
        self.word, self.names, self.freq = say, [], "M"
        values = values.dropna()
        if values.dtype == object:  # periods or dates, from frames that were joined
            values = pd.Series(list(values))
        if isinstance(values.dtype, pd.PeriodDtype):
            self.freq = values.dt.freq.freqstr[0]
            self.kind = "year" if self.freq in "YA" else "period"
        elif pd.api.types.is_datetime64_any_dtype(values):
            self.kind = "day"
        elif pd.api.types.is_numeric_dtype(values):
            years = len(values) > 0 and bool((values % 1 == 0).all() and values.between(1800, 2200).all())
            self.kind = "year" if years else "number"
        else:
            if len(kinds := {type(v).__name__ for v in values}) > 1:
                raise UsageError(f"chart: the horizontal axis mixes {listed(sorted(kinds))}; make them one")
            months = len(values) > 0 and all(isinstance(v, str) and _MONTH.fullmatch(v) for v in values)
            self.kind = "period" if months else "category"
            self.names = [] if months else list(dict.fromkeys(values))
        places = np.unique(self.all(values)) if self.kind in ("year", "period") else []
        self.step = min(np.diff(places), default=np.inf)

    def at(self, value: Any) -> float:
        """The position of one value, which need not be in the frame unless it is a category."""
        if self.kind == "category":
            if value not in self.names:
                raise UsageError(f"chart: there is no {value!r} on the horizontal axis{hint(value, self.names)}")
            return float(self.names.index(value))
        if isinstance(value, int | float | np.number):
            return float(value)
        if self.kind in ("year", "number"):
            return float(getattr(value, "year", value))
        when = value if isinstance(value, pd.Period) else pd.Period(str(value)[:10])
        if self.kind == "day":
            stamp = pd.Timestamp(value if not isinstance(value, pd.Period) else value.to_timestamp())
            return stamp.to_period("M").ordinal + (stamp.day - 1) / stamp.days_in_month
        return float(when.asfreq(self.freq).ordinal)

    def all(self, values: Sequence[Any]) -> np.ndarray:
        """The positions of many values."""
        return np.array([self.at(v) for v in values], dtype=float)

    def say(self, value: Any) -> str:
        """How a value of the column reads in a text."""
        if self.word is not None and self.kind == "number":
            return wording(self.word)(value)
        if self.kind == "day":
            return f"{pd.Timestamp(value):%Y-%m-%d}"
        if self.kind == "year":
            return str(int(self.at(value)))
        return figure(value) if self.kind == "number" else str(value)

    def axis(self, low: float, high: float, *, given: Any = None) -> Axis:
        """The horizontal axis over these positions."""
        axis = Axis(low=low, high=high, whole=self.kind == "year")
        word = wording(self.word)
        axis.say = (lambda v: f"{v:.0f}") if self.kind == "year" and self.word is None else word
        if given is not None:
            pairs = given.items() if isinstance(given, dict) else [(v, None) for v in given]
            at = [(self.at(v), v, text) for v, text in pairs]
            axis.given = {p: text if text is not None else self.say(v) for p, v, text in at}
        elif self.kind == "category":
            axis.given = {float(i): str(name) for i, name in enumerate(self.names)}
        elif self.kind in ("period", "day"):
            axis.make = self._periods
        return axis

    def _periods(self, low: float, high: float, most: int) -> dict[float, str]:
        steps = _STEPS.get(self.freq, _STEPS["Y"])
        step = next((s for s in steps if (high - low) / s <= most), steps[-1])
        shown = [pd.Period(ordinal=i, freq=self.freq) for i in range(int(np.ceil(low)), int(high) + 1)]
        year = {"M": 12, "Q": 4}.get(self.freq, 0)
        origin = pd.Period("2000", freq="Y").asfreq(self.freq, how="start").ordinal
        kept = [p for p in shown if (p.ordinal - origin) % step == 0]
        return {float(p.ordinal): str(p.year) if year and step % year == 0 else str(p) for p in kept}
