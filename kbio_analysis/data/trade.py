"""Korea's trade by partner, group and year, the agreements in force, the panels that studies compare, and the map."""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ..errors import DataError, did_you_mean
from ..vocabulary import SHIP_FLAG
from .tables import load

if TYPE_CHECKING:
    import numpy as np
    from pandas import DataFrame, Series

Dating = Literal["early", "late"]
FLOWS = ("exports", "imports")
MONTHS_OF_A_YEAR = 6  # entry by the end of this month counts from its year, later entry from the next
MIN_COMPARISONS = 4  # where fewer are left, suppliers of resources stay among the comparisons
MIN_UNTREATED_YEARS = 4  # a partner needs so many observed years before its agreement, and one after
JAPAN = "Japan (RCEP)"  # RCEP where it is a partner's first agreement: Japan alone
RESOURCE_MULTIPLE = 3.0  # a partner that sells Korea over this multiple of what it buys supplies resources
# Partners that may be shown by themselves, beside the groups that hold them.
SINGLE = {"United States": "USA", "China": "CHN", "Japan": "JPN", "Hong Kong": "HKG", "India": "IND", "Vietnam": "VNM"}
ELSEWHERE = "Elsewhere"  # codes that are in no group: uninhabited or former territories
_BLOCKS = {"USA": "United States", "CHN": "China"}
_REST = {"North America": "Other North America", "East Asia": "Other East Asia"}
_NAMES = {"RCEP": "RCEP", "Korea-Turkiye FTA": "Türkiye", "Korea-US FTA": "United States"}
_NAMES |= {"Korea-UK FTA": "Britain", "Korea-Viet Nam FTA": "Vietnam"}


def korea_trade(partner: str | None = None) -> "DataFrame":
    """Korea's customs trade with a partner, or all, by year: exports_usd_m, imports_usd_m and their sum trade_usd_m."""
    if partner is None:
        frame = load("korea_world_trade").set_index("year")[["exports_usd_m", "imports_usd_m"]]
    else:
        both = [load(f"korea_{flow}_by_partner").set_index("year") for flow in FLOWS]
        own = [rows[rows["iso3"] == partner].filter(like="_usd_m") for rows in both]
        frame = own[0].join(own[1], how="outer")
    return frame.assign(trade_usd_m=frame["exports_usd_m"] + frame["imports_usd_m"])


def partner_names() -> "Series":
    """What every partner is called, by its ISO3 code."""
    return load("korea_exports_by_partner").drop_duplicates("iso3").set_index("iso3")["partner"]


def country_groups() -> dict[str, list[str]]:
    """Group of partners -> the ISO3 codes in it; each economy is in one."""
    return load("country_groups").groupby("country_group", sort=False)["iso3"].apply(list).to_dict()


def groups_of(codes: Iterable[str]) -> "Series":
    """The group of each code, by code; ELSEWHERE for one that is in none."""
    known = load("country_groups").set_index("iso3")["country_group"]
    return known.reindex(list(codes)).fillna(ELSEWHERE)


def partner_code(partner: str, names: "Series") -> str:
    """The ISO3 code of a partner given by code or name. Raises DataError naming a near match."""
    if not (found := [code for code, name in names.items() if partner in (code, name)]):
        hint = did_you_mean(partner, [*names, *names.index]) or "; give its ISO3 code"
        raise DataError(f"no partner {partner!r}{hint}")
    return found[0]


def codes_of(groups: Iterable[str]) -> dict[str, list[str]]:
    """Line shown -> the ISO3 codes in it, in the order asked: a key of SINGLE or of the table ``country_groups``.

    A single partner is taken out of no group: East Asia holds China. Raises DataError for a name that is neither.
    """
    known, found = {name: [code] for name, code in SINGLE.items()} | country_groups(), {}
    for group in groups:
        if group not in known:
            raise DataError(f"no group {group!r}{did_you_mean(group, known) or '; known: ' + ', '.join(known)}")
        found[group] = known[group]
    return found


def blocks(by_partner: "DataFrame") -> "DataFrame":
    """Exports by year x block that together make the total: the United States, China, and every group without them."""
    named = [*_BLOCKS.values(), *(_REST.get(group, group) for group in country_groups()), ELSEWHERE]
    labels = [_BLOCKS.get(code) or _REST.get(group, group) for code, group in groups_of(by_partner.columns).items()]
    return by_partner.T.groupby(labels).sum().T.filter(named)


