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
    family: Literal["biopharma", "heading", "code", "pharma", "bio-health", "devices", "restated"]
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
        _annual("customs_hs30", "Customs HS 30", "pharma", "HS chapter 30, all pharmaceutical products"),
        _annual(
            "khidi_pharma_old",
            "KHIDI pharmaceuticals, before 2022",
            "pharma",
            "all pharmaceuticals before 2022, immunodiagnostic reagents inside",
        ),
        _annual(
            "customs_hs3002",
            "Customs HS 3002",
            "heading",
            "vaccines, blood and immunological products; sum of twelve monthly counts",
        ),
        _annual(
            "hs300214_tentative_annual",
            "HS 3002.14 (ten-day counts)",
            "code",
            "mixed immunological products not in doses; sum of twelve first counts",
        ),
        _annual(
            "khidi_biopharma_restated",
            "KHIDI biopharma 2021, restated",
            "restated",
            "2021 on the classification of 2022, from the growth printed with 2022",
        ),
        _annual(
            "khidi_devices_current",
            "KHIDI medical devices",
            "devices",
            "medical devices, immunodiagnostic reagents inside; not a count of medicines",
        ),
        _annual("customs_hs300212", "HS 3002.12", "code", "antisera and other blood fractions"),
        _annual("customs_hs300213", "HS 3002.13", "code", "immunological products, unmixed, not in doses"),
        _annual("customs_hs300214", "HS 3002.14", "code", "immunological products, mixed, not in doses"),
        _annual("customs_hs300215", "HS 3002.15", "code", "immunological products, in doses"),
        _annual("customs_hs300241", "HS 3002.41", "code", "vaccines for people"),
        _annual("customs_hs300242", "HS 3002.42", "code", "vaccines for animals"),
        _annual("customs_hs300249", "HS 3002.49", "code", "toxins and cultures of micro-organisms"),
        _annual("customs_hs300290", "HS 3002.90", "code", "human and animal blood, other"),
        _annual("customs_hs3003", "HS 3003", "code", "medicines not in doses"),
        _annual("customs_hs3004", "HS 3004", "code", "medicines in doses"),
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
        _monthly("hs300214_customs", "Monthly customs HS 3002.14", "code", "the same as the ten-day counts, final"),
        _monthly("hs30_customs", "Monthly customs HS 30", "pharma", "HS chapter 30, final counts"),
    )
}

CLASSIFICATIONS = {
    "HS92-3002": "HS 3002, vaccines, blood and immunological products (reconciled flows)",
    "HS92-3004": "HS 3004, packaged medicines (reconciled flows)",
    "SITC54": "SITC division 54, all medicinal and pharmaceutical products (WTO)",
}
"""Reference classes of exporters, one definition each; never mixed within a series."""

SHORT_CLASSIFICATIONS = {"HS92-3002": "HS 3002", "HS92-3004": "HS 3004", "SITC54": "SITC 54"}
"""How a classification is named within a sentence."""

RANKED_CLASSIFICATIONS = ("HS92-3002", "SITC54")
"""Classifications in which Korea is ranked, each under its own name."""

BIOPHARMA_CLASSIFICATION = "HS92-3002"
"""The one classification near enough to "biopharmaceuticals" for the government's figures to be set beside it."""

UNREAD_EXPORTERS = {
    "HS92-3002": "China, Japan, the Netherlands, Denmark after 2016 and some others",
    "HS92-3004": "China, the Netherlands, Denmark after 2016 and some others",
}
"""Large exporters a classification's panel does not hold, so that a rank in it is a best case."""

RANK_LABELS = {
    "kita_biopharma": "KITA, biopharmaceuticals",
    "gov_biopharma_headline": "government, biopharmaceuticals",
    "khidi_world_pharma": "KHIDI, all pharmaceuticals",
}
"""Published rankings: definition -> who ranks what."""

BIOPHARMA_RANKINGS = ("kita_biopharma", "gov_biopharma_headline")
"""Published rankings of biopharmaceuticals rather than of all pharmaceuticals."""

PANEL_SERIES: dict[str, ExportSeries] = {
    key: ExportSeries(
        key=key, label=label, frequency="annual", scope=scope, family=family, table="pharma_exporters_panel"
    )
    for key, label, family, scope in (
        ("HS92-3002", "Atlas HS 3002", "heading", "heading 3002 of 1992, reconciled from both sides of trade"),
        ("SITC54", "WTO SITC 54", "pharma", "all medicinal and pharmaceutical products of division 54"),
    )
}
"""Korea's own row of a panel of exporters, as one more definition of its exports."""

FIRST_COUNTS: dict[str, tuple[str, str | None]] = {
    "hs300214_tentative": ("HS 3002.14 (ten-day)", "hs300214_customs"),
    "hs30": ("HS 30 (customs)", "hs30_customs"),
    "motie_biohealth": ("Bio-health (ministry)", "biohealth_mti93_customs"),
    "motie_pharma": ("Pharmaceuticals (ministry)", None),
    "khidi_biopharma": ("Biopharma to date (KHIDI)", "hs3002_13_14_15_customs"),
}
"""Counts that are printed early: what readers call them, and the monthly series that is final (None: last print)."""

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

