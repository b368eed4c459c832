"""Korea's trade by partner and year, the agreements in force, and the panels that studies of agreements compare."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..errors import DataError
from ..vocabulary import SHIP_FLAG
from .tables import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pandas import DataFrame, Series

Dating = Literal["early", "late"]
Outcome = Literal["trade", "share"]

FLOWS = ("exports", "imports")

MONTHS_OF_A_YEAR = 6
"""An agreement that enters by the end of this month counts from its year of entry, a later one from the next."""

MIN_COMPARISONS = 4
"""Where fewer are left, suppliers of resources stay among the comparisons."""

MIN_UNTREATED_YEARS = 4
"""A partner needs so many observed years before its agreement, and one after."""

JAPAN = "Japan (RCEP)"
"""RCEP where it is a partner's first agreement: Japan alone."""

RESOURCE_MULTIPLE = 3.0
"""A partner that sells Korea over this multiple of what it buys supplies resources."""

_NAMES = {"RCEP": "RCEP", "Korea-Turkiye FTA": "Türkiye", "Korea-US FTA": "United States"}
_NAMES |= {"Korea-UK FTA": "Britain", "Korea-Viet Nam FTA": "Vietnam"}


def korea_trade(partner: str) -> "DataFrame":
    """Korea's customs trade with ``partner`` by year: exports_usd_m, imports_usd_m and their sum trade_usd_m."""
    both = [load(f"korea_{flow}_by_partner") for flow in ("exports", "imports")]
    own = [rows[rows["iso3"] == partner].set_index("year").sort_index().filter(like="_usd_m") for rows in both]
    frame = own[0].join(own[1], how="outer")
    return frame.assign(trade_usd_m=frame["exports_usd_m"] + frame["imports_usd_m"])


def partner_names() -> "Series":
    """What every partner is called, by its ISO3 code."""
    return load("korea_exports_by_partner").drop_duplicates("iso3").set_index("iso3")["partner"]


def world_trade() -> "DataFrame":
    """Korea's trade with all partners by year, columns as :func:`korea_trade`."""
    own = load("korea_world_trade").set_index("year")[["exports_usd_m", "imports_usd_m"]]
    return own.assign(trade_usd_m=own["exports_usd_m"] + own["imports_usd_m"])


def india_monthly(flow: str, partner: str = "KOR") -> "Series":
    """India's own monthly ``exports`` to or ``imports`` from ``partner``, US$ million (PeriodIndex M)."""
    rows = load("india_monthly_mirror")
    rows = rows[(rows["flow"] == flow) & (rows["partner"] == partner)].sort_values("month")
    return rows.set_index(rows["month"].astype("period[M]"))["value_usd_m"].rename(f"{flow}_{partner}")


def agreements_of(partner: str) -> "DataFrame":
    """The goods agreements with ``partner`` that are in force, in order: agreement, signed, in_force_earliest and
    in_force_latest, precision, source_id, and entry_year, the year it counts from as in :func:`agreements`."""
    rows = _goods_in_force()
    rows = rows[rows["iso3"] == partner].sort_values("in_force_earliest")
    ends = ["in_force_earliest", "in_force_latest"]
    rows = rows.assign(entry_year=_entry_year(rows["in_force_earliest"]))
    return rows[["agreement", "signed", *ends, "entry_year", "precision", "source_id"]]


def agreement_years() -> "Series":
    """First calendar year in which a goods agreement with Korea may have been in force, by ISO3 of the partner."""
    rows = _goods_in_force().dropna(subset="in_force_earliest")
    return rows.groupby("iso3")["in_force_earliest"].min().dt.year.rename("year")


