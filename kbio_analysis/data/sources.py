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
    table = load("sources").set_index("source_id")
    wanted = list(dict.fromkeys(source_ids))
    for source_id in wanted:
        if source_id not in table.index:
            raise DataError(f"no source_id {source_id!r}{did_you_mean(str(source_id), table.index)}")
    return table.loc[wanted].reset_index()


def bibliography(source_ids: Iterable[str]) -> "DataFrame":
    """Publisher, title, published and url of the given sources, each once, for a page's table of sources."""
    return sources(source_ids)[["publisher", "title", "published", "url"]].drop_duplicates(ignore_index=True)


def cite(source_ids: Iterable[str]) -> str:
    """The main publishers behind the given sources, for a chart's or table's source line; a source counts as often as
    it is given, so that the one behind most rows comes first.
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
    return cite(i for name in names for i in load(name)["source_id"].to_numpy())


def table_sources(*names: str) -> list[str]:
    """The source ids of whole tables, each once."""
    return list(dict.fromkeys(i for name in names for i in load(name)["source_id"].unique()))
