"""Constants said once: the names of what has no table of its own.

Lists of export series, classes of exporters and groups of partners are tables: see :mod:`kbio_analysis.data.series`
and :mod:`kbio_analysis.data.trade`.
"""

BIOPHARMA_CLASSIFICATION = "HS92-3002"
"""The one classification near enough to "biopharmaceuticals" for the government's figures to be set beside it."""

RANK_LABELS = {
    "kita_biopharma": "KITA, biopharmaceuticals",
    "gov_biopharma_headline": "government, biopharmaceuticals",
    "khidi_world_pharma": "KHIDI, all pharmaceuticals",
}
"""Published rankings: definition -> who ranks what."""

BREAK_YEAR = 2022
"""First year of KHIDI's present classification, which moved immunodiagnostic reagents out of medicines."""

BREAKS: dict[str, dict[str, str]] = {
    "KHIDI biopharmaceuticals": {
        "old": "khidi_biopharma_old",
        "restated": "khidi_biopharma_restated",
        "new": "khidi_biopharma_hs2022",
    },
    "KHIDI pharmaceuticals": {
        "old": "khidi_pharma_old",
        "restated": "khidi_pharma_current",
        "new": "khidi_pharma_current",
    },
}
"""Definitions on either side of the break, and the one that holds the year before it on the new classification."""

HOME = "KOR"
"""The economy the project is about."""

PLACE_COLOURS = {
    "Korea": "blue",
    "United States": "amber",
    "China": "red",
    "ASEAN": "green",
    "European Union": "purple",
}
"""One colour a place, in every report's charts; a place without one takes what is left."""

COUNTRY_NAMES = {"KOR": "Korea", "TUR": "Türkiye", "HKG": "Hong Kong", "MAC": "Macao"}
"""Names that differ from those of the customs record."""

INDIA = "IND"
"""The partner of the agreement of 2010; the one whose own monthly record is held."""

SHIP_FLAG = "ships"
"""Flag of partner cells that are mostly ships registered there, not goods used there."""

SUCCESS_RATES = {"bio_2006_2015": "BIO 2006-2015", "citeline_2014_2023": "Citeline 2014-2023"}
"""Published sets of phase transition rates: key -> scope of the table ``development_benchmarks``."""

TRIAL_SCOPES = {
    "all_trials": "all industry-sponsored drug trials",
    "single_country": "single-country trials",
    "multi_country": "multi-country trials",
    "report_of_2013": "the report of 2013 (another count)",
}
"""What a ranking of clinical trials counts; never joined."""
