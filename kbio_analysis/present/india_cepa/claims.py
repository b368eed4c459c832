"""Sentences about the claims themselves: how often trade multiplied, and what is known of investment."""

import pandas as pd

from kbio_analysis.models.trade_multiples import TradeMultiples
from kbio_analysis.present.india_cepa.words import Subject, times
from kbio_analysis.present.text import count, join, pct, signed_pct, usd_bn, usd_m
from kbio_analysis.vocabulary import INDIA

SAME_PACE = 0.05
"""Multiples of the partner and of the world this close (relative) are called the same pace."""


def claim_sentence(found: TradeMultiples, subject: Subject) -> str:
    """From which base the claimed multiple holds by the latest year, and how fast the world grew."""
    rows = found.table[found.table.end == "latest"]
    if rows.empty:
        return f"Trade with {subject.partner} cannot be compared: no figure for {subject.start - 1} or {subject.start}."
    holds = rows[rows.nominal > found.claimed]
    parts = [f"{times(r.nominal)} what it was in {r.base_year}" for r in rows.itertuples()]
    level = f"By {rows.end_year.iloc[0]} trade with {subject.partner} was {join(parts)}"
    grown = "more than doubled" if found.claimed == 2 else f"grown more than {found.claimed:g} times"
    if len(holds) == len(rows):
        verdict = f"it has {grown} from {'either base' if len(rows) == 2 else 'that base'}"
    elif holds.empty:
        verdict = f"it has {grown} from neither base" if len(rows) == 2 else f"it has not {grown} from that base"
    else:
        verdict = f"it has {grown} only if counted from {holds.base_year.iloc[0]}"
    last = rows.iloc[-1]
    ahead = "less" if last.relative > 1 else "more"
    pace = "much the same" if abs(last.relative - 1) <= SAME_PACE else ahead
    world = f"Korea's trade with the world was {times(last.world)} that of {last.base_year}"
    return f"{level}: {verdict}. {world}, {pace}."


def holding_sentence(tables: dict[str, TradeMultiples]) -> str:
    """In how many combinations of flow, base and end the claimed multiple holds, nominal and at constant prices."""
    rows = sum(len(t.table) for t in tables.values())
    if not rows:
        return "No base or end could be compared."
    nominal, real = (sum(len(getattr(t, n)) for t in tables.values()) for n in ("holding", "holding_real"))
    claimed = next(iter(tables.values())).claimed
    ahead = sum(int((t.table.relative > 1 + SAME_PACE).sum()) for t in tables.values())
    return (
        f"Over {count(rows, 'combination')} of flow, base and end, current dollars show more than {claimed:g} times in "
        f"{nominal} and constant dollars in {real}; growth beats that of Korea's trade with the world in {ahead}."
    )


def multiples_table(tables: dict[str, TradeMultiples]) -> pd.DataFrame:
    """All combinations, one row each."""
    rows = pd.concat([t.table.assign(flow=name) for name, t in tables.items()], ignore_index=True)
    labels = {
        "flow": "Flow",
        "base_year": "Base",
        "end_year": "End",
        "end": "End is",
        "base_usd_m": "Base, US$ million",
        "end_usd_m": "End, US$ million",
        "nominal": "Times, current US$",
        "real": "Times, constant US$",
        "world": "World, times",
        "relative": "Over the world",
    }
    frame = rows[list(labels)].rename(columns=labels)
    return frame.assign(Base=frame.Base.astype(str), End=frame.End.astype(str))


Estimate = tuple[float, float] | None
"""A main estimate in per cent and in US$ million a year; None where there is none of a flow."""

MULTIPLE_FORMATS = {
    "Base, US$ million": ",.0f",
    "End, US$ million": ",.0f",
    "Times, current US$": ".2f",
    "Times, constant US$": ".2f",
    "World, times": ".2f",
    "Over the world": ".2f",
}


def investment_sentence(rows: pd.DataFrame, *, claimed: float, start: int) -> str:
    """What the published stocks of investment say of the claimed multiple, and what they cannot."""
    stocks = rows[rows.measure == "stock"].sort_values("period")
    before = stocks[stocks.period < f"{start}"]
    after = stocks[stocks.period >= f"{start}"]
    if before.empty or after.empty:
        return (
            "No stocks of Korean investment are on record here on both sides of the start: the claim cannot be tested."
        )
    first, last = before.iloc[-1], after.iloc[-1]
    multiple = last.amount_usd_m / first.amount_usd_m
    relation = "short of" if multiple < claimed * 0.95 else "about" if multiple < claimed * 1.05 else "above"
    flows = rows[(rows.measure == "flow") & (rows.period < f"{start}")]
    yearly = "no yearly flow before it" if flows.empty else count(len(flows), "yearly flow") + " before it"
    return (
        f"Published stocks of Korean investment grew from {usd_bn(first.amount_usd_m)} ({first.period}) to "
        f"{usd_bn(last.amount_usd_m, 2)} ({last.period}), {times(multiple)}, {relation} the {claimed:g} times claimed. "
        f"Stocks are all that can be compared: {yearly} is on record, and nothing after {last.period}, so that what "
        f"the agreement added cannot be tested."
    )


