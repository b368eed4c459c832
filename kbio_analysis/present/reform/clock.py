"""Sentences and tables about the clock: days into months, revenue and present value, a kind of product at a time."""

from collections.abc import Mapping, Sequence
from datetime import date

import pandas as pd

from kbio_analysis.models.reform_clock import DAYS, ClockGain, Track
from kbio_analysis.present.text import count, join, pct

LABELS = {
    "delivered_pct": "Share of the announced cut delivered, %",
    "launch_lag_days": "Decision to first sale, days",
    "peak_usd_m": "Peak sales a year, US$ million",
    "clock_share_pct": "Share of sales that waits for the Korean clock, %",
    "years_to_peak": "Years from launch to peak",
    "sales_years": "Years of sales from an average launch",
    "price_fall_pct": "Price fall a year, %",
    "discount_pct": "Discount rate a year, %",
    "review_spread": "Spread of review times, sd over mean",
    "listing_spread": "Spread of listing times, sd over mean",
    "case_length": "Length of the case, days (10th to 90th percentile)",
    "blockbuster_share_pct": "Share of approvals that pass US$1bn, %",
}
"""How an assumption is written for readers."""

BASES = {
    "published range": "within a published range",
    "reaches beyond": "reaching beyond one",
    "one published figure": "set by us around one published figure",
    "away from the published": "away from what was published",
    "our assumption": "resting on nothing published",
}
"""What an assumed range rests on, and how many do in words."""

TRACKS = {"new_drug": "New drug", "biosimilar": "Biosimilar", "both": "Both"}

NO_MOVE_USD_M = 0.005
"""A swing below this many US$ million is called none."""


def money(value_usd_m: float) -> str:
    """US$ million at a precision that small values survive: US$97m, US$3.4m, US$0.07m, nothing."""
    size = abs(value_usd_m)
    if size < NO_MOVE_USD_M:
        return "nothing"
    decimals = 0 if size >= 19.5 else 1 if size >= 0.95 else 2
    return f"{'−' if value_usd_m < 0 else ''}US${size:,.{decimals}f}m"


def plain(value: float) -> str:
    """A value of an assumption: whole from 100 on, three digits below."""
    return f"{value:,.0f}" if abs(value) >= 99.5 else f"{value:.3g}"


def money_range(low: float, high: float) -> str:
    """Two amounts as a range, or one when they read the same."""
    first, last = money(low), money(high)
    return first if first == last else f"{first} to {last}"


def year_fraction(day: date) -> float:
    """A date as a year with its fraction."""
    return day.year + (day - date(day.year, 1, 1)).days / (366 if day.year % 4 == 0 else 365)


def years_left(start: date, target_year: int) -> float:
    """Years from ``start`` to the end of the target year; negative if it lies behind."""
    return (date(target_year, 12, 31) - start).days / DAYS


def announced_months(track: Track) -> float:
    """Months the announced cuts add up to."""
    return sum(step.before_days - step.after_days for step in track.steps) / DAYS * 12


def gain_sentence(gain: ClockGain) -> str:
    """Months gained by one product, as a distribution, against the announced cut."""
    median, low, high = gain.range_of("months_gained")
    announced = announced_months(gain.track)
    if max(abs(low), abs(high)) < 0.05:
        return f"A {gain.track.name.lower()} gains no time: none of the announced {announced:.1f} months arrives."
    return (
        f"A {gain.track.name.lower()} reaches the market {median:.1f} months sooner in the median, and "
        f"{low:.1f} to {high:.1f} in four cases of five; the announced cut is {announced:.1f} months for an "
        "average case."
    )


def value_sentence(gain: ClockGain, *, target_year: int) -> str:
    """Extra revenue by the target year and present value a product, on the Korean clock and if all sales waited."""
    extra, npv, whole = (gain.range_of(c) for c in ("extra_usd_m", "npv_usd_m", "all_npv_usd_m"))
    name = gain.track.name.lower()
    if whole[2] < NO_MOVE_USD_M:
        return f"For one {name} that is worth nothing at these values, even if all of its sales in the world waited."
    revenue = (
        f"adds {money(extra[0])} of revenue by the end of {target_year} ({money_range(*extra[1:])})"
        if extra[2] >= NO_MOVE_USD_M
        else f"adds no revenue by the end of {target_year}"
    )
    value = "no present value"
    if npv[2] >= NO_MOVE_USD_M:
        value = f"{money(npv[0])} of present value ({money_range(*npv[1:])})"
    return (
        f"For one {name} that {revenue} and {value} on the sales that wait for the Korean decision; if all of its "
        f"sales in the world waited, the present value would be {money(whole[0])} ({money_range(*whole[1:])})."
    )


def answer_clock(gains: Sequence[ClockGain]) -> str:
    """The clock in one sentence: months and present value by kind of product."""
    parts = []
    for gain in gains:
        months, npv = gain.range_of("months_gained")[0], gain.range_of("npv_usd_m")[0]
        time = "no time" if abs(months) < 0.05 else f"{months:.1f} months"
        value = "no present value" if npv < NO_MOVE_USD_M else f"{money(npv)} of present value"
        parts.append(f"{time} and {value} to a {gain.track.name.lower()}")
    return f"The faster clock brings {join(parts)} in the median, on the sales that wait for Korea's decision."


