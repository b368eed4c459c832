"""What the notebook on ranks says and shows: results in; sentences, tables and records out."""

from kbio_analysis.present.ranks.checks import (
    entries_sentence,
    hindcast_sentence,
    limit_sentences,
    spread_sentence,
    unseen_sentence,
)
from kbio_analysis.present.ranks.race import (
    answer_sentence,
    both_sentence,
    enough_sentence,
    field_sentence,
    path_sentence,
    simulation_sentence,
)
from kbio_analysis.present.ranks.show import (
    published_rows,
    record_checks,
    record_race,
    record_standing,
    show_aims,
    show_climbs,
    show_field,
    show_growth,
    show_ranks,
    show_spread,
)
from kbio_analysis.present.ranks.standing import (
    aims_sentence,
    biopharma_ranks,
    climb_sentence,
    conflict_sentence,
    gap_sentence,
    growth_sentence,
    same_year_sentence,
)

__all__ = [
    "aims_sentence",
    "answer_sentence",
    "biopharma_ranks",
    "both_sentence",
    "climb_sentence",
    "conflict_sentence",
    "enough_sentence",
    "entries_sentence",
    "field_sentence",
    "gap_sentence",
    "growth_sentence",
    "hindcast_sentence",
    "limit_sentences",
    "path_sentence",
    "published_rows",
    "record_checks",
    "record_race",
    "record_standing",
    "same_year_sentence",
    "show_aims",
    "show_climbs",
    "show_field",
    "show_growth",
    "show_ranks",
    "show_spread",
    "simulation_sentence",
    "spread_sentence",
    "unseen_sentence",
]
