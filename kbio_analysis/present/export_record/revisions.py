"""Sentences and tables about revisions: how far first counts moved, and how to read the months that have no later."""

from datetime import date

import pandas as pd

from kbio_analysis.models.revisions import MOVED_PCT, PendingMonths, Revisions
from kbio_analysis.present.text import chance, count, join, long_date, pct, signed_pct, usd_m

FORMATS = {"Median": signed_pct, "Lowest": signed_pct, "Highest": signed_pct, "All together": signed_pct}
"""How :func:`revision_table` is formatted."""


def moved_sentence(revisions: Revisions, *, count_key: str, label: str, as_of: date) -> str:
    """How far the first counts of one kind moved."""
    own = revisions.of(count_key)
    if own.empty:
        return (
            f"How far first counts of {label} move cannot be said: no later count of any was out by {long_date(as_of)}."
        )
    change = own["revision_pct"]
    n, moved = len(own), int((change.abs() >= MOVED_PCT).sum())
    months = count(n, "month")
    if n == 1:
        return f"One first count of {label} can be held against a later one; it moved by {signed_pct(change.iloc[0])}."
    return (
        f"First counts of {label} moved by {signed_pct(change.min())} to {signed_pct(change.max())} "
        f"({months}, {moved} of them by {pct(MOVED_PCT, 0)} or more; median {signed_pct(change.median())})."
    )


def direction_sentence(revisions: Revisions) -> str:
    """Which way the counts moved, all kinds of single months together."""
    rows = revisions.by_count
    if rows.empty:
        return "No first count has a later one to be held against."
    down = [label for label, r in rows.iterrows() if r.total_pct < -0.05]
    up = [label for label, r in rows.iterrows() if r.total_pct > 0.05]
    if not up and not down:
        return "Added up, no kind of first count differs from its later one by a tenth of a per cent."
    if len(rows) == 1:
        label, total = rows.index[0], rows["total_pct"].iloc[0]
        way = "less" if total < 0 else "more"
        return f"Added up, {label} ended {pct(abs(total))} {way} than first printed."
    if not up or not down:
        low, high = rows["total_pct"].min(), rows["total_pct"].max()
        which = (
            "every kind" if len(down) == len(rows) or len(up) == len(rows) else f"{len(down + up)} of {len(rows)} kinds"
        )
        way = "lower" if down else "higher"
        return f"Added up, {which} ended {way} than first printed ({signed_pct(low)} to {signed_pct(high)})."
    return f"Added up, {join(down)} ended lower and {join(up)} higher than first printed."


def largest_sentence(revisions: Revisions) -> str:
    """The month of the largest move, and what other counts of the same month did."""
    single = revisions.pairs[revisions.pairs["first_month"] == revisions.pairs["last_month"]]
    if single.empty:
        return "No single month can be compared."
    worst = single.loc[single["revision_pct"].abs().idxmax()]
    change = worst.latest_usd_m - worst.first_usd_m
    text = (
        f"The largest move is {worst.label} of {worst.last_month}: first {usd_m(worst.first_usd_m)}, later "
        f"{usd_m(worst.latest_usd_m)} ({signed_pct(worst.revision_pct)})."
    )
    others = single[(single["last_month"] == worst.last_month) & (single["count"] != worst["count"])]
    if others.empty:
        return f"{text} No other count of that month can be compared."
    parts = [f"{r.label} by {_amount(r.latest_usd_m - r.first_usd_m)}" for r in others.itertuples()]
    return f"{text} It moved by {_amount(change)}; in the same month {join(parts)}."


def _amount(change: float) -> str:
    return f"{'+' if change >= 0.5 else ''}{usd_m(round(change) + 0.0)}"


def revision_table(revisions: Revisions) -> pd.DataFrame:
    """One row a kind of count: pairs, how many moved, median, range and the total."""
    names = ["Pairs", f"Moved {MOVED_PCT:g}% or more", "Median", "Lowest", "Highest", "All together"]
    frame = revisions.by_count.set_axis(names, axis=1).rename_axis("First count of").reset_index()
    return frame.astype({names[0]: int, names[1]: int})


def pairs_table(revisions: Revisions) -> pd.DataFrame:
    """The pairs that moved, the furthest first."""
    moved = revisions.pairs[revisions.pairs["revision_pct"].abs() >= MOVED_PCT]
    rows = moved.sort_values("revision_pct", key=lambda v: v.abs(), ascending=False, kind="stable")
    one = rows["first_month"] == rows["last_month"]
    period = (
        rows["last_month"]
        .astype(str)
        .where(one, rows["first_month"].astype(str) + " to " + rows["last_month"].astype(str))
    )
    return pd.DataFrame(
        {
            "Months": period,
            "Count": rows["label"],
            "First print": rows["first_usd_m"],
            "Latest": rows["latest_usd_m"],
            "Revision": rows["revision_pct"],
            "Days to print": rows["delay_days"],
        }
    )


def pending_sentences(pending: PendingMonths | None, *, label: str, n_pairs: int) -> list[str]:
    """How to read the months that have a first count only, with what so few pairs can carry."""
    if pending is None:
        return [
            f"{label}: {count(n_pairs, 'pair')} of first and later counts cannot carry an interval for the last "
            "months; read them as first counts, no more."
        ]
    span = f"{signed_pct(pending.low_pct)} to {signed_pct(pending.high_pct)}"
    if pending.attainable:
        rule = (
            f"{count(pending.n, 'pair')} give an interval of {span} round a first count of {label}; it covers at least "
            f"{pct(pending.coverage_pct, 0)} where {pending.level:g}% was asked for, if coming revisions are like "
            "past ones."
        )
    else:
        rule = (
            f"{count(pending.n, 'pair')} cannot carry an interval of {pending.level:g}%: the widest they give, {span} "
            f"round a first count of {label}, covers {pct(pending.coverage_pct, 0)}, if coming revisions are like past "
            "ones."
        )
    if pending.months.empty:
        return [rule, "No month is waiting for its later count."]
    last = pending.months.iloc[-1]
    waiting = count(len(pending.months), "month has", "months have")
    return [
        rule,
        f"{waiting} a first count only: the last, {pending.months.index[-1]}, printed at {usd_m(last.first_usd_m)}, is "
        f"to be read as {usd_m(last.low_usd_m)} to {usd_m(last.high_usd_m)}.",
    ]


def coverage_sentence(pending: PendingMonths | None) -> str:
    """Whether the interval holds its own cases, each left out in turn."""
    if pending is None:
        return "There is no interval to check."
    exact = f"{chance(pending.held_low)} to {chance(pending.held_high)}"
    return (
        f"Each of the {pending.n} pairs left out in turn, {pending.held} fell inside the interval of the others: a "
        f"share that so few cases place anywhere from {exact}."
    )


def without_worst_sentence(revisions: Revisions, *, count_key: str) -> str:
    """What the range becomes without the largest move."""
    change = revisions.of(count_key)["revision_pct"]
    if len(change) < 3:
        return "With fewer than three pairs none can be left out."
    rest = change.drop(change.abs().idxmax())
    narrowed = (change.max() - change.min()) - (rest.max() - rest.min())
    verdict = (
        "one month makes much of the range"
        if narrowed > 0.25 * (change.max() - change.min())
        else ("the range does not hang on one month")
    )
    return (
        f"Without the largest move the range is {signed_pct(rest.min())} to {signed_pct(rest.max())} instead of "
        f"{signed_pct(change.min())} to {signed_pct(change.max())}: {verdict}."
    )
