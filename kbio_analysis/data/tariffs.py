"""What a study of a new agreement reads: the partner, the terms on which goods enter, and product lines with duties."""

from collections.abc import Set
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal

from ..errors import DataError, did_you_mean
from ..vocabulary import HOME, SHIP_FLAG
from .tables import load
from .trade import FLOWS, agreement_years, groups_of, partner_names, short_name, usable_totals, wide

if TYPE_CHECKING:
    from pandas import DataFrame

Flow = Literal["exports", "imports"]
Access = Literal["agreement", "dfqf", "mfn"]

RECENT_YEARS = 3  # latest usable years over which the supplier's share in the importer's purchases is a mean
GRADUATING = ("BGD", "NPL", "LAO")  # whose dates of leaving the least developed countries are held
TODAY = 2026  # the year whose terms of entry count
BASE_YEAR = 2024  # from which trade without an agreement is projected; eleven months of it are held by partner
BOND = range(50, 61)  # HS chapters of fibres, yarns and fabrics: what garment makers import under bond
COLLECTING = "BGD"  # the partner whose receipts at the border are held
REGULATORY_SHARE = 0.25  # assumed part of para-tariffs that is regulatory duty; the rest is supplementary
_QUARTILE_GAP = 2 * 0.6744897501960817
_ALL = "All products"
_BASES = {"mfn_simple_avg": "groups", "mfn_weighted_avg": "flat"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Partner:
    """Who a partner is: ``group`` of countries; ``agreements`` on goods in force with Korea (short names, oldest
    first) with the ``since`` year of the first; ``pending`` agreements signed, concluded or negotiated (name, status);
    ``ships``: trade is mostly vessels registered there."""

    name: str
    group: str
    agreements: tuple[str, ...]
    since: int | None
    pending: tuple[tuple[str, str], ...]
    ships: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffLines:
    """Product lines of one flow, by HS chapter.

    ``frame`` is indexed by hs2 and holds only chapters with trade: group, share_pct (of the flow), trade_usd_m (of a
    flow that adds up to one), cd_pct, rd_pct, sd_pct (customs, regulatory, supplementary duty, per cent; NaN where none
    is held), supplier_share (fraction of the importer's purchases that comes from the supplier), sigma_median,
    sigma_log_sd and source_id of the duty. ``importer`` levies it; ``basis`` says what it rests on: WTO product
    groups, one average for all, or nothing; ``access`` what the flow meets today; ``partial``: whether the Asia-Pacific
    Trade Agreement takes part of Korea's duty off.
    """

    frame: "DataFrame"
    importer: str
    basis: Literal["groups", "flat", "none"]
    access: Access
    partial: bool
    source_ids: tuple[str, ...]


def partner(iso3: str) -> Partner:
    """One partner. Raises DataError, with a near match, for a code that Korea's trade does not hold."""
    names = partner_names()
    if iso3 not in names:
        near = did_you_mean(iso3.upper(), names.index) or did_you_mean(iso3, names)
        raise DataError(f"no partner {iso3!r} in Korea's trade{near or '; give an ISO 3166 code of three letters'}")
    mine = load("korea_ftas").query("iso3 == @iso3 and scope == 'goods'").sort_values("in_force_earliest")
    in_force, pending = mine[mine["status"] == "in_force"], mine[mine["status"] != "in_force"].sort_index()
    since = in_force["in_force_earliest"].min()
    flags = load("korea_exports_by_partner").query("iso3 == @iso3")["flag"]
    return Partner(
        name=names[iso3],
        group=groups_of([iso3]).iloc[0],
        agreements=tuple(short_name(name) for name in in_force["agreement"]),
        since=None if since != since else since.year,
        pending=tuple(zip(pending["agreement"], pending["status"], strict=True)),
        ships=bool(flags.str.contains(SHIP_FLAG).any()),
    )


def partner_flows() -> "dict[str, DataFrame]":
    """Korea's exports to and imports from every partner, years x ISO3, US$ million; no ships, no former states."""
    held = {flow: load(f"korea_{flow}_by_partner") for flow in FLOWS}
    left_out = f"{SHIP_FLAG}|former_code|larger_state"
    return {f: wide(rows[~rows["flag"].str.contains(left_out)], f"{f}_usd_m") for f, rows in held.items()}


def base_trade(iso3: str, excluded: tuple[int, ...] = ()) -> "DataFrame":
    """Trade with a partner in BASE_YEAR, a row a flow: all_usd_m, and usd_m without the ``excluded`` HS chapters.

    January to November by partner, raised by what all of Korea's trade was in the whole year against its eleven months;
    ``left_out_pct`` the part of the excluded chapters in the eleven months. Empty for a partner that is not held.
    """
    from pandas import DataFrame

    rows, parts = load("korea_trade_2024_by_partner"), load("korea_trade_by_chapter")
    yearly, parts = rows["period"] == str(BASE_YEAR), parts[(parts["iso3"] == iso3) & parts["hs2"].isin(excluded)]
    flows = rows[[f"{flow}_usd_m" for flow in FLOWS]].set_axis(FLOWS, axis=1)
    whole = flows[~yearly & (rows["iso3"] == iso3)].sum() * flows[yearly].sum() / flows[~yearly].sum()
    left_out = parts[[f"{flow}_share_pct" for flow in FLOWS]].set_axis(FLOWS, axis=1).sum()
    rest = whole * (1 - left_out / 100).clip(lower=0.0)
    return DataFrame({"all_usd_m": whole, "left_out_pct": left_out, "usd_m": rest})[whole > 0]


def collected() -> "dict[str, float]":
    """What Bangladesh collects on its imports, per cent of their value: ``all`` levies, ``customs`` and
    ``supplementary`` duty, and what is ``exempted`` as per cent of the value.

    The split of all levies is that of the largest customs house's targets, the exchange rate that of the next year.
    """
    rows = load("bangladesh_published").set_index("id")["value"]
    value_tk_crore = rows["imports_fy2023"] * rows["exchange_rate_fy2024"] / 10
    everything = 100 * rows["customs_receipts_fy2023"] / value_tk_crore
    share = everything / rows["chattogram_target_fy2024"]
    return {
        "all": everything,
        "customs": share * rows["chattogram_target_customs_duty_fy2024"],
        "supplementary": share * rows["chattogram_target_supplementary_duty_fy2024"],
        "exempted": 100 * rows["duty_exemptions_fy2023"] / value_tk_crore,
    }


def duty_check(*, excluded: tuple[int, ...] = (), bonded: float = 0.9) -> "DataFrame":
    """Bangladesh's duties on Korea's goods, per cent of value: as printed, as paid (as for :func:`lines`), and what
    its customs collects on all imports; columns customs_pct, para_pct, wedge_pct."""
    from pandas import DataFrame

    rows, rates, held = {}, collected(), _printed(COLLECTING, "exports", excluded)
    for name, paid in (("As printed, by product group", False), ("As paid, bond and exemptions out", True)):
        frame = _charged(held, paid, bonded).frame
        cd, rd, sd = frame["cd_pct"], frame["rd_pct"], frame["sd_pct"]
        wedge = (1 + (cd + rd) / 100) * (1 + sd / 100) - 1
        rows[name] = [(duty * frame["share_pct"]).sum() / 100 for duty in (cd, rd + sd, 100 * wedge)]
    customs, para = rates["customs"], rates["supplementary"]
    rows["Collected on all imports, 2022-23"] = (customs, para, customs + para)
    return DataFrame.from_dict(rows, orient="index", columns=["customs_pct", "para_pct", "wedge_pct"])


def duty_variants(
    iso3: str, flows_held: Set[str], *, excluded: tuple[int, ...] = (), paid: bool = True, bonded: float = 0.9
) -> "dict[str, dict[str, tuple[str, dict[str, TariffLines]]]]":
    """Bangladesh's duties at both ends of what is not known of them: input -> low and high -> name, flows as then."""
    held = {flow: _printed(iso3, flow, excluded) for flow in FLOWS if flow in flows_held and iso3 == COLLECTING}
    cases = {
        "Garment inputs under bond": {"low": ("all", paid, 1.0), "high": ("half", paid, 0.5)},
        "Bangladesh's duties": {"low": ("as collected", True, bonded), "high": ("as printed", False, bonded)},
    }
    return {
        name: {end: (said, {f: _charged(t, *how) for f, t in held.items()}) for end, (said, *how) in ends.items()}
        for name, ends in cases.items()
        if held
    }


def graduation_cells(iso3: str, start: int, graduation: str) -> dict[str, int | None]:
    """Cell -> years from entry (``start``) after which duty-free entry ends; the chosen date's cell comes first.

    A year counts as without the preference if graduation came before it; below 0 it ended before entry. Dates are held
    for Bangladesh, Nepal and Laos, of whom the last two share the first date and may share the second; any other
    partner, and one whose agreement goes on, has one cell, in which the terms stay.
    """
    chosen = f"graduation_{graduation[:4]}"
    if iso3 not in GRADUATING or access_today(iso3, "imports") != "dfqf":
        return {chosen: None}
    rows = load("bangladesh_timeline")
    years = rows.loc[rows["kind"] == "graduation_date", "date"].dt.year
    cells = {f"graduation_{year}": int(year) + 1 - start for year in years}
    return {chosen: cells[chosen]} | cells


def flows(iso3: str, **duties: Any) -> dict[str, TariffLines]:
    """Flows with a partner the tariff method can take: duties held, trade by chapter known, no agreement in force.
    ``duties`` as for :func:`lines`."""
    found = {flow: lines(iso3, flow, **duties) for flow in FLOWS}
    return {f: t for f, t in found.items() if t.basis != "none" and t.access != "agreement" and len(t.frame)}


def lines(
    iso3: str, flow: Flow, *, excluded: tuple[int, ...] = (), paid: bool = True, bonded: float = 0.9
) -> TariffLines:
    """Lines of Korea's ``exports`` to, or ``imports`` from, a partner, with the duties of the importing side.

    Duties are those without a preference: by product group where held, else the importer's average of most-favoured-
    nation rates weighted by imports, else missing. Chapters ``excluded`` are left out. Bangladesh's are put right where
    ``paid``: the fraction ``bonded`` of garment inputs pays none, and the rest is scaled so that the average does not
    exceed what its customs collects, para-tariffs included once; else as printed, para-tariffs in proportion to the
    customs duty. Empty for a partner outside the table of chapters.
    """
    return _charged(_printed(iso3, flow, excluded), paid, bonded)


def _printed(iso3: str, flow: Flow, excluded: tuple[int, ...]) -> TariffLines:
    """The lines with customs duties as printed, and no others."""
    import numpy as np

    trade = load("korea_trade_by_chapter")
    trade = trade[trade["iso3"] == iso3].set_index("hs2").sort_index()
    trade = trade[(trade[f"{flow}_share_pct"] > 0) & ~trade.index.isin(excluded)]
    importer = iso3 if flow == "exports" else HOME
    members = load("korea_ftas").query("scope == 'partial' and status == 'in_force'")
    groups, share = load("wto_product_groups"), trade[f"{flow}_share_pct"]
    frame = groups.rename(columns={"product_group": "group"}).set_index("hs2")[["group", "broad_group"]]
    sections = load("trade_elasticities_hs_section")
    sections = sections.assign(sigma_log_sd=np.log(sections["sigma_p75"] / sections["sigma_p25"]) / _QUARTILE_GAP)
    section_of = np.searchsorted(sections["first_hs2"], trade.index, side="right") - 1
    sigma = sections[["sigma_median", "sigma_log_sd"]].iloc[section_of].set_axis(trade.index)
    frame = frame.loc[trade.index].join(sigma)
    frame = _with_duties(frame.assign(importer=importer, share_pct=100 * share / share.sum()))
    supplier, behind = trade["share_of_korean_imports_pct"] / 100, trade
    if flow == "exports":  # Korea's fraction of the partner's total imports; the median partner's where unusable
        rows = usable_totals("imports").query("imports_from_korea_usd_m > 0").sort_values("year")
        behind = rows.groupby("iso3").tail(RECENT_YEARS)
        shares = (behind["imports_from_korea_usd_m"] / behind["total_imports_usd_m"]).groupby(behind["iso3"]).mean()
        supplier = float(shares.get(iso3, shares.median()))
    frame = frame.assign(rd_pct=0.0, sd_pct=0.0, supplier_share=supplier, trade_usd_m=frame["share_pct"] / 100)
    tables = (groups, sections, trade, frame, behind)
    used = {source for rows in tables for source in rows["source_id"].unique()} - {""}
    columns = ["group", "share_pct", "cd_pct", "rd_pct", "sd_pct", "supplier_share", "trade_usd_m"]
    return TariffLines(
        frame=frame[[*columns, "sigma_median", "sigma_log_sd", "source_id"]],
        importer=importer,
        basis=_BASES.get(next(iter(frame["rate_type"].dropna()), ""), "none"),
        access=access_today(iso3, flow),
        partial=flow == "imports" and iso3 in set(members["iso3"]),
        source_ids=tuple(sorted(used)),
    )


def duties_met(members: "DataFrame") -> "DataFrame":
    """What agreements could cut: average duty without a preference, per cent, by (agreement, direction).

    ``members``: iso3, agreement and entry_year. Duties as printed, on trade by chapter of BASE_YEAR; members weigh by
    their trade with Korea in the three years before entry. Pairs without a duty on record are absent.
    """
    import pandas as pd

    chapters = load("korea_trade_by_chapter").merge(load("wto_product_groups"), "left", "hs2", suffixes=("", "_of"))
    chapters, years = chapters.rename(columns={"product_group": "group"}), partner_flows()
    sides = {"exports": chapters.assign(importer=chapters["iso3"]), "imports": chapters.assign(importer=HOME)}
    parts = [rows.assign(direction=flow, share=rows[f"{flow}_share_pct"]) for flow, rows in sides.items()]
    levied = _with_duties(pd.concat(parts, ignore_index=True).drop(columns="source_id")).dropna(subset="cd_pct")
    levied["duty"] = levied["cd_pct"] * levied["share"]
    levied = levied.groupby(["direction", "iso3"])[["duty", "share"]].sum()
    duty, rows = levied["duty"] / levied["share"], []
    for iso3, agreement, entry in members[["iso3", "agreement", "entry_year"]].itertuples(index=False):
        for flow, trade in years.items():
            if (flow, iso3) in duty.index and iso3 in trade:
                before = trade[iso3].loc[entry - 3 : entry - 1].mean()
                rows.append((agreement, flow, duty[flow, iso3] * before, before))
    frame = pd.DataFrame(rows, columns=["agreement", "direction", "duty", "trade"]).dropna()
    frame = frame.groupby(["agreement", "direction"]).sum()
    return (frame["duty"] / frame["trade"]).to_frame("duty_pct")


def access_today(iso3: str, flow: Flow) -> Access:
    """The terms on which the flow enters its importer in the year TODAY: an ``agreement`` in force comes first, then
    ``dfqf``, Korea's duty-free entry for least developed countries (imports only), else ``mfn``."""
    if agreement_years().get(iso3, TODAY + 1) <= TODAY:
        return "agreement"
    return "dfqf" if flow == "imports" and iso3 in least_developed(TODAY) else "mfn"


def least_developed(year: int) -> Set[str]:
    """ISO3 of the least developed countries in ``year``, from the list of 2021 less those known to have left since."""
    return set(load("least_developed_countries").query("graduation_year.isna() or graduation_year >= @year")["iso3"])


def _with_duties(frame: "DataFrame") -> "DataFrame":
    """Adds cd_pct, source_id and rate_type: of the line's product group, else its broad one, else of all products."""
    import pandas as pd

    rates = load("applied_tariffs").set_index(["rate_type", "importer", "product_group"], drop=False)
    rates, lines = rates[["rate_pct", "source_id", "rate_type"]], frame.assign(all=_ALL)
    found = []
    for kind, group in (("mfn_simple_avg", "group"), ("mfn_simple_avg", "broad_group"), ("mfn_weighted_avg", "all")):
        at = pd.MultiIndex.from_frame(lines.assign(kind=kind)[["kind", "importer", group]])
        found.append(rates.reindex(at).set_axis(frame.index))
    duties = reduce(pd.DataFrame.fillna, found).fillna({"source_id": ""})
    return frame.join(duties.rename(columns={"rate_pct": "cd_pct"}))


def _charged(held: TariffLines, paid: bool, bonded: float) -> TariffLines:
    """The lines with the duties of :func:`lines`, from those with customs duties as printed."""
    frame, rates, used = held.frame, load("applied_tariffs"), set(held.source_ids)
    customs, para = frame["cd_pct"], 0.0 * frame["cd_pct"]
    total = rates[(rates["importer"] == held.importer) & (rates["product_group"] == _ALL)].set_index("rate_type")
    if "cd_rd_sd_simple_avg" in total.index:
        if paid and held.importer == COLLECTING:  # without what is under bond, scaled down to the average collected
            collects = collected()
            customs = customs * (1 - bonded * frame.index.isin(BOND))
            average = (customs * frame["share_pct"]).sum() / 100
            customs = customs * min(1.0, collects["customs"] / average if average > 0 else 1.0)
            para = customs * collects["supplementary"] / collects["customs"]
        else:  # the mean over all lines is the published total less the customs duty's
            levels = total["rate_pct"]
            para = customs * (levels["cd_rd_sd_simple_avg"] / levels["mfn_simple_avg"] - 1)
        used |= {total.at["cd_rd_sd_simple_avg", "source_id"]}
        used |= {*load("bangladesh_published").query("kind == 'revenue'")["source_id"]}
    frame = frame.assign(cd_pct=customs, rd_pct=para * REGULATORY_SHARE, sd_pct=para * (1 - REGULATORY_SHARE))
    return replace(held, frame=frame, source_ids=tuple(sorted(used)))