def agreements(*, dating: Dating = "early") -> "DataFrame":
    """Goods agreements in force, one row a partner and agreement, by partner and entry: agreement, iso3, entry_year.

    Also ``first_possible`` and ``last_possible`` entry years, ``precision`` and ``source_id``; ``rank`` is 1 for a
    partner's first agreement. Services, partial preferences and agreements not in force are left out. ``dating``
    says which end of an uncertain date is taken; the year is missing where no bound is known.
    """
    rows = _goods_in_force()
    ends = {"first_possible": "in_force_earliest", "last_possible": "in_force_latest"}
    rows = rows.assign(**{name: _entry_year(rows[column]) for name, column in ends.items()})
    rows = rows.assign(entry_year=rows["first_possible"] if dating == "early" else rows["last_possible"])
    rows = rows.assign(agreement=rows["agreement"].map(short_name))
    rows = rows.sort_values(["iso3", "first_possible", "agreement"], ignore_index=True)
    rows = rows.assign(rank=rows.groupby("iso3").cumcount() + 1)
    alone = (rows["agreement"] == "RCEP") & (rows["rank"] == 1)  # as a first agreement RCEP is one with Japan
    rows["agreement"] = rows["agreement"].mask(alone & (rows["iso3"] == "JPN"), JAPAN)
    columns = ["agreement", "iso3", "entry_year", "first_possible", "last_possible", "precision", "rank", "source_id"]
    return rows[columns]


def short_name(agreement: str) -> str:
    """``Korea-Chile FTA`` as ``Chile``, ``ASEAN-Korea FTA`` as ``ASEAN``."""
    return _NAMES.get(agreement) or re.sub(r"^Korea-|-Korea| (FTA|CEPA|SECA)\b.*$", "", agreement)


def world_panel(path: str = "") -> "DataFrame":
    """The world panel of ``world_trade_panel``, or a user's own CSV with the columns of ``gravity.WORLD_COLUMNS``."""
    import pandas as pd

    return pd.read_csv(path) if path else load("world_trade_panel")


def structural_agreements(*, dating: Dating = "early") -> "DataFrame":
    """Every partner's first goods agreement as structural gravity takes it: iso3, agreement, entry_year.

    Luxembourg is inside Belgium, as in the world panel; an entry without a year in the record is left out.
    """
    rows = agreements(dating=dating).query("rank == 1").dropna(subset="entry_year").replace({"iso3": {"LUX": "BEL"}})
    rows = rows.drop_duplicates("iso3").astype({"entry_year": int})
    return rows[["iso3", "agreement", "entry_year"]].reset_index(drop=True)


def rival_causes(partner: str, first: int, last: int, added: "Sequence[str]" = ()) -> "DataFrame":
    """What else happened to trade with ``partner`` from ``first`` to ``last``, the partner's own causes first.

    ``added``: further causes of the partner's own, each a year and what happened ("2014 a steel plant"); they lead.
    """
    import pandas as pd

    given = [{"iso3": partner, "first_year": int(e[:4]), "last_year": int(e[:4]), "event": e[5:]} for e in added]
    given = [cause for cause in given if first <= cause["first_year"] <= last]
    rows = load("rival_causes")
    rows = rows.assign(iso3=rows["iso3"].fillna("").astype(str))
    near = rows[rows["iso3"].isin(["", partner]) & (rows["first_year"] <= last) & (rows["last_year"] >= first)]
    near = near.sort_values(["iso3", "first_year"], ascending=[False, True])
    return pd.concat([pd.DataFrame(given), near]) if given else near


