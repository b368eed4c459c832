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
from .checks import check_table, due_date
from .package import Package, Passport, read_package, read_verified, sorted_rows, take_in, vouched, written
from .schemas import fits, parse, typed
from .tables import load_from, verify

Row = dict[str, str]
SHARED = ("source_id", "available_from", "note")  # columns that mean the same in every table
KNOWN = {"year": "Calendar year", "month": "Calendar month", "iso3": "Economy, ISO 3166-1 alpha-3"}
TIMES = ("year", "month", "date", "period")
TEXT = r"[^|]+"


class Answers:
    """Gives what an option gave, else asks for it, else keeps the option's name for the refusal."""

    def __init__(self) -> None:
        self.asks, self.lacking = sys.stdin.isatty(), list[str]()

    def __call__(self, given: str | None, option: str, question: str, form: str | Sequence[str] = TEXT) -> str:
        """The answer, of this ``form``: a pattern, or the words allowed. At the terminal a wrong one is asked again."""
        if not given and not self.asks:
            self.lacking.append(option)
            return ""
        words = [] if isinstance(form, str) else form
        pattern = "|".join(map(re.escape, words)) if words else form
        question += f" ({', '.join(words)})" * bool(words)
        while True:
            text = " ".join((given or typer.prompt(question)).split())
            if re.fullmatch(pattern, text):
                return text
            said = f"{text!r}: write {question}{did_you_mean(text, words)}"
            if given:
                raise UsageError(f"{option} {said}")
            print(said)

    def field(self, given: str | None, option: str, field: dict[str, Any], form: str = "", also: str = "") -> str:
        """The answer to what a column of a table holds, by its passport but for ``form`` and what is ``also`` asked."""
        limits, question = field.get("constraints", {}), field["description"].partition("; blank")[0] + also
        return self(given, option, question, limits.get("enum") or form or limits.get("pattern") or TEXT)

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
    package, answers, rows = read_package(), Answers(), _tidy(file)
    table = _new_name("--name", name or re.sub(r"\W+", "_", file.stem.lower()), package.passports)
    title = answers(title, "--title", "what the table is")
    terms = answers(licence, "--licence", "the terms under which the figures may be used")
    new = {"publisher": publisher, "source-title": source_title, "published": published, "address": address}
    held, cited = _sources(rows, source, new | {"how-read": how_read}, terms, package.passport("sources"), answers)
    rule = _rule(available_from, "available_from" in rows[0], answers)
    keys = [_plain(one) for one in key or []] or _key(rows)
    further = ["available_from", "source_id"] if rule else ["source_id"]
    columns = [*rows[0], *(column for column in further if column not in rows[0])]
    if unknown := [one for one in keys if one not in columns]:
        raise UsageError(f"--key {unknown[0]!r} is no column; columns: {', '.join(columns)}")
    meanings, units = _pairs(meaning, columns), _pairs(unit, columns)
    held_as = {f["name"]: f for one in package.passports.values() for f in one.fields if f["name"] in SHARED}
    fields = [held_as.get(c) or _field(c, rows, c in keys, (meanings.get(c), units.get(c)), answers) for c in columns]
    traps = trap or [answers(None, "--trap", "what a reader may get wrong")]
    answers.complete()
    for row in rows:
        row["source_id"] = row.get("source_id") or cited[0]
    about = {"name": table, "path": f"tables/{table}.csv", "title": title, "description": description or title}
    reference = {"fields": "source_id", "reference": {"resource": "sources", "fields": "source_id"}}
    about["schema"] = {"fields": fields, "primaryKey": keys, "missingValues": [""], "foreignKeys": [reference]}
    licences = {one["title"]: one for known in package.passports.values() for one in known.descriptor["licenses"]}
    about["licenses"] = [licences.get(terms, {"name": "notspecified", "title": terms})]
    about["sources"] = [_as_cited(held[one]) for one in cited]
    about["kbio"] = ({"available_from": [rule]} if rule else {}) | {"traps": traps}
    _add(package, about, rows, held)
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
    if len({plain for plain in names.values() if plain[:1].isalpha()}) < len(names):
        raise UsageError(f"{file.name}: give each column a name of its own in plain letters, not {', '.join(names)}")
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
    rows: list[Row], given: Text, about: dict[str, Text], terms: str, passport: Passport, answers: Answers
) -> tuple[dict[str, Row], list[str]]:
    """The table of sources with a new one, if it is, and the sources that the rows cite, that of ``given`` first."""
    held = {row["source_id"]: row for row in rows_of(read_verified(passport))}
    fields = {field["name"]: field for field in passport.fields}
    cited = list(dict.fromkeys(row["source_id"] for row in rows if row.get("source_id")))
    if given or not all(row.get("source_id") for row in rows):
        said = "a row of the table sources, or a new name such as WHO_2026 (capital letters, digits, _)"
        source = answers(given, "--source", said, r"[A-Z][A-Z0-9_]*")
        cited = list(dict.fromkeys([source, *cited]))
        near = did_you_mean(source, held) and not (about["publisher"] or answers.asks)
        if source and source not in held and not near:
            held[source] = {"source_id": source, "licence": terms}
            for option, text in about.items():
                column = {"source-title": "title", "address": "url", "how-read": "how_read"}.get(option, option)
                form, also = (r"none|https?://\S+", ": https://..., or none") if column == "url" else ("", "")
                answer = answers.field(text, f"--{option}", fields[column], form, also)
                held[source][column] = "" if answer == "none" else answer
    if unknown := [one for one in cited if one and one not in held]:
        hint = did_you_mean(unknown[0], held)
        raise UsageError(f"{unknown[0]!r} is no row of the table sources; give a new one with --source{hint}")
    return held, cited