def day_sentence(gains: Sequence[ClockGain], *, published_day_usd_m: float) -> str:
    """What a day is worth by kind of product, beside a published figure of sales a day."""
    parts = []
    for gain in gains:
        days = gain.likely["before_days"] - gain.likely["after_days"]
        if days < 0.5 or gain.likely["all_npv_usd_m"] < NO_MOVE_USD_M:
            continue
        own, whole = gain.likely["npv_usd_m"] / days, gain.likely["all_npv_usd_m"] / days
        parts.append(f"{_day_money(own)} for a {gain.track.name.lower()} ({_day_money(whole)} if all sales waited)")
    if not parts:
        return "At the likely values no day is gained that is worth anything, so none can be priced."
    return (
        f"At the likely values a day gained is worth {join(parts)}; a study of drugs launched since 2000 put a day's "
        f"sales at {_day_money(published_day_usd_m)}."
    )


def _day_money(value_usd_m: float) -> str:
    """An amount a day: US$14.2k below a million, US$1.01m above."""
    return f"US${value_usd_m:,.2f}m" if value_usd_m >= 0.9995 else f"US${1000 * value_usd_m:,.1f}k"


def listing_check_sentence(published: pd.Series, *, before_days: float) -> str:
    """The strategy's listing time beside two measured ones."""
    months = before_days / DAYS * 12
    from_approval = published["listing_mean", "approval to decision 2014-2016"]
    from_application = published["listing_mean", "application to decision 2014-2016"]
    low, high = sorted((from_approval, from_application))
    place = "between the two" if low <= months <= high else "below both" if months < low else "above both"
    return (
        f"A study of 2014–16 measured {from_application:.1f} months from application to listing decision and "
        f"{from_approval:.1f} from approval; the strategy's {before_days:.0f} days are {months:.1f} months, {place}, "
        "so what its clock starts from is not certain."
    )


def tornado_sentence(name: str, frame: pd.DataFrame) -> str:
    """Which assumption moves the value most, and which not at all."""
    swing = (frame.value_high - frame.value_low).abs()
    if swing.iloc[0] < NO_MOVE_USD_M:
        return f"For a {name.lower()} no assumption alone moves the present value."
    first = frame.iloc[0]
    text = (
        f"For a {name.lower()} the present value hangs most on “{_bare(frame.index[0])}”: "
        f"{money(first.value_low)} at {plain(first.at_low)} and {money(first.value_high)} at {plain(first.at_high)}."
    )
    still = [_bare(n) for n in frame.index[swing < NO_MOVE_USD_M]]
    return f"{text} No part is played by {join([f'“{n}”' for n in still])}." if still else text


def tornado_table(tornadoes: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Every swing in one frame: columns track, assumption, at_low, at_high, value_low, value_high."""
    parts = [f.reset_index().assign(track=name, label=[_bare(n) for n in f.index]) for name, f in tornadoes.items()]
    return pd.concat(parts, ignore_index=True)


def assumption_table(
    assumed: Mapping[tuple[str, str], Sequence[float]], published: Mapping[tuple[str, str], tuple[float, float]]
) -> pd.DataFrame:
    """Every assumed range beside what others published: one row an assumption of a track."""
    rows = []
    for (track, name), triple in assumed.items():
        known = published.get((track, name))
        basis = _basis(triple, known)
        span = "–" if known is None else " to ".join(dict.fromkeys(f"{v:.4g}" for v in known))
        rows.append((f"{LABELS[name]}", TRACKS[track], *(f"{v:g}" for v in triple), span, basis))
    return pd.DataFrame(rows, columns=["Assumption", "Track", "Low", "Likely", "High", "Published", "Basis"])


def assumption_sentence(table: pd.DataFrame) -> str:
    """What the assumed ranges rest on: counts by basis."""
    tally = table.Basis.value_counts()
    parts = [f"{tally[basis]} {words}" for basis, words in BASES.items() if basis in tally.index]
    return f"The page assumes {count(len(table), 'range')}: {join(parts)}."


def share_note(track: Track, *, home_pct: float) -> str:
    """Which share of sales is taken to wait for Korea, beside Korea's share of the world market."""
    low, likely, high = track.assumptions["clock_share_pct"]
    span = pct(likely) if low == high else f"{pct(likely)} ({pct(low)} to {pct(high)})"
    return (
        f"A Korean decision moves Korean sales: Korea is {pct(home_pct)} of the world market, and {span} of a "
        "product's sales are taken to wait for it."
    )


def _basis(triple: Sequence[float], known: tuple[float, float] | None) -> str:
    """One of BASES; the edges of a published range are met to within 2% of its width."""
    if known is None:
        return "our assumption"
    if known[0] == known[1]:
        return "one published figure" if triple[0] <= known[0] <= triple[2] else "away from the published"
    slack = 0.02 * (known[1] - known[0])
    if triple[2] < known[0] - slack or triple[0] > known[1] + slack:
        return "away from the published"
    inside = known[0] - slack <= triple[0] and triple[2] <= known[1] + slack
    return "published range" if inside else "reaches beyond"


def _bare(name: str) -> str:
    """The label without its unit, first letter small."""
    label = LABELS[name].split(",")[0]
    return label[0].lower() + label[1:]
