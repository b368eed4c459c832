"""Whom to cite, for the notebooks that still ask for it here."""

import re
from collections.abc import Iterable

from kbio_analysis.data.series import sources


def cite(source_ids: Iterable[str]) -> str:
    """The publishers behind the given sources, each once, for a chart's or table's source line."""
    heads = [re.split(r",? via |, as | results aggregated | \(", p)[0] for p in sources(source_ids)["publisher"]]
    return "; ".join(dict.fromkeys(heads))
