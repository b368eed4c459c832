"""What the claims are held against: their tests, the figures no other notebook records, and the records that others do.

A measure is a record of a notebook, a row of ``claim_figures`` or ``bangladesh_published``, or one of the few computed
here from whole tables. Every one carries the sources it rests on.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from ..errors import DataError, UsageError
from ..vocabulary import HOME, INDIA
from .destinations import country_groups
from .results import recorded
from .series import exporters
from .tables import load

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

    Single figures are rows of ``claim_figures`` and ``bangladesh_published``, under their own names.
    """
    rows = load("claim_figures").rename(columns={"figure": "id"}).to_dict("records")
    rows += load("bangladesh_published").to_dict("records")
    found = {row["id"]: _one(row["value"], [row["source_id"]]) for row in rows}
    return found | _economies(growth_years) | _partners() | _medicines()


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
    """Trade with Bangladesh, investment in India and its agreement, and what August 2025 brought."""
    exports, imports = (load(f"korea_{flow}_by_partner") for flow in ("exports", "imports"))
    year, sources = int(exports["year"].max()), [*exports["source_id"], *imports["source_id"]]
    sold, bought = (rows[rows["year"] == year].set_index("iso3") for rows in (exports, imports))
    total = sold["exports_usd_m"].add(bought["imports_usd_m"], fill_value=0)
    part = load("claim_figures").set_index("figure").loc["bangladesh_trade_2024_11m"]
    found = {
        f"bangladesh_trade_{year}_usd_m": _one(total["BGD"], sources),
        f"bangladesh_partner_rank_{year}": _one(1 + (total > total["BGD"]).sum(), sources),
        "bangladesh_trade_2024_pro_rata_usd_m": _one(part["value"] * 12 / 11, [part["source_id"]]),
    }
    rows = load("korea_investment_in_india").sort_values("period").set_index("period")
    stocks, flows = rows[rows["measure"] == "stock"], rows[rows["measure"] == "flow_sum"].iloc[0]
    first, last, later = stocks.iloc[0], stocks.iloc[-1], stocks[stocks.index.str.startswith("2018")].iloc[-1]
    ratios = {
        "stock_multiple": (last, first),
        "stock_multiple_2018": (later, first),
        "on_flows_multiple": (last, flows),
    }
    for name, (end, base) in ratios.items():
        times = end["amount_usd_m"] / base["amount_usd_m"]
        found[f"india_investment_{name}"] = _one(times, [base["source_id"], end["source_id"]])
    pact = load("korea_ftas").query(f"iso3 == '{INDIA}' and scope == 'goods'").iloc[0]
    for name, day in (("signed", pact["signed"]), ("in_force", pact["in_force_earliest"])):
        found[f"india_agreement_{name}_year"] = _one(int(str(day)[:4]), [pact["source_id"]])
    talks = load("bangladesh_timeline").query("event.str.startswith('First round')").iloc[0]
    began = str(talks["date"]).startswith("2025-08")
    usa = load("korea_export_headlines").query("item == 'USA'").set_index("period").loc[["2025-08", "2024-08"]]
    found["bangladesh_first_round_2025_08"] = _one(began, [talks["source_id"]])
    over = usa["exports_usd_m"].iloc[0] / usa["exports_usd_m"].iloc[1]
    return found | {"exports_usa_over_year_before_2025_08": _one(over, usa["source_id"])}


def _medicines() -> Measures:
    """The world market, its growth and its size over that of chips; Korea's exports of medicines and their rank."""
    rows = load("world_pharma_market").query("geo == 'WLD'").set_index(["segment", "year"])
    size, cite = rows["market_usd_bn"], rows["source_id"]
    khidi, iqvia = "pharmaceuticals", "medicines_iqvia_2024_edition"
    sizes = {"2024": (khidi, 2024), "2023": (khidi, 2023), "iqvia_2023": (iqvia, 2023)}
    found = {f"world_market_{name}_usd_bn": _one(size[at], [cite[at]]) for name, at in sizes.items()}
    paths = {"2023_2030": (khidi, 2023, 2030), "2024_2030": (khidi, 2024, 2030), "2019_2023": (khidi, 2019, 2023)}
    for name, (segment, start, end) in (paths | {"iqvia": (iqvia, 2023, 2028)}).items():
        growth = 100 * ((size[segment, end] / size[segment, start]) ** (1 / (end - start)) - 1)
        found[f"world_market_growth_{name}_pct"] = _one(growth, [cite[segment, end]])
    figures = load("claim_figures").set_index("figure")
    chips, whole = figures.loc["world_semiconductor_sales_2024"], figures.loc["biohealth_exports_2024"]
    stated = load("article_claims").set_index("id").at["world_pharma_market_2024", "value"]
    for name, market, ids in (("as_stated", stated, []), ("2024", size[khidi, 2024], [cite[khidi, 2024]])):
        found[f"world_market_{name}_over_semiconductors"] = _one(market / chips["value"], [chips["source_id"], *ids])
    counts, panel = load("biopharma_exports_annual").set_index(["definition", "year"]), exporters("SITC54")
    khidi, headline = (counts.loc[name, 2024] for name in ("khidi_biopharma_hs2022", "gov_biopharma_headline"))
    row = panel.loc[panel[HOME].last_valid_index()].dropna()
    kita = load("pharma_export_ranks").set_index(["definition", "year"]).loc["kita_biopharma", 2020]
    over, cited = whole["value"] / headline["exports_usd_m"], [whole["source_id"], headline["source_id"]]
    return found | {
        "biohealth_over_biopharma_2024": _one(over, cited),
        "biopharma_exports_2024_usd_m": _one(khidi["exports_usd_m"], [khidi["source_id"]]),
        "published_rank_kita_2020": _one(kita["rank"], [kita["source_id"]]),
        "published_rank_sitc54_2020": _one(1 + (row > row[HOME]).sum(), panel.attrs["source_ids"]),
    }
