"""What the claims are held against: their tests, the figures no other notebook records, and the records that others do.

A measure is a record of a notebook, a row of ``claim_figures`` or ``bangladesh_published``, or one of the few computed
here from whole tables. Every one carries the sources it rests on.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ..errors import DataError, UsageError
from ..reading import rows_of
from ..vocabulary import HOME, INDIA
from .results import recorded
from .series import exporters
from .tables import load
from .trade import country_groups

if TYPE_CHECKING:
    from pandas import DataFrame

LEDGER = "40_claims_ledger"  # the notebook whose own measures these are
_SCALES = {("US$ million", "US$ billion"): 1e-3, ("US$ billion", "US$ million"): 1e3}


class Measured(NamedTuple):
    """One measure: ``value`` in the claim's unit, ``source_ids``; ``why`` it is None."""

    value: float | None
    source_ids: tuple[str, ...] = ()
    why: str = ""


Measures = dict[str, Measured]


def tests() -> "DataFrame":
    """Every reading of every claim, in the order of its test: columns of ``claim_tests`` (topic, label and step filled
    in for each reading) and quantity, value, unit, period, speaker of ``article_claims``.

    Raises DataError for a claim without a test and a first reading without topic, label or step.
    """
    rows, claims = load("claim_tests"), load("article_claims").rename(columns={"id": "claim"})
    first = rows.drop_duplicates("claim").set_index("claim")
    if untested := sorted(set(claims["claim"]) - set(first.index)):
        raise DataError(f"table claim_tests: claim {untested[0]} has no test; add a row to claim_tests")
    bare = first.index[first["step"].isna() | (first["topic"] == "") | (first["label"] == "") | (first["kind"] != "")]
    if len(bare):
        raise DataError(f"table claim_tests: the first row of {bare[0]} needs topic, label and step, and no kind")
    rows = rows.assign(**{c: rows["claim"].map(first[c]) for c in ("topic", "label", "step")})
    own = claims[["claim", "quantity", "value", "unit", "period", "speaker"]]
    return rows.merge(own, on="claim", how="left", validate="many_to_one")


def findings(*, growth_years: int = 3) -> "DataFrame":
    """:func:`tests` with what was measured: found, found_low, found_high, why, sources.

    ``found`` is missing where nothing was measured, and ``why`` then says why. ``sources`` are ids joined by
    semicolons: a record's is the one that its test cites, if any.
    """
    rows, own, kept = tests(), measures(growth_years=growth_years), []
    for row in rows.to_dict("records"):
        named = [row[column] if row["rule"] != "untestable" else "" for column in ("measure", "low", "high")]
        at, low, high = (measured(row["notebook"], n, own, row["unit"]) if n else Measured(None) for n in named)
        why = at.why if named[0] else row["note"]
        kept.append((at.value, low.value, high.value, why, ";".join(at.source_ids) or row["cites"] * bool(named[0])))
    columns = ["found", "found_low", "found_high", "why", "sources"]
    found = rows.assign(**dict(zip(columns, zip(*kept, strict=True), strict=True)))
    return found.astype(dict.fromkeys(columns[:3], float))


def measured(notebook: str, measure: str, own: Mapping[str, Measured], unit: str) -> Measured:
    """A measure by notebook and name; a missing, failed or stale record is None with the reason, naming its notebook.

    ``own`` as from :func:`measures`; a record in US$ million is handed out in ``unit`` where that is US$ billion.
    Raises UsageError for a measure of the ledger's own that does not exist.
    """
    if notebook == LEDGER:
        if measure not in own:
            raise UsageError(f"claim_tests names the measure {measure!r}, which is in no table and not computed")
        return own[measure]
    record = recorded(notebook)
    if record.state != "fresh":
        return Measured(None, why=f"{notebook} is {record.state}{f' ({record.why})' if record.why else ''}")
    value = record.value(measure)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return Measured(None, why=f"{notebook} has no number for {measure}")
    return Measured(value * _SCALES.get((record.results[measure]["unit"], unit), 1.0))


