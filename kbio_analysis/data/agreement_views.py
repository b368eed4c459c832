"""What the study of one agreement reads: flows and shares by partner, who may be compared, and what was published."""

from typing import TYPE_CHECKING, Any

from ..vocabulary import INDIA, SHIP_FLAG
from .export_views import cite
from .tables import load

if TYPE_CHECKING:
    from pandas import DataFrame, Series

_INDIA_TABLES = ("india_monthly_mirror", "india_cepa_published", "korea_investment_in_india")


def candidate_panels() -> dict[str, Any]:
    """Everything donors are chosen from, as keyword arguments of ``models.donors.Candidates``.

    ``exports`` and ``imports`` of Korea by partner in US$ million, and Korea's share (fraction) in the partners' own
    total imports and exports, all years (PeriodIndex) x ISO3, with unusable totals left out; ``agreements`` ISO3 ->
    first calendar year with a goods agreement in force; ``disturbed`` and ``flagged`` as the screening asks.
    """
    exports, imports = load("korea_exports_by_partner"), load("korea_imports_by_partner")
    totals = load("partner_trade_totals")
    ships = exports[exports["flag"].str.split(";").map(lambda flags: SHIP_FLAG in flags)]
    former = exports[exports["flag"].str.contains("former_code")]
    return {
        "exports": _wide(exports, "exports_usd_m"),
        "imports": _wide(imports, "imports_usd_m"),
        "import_share": _share(totals, "imports_from_korea_usd_m", "total_imports_usd_m", "imports_unusable"),
        "export_share": _share(totals, "exports_to_korea_usd_m", "total_exports_usd_m", "exports_unusable"),
        "agreements": agreement_years(),
        "disturbed": load("donor_exclusions"),
        "flagged": dict.fromkeys(former["iso3"], "former code") | dict.fromkeys(ships["iso3"], "ships under its flag"),
        "names": exports.drop_duplicates("iso3").set_index("iso3")["partner"],
    }


def agreement_years() -> "Series":
    """First calendar year in which a goods agreement with Korea may have been in force, by ISO3 of the partner."""
    rows = _goods_in_force().dropna(subset="in_force_earliest")
    return rows.groupby("iso3")["in_force_earliest"].min().dt.year.rename("year")


def agreements_of(partner: str) -> "DataFrame":
    """The goods agreements with ``partner`` that are in force, in order: agreement, signed, in_force_earliest."""
    rows = _goods_in_force()
    rows = rows[rows["iso3"] == partner]
    return rows.sort_values("in_force_earliest")[["agreement", "signed", "in_force_earliest", "precision", "source_id"]]


def korea_trade(partner: str) -> "DataFrame":
    """Korea's customs trade with ``partner`` by year: exports_usd_m, imports_usd_m and their sum trade_usd_m."""
    exports, imports = load("korea_exports_by_partner"), load("korea_imports_by_partner")
    own = _by_year(exports, partner, "exports_usd_m").to_frame()
    own = own.join(_by_year(imports, partner, "imports_usd_m"), how="outer")
    return own.assign(trade_usd_m=own["exports_usd_m"] + own["imports_usd_m"])


def world_trade() -> "DataFrame":
    """Korea's trade with all partners by year, columns as :func:`korea_trade`."""
    own = load("korea_world_trade").set_index("year")[["exports_usd_m", "imports_usd_m"]]
    return own.assign(trade_usd_m=own["exports_usd_m"] + own["imports_usd_m"])


def us_gdp() -> "DataFrame":
    """United States by year: gdp_current_usd_m and real_growth_pct."""
    return load("us_gdp").pivot(index="year", columns="measure", values="value")


def india_monthly(flow: str, partner: str = "KOR") -> "Series":
    """India's own monthly ``exports`` to or ``imports`` from ``partner``, US$ million (PeriodIndex M)."""
    rows = load("india_monthly_mirror")
    rows = rows[(rows["flow"] == flow) & (rows["partner"] == partner)].sort_values("month")
    return rows.set_index(rows["month"].astype("period[M]"))["value_usd_m"].rename(f"{flow}_{partner}")


def published_figures() -> "DataFrame":
    """What was expected of and said about the agreement with India, a figure a row."""
    return load("india_cepa_published")


def investment_in_india() -> "DataFrame":
    """Published stocks and flows of Korean direct investment in India."""
    return load("korea_investment_in_india")


def cite_tables(*names: str) -> str:
    """The publishers behind whole tables, each once, for a source line."""
    return cite(dict.fromkeys(i for name in names for i in load(name)["source_id"]))


def agreement_sources(partner: str) -> list[str]:
    """Sources behind the study of ``partner``: its tables, and the dates of all agreements that refuse a donor."""
    tables = ["korea_exports_by_partner", "korea_imports_by_partner", "partner_trade_totals", "korea_world_trade"]
    tables += ["us_gdp", "donor_exclusions", *(_INDIA_TABLES if partner == INDIA else ())]
    dates = _goods_in_force()["source_id"]
    return list(dict.fromkeys([*(i for name in tables for i in load(name)["source_id"]), *dates]))


def _goods_in_force() -> "DataFrame":
    rows = load("korea_ftas")
    return rows[(rows["scope"] == "goods") & (rows["status"] == "in_force")]


def _by_year(rows: "DataFrame", partner: str, column: str) -> "Series":
    return rows[rows["iso3"] == partner].set_index("year")[column].sort_index()


def _wide(rows: "DataFrame", column: str) -> "DataFrame":
    import pandas as pd

    wide = rows.pivot(index="year", columns="iso3", values=column).sort_index()
    wide.index = pd.PeriodIndex([pd.Period(str(y), freq="Y-DEC") for y in wide.index], name="year")
    return wide


def _share(totals: "DataFrame", own: str, total: str, unusable: str) -> "DataFrame":
    usable = ~totals["flag"].str.contains(unusable)
    return _wide(totals.assign(share=(totals[own] / totals[total]).where(usable)), "share")
