"""Every definition the project uses, written once: export series, reference classes, models, interval levels.

A *definition* says what is counted. Two series with different definitions are never joined, subtracted or plotted
as one line, however close their names are.
"""

from dataclasses import dataclass
from typing import Literal

Frequency = Literal["annual", "monthly"]

INTERVAL_LEVELS = (80, 95)
"""Default prediction-interval levels, per cent."""

MIN_POINTS = 3
"""Fewest observations any model accepts."""

MAX_POINTS = 400
"""Most observations any model accepts; more means the wrong frequency was passed."""

MIN_TREND_POINTS = {"annual": 8, "monthly": 24}
"""Below this many points no trend is estimated from a series, only its base and a reference class's growth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportSeries:
    """One published way of counting Korean exports.

    ``key`` is the value of the ``definition`` or ``series`` column; ``scope`` says in plain words what is inside;
    ``family`` is equal for series whose scopes are close enough to be read side by side (never joined).
    """

    key: str
    label: str
    frequency: Frequency
    scope: str
    family: Literal["biopharma", "pharma", "bio-health"]
    table: str


def _annual(key: str, label: str, family: str, scope: str) -> ExportSeries:
    return ExportSeries(
        key=key, label=label, frequency="annual", scope=scope, family=family, table="biopharma_exports_annual"
    )


def _monthly(key: str, label: str, family: str, scope: str) -> ExportSeries:
    return ExportSeries(
        key=key,
        label=label,
        frequency="monthly",
        scope=scope,
        family=family,
        table="biohealth_exports_monthly",
    )


SERIES: dict[str, ExportSeries] = {
    s.key: s
    for s in (
        _annual(
            "gov_biopharma_headline",
            "Government headline",
            "biopharma",
            "figure quoted with the K-Bio Leap Strategy; no product codes are published with it",
        ),
        _annual(
            "khidi_biopharma_hs2022",
            "KHIDI biopharma, current",
            "biopharma",
            "KHIDI biopharmaceuticals under the classification used since 2022; in 2025 equal to HS 3002.13-15",
        ),
        _annual(
            "khidi_biopharma_old",
            "KHIDI biopharma, before 2022",
            "biopharma",
            "KHIDI biopharmaceuticals before 2022, immunodiagnostic reagents inside",
        ),
        _annual(
            "mfds_biopharma",
            "MFDS biopharma",
            "biopharma",
            "export results that makers report to the Ministry of Food and Drug Safety",
        ),
        _annual("kita_biopharma", "KITA biopharma", "biopharma", "trade association study of 2021"),
        _annual(
            "customs_hs3002_13_14_15",
            "Customs HS 3002.13-15",
            "biopharma",
            "immunological products: unmixed, mixed, and put up in doses; sum of twelve monthly counts",
        ),
        _annual(
            "khidi_pharma_current",
            "KHIDI pharmaceuticals, current",
            "pharma",
            "all pharmaceuticals under the classification used since 2022; 2018-21 restated on it by KHIDI",
        ),
        _annual(
            "mti93_biohealth_annual",
            "Yearly bio-health (MTI 93)",
            "bio-health",
            "pharmaceuticals and medical devices; sum of twelve monthly customs counts",
        ),
        _monthly(
            "biohealth_mti93_customs",
            "Monthly bio-health (MTI 93)",
            "bio-health",
            "pharmaceuticals and medical devices, customs results",
        ),
        _monthly(
            "hs300214_tentative",
            "HS 3002.14 (ten-day counts)",
            "biopharma",
            "mixed immunological products not in doses, first counts that are never revised",
        ),
        _monthly(
            "hs3002_13_14_15_customs",
            "Monthly customs HS 3002.13-15",
            "biopharma",
            "immunological products: unmixed, mixed, and put up in doses, final counts",
        ),
    )
}

CLASSIFICATIONS = {
    "HS92-3002": "HS 3002, vaccines, blood and immunological products (reconciled flows)",
    "HS92-3004": "HS 3004, packaged medicines (reconciled flows)",
    "SITC54": "SITC division 54, all medicinal and pharmaceutical products (WTO)",
}
"""Reference classes of exporters, one definition each; never mixed within a series."""

MODELS = {
    "random_walk": "last value carried forward",
    "seasonal_naive": "same month of the last year carried forward",
    "drift": "average past step continued in a straight line",
    "theta": "Theta method: half the trend on a smoothed level",
    "damped": "exponential smoothing with a trend that dies out",
    "ses": "simple exponential smoothing",
    "local_trend": "local linear trend in logs with the COVID years set apart",
    "log_drift": "past growth compounded (a what-if, never in the combination)",
    "combination": "median of drift, Theta, damped trend and smoothing, averaged over three start years",
    "reference_class": "growth that comparable exporters showed from the same base",
}
"""Forecast models by the one name each has everywhere (tables, charts, results), and what each does."""

MODEL_LABELS = {name: name.replace("_", " ").capitalize() for name in MODELS} | {"ses": "SES"}
"""How a model's name is written for readers."""

HOME = "KOR"
"""The economy the project is about."""

SHIP_FLAG = "ships"
"""Flag of partner cells that are mostly ships registered there, not goods used there."""

REFERENCE_CLASSES: dict[str, str | None] = {
    "HS 3002 exporters": "HS92-3002",
    "HS 3004 exporters": "HS92-3004",
    "Korea's exports by partner": None,
}
"""Classes pooled for the odds of an export target: label -> classification (None: Korea's own partner panel)."""