def investment_table(rows: pd.DataFrame) -> pd.DataFrame:
    """Published stocks and flows, a range where only a range was published."""
    labels = {"stock": "stock, end of period", "flow": "flow in the year", "flow_sum": "flows of the span"}
    known = rows.amount_usd_m.notna()
    shown = rows.amount_usd_m.map("{:,.0f}".format).where(
        known, rows.low_usd_m.map("{:,.0f}".format) + " to " + rows.high_usd_m.map("{:,.0f}".format)
    )
    frame = pd.DataFrame({"Measure": rows.measure.map(labels), "Period": rows.period, "US$ million": shown})
    return frame.assign(Note=rows.note).sort_values(["Measure", "Period"], ignore_index=True)


def published_table(rows: pd.DataFrame, estimates: dict[str, Estimate]) -> pd.DataFrame:
    """Published figures in per cent beside our estimate for the same flow."""
    kinds = {"ex_ante": "expected beforehand", "raw_change": "before and after"}
    own = rows[(rows.unit == "per cent") & rows.kind.isin(kinds)]
    frame = pd.DataFrame(
        {
            "Who": own.study,
            "Kind": own.kind.map(kinds),
            "Flow": own.flow.str.replace("_", " "),
            "Period": own.period,
            "Published, %": own.value,
            "Our estimate, %": own.flow.map({f: e[0] for f, e in estimates.items() if e}).astype(float),
        }
    )
    return frame.sort_values(["Kind", "Flow", "Period"], ascending=[False, True, True], ignore_index=True)


def published_sentences(
    rows: pd.DataFrame, estimates: dict[str, Estimate], trade: pd.Series, subject: Subject
) -> list[str]:
    """Raw growth against the world's, the promise against the estimates, and the target; for India alone.

    ``estimates`` maps exports and imports to (per cent, US$ million a year), None where there is no estimate.
    """
    if subject.iso3 != INDIA:
        return ["Published figures are held for the agreement with India alone."]
    by = rows.set_index("id").value
    raw, world = by["customs_2019_exports"], by["customs_2019_world_exports"]
    gap = (
        f"Customs counted {signed_pct(raw)} for exports to India from 2010 to 2018 when exports to all grew "
        f"{signed_pct(world)}: {abs(raw - world):.1f} points {'more' if raw > world else 'less'}. Imports grew "
        f"{signed_pct(by['customs_2019_imports'])} against {signed_pct(by['customs_2019_world_imports'])}."
    )
    promises = [_promise(by, flow, estimates.get(flow)) for flow in ("exports", "imports")]
    return [gap, *promises, _target(rows, trade.dropna())]


def _promise(by: pd.Series, flow: str, own: Estimate) -> str:
    """What was expected of one direction, and the main estimate."""
    pct_expected, gain = by[f"kiep_2009_{flow}_pct"], by[f"kiep_2009_{flow}_gain"]
    said = f"Beforehand {signed_pct(pct_expected, 0)} or {usd_m(gain)} a year was expected for {flow}"
    if own is None:
        return f"{said}, which cannot be held against an estimate."
    relation = "below" if own[0] < pct_expected - 1 else "above" if own[0] > pct_expected + 1 else "equal to"
    return (
        f"{said}; the main estimate, for what it is worth, is {signed_pct(own[0], 0)}, {relation} it, or "
        f"{usd_m(own[1])} a year of the trade since."
    )


def _target(rows: pd.DataFrame, trade: pd.Series) -> str:
    row = rows[rows.kind == "target"].iloc[0]
    year = int(trade.index.max())
    left = int(row.period) - year
    need = 100 * ((row.value / trade[year]) ** (1 / left) - 1) if left > 0 else None
    pace = "" if need is None else f" It takes {pct(need)} a year from there." if need > 0 else " It has been reached."
    goal = f"The two leaders' target of {usd_m(row.value)} for {row.period}"
    return f"{goal} stands against {usd_m(trade[year])} in {year}.{pace}"
