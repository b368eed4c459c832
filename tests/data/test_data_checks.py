"""What the schema cannot see is refused by table, line and column: months lost, values that jump, sides swapped."""

import re
from contextlib import nullcontext
from pathlib import Path

import pandas as pd
import pytest

from kbio_analysis.data.checks import check_table
from kbio_analysis.data.package import Passport, read_package
from kbio_analysis.data.tables import load, load_from
from kbio_analysis.errors import DataError

SHIPPED = Path(__file__).resolve().parents[2] / "data"
PACKAGE = read_package(SHIPPED)
REGIONS, WORLD, MONTHLY = "korea_exports_by_region", "korea_world_trade", "biohealth_exports_monthly"
PARTNERS, TOTALS = "korea_exports_by_partner", "partner_trade_totals"
ANNUAL, PRINTS = "biopharma_exports_annual", "biohealth_export_prints"


def row(frame: pd.DataFrame, **key: object) -> int:
    (line,) = frame.index[(frame[list(key)].astype(str) == [str(v) for v in key.values()]).all(axis=1)]
    return line


def set_cell(column: str, value: object, **key: object):
    return lambda frame: frame.at.__setitem__((row(frame, **key), column), value)


def drop(**key: object):
    return lambda frame: frame.drop(index=row(frame, **key), inplace=True)


def swap_rows(first: int, second: int):
    return lambda f: f.loc.__setitem__([first, second], f.loc[[second, first]].to_numpy(copy=True))


def swap_columns(*names: str, **key: object):
    line = lambda frame: (row(frame, **key), list(names))  # noqa: E731
    return lambda f: f.loc.__setitem__(line(f), f.loc[row(f, **key), list(names)[::-1]].tolist())


CHINA, ASEAN = {"region": "CHN", "month": "2025-08"}, {"region": "ASEAN", "month": "2025-08"}
USA_2020, HS30 = {"iso3": "USA", "year": 2020}, {"count": "hs30", "first_month": "2025-01"}
SIDES = ("imports_from_korea_usd_m", "exports_to_korea_usd_m")


@pytest.mark.parametrize(
    ("table", "change", "column", "said"),
    [
        # Errors that once passed unseen.
        (REGIONS, set_cell("exports_usd_m", 18880.0, **ASEAN), "exports_usd_m", "18,880 after 10,830"),
        (REGIONS, set_cell("exports_usd_m", 10.88, **ASEAN), "exports_usd_m", "more than 1.6 times"),
        (MONTHLY, drop(series="hs30_customs", month="2025-06"), "month", "2025-06 of hs30_customs is missing"),
        (MONTHLY, swap_rows(20, 21), "series, month", "out of order"),
        (WORLD, swap_columns("exports_usd_m", "imports_usd_m", year=1996), "exports_usd_m", "1996: the parts make"),
        ("sources", set_cell("published", "2025-18-29", source_id="AJU_20250829"), "published", "'2025-18-29' is no"),
        # Others, two of which only another table shows.
        (REGIONS, drop(region="USA", month="2026-07"), "month", "2026-07 of USA is missing"),
        (REGIONS, set_cell("exports_usd_m", 16500.0, **CHINA), "exports_usd_m", "2025-08: the parts make"),
        (PARTNERS, set_cell("exports_usd_m", 60000.0, **USA_2020), "exports_usd_m", "2020: the parts make"),
        (PARTNERS, set_cell("year", 2031, iso3="DEU", year=2023), "year", "out of order|of DEU is missing"),
        ("korea_geography", set_cell("iso3", "DEV", iso3="DEU"), "iso3", "'DEV' is not in the table country_groups"),
        (PARTNERS, drop(iso3="DEU", year=2009), "year", "2009 of DEU is missing"),
        (ANNUAL, drop(definition="mfds_biopharma", year=2024), "year", "2024 of mfds_biopharma is missing"),
        (PRINTS, set_cell("exports_usd_m", 6901.6, **HS30), "exports_usd_m", "789.82 after 6,901.6, more than 2.1"),
        (TOTALS, swap_columns(*SIDES, iso3="IND", year=2019), ", ".join(SIDES), "IND 2019: .* when they are swapped"),
    ],
)
def test_error_that_keeps_the_schema_is_refused(table, change, column, said):
    frame, passport = load_from(PACKAGE, table), PACKAGE.passport(table)
    change(frame)
    with pytest.raises(DataError) as refused:
        [check_table(frame, passport, others) for others in (None, load)]
    assert re.match(rf"table {table}, line \d+, column .*{column}: .*({said})", str(refused.value)), refused.value


def small(check: object, *values: float | None) -> tuple[pd.DataFrame, Passport]:
    """A table of one value a year from 2000 on, and its passport."""
    frame = pd.DataFrame({"year": range(2000, 2000 + len(values)), "value": values}, range(2, 2 + len(values)))
    descriptor = {"schema": {"fields": [], "primaryKey": ["year"]}, "kbio": {"checks": [check]}}
    return frame, Passport(name="t", path=Path("t.csv"), descriptor=descriptor)


JUMP = {"check": "jump", "column": "value", "along": "year", "factor": 2, "explained": {"2001": "a strike"}}


@pytest.mark.parametrize(
    ("check", "values", "said"),
    [
        ({"check": "jmp"}, [1.0], "datapackage.json: table t declares a check 'jmp'; known are order, calendar"),
        ({"check": "jump", "column": "value"}, [1.0], "datapackage.json: table t: the check 'jump' does not work"),
        ({"check": "calendar", "column": "none"}, [1.0], "the check 'calendar' does not work .KeyError"),
        (JUMP, [1.0, 9.0], None),
        (JUMP, [1.0, None, 1.5], None),
        (JUMP, [1.0, None, 0.0], "table t, line 4, column value: 0 after 1"),
        (JUMP, [1.0, 9.0, 30.0], "table t, line 4, column value: 30 after 9, .* under explained, '2002'"),
    ],
)
def test_what_is_explained_passes_and_what_is_not_or_cannot_work_is_named(check, values, said):
    with pytest.raises(DataError, match=said) if said else nullcontext():
        check_table(*small(check, *values))
