"""Destinations of Korea's exports: by partner and by group, their size and distance, and their outlines on a map."""

import json
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DataError, did_you_mean
from .tables import load

if TYPE_CHECKING:
    import numpy as np
    from pandas import DataFrame, Series

# Partners that may be shown by themselves, beside the groups that hold them.
SINGLE = {"United States": "USA", "China": "CHN", "Japan": "JPN", "Hong Kong": "HKG", "India": "IND", "Vietnam": "VNM"}
ELSEWHERE = "Elsewhere"  # codes that are in no group: uninhabited or former territories
_BLOCKS = {"USA": "United States", "CHN": "China"}
_REST = {"North America": "Other North America", "East Asia": "Other East Asia"}


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
    panel = panel[whole & panel["iso3"].isin(sold["iso3"]) & ~panel["iso3"].isin(out)].merge(distance, on="iso3")
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
