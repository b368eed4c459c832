"""What the claims ledger says and shows: verdicts in; sentences, tables and records out."""

from kbio_analysis.present.claims.show import (
    record_moved,
    record_verdicts,
    show_claim_sources,
    show_ledger,
    show_readings,
    show_widths,
)
from kbio_analysis.present.claims.words import (
    LEDGER,
    answer_sentence,
    labels_of,
    readings_sentence,
    tolerance_sentence,
    untestable_sentence,
    upstream_sentence,
    verdict_sentence,
    widths_sentence,
)

__all__ = [
    "LEDGER",
    "answer_sentence",
    "labels_of",
    "readings_sentence",
    "record_moved",
    "record_verdicts",
    "show_claim_sources",
    "show_ledger",
    "show_readings",
    "show_widths",
    "tolerance_sentence",
    "untestable_sentence",
    "upstream_sentence",
    "verdict_sentence",
    "widths_sentence",
]
