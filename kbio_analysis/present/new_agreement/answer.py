"""Sentences on what an agreement could bring: the answer, the methods beside each other, what drives it, its limits."""

import pandas as pd

from kbio_analysis.models.new_agreement import Effects
from kbio_analysis.models.trade_baseline import Baseline
from kbio_analysis.present.new_agreement.words import WHERE, Standing, answering, money, quantiles, span, without
from kbio_analysis.present.text import chance, count, join


def answer_sentence(found: Effects, outlook: Baseline, standing: Standing, *, start: int) -> str:
    """The answer in one sentence, or why there is none."""
    chosen = answering(found)
    if chosen is None:
        return f"What an agreement with {standing.name} could bring cannot be told: {_why_not(outlook, standing)}."
    method, flow = chosen
    cell, year = found.cells[0], found.years[-1]
    pooled = found.pooled(method, flow, cell)
    low, middle, high = quantiles(pooled)
    lead = f"In {year}, {count(year - start, 'year')} after entry,"
    verb = "add" if middle >= 0 else "take"
    onto = "to" if middle >= 0 else "from"
    who = f"an agreement with {standing.name}"
    if standing.agreements:
        who = f"a first agreement with a partner like {standing.name}, which has had one since {standing.since},"
    scope = "" if flow == "trade" else ", the only flow with enough record,"
    return (
        f"{lead} {who} would {verb} {money(abs(middle))} a year {onto} {WHERE[flow]}{scope} "
        f"(90% between {money(low)} and {money(high)}){_apart(found, method, flow)}; without one "
        f"{money(without(outlook, flow, year))} would be traded."
    )


def _apart(found: Effects, method: str, flow: str) -> str:
    """The methods by themselves. Only past agreements can tell a chance of any gain: a cut duty never takes trade."""
    past = found.pooled("transfer", flow, found.cells[0])
    odds = f"a chance of {chance(past.p_above(0))} that anything is added"
    if method != "pooled":
        return f", with {odds}; only the record of past agreements speaks here, no tariff is held for both flows"
    cuts = quantiles(found.pooled("tariffs", flow, found.cells[0]))[1]
    return f", past agreements alone {money(quantiles(past)[1])}, with {odds}, and tariff cuts alone {money(cuts)}"


def _why_not(outlook: Baseline, standing: Standing) -> str:
    if standing.ships:
        return "its trade with Korea is mostly ships under its flag"
    if not outlook.paths:
        return "Korea's customs record of trade with it is too short or has stopped"
    return "the record of past agreements is too thin"


def standing_sentence(standing: Standing, access: dict[str, str], *, coverage_pct: float) -> str:
    """Where the two stand: agreements in force, what is pending, and how goods enter now."""
    if standing.agreements:
        first = (
            f"Goods with {standing.name} already move under {join(list(standing.agreements))}"
            f"{f', since {standing.since}' if standing.since else ''}. Its duties are cut, so the tariff method is "
            "left out, and the transfer is what a first agreement brought elsewhere, not what is still to be had."
        )
    else:
        first = f"Korea has no goods agreement in force with {standing.name}."
    kinds = {"signed": "has been signed", "concluded": "has been concluded", "negotiating": "is being negotiated"}
    pending = [f"{name} {kinds.get(status, 'is ' + status.replace('_', ' '))}" for name, status in standing.pending]
    text = first + (f" {'; '.join(pending)}." if pending else "")
    if access.get("imports") == "dfqf":
        text += (
            f" As a least developed country it already enters Korea free of duty on about {coverage_pct:.0f}% of "
            "lines, so for its exports an agreement keeps what graduation would take away."
        )
    return text


_RELATIONS = {
    (True, True): "each lies within the other's interval",
    (True, False): "the first lies within the second's interval, but not the second within the first's",
    (False, True): "the second lies within the first's interval, but not the first within the second's",
    (False, False): "neither lies within the other's interval",
}
"""By whether the middle by past agreements lies within the interval of the cuts, and the other way round."""


def pooled_sentence(found: Effects) -> str:
    """How far the methods agree, flow by flow."""
    cell = found.cells[0] if found.cells else ""
    parts = []
    for flow in ("exports", "imports"):
        if not found.has("pooled", flow):
            continue
        low_t, mid_t, high_t = quantiles(found.pooled("transfer", flow, cell))
        low_s, mid_s, high_s = quantiles(found.pooled("tariffs", flow, cell))
        relation = _RELATIONS[low_s <= mid_t <= high_s, low_t <= mid_s <= high_t]
        parts.append(
            f"for {WHERE[flow]} past agreements say {money(mid_t)} ({span(low_t, high_t)}) and the tariff cuts "
            f"{money(mid_s)} ({span(low_s, high_s)}), and {relation}"
        )
    if not parts:
        return "Only one method can be had for this partner, so nothing is pooled."
    return (
        f"By the last year, {'; '.join(parts)}. The pool gives each method half the weight and keeps their "
        "disagreement. "
        "The tariff method cannot foretell less trade than without cuts; the record of agreements can."
    )


def drivers_sentence(table: pd.DataFrame) -> str:
    """The inputs that move the median most."""
    if table.empty:
        return "Nothing can be varied without an estimate."
    top = table.iloc[0]
    text = (
        f"{top.input} moves the median most: {money(top.low)} at its low end ({top.low_end}) and {money(top.high)} at "
        f"its high end ({top.high_end})"
    )
    chosen = table[table["input"].isin(["Use of the preference", "Duties cut"])]
    if chosen.empty:
        return f"{text}."
    what = {"Use of the preference": "how much it is used", "Duties cut": "which duties are cut"}
    least = [f"{what[row.input]} {span(*sorted((row.low, row.high)))}" for row in chosen.itertuples()]
    return f"{text}. Of what negotiators decide or firms do, {join(least)}."


def limit_sentences(standing: Standing, found: Effects) -> list[str]:
    """What the page cannot tell."""
    lines = [
        "Services, investment, rules of origin, standards and the talks' real schedules are not in these numbers.",
        "The tariff method keeps zero trade at zero: a market that the agreement would open is not counted.",
        "The transfer rests on few agreements, no two alike, with partners that differ from this one.",
        "Amounts are in current US$; exports f.o.b., imports c.i.f.; feedback on incomes and on other partners is left "
        "out.",
    ]
    if standing.agreements:
        lines.insert(0, "What an upgrade of the agreement in force would add is another question.")
    if getattr(standing, "iso3", "") == "BGD":
        lines.append(
            "Bangladesh's waiver from pharmaceutical patents ends with graduation too; it is noted here, not modelled."
        )
    return lines
