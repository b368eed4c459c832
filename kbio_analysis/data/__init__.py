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
    from .tables import load as load
    from .tables import tables_read as tables_read
    from .verification import verify as verify

_HOME = {
    "Recorded": "results",
    "agreement_inputs": "fta_views",
    "agreement_sources": "agreement_views",
    "agreement_years": "agreement_views",
    "agreements": "fta_views",
    "agreements_of": "agreement_views",
    "annual": "series",
    "benchmark_sources": "published",
    "benchmarks": "published",
    "candidate_panels": "agreement_views",
    "cite": "export_views",
    "cite_tables": "agreement_views",
    "claim_values": "published",
    "data_root": "package",
    "definitions": "series",
    "export_ranks": "published",
    "exporters": "series",
    "india_monthly": "agreement_views",
    "investment_in_india": "agreement_views",
    "known_months": "series",
    "korea_trade": "agreement_views",
    "latest_counts": "series",
    "load": "tables",
    "market_sizes": "published",
    "monthly": "series",
    "partner_exports": "series",
    "phase_figures": "published",
    "prints": "series",
    "published_figures": "agreement_views",
    "published_ranges": "published",
    "rebuild_passports": "package",
    "recorded": "results",
    "recorded_read": "results",
    "reference_classes": "series",
    "reference_sources": "series",
    "tables_read": "tables",
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