def market_panel(first_year: int, last_year: int) -> "DataFrame":
    """Exports beside GDP, growth and distance, one row a market and year: columns as ``models.diversification`` wants.

    Flags of convenience, former territories, larger states and markets without GDP in every year or without distance
    are left out. A year nobody recorded counts as no exports.
    """
    sold, distance = load("korea_exports_by_partner"), load("korea_geography")[["iso3", "distance_km"]]
    marked = sold["flag"].str.contains("ships|former_code")
    out = sold.loc[marked | (sold["flag"].str.contains("larger_state") & (sold["year"] >= first_year)), "iso3"]
    panel = load("country_macro").query("@first_year <= year <= @last_year and gdp_usd_m.notna()")
    whole = panel.groupby("iso3")["year"].transform("nunique") == last_year - first_year + 1
    panel = panel[whole & panel["iso3"].isin({*sold["iso3"].unique()} - {*out})].merge(distance, on="iso3")
    panel = panel.merge(sold[["iso3", "year", "exports_usd_m"]], how="left").fillna({"exports_usd_m": 0.0})
    return panel[["iso3", "year", "exports_usd_m", "gdp_usd_m", "gdp_growth_pct", "distance_km"]]


def outlines() -> "dict[str, list[np.ndarray]]":
    """Outlines of countries: ISO3 -> rings of (longitude, latitude) in degrees, of Natural Earth at 1:110m (too coarse
    for small economies), the file that the package bqplot carries. Raises DataError where that is not installed.
    """
    import numpy as np
    import pycountry

    place = find_spec("bqplot")
    if place is None or not place.submodule_search_locations:
        raise DataError("the outlines of the map come with the package bqplot, which is not installed")
    path = Path(next(iter(place.submodule_search_locations))) / "map_data" / "WorldMap.json"
    topology = json.loads(path.read_text(encoding="utf-8"))
    scale, shift = (np.array(topology["transform"][k]) for k in ("scale", "translate"))
    arcs = [np.cumsum(np.array(arc), axis=0) * scale + shift for arc in topology["arcs"]]
    drawn = {}
    for shape in topology["objects"]["subunits"]["geometries"]:
        country = pycountry.countries.get(numeric=f"{shape['id']:03d}") if shape["id"] > 0 else None
        polygons = [shape["arcs"]] if shape["type"] == "Polygon" else shape["arcs"]
        rings = [[arcs[i] if i >= 0 else arcs[~i][::-1] for i in polygon[0]] for polygon in polygons]
        drawn[country.alpha_3 if country else f"X{-shape['id']:02d}"] = [np.vstack(ring) for ring in rings]
    return drawn


def agreement_years() -> "Series":
    """First calendar year in which a goods agreement with Korea may have been in force, by ISO3 of the partner."""
    entered = load("korea_ftas")[lambda d: (d.scope == "goods") & (d.status == "in_force")]
    return entered.groupby("iso3")["in_force_earliest"].min().dropna().dt.year.rename("year")


def agreements(*, dating: Dating = "early") -> "DataFrame":
    """Goods agreements in force, one row a partner and agreement, by partner and entry: agreement, iso3, entry_year.

    Also ``full_name``, the days ``in_force_earliest`` and ``in_force_latest`` with the entry years they make
    (``first_possible``, ``last_possible``), ``precision`` and ``source_id``; ``rank`` is 1 for a partner's first
    agreement. ``dating`` says which end of an uncertain date is taken; the year is missing where no bound is known.
    """
    rows = load("korea_ftas")[lambda d: (d.scope == "goods") & (d.status == "in_force")]
    rows = rows.rename(columns={"agreement": "full_name"})
    ends = {"first_possible": "in_force_earliest", "last_possible": "in_force_latest"}
    for name, column in ends.items():
        late = rows[column].dt.month > MONTHS_OF_A_YEAR
        rows[name] = (rows[column].dt.year.astype("Int64") + late).where(rows[column].notna())
    rows = rows.assign(entry_year=rows["first_possible"] if dating == "early" else rows["last_possible"])
    rows = rows.assign(agreement=rows["full_name"].map(short_name))
    rows = rows.sort_values(["iso3", "first_possible", "agreement"], ignore_index=True)
    rows = rows.assign(rank=rows.groupby("iso3").cumcount() + 1)
    alone = (rows["agreement"] == "RCEP") & (rows["rank"] == 1)  # as a first agreement RCEP is one with Japan
    rows["agreement"] = rows["agreement"].mask(alone & (rows["iso3"] == "JPN"), JAPAN)
    columns = ["agreement", "iso3", "entry_year", *ends, "precision", "rank", "source_id", "full_name", *ends.values()]
    return rows[columns]


def short_name(agreement: str) -> str:
    """``Korea-Chile FTA`` as ``Chile``, ``ASEAN-Korea FTA`` as ``ASEAN``."""
    return _NAMES.get(agreement) or re.sub(r"^Korea-|-Korea| (FTA|CEPA|SECA)\b.*$", "", agreement)


