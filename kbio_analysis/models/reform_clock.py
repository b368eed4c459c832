"""What a faster clock is worth: days of review or listing into months, revenue by a date, and net present value.

Every case takes its own time, log-normal around the mean of its step (Aitchison & Brown 1957), and the reform shortens
each in the same proportion. Sales follow a published launch curve, stretched to the years to peak; once both launches
have reached it, sooner and later sell alike, so the gain ends there and no end of sales need be assumed. With
discounting at rate rho the value of a curve that is constant at u_k over [a_k, b_k] after launch at L is

    V = peak sum_k u_k exp(-rho (L + a_k)) (1 - exp(-rho (b_k - a_k))) / rho.

Years everywhere; money in US$ million; every assumption is a (low, likely, high) triple, drawn from a triangle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special, stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import typed

DAYS = 365.25
"""Days a year."""

ASSUMPTIONS = {
    "delivered_pct": "Share of the announced cut delivered, %",
    "launch_lag_days": "Decision to first sale, days",
    "peak_usd_m": "Peak sales a year, US$ million",
    "clock_share_pct": "Share of sales that waits for the Korean clock, %",
    "years_to_peak": "Years from launch to peak",
    "price_fall_pct": "Price fall a year, %",
    "discount_pct": "Discount rate a year, %",
}
"""What a track assumes beside its steps, and its label; each a (low, likely, high) triple."""

LABELS = ASSUMPTIONS | {
    "review_spread": "Spread of review times, sd over mean",
    "listing_spread": "Spread of listing times, sd over mean",
    "case_length": "Length of the case, days (10th to 90th percentile)",
    "blockbuster_share_pct": "Share of approvals that pass the mark, %",
}

RESULTS = {
    "months_gained": "Months gained",
    "extra_usd_m": "Revenue by the end of the target year, US$ million",
    "all_extra_usd_m": "The same if all sales waited, US$ million",
    "npv_usd_m": "Present value, US$ million",
    "all_npv_usd_m": "Present value if all sales waited, US$ million",
}

Triple = Sequence[float]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the route whose time changes: mean days before and after, and its spread.

    ``spread`` is the coefficient of variation (standard deviation over mean), (low, likely, high).
    """

    before_days: float
    after_days: float
    spread: Triple


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """A kind of product on its way to revenue: its steps in turn, its assumptions, and its launch curve.

    ``uptake``: sales in each successive equal part of the time to peak over peak sales, the last being 1.
    """

    name: str
    steps: tuple[Step, ...]
    assumptions: Mapping[str, Triple]
    uptake: tuple[float, ...]

    @property
    def announced_months(self) -> float:
        """Months the announced cuts add up to."""
        return sum(step.before_days - step.after_days for step in self.steps) / DAYS * 12


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockGain:
    """What the faster clock brings one product of ``track``.

    ``draws``: one row a simulated product; columns months_gained (to launch), extra_usd_m (revenue to the end of the
    target year), npv_usd_m, and all_extra_usd_m and all_npv_usd_m (the same if all of the product's sales waited for
    the clock). ``likely``: the same columns with every assumption at its likely value and a case of average length.
    """

    track: Track
    draws: pd.DataFrame
    likely: pd.Series

    @property
    def summary(self) -> pd.DataFrame:
        """One row a result of RESULTS: the likely case, and mean, 10th and 90th percentile of the draws.

        Means add up over products; medians of skewed draws do not.
        """
        ends = {"low": self.draws.quantile(0.1), "high": self.draws.quantile(0.9)}
        return pd.DataFrame({"likely": self.likely, "mean": self.draws.mean()} | ends).loc[list(RESULTS)]


def all_products(gains: Mapping[str, ClockGain], a_year: Mapping[str, float]) -> pd.DataFrame:
    """What the clock adds in the target year, all products that pass it together: one row a track and ``together``.

    ``a_year``: products that pass the clock each year from the start on. What those that started j years later gain in
    the target year, summed over j, is what one product gains up to its end. Columns a_year, likely_usd_m, mean_usd_m,
    all_usd_m (mean if all sales waited), npv_usd_m (mean present value of one year's products).
    """
    columns = {"extra_usd_m": "mean_usd_m", "all_extra_usd_m": "all_usd_m", "npv_usd_m": "npv_usd_m"}
    frame = pd.DataFrame({name: gain.draws.mean() for name, gain in gains.items()}).T[list(columns)]
    frame.insert(0, "likely_usd_m", pd.Series({name: gain.likely.extra_usd_m for name, gain in gains.items()}))
    frame.insert(0, "a_year", 1.0)
    frame = frame.rename(columns=columns).mul(pd.Series(a_year), axis=0)
    return pd.concat([frame, frame.sum().to_frame("together").T])


