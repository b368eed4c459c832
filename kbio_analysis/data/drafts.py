"""``kbio new table`` and ``kbio new claim``: the rows and the passport that a person would write, all or none of them.

What a file shows (types, key, bounds, order, calendar) is read from it; what only a person knows comes by option, else
by a question at the terminal. Without a terminal everything that lacks is named at once.
"""

import re
import subprocess
import sys
from collections.abc import Container, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import DataError, UsageError, did_you_mean
from ..reading import file_rows, read_json, rows_of
from .package import (
    Package,
    Passport,
    all_or_nothing,
    put,
    read_package,
    read_verified,
    sorted_rows,
    vouched,
    write_package,
    written,
)

Row = dict[str, str]
SHARED = ("source_id", "available_from", "note")  # columns that mean the same in every table
KNOWN = {"year": "Calendar year", "month": "Calendar month", "iso3": "Economy, ISO 3166-1 alpha-3"}
ABOUT_SOURCE = {
    "publisher": ("who published it", r"[^|]+"),
    "source-title": ("what it is called", r"[^|]+"),
    "published": ("when: YYYY, YYYY-MM or YYYY-MM-DD", r"\d{4}(-\d\d(-\d\d)?)?"),
    "address": ("its address https://..., or none", r"none|https?://\S+"),
    "how-read": ("how the figures came from there to here", r"[^|]+"),
}
TIMES = ("year", "month", "date", "period")


class Answers:
    """Gives what an option gave, else asks for it, else keeps the option's name for the refusal."""

    def __init__(self) -> None:
        self.asks, self.lacking = sys.stdin.isatty(), list[str]()

    def __call__(self, given: str | None, option: str, question: str, form: str | Sequence[str] = r"[^|]+") -> str:
        """The answer, of this ``form``: a pattern, or the words allowed. At the terminal a wrong one is asked again."""
        if not given and not self.asks:
            self.lacking.append(option)
            return ""
        words = [] if isinstance(form, str) else form
        pattern = form if isinstance(form, str) else "|".join(map(re.escape, form))
        while True:
            text = " ".join((given or typer.prompt(question + f" ({', '.join(words)})" * bool(words))).split())
            if re.fullmatch(pattern, text):
                return text
            said = f"one of {', '.join(words)}{did_you_mean(text, words)}" if words else question
            if given:
                raise UsageError(f"{option} {text!r}: write {said}")
            print(f"{text!r}: write {said}")

    def complete(self) -> None:
        """Raises UsageError naming every option without an answer."""
        if self.lacking:
            raise UsageError("\n".join(["nothing was written; these options are needed:", *self.lacking]))


def _option(text: str) -> Any:
    return typer.Option(help=text, show_default=False)


Text = str | None
Many = list[str] | None