def _as_cited(source: Row) -> Row:
    dated = {"published": source["published"]} if source["published"] else {}
    return {"title": source["title"], "publisher": source["publisher"], "path": source["url"] or "sources.csv"} | dated


def _rule(given: Text, has_days: bool, answers: Answers) -> dict[str, Any]:
    """The release rule as a passport has it; empty for what is no observation."""
    said = "source (its day), a day, MONTHS/DAY after the row's year or month" + ", none" * (not has_days)
    form = r"source|\d{4}-\d\d-\d\d|\d{1,3}/\d{1,2}" + "|none" * (not has_days)
    text = answers(given, "--available-from", said, form)
    if "/" in text:
        return dict(zip(("months_after", "day"), map(int, text.split("/")), strict=True))
    return {"source_published": True} if text == "source" else {"released": text} if text not in ("", "none") else {}


def _kind(cells: list[str]) -> str:
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


def _field(name: str, rows: list[Row], in_key: bool, told: tuple[Text, Text], answers: Answers) -> dict[str, Any]:
    """The passport's entry of a column, by what its cells show and what was told of its meaning and unit."""
    cells = [row[name] for row in rows]
    kind = _kind(cells)
    if kind == "integer" and name != "year" and not in_key:
        kind = "number"
    what = answers(told[0] or KNOWN.get(name), f"--meaning {name}=...", f"what {name} holds")
    field: dict[str, Any] = {"name": name, "type": kind, "description": what}
    if kind in ("integer", "number"):
        field["unit"] = answers(told[1] or (name if name == "year" else None), f"--unit {name}=...", f"unit of {name}")
    limits: dict[str, Any] = {"required": True} if all(cells) else {}
    if kind == "number" and not any(cell.startswith("-") for cell in cells):
        limits["minimum"] = 0
    limits |= {"year": {"minimum": 1900, "maximum": 2100}, "iso3": {"pattern": "[A-Z]{3}"}}.get(name, {})
    return field | ({"constraints": limits} if limits else {})


