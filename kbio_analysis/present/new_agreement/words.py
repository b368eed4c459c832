"""The words the notebook on a new agreement shares: amounts, spans, and which method answers."""

from typing import Protocol

from kbio_analysis.models.new_agreement import Effects
from kbio_analysis.models.opinion_pool import OpinionPool
from kbio_analysis.models.trade_baseline import Baseline
from kbio_analysis.present.text import usd_bn, usd_m

WHERE = {"exports": "Korea's exports", "imports": "Korea's imports", "trade": "two-way trade"}
"""Flows as readers see them."""


class Standing(Protocol):
    """What the sentences need of a partner; ``data.partner_standing`` gives it."""

    name: str
    agreements: tuple[str, ...]
    since: int | None
    pending: tuple[tuple[str, str], ...]
    ships: bool


def money(value_usd_m: float) -> str:
    """US$ million or billion, whichever reads better: ``US$616m``, ``−US$1.2bn``, ``US$0.4m``."""
    size = abs(value_usd_m)
    if size == 0:
        return "US$0"
    sign = "−" if value_usd_m < 0 else ""
    if round(size) >= 1000:
        return sign + usd_bn(size)
    text = usd_m(size, 0 if size >= 10 else 1)
    return text if text == "US$0.0m" else sign + text


def span(low: float, high: float) -> str:
    """``−US$1.2bn to US$4.6bn``."""
    return f"{money(low)} to {money(high)}"


def quantiles(found: OpinionPool) -> tuple[float, float, float]:
    """5, 50 and 95 per cent."""
    return found.percentile(5), found.percentile(50), found.percentile(95)


def answering(found: Effects) -> tuple[str, str] | None:
    """The method and the flow that answer: both flows and both methods if they can be had, else what there is."""
    for flow in ("trade", "exports", "imports"):
        for method in ("pooled", "transfer"):
            if found.has(method, flow):
                return method, flow
    return None


def without(outlook: Baseline, flow: str, year: int) -> float:
    """Median of a flow (or of two-way trade) without an agreement in ``year``, US$ million."""
    import numpy as np

    column = outlook.years.index(year)
    flows = list(outlook.paths) if flow == "trade" else [flow]
    return float(np.median(sum(outlook.paths[f][:, column] for f in flows)))
