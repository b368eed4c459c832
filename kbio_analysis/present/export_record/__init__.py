"""What the export record says and shows: results in; sentences, tables and records out."""

from kbio_analysis.present.export_record.definitions import (
    both_years_sentence,
    break_sentence,
    chart_sentence,
    codes_sentence,
    range_sentence,
    share_sentence,
    stranger_sentence,
)
from kbio_analysis.present.export_record.limits import limit_sentences
from kbio_analysis.present.export_record.monthly import (
    full_years_sentence,
    pattern_sentence,
    season_sentence,
    sensitivity_sentence,
    to_date_sentence,
)
from kbio_analysis.present.export_record.revisions import (
    coverage_sentence,
    direction_sentence,
    largest_sentence,
    moved_sentence,
    pending_sentences,
    without_worst_sentence,
)
from kbio_analysis.present.export_record.show import (
    record_definitions,
    record_monthly,
    record_revisions,
    show_both_years,
    show_full_years,
    show_nearness,
    show_revisions,
    show_scopes,
    show_to_date,
)

__all__ = [
    "both_years_sentence",
    "break_sentence",
    "chart_sentence",
    "codes_sentence",
    "coverage_sentence",
    "direction_sentence",
    "full_years_sentence",
    "largest_sentence",
    "limit_sentences",
    "moved_sentence",
    "pattern_sentence",
    "pending_sentences",
    "range_sentence",
    "record_definitions",
    "record_monthly",
    "record_revisions",
    "season_sentence",
    "sensitivity_sentence",
    "share_sentence",
    "show_both_years",
    "show_full_years",
    "show_nearness",
    "show_revisions",
    "show_scopes",
    "show_to_date",
    "stranger_sentence",
    "to_date_sentence",
    "without_worst_sentence",
]