def new_table(
    file: Annotated[Path, typer.Argument(metavar="FILE.csv", help="A header of column names, then the rows")],
    name: Annotated[Text, _option("Name of the table; default: the file's")] = None,
    title: Annotated[Text, _option("What the table is, in a few words")] = None,
    description: Annotated[Text, _option("What a row is, and what is left out; default: the title")] = None,
    meaning: Annotated[Many, _option("COLUMN=TEXT: what the column holds; repeatable")] = None,
    unit: Annotated[Many, _option("COLUMN=TEXT: the unit of a column of numbers; repeatable")] = None,
    key: Annotated[Many, _option("A column that tells rows apart, if it is not seen from the file; repeatable")] = None,
    source: Annotated[Text, _option("The row of the table sources that the figures come from, or a new name")] = None,
    publisher: Annotated[Text, _option("Of a new source")] = None,
    source_title: Annotated[Text, _option("Of a new source: what it is called")] = None,
    published: Annotated[Text, _option("Of a new source: YYYY, YYYY-MM or YYYY-MM-DD")] = None,
    address: Annotated[Text, _option("Of a new source: https://..., or none")] = None,
    how_read: Annotated[Text, _option("Of a new source: how the figures came from there to here")] = None,
    licence: Annotated[Text, _option("The terms under which the figures may be used")] = None,
    trap: Annotated[Many, _option("What a reader may get wrong; repeatable")] = None,
    available_from: Annotated[
        Text,
        _option("First day of use: source (its day), a day, MONTHS/DAY after the row's year or month, none"),
    ] = None,
) -> None:
    """Take a CSV file in as a table: with passport, sources and its place in the lists, checked as a whole."""
    from .verification import due_date

    package, answers, rows = read_package(), Answers(), _tidy(file)
    table = _new_name("--name", name or re.sub(r"\W+", "_", file.stem.lower()), package.passports)
    title = answers(title, "--title", "what the table is")
    about = {"name": table, "path": f"tables/{table}.csv", "title": title, "description": description or title}
    terms = answers(licence, "--licence", "the terms under which the figures may be used")
    new = {"publisher": publisher, "source-title": source_title, "published": published, "address": address}
    held, cited = _sources(rows, source, new | {"how-read": how_read}, terms, (package, answers))
    rule = _rule(available_from, "available_from" in rows[0], answers)
    keys = [_plain(one) for one in key or []] or _key(rows)
    further = ["available_from", "source_id"] if rule else ["source_id"]
    columns = [*rows[0], *(column for column in further if column not in rows[0])]
    fields = _fields(rows, columns, keys, (_pairs(meaning, columns), _pairs(unit, columns)), (package, answers))
    traps = trap or [answers(None, "--trap", "what a reader may get wrong")]
    answers.complete()

    days = {one: row["published"] for one, row in held.items()}
    for row in rows:
        row["source_id"] = row.get("source_id") or cited[0]
        try:
            row |= {"available_from": row.get("available_from") or str(due_date(row, [rule], days))} if rule else {}
        except (KeyError, ValueError):
            raise UsageError(
                f"--available-from {available_from}: neither rows nor source give a day that exists"
            ) from None
    about |= _standing(package, fields, keys, terms) | {"sources": [_as_cited(held[one]) for one in cited]}
    about["kbio"] = {"available_from": [rule]} if rule else {}
    passport = Passport(name=table, path=package.root / about["path"], descriptor=about)
    about["kbio"] |= {"traps": traps, "checks": _checks(rows, passport, package)}
    _take_in(package, passport, rows, [*held.values()])
    print(f'{table}: {len(rows)} rows, key {", ".join(keys)}; tables.load("{table}") gives it. To see all: git diff')


def _new_name(option: str, name: str, taken: Container[str]) -> str:
    if name in taken or not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        said = "there is one already" if name in taken else "write small letters, digits and underscores"
        raise UsageError(f"{option} {name!r}: {said}")
    return name


def _tidy(file: Path) -> list[Row]:
    """The file's rows under plain names: small letters, digits, underscores."""
    rows = file_rows(file)
    names = {name: _plain(name) for name in rows[0]}
    wrong = next((name for name, plain in names.items() if not re.fullmatch(r"[a-z][a-z0-9_]*", plain)), None)
    if wrong is not None or len(set(names.values())) < len(names):
        raise UsageError(
            f"{file.name}: column {wrong or ', '.join(names)!r}: give each a name of its own in plain letters"
        )
    return [{names[name]: cell.strip() for name, cell in row.items()} for row in rows]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")


def _pairs(given: Many, columns: list[str]) -> Row:
    pairs = {_plain(one.partition("=")[0]): one.partition("=")[2] for one in given or []}
    for name, text in pairs.items():
        if name not in columns or not text:
            raise UsageError(f"{name!r}: write COLUMN=TEXT, a column being {', '.join(columns)}")
    return pairs


def _sources(
    rows: list[Row], given: Text, about: dict[str, Text], terms: str, room: tuple[Package, Answers]
) -> tuple[dict[str, Row], list[str]]:
    """The table of sources with a new one, if it is, and the sources that the rows cite, that of ``given`` first."""
    package, answers = room
    held = {row["source_id"]: row for row in rows_of(read_verified(package.passport("sources")))}
    cited = list(dict.fromkeys(row["source_id"] for row in rows if row.get("source_id")))
    if given or not all(row.get("source_id") for row in rows):
        said = "a row of the table sources, or a new name such as WHO_2026 (capital letters, digits, _)"
        source = answers(given, "--source", said, r"[A-Z][A-Z0-9_]*")
        cited = list(dict.fromkeys([source, *cited]))
        hint = did_you_mean(source, held)
        if source not in held and hint and not (about["publisher"] or answers.asks):
            raise UsageError(f"--source {source!r} is no row of the table sources{hint}")
        if source and source not in held:
            asks = {option: answers(text, f"--{option}", *ABOUT_SOURCE[option]) for option, text in about.items()}
            row = dict(zip(("publisher", "title", "published", "url", "how_read"), asks.values(), strict=True))
            held[source] = row | {"source_id": source, "url": row["url"].removesuffix("none"), "licence": terms}
    if unknown := [one for one in cited if one and one not in held]:
        hint = did_you_mean(unknown[0], held)
        raise UsageError(f"{unknown[0]!r} is no row of the table sources; give a new one with --source{hint}")
    return held, cited


