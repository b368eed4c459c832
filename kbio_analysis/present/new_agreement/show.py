"""Tables and records of the notebook on a new agreement, each shown by one call."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from kbio_analysis.models.new_agreement import FLOWS, METHODS, PERCENTILES, Effects, TariffStudy
from kbio_analysis.models.reference_class import MixturePrediction
from kbio_analysis.models.trade_baseline import Baseline
from kbio_analysis.present.new_agreement.words import WHERE, answering
from kbio_analysis.present.outputs import SIMULATED_RTOL, record
from kbio_analysis.present.tables import table
from kbio_analysis.present.text import chance

USD = {"unit": "US$ million", "rtol": SIMULATED_RTOL}
LABELS = {flow: words[0].upper() + words[1:] for flow, words in WHERE.items()}
OUTCOMES = {
    "exports": "Change of the flow",
    "creation": "of it creation",
    "diversion": "of it diversion",
    "price": "of it better prices",
    "smart": "Creation by SMART's linear rule",
    "revenue": "Importer's duty revenue",
    "consumer_surplus": "Importer's consumer surplus",
}


def effect_rows(found: Effects) -> pd.DataFrame:
    """One row a flow and method that can be had: flow, method, 5, 50, 95 (US$ million, last year), p_positive.

    The tariff method has no p: cuts add by construction.
    """
    cell = found.cells[0] if found.cells else ""
    rows = []
    for flow in WHERE:
        for method in METHODS:
            if found.has(method, flow):
                one = found.pooled(method, flow, cell)
                odds = None if method == "tariffs" else one.p_above(0)
                rows.append((flow, method, *(one.percentile(p) for p in PERCENTILES), odds))
    return pd.DataFrame(rows, columns=["flow", "method", "low", "median", "high", "p_positive"]).astype(
        {"p_positive": float}
    )


def show_effects(found: Effects, *, source: str) -> None:
    """The effect in the last year by flow and method; nothing without an estimate."""
    rows = effect_rows(found)
    if rows.empty:
        return
    rows = rows.assign(flow=rows["flow"].map(LABELS), method=rows["method"].map(METHODS))
    columns = ["Flow", "Method", "5%", "50%", "95%", "Chance of more than nothing"]
    formats = dict.fromkeys(columns[2:5], ",.0f") | {columns[5]: chance}
    caption = f"What an agreement adds in {found.years[-1]}, US$ million a year"
    table(rows.set_axis(columns, axis=1), id="effects", caption=caption, source=source, formats=formats)


def show_years(found: Effects, outlook: Baseline, *, source: str) -> None:
    """Trade without an agreement and the effect, year by year, for the flow and method that answer."""
    chosen = answering(found)
    if chosen is None:
        return
    method, flow = chosen
    columns = [outlook.years.index(year) for year in found.years]
    trade = sum(outlook.paths[f] for f in (FLOWS if flow == "trade" else [flow]))[:, columns]
    none = np.percentile(trade, PERCENTILES, axis=0).T
    added = found.by_year(method, flow, found.cells[0]).to_numpy()
    heads = [*(f"Without, {p}%" for p in PERCENTILES), *(f"Effect, {p}%" for p in PERCENTILES)]
    frame = pd.DataFrame(np.hstack([none, added]), columns=heads)
    frame.insert(0, "Year", [str(year) for year in found.years])
    caption = f"{LABELS[flow]} without an agreement and what one adds ({METHODS[method].lower()}), US$ million"
    table(frame, id="years", caption=caption, source=source, formats=dict.fromkeys(heads, ",.0f"))


def show_cells(found: Effects, *, source: str) -> None:
    """The four cells: imports by date of graduation, without and with an agreement; nothing where no date is held."""
    if not found.loss or found.imports is None:
        return
    rows = []
    for cell, loss in sorted(found.loss.items()):
        without = found.imports + loss
        agreed = without + found.draws["tariffs", "imports", cell]
        for label, flow in (("none", without), ("agreement", agreed)):
            last, summed = np.percentile(flow[:, -1], PERCENTILES), np.median(flow.sum(axis=1))
            lost = np.median((flow - found.imports).sum(axis=1))
            rows.append((cell[-4:], label, *last, summed, lost))
    heads = ["Graduation", "Agreement", "5%", "50%", "95%", "Summed, 50%", "Summed change, 50%"]
    caption = (
        f"Korea's imports by graduation and agreement, tariff method: US$ million in {found.years[-1]}, summed over "
        f"{found.years[0]} to {found.years[-1]}, and the summed change against today's terms"
    )
    frame = pd.DataFrame(rows, columns=heads)
    table(frame, id="cells", caption=caption, source=source, formats=dict.fromkeys(heads[2:], ",.0f"))


def show_accounts(studies: Mapping[str, TariffStudy], outlook: Baseline, *, source: str) -> None:
    """Creation, diversion, revenue and surplus at today's trade; nothing where the tariff method is silent."""
    used = {flow: study.gain for flow, study in studies.items() if flow in outlook.standings}
    if not used:
        return
    frame = pd.DataFrame({"US$ million a year": list(OUTCOMES.values())})
    for flow, gain in used.items():
        base = outlook.standings[flow].base_usd_m
        totals = [getattr(gain, name).total * base for name in OUTCOMES]
        for p in PERCENTILES:
            frame[f"{flow.capitalize()}, {p}%"] = [float(total[p]) for total in totals]
    caption = "The tariff cut at the base years' trade, when complete"
    formats = dict.fromkeys(frame.columns[1:], ",.1f")
    table(frame, id="accounts", caption=caption, source=source, formats=formats)


