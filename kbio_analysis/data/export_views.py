"""What the export notebooks read: the definitions side by side, the reference classes, and whom to cite."""

import re
from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from kbio_analysis.data.series import exporters, out_by, partner_exports, sources
from kbio_analysis.data.tables import load
from kbio_analysis.vocabulary import HOME, REFERENCE_CLASSES, SERIES, SHIP_FLAG

if TYPE_CHECKING:
    from pandas import DataFrame


def definitions(family: str, *, as_of: str | date | None = None) -> "DataFrame":
    """Every yearly definition of one family, long: definition, label, year, exports_usd_m, status, source_id.

    ``family`` as in :class:`~kbio_analysis.vocabulary.ExportSeries`; rows not out by ``as_of`` are left out.
    """
    keys = [s.key for s in SERIES.values() if s.family == family and s.frequency == "annual"]
    rows = load("biopharma_exports_annual")
    rows = out_by(rows[rows["definition"].isin(keys)], as_of, f"{family} definitions")
    rows = rows.assign(label=rows["definition"].map({k: SERIES[k].label for k in keys}))
    columns = ["definition", "label", "year", "exports_usd_m", "status", "source_id"]
    return rows[columns].sort_values(["definition", "year"], ignore_index=True)


def reference_classes(*, as_of: str | date | None = None) -> dict[str, "DataFrame"]:
    """The panels whose growth the export odds are read from: label -> years x members, US$ million.

    Korea itself is left out of the exporters' classes, and partners whose imports are ships under flags of
    convenience out of the partners'.
    """
    classes = {}
    for label, classification in REFERENCE_CLASSES.items():
        if classification is None:
            classes[label] = partner_exports(as_of=as_of, without=(SHIP_FLAG,))
        else:
            classes[label] = exporters(classification, as_of=as_of).drop(columns=HOME, errors="ignore")
    return classes


def reference_sources(*, as_of: str | date | None = None) -> list[str]:
    """Sources behind :func:`reference_classes`."""
    panels = reference_classes(as_of=as_of).values()
    return sorted({source for panel in panels for source in panel.attrs["source_ids"]})


def cite(source_ids: Iterable[str]) -> str:
    """The publishers behind the given sources, each once, for a chart's or table's source line."""
    heads = [re.split(r",? via |, as | results aggregated | \(", p)[0] for p in sources(source_ids)["publisher"]]
    return "; ".join(dict.fromkeys(heads))
