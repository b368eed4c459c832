"""Who publishes what: a recipe a table that can be brought up to date, and the ways of asking.

Each client gives the rows as the table has them, without ``available_from``, values as text. The clients come with the
extra ``refresh``; keys are read from the environment and appear in no message.
"""

import csv
import io
import json
import os
from collections.abc import Iterator
from contextlib import redirect_stdout
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import DataError, UsageError
from ..reading import rows_of

TIMEOUT_SECONDS = 60.0
ENOUGH = 0.9  # of the economies held; a few no longer exist
Row = dict[str, str]


class RefreshError(DataError):
    """A publisher's answer cannot be used; the message says whose, and why."""

    exit_code = 1


@lru_cache(maxsize=1)
def recipes() -> dict[str, Row]:
    """Table -> how it is fetched, a row of ``recipes.csv``: which client asks, by the name of its function; the rows
    in its ``scope`` are replaced (all without one), of these only those whose value of the column ``by`` came;
    the variable of the environment that holds a ``key``; and the row of ``sources`` that new figures cite, without
    the day. Every other table holds single published figures, which a person reads.
    """
    return {row["table"]: row for row in rows_of((Path(__file__).parent / "recipes.csv").read_bytes())}


def in_scope(table: str, rows: list[Row]) -> list[Row]:
    """Those of the rows that a refresh of the table may replace."""
    column, _, values = recipes()[table]["scope"].partition("=")
    return [row for row in rows if not column or row[column] in values.split(";")]


def fetched(table: str, held: list[Row]) -> list[Row]:
    """The rows of ``table`` as its publisher has them now, given those ``held``. Raises RefreshError, UsageError."""
    recipe = recipes()[table]
    if recipe["key"] and not os.environ.get(recipe["key"]):
        raise UsageError(f"{table}: {recipe['publisher']} asks for a key; put yours into {recipe['key']}")
    try:
        rows = list(_CLIENTS[recipe["client"]](held))
    except ModuleNotFoundError as missing:
        extra = "pip install 'kbio-analysis[refresh]'"
        raise UsageError(f"{table}: needs {missing.name}; install it with {extra}") from None
    except (KeyError, IndexError, TypeError, AttributeError) as problem:
        raise RefreshError(f"{table}: the answer has another form than documented ({problem!r})") from None
    except Exception as problem:
        # Whatever a client raises for a dead line, a cut answer or a refusal: its words, never the key.
        key, said = os.environ.get(recipe["key"] or "-", ""), str(problem) or type(problem).__name__
        if type(problem).__name__ in ("ConnectionError", "ConnectTimeout") and getattr(problem, "request", None):
            said = f"{urlsplit(problem.request.url).hostname} cannot be reached"
        raise RefreshError(f"{table}: {(said.replace(key, '...') if key else said)[:300]}") from None
    if not rows:
        raise RefreshError(f"{table}: {recipe['publisher']} sent no rows")
    return rows


def _plain(value: Any, divisor: float = 1.0, digits: int = 3) -> str:
    """A number as a plain decimal, blank for none; anything else is no number."""
    if value is None or value == "" or isinstance(value, bool) or value != value:
        return ""
    text = f"{float(value) / divisor:.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


# ---- World Bank, through wbgapi; no key


def _worldbank(series: dict[str, str], economy: str) -> dict[tuple[str, int], dict[str, float | None]]:
    import wbgapi

    wbgapi.get_options = {"timeout": TIMEOUT_SECONDS}
    found: dict[tuple[str, int], dict[str, float | None]] = {}
    for row in wbgapi.data.fetch(list(series), economy, time="all", skipBlanks=True):
        year = int(row["time"].removeprefix("YR"))
        if year >= 1990:
            found.setdefault((row["economy"], year), {})[series[row["series"]]] = row["value"]
    return found


def _macro(held: list[Row]) -> Iterator[Row]:
    economies = {row["iso3"] for row in held}  # the World Bank's aggregates have codes of their own
    series = {"NY.GDP.MKTP.CD": "gdp", "NY.GDP.MKTP.KD.ZG": "growth", "SP.POP.TOTL": "people"}
    for (economy, year), value in sorted(_worldbank(series, "all").items()):
        if economy not in economies or (value.get("gdp") is None and value.get("growth") is None):
            continue
        yield {
            "iso3": economy,
            "year": str(year),
            "gdp_usd_m": _plain(value.get("gdp"), 1e6),
            "gdp_growth_pct": _plain(value.get("growth"), digits=4),
            "population_m": _plain(value.get("people"), 1e6, 4),
        }


