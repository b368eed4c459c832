"""Reference-class growth: what comparable exporters went on to do from the same place.

Panels are wide (periods x series) and may be irregular, such as five-yearly: windows are matched by their dates.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from scipy import stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_count, checked_level, frequency_of, regular_panel, years_index
from kbio_analysis.models.conformal import clopper_pearson, last_run

Origins = Literal["last", "non_overlapping"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GrowthMultiples:
    """Growth of the reference series over 1..horizon steps from one origin each.

    ``paths`` rows series, columns horizon 1..h: value over the value at the origin. ``origins`` series -> origin
    period. ``quantiles`` of ``paths`` (rows .05 .25 .5 .75 .95), by horizon.
    """

    paths: pd.DataFrame
    origins: pd.Series
    quantiles: pd.DataFrame


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRates:
    """Of those that grew within a band over one window, how many kept each threshold over the next.

    ``table`` one row a threshold: threshold_pct (a year), kept, n, share, clopper_pearson_low/high and
    jeffreys_low/high (95 %). ``cases`` the windows counted: series, start, end, next_end, first_growth_pct,
    next_growth_pct. ``band_pct`` and ``years`` as asked.
    """

    table: pd.DataFrame
    cases: pd.DataFrame
    band_pct: tuple[float, float]
    years: int


def growth_multiples(panel: pd.DataFrame, horizon: int, *, min_value: float = 0.0) -> GrowthMultiples:
    """Multiples over 1..``horizon`` steps, the origin ``horizon`` steps before each series' last observation.

    Only the last unbroken run of a series counts; series whose origin value is not above ``min_value`` (unit of the
    panel) or with values that are not positive are left out. Raises :class:`ModelInputError` if none remains.
    """
    panel = regular_panel(panel)
    check_count(horizon, "horizon", most=400)
    paths, origins = {}, {}
    for name in panel.columns:
        column = panel[name].to_numpy()
        run = last_run(column)[-(horizon + 1) :]
        if len(run) < horizon + 1 or run[0] <= min_value or not (run > 0).all():
            continue
        paths[str(name)] = run[1:] / run[0]
        origins[str(name)] = panel.index[np.flatnonzero(np.isfinite(column))[-1] - horizon]
    if not paths:
        raise ModelInputError(
            f"reference panel: no series has {horizon + 1} positive values in a row; shorten the horizon"
        )
    frame = pd.DataFrame.from_dict(paths, orient="index", columns=pd.RangeIndex(1, horizon + 1, name="horizon"))
    frame.index.name = "series"
    return GrowthMultiples(
        paths=frame,
        origins=pd.Series(origins, name="origin"),
        quantiles=frame.quantile([0.05, 0.25, 0.5, 0.75, 0.95]),
    )


def growth_windows(
    panel: pd.DataFrame, years: int, *, origins: Origins | Sequence[int] = "last", min_value: float = 0.0
) -> pd.DataFrame:
    """Growth of every series over windows of ``years``; long frame, one row a series and window.

    ``origins``: ``last`` (the latest window with both ends), ``non_overlapping`` (every window back from it), or the
    start years themselves. Columns series, start, end (calendar years), start_value, end_value, multiple, growth_pct
    (a year). A window counts when both its ends are in an annual, possibly irregular, panel and positive.
    """
    panel = regular_panel(panel)
    if frequency_of(panel.index, "reference panel") != "annual":
        raise ModelInputError("growth windows need an annual panel; sum months to years first")
    check_count(years, "years", most=100)
    by_year = panel.set_axis(panel.index.year, axis=0)
    rows = []
    for name in by_year.columns:
        known = by_year[name][by_year[name] > 0].dropna()
        for start in _starts(list(known.index), years, origins):
            if known[start] > min_value:
                rows.append(_window_row(str(name), known, start, years))
    columns = ["series", "start", "end", "start_value", "end_value", "multiple", "growth_pct"]
    return pd.DataFrame(rows, columns=columns)


def base_rates(
    panel: pd.DataFrame,
    *,
    years: int,
    start_band: tuple[float, float] = (8.0, 16.0),
    thresholds: Sequence[float] = (11.9, 12.25),
    starts: Origins | Sequence[int] = "last",
    min_value: float = 0.0,
) -> BaseRates:
    """Of series growing ``start_band`` per cent a year over one window, how many then kept each threshold.

    ``starts`` are the origins of the *first* window of each pair, as in :func:`growth_windows`; the second follows
    it at once, with the same length. ``last`` counts each series once; with several starts the cases of one series
    are not independent, and the ranges are too narrow.
    """
    panel, (low, high) = years_index(panel, "reference panel"), start_band
    if not low < high:
        raise ModelInputError(f"start_band {start_band}: give (low, high) in per cent a year")
    pairs = growth_windows(panel, 2 * years, origins=starts, min_value=min_value)
    cases = _paired(pairs, panel, years)
    cases = cases[cases["first_growth_pct"].between(low, high)].reset_index(drop=True)
    rows = [_rate_row(t, int((cases["next_growth_pct"] >= t).sum()), len(cases)) for t in thresholds]
    return BaseRates(table=pd.DataFrame(rows), cases=cases, band_pct=(low, high), years=years)


def jeffreys(successes: int, n: int, level: float = 95) -> tuple[float, float]:
    """Equal-tailed range of a share under the Jeffreys prior Beta(1/2, 1/2), as fractions."""
    alpha = 1 - checked_level(level) / 100
    posterior = stats.beta(successes + 0.5, n - successes + 0.5)
    low = 0.0 if successes == 0 else float(posterior.ppf(alpha / 2))
    high = 1.0 if successes == n else float(posterior.ppf(1 - alpha / 2))
    return low, high


def _starts(known: list[int], years: int, origins: Origins | Sequence[int]) -> Iterable[int]:
    present = set(known)
    whole = sorted(year for year in known if year + years in present)
    if not isinstance(origins, str):
        return [year for year in origins if year in whole]
    if origins not in ("last", "non_overlapping"):
        raise ModelInputError(f"origins '{origins}': give 'last', 'non_overlapping' or a list of start years")
    kept: list[int] = []
    for year in reversed(whole):
        if not kept or (origins == "non_overlapping" and year + years <= kept[-1]):
            kept.append(year)
    return reversed(kept)


def _window_row(name: str, known: pd.Series, start: int, years: int) -> tuple:
    multiple = float(known[start + years] / known[start])
    growth_pct = 100 * (multiple ** (1 / years) - 1)
    return name, start, start + years, float(known[start]), float(known[start + years]), multiple, growth_pct


def _paired(windows: pd.DataFrame, panel: pd.DataFrame, years: int) -> pd.DataFrame:
    """Split each double window in two where the panel also holds its middle."""
    by_year = panel.set_axis(panel.index.year, axis=0)
    by_year.columns = [str(name) for name in by_year.columns]
    rows = []
    for w in windows.itertuples():
        middle = w.start + years
        value = float(by_year[w.series].get(middle, np.nan))
        if np.isfinite(value) and value > 0:
            first = 100 * ((value / w.start_value) ** (1 / years) - 1)
            after = 100 * ((w.end_value / value) ** (1 / years) - 1)
            rows.append((w.series, w.start, middle, w.end, first, after))
    columns = ["series", "start", "end", "next_end", "first_growth_pct", "next_growth_pct"]
    return pd.DataFrame(rows, columns=columns)


def _rate_row(threshold: float, kept: int, n: int) -> dict[str, float]:
    exact = clopper_pearson(kept, n) if n else (0.0, 1.0)
    bayes = jeffreys(kept, n)
    return {
        "threshold_pct": threshold,
        "kept": kept,
        "n": n,
        "share": kept / n if n else np.nan,
        "clopper_pearson_low": exact[0],
        "clopper_pearson_high": exact[1],
        "jeffreys_low": bayes[0],
        "jeffreys_high": bayes[1],
    }