def _rule(given: Text, has_days: bool, answers: Answers) -> dict[str, Any]:
    """The release rule as a passport has it; empty for what is no observation."""
    said = "source (its day), a day, MONTHS/DAY after the row's year or month" + ", none" * (not has_days)
    form = r"source|\d{4}-\d\d-\d\d|\d{1,3}/\d{1,2}" + "|none" * (not has_days)
    text = answers(given, "--available-from", said, form)
    if "/" in text:
        return dict(zip(("months_after", "day"), map(int, text.split("/")), strict=True))
    return {"source_published": True} if text == "source" else {"released": text} if text not in ("", "none") else {}


def _kind(cells: list[str]) -> str:
    from .schemas import fits

    kinds = ("yearmonth", "date", "integer", "number")
    return next((kind for kind in kinds if any(cells) and all(fits(kind, c) for c in cells if c)), "string")


def _key(rows: list[Row]) -> list[str]:
    """The fewest leading columns of words and times that no two rows share."""
    able = [c for c in rows[0] if c not in SHARED and all(row[c] for row in rows)]
    able = [c for c in able if c in TIMES or _kind([row[c] for row in rows]) not in ("integer", "number")]
    for size in (1, 2, 3, 4):
        for columns in combinations(able, size):
            if len({tuple(row[c] for c in columns) for row in rows}) == len(rows):
                return list(columns)
    raise UsageError("no columns tell all rows apart; name them with --key, or take out the doubled rows")


def _fields(
    rows: list[Row], columns: list[str], keys: list[str], told: tuple[Row, Row], room: tuple[Package, Answers]
) -> list[dict[str, Any]]:
    package, answers = room
    shared = {f["name"]: f for p in package.passports.values() for f in p.fields if f["name"] in SHARED}
    fields = []
    for name in columns:
        if name in shared:
            fields.append(shared[name])
            continue
        cells = [row[name] for row in rows]
        kind = _kind(cells)
        if kind == "integer" and name not in (*keys, "year"):
            kind = "number"
        what = answers(told[0].get(name) or KNOWN.get(name), f"--meaning {name}=...", f"what {name} holds")
        field: dict[str, Any] = {"name": name, "type": kind, "description": what}
        if kind in ("integer", "number"):
            given = told[1].get(name) or ("year" if name == "year" else None)
            field["unit"] = answers(given, f"--unit {name}=...", f"the unit of {name}")
        limits: dict[str, Any] = {"required": True} if all(cells) else {}
        if kind == "number" and not any(cell.startswith("-") for cell in cells):
            limits["minimum"] = 0
        if name == "year":
            limits |= {"minimum": 1900, "maximum": 2100}
        if name == "iso3":
            limits["pattern"] = "[A-Z]{3}"
        fields.append(field | ({"constraints": limits} if limits else {}))
    if unknown := [one for one in keys if one not in columns]:
        raise UsageError(f"--key {unknown[0]!r} is no column; columns: {', '.join(columns)}")
    return fields


def _checks(rows: list[Row], passport: Passport, package: Package) -> list[dict[str, Any]]:
    """What holds of the rows and may be asked of the next ones: order, a calendar without gaps, dates, economies."""
    from .checks import check_table
    from .parsing import parse
    from .schemas import typed
    from .tables import load_from

    keys, kinds = passport.primary_key, {f["name"]: f["type"] for f in passport.fields}
    frame = typed(parse(sorted_rows(rows, passport), passport), passport)
    likely: list[dict[str, Any]] = [{"check": "order"}]
    for name in keys:
        if name == "year" or kinds[name] == "yearmonth":
            likely.append({"check": "calendar", "column": name, "by": [one for one in keys if one != name]})
    for name in kinds:
        if kinds[name] == "string" and all(re.match(r"\d{4}(-|$)", row[name]) for row in rows):
            likely.append({"check": "dates", "column": name})
        if name == "iso3" and "country_groups" in package.passports:
            likely.append({"check": "known", "column": name, "table": "country_groups", "in": "iso3"})
    held = []
    for one in likely:
        alone = replace(passport, descriptor={**passport.descriptor, "kbio": {"checks": [one]}})
        with suppress(DataError):
            check_table(frame, alone)
            check_table(frame, alone, lambda other: load_from(package, other))
            held.append(one)
    return held