def _us_gdp(_: list[Row]) -> Iterator[Row]:
    series = {"NY.GDP.MKTP.CD": "gdp_current_usd_m", "NY.GDP.MKTP.KD.ZG": "real_growth_pct"}
    for (_economy, year), value in _worldbank(series, "USA").items():
        for measure, number in value.items():
            text = _plain(number, 1e6, 0) if measure == "gdp_current_usd_m" else _plain(number, digits=4)
            yield {"measure": measure, "year": str(year), "value": text}


# ---- UN Comtrade, through comtradeapicall; free key


def _comtrade(held: list[Row]) -> Iterator[Row]:
    import comtradeapicall
    import pycountry

    column, flow = ("exports_usd_m", "X") if "exports_usd_m" in held[0] else ("imports_usd_m", "M")
    names = {row["iso3"]: row["partner"] for row in held}
    last = max(int(row["year"]) for row in held)
    for year in (last, last + 1, last + 2):
        said = io.StringIO()
        with redirect_stdout(said):  # what goes wrong is printed by the client, not raised
            frame = comtradeapicall.getFinalData(
                os.environ["COMTRADE_KEY"], typeCode="C", freqCode="A", clCode="HS", period=str(year),
                reporterCode="410", cmdCode="TOTAL", flowCode=flow, partnerCode=None, partner2Code="0",
                customsCode="C00", motCode="0", maxRecords=250000, format_output="JSON", includeDesc=True,
            )  # fmt: skip
        if frame is None:
            raise RefreshError(f"UN Comtrade: {' '.join(said.getvalue().split()) or 'no answer'}")
        for row in frame.to_dict("records"):
            if row["reporterCode"] != 410 or row["flowCode"] != flow or row["cmdCode"] != "TOTAL":
                raise RefreshError("UN Comtrade: rows of another reporter, flow or product than asked for")
            iso3, value = row["partnerISO"], _plain(row["primaryValue"], 1e6)
            country = pycountry.countries.get(alpha_3=iso3)
            if iso3 in names or country is not None:  # else the world, and areas that are no economy
                name = names.get(iso3) or country.name
                yield {"iso3": iso3, "partner": name, "year": str(int(row["period"])), column: value, "flag": ""}


# ---- Korea Customs Service, open data of data.go.kr, plain HTTPS; free key


def _customs(held: list[Row]) -> Iterator[Row]:
    """Monthly exports by HS code, each series the sum of its codes."""
    years = sorted({row["month"][:4] for row in held if row["series"] in _HS30})
    for series, parts in _HS30.items():
        months: dict[str, float] = {}
        for year in (*years, str(int(years[-1]) + 1)):
            for code in parts:
                for month, dollars in _customs_months(code, year):
                    months[month] = months.get(month, 0.0) + dollars
        for month, dollars in months.items():
            value = _plain(dollars, 1e6)
            yield {"series": series, "month": month, "exports_usd_m": value, "status": "customs_result"}


def _customs_months(code: str, year: str) -> Iterator[tuple[str, float]]:
    from xml.etree import ElementTree

    raw = _get(
        "https://apis.data.go.kr/1220000/Itemtrade/getItemtradeList",
        {"serviceKey": os.environ["DATA_GO_KR_KEY"], "strtYymm": f"{year}01", "endYymm": f"{year}12", "hsSgn": code},
    )
    if b"<!ENTITY" in raw or b"<!DOCTYPE" in raw:
        raise RefreshError("Korea Customs Service: a document with declarations of its own is not read")
    try:
        answer = ElementTree.fromstring(raw)
    except ElementTree.ParseError as problem:
        raise RefreshError(f"Korea Customs Service: the answer is cut or no XML ({problem})") from None
    told = answer.findtext(".//resultCode") or answer.findtext(".//returnReasonCode")
    if told not in ("00", "0"):
        reason = answer.findtext(".//resultMsg") or answer.findtext(".//returnAuthMsg") or "no code"
        raise RefreshError(f"Korea Customs Service: {reason} ({told})")
    for item in answer.iter("item"):
        month = (item.findtext("year") or "").replace(".", "-")
        if len(month) != 7 or not month[:4].isdigit():
            continue  # the sum of the months
        dollars = item.findtext("expDlr")
        if dollars is None:
            raise RefreshError("Korea Customs Service: the answer has no field expDlr")
        yield month, float(dollars)


# ---- Atlas of Economic Complexity, a file of Harvard Dataverse, plain HTTPS; no key


