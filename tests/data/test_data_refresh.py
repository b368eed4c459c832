"""Refreshing tables from answers in the publishers' documented forms, errors among them."""

import json
import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import urllib3

from kbio_analysis.data.package import read_package
from kbio_analysis.data.refresh import accept_candidate, fetch_candidate, readers
from kbio_analysis.data.tables import load, verify
from kbio_analysis.errors import DataError, UsageError

SHIPPED = Path(__file__).resolve().parents[2] / "data"
TODAY = date(2026, 12, 1)
SECRET = "s3cret-key"

Answer = Callable[[str, dict[str, str]], tuple[int, bytes]]


@pytest.fixture
def server(monkeypatch) -> SimpleNamespace:
    """``answer`` decides what a publisher says to a path and its query; keys are in the environment."""
    made = SimpleNamespace()

    def get(url, params, **_):
        status, body = made.answer(urlsplit(url).path, params)
        return SimpleNamespace(status_code=status, reason="", content=body)

    def request(_, how, url, fields=None, **__):
        status, body = made.answer(urlsplit(url).path, dict(parse_qsl(urlsplit(url).query)) | (fields or {}))
        return urllib3.HTTPResponse(body=body, status=status)

    monkeypatch.setattr("requests.get", get)
    monkeypatch.setattr("urllib3.PoolManager.request", request)
    monkeypatch.setattr("wbgapi.data.fetch", lambda codes, economy, **_: made.answer(economy, codes))
    for name in ("COMTRADE_KEY", "DATA_GO_KR_KEY", "KOSIS_KEY"):
        monkeypatch.setenv(name, SECRET)
    return made


@pytest.fixture
def package(tmp_path, monkeypatch) -> Path:
    root = tmp_path / "data"
    shutil.copytree(SHIPPED, root, ignore=shutil.ignore_patterns("candidates"))
    monkeypatch.setenv("KBIO_DATA", str(root))
    return root