def _standing(package: Package, fields: list[dict[str, Any]], keys: list[str], terms: str) -> dict[str, Any]:
    """What a passport says of the file's form, of its schema, and the licence, as other tables have it."""
    tables = [passport.descriptor for passport in package.passports.values()]
    alike = ("profile", "format", "mediatype", "encoding", "dialect")
    reference = {"fields": "source_id", "reference": {"resource": "sources", "fields": "source_id"}}
    schema = {"fields": fields, "primaryKey": keys, "missingValues": [""], "foreignKeys": [reference]}
    same = (one for table in tables for one in table["licenses"] if one["title"] == terms)
    licence = next(same, {"name": "notspecified", "title": terms})
    return {key: tables[0][key] for key in alike} | vouched(b"") | {"schema": schema, "licenses": [licence]}


def _as_cited(source: Row) -> Row:
    dated = {"published": source["published"]} if source["published"] else {}
    return {"title": source["title"], "publisher": source["publisher"], "path": source["url"] or "sources.csv"} | dated


def _take_in(package: Package, passport: Passport, rows: list[Row], held: list[Row]) -> None:
    """Write table, sources, passport and lists, and hold the package against itself; all as before if it does not."""
    from .verification import verify

    sources, lists = package.passport("sources"), package.root / "README.md"
    front, tool = package.root.parent / "README.md", package.root.parent / "tools" / "readme.py"
    with all_or_nothing(passport.path, sources.path, package.root / "datapackage.json", lists, front):
        for one, content in ((passport, rows), (sources, held)):
            raw = sorted_rows(content, one)
            put(one.path, raw)
            one.descriptor.update(vouched(raw))
        package.descriptor["resources"].append(passport.descriptor)
        package.descriptor["resources"].sort(key=lambda one: one["name"])
        write_package(package)
        if lists.is_file():
            put(lists, _listed(lists.read_text(encoding="utf-8"), passport).encode())
        if problems := verify():
            raise DataError("\n".join(["nothing was written, since it would not hold:", *problems]))
        if tool.is_file() and front.is_file():
            subprocess.run([sys.executable, str(tool)], check=True, timeout=60)


def _listed(text: str, passport: Passport) -> str:
    """The list of tables with this one in its place."""
    about = passport.descriptor
    publishers = "; ".join(dict.fromkeys(source["publisher"] for source in about["sources"]))
    row = f"| {passport.name} | {about['title']} | {publishers} | {about['licenses'][0]['title']} |"
    lines = text.splitlines()
    heads = [i for i, line in enumerate(lines) if line.startswith("| ")]
    later = [i for i in heads[1:] if lines[i].split(" | ")[0][2:] > passport.name]
    lines.insert(later[0] if later else heads[-1] + 1, row)
    return "\n".join(lines) + "\n"


def new_claim(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the claim: small letters, digits, underscores")],
    given: Annotated[
        Many,
        typer.Argument(metavar="COLUMN=VALUE", help="Columns of article_claims and claim_tests, found_value and such"),
    ] = None,
) -> None:
    """Write a claim, its test, the figure it is held against (found_value, found_period, found_source_id: if no
    notebook records it) and two rows of the codebook. What is not given is asked; a verdict is never written.
    """
    from . import claims
    from .refresh import readers
    from .results import notebooks_beside, recorded
    from .verification import verify

    package, answers = read_package(), Answers()
    tables = {one: package.passport(one) for one in ("article_claims", "claim_tests", "claim_figures")}
    held = {one: rows_of(read_verified(passport)) for one, passport in tables.items()}
    _new_name("claim", name, {row["id"] for row in held["article_claims"]})
    claim, test, figures = _claimed(name, given, tables, (claims.LEDGER, answers))
    notebooks, tests, source = notebooks_beside(), held["claim_tests"], test["notebook"]
    book = notebooks / "results.csv"
    composed, codebook = _beside(notebooks / f"{claims.LEDGER}.ipynb", book)
    if source not in [claims.LEDGER, *composed]:
        hint = did_you_mean(source, composed) or "; add it there"
        raise UsageError(f"{source!r} is not in composed_from of {claims.LEDGER}{hint}")
    last = max((i for i, row in enumerate(tests) if row["topic"] == test["topic"]), default=-1)
    before = tests[last]["claim"]  # the claim after which this one stands, with its further readings
    described = _described(codebook, before, test, claim["unit"])
    tests.insert(max(i for i, row in enumerate(tests) if row["claim"] == before) + 1, test)
    held["article_claims"].append(claim)
    held["claim_figures"] += figures
    with all_or_nothing(*(one.path for one in tables.values()), package.root / "datapackage.json", book):
        for one, passport in tables.items():
            raw = written(tests, passport.columns) if one == "claim_tests" else sorted_rows(held[one], passport)
            put(passport.path, raw)
            passport.descriptor.update(vouched(raw))
        write_package(package)
        put(book, described)
        if not (problems := verify()):
            claims.tests()
            mine = claims.measures() if source == claims.LEDGER else recorded(source).results
            named = [test[column] for column in ("measure", "low", "high") if test[column]]
            problems = [f"{source} has no {one!r}{did_you_mean(one, mine)}" for one in named if one not in mine]
        if problems:
            raise DataError("\n".join(["nothing was written, since it would not hold:", *problems]))
    stale = [*dict.fromkeys(n for one in tables for n in readers(notebooks / "references", one))]
    print(f"{name}: a claim with its test{', its figure' * bool(figures)} and two rows in the codebook")
    print(f"now: kbio check {' '.join(stale)} --accept, then kbio check 00_briefing --accept")


