"""Sentences on the parts: trade without an agreement, what past agreements foretell, duties, graduation."""

from collections.abc import Mapping
from math import exp, expm1, log1p

import numpy as np
import pandas as pd

from kbio_analysis.models.new_agreement import FLOWS, Effects, TariffStudy, TariffTerms
from kbio_analysis.models.reference_class import MixturePrediction, PooledEffect
from kbio_analysis.models.trade_baseline import Baseline, IncomeElasticity
from kbio_analysis.present.fta_record.effects import in_pct
from kbio_analysis.present.new_agreement.words import WHERE, Standing, money, span, without
from kbio_analysis.present.text import chance, count, join, pct, signed_pct

SOURCES_OF_GROWTH = {
    "given": "as set",
    "own": "its mean over the last five years of the record",
    "median": "the median partner's, because its own is not held",
}


def base_sentence(history: pd.DataFrame, outlook: Baseline, one_offs: pd.DataFrame, standing: Standing) -> str:
    """The base of each flow, and the one-offs that it steps over."""
    parts = []
    for flow, now in outlook.standings.items():
        recent = history[f"{flow}_usd_m"].dropna().tail(3)
        listed = join([f"{money(v)} in {year}" for year, v in recent.items()])
        parts.append(f"{WHERE[flow]} start from {money(now.base_usd_m)}, the middle one of {listed}")
    missing = [WHERE[flow] for flow in FLOWS if flow not in outlook.standings]
    text = f"{'; '.join(parts)}." if parts else ""
    if missing:
        text += f" For {join(missing)} the record of {standing.name} is too short or has stopped, so nothing is said."
    if len(one_offs):
        shown = [f"{money(row.value)} in {row.period}" for row in one_offs.sort_values("period").itertuples()]
        text += f" Diesel alone made {join(shown)} of Korea's exports: no base should rest on one such year."
    return text.strip()


def growth_sentence(outlook: Baseline, basis: str, claimed: pd.DataFrame, standing: Standing, *, year: int) -> str:
    """The growth assumed, and what the published figures would make of trade without an agreement."""
    text = f"{standing.name}'s real growth is taken as {pct(outlook.growth_pct)} a year, {SOURCES_OF_GROWTH[basis]}."
    if claimed.empty or not outlook.paths:
        return text
    ahead = outlook.years.index(year) + 1
    parts = []
    for row in claimed.itertuples():
        step = (log1p(row.value / 100) - log1p(outlook.growth_pct / 100)) * ahead
        total = sum(without(outlook, f, year) * exp(outlook.elasticities[f] * step) for f in outlook.paths)
        parts.append(f"{pct(row.value)} ({row.period}) would make it {money(total)}")
    now = sum(without(outlook, f, year) for f in outlook.paths)
    return (
        f"{text} Without an agreement the medians of both flows then sum to {money(now)} in {year}; growth as "
        "published "
        f"elsewhere, {join(parts)}."
    )


def elasticity_sentence(found: Mapping[str, IncomeElasticity]) -> str:
    """The income elasticities, and whether one for one lies within their error."""
    parts = [f"{e.value:.2f} for {WHERE[flow]} (standard error {e.se:.2f})" for flow, e in found.items()]
    unit = all(abs(e.value - 1) <= 1.96 * e.se for e in found.values())
    return (
        f"Over partners and years the income elasticity is {join(parts)}: "
        f"{'trade grew about in step with income' if unit else 'not both are in step with income'}."
    )


def baseline_sentence(outlook: Baseline, *, year: int) -> str:
    """The interval of each flow without an agreement."""
    parts = []
    for flow in outlook.paths:
        low, middle, high = outlook.band(flow).loc[year]
        parts.append(f"{WHERE[flow]} {money(middle)} (90% between {money(low)} and {money(high)})")
    if not parts:
        return "Without a base there is no path."
    return f"Without an agreement, {join(parts)} in {year}."


def coverage_sentence(left_out: pd.DataFrame, then: pd.DataFrame, *, horizon: int, origin: int) -> str:
    """How often the 90% intervals held, partners left out and as of an earlier year."""
    first = [f"{pct(100 * row.share, 0)} for {flow}" for flow, row in left_out.iterrows()]
    later = [f"{pct(100 * row.share, 0)} for {flow}" for flow, row in then.iterrows()]
    held = all(row.low <= 0.9 <= row.high for row in left_out.itertuples())
    return (
        f"With each of {int(left_out.n.iloc[0])} partners left out in turn, intervals meant to hold 90% of outcomes up "
        f"to {count(horizon, 'year')} ahead held {join(first)}{', as they should' if held else ''}; drawn in {origin} "
        f"from what was known then, those for the next five years held {join(later)}."
    )


def transfer_sentence(
    predictions: Mapping[str, MixturePrediction], measured: Mapping[str, PooledEffect], *, n_agreements: int
) -> str:
    """What past agreements foretell for a next one, by direction, net of chance and as measured."""
    parts = []
    for flow, p in predictions.items():
        low, high = p.interval(90)
        text = f"{WHERE[flow]} {in_pct(p.quantile(0.5))} ({in_pct(low)} to {in_pct(high)}), {chance(1 - p.cdf(0))} for "
        text += "more than nothing"
        if flow in measured:
            text += f" ({chance(measured[flow].p_above(0))} as measured, partner's luck and all)"
        parts.append(text)
    if not parts:
        return "The record of agreements is too thin to foretell anything."
    return f"From {count(n_agreements, 'agreement')}, what a next one itself adds: {'; '.join(parts)}."


