"""What the briefing says and shows: other notebooks' records in; sentences, tables and records out."""

from kbio_analysis.present.briefing.answers import answer_sentence, claims_sentence
from kbio_analysis.present.briefing.moves import moves, moves_sentence, record_moves, show_moves
from kbio_analysis.present.briefing.numbers import number_table, show_numbers
from kbio_analysis.present.briefing.records import (
    Record,
    Records,
    dates_sentence,
    label,
    limits_sentence,
    record_states,
    show_records,
    source_table,
    states_sentence,
)

__all__ = [
    "Record",
    "Records",
    "answer_sentence",
    "claims_sentence",
    "dates_sentence",
    "label",
    "limits_sentence",
    "moves",
    "moves_sentence",
    "number_table",
    "record_moves",
    "record_states",
    "show_moves",
    "show_numbers",
    "show_records",
    "source_table",
    "states_sentence",
]