@typed
def simulate(track: Track, *, years_to_target: float, n: int, seed: int) -> ClockGain:
    """Draw ``n`` products of a track and value the clock; ``years_to_target`` from the start to the target year's end.

    Raises :class:`ModelInputError` for a missing assumption, a triple out of order, or a value out of its range.
    """
    likely, average = _likely(track)
    rng = np.random.default_rng(seed)
    drawn = {name: triangle(track.assumptions[name], rng.random(n)) for name in ASSUMPTIONS}
    cases = [_case(step, triangle(step.spread, rng.random(n)), rng.standard_normal(n)) for step in track.steps]
    return ClockGain(
        track=track,
        draws=_value(track, drawn, cases, years_to_target),
        likely=_value(track, likely, average, years_to_target).iloc[0],
    )


def tornado(tracks: Sequence[Track], *, years_to_target: float) -> pd.DataFrame:
    """Present value as one assumption at a time goes from its low to its high, all others likely, for each track.

    An assumption without a range has no row; ``case_length`` is the 10th to 90th percentile of the steps' times.
    Columns assumption, at_low, at_high, value_low, value_high, track and label, a track's widest swing first.
    """
    parts, tails = [], stats.norm.ppf([0.1, 0.9])
    for track in tracks:
        likely, average = _likely(track)
        lengths = [[_case(s, np.array([s.spread[1]]), np.array([z])) for s in track.steps] for z in tails]
        rows = {}
        for name in ASSUMPTIONS:
            low, _, high = track.assumptions[name]
            if low < high:
                ends = [_value(track, likely | {name: np.array([v])}, average, years_to_target) for v in (low, high)]
                rows[name] = (low, high, *(end.npv_usd_m.iloc[0] for end in ends))
        ends = [_value(track, likely, cases, years_to_target).npv_usd_m.iloc[0] for cases in lengths]
        rows["case_length"] = (*(float(sum(c[0] for c in cases)) for cases in lengths), *ends)
        frame = pd.DataFrame.from_dict(rows, orient="index", columns=["at_low", "at_high", "value_low", "value_high"])
        swing = (frame.value_high - frame.value_low).abs().sort_values(ascending=False, kind="stable")
        parts.append(frame.loc[swing.index].rename_axis("assumption").reset_index().assign(track=track.name))
    found = pd.concat(parts, ignore_index=True)
    label = found.assumption.map(LABELS).str.split(",").str[0]
    return found.assign(label=label.str[:1].str.lower() + label.str[1:])


def bases(
    assumed: Mapping[tuple[str, str], Triple], published: Mapping[tuple[str, str], tuple[float, float]]
) -> pd.DataFrame:
    """What every assumed range rests on: columns track, name, label, low, likely, high, published and basis.

    ``published``: lowest and highest of what others measured, None if nobody did; its edges are met to within 2%.
    """
    rows = []
    for key, (low, likely, high) in assumed.items():
        known = published.get(key)
        least, most = known or (0.0, 0.0)
        slack = 0.02 * (most - least)
        if known is None:
            basis = "our assumption"
        elif high < least - slack or low > most + slack:
            basis = "away from the published"
        elif least == most:
            basis = "one published figure"
        else:
            basis = "published range" if least - slack <= low and high <= most + slack else "reaches beyond"
        rows.append((*key, LABELS[key[1]], low, likely, high, known, basis))
    return pd.DataFrame(rows, columns=["track", "name", "label", "low", "likely", "high", "published", "basis"])


def triangle(triple: Triple, u: np.ndarray) -> np.ndarray:
    """Quantiles at ``u`` of the triangular law on (low, likely, high); a single point where the three agree."""
    low, mode, high = (float(v) for v in triple)
    if high == low:
        return np.full_like(u, low)
    return stats.triang.ppf(u, (mode - low) / (high - low), loc=low, scale=high - low)


