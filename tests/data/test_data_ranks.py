"""Published ranks: what their publishers said, when it could be known, and nothing computed among them."""

import pytest

from kbio_analysis import data
from kbio_analysis.errors import DataError

RANKS = {
    ("kita_biopharma", 2019): (9, "derived"),
    ("kita_biopharma", 2020): (7, "reported"),
    ("khidi_world_pharma", 2022): (20, "reported"),
    ("gov_biopharma_headline", 2024): (10, "approximate"),
    ("gov_biopharma_headline", 2030): (5, "target"),
}


def test_ranks_are_the_published_ones():
    rows = data.export_ranks()
    found = {(r.definition, r.year): (r.rank, r.status) for r in rows.itertuples()}
    assert found == RANKS
    assert rows["year"].is_monotonic_increasing
    assert rows["label"].notna().all()


def test_ranks_agree_with_the_claims():
    claims = data.load("article_claims").set_index("id")["value"]
    assert claims["biopharma_export_rank_2024"] == RANKS["gov_biopharma_headline", 2024][0]
    assert claims["biopharma_export_rank_target_2030"] == RANKS["gov_biopharma_headline", 2030][0]


@pytest.mark.parametrize(
    ("as_of", "n"), [("2021-07-25", 0), ("2021-07-26", 2), ("2024-12-31", 3), ("2025-09-05", 5), (None, 5)]
)
def test_as_of_keeps_what_was_out_and_may_leave_none(as_of, n):
    rows = data.export_ranks(as_of=as_of)
    assert len(rows) == n
    assert "label" in rows


def test_as_of_must_be_a_date():
    with pytest.raises(DataError, match="is not a date"):
        data.export_ranks(as_of="soon")
