"""The ten numbers of the briefing, each with its range and what that range spans."""

from collections.abc import Callable
from dataclasses import dataclass
from math import expm1

import pandas as pd

from kbio_analysis.present.briefing.records import EFFECT, Record, Records, label, number
from kbio_analysis.present.tables import table
from kbio_analysis.present.text import chance, chance_range, signed_pct, usd_m

Show = Callable[[float], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Number:
    """One row: where the value and the ends of its range are recorded, how they are shown, and what the range spans.

    A name that begins with ``=`` is a parameter of the notebook. ``test`` names a p value that belongs beside a range
    which is no test of its own.
    """

    notebook: str
    what: str
    names: tuple[str, str, str]
    show: Show
    spans: str
    test: str = ""


def log_pct(log_points: float) -> str:
    """A difference in logs as per cent."""
    return signed_pct(100 * expm1(log_points), 0)


def share(value: float) -> str:
    """A share of one as whole per cent."""
    return f"{100 * value:.0f}%".replace("-", "−")


NUMBERS = (
    Number(
        notebook="10_export_record",
        what="Biopharmaceutical exports, headline",
        names=("=headline_usd_m", "lowest_count_usd_m", "highest_count_usd_m"),
        show=usd_m,
        spans="published counts",
    ),
    Number(
        notebook="11_export_forecast",
        what="Chance of the export target",
        names=("probability_of_target", "probability_of_doubling_low", "probability_of_doubling_high"),
        show=chance,
        spans="reference classes",
    ),
    Number(
        notebook="11_export_forecast",
        what="Exports in the target year, median",
        names=("fan median", "fan lo_80", "fan hi_80"),
        show=usd_m,
        spans="80% of outcomes",
    ),
    Number(
        notebook="12_top_five",
        what="Chance of a place among the top five",
        names=("probability_of_place", "probability_low", "probability_high"),
        show=chance,
        spans="assumptions",
    ),
    Number(
        notebook="13_reform_clock",
        what="Chance of third place among trial hubs",
        names=("probability_of_trial_rank", "probability_of_trial_rank_low", "probability_of_trial_rank_high"),
        show=chance,
        spans="90% of redrawn moves",
    ),
    Number(
        notebook="20_india_cepa",
        what="Exports to India above their control",
        names=("effect_log_points_demeaned", "effect_left_out_low", "effect_left_out_high"),
        show=log_pct,
        spans="donors left out",
        test="p_demeaned",
    ),
    Number(
        notebook="21_fta_record",
        what="Trade after an agreement, mean of all",
        names=("pooled_mean_log_points", "pooled_mean_low_95", "pooled_mean_high_95"),
        show=log_pct,
        spans="95% interval",
    ),
    Number(
        notebook="21_fta_record",
        what="What the next agreement itself adds",
        names=("net_mean_log_points", "net_prediction_low_80", "net_prediction_high_80"),
        show=log_pct,
        spans="80% prediction",
    ),
    Number(
        notebook="22_bangladesh_cepa",
        what="Trade with Bangladesh added a year",
        names=EFFECT,
        show=lambda value: f"{'+' if value > 0 else ''}{usd_m(value)}",
        spans="90% of draws",
    ),
    Number(
        notebook="30_diversification",
        what="Past falls in one market made up in others",
        names=("made_up_share", "made_up_low", "made_up_high"),
        show=share,
        spans="redrawn falls",
    ),
)
"""The ten numbers, in the order of the page."""


def found(one: Record, name: str) -> float | None:
    """A recorded result, a parameter (``=name``) or the last row of a chart's column (``chart column``)."""
    if name.startswith("="):
        value = one.parameters.get(name[1:])
        return float(value) if isinstance(value, int | float) and one.state != "missing" else None
    if " " in name:
        chart, column = name.split(" ")
        if chart not in one.charts:
            return None
        values = one.charts[chart].frame()[column].dropna()
        return float(values.iloc[-1]) if len(values) else None
    return number(one, name)


def number_table(records: Records) -> pd.DataFrame:
    """Number, value, range, what it spans and the record, in words; a dash for what is not recorded."""
    rows = []
    for row in NUMBERS:
        one = records[row.notebook]
        value, low, high = (found(one, name) for name in row.names)
        rows.append(
            {
                "Number": row.what,
                "Value": "–" if value is None else row.show(value),
                "Range": "–" if low is None or high is None else _range(row.show, low, high),
                "Range over": row.spans + _tested(one, row.test),
                "Record": label(one),
            }
        )
    return pd.DataFrame(rows)


def show_numbers(records: Records) -> None:
    """The table of the ten numbers."""
    caption = "Ten numbers, their ranges, and what each range is taken over"
    formats = {"Value": str, "Range": str}
    table(number_table(records), id="numbers", caption=caption, source="", formats=formats)


def _tested(one: Record, name: str) -> str:
    value = number(one, name) if name else None
    return "" if value is None else f"; p = {value:.2f}"


def _range(show: Show, low: float, high: float) -> str:
    return chance_range(low, high) if show is chance else f"{show(low)} to {show(high)}"