def state(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


# ---- what each publisher says when all is well: the figures held, one revised, one year or month more


def worldbank(economy: str, codes: list[str], *, factor: float = 1.0, last: int = 2024) -> list[dict[str, object]]:
    """What wbgapi hands out, a row a figure."""
    held = load("us_gdp").query("year < @last")[["measure", "year", "value"]].to_numpy().tolist()
    held += [["gdp_current_usd_m", last, 29_184_890.0], ["real_growth_pct", last, 2.8]] if last else []
    scale = {"gdp_current_usd_m": ("NY.GDP.MKTP.CD", 1e6 * factor), "real_growth_pct": ("NY.GDP.MKTP.KD.ZG", factor)}
    row = {"economy": economy}
    return [row | {"time": f"YR{y}", "series": scale[m][0], "value": scale[m][1] * value} for m, y, value in held]


def comtrade(path: str, query: dict[str, str]) -> tuple[int, bytes]:
    year, held = int(query["period"]), load("korea_exports_by_partner")
    rows = held[held["year"] == min(year, 2023)] if year <= 2024 else held[:0]
    told = {"reporterCode": 410, "flowCode": "X", "cmdCode": "TOTAL", "period": str(year)}
    usd = 1e6 if year < 2024 else 1.04e6
    data = [told | {"partnerISO": r.iso3, "primaryValue": r.exports_usd_m * usd} for r in rows.itertuples()]
    return 200, json.dumps({"elapsedTime": "0.1", "count": len(data), "data": data, "error": ""}).encode()


def customs(path: str, query: dict[str, str]) -> tuple[int, bytes]:
    held = load("biohealth_exports_monthly").set_index(["series", "month"])["exports_usd_m"]
    parts = {"30": (1, 0, 0), "300213": (0, 0, 0), "300214": (0, 1, 0), "300215": (0, -1, 1)}[query["hsSgn"]]
    names = ("hs30_customs", "hs300214_customs", "hs3002_13_14_15_customs")
    items = ["<item><year>총계</year><expDlr>1</expDlr></item>"]
    for month in (f"{query['strtYymm'][:4]}-{n:02d}" for n in range(1, 13)):
        if "2025-01" <= month <= "2026-02":
            own = sum(part * held[name, min(month, "2026-01")] for part, name in zip(parts, names, strict=True))
            items.append(f"<item><year>{month.replace('-', '.')}</year><expDlr>{own * 1e6:.0f}</expDlr></item>")
    body = "<response><header><resultCode>00</resultCode><resultMsg>정상서비스.</resultMsg></header><body><items>"
    return 200, f"{body}{''.join(items)}</items></body></response>".encode()


def atlas(path: str, query: dict[str, str]) -> tuple[int, bytes]:
    if "datasets" in path:
        files = [{"label": "hs92_country_product_year_4.csv", "dataFile": {"id": 7}}]
        return 200, json.dumps({"status": "OK", "data": {"latestVersion": {"files": files}}}).encode()
    held = load("pharma_exporters_panel").query("classification != 'SITC54'")
    lines = ["country_id,country_iso3_code,product_id,product_hs92_code,year,export_value,import_value"]
    lines += [f"1,{r.iso3},2,{r.classification[5:]},{r.year},{r.exports_usd_m * 1e6:.0f},0" for r in held.itertuples()]
    lines += ["1,KOR,2,3002,2025,6500000000,0", "1,XYZ,2,3002,2025,1,0"]
    return 200, ("\n".join(lines) + "\n").encode()


def imf(path: str, query: dict[str, str]) -> tuple[int, bytes]:
    assert path.endswith("/data/IMF.STA,IMTS/.MG_CIF_USD+XG_FOB_USD.G001+KOR.A")
    held = load("partner_trade_totals")
    later = held[(held["year"] == 2020) & held["iso3"].isin(["DEU", "USA"])].assign(year=2021)
    flows = {"total_imports_usd_m": ("MG_CIF_USD", "G001"), "total_exports_usd_m": ("XG_FOB_USD", "G001")}
    flows |= {"imports_from_korea_usd_m": ("MG_CIF_USD", "KOR"), "exports_to_korea_usd_m": ("XG_FOB_USD", "KOR")}
    lines = ["DATAFLOW,COUNTRY,INDICATOR,COUNTERPART_COUNTRY,FREQUENCY,TIME_PERIOD,OBS_VALUE,SCALE"]
    for row in [*held[~held["iso3"].isin(["SUN"])].to_dict("records"), *later.to_dict("records")]:
        for column, (flow, partner) in flows.items():
            if row[column] == row[column]:
                place = f"IMF.STA:IMTS(1.0.0),{row['iso3']},{flow},{partner},A,{row['year']}"
                lines.append(f"{place},{row[column] * 1e6:.0f},6")
    return 200, ("\n".join([*lines, "IMF.STA:IMTS(1.0.0),G163,XG_FOB_USD,KOR,A,2021,1,6"]) + "\n").encode()


def kosis(path: str, query: dict[str, str]) -> tuple[int, bytes]:
    held, data = load("korea_world_trade"), []
    for row in [*held.to_dict("records"), held.iloc[-1].to_dict() | {"year": 2024, "exports_usd_m": 683609.0}]:
        for item, column in zip(query["itmId"].split(), ("exports_usd_m", "imports_usd_m"), strict=True):
            cell = {"ITM_ID": item, "PRD_DE": str(row["year"]), "DT": f"{row[column] * 1e3:.0f}"}
            data.append(cell | {"ORG_ID": "360", "C1_NM": "총액", "UNIT_NM": "천달러", "PRD_SE": "A"})
    return 200, json.dumps(data, ensure_ascii=False).encode()


GDP, EXPORTS, MONTHS = "us_gdp", "korea_exports_by_partner", "biohealth_exports_monthly"
TOTALS, WORLD, PANEL = "partner_trade_totals", "korea_world_trade", "pharma_exporters_panel"


@pytest.mark.parametrize(
    ("table", "answer", "new"),
    [
        (TOTALS, imf, "iso3=DEU, year=2021"),
        (WORLD, kosis, "year=2024"),
        (GDP, worldbank, "measure=gdp_current_usd_m, year=2024"),
        (EXPORTS, comtrade, "iso3=USA, year=2024"),
        (MONTHS, customs, "series=hs30_customs, month=2026-02"),
        (PANEL, atlas, "classification=HS92-3002, iso3=KOR, year=2025"),
    ],
)
def test_candidate_is_shown_and_nothing_is_vouched_for(server, package, table, answer, new):
    server.answer = answer
    before = state(package)
    changes = fetch_candidate(table, TODAY)
    assert any(line.startswith("  new") and new in line for line in changes) or "more" in changes[-1]
    after = state(package)
    assert after.pop(f"candidates/{table}.csv")
    assert after == before


def test_accepted_table_holds_and_the_old_one_stays_for_an_earlier_as_of(server, package, monkeypatch):
    server.answer = worldbank
    fetch_candidate(GDP, TODAY)
    before = state(package)
    for stop in (KeyboardInterrupt, OSError):
        with monkeypatch.context() as patch:
            patch.setattr("kbio_analysis.data.package.write_package", lambda *_: (_ for _ in ()).throw(stop))  # noqa: B023
            with pytest.raises(stop):
                accept_candidate(GDP, TODAY)
        assert state(package) == before
    accept_candidate(GDP, TODAY)
    assert verify() == []
    ends = [load(GDP, as_of=day)["year"].max() for day in (None, "2026-11-30", TODAY)]
    assert ends == [2024, 2023, 2024]
    assert not (package / "candidates" / "us_gdp.csv").exists()
    assert [one["until"] for one in read_package(package).passport(GDP).kbio["vintages"]] == ["2026-12-01"]
    with pytest.raises(UsageError, match="no candidate of us_gdp"):
        accept_candidate(GDP, TODAY)


def says(status: int, body: str) -> Answer:
    return lambda path, query: (status, body.encode())


def raises(problem: Exception) -> Answer:
    return lambda path, query: (_ for _ in ()).throw(problem)


def turned(answer: Answer, *changes: tuple[str, str]) -> Answer:
    """A good answer with some of its text as it should not be."""

    def say(path: str, query: dict[str, str]) -> tuple[int, bytes]:
        text = answer(path, query)[1].decode()
        for old, new in changes:
            text = text.replace(old, new)
        return 200, text.encode()

    return say


def cut(answer: Answer, end: int) -> Answer:
    return lambda path, query: (200, answer(path, query)[1][:end])


DENIED = '{"statusCode": 401, "message": "Access denied due to invalid subscription key s3cret-key."}'
NO_KEY = (
    "<OpenAPI_ServiceResponse><cmmMsgHeader><returnAuthMsg>SERVICE_KEY_IS_NOT_REGISTERED_ERROR</returnAuthMsg>"
    "<returnReasonCode>30</returnReasonCode></cmmMsgHeader></OpenAPI_ServiceResponse>"
)
KOSIS_KEY = '{"err": "11", "errMsg": "유효하지않은 인증KEY입니다. s3cret-key"}'


@pytest.mark.parametrize(
    ("table", "answer", "said"),
    [
        (GDP, raises(RuntimeError("what a library says")), "what a library says"),
        (WORLD, raises(requests.ReadTimeout(f"timed out, {SECRET}")), "timed out"),
        (MONTHS, raises(requests.exceptions.ChunkedEncodingError("cut short")), "cut short"),
        (
            WORLD,
            raises(requests.ConnectionError(request=requests.Request(url="https://kosis.kr/a"))),
            "kosis.kr cannot",
        ),
        (GDP, lambda p, q: worldbank(p, q, factor=1e-3), "in another unit"),
        (GDP, lambda p, q: worldbank(p, q, last=2010), "is missing|ends here|after"),
        (EXPORTS, says(401, DENIED), "Access denied"),
        (EXPORTS, says(200, '{"count": 0, "data": []}'), "no rows"),
        (EXPORTS, turned(comtrade, ("primaryValue", "value")), "another form"),
        (EXPORTS, turned(comtrade, ('"X"', '"M"')), "another reporter, flow"),
        (MONTHS, says(200, NO_KEY), "SERVICE_KEY_IS_NOT_REGISTERED_ERROR .30."),
        (MONTHS, turned(customs, ("expDlr", "expUsd")), "another form"),
        (MONTHS, cut(customs, -30), "is cut or no XML"),
        (MONTHS, says(200, "<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"), "declarations of its own"),
        (TOTALS, says(429, ""), "api.imf.org answers 429"),
        (TOTALS, says(200, ""), "sent no rows"),
        (TOTALS, turned(imf, ("OBS_VALUE", "VALUE")), "another form"),
        (TOTALS, turned(imf, (",A,", ",M,")), "other figures than those of years"),
        (TOTALS, turned(imf, (",6\n", "000,6\n"), (",1000,", ",1,")), "in another unit"),
        (TOTALS, lambda p, q: (200, imf(p, q)[1][:400_000].rpartition(b"\n")[0]), "the answer is cut"),
        (WORLD, says(200, KOSIS_KEY), "KOSIS: .* .11."),
        (WORLD, turned(kosis, ("PRD_DE", "PERIOD")), "another form"),
        (WORLD, cut(kosis, -9), "Unterminated|JSON|Expecting"),
        (PANEL, says(200, '{"data": {"latestVersion": {"files": []}}}'), "no file hs92"),
    ],
)
def test_answer_that_cannot_be_used_is_refused_and_changes_nothing(server, package, capfd, table, answer, said):
    server.answer = answer
    before = state(package)
    with pytest.raises(DataError, match=said) as refused:
        fetch_candidate(table, TODAY)
    assert state(package) == before
    assert SECRET not in str(refused.value) + "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("table", "said"),
    [
        (EXPORTS, "put yours into COMTRADE_KEY"),
        ("bangladesh_published", "a person reads"),
        ("us_gpd", "did you mean us_gdp"),
    ],
)
def test_what_cannot_be_asked_for_is_refused(monkeypatch, table, said):
    monkeypatch.delenv("COMTRADE_KEY", raising=False)
    with pytest.raises((UsageError, DataError), match=said):
        fetch_candidate(table, TODAY)


def test_readers_are_those_whose_reference_rests_on_the_table():
    assert "13_reform_clock" in readers(SHIPPED.parent / "notebooks" / "references", "clinical_trial_ranks")