def show_chapters(
    studies: Mapping[str, TariffStudy], lines: Mapping[str, pd.DataFrame], outlook: Baseline, *, source: str, n: int = 5
) -> None:
    """The chapters that gain most, by flow."""
    rows = []
    for flow, study in studies.items():
        if flow not in outlook.standings:
            continue
        base, wedge = outlook.standings[flow].base_usd_m, study.gain.wedge
        for chapter, value in study.gain.exports.per_line[50].sort_values(ascending=False).head(n).items():
            line = lines[flow].loc[chapter]
            duties = (wedge.at[chapter, "without"], wedge.at[chapter, "agreement"])
            rows.append((LABELS[flow], f"{chapter:02d}", line["group"], line["share_pct"], *duties, value * base))
    if not rows:
        return
    heads = ["Flow", "HS chapter", "Product group", "Share of flow, %", "Duty without, %", "Duty with, %", "Gain"]
    caption = "Chapters that gain most from the tariff cut, median at the base years' trade, US$ million a year"
    formats = dict.fromkeys(heads[3:], ".1f")
    table(pd.DataFrame(rows, columns=heads), id="chapters", caption=caption, source=source, formats=formats)


def show_new_agreement_sources(sources: pd.DataFrame) -> None:
    """Publisher, title, date and address of every source."""
    frame = sources[["publisher", "title", "published", "url"]].drop_duplicates()
    frame = frame.set_axis(["Publisher", "Title", "Published", "Address"], axis=1)
    table(frame, id="sources", caption="Sources of every figure on this page", source="data/tables/sources.csv")


def record_effects(found: Effects) -> None:
    """Effects by method and flow at the chosen date, and by date of graduation for each flow."""
    year = found.years[-1]
    for flow in WHERE:
        for method in METHODS:
            if not found.has(method, flow):
                continue
            for cell in found.cells if flow != "trade" else found.cells[:1]:
                stem = f"effect_{method}_{flow}" if flow == "trade" else f"effect_{method}_{flow}_{cell}"
                one = found.pooled(method, flow, cell)
                for p in PERCENTILES:
                    meaning = f"{METHODS[method].lower()}: effect on {WHERE[flow]} a year in {year}, {p}%"
                    record(f"{stem}_usd_m_{p}", one.percentile(p), meaning=meaning, **USD)
    for cell, loss in found.loss.items():
        value = float(np.median(-loss.sum(axis=1)))
        meaning = f"imports lost without an agreement, summed {found.years[0]}-{year}, median"
        record(f"loss_without_agreement_{cell}_usd_m", value, meaning=meaning, **USD)


def record_partner(
    standing: object, found: Effects, outlook: Baseline, access: Mapping[str, str], odds: tuple[float, float] | None
) -> None:
    """Who the partner is, whether anything can be said, and trade without an agreement."""
    words = {"unit": "text", "meaning": "Partner"}
    record("partner_name", standing.name, **words)
    record("region", standing.group, unit="text", meaning="Country group")
    record("agreements", ", ".join(standing.agreements) or "none", unit="text", meaning="Goods agreements in force")
    record("agreement_in_force", bool(standing.agreements), unit="yes/no", meaning="Goods agreement in force")
    record("enough_data", bool(found.draws), unit="yes/no", meaning="an effect can be given at all")
    record("has_tariffs", bool(access), unit="yes/no", meaning="the tariff method reaches at least one flow")
    record("growth_assumed_pct", outlook.growth_pct, unit="per cent a year", meaning="partner's real growth")
    for flow in outlook.paths:
        band = outlook.band(flow).loc[found.years[-1]]
        for p in PERCENTILES:
            meaning = f"{WHERE[flow]} without an agreement in {found.years[-1]}, {p}%"
            record(f"baseline_{flow}_usd_m_{p}", band[p], meaning=meaning, **USD)
    if odds is not None:
        kind = {"unit": "probability", "rtol": SIMULATED_RTOL}
        meaning = "two-way trade ten years after entry at least twice that of the year before it"
        record("p_doubles_without", odds[0], meaning=f"{meaning}, no agreement", **kind)
        record("p_doubles_with", odds[1], meaning=f"{meaning}, with one", **kind)


def record_graduation(timeline: pd.DataFrame) -> None:
    """The day of the last event held on the date of graduation, and how many events are."""
    days = timeline.loc[timeline["kind"] == "graduation", "date"]
    record("graduation_last_heard", f"{days.max():%Y-%m-%d}", unit="date", meaning="last event held on graduation")
    record("graduation_events", len(days), unit="events", meaning="events held on graduation")


def record_methods(
    elasticities: Mapping[str, float], predictions: Mapping[str, MixturePrediction], coverage: pd.DataFrame
) -> None:
    """Elasticities, coverage, and the chance that past agreements foretell of adding anything."""
    for flow, value in elasticities.items():
        meaning = f"income elasticity, {WHERE[flow]}"
        record(f"elasticity_{flow}", value, unit="per cent per per cent", rtol=1e-6, meaning=meaning)
    for flow, row in coverage.iterrows():
        record(f"coverage_90_{flow}", float(row.share), unit="share", meaning=f"90% intervals that held, {flow}")
    for flow, p in predictions.items():
        meaning = f"chance that an agreement itself adds to {WHERE[flow]}"
        record(f"p_effect_positive_{flow}", 1 - p.cdf(0), unit="probability", rtol=1e-6, meaning=meaning)