CODE_PARTS = tuple(
    f"customs_{code}"
    for code in (
        *("hs300212", "hs300213", "hs300214", "hs300215", "hs300241", "hs300242", "hs300249", "hs300290"),
        *("hs3003", "hs3004"),
    )
)
"""Codes of HS chapter 30 that a published figure may be a sum of."""

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

COUNTRY_NAMES = {"KOR": "Korea", "TUR": "Türkiye", "HKG": "Hong Kong", "MAC": "Macao"}
"""Names that differ from those of the customs record."""

WAYS = ("trade", "exports", "imports")
"""Directions of trade with a partner, seen from Korea: both, out, in."""

INDIA = "IND"
"""The partner of the agreement of 2010; the one whose own monthly record is held."""

SHIP_FLAG = "ships"
"""Flag of partner cells that are mostly ships registered there, not goods used there."""

REFERENCE_CLASSES: dict[str, str | None] = {
    "HS 3002 exporters": "HS92-3002",
    "HS 3004 exporters": "HS92-3004",
    "Korea's exports by partner": None,
}
"""Classes pooled for the odds of an export target: label -> classification (None: Korea's own partner panel)."""

SUCCESS_RATES = {"bio_2006_2015": "BIO 2006-2015", "citeline_2014_2023": "Citeline 2014-2023"}
"""Published sets of phase transition rates: key -> scope of the table ``development_benchmarks``."""

TRIAL_SCOPES = {
    "all_trials": "all industry-sponsored drug trials",
    "single_country": "single-country trials",
    "multi_country": "multi-country trials",
    "report_of_2013": "the report of 2013 (another count)",
}
"""What a ranking of clinical trials counts; never joined."""

COUNTRY_GROUPS: dict[str, tuple[str, ...]] = {
    group: tuple(codes.split())
    for group, codes in {
        "Southwest Asia": "AFG BGD BTN IND LKA MDV NPL PAK",
        "ASEAN": "BRN IDN KHM LAO MMR MYS PHL SGP THA TLS VNM",
        "East Asia": "CHN HKG JPN MAC MNG PRK TWN",
        "Central Asia": "KAZ KGZ TJK TKM UZB",
        "Middle East": "ARE BHR IRN IRQ ISR JOR KWT LBN OMN PSE QAT SAU SYR TUR YEM",
        "Africa": "AGO BDI BEN BFA BWA CAF CIV CMR COD COG COM CPV DJI DZA EGY ERI ESH ETH GAB GHA GIN GMB GNB GNQ KEN "
        "LBR LBY LSO MAR MDG MLI MOZ MRT MUS MWI MYT NAM NER NGA REU RWA SDN SEN SHN SLE SOM SSD STP SWZ SYC TCD TGO "
        "TUN TZA UGA ZAF ZMB ZWE",
        "European Union": "AUT BEL BGR CYP CZE DEU DNK ESP EST FIN FRA GRC HRV HUN IRL ITA LTU LUX LVA MLT NLD POL PRT "
        "ROU SVK SVN SWE",
        "Other Europe": "ALA ALB AND ARM AZE BIH BLR CHE FRO GBR GEO GGY GIB IMN ISL JEY LIE MCO MDA MKD MNE NOR RUS "
        "SJM SMR SRB UKR VAT XKX",
        "North America": "BMU CAN GRL SPM USA",
        "Latin America": "ABW AIA ANT ARG ATG BES BHS BLM BLZ BOL BRA BRB CHL COL CRI CUB CUW CYM DMA DOM ECU FLK GLP "
        "GRD GTM GUF GUY HND HTI JAM KNA LCA MAF MEX MSR MTQ NIC PAN PER PRI PRY SLV SUR SXM TCA TTO URY VCT VEN VGB "
        "VIR",
        "Oceania": "ASM AUS CCK COK CXR FJI FSM GUM KIR MHL MNP NCL NFK NIU NRU NZL PCN PLW PNG PYF SLB TKL TON TUV "
        "VUT WLF WSM",
    }.items()
}
"""Groups of partners, each economy in one. ASEAN and the European Union by membership in 2026, Southwest and Central
Asia as Korea's foreign ministry counts them, the rest after the United Nations' M49, the Caucasus with Europe."""

ELSEWHERE = "Elsewhere"
"""Group of codes that are in none: uninhabited or former territories."""


def country_group(iso3: str) -> str:
    """The group of ``COUNTRY_GROUPS`` that holds ``iso3``, or ELSEWHERE."""
    return next((group for group, codes in COUNTRY_GROUPS.items() if iso3 in codes), ELSEWHERE)