def candidate_panels() -> dict[str, Any]:
    """Everything donors are chosen from, as keyword arguments of ``models.donors.Candidates``.

    ``exports`` and ``imports`` of Korea by partner in US$ million, and Korea's share (fraction) in the partners' own
    total imports and exports, years x ISO3, with unusable totals left out; ``agreements`` ISO3 -> first calendar year
    with a goods agreement in force; ``disturbed`` and ``flagged`` as the screening asks; ``names`` of partners.
    """
    exports, imports = load("korea_exports_by_partner"), load("korea_imports_by_partner")
    totals = load("partner_trade_totals")
    ships = exports[exports["flag"].str.split(";").map(lambda flags: SHIP_FLAG in flags)]
    former = exports[exports["flag"].str.contains("former_code")]
    return {
        "exports": wide(exports, "exports_usd_m"),
        "imports": wide(imports, "imports_usd_m"),
        "import_share": _reported_share(totals, "imports", "imports_from_korea_usd_m"),
        "export_share": _reported_share(totals, "exports", "exports_to_korea_usd_m"),
        "agreements": agreement_years(),
        "disturbed": load("donor_exclusions"),
        "flagged": dict.fromkeys(former["iso3"], "former code") | dict.fromkeys(ships["iso3"], "ships under its flag"),
        "names": partner_names(),
        "energy": frozenset(load("energy_exporters")["iso3"]),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementInputs:
    """What the estimators take, and who was left out.

    ``outcomes`` direction -> years x ISO3 (US$ million, or per cent of the partner's total; NaN where not recorded);
    ``treatment`` indexed by ISO3: agreement (short name), entry_year; ``comparisons`` direction -> ISO3 codes;
    ``left_out`` columns iso3, direction, reason; ``later`` agreements that came on top of an older one;
    ``trade_source_ids`` of the outcomes, ``source_ids`` of everything.
    """

    outcomes: "dict[str, DataFrame]"
    treatment: "DataFrame"
    comparisons: dict[str, list[str]]
    left_out: "DataFrame"
    later: "DataFrame"
    trade_source_ids: tuple[str, ...]
    source_ids: tuple[str, ...]

    @property
    def panels(self) -> "dict[str, Any]":
        """The three that every estimator takes, by the name of its argument."""
        return {"outcomes": self.outcomes, "treatment": self.treatment, "comparisons": self.comparisons}

    @property
    def years(self) -> tuple[int, int]:
        """First and last year of the outcomes."""
        panel = next(iter(self.outcomes.values()))
        return int(panel.index[0]), int(panel.index[-1])


def agreement_inputs(
    *,
    first_year: int = 1990,
    last_year: int = 2023,
    outcome: Outcome = "trade",
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

    known, marked = agreements(dating=dating), load("donor_exclusions")
    first = known[known["rank"] == 1].set_index("iso3")
    entered = first["entry_year"]
    used = {flow: load(f"korea_{flow}_by_partner") for flow in FLOWS}
    if outcome == "share":
        used["totals"] = load("partner_trade_totals")
    flags = used["exports"].set_index("iso3")["flag"].fillna("")
    ships = dict.fromkeys(flags.index[flags.str.contains(SHIP_FLAG)], "ships")
    disturbed = {iso3: " and ".join(dict.fromkeys(why)) for iso3, why in marked.groupby("iso3")["reason"]}
    suppliers = set() if resource_suppliers else _resource_suppliers(first_year, last_year)
    outcomes, comparisons, left_out, members = {}, {}, [], set()
    for direction in FLOWS:
        rows = used[direction]
        whole = rows[~rows["flag"].fillna("").str.contains("former_code|larger_state")]
        flows = wide(whole, f"{direction}_usd_m").loc[first_year:last_year]
        values = flows if outcome == "trade" else _share_of_total(flows, direction)
        if len(values) < MIN_UNTREATED_YEARS + 1:
            raise DataError(f"{first_year} to {last_year} holds {len(values)} years of {outcome}: widen the window")
        small = flows[values.columns].median() < min_trade_usd_m
        reasons = disturbed | dict.fromkeys(small.index[small], "little trade") | _gaps(values)
        reasons |= {i: _member_reason(values[i], entered[i], pre_years) for i in values if i in entered}
        kept = [iso3 for iso3 in values if (reasons | ships).get(iso3) is None]
        others = [iso3 for iso3 in kept if iso3 not in first.index]
        if len(rest := [iso3 for iso3 in others if iso3 not in suppliers]) >= MIN_COMPARISONS:
            reasons |= {iso3: "supplier of resources" for iso3 in others if iso3 in suppliers}
            kept, others = [iso3 for iso3 in kept if iso3 in rest or iso3 in first.index], rest
        left_out += [(iso3, direction, (reasons | ships)[iso3]) for iso3 in values if iso3 not in kept]
        members |= set(kept) & set(first.index)
        comparisons[direction], outcomes[direction] = others, values[kept]
    behind = {source for frame in used.values() for source in frame["source_id"]}
    further = {*marked["source_id"], *known["source_id"], *load("energy_exporters")["source_id"]}
    return AgreementInputs(
        outcomes=outcomes,
        treatment=first.loc[sorted(members), ["agreement", "entry_year"]].astype({"entry_year": int}),
        comparisons=comparisons,
        left_out=pd.DataFrame(left_out, columns=["iso3", "direction", "reason"]),
        later=known[known["rank"] > 1],
        trade_source_ids=tuple(sorted(behind)),
        source_ids=tuple(sorted(behind | further)),
    )


def _goods_in_force() -> "DataFrame":
    rows = load("korea_ftas")
    return rows[(rows["scope"] == "goods") & (rows["status"] == "in_force")]


def _entry_year(days: "Series") -> "Series":
    late = (days.dt.month > MONTHS_OF_A_YEAR).astype("Int64")
    return (days.dt.year.astype("Int64") + late).where(days.notna())


def wide(rows: "DataFrame", column: str) -> "DataFrame":
    """A column of rows by year and economy as years x ISO3."""
    return rows.pivot(index="year", columns="iso3", values=column).sort_index()


def _reported_share(totals: "DataFrame", side: str, own: str) -> "DataFrame":
    """Korea's fraction of a partner's total as the partner itself reports both; unusable totals are missing."""
    usable = ~totals["flag"].str.contains(f"{side}_unusable")
    return wide(totals.assign(share=(totals[own] / totals[f"total_{side}_usd_m"]).where(usable)), "share")


def usable_totals(side: str) -> "DataFrame":
    """Rows of ``partner_trade_totals`` whose total of ``imports`` or ``exports`` can be used."""
    rows = load("partner_trade_totals")
    return rows[~rows["flag"].fillna("").str.contains(f"{side}_unusable") & (rows[f"total_{side}_usd_m"] > 0)]


def _share_of_total(flows: "DataFrame", direction: str) -> "DataFrame":
    """Korea's own record as per cent of what the partner buys (exports) or sells (imports); else missing."""
    side = "imports" if direction == "exports" else "exports"
    totals = wide(usable_totals(side), f"total_{side}_usd_m")
    years = [y for y in flows.index if y in totals.index]
    both = [c for c in flows.columns if c in totals.columns]
    return 100 * flows.loc[years, both] / totals.loc[years, both]


def _resource_suppliers(first_year: int, last_year: int) -> set[str]:
    both = [wide(load(f"korea_{f}_by_partner"), f"{f}_usd_m").loc[first_year:last_year].sum() for f in FLOWS]
    ratio = both[1] / both[0]
    return set(load("energy_exporters")["iso3"]) | set(ratio.index[ratio > RESOURCE_MULTIPLE])


def _gaps(values: "DataFrame") -> dict[str, str]:
    full = (values > 0).all()
    return dict.fromkeys(full.index[~full], "gaps in the record")


def _member_reason(values: "Series", entry: Any, pre_years: int) -> str | None:
    years, traded, known = values.index.to_numpy(), (values > 0).to_numpy(), values.notna().to_numpy()
    if entry is None or entry != entry or entry > years[-1]:
        return "entry not within the record"
    before = (years >= entry - pre_years) & (years < entry)
    if known[before].sum() < MIN_UNTREATED_YEARS or not traded[before].any():
        return "too few years before entry"
    return None if traded[years >= entry].any() else "no record after entry"
