"""The data room: the only readers of ``data/tables``, and the keepers of their passports.

Everything handed out has passed the checksum of its passport in ``data/datapackage.json``, the schema written
there and the corrections declared in ``data/corrections.yml``. Importing this package reads no file and pulls in
no scientific library; a name below brings its module in when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import sources as sources
    from .agreement_views import agreement_sources as agreement_sources
    from .agreement_views import agreement_years as agreement_years
    from .agreement_views import agreements_of as agreements_of
    from .agreement_views import candidate_panels as candidate_panels
    from .agreement_views import cite_tables as cite_tables
    from .agreement_views import india_monthly as india_monthly
    from .agreement_views import investment_in_india as investment_in_india
    from .agreement_views import korea_trade as korea_trade
    from .agreement_views import published_figures as published_figures
    from .agreement_views import us_gdp as us_gdp
    from .agreement_views import world_trade as world_trade
    from .export_views import cite as cite
    from .fta_views import agreement_inputs as agreement_inputs
    from .fta_views import agreements as agreements
    from .fta_views import world_panel as world_panel
    from .package import data_root as data_root
    from .package import rebuild_passports as rebuild_passports
    from .published import benchmark_sources as benchmark_sources
    from .published import benchmarks as benchmarks
    from .published import claim_values as claim_values
    from .published import export_ranks as export_ranks
    from .published import market_sizes as market_sizes
    from .published import phase_figures as phase_figures
    from .published import published_ranges as published_ranges
    from .published import trial_ranks as trial_ranks
    from .results import Recorded as Recorded
    from .results import recorded as recorded
    from .results import recorded_read as recorded_read
    from .series import annual as annual
    from .series import definitions as definitions
    from .series import exporters as exporters
    from .series import known_months as known_months
    from .series import latest_counts as latest_counts
    from .series import monthly as monthly
    from .series import partner_exports as partner_exports
    from .series import prints as prints
    from .series import reference_classes as reference_classes
    from .series import reference_sources as reference_sources
    from .series import yearly_counts as yearly_counts
    from .standing_views import bangladesh_published as bangladesh_published
    from .standing_views import bangladesh_timeline as bangladesh_timeline
    from .standing_views import graduation_cells as graduation_cells
    from .standing_views import partner_flows as partner_flows
    from .standing_views import partner_standing as partner_standing
    from .standing_views import partners_with_trade as partners_with_trade
    from .standing_views import real_growth as real_growth
    from .standing_views import tariff_flows as tariff_flows
    from .tables import load as load
    from .tables import tables_read as tables_read
    from .tariff_views import TariffLines as TariffLines
    from .tariff_views import access_today as access_today
    from .tariff_views import duty_free_lines as duty_free_lines
    from .tariff_views import least_developed as least_developed
    from .tariff_views import preference_terms as preference_terms
    from .tariff_views import tariff_lines as tariff_lines
    from .verification import verify as verify

_HOME = {
    "Recorded": "results",
    "TariffLines": "tariff_views",
    "access_today": "tariff_views",
    "agreement_inputs": "fta_views",
    "agreement_sources": "agreement_views",
    "agreement_years": "agreement_views",
    "agreements": "fta_views",
    "agreements_of": "agreement_views",
    "annual": "series",
    "bangladesh_published": "standing_views",
    "bangladesh_timeline": "standing_views",
    "benchmark_sources": "published",
    "benchmarks": "published",
    "candidate_panels": "agreement_views",
    "cite": "export_views",
    "cite_tables": "agreement_views",
    "claim_values": "published",
    "data_root": "package",
    "definitions": "series",
    "duty_free_lines": "tariff_views",
    "export_ranks": "published",
    "exporters": "series",
    "graduation_cells": "standing_views",
    "india_monthly": "agreement_views",
    "investment_in_india": "agreement_views",
    "known_months": "series",
    "korea_trade": "agreement_views",
    "latest_counts": "series",
    "least_developed": "tariff_views",
    "load": "tables",
    "market_sizes": "published",
    "monthly": "series",
    "partner_exports": "series",
    "partner_flows": "standing_views",
    "partner_standing": "standing_views",
    "partners_with_trade": "standing_views",
    "phase_figures": "published",
    "preference_terms": "tariff_views",
    "prints": "series",
    "published_figures": "agreement_views",
    "published_ranges": "published",
    "real_growth": "standing_views",
    "rebuild_passports": "package",
    "recorded": "results",
    "recorded_read": "results",
    "reference_classes": "series",
    "reference_sources": "series",
    "tables_read": "tables",
    "tariff_flows": "standing_views",
    "tariff_lines": "tariff_views",
    "trial_ranks": "published",
    "us_gdp": "agreement_views",
    "verify": "verification",
    "world_panel": "fta_views",
    "world_trade": "agreement_views",
    "yearly_counts": "series",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name == "sources":
        # The module, which old notebooks call as if it were its function.
        return import_module(".sources", __name__)
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
