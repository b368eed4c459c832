"""The data room: the only readers of ``data/tables``, and the keepers of their passports.

Everything handed out has passed the checksum of its passport in ``data/datapackage.json``, the schema written
there and the corrections declared in ``data/corrections.yml``. Importing this package reads no file and pulls in
no scientific library; a name below brings its module in when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .export_views import cite as cite
    from .export_views import definitions as definitions
    from .export_views import reference_classes as reference_classes
    from .export_views import reference_sources as reference_sources
    from .package import data_root as data_root
    from .package import rebuild_passports as rebuild_passports
    from .series import annual as annual
    from .series import exporters as exporters
    from .series import monthly as monthly
    from .series import partner_exports as partner_exports
    from .series import sources as sources
    from .tables import load as load
    from .tables import tables_read as tables_read
    from .verification import verify as verify

_HOME = {
    "annual": "series",
    "cite": "export_views",
    "data_root": "package",
    "definitions": "export_views",
    "exporters": "series",
    "load": "tables",
    "monthly": "series",
    "partner_exports": "series",
    "rebuild_passports": "package",
    "reference_classes": "export_views",
    "reference_sources": "export_views",
    "sources": "series",
    "tables_read": "tables",
    "verify": "verification",
}

__all__ = sorted(_HOME)


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f".{_HOME[name]}", __name__), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOME})
