"""Other notebooks' records as a briefing reads them: what is to be had, and in which state it is."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import pandas as pd

from kbio_analysis.present.outputs import record, say
from kbio_analysis.present.tables import table
from kbio_analysis.present.text import join


class Record(Protocol):
    """What is asked of a record; ``value`` gives None for what is not there."""

    notebook: str
    state: str
    why: str
    parameters: Mapping[str, Any]
    charts: Mapping[str, Any]
    tables: Mapping[str, str]

    def value(self, name: str) -> Any: ...


Records = Mapping[str, Record]

EFFECT = tuple(f"effect_pooled_trade_usd_m_{q}" for q in (50, 5, 95))
"""What an agreement with Bangladesh adds to two-way trade a year: middle, and the ends of its 90% range."""

STATES = ("fresh", "stale", "failed", "missing")
_LATEST = ("last_year", "last_month", "window")


def number(one: Record, name: str) -> float | None:
    """A recorded number; None where there is none, also of a record that is missing."""
    value = one.value(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def label(one: Record) -> str:
    """The notebook's number, its state beside it unless it is fresh."""
    number = one.notebook.split("_")[0]
    return number if one.state == "fresh" else f"{number}, {one.state}"


def horizon(one: Record) -> str:
    """`` in 2037``: the year an effect is given for, where the notebook says so."""
    start, years = (one.parameters.get(name) for name in ("start", "horizon"))
    return f" in {start + years}" if isinstance(start, int) and isinstance(years, int) else ""


def states_sentence(records: Records) -> str:
    """How many records are fresh, and by name what is wrong with the others, those with the same fault together."""
    bad: dict[tuple[str, str], list[str]] = {}
    for one in records.values():
        if one.state != "fresh":
            bad.setdefault((one.state, one.why), []).append(one.notebook)
    if not bad:
        return f"All {len(records)} records it is composed from are fresh: made by this code from these tables."
    fresh = len(records) - sum(map(len, bad.values()))
    faults = [f"{join(names)} {'is' if len(names) == 1 else 'are'} {s} ({why})" for (s, why), names in bad.items()]
    return f"Of {len(records)} records {fresh or 'none'} {'is' if fresh <= 1 else 'are'} fresh; {'; '.join(faults)}."


def dates_sentence(records: Records) -> str:
    """Up to which day the records look, and which do not say."""
    days = sorted({str(r.parameters["as_of"]) for r in records.values() if "as_of" in r.parameters})
    if not days:
        return "No record names the day up to which it looks."
    dated = [r.notebook.split("_")[0] for r in records.values() if "as_of" in r.parameters]
    return f"What was published by {join(days)} counts in {join(dated)}; the others use their tables whole."


def limits_sentence(records: Records, undrawn: Sequence[str]) -> str:
    """What a page of other pages cannot do, and what is not on it: missing records and ``undrawn`` charts."""
    hollow = [r.notebook for r in records.values() if r.state == "missing"]
    gap = f" Nothing is shown from {join(hollow)}." if hollow else ""
    blank = f" Not drawn, for want of data: {join(undrawn)}." if undrawn else ""
    return (
        "Ranges differ in kind, as the table says, and are not to be compared across rows; each record stands at its "
        f"notebook's default parameters.{gap}{blank}"
    )


def source_table(records: Records) -> pd.DataFrame:
    """A row a notebook: state, what is wrong, date, latest data and number of tables."""
    rows = [
        {
            "Record": r.notebook,
            "State": r.state,
            "Known by": str(r.parameters.get("as_of", "")) or "–",
            "Data to": _latest(r),
            "Tables": len(r.tables),
        }
        for r in records.values()
    ]
    return pd.DataFrame(rows)


def show_records(records: Records) -> None:
    """The table of provenance, and the tables behind it with the first digits of their hashes."""
    caption = "The records, with the latest data they rest on"
    known = {name: digest for r in records.values() for name, digest in r.tables.items()}
    table(source_table(records), id="records", caption=caption, source="")
    listed = [f"{name} `{digest[:6]}`" for name, digest in sorted(known.items())]
    say(f"Tables behind them, by the first digits of their SHA-256: {', '.join(listed) or 'none'}.")


def record_states(records: Records) -> None:
    """How many records are in each state."""
    for state in STATES:
        count = sum(r.state == state for r in records.values())
        record(f"records_{state}", count, unit="records", meaning=f"records that are {state}")


def _latest(one: Record) -> str:
    found = one.value("latest_year") or next((one.parameters[n] for n in _LATEST if one.parameters.get(n)), None)
    last = found[-1] if isinstance(found, list) else found
    return "–" if last is None else str(last)[:7]