def _atlas(held: list[Row]) -> Iterator[Row]:
    """The exporters held, from the newest file of exports by economy, heading and year."""
    listing = json.loads(_get("https://dataverse.harvard.edu/api/datasets/:persistentId/", {"persistentId": ATLAS}))
    files = {file["label"]: file["dataFile"]["id"] for file in listing["data"]["latestVersion"]["files"]}
    name = next((name for name in files if name.startswith("hs92_country_product_year_4.")), None)
    if name is None:
        raise RefreshError("Atlas: the newest version has no file hs92_country_product_year_4")
    raw = _get(f"https://dataverse.harvard.edu/api/access/datafile/{files[name]}", {"format": "original"})
    wanted = {(row["classification"].removeprefix("HS92-"), row["iso3"]) for row in held}
    first = {pair: min(int(r["year"]) for r in held if (r["classification"][5:], r["iso3"]) == pair) for pair in wanted}
    for row in csv.DictReader(io.StringIO(raw.decode("utf-8"), newline="")):
        pair = (row["product_hs92_code"].zfill(4), row["country_iso3_code"])
        if pair in first and int(row["year"]) >= first[pair] and row["export_value"]:
            value = _plain(row["export_value"], 1e6, 0)
            yield {"classification": f"HS92-{pair[0]}", "iso3": pair[1], "year": row["year"],
                   "exports_usd_m": value, "status": "reconciled"}  # fmt: skip


# ---- International Monetary Fund, SDMX 2.1 as CSV, plain HTTPS; no key


def _imf(held: list[Row]) -> Iterator[Row]:
    """Totals and trade with Korea of the economies held, all years, by their own record; flags are kept."""
    flags = {(row["iso3"], row["year"]): row["flag"] for row in held}
    columns = {("MG_CIF_USD", "G001"): "total_imports_usd_m", ("XG_FOB_USD", "G001"): "total_exports_usd_m"}
    columns |= {("MG_CIF_USD", "KOR"): "imports_from_korea_usd_m", ("XG_FOB_USD", "KOR"): "exports_to_korea_usd_m"}
    raw = _get(
        "https://api.imf.org/external/sdmx/2.1/data/IMF.STA,IMTS/.MG_CIF_USD+XG_FOB_USD.G001+KOR.A",
        {"startPeriod": "1990"},
        accept="application/vnd.sdmx.data+csv;version=1.0.0",
    )
    found: dict[tuple[str, str], Row] = {}
    for row in csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline="")):
        economy, column = row["COUNTRY"], columns[row["INDICATOR"], row["COUNTERPART_COUNTRY"]]
        if row["FREQUENCY"] != "A":
            raise RefreshError("IMF: other figures than those of years")
        found.setdefault((economy, row["TIME_PERIOD"]), {})[column] = _plain(row["OBS_VALUE"], 1e6)
    known, sent = {row["iso3"] for row in held}, {economy for economy, _ in found}
    if found and len(known & sent) < ENOUGH * len(known):
        raise RefreshError(f"IMF: only {len(known & sent)} of {len(known)} economies came: the answer is cut")
    for (economy, year), values in found.items():
        if economy in known:
            blank = dict.fromkeys(columns.values(), "")
            yield blank | values | {"iso3": economy, "year": year, "flag": flags.get((economy, year), "")}


# ---- Statistics Korea, KOSIS open API, plain HTTPS; free key


def _kosis(_: list[Row]) -> Iterator[Row]:
    """Korea's exports and imports over all partners, by year, printed in thousands of dollars."""
    columns = {"13103103829T1": "exports_usd_m", "13103103829T2": "imports_usd_m"}
    asked = {"method": "getList", "apiKey": os.environ["KOSIS_KEY"], "format": "json", "jsonVD": "Y"}
    asked |= {"orgId": "360", "tblId": "DT_1R11006_FRM101", "itmId": " ".join(columns), "objL1": "13102103829E.00"}
    asked |= {"prdSe": "Y", "startPrdDe": "1990", "endPrdDe": "2100"}
    answer = json.loads(_get("https://kosis.kr/openapi/Param/statisticsParameterData.do", asked))
    if isinstance(answer, dict):
        raise RefreshError(f"KOSIS: {answer['errMsg']} ({answer['err']})")
    years: dict[str, Row] = {}
    for row in answer:
        years.setdefault(row["PRD_DE"], {})[columns[row["ITM_ID"]]] = _plain(row["DT"], 1e3)
    yield from ({"year": year} | values for year, values in years.items())


def _get(url: str, parameters: dict[str, str], accept: str = "*/*") -> bytes:
    import requests

    answer = requests.get(url, params=parameters, headers={"Accept": accept}, timeout=TIMEOUT_SECONDS)
    if answer.status_code != 200:
        raise RefreshError(f"{url.split('/')[2]} answers {answer.status_code} {answer.reason}")
    return answer.content


ATLAS = "doi:10.7910/DVN/T4CHWJ"
_HS30 = {
    "hs30_customs": ("30",),
    "hs300214_customs": ("300214",),
    "hs3002_13_14_15_customs": ("300213", "300214", "300215"),
}
_CLIENTS = {"macro": _macro, "us_gdp": _us_gdp, "comtrade": _comtrade, "customs": _customs, "atlas": _atlas}
_CLIENTS |= {"imf": _imf, "kosis": _kosis}