def measures(*, growth_years: int = 3) -> Measures:
    """Every measure the ledger takes from tables, by name; ``growth_years`` is the latest years of Bangladesh's growth.

    Single figures are rows of ``claim_figures`` and ``bangladesh_published``, under their own names. A row of
    ``measures.csv`` is a cell of a table, over another if one is named, as growth in per cent a year if years are.
    """
    rows = load("claim_figures").rename(columns={"figure": "id"}).to_dict("records")
    rows += load("bangladesh_published").to_dict("records")
    found = {row["id"]: _one(row["value"], [row["source_id"]]) for row in rows}
    for row in rows_of((Path(__file__).parent / "measures.csv").read_bytes()):
        cells = {"first": load(row["table"]).query(row["where"]).squeeze()}
        value = cells["first"][row["column"]]
        if row["over"]:
            cells["second"] = load(row["over"]).query(row["over_where"]).squeeze()
            value = value / cells["second"][row["over_column"]]
        if row["years"]:
            value = 100 * (value ** (1 / int(row["years"])) - 1)
        found[row["measure"]] = _one(value, [cells[cited]["source_id"] for cited in row["cites"].split()])
    return found | _economies(growth_years) | _partners()


def _one(value: float, sources: Iterable[str]) -> Measured:
    return Measured(float(value), tuple(dict.fromkeys(sources)))


def _economies(growth_years: int) -> Measures:
    """People, growth and size of economies, each in the latest year held, and Korea's trade over its product."""
    rows, groups = load("country_macro"), country_groups()
    people, gdp = (
        rows.dropna(subset=[column]).query("year == year.max()").set_index("iso3")
        for column in ("population_m", "gdp_usd_m")
    )
    region, found = people["population_m"].filter(groups["Southwest Asia"]), {}
    found["bangladesh_population_m"] = _one(region["BGD"], people["source_id"])
    for suffix, total in (("", region.sum()), ("_without_afg", region.drop("AFG").sum())):
        share = 100 * total / people["population_m"].sum()
        found[f"southwest_asia_population{suffix}_m"] = _one(total, people["source_id"])
        found[f"southwest_asia_population_share{suffix}_pct"] = _one(share, people["source_id"])
    recent = rows.query("iso3 == 'BGD' and gdp_growth_pct.notna()").nlargest(growth_years, "year")
    for name, how in {"mean": "mean", "highest": "max", "lowest": "min"}.items():
        found[f"bangladesh_growth_{name}_pct"] = _one(recent["gdp_growth_pct"].agg(how), recent["source_id"])
    asia = [i for name in ("East Asia", "ASEAN", "Southwest Asia", "Central Asia", "Middle East") for i in groups[name]]
    for suffix, members in (("", asia), ("_with_russia", [*asia, "RUS"])):
        larger = gdp["gdp_usd_m"].filter(members) > gdp.at[HOME, "gdp_usd_m"]
        found[f"korea_gdp_rank_asia{suffix}"] = _one(1 + larger.sum(), gdp["source_id"])
    for row in load("korea_trade_gdp_ratio").itertuples():
        found[f"{row.measure}_over_gdp_{row.year}_pct"] = _one(row.share_of_gdp_pct, [row.source_id])
    return found


def _partners() -> Measures:
    """Trade with Bangladesh and talks with it, India's agreement, and Korea's rank among exporters of medicines."""
    exports, imports = (load(f"korea_{flow}_by_partner") for flow in ("exports", "imports"))
    year, sources = int(exports["year"].max()), [*exports["source_id"].unique(), *imports["source_id"].unique()]
    sold, bought = (rows[rows["year"] == year].set_index("iso3") for rows in (exports, imports))
    total = sold["exports_usd_m"].add(bought["imports_usd_m"], fill_value=0)
    part = load("claim_figures").set_index("figure").loc["bangladesh_trade_2024_11m"]
    talks = load("bangladesh_timeline").query("event.str.startswith('First round')").iloc[0]
    pact = load("korea_ftas").query(f"iso3 == '{INDIA}' and scope == 'goods'").iloc[0]
    panel = exporters("SITC54")
    row = panel.loc[panel[HOME].last_valid_index()].dropna()
    return {
        f"bangladesh_trade_{year}_usd_m": _one(total["BGD"], sources),
        f"bangladesh_partner_rank_{year}": _one(1 + (total > total["BGD"]).sum(), sources),
        "bangladesh_trade_2024_pro_rata_usd_m": _one(part["value"] * 12 / 11, [part["source_id"]]),
        "bangladesh_first_round_2025_08": _one(str(talks["date"]).startswith("2025-08"), [talks["source_id"]]),
        "india_agreement_signed_year": _one(int(pact["signed"][:4]), [pact["source_id"]]),
        "india_agreement_in_force_year": _one(pact["in_force_earliest"].year, [pact["source_id"]]),
        "published_rank_sitc54_2020": _one(1 + (row > row[HOME]).sum(), panel.attrs["source_ids"]),
    }
