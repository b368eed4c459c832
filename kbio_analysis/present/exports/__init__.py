"""The table of sources, for the notebooks that have not listed theirs yet."""

import pandas as pd

from kbio_analysis.present.tables import table


def show_sources(sources: pd.DataFrame) -> None:
    """Publisher, title, date and address of every source."""
    frame = sources[["publisher", "title", "published", "url"]].drop_duplicates()
    frame = frame.set_axis(["Publisher", "Title", "Published", "Address"], axis=1)
    table(frame, id="sources", caption="Sources of every figure on this page", source="data/tables/sources.csv")