def _checks(rows: list[Row], passport: Passport, package: Package) -> list[dict[str, Any]]:
    """What holds of the rows and may be asked of the next ones: order, a calendar without gaps, dates, economies."""
    keys, kinds = passport.primary_key, {f["name"]: f["type"] for f in passport.fields}
    times = [name for name in keys if name == "year" or kinds[name] == "yearmonth"]
    texts = [name for name, kind in kinds.items() if kind == "string"]
    dated = [name for name in texts if all(re.match(r"\d{4}(-|$)", row[name]) for row in rows)]
    likely: list[dict[str, Any]] = [{"check": "order"}]
    likely += [{"check": "calendar", "column": c, "by": [one for one in keys if one != c]} for c in times]
    likely += [{"check": "dates", "column": c} for c in dated]
    if "iso3" in kinds and "country_groups" in package.passports:
        likely.append({"check": "known", "column": "iso3", "table": "country_groups", "in": "iso3"})
    frame = typed(parse(sorted_rows(rows, passport), passport), passport)
    held = []
    for one in likely:
        alone = replace(passport, descriptor={**passport.descriptor, "kbio": {"checks": [one]}})
        with suppress(DataError):
            check_table(frame, alone)
            check_table(frame, alone, lambda other: load_from(package, other))
            held.append(one)
    return held


def _add(package: Package, about: dict[str, Any], rows: list[Row], held: dict[str, Row]) -> None:
    """Write table, sources, passport and lists; the lists in both READMEs are renewed by the tool, where it is."""
    rules, days = about["kbio"].get("available_from", []), {one: row["published"] for one, row in held.items()}
    for row in rows:
        try:
            row |= {"available_from": row.get("available_from") or str(due_date(row, rules, days))} if rules else {}
        except (KeyError, ValueError):
            raise UsageError("--available-from: neither rows nor source give a day that exists") from None
    like = next(iter(package.passports.values())).descriptor
    alike = {key: like[key] for key in ("profile", "format", "mediatype", "encoding", "dialect")}
    about = alike | vouched(b"") | about
    passport = Passport(name=about["name"], path=package.root / about["path"], descriptor=about)
    about["kbio"]["checks"] = _checks(rows, passport, package)
    package = replace(package, passports={**package.passports, passport.name: passport})
    package.descriptor["resources"].append(about)
    package.descriptor["resources"].sort(key=lambda one: one["name"])
    raw = {passport.name: sorted_rows(rows, passport)}
    raw["sources"] = sorted_rows([*held.values()], package.passport("sources"))
    tool = package.root.parent / "tools" / "readme.py"
    lists = [path for path in (package.root / "README.md", package.root.parent / "README.md") if tool.is_file()]
    renew = [lambda: subprocess.run([sys.executable, str(tool)], check=True, timeout=60)] if lists else []
    take_in(package, raw, {path: path.read_bytes() for path in lists}, verify, *renew)


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

    package, notebooks = read_package(), notebooks_beside()
    tables = {one: package.passport(one) for one in ("article_claims", "claim_tests", "claim_figures")}
    held = {one: rows_of(read_verified(passport)) for one, passport in tables.items()}
    _new_name("claim", name, {row["id"] for row in held["article_claims"]})
    claim, test, figures = _claimed(name, given, tables, claims.LEDGER)
    ledger, book, tests = notebooks / f"{claims.LEDGER}.ipynb", notebooks / "results.csv", held["claim_tests"]
    try:
        composed = read_json(ledger.read_bytes())["metadata"]["kbio"]["composed_from"]
        described = rows_of(book.read_bytes())
    except (OSError, ValueError, KeyError, TypeError) as problem:
        raise DataError(f"{ledger.name} or {book.name} cannot be read ({problem}); restore it") from None
    if test["notebook"] not in [claims.LEDGER, *composed]:
        hint = did_you_mean(test["notebook"], composed) or "; add it there"
        raise UsageError(f"{test['notebook']!r} is not in composed_from of {claims.LEDGER}{hint}")
    # The claim stands after the last of its topic with its further readings, in the tests and in the codebook.
    before = next((row["claim"] for row in reversed(tests) if row["topic"] == test["topic"]), tests[-1]["claim"])
    tests.insert(max(i for i, row in enumerate(tests) if row["claim"] == before) + 1, test)
    at = next((i for i, row in enumerate(described) if row["name"] == f"measured_{before}"), None)
    if at is None:
        raise DataError(f"results.csv has no result measured_{before}; restore it, or write its row")
    word, unit = ("Odds in words", "probability") if test["rule"] == "odds" else ("Verdict", claim["unit"])
    entry = {"notebook": described[at]["notebook"], "name": f"verdict_{name}", "unit": "verdict", "rtol": ""}
    entry["meaning"] = f"{word}: {test['label']}"
    measured = {"name": f"measured_{name}", "unit": unit, "rtol": "0.005", "meaning": f"Measured: {test['label']}"}
    described[at + 1 : at + 1] = [entry, entry | measured]

    def hold() -> None:
        claims.tests()
        ours = test["notebook"] == claims.LEDGER
        known = claims.measures() if ours else recorded(test["notebook"]).results
        for one in (test[column] for column in ("measure", "low", "high")):
            if one and one not in known:
                raise DataError(f"nothing was written: {test['notebook']} has no {one!r}{did_you_mean(one, known)}")

    raw = {"article_claims": sorted_rows([*held["article_claims"], claim], tables["article_claims"])}
    raw["claim_tests"] = written(tests, tables["claim_tests"].columns)
    raw["claim_figures"] = sorted_rows([*held["claim_figures"], *figures], tables["claim_figures"])
    take_in(package, raw, {book: written(described, list(described[0]))}, verify, hold)
    stale = [*dict.fromkeys(n for one in tables for n in readers(notebooks / "references", one))]
    print(f"{name}: a claim with its test{', its figure' * bool(figures)} and two rows in the codebook")
    print(f"now: kbio check {' '.join(stale)} --accept, then kbio check 00_briefing --accept")


