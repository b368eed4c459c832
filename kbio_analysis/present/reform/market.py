"""Sentences and tables about the market arithmetic: two growth rates held at once, beside published forecasts."""

from math import ceil

import pandas as pd

from kbio_analysis.models.segment_share import SegmentShare, segment_share
from kbio_analysis.present.text import join, pct, signed_pct

WHOLE_PCT = 100.0
"""A share above this is no share: the rates that give it cannot both hold."""

SAME_POINTS = 1.0
"""Two shares within this many percentage points of each other are called equal."""


def path_sentence(found: SegmentShare, *, market_pct: float, segment_pct: float) -> str:
    """What the share becomes, what that leaves for the rest, and when the segment would be the whole."""
    first, last = int(found.share_pct.index[0]), int(found.share_pct.index[-1])
    given = f"If the market grows {pct(market_pct)} and biologics {pct(segment_pct)} a year,"
    start = pct(found.share_pct.iloc[0])
    if found.rest_growth_pct is None:
        return (
            f"{given} biologics, {start} of the market in {first}, would be more than all of it by "
            f"{ceil(found.whole_year)}: the two rates cannot both hold to {last}."
        )
    rest = found.rest_growth_pct
    drift = "stand still" if abs(rest) < 0.05 else f"{'grow' if rest > 0 else 'shrink'} {pct(abs(rest))} a year"
    text = (
        f"{given} their share goes from {start} in {first} to {pct(found.share_pct.iloc[-1])} in {last}, and "
        f"everything else would {drift}."
    )
    if found.whole_year is None:
        return f"{text} The share would never reach the whole."
    return f"{text} Carried on, biologics would be the whole market by {ceil(found.whole_year)}."


def comparison(found: SegmentShare, sizes: pd.Series, published: pd.Series, *, target_year: int) -> pd.DataFrame:
    """Published biologics shares beside the implied one: columns label, year, published_pct, implied_pct, gap_points.

    Rows whose market size is not among ``sizes`` (not out yet) or whose year the path does not reach are left out.
    """
    rows = [("IQVIA, 2023 edition", 2027, float(published["biotech_share", "2027"]))]
    whole = ("medicines_iqvia_2024_edition", 2028)
    if whole in sizes.index:
        rows.append(("IQVIA, 2024 edition", 2028, 100 * published["biotech_spending", "2028"] / sizes[whole]))
    khidi = ("pharmaceuticals", 2030)
    if khidi in sizes.index:
        rows.append(("P&S over KHIDI", 2030, 100 * published["biopharma_market", "2030"] / sizes[khidi]))
    frame = pd.DataFrame(rows, columns=["label", "year", "published_pct"])
    frame = frame[frame.year <= target_year].reset_index(drop=True)
    frame["implied_pct"] = [float(found.share_pct[y]) for y in frame.year]
    return frame.assign(gap_points=frame.implied_pct - frame.published_pct)


def consistency_sentence(frame: pd.DataFrame) -> str:
    """Whether the two rates together run ahead of published forecasts of the share."""
    if frame.empty:
        return "No published forecast of the share falls within these years: there is none to compare with."
    parts = [
        f"{pct(r.published_pct)} for {r.year} ({r.label}; implied {_share(r.implied_pct)})" for r in frame.itertuples()
    ]
    ahead, behind = int((frame.gap_points > SAME_POINTS).sum()), int((frame.gap_points < -SAME_POINTS).sum())
    every = "it" if len(frame) == 1 else "every one"
    if ahead == len(frame):
        verdict = f"the two rates run ahead of {every}{_gaps(frame)}"
    elif behind == len(frame):
        verdict = f"the two rates fall short of {every}{_gaps(frame)}"
    elif ahead == behind == 0:
        verdict = "the two rates agree with that to within a point"
    else:
        verdict = f"the two rates run ahead of {ahead}, behind {behind} and level with {len(frame) - ahead - behind}"
    return f"Published forecasts of the biologics share say {join(parts)}: {verdict}. They count different goods."


def forecast_sentence(found: SegmentShare, sizes: pd.Series, *, target_year: int) -> str:
    """The whole market's path beside KHIDI's own forecast for the target year."""
    key = ("pharmaceuticals", target_year)
    if key not in sizes.index or target_year not in found.market.index:
        return f"No published size of the whole market for {target_year} is held to compare with."
    gap = 100 * (found.market[target_year] / sizes[key] - 1)
    verdict = "the same to within one per cent" if abs(gap) < 1 else f"{signed_pct(gap)} against it"
    return (
        f"The whole market's path ends at US${found.market[target_year]:,.0f}bn in {target_year}, where KHIDI "
        f"forecasts US${sizes[key]:,.0f}bn: {verdict}."
    )


def dating_sentence(found: SegmentShare, other: SegmentShare | None, *, quoted_bn: float, quoted_year: int) -> str:
    """What the share becomes if the quoted size is taken for the year the speech gave it."""
    if other is None:
        return (
            f"Taken for {quoted_year}, the quoted US${quoted_bn:,.0f}bn cannot be read beside biologics of that year."
        )
    last = int(found.share_pct.index[-1])
    text = f"The speech dated its US${quoted_bn:,.0f}bn to {quoted_year}, KHIDI to the year before; taken at its word"
    end, own = float(other.share_pct.iloc[-1]), float(found.share_pct.iloc[-1])
    if max(end, own) > WHOLE_PCT:
        same = "would pass the whole too" if min(end, own) > WHOLE_PCT else f"in {last} would be {_share(end)}"
        return f"{text} the share {same}."
    gap = round(end, 1) - round(own, 1)
    change = "the same" if abs(gap) < 0.05 else f"{abs(gap):.1f} points {'more' if gap > 0 else 'less'}"
    return f"{text} the share in {last} would be {pct(end)}, {change}."


def as_dated(
    found: SegmentShare, *, quoted_bn: float, quoted_year: int, target_year: int, market_pct: float, segment_pct: float
) -> SegmentShare | None:
    """The same arithmetic from the quoted size in its quoted year; None where that year is not before the target."""
    if quoted_year not in found.segment.index or quoted_year >= target_year:
        return None
    part = float(found.segment[quoted_year])
    if part >= quoted_bn:
        return None
    rates = {"market_pct": market_pct, "segment_pct": segment_pct}
    return segment_share(quoted_bn, part, base_year=quoted_year, target_year=target_year, **rates)


def answer_market(found: SegmentShare) -> str:
    """The arithmetic in one sentence."""
    last = int(found.share_pct.index[-1])
    if found.rest_growth_pct is None:
        return f"The two market growth rates cannot both hold to {last}."
    first, end = pct(found.share_pct.iloc[0], 0), pct(found.share_pct.iloc[-1], 0)
    if first == end:
        return f"Both growth rates together would leave biologics at {end} of the market in {last}."
    return f"Both growth rates together would take biologics from {first} to {end} of the market by {last}."


def comparison_table(frame: pd.DataFrame) -> pd.DataFrame:
    """The comparison for readers."""
    names = ["Forecast", "Year", "Published, %", "Implied, %", "Difference, points"]
    return frame.set_axis(names, axis=1)


def _gaps(frame: pd.DataFrame) -> str:
    """How far, in points; nothing where an implied share is no share any more."""
    if frame.implied_pct.max() > WHOLE_PCT:
        return ""
    low, high = frame.gap_points.abs().min(), frame.gap_points.abs().max()
    return f", by {low:.0f} points" if round(low) == round(high) else f", by {low:.0f} to {high:.0f} points"


def _share(value_pct: float) -> str:
    return "more than the whole" if value_pct > WHOLE_PCT else pct(value_pct)
