"""What the notebook on ranks reads beside the exporters' panel: the ranks that publishers state."""

from datetime import date
from typing import TYPE_CHECKING

from kbio_analysis.data.series import out_by
from kbio_analysis.data.tables import load
from kbio_analysis.vocabulary import HOME, RANK_LABELS

if TYPE_CHECKING:
    from pandas import DataFrame


def export_ranks(*, as_of: str | date | None = None) -> "DataFrame":
    """Korea's published ranks: definition, label, year, rank, status, available_from, source_id, by year.

    Rows not out by ``as_of`` are left out; none may be left. ``status`` ``target`` is a wish, not a rank.
    """
    rows = load("pharma_export_ranks")
    rows = out_by(rows[rows["iso3"] == HOME], as_of, "published ranks", may_be_empty=True)
    rows = rows.assign(label=rows["definition"].map(RANK_LABELS))
    columns = ["definition", "label", "year", "rank", "status", "available_from", "source_id"]
    return rows[columns].sort_values(["year", "definition"], ignore_index=True)