def _claimed(
    name: str, given: Many, tables: dict[str, Passport], room: tuple[str, Answers]
) -> tuple[Row, Row, list[Row]]:
    """The rows of the claim, of its test, and of its figure if there is one; complete, or UsageError."""
    ledger, answers = room
    fields = {f"found_{f['name']}": f for f in tables["claim_figures"].fields}
    fields |= {f["name"]: f for one in ("claim_tests", "article_claims") for f in tables[one].fields}
    told = _pairs(given, [*fields])

    def asked(column: str, default: str = "") -> str:
        limits = fields[column].get("constraints", {})
        question = fields[column]["description"]
        return answers(told.get(column) or default, f"{column}=...", question, limits.get("enum") or r"[^|]+")

    claim = {"id": name, "note": ""} | {c: asked(c) for c in ("quantity", "value", "unit", "period", "source_id")}
    test = {"claim": name, "reading": "as stated", "kind": ""} | {c: asked(c) for c in ("topic", "label", "rule")}
    testable = {"untestable": "no", "odds": "partly"}.get(test["rule"], "yes")
    claim |= {"speaker": asked("speaker", "article"), "testable": asked("testable", testable)}
    test["step"] = told.get("step") or f"{10 ** -len(claim['value'].partition('.')[2]):g}"
    test["tolerance"] = asked("tolerance", "printed" if test["rule"] == "equals" else "none")
    test |= {"scope": asked("scope", "same"), "notebook": asked("notebook", ledger)}
    test |= {column: told.get(column, "") for column in ("low", "high", "cites", "note")}
    found = [column for column in told if column.startswith("found_")]
    if test["rule"] == "untestable":
        test |= {"measure": "", "note": asked("note")}
    else:
        test["measure"] = asked("measure", name if found else "")
    figure = {"figure": name, "unit": claim["unit"], "note": told.get("found_note", "")}
    figure |= {c: asked(f"found_{c}") for c in ("value", "period", "source_id") if found}
    answers.complete()
    return claim, test, [figure] if found else []


def _beside(ledger: Path, book: Path) -> tuple[list[str], list[Row]]:
    """The notebooks that the ledger reads, and the codebook."""
    try:
        return read_json(ledger.read_bytes())["metadata"]["kbio"]["composed_from"], rows_of(book.read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise DataError(f"{ledger.name} or {book.name} cannot be read ({problem}); restore it") from None


def _described(rows: list[Row], before: str, test: Row, unit: str) -> bytes:
    """The codebook with the two results of the claim, after those of the claim ``before`` it."""
    at = next((i for i, row in enumerate(rows) if row["name"] == f"measured_{before}"), None)
    if at is None:
        raise DataError(f"results.csv has no result measured_{before}; restore it, or write its row")
    name, label, odds = test["claim"], test["label"], test["rule"] == "odds"
    verdict = {"name": f"verdict_{name}", "unit": "verdict", "rtol": ""}
    verdict["meaning"] = f"{'Odds in words' if odds else 'Verdict'}: {label}"
    measured = {"name": f"measured_{name}", "unit": "probability" if odds else unit, "rtol": "0.005"}
    measured["meaning"] = f"Measured: {label}"
    rows[at + 1 : at + 1] = [{"notebook": rows[at]["notebook"]} | one for one in (verdict, measured)]
    return written(rows, list(rows[0]))
