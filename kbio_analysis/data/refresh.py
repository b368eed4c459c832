"""Bringing a table up to date: fetch a candidate, hold it against the passport, show what changed, put it in place.

Nothing is vouched for by fetching. The candidate waits in ``candidates/`` of the data folder until it is accepted; then
the table as it was goes to ``vintages/`` and stays what a run with an earlier ``as_of`` reads. Refused, interrupted or
failed, the tables are as before.

A table that can be fetched has a row in ``recipes.csv``. A client is told the rows held and the publisher's codes, and
yields cells: what tells the row, the code, the number as it was sent. The clients come with the extra ``refresh``; keys
are read from the environment and appear in no message.
"""

import copy
import csv
import io
import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ..errors import DataError, UsageError, did_you_mean
from ..reading import DocumentError, read_json, rows_of
from .checks import check_table, due_date
from .package import (
    CANDIDATES,
    VINTAGES,
    Passport,
    cell_changes,
    put,
    read_package,
    read_verified,
    sorted_rows,
    take_in,
    vouched,
)
from .schemas import parse, typed
from .tables import verify

ANOTHER_UNIT = 3.0  # times by which the figures in common may differ in the median
TIMEOUT_SECONDS = 60.0
ENOUGH = 0.9  # of the economies held; a few no longer exist
Row = dict[str, str]
Cells = Iterator[tuple[Row, str, Any]]


class RefreshError(DataError):
    """A publisher's answer cannot be used; the message says whose, and why."""

    exit_code = 1


def fetch_candidate(table: str, today: date) -> list[str]:
    """Fetch the table, check it and keep it as a candidate; the lines say what would change.

    Raises UsageError, RefreshError for an answer that cannot be used, DataError for one that breaks the passport.
    """
    import pandas as pd

    package = read_package()
    passport, recipe = package.passport(table), _recipe(table)
    before = read_verified(passport)
    held, by = rows_of(before), recipe["by"]
    column, _, values = recipe["scope"].partition("=")
    beside = [row for row in held if column and row[column] not in values.split(";")]
    scoped = [row for row in held if not column or row[column] in values.split(";")]
    new, rules = fetched(table, scoped), passport.kbio.get("available_from", [])
    for row in new:
        row["source_id"] = recipe["source_id"]
        row["available_from"] = str(due_date(row, rules, {row["source_id"]: str(today)}) or today)
    came = {row[by] for row in new} if by else set()
    kept = [row for row in scoped if by and row[by] not in came]
    whole = [{name: row.get(name, "") for name in passport.columns} for row in [*beside, *kept, *new]]
    after = sorted_rows(whole, passport)
    # A column whose figures in common stand at another scale: thousands for millions, won for dollars.
    numbers = [field["name"] for field in passport.fields if field["type"] == "number"]
    frames = (pd.DataFrame(rows_of(raw)).set_index(passport.primary_key)[numbers] for raw in (before, after))
    was, now = (frame.apply(pd.to_numeric).where(lambda values: values > 0) for frame in frames)
    for name, times in (now / was).median().dropna().items():
        if not 1 / ANOTHER_UNIT < times < ANOTHER_UNIT:
            raise RefreshError(f"{table}: {name} is {times:.3g} times what is held: the answer is in another unit")
    widened = _widened(passport, after)
    check_table(typed(parse(after, widened), widened), widened)
    if changes := cell_changes(before, after, passport):
        target = package.root / CANDIDATES / f"{table}.csv"
        target.parent.mkdir(exist_ok=True)
        put(target, after)
    return changes


