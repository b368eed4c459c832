"""What the study of a new agreement reads of one partner: its trade, its growth, where it stands with Korea."""

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING

from ..errors import DataError
from ..vocabulary import SHIP_FLAG, country_group
from .fta_views import short_name
from .tables import load
from .tariff_views import TariffLines, tariff_lines

if TYPE_CHECKING:
    from pandas import DataFrame

GRADUATING = "BGD"
"""The partner whose graduation dates are held."""

MIN_TWO_WAY_USD_M = 10.0
"""Least two-way trade, mean of the last three years, of a partner that the batch of all partners holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerStanding:
    """Who a partner is and where it stands: ``group`` of the vocabulary; ``agreements`` on goods in force (short names,
    oldest first) with the ``since`` year of the first; ``pending`` agreements signed, concluded or negotiated (name and
    status); ``ships``: trade is mostly vessels registered there."""

    iso3: str
    name: str
    group: str
    agreements: tuple[str, ...]
    since: int | None
    pending: tuple[tuple[str, str], ...]
    ships: bool


def partner_standing(iso3: str) -> PartnerStanding:
    """The standing of one partner. Raises DataError, with near matches, for a code that Korea's trade does not hold."""
    trade = load("korea_exports_by_partner")
    names = dict(zip(trade["iso3"], trade["partner"], strict=True))
    if iso3 not in names:
        near = get_close_matches(iso3.upper(), names, n=3)
        by_name = [code for code, name in names.items() if iso3.lower() in name.lower()] if len(iso3) > 3 else []
        hint = ", ".join(f"{code} ({names[code]})" for code in dict.fromkeys([*by_name[:3], *near]))
        raise DataError(f"no partner {iso3!r} in Korea's trade: give an ISO 3166 code of three letters; near: {hint}")
    ftas = load("korea_ftas")
    mine = ftas[(ftas["iso3"] == iso3) & (ftas["scope"] == "goods")]
    in_force = mine[mine["status"] == "in_force"].sort_values("in_force_earliest")
    first = in_force["in_force_earliest"].min() if len(in_force) else None
    pending = mine[mine["status"] != "in_force"]
    return PartnerStanding(
        iso3=iso3,
        name=names[iso3],
        group=country_group(iso3),
        agreements=tuple(short_name(name) for name in in_force["agreement"]),
        since=None if first is None or first != first else int(first.year),
        pending=tuple(zip(pending["agreement"], pending["status"], strict=True)),
        ships=bool(trade.loc[trade["iso3"] == iso3, "flag"].fillna("").str.contains(SHIP_FLAG).any()),
    )


def partner_flows() -> "dict[str, DataFrame]":
    """Korea's exports to and imports from every partner, years x ISO3, US$ million; no ships, no former states."""
    flows = {}
    for flow in ("exports", "imports"):
        rows = load(f"korea_{flow}_by_partner")
        rows = rows[~rows["flag"].fillna("").str.contains(f"{SHIP_FLAG}|former_code|larger_state")]
        flows[flow] = rows.pivot(index="year", columns="iso3", values=f"{flow}_usd_m").sort_index()
    return flows


def real_growth() -> "DataFrame":
    """Real growth of GDP, years x ISO3, per cent; one vintage throughout."""
    rows = load("country_macro")
    return rows.pivot(index="year", columns="iso3", values="gdp_growth_pct").sort_index()


def partners_with_trade() -> list[str]:
    """ISO3 codes, sorted, of partners with both flows in the last three years and two-way trade worth the name."""
    flows = partner_flows()
    recent = {flow: values.tail(3) for flow, values in flows.items()}
    two_way = sum(values.mean() for values in recent.values())
    steady = [(values > 0).all() for values in recent.values()]
    return sorted(c for c in two_way.index if two_way[c] >= MIN_TWO_WAY_USD_M and all(s.get(c, False) for s in steady))


def bangladesh_published() -> "DataFrame":
    """What was published about Bangladesh's growth, its trade with Korea and the diesel of 2022, a figure a row."""
    return load("bangladesh_published").set_index("id")


def bangladesh_timeline() -> "DataFrame":
    """Talks and graduation by date: date, event, kind, source_id."""
    return load("bangladesh_timeline")


def graduation_cells(partner: str, start: int, graduation: str) -> dict[str, int | None]:
    """Cell -> years from entry (``start``) after which duty-free entry ends; the chosen date's cell comes first.

    A year counts as without the preference if graduation came before it. Dates are held for Bangladesh only; any other
    partner has one cell, in which the preference stays.
    """
    chosen = f"graduation_{graduation[:4]}"
    if partner != GRADUATING:
        return {chosen: None}
    rows = load("bangladesh_timeline")
    years = rows.loc[rows["kind"] == "graduation_date", "date"].dt.year
    cells = {f"graduation_{year}": int(year) + 1 - start for year in years}
    return {chosen: cells[chosen]} | cells


def tariff_flows(partner: str) -> dict[str, TariffLines]:
    """Flows of ``partner`` the tariff method can take: duties held, trade by chapter known, no agreement in force."""
    if partner not in set(load("korea_trade_by_chapter")["iso3"]):
        return {}
    found = {flow: tariff_lines(partner, flow) for flow in ("exports", "imports")}
    usable = {f: t for f, t in found.items() if t.basis != "none" and t.access != "agreement" and len(t.frame)}
    return {f: t for f, t in usable.items() if (t.frame["share_pct"] > 0).any()}
