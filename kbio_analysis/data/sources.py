"""Where figures come from: the rows of ``sources``, and whom to name under a chart or a table."""

import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from ..errors import DataError, did_you_mean
from .tables import load

if TYPE_CHECKING:
    from pandas import DataFrame

NAMED = 3  # publishers named under a chart or a table; the rest stand in the page's table of sources


def sources(source_ids: Iterable[str]) -> "DataFrame":
    """The rows of ``sources`` for the given ids, in the order given, each once. Raises DataError for an unknown id."""
    table, wanted = load("sources"), list(dict.fromkeys(source_ids))
    rows = dict(zip(table["source_id"].to_numpy(), table.index, strict=True))
    for source_id in wanted:
        if source_id not in rows:
            raise DataError(f"no source_id {source_id!r}{did_you_mean(str(source_id), rows)}")
    return table.loc[[rows[source_id] for source_id in wanted]].reset_index(drop=True)


def bibliography(source_ids: Iterable[str]) -> "DataFrame":
    """Publisher, Title, Published and Address of the given sources, each once, for a page's table of sources."""
    found = sources(source_ids)[["publisher", "title", "published", "url"]].drop_duplicates(ignore_index=True)
    return found.set_axis(["Publisher", "Title", "Published", "Address"], axis=1)


def cite(source_ids: Iterable[str]) -> str:
    """The main publishers behind the given sources, for a chart's or table's source line; a source counts as often as
    it is given, or as a mapping says, so that the one behind most rows comes first.
    """
    rows = Counter(source_ids)
    after = r",? via |, as | results aggregated | open data| ten-day | release copied | \("
    heads: Counter[str] = Counter()
    for given, publisher in zip(rows.values(), sources(rows)["publisher"], strict=True):
        heads[re.split(after, publisher)[0]] += given
    ranked = [head for head, _ in heads.most_common()]
    more = len(ranked) - NAMED
    return "; ".join(ranked[:NAMED]) + (f"; {more} more, under Sources" if more > 0 else "")


def cite_tables(*names: str) -> str:
    """The same for whole tables, row by row."""
    rows = (load(name)["source_id"].value_counts(sort=False).to_dict() for name in names)
    return cite(sum(map(Counter, rows), Counter()))


def table_sources(*names: str) -> list[str]:
    """The source ids of whole tables, each once."""
    return list(dict.fromkeys(i for name in names for i in load(name)["source_id"].unique()))