def structural_agreements(*, dating: Dating = "early") -> "DataFrame":
    """Every partner's first goods agreement as structural gravity takes it: iso3, agreement, entry_year.

    Luxembourg is inside Belgium, as in the world panel; an entry without a year in the record is left out.
    """
    rows = agreements(dating=dating).query("rank == 1").dropna(subset="entry_year").replace({"iso3": {"LUX": "BEL"}})
    rows = rows.drop_duplicates("iso3").astype({"entry_year": int})
    return rows[["iso3", "agreement", "entry_year"]].reset_index(drop=True)


def rival_causes(partner: str, first: int, last: int, added: Sequence[str] = ()) -> "DataFrame":
    """What else happened to trade with ``partner`` from ``first`` to ``last``, the partner's own causes first.

    ``added``: further causes of the partner's own, each a year and what happened ("2014 a steel plant"); they lead.
    """
    import pandas as pd

    given = [{"iso3": partner, "first_year": int(e[:4]), "last_year": int(e[:4]), "event": e[5:]} for e in added]
    rows = load("rival_causes").sort_values(["iso3", "first_year"], ascending=[False, True])
    rows = pd.concat([pd.DataFrame(given), rows]) if given else rows
    return rows[rows["iso3"].isin(["", partner]) & (rows["first_year"] <= last) & (rows["last_year"] >= first)]


