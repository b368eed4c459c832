"""What moves the answer: the pooled effect's median with one input at a time at its low and its high end."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pandas as pd

from kbio_analysis.models.new_agreement import (
    FLOWS,
    Cell,
    Effects,
    TariffFlow,
    TariffStudy,
    TariffTerms,
    tariff_study,
)
from kbio_analysis.models.opinion_pool import pool
from kbio_analysis.models.trade_baseline import Baseline

SHARE = 0.2
"""A drawn input is put at an end by keeping the fifth of the draws that lie there."""

GROWTH_POINTS = 2.0
"""Percentage points a year by which the partner's growth is moved."""

ASSUMED = {
    "Use of the preference": ("utilisation", 0.5, 0.9),
    "Elasticity of substitution": ("sigma_scale", 0.75, 1.25),
    "Duties cut": ("cuts", "cd", "cd+rd+sd"),
}
"""Input of the tariff method -> its field of TariffTerms, and the two ends it is put at."""

_RERUN_DRAWS = 400


def drivers(
    found: Effects,
    outlook: Baseline,
    flows: Mapping[str, TariffFlow],
    terms: TariffTerms,
    *,
    cell: Cell,
    seed: int,
) -> pd.DataFrame:
    """Inputs, widest swing first: columns input, low, high (US$ million in the last year), low_end, high_end.

    Covers the flows for which the transfer is held; empty where there is none. Assumptions of the tariff method are
    re-run with few draws, and enter as the ratio of its medians.
    """
    reached = [flow for flow in FLOWS if ("transfer", flow, cell) in found.draws]
    if not reached:
        return pd.DataFrame(columns=["input", "low", "high", "low_end", "high_end"])
    parts = {
        method: {f: found.draws[method, f, cell][:, -1] for f in reached if (method, f, cell) in found.draws}
        for method in ("transfer", "tariffs")
    }
    parts = {method: flows_ for method, flows_ in parts.items() if len(flows_) == len(reached)}
    total = {method: sum(values.values()) for method, values in parts.items()}
    column = outlook.years.index(found.years[-1])
    trade = sum(outlook.paths[f][:, column] for f in reached)
    rows = [
        ("Trade without an agreement", *_ends(total, trade, list(total)), "lowest fifth", "highest fifth"),
        (
            "What agreements do",
            *_ends(total, total["transfer"] / trade, ["transfer"]),
            "lowest fifth",
            "highest fifth",
        ),
        _growth(parts, outlook, column),
    ]
    if "tariffs" in total:
        medians = sorted((float(np.median(values)), method) for method, values in total.items())
        labels = {"transfer": "past agreements", "tariffs": "tariff cuts"}
        rows.append(("Method", medians[0][0], medians[-1][0], *(labels[m] for _, m in (medians[0], medians[-1]))))
        rows += _assumptions(total, parts["tariffs"], flows, terms, cell, found, seed)
    frame = pd.DataFrame(rows, columns=["input", "low", "high", "low_end", "high_end"])
    swing = (frame["high"] - frame["low"]).abs()
    return frame.loc[swing.sort_values(ascending=False, kind="stable").index].reset_index(drop=True)


def _middle(total: Mapping[str, np.ndarray]) -> float:
    return pool(total).percentile(50)


def _ends(total: Mapping[str, np.ndarray], driver: np.ndarray, moved: list[str]) -> tuple[float, float]:
    """The pool's median over the draws at either end of ``driver``, which only the methods ``moved`` know."""
    low, high = np.quantile(driver, [SHARE, 1 - SHARE])
    kept = (driver <= low, driver >= high)
    return tuple(_middle({m: v[mask] if m in moved else v for m, v in total.items()}) for mask in kept)


def _growth(parts: Mapping[str, Mapping[str, np.ndarray]], outlook: Baseline, column: int) -> tuple[object, ...]:
    now = outlook.growth_pct
    ends = (now - GROWTH_POINTS, now + GROWTH_POINTS)
    found = []
    for end in ends:
        step = (np.log1p(end / 100) - np.log1p(now / 100)) * (column + 1)
        scaled = {
            m: sum(v * np.exp(outlook.fits[f].value * step) for f, v in flows.items()) for m, flows in parts.items()
        }
        found.append(_middle(scaled))
    return ("Partner's growth", *found, *(f"{end:.1f}% a year" for end in ends))


def _assumptions(
    total: Mapping[str, np.ndarray],
    tariffs: Mapping[str, np.ndarray],
    flows: Mapping[str, TariffFlow],
    terms: TariffTerms,
    cell: Cell,
    found: Effects,
    seed: int,
) -> list[tuple[object, ...]]:
    run = {"cell": cell, "horizon": len(found.years) - 1, "n_draws": _RERUN_DRAWS, "seed": seed}
    basis = {flow: _median(tariff_study(flows[flow], terms, **run)) for flow in tariffs}
    rows = []
    for name, (attribute, *ends) in ASSUMED.items():
        middles = []
        for end in ends:
            value = end * terms.sigma_scale if attribute == "sigma_scale" else end
            changed = replace(terms, **{attribute: value})
            ratio = {f: _median(tariff_study(flows[f], changed, **run)) / basis[f] if basis[f] else 1 for f in tariffs}
            middles.append(_middle({**total, "tariffs": sum(v * ratio[f] for f, v in tariffs.items())}))
        if middles[0] != middles[1]:
            rows.append((name, *middles, *(_end_label(attribute, end) for end in ends)))
    return rows


def _median(study: TariffStudy) -> float:
    return float(np.median(study.gain.year_draws[-1]))


def _end_label(attribute: str, end: object) -> str:
    if attribute == "cuts":
        return "customs duty only" if end == "cd" else "all three duties"
    return f"{end:.0%}" if attribute == "utilisation" else f"{end:g} times"