def curve_value(
    launch: np.ndarray, end: np.ndarray, years_to_peak: np.ndarray, uptake: Sequence[float], rate: np.ndarray
) -> np.ndarray:
    """Value at time 0 of sales with peak 1 a year from ``launch`` to ``end``, discounted at ``rate`` (log points).

    All arrays of one shape (n,), in years. Rate 0 gives plain sums. Zero where launch is not before the end.
    """
    life = np.maximum(end - launch, 0.0)[:, None]
    edges = np.arange(len(uptake)) / len(uptake) * years_to_peak[:, None]
    starts = np.minimum(edges, life)
    # The last part has no end of its own: sales stay at their peak until the end of sales.
    stops = np.hstack([starts[:, 1:], life])
    length, rho = stops - starts, rate[:, None]
    # (1 - exp(-x))/x, which is 1 without discounting.
    parts = np.asarray(uptake) * length * special.exprel(-rho * length) * np.exp(-rho * (launch[:, None] + starts))
    return parts.sum(axis=1)


def _likely(track: Track) -> tuple[dict[str, np.ndarray], list[np.ndarray]]:
    """A track's assumptions at their likely values, and a case of average length at each step; refusals of a track."""
    missing = [name for name in ASSUMPTIONS if name not in track.assumptions]
    if missing or not track.steps:
        raise ModelInputError(f"{track.name}: no {', '.join(missing) or 'steps'}; give every assumption and a step")
    named = {name: track.assumptions[name] for name in ASSUMPTIONS}
    named |= {f"spread of step {i}": step.spread for i, step in enumerate(track.steps, start=1)}
    for name, triple in named.items():
        if len(triple) != 3 or not 0 <= triple[0] <= triple[1] <= triple[2]:
            raise ModelInputError(f"{name} = {list(triple)}: give low, likely and high, zero or more, in rising order")
    days = [step.before_days > 0 and step.after_days >= 0 for step in track.steps]
    rules = {
        "years_to_peak must be above zero": named["years_to_peak"][0] > 0,
        "price_fall_pct must stay below 100 a year": named["price_fall_pct"][2] < 100,
        "a step needs days above zero before and not below zero after": all(days),
        "uptake must end at 1, the share of peak sales": any(track.uptake) and abs(track.uptake[-1] - 1) < 1e-9,
    }
    if wrong := [said for said, holds in rules.items() if not holds]:
        raise ModelInputError(f"{track.name}: {'; '.join(wrong)}")
    likely = {name: np.array([track.assumptions[name][1]]) for name in ASSUMPTIONS}
    return likely, [np.array([step.before_days]) for step in track.steps]


def _case(step: Step, spread: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Days a case takes before the reform: log-normal with the step's mean and coefficient of variation."""
    variance = np.log1p(spread**2)
    return step.before_days * np.exp(np.sqrt(variance) * z - variance / 2)


def _value(
    track: Track, a: Mapping[str, np.ndarray], cases: Sequence[np.ndarray], years_to_target: float
) -> pd.DataFrame:
    """Times, gains and values for given assumptions ``a`` and days of each step, all shape (n,)."""
    lag = a["launch_lag_days"]
    before, after = lag.copy(), lag.copy()
    for step, days in zip(track.steps, cases, strict=True):
        before = before + days
        after = after + days * (1 - (1 - step.after_days / step.before_days) * a["delivered_pct"] / 100)
    end = np.maximum(before, after) / DAYS + a["years_to_peak"]
    fall = -np.log1p(-a["price_fall_pct"] / 100)
    discounted = fall + np.log1p(a["discount_pct"] / 100)
    horizon = np.minimum(end, max(years_to_target, 0.0))

    def gain(until: np.ndarray, rate: np.ndarray) -> np.ndarray:
        late, soon = (curve_value(d / DAYS, until, a["years_to_peak"], track.uptake, rate) for d in (before, after))
        return a["peak_usd_m"] * (soon - late)

    share, npv, extra = a["clock_share_pct"] / 100, gain(end, discounted), gain(horizon, fall)
    values = {"months_gained": (before - after) / DAYS * 12, "extra_usd_m": share * extra, "all_extra_usd_m": extra}
    return pd.DataFrame(values | {"npv_usd_m": share * npv, "all_npv_usd_m": npv})