def accept_candidate(table: str, today: date) -> list[str]:
    """Put the candidate in the place of the table, which becomes a vintage; the lines say what changed.

    Raises UsageError without a candidate, DataError if the package would not hold; then everything is as before.
    """
    package = read_package()
    passport, recipe = package.passport(table), _recipe(table)
    target = package.root / CANDIDATES / f"{table}.csv"
    if not target.is_file():
        raise UsageError(f"no candidate of {table}; fetch one: kbio data refresh {table}")
    before, after = read_verified(passport), target.read_bytes()
    # Accepted twice in a day: what the day began with is what as_of asks for.
    vintage = package.root / VINTAGES / table / f"{today}.csv"
    past = vintage.read_bytes() if vintage.is_file() else before
    entry = {"until": str(today), "hash": vouched(past)["hash"]}
    passport.descriptor.update(_widened(passport, after).descriptor)
    vintages = passport.descriptor["kbio"].setdefault("vintages", [])
    vintages += [entry] * (entry not in vintages)
    sources = package.passport("sources")
    cited = {row["source_id"]: row for row in rows_of(read_verified(sources))}
    cited[recipe["source_id"]] = {name: (recipe | {"published": str(today)})[name] for name in sources.columns}
    take_in(package, {table: after, "sources": sorted_rows([*cited.values()], sources)}, {vintage: past}, verify)
    target.unlink()
    return cell_changes(before, after, passport)


def readers(references: Path, table: str) -> list[str]:
    """Notebooks whose recorded results rest on the table."""
    found = []
    for path in sorted(references.glob("*.json")):
        try:
            found += [path.stem] * (table in read_json(path.read_bytes()).get("tables", {}))
        except (OSError, DocumentError):
            continue
    return found


def _recipe(table: str) -> Row:
    if table not in recipes():
        hint = did_you_mean(table, recipes()) or f"; those that can: {', '.join(recipes())}"
        raise UsageError(f"{table} holds figures that a person reads, so nothing fetches it{hint}")
    return recipes()[table]


def _widened(passport: Passport, raw: bytes) -> Passport:
    """The passport with the ends of its calendar moved on, never back, to where the table ends now."""
    descriptor, rows = copy.deepcopy(passport.descriptor), rows_of(raw)
    for spec in descriptor.get("kbio", {}).get("checks", []):
        if spec["check"] != "calendar":
            continue
        ends: dict[str, str] = {}
        for row in rows:
            name = " ".join(row[column] for column in spec.get("by", []))
            ends[name] = max(ends.get(name, ""), row[spec["column"]])
        for name, span in spec.get("spans", {}).items():
            span[1] = max(span[1], ends.get(name, ""))
        newest = max(ends.values())
        if "last" in spec and newest > str(spec["last"]):
            late = [name for name, end in ends.items() if str(spec["last"]) <= end < newest]
            spec["except"] = sorted({*spec.get("except", []), *late})
            spec["last"] = type(spec["last"])(newest)
    for field in descriptor["schema"]["fields"]:
        limit = field.get("constraints", {}).get("maximum")
        if field["name"] in ("year", "month") and limit is not None:
            field["constraints"]["maximum"] = max(limit, type(limit)(max(row[field["name"]] for row in rows)))
    return replace(passport, descriptor=descriptor)


@lru_cache(maxsize=1)
def recipes() -> dict[str, Row]:
    """Table -> how it is fetched, a row of ``recipes.csv``: which client asks, by the name of its function, for which
    ``columns`` (code=column/divisor/digits); the columns of name and value where the table is ``long``; the rows that
    are replaced, by ``scope`` and by those values of ``by`` that came; the variable that holds a ``key``; and the row
    of ``sources`` that new figures cite. Every other table holds single published figures, which a person reads.
    """
    return {row["table"]: row for row in rows_of((Path(__file__).parent / "recipes.csv").read_bytes())}


def fetched(table: str, held: list[Row]) -> list[Row]:
    """The rows of ``table`` as its publisher has them now, given those ``held``: values as text, without
    ``available_from``. Raises RefreshError, UsageError.
    """
    recipe = recipes()[table]
    if recipe["key"] and not os.environ.get(recipe["key"]):
        raise UsageError(f"{table}: {recipe['publisher']} asks for a key; put yours into {recipe['key']}")
    columns = dict(part.split("=") for part in recipe["columns"].split())
    try:
        rows = _rows(_CLIENTS[recipe["client"]](held, list(columns)), columns, recipe["long"].split())
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