def doubling_sentence(odds: tuple[float, float] | None, india: pd.Series, *, start: int) -> str:
    """Chance that trade doubles within ten years, and what India's did."""
    base, ten = float(india.loc[2009]), float(india.loc[2019])
    own = f"India's was {ten / base:.1f} times that of 2009 in 2019 and {float(india.iloc[-1]) / base:.1f} times by "
    own += f"{int(india.index[-1])}"
    if odds is None:
        return f"Whether two-way trade would double cannot be told without both flows; {own}."
    none, agreed = odds
    tail = "hardly moves it" if abs(agreed - none) < 0.05 else "raises it" if agreed > none else "lowers it"
    return (
        f"The chance that two-way trade in {start + 10} is at least twice that of {start - 1} is {chance(none)} "
        "without "
        f"an agreement and {chance(agreed)} with one: an agreement {tail}. {own}."
    )


def tariff_sentence(
    studies: Mapping[str, TariffStudy],
    lines: Mapping[str, pd.DataFrame],
    bases: Mapping[str, str],
    outlook: Baseline,
    terms: TariffTerms,
) -> str:
    """What the duties are, what the cut does to today's trade, and where the gain comes from."""
    parts = []
    for flow, study in studies.items():
        gain = study.gain
        scale = outlook.standings[flow].base_usd_m
        trade = lines[flow]["trade_usd_m"].reindex(gain.wedge.index)
        wedge_lines = gain.wedge
        wedge = wedge_lines.mul(trade / trade.sum(), axis=0).sum()
        rough = {"groups": "by product group", "flat": "one average for all lines"}[bases[flow]]
        moves = f"falls from {pct(wedge.without)} to {pct(wedge.agreement)}"
        if abs(wedge.without - wedge.agreement) < 0.05:
            moves = f"stays at {pct(wedge.without)}"
        text = (
            f"on {WHERE[flow]} the duty ({rough}, weighted by trade) {moves} over "
            f"{count(len(wedge_lines), 'chapter')}, "
            f"at today's trade worth {money(scale * gain.exports.total[50])}"
        )
        total = gain.exports.total[50]
        if total > 0:
            text += f", {pct(100 * gain.diversion.total[50] / total, 0)} of it taken from other suppliers"
        parts.append(text)
    if not parts:
        return "No duties are held for this partner, or they are cut already: the tariff method is silent."
    return (
        f"With {pct(100 * terms.coverage, 0)} of each line covered, cut in {count(max(terms.phase_years, 1), 'step')} "
        f"and used on {pct(100 * terms.utilisation, 0)}: {'; '.join(parts)}."
    )


def cells_sentence(found: Effects, *, years: tuple[int, int]) -> str:
    """What hangs on the date of graduation; says nothing to model where no date matters."""
    if not found.loss:
        return "No preference of this partner ends on a date that is held, so the date of graduation changes nothing."
    parts = []
    for cell, loss in found.loss.items():
        lost = float(np.median(-loss.sum(axis=1)))
        back = float(np.median(found.draws["tariffs", "imports", cell].sum(axis=1)))
        parts.append(
            f"{money(lost)} if it comes in {cell[-4:]}, of which an agreement would save {money(min(back, lost))}"
        )
    last = sorted(float(np.median(-loss[:, -1])) for loss in found.loss.values())
    same = last[-1] - last[0] < 0.01 * max(last[-1], 1e-9)
    tail = f"{money(last[-1])} in {years[1]} at either date" if same else f"{span(last[0], last[-1])} in {years[1]}"
    return (
        f"Graduation alone would cost Korea's imports, summed over {years[0]} to {years[1]}, {'; '.join(parts)}. The "
        "yearly "
        f"loss is {tail}. For the partner's exports the tariff method therefore counts loss avoided, and an agreement "
        "whose "
        "cuts come in steps saves less of it than one that keeps today's terms."
    )


def ex_ante_sentence(published: pd.DataFrame, effects: pd.Series) -> str:
    """What was foretold of India's agreement against what the record measures."""
    rows = published[(published["kind"] == "ex_ante") & (published["unit"] == "per cent")]
    parts = []
    for row in rows.itertuples():
        if ("India", row.flow) in effects.index:
            got = 100 * expm1(float(effects["India", row.flow]))
            parts.append(
                f"{row.flow} {signed_pct(row.value, 0)} foretold, {signed_pct(got, 0)} measured ({got / row.value:.2f})"
            )
    if not parts:
        return "No earlier forecast of an agreement can be held against its record."
    return (
        f"The one forecast by a model that can be held against its outcome is India's: {join(parts)}. Two ratios of "
        "one agreement are no error distribution, and what was measured holds its luck; the tariff method's own "
        "interval "
        "is therefore a least width."
    )


def timeline_sentence(timeline: pd.DataFrame, cell: str) -> str:
    """What decides the graduation date."""
    steps = timeline[timeline["kind"] == "graduation"].sort_values("date")
    last = steps.iloc[-1]
    return (
        f"Last held on it ({last.date:%Y-%m-%d}): {last.event}. The chosen date is that of {cell[-4:]}; both are run."
    )
