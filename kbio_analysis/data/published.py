"""What others published and notebooks set beside their own: ranks, benchmarks, market sizes, the claims' figures."""

from datetime import date
from typing import TYPE_CHECKING

from ..vocabulary import COUNTRY_NAMES
from .series import out_by, said_by
from .tables import load
from .trade import partner_names

if TYPE_CHECKING:
    from pandas import DataFrame, Series


def country_names() -> dict[str, str]:
    """What an economy is called, by its ISO3 code: Korea and every partner it trades with."""
    return partner_names().to_dict() | COUNTRY_NAMES


def benchmarks() -> "Series":
    """Published benchmarks: value by (measure, scope), units as in ``development_benchmarks``; ``attrs["source_ids"]``.

    They are other people's measurements and carry no release date of ours: ``as_of`` does not touch them.
    """
    return _cited(load("development_benchmarks"), ["measure", "scope"], "value")


def phase_figures(success_rates: str) -> "DataFrame":
    """Published figures by clinical phase: candidates of one Korean count, success (0 to 1), years (cycle time).

    ``success_rates`` is a scope of ``development_benchmarks``. The time under review is the US agency's median.
    """
    import pandas as pd

    table, phases = benchmarks(), pd.Index(["phase1", "phase2", "phase3", "filed"], name="phase")
    found = {"candidates": [int(table[f"pipeline_{phase}", "KDDF 2024"]) for phase in phases]}
    found["success"] = [table[f"success_{phase}", success_rates] / 100 for phase in phases]
    years = [table[f"years_{phase}"].iloc[0] for phase in phases[:3]]
    return pd.DataFrame(found | {"years": [*years, table["review_median"].iloc[0] / 365.25]}, index=phases)


def selling_products(*, as_of: str | date | None = None) -> "DataFrame":
    """Korean new drugs on the market whose sales were out by ``as_of``, by product: year, sales_krw_tn, growth_pct.

    ``growth_pct`` is that of the last year, in won; also source_id.
    """
    rows = said_by("company_drivers", as_of=as_of).query("metric.str.startswith('sales of ') and kind == 'actual'")
    growth = load("development_benchmarks").query("measure == 'selling_growth'").set_index("source_id")["value"]
    rows = rows.set_axis(rows["metric"].str.removeprefix("sales of ")).rename(columns={"value": "sales_krw_tn"})
    rows = rows.assign(year=rows["period"].astype(int), growth_pct=rows["source_id"].map(growth))
    return rows[["year", "sales_krw_tn", "source_id", "growth_pct"]]


def market_sizes(*, as_of: str | date | None = None) -> "Series":
    """World market sizes out by ``as_of``, US$ billion, by (segment, year); ``attrs["source_ids"]``."""
    rows = out_by(load("world_pharma_market").query("geo == 'WLD'"), as_of, "world market sizes")
    return _cited(rows.sort_values(["segment", "year"]), ["segment", "year"], "market_usd_bn")


def biologics_forecasts(*, as_of: str | date | None = None) -> "DataFrame":
    """Published forecasts of the share of biologics in the world market: label, year, published_pct.

    Where only a size was published, it is divided by the same year's market, if that is out by ``as_of``.
    """
    import pandas as pd

    known, sizes = benchmarks(), market_sizes(as_of=as_of)
    rows = [("IQVIA, 2023 edition", 2027, known["biotech_share", "2027"])]
    over = {("IQVIA, 2024 edition", 2028): ("biotech_spending", "medicines_iqvia_2024_edition")}
    over[("P&S over KHIDI", 2030)] = ("biopharma_market", "pharmaceuticals")
    for (label, year), (size, market) in over.items():
        if (market, year) in sizes:
            rows.append((label, year, 100 * known[size, str(year)] / sizes[market, year]))
    return pd.DataFrame(rows, columns=["label", "year", "published_pct"])


def published_ranges() -> dict[tuple[str, str], tuple[float, float]]:
    """What others measured of each assumption of the reform notebook: (track, assumption) -> lowest, highest.

    Spreads are coefficients of variation: of review times from the quartiles of a log-normal law, of listing times from
    mean and standard deviation. An assumption that nobody published is absent.
    """
    import numpy as np

    table = benchmarks()
    quartiles = np.log(table["review_upper_quartile"] / table["review_lower_quartile"])
    fall = 100 * (1 - (1 - table["biosimilar_price_fall"].iloc[0] / 100) ** (1 / 5))
    share, to_peak = table["biosimilar_share"], table["years_to_peak"]
    seen = share.index.str.split().str[-2].astype(int)  # a share has reached its last level between two years
    level = [seen[share.to_numpy() >= share.to_numpy()[seen.argmax()]].min(), seen.max()]
    figures = {
        ("biosimilar", "review_spread"): np.sqrt(np.expm1((quartiles / 1.349) ** 2)),
        ("new_drug", "listing_spread"): table["listing_sd"] / table["listing_mean"],
        ("both", "clock_share_pct"): [100 * table["korea_market", "2023"] / market_sizes()["pharmaceuticals", 2023]],
        ("new_drug", "peak_usd_m"): table["peak_sales"],
        ("biosimilar", "peak_usd_m"): [table["top_korean_product"].iloc[0]],
        ("new_drug", "years_to_peak"): [to_peak["lower quartile"], to_peak["upper quartile"]],
        ("biosimilar", "years_to_peak"): level,
        ("biosimilar", "price_fall_pct"): [fall],
        ("both", "discount_pct"): table["discount_rate"],
        ("both", "blockbuster_share_pct"): table["blockbuster_share"],
    }
    return {key: (float(min(values)), float(max(values))) for key, values in figures.items()}


def _cited(rows: "DataFrame", keys: list[str], column: str) -> "Series":
    values = rows.set_index(keys)[column]
    values.attrs = {"source_ids": tuple(sorted(set(rows["source_id"])))}
    return values