def _rows(cells: Cells, columns: Row, long: list[str]) -> list[Row]:
    """Cells as rows of the table, in plain decimals; blank where a number was not sent."""
    rows: dict[tuple[str, ...], Row] = {}
    for key, code, value in cells:
        column, divisor, digits = columns[code].split("/")
        if long:
            key, column = key | {long[0]: column}, long[1]
        text = "" if value in (None, "") else f"{float(value) / float(divisor):.{digits}f}"
        row = rows.setdefault(tuple(key.values()), key)
        row[column] = text.rstrip("0").rstrip(".") if "." in text else text
    return list(rows.values())


def _worldbank(held: list[Row], codes: list[str]) -> Cells:
    """World Bank, through wbgapi; no key. A year of which only the people are known makes no row."""
    import wbgapi

    wbgapi.get_options = {"timeout": TIMEOUT_SECONDS}
    known = {row.get("iso3", "USA") for row in held}  # the World Bank's aggregates have codes of their own
    answer = wbgapi.data.fetch(codes, "all" if len(known) > 1 else "USA", time="all", skipBlanks=True)
    cells = [(row["economy"], row["time"].removeprefix("YR"), row["series"], row["value"]) for row in answer]
    measured = {cell[:2] for cell in cells if cell[2] != "SP.POP.TOTL"}
    for economy, year, code, value in cells:
        if economy in known and year >= "1990" and (economy, year) in measured:
            yield {"iso3": economy, "year": year}, code, value


def _comtrade(held: list[Row], codes: list[str]) -> Cells:
    """UN Comtrade, through comtradeapicall; free key."""
    import comtradeapicall
    import pycountry

    (flow,), names = codes, {row["iso3"]: row["partner"] for row in held}
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
            iso3, country = row["partnerISO"], pycountry.countries.get(alpha_3=row["partnerISO"])
            if iso3 in names or country is not None:  # else the world, and areas that are no economy
                name = names.get(iso3) or country.name
                yield {"iso3": iso3, "partner": name, "year": str(int(row["period"]))}, flow, row["primaryValue"]


def _customs(held: list[Row], codes: list[str]) -> Cells:
    """Korea Customs Service, open data of data.go.kr, plain HTTPS; free key. Months, each the sum of its HS codes."""
    years = sorted({row["month"][:4] for row in held})
    for code in codes:
        months: Counter[str] = Counter()
        for year in (*years, str(int(years[-1]) + 1)):
            for part in code.split("+"):
                months.update(_customs_months(part, year))
        yield from (({"month": month, "status": "customs_result"}, code, usd) for month, usd in months.items())


def _customs_months(code: str, year: str) -> dict[str, float]:
    from xml.etree import ElementTree

    asked = {"serviceKey": os.environ["DATA_GO_KR_KEY"], "strtYymm": f"{year}01", "endYymm": f"{year}12", "hsSgn": code}
    raw = _get("https://apis.data.go.kr/1220000/Itemtrade/getItemtradeList", asked)
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
    items = {item.findtext("year", "").replace(".", "-"): item.findtext("expDlr") for item in answer.iter("item")}
    # What is called otherwise than a month is the sum of the months.
    return {name: float(usd) for name, usd in items.items() if len(name) == 7 and name[:4].isdigit()}


