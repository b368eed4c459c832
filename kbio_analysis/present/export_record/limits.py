"""What the record cannot say, from its own counts."""

from datetime import date

import pandas as pd

from kbio_analysis.models.export_record import CodeMatch
from kbio_analysis.models.revisions import Revisions
from kbio_analysis.present.text import count, long_date


def limit_sentences(
    shown: pd.DataFrame, revisions: Revisions, match: CodeMatch | None, *, n_months: int, label: str, as_of: date
) -> list[str]:
    """Limits that depend on what was out: few points, few pairs, one vintage."""
    sizes = shown.groupby("label").size()
    pairs = len(revisions.pairs)
    sentences = []
    if len(sizes):
        longest = f"the longest definition shown, {sizes.idxmax()}, holds {count(sizes.max(), 'year')}"
        sentences.append(f"Records are short: {longest}, and none is joined to another to make a longer one.")
    sentences += [
        "No product codes are published with the headline, so its nearness to a count proves nothing about its origin.",
    ]
    if match is not None:
        sentences.append("The codes behind a figure are inferred from one year's sum, not read from a list.")
    if pairs:
        years = revisions.pairs["last_month"].map(lambda month: month.year).value_counts()
        sentences.append(
            f"Revisions rest on {count(pairs, 'pair')}, {years.iloc[0]} of them of {years.index[0]}; a gap between a "
            "ministry's count and customs is scope as well as revision."
        )
    if revisions.n_late:
        sentences.append(
            f"{count(revisions.n_late, 'print')} came too late to be called a first count and are left out."
        )
    sentences.append(
        f"{label} ({count(n_months, 'month')}) is held in one vintage: a cut at {long_date(as_of)} drops what was not "
        "out, but the figures are those printed last."
    )
    return sentences