def candidate_panels() -> dict[str, Any]:
    """Everything donors are chosen from, as keyword arguments of ``models.donors.Candidates``.

    Korea's flows in US$ million, and its share (fraction) in the partners' own totals as they report both, with
    unusable totals left out.
    """
    flows = {flow: load(f"korea_{flow}_by_partner") for flow in FLOWS}
    flags, totals = flows["exports"].set_index("iso3")["flag"], load("partner_trade_totals")
    shares = {}
    for side, own in (("import", "imports_from_korea_usd_m"), ("export", "exports_to_korea_usd_m")):
        share = (totals[own] / totals[f"total_{side}s_usd_m"]).where(~totals["flag"].str.contains(f"{side}s_unusable"))
        shares[f"{side}_share"] = wide(totals.assign(share=share), "share")
    marked = {"former_code": "former code", SHIP_FLAG: "ships under its flag"}
    return shares | {
        **{flow: wide(rows, f"{flow}_usd_m") for flow, rows in flows.items()},
        "agreements": agreement_years(),
        "disturbed": load("donor_exclusions"),
        "flagged": {iso3: why for mark, why in marked.items() for iso3 in flags.index[flags.str.contains(mark)]},
        "names": partner_names(),
        "energy": frozenset(load("energy_exporters")["iso3"]),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementInputs:
    """What the estimators take, and who was left out.

    ``outcomes`` direction -> years x ISO3 (US$ million, or per cent of the partner's total; NaN where not recorded);
    ``treatment`` indexed by ISO3: agreement (short name), entry_year; ``comparisons`` direction -> ISO3 codes;
    ``left_out`` columns iso3, direction, reason; ``trade_source_ids`` of the outcomes, ``source_ids`` of everything.
    """

    outcomes: "dict[str, DataFrame]"
    treatment: "DataFrame"
    comparisons: dict[str, list[str]]
    left_out: "DataFrame"
    trade_source_ids: tuple[str, ...]
    source_ids: tuple[str, ...]

    @property
    def panels(self) -> "dict[str, Any]":
        """The three that every estimator takes, by the name of its argument."""
        return {"outcomes": self.outcomes, "treatment": self.treatment, "comparisons": self.comparisons}

    @property
    def years(self) -> tuple[int, int]:
        """First and last year of the outcomes."""
        return int(self.outcomes["exports"].index[0]), int(self.outcomes["exports"].index[-1])


def agreement_inputs(
    *,
    first_year: int = 1990,
    last_year: int = 2023,
    outcome: Literal["trade", "share"] = "trade",
    dating: Dating = "early",
    min_trade_usd_m: float = 100.0,
    pre_years: int = 10,
    resource_suppliers: bool = False,
) -> AgreementInputs:
    """Partners with a first agreement inside the window, and the partners that never had one.

    Comparisons have a complete positive record, a median trade of at least ``min_trade_usd_m`` in that direction and
    no mark in ``donor_exclusions``; members need MIN_UNTREATED_YEARS among the ``pre_years`` before entry and a year
    after it. Exporters of energy and partners that sell Korea over RESOURCE_MULTIPLE of what they buy are no
    comparisons unless ``resource_suppliers`` or too few others are left. Ships under flags of convenience are left out
    on both sides. ``share`` divides by the partner's own total imports or exports, which end in 2020.
    """
    import pandas as pd

    known, marked, energy = agreements(dating=dating), load("donor_exclusions"), load("energy_exporters")
    first = known[known["rank"] == 1].set_index("iso3")
    used = {flow: load(f"korea_{flow}_by_partner") for flow in FLOWS}
    own = {f: rows[~rows["flag"].str.contains("former_code|larger_state")] for f, rows in used.items()}
    whole = {f: wide(rows, f"{f}_usd_m").loc[first_year:last_year] for f, rows in own.items()}
    ships = used["exports"]["iso3"][used["exports"]["flag"].str.contains(SHIP_FLAG)].unique()
    disturbed = {iso3: " and ".join(dict.fromkeys(why)) for iso3, why in marked.groupby("iso3")["reason"]}
    sold = whole["imports"].sum() / whole["exports"].sum()
    suppliers = set() if resource_suppliers else {*energy["iso3"], *sold.index[sold > RESOURCE_MULTIPLE]}
    outcomes, comparisons, left_out, members = {}, {}, [], set()
    for direction, flows in whole.items():
        values = flows if outcome == "trade" else _share_of_total(flows, direction)
        if len(values) < MIN_UNTREATED_YEARS + 1:
            raise DataError(f"{first_year} to {last_year} holds {len(values)} years of {outcome}: widen the window")
        refused = disturbed | dict.fromkeys(flows.columns[flows.median() < min_trade_usd_m], "little trade")
        refused |= dict.fromkeys(values.columns[~(values > 0).all()], "gaps in the record")
        entries = first["entry_year"].filter(values.columns)
        refused |= _member_reasons(values[entries.index], entries, pre_years) | dict.fromkeys(ships, "ships")
        others = [iso3 for iso3 in values if iso3 not in first.index and iso3 not in refused]
        if len(rest := [iso3 for iso3 in others if iso3 not in suppliers]) >= MIN_COMPARISONS:
            refused |= {iso3: "supplier of resources" for iso3 in others if iso3 in suppliers}
            others = rest
        kept = [iso3 for iso3 in values if not refused.get(iso3)]
        left_out += [(iso3, direction, refused[iso3]) for iso3 in values if refused.get(iso3)]
        members |= set(kept) & set(first.index)
        comparisons[direction], outcomes[direction] = others, values[kept]
    totals = [] if outcome == "trade" else [load("partner_trade_totals")]
    behind = {source for frame in [*used.values(), *totals] for source in frame["source_id"].unique()}
    return AgreementInputs(
        outcomes=outcomes,
        treatment=first.loc[sorted(members), ["agreement", "entry_year"]].astype({"entry_year": int}),
        comparisons=comparisons,
        left_out=pd.DataFrame(left_out, columns=["iso3", "direction", "reason"]),
        trade_source_ids=tuple(sorted(behind)),
        source_ids=tuple(sorted(behind.union(marked["source_id"], known["source_id"], energy["source_id"]))),
    )


def wide(rows: "DataFrame", column: str) -> "DataFrame":
    """A column of rows by year and economy as years x ISO3."""
    return rows.pivot(index="year", columns="iso3", values=column).sort_index()


def usable_totals(side: str) -> "DataFrame":
    """Rows of ``partner_trade_totals`` whose total of ``imports`` or ``exports`` can be used."""
    rows = load("partner_trade_totals")
    return rows[~rows["flag"].str.contains(f"{side}_unusable") & (rows[f"total_{side}_usd_m"] > 0)]


def _share_of_total(flows: "DataFrame", direction: str) -> "DataFrame":
    """Korea's own record as per cent of what the partner buys (exports) or sells (imports); else missing."""
    side = "imports" if direction == "exports" else "exports"
    own, total = flows.align(wide(usable_totals(side), f"total_{side}_usd_m"), join="inner")
    return 100 * own / total


def _member_reasons(values: "DataFrame", entries: "Series", pre_years: int) -> dict[str, str | None]:
    """Why a member cannot be used, by its code; None where it can."""
    import numpy as np

    years, entry = values.index.to_numpy()[:, None], entries.to_numpy(dtype=float, na_value=np.nan)
    traded, known = (values > 0).to_numpy(), values.notna().to_numpy()
    before, after = (years >= entry - pre_years) & (years < entry), years >= entry
    few = ((known & before).sum(axis=0) < MIN_UNTREATED_YEARS) | ~(traded & before).any(axis=0)
    faults = {"entry not within the record": ~(entry <= years[-1]), "too few years before entry": few}
    faults |= {"no record after entry": ~(traded & after).any(axis=0)}
    reasons = np.select([*faults.values()], [*faults], None)
    return dict(zip(entries.index, reasons, strict=True))