def _atlas(held: list[Row], codes: list[str]) -> Cells:
    """Atlas of Economic Complexity, the newest file of Harvard Dataverse; no key. The exporters and years held."""
    asked = {"persistentId": "doi:10.7910/DVN/T4CHWJ"}
    listing = json.loads(_get("https://dataverse.harvard.edu/api/datasets/:persistentId/", asked))
    files = {file["label"]: file["dataFile"]["id"] for file in listing["data"]["latestVersion"]["files"]}
    name = next((name for name in files if name.startswith("hs92_country_product_year_4.")), None)
    if name is None:
        raise RefreshError("Atlas: the newest version has no file hs92_country_product_year_4")
    answer = _csv(f"https://dataverse.harvard.edu/api/access/datafile/{files[name]}", {"format": "original"})
    latest_first = sorted(held, key=lambda row: row["year"], reverse=True)
    first = {(row["classification"], row["iso3"]): row["year"] for row in latest_first}
    for row in answer:
        pair = (f"HS92-{row['product_hs92_code'].zfill(4)}", row["country_iso3_code"])
        if pair in first and row["year"] >= first[pair] and row["export_value"]:
            key = {"classification": pair[0], "iso3": pair[1], "year": row["year"], "status": "reconciled"}
            yield key, *codes, row["export_value"]


def _imf(held: list[Row], codes: list[str]) -> Cells:
    """International Monetary Fund, SDMX 2.1 as CSV; no key. All years of the economies held; flags are kept."""
    flags = {(row["iso3"], row["year"]): row["flag"] for row in held}
    known = {row["iso3"] for row in held}
    parts = ["+".join(dict.fromkeys(part)) for part in zip(*(code.split(":") for code in codes), strict=True)]
    url = f"https://api.imf.org/external/sdmx/2.1/data/IMF.STA,IMTS/.{parts[0]}.{parts[1]}.A"
    rows = list(_csv(url, {"startPeriod": "1990"}, accept="application/vnd.sdmx.data+csv;version=1.0.0"))
    sent = known & {row["COUNTRY"] for row in rows}
    if rows and len(sent) < ENOUGH * len(known):
        raise RefreshError(f"IMF: only {len(sent)} of {len(known)} economies came: the answer is cut")
    for row in rows:
        if row["FREQUENCY"] != "A":
            raise RefreshError("IMF: other figures than those of years")
        iso3, year = row["COUNTRY"], row["TIME_PERIOD"]
        if iso3 in known:
            key = {"iso3": iso3, "year": year, "flag": flags.get((iso3, year), "")}
            yield key, f"{row['INDICATOR']}:{row['COUNTERPART_COUNTRY']}", row["OBS_VALUE"]


def _kosis(_: list[Row], codes: list[str]) -> Cells:
    """Statistics Korea, KOSIS open API, plain HTTPS; free key. Korea's trade with all partners, by year."""
    asked = {"method": "getList", "apiKey": os.environ["KOSIS_KEY"], "format": "json", "jsonVD": "Y"}
    asked |= {"orgId": "360", "tblId": "DT_1R11006_FRM101", "itmId": " ".join(codes), "objL1": "13102103829E.00"}
    asked |= {"prdSe": "Y", "startPrdDe": "1990", "endPrdDe": "2100"}
    answer = json.loads(_get("https://kosis.kr/openapi/Param/statisticsParameterData.do", asked))
    if isinstance(answer, dict):
        raise RefreshError(f"KOSIS: {answer['errMsg']} ({answer['err']})")
    for row in answer:
        yield {"year": row["PRD_DE"]}, row["ITM_ID"], row["DT"]


def _csv(url: str, asked: dict[str, str], accept: str = "*/*") -> Iterable[Row]:
    return csv.DictReader(io.StringIO(_get(url, asked, accept).decode("utf-8-sig"), newline=""))


def _get(url: str, asked: dict[str, str], accept: str = "*/*") -> bytes:
    import requests

    answer = requests.get(url, params=asked, headers={"Accept": accept}, timeout=TIMEOUT_SECONDS)
    if answer.status_code != 200:
        raise RefreshError(f"{url.split('/')[2]} answers {answer.status_code} {answer.reason}")
    return answer.content


_CLIENTS = {"worldbank": _worldbank, "comtrade": _comtrade, "customs": _customs, "atlas": _atlas, "imf": _imf}
_CLIENTS |= {"kosis": _kosis}
