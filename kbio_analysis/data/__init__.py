"""The data room: the only readers of ``data/tables``, and the keepers of their passports.

Everything handed out has passed the checksum of its passport in ``data/datapackage.json``, the schema written
there and the corrections declared in ``data/corrections.yml``. Importing this package reads no file and pulls in
no scientific library; a name below brings its module in when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import sources as sources
    from .export_views import cite as cite
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
    from .series import annual as annual
    from .series import definitions as definitions
    from .series import exporters as exporters
    from .series import known_months as known_months
    from .series import latest_counts as latest_counts
    from .series import monthly as monthly
    from .series import partner_exports as partner_exports
    from .series import prints as prints
    from .series import reference_classes as reference_classes
    from .series import yearly_counts as yearly_counts
    from .sources import cite_tables as cite_tables
    from .tables import load as load
    from .tables import tables_read as tables_read
    from .trade import agreement_inputs as agreement_inputs
    from .trade import agreement_years as agreement_years
    from .trade import agreements as agreements
    from .trade import agreements_of as agreements_of
    from .trade import candidate_panels as candidate_panels
    from .trade import india_monthly as india_monthly
    from .trade import korea_trade as korea_trade
    from .trade import world_trade as world_trade
    from .verification import verify as verify

_HOME = {
    "agreement_inputs": "trade",
    "agreement_years": "trade",
    "agreements": "trade",
    "agreements_of": "trade",
    "annual": "series",
    "benchmark_sources": "published",
    "benchmarks": "published",
    "candidate_panels": "trade",
    "cite": "export_views",
    "cite_tables": "sources",
    "claim_values": "published",
    "data_root": "package",
    "definitions": "series",
    "export_ranks": "published",
    "exporters": "series",
    "india_monthly": "trade",
    "known_months": "series",
    "korea_trade": "trade",
    "latest_counts": "series",
    "load": "tables",
    "market_sizes": "published",
    "monthly": "series",
    "partner_exports": "series",
    "phase_figures": "published",
    "prints": "series",
    "published_ranges": "published",
    "rebuild_passports": "package",
    "reference_classes": "series",
    "tables_read": "tables",
    "trial_ranks": "published",
    "verify": "verification",
    "world_trade": "trade",
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
