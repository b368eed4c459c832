"""Constants said once: the names of what has no table of its own. Those that are lists of words lie in
``vocabulary.json``.

Lists of export series, classes of exporters and groups of partners are tables: see :mod:`kbio_analysis.data.series`
and :mod:`kbio_analysis.data.trade`.
"""

import json
from pathlib import Path
from typing import Any

_words: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))

BIOPHARMA_CLASSIFICATION = "HS92-3002"
"""The one classification near enough to "biopharmaceuticals" for the government's figures to be set beside it."""

RANK_LABELS: dict[str, str] = _words["rank_labels"]
"""Published rankings: definition -> who ranks what."""

BREAK_YEAR = 2022
"""First year of KHIDI's present classification, which moved immunodiagnostic reagents out of medicines."""

BREAKS: dict[str, dict[str, str]] = _words["breaks"]
"""Definitions on either side of the break, and the one that holds the year before it on the new classification."""

HOME = "KOR"
"""The economy the project is about."""

PLACE_COLOURS: dict[str, str] = _words["place_colours"]
"""One colour a place, in every report's charts; a place without one takes what is left."""

COUNTRY_NAMES = {"KOR": "Korea", "TUR": "Türkiye", "HKG": "Hong Kong", "MAC": "Macao"}
"""Names that differ from those of the customs record."""

INDIA = "IND"
"""The partner of the agreement of 2010; the one whose own monthly record is held."""

SHIP_FLAG = "ships"
"""Flag of partner cells that are mostly ships registered there, not goods used there."""

SUCCESS_RATES = {"bio_2006_2015": "BIO 2006-2015", "citeline_2014_2023": "Citeline 2014-2023"}
"""Published sets of phase transition rates: key -> scope of the table ``development_benchmarks``."""

TRIAL_SCOPES: dict[str, str] = _words["trial_scopes"]
"""What a ranking of clinical trials counts; never joined."""

UNITS: dict[str, str] = _words["units"]
"""Unit of a value -> how it is written with one."""

ODDS: list[tuple[float, str]] = _words["odds"]
"""The scale of words for chances: the upper end of each, and the word; above the last a chance is very likely."""

WITH_ARTICLE = frozenset(_words["with_article"])
"""Names of places that have an article within a sentence."""