def _claimed(name: str, given: Many, tables: dict[str, Passport], ledger: str) -> tuple[Row, Row, list[Row]]:
    """The rows of the claim, of its test, and of its figure if there is one; complete, or UsageError."""
    answers, fields = Answers(), {f"found_{field['name']}": field for field in tables["claim_figures"].fields}
    fields |= {field["name"]: field for one in ("claim_tests", "article_claims") for field in tables[one].fields}
    told = _pairs(given, [*fields])

    def asked(*columns: str, **defaults: str) -> Row:
        return {c: answers.field(told.get(c) or defaults.get(c), f"{c}=...", fields[c], TEXT) for c in columns}

    claim = {"id": name, "note": ""} | asked("quantity", "value", "unit", "period", "source_id")
    test = {"claim": name, "reading": "as stated", "kind": ""} | asked("topic", "label", "rule")
    testable = {"untestable": "no", "odds": "partly"}.get(test["rule"], "yes")
    claim |= asked("speaker", "testable", speaker="article", testable=testable)
    test["step"] = told.get("step") or f"{10 ** -len(claim['value'].partition('.')[2]):g}"
    width = "printed" if test["rule"] == "equals" else "none"
    test |= asked("tolerance", "scope", "notebook", tolerance=width, scope="same", notebook=ledger)
    test |= {column: told.get(column, "") for column in ("low", "high", "cites", "note")}
    found = [column for column in told if column.startswith("found_")]
    untestable = test["rule"] == "untestable"
    test |= {"measure": ""} | asked("note") if untestable else asked("measure", measure=name if found else "")
    figure = {"figure": name, "unit": claim["unit"], "note": told.get("found_note", "")}
    figure |= {c: asked(f"found_{c}")[f"found_{c}"] for c in ("value", "period", "source_id") if found}
    answers.complete()
    return claim, test, [figure] if found else []
