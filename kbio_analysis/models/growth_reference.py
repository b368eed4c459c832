"""Reference-class growth: what comparable exporters went on to do from the same place.

Panels are wide (periods x series) and may be irregular, such as five-yearly: windows are matched by their dates.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import check_count, frequency_of, regular_panel
from kbio_analysis.models.conformal import clopper_pearson, last_run


def growth_multiples(panel: pd.DataFrame, horizon: int, *, min_value: float = 0.0) -> pd.DataFrame:
    """Value over the value at the origin, 1..``horizon`` steps on: rows series, columns horizon.

    One origin a series, ``horizon`` steps before its last observation. Only the last unbroken run of a series counts;
    series whose origin value is not above ``min_value`` (unit of the panel) or with values that are not positive are
    left out. Raises :class:`ModelInputError` if none remains.
    """
    panel = regular_panel(panel)
    check_count(horizon, "horizon", most=400)
    paths = {}
    for name in panel.columns:
        run = last_run(panel[name].to_numpy())[-(horizon + 1) :]
        if len(run) == horizon + 1 and run[0] > min_value and (run > 0).all():
            paths[str(name)] = run[1:] / run[0]
    if not paths:
        raise ModelInputError(
            f"reference panel: no series has {horizon + 1} positive values in a row; shorten the horizon"
        )
    columns = pd.RangeIndex(1, horizon + 1, name="horizon")
    return pd.DataFrame.from_dict(paths, orient="index", columns=columns).rename_axis("series")


def growth_windows(panel: pd.DataFrame, years: int, *, min_value: float = 0.0) -> pd.DataFrame:
    """Growth of every series over its latest two windows of ``years``, the second following the first at once.

    One row a series that grew from above ``min_value``: series, start (calendar year), first_growth_pct,
    next_growth_pct (a year). All three ends must be in an annual, possibly irregular, panel and positive.
    """
    panel = regular_panel(panel)
    if frequency_of(panel.index, "reference panel") != "annual":
        raise ModelInputError("growth windows need an annual panel; sum months to years first")
    check_count(years, "years", most=100)
    by_year = panel.set_axis(panel.index.year, axis=0)
    rows = []
    for name in by_year.columns:
        known = by_year[name][by_year[name] > 0].dropna()
        whole = [year for year in known.index if year + 2 * years in known.index]
        if whole and known[whole[-1]] > min_value and whole[-1] + years in known.index:
            start, middle, end = (float(known[whole[-1] + k * years]) for k in range(3))
            pace = [100 * (ratio ** (1 / years) - 1) for ratio in (middle / start, end / middle)]
            rows.append((str(name), whole[-1], *pace))
    return pd.DataFrame(rows, columns=["series", "start", "first_growth_pct", "next_growth_pct"])


def base_rates(
    panel: pd.DataFrame,
    *,
    years: int,
    band_pct: tuple[float, float],
    thresholds: Sequence[float],
    min_value: float = 0.0,
) -> pd.DataFrame:
    """Of series growing ``band_pct`` per cent a year over one window, how many then kept each threshold.

    The windows are those of :func:`growth_windows`, each series counted once. One row a threshold: threshold_pct (a
    year), kept, n, share, low and high (Clopper-Pearson 95 %).
    """
    low, high = band_pct
    if not low < high:
        raise ModelInputError(f"band_pct {band_pct}: give (low, high) in per cent a year")
    windows = growth_windows(panel, years, min_value=min_value)
    then = windows["next_growth_pct"][windows["first_growth_pct"].between(low, high)]
    rows = []
    for threshold in thresholds:
        kept, n = int((then >= threshold).sum()), len(then)
        ends = clopper_pearson(kept, n) if n else (0.0, 1.0)
        rows.append((threshold, kept, n, kept / n if n else np.nan, *ends))
    return pd.DataFrame(rows, columns=["threshold_pct", "kept", "n", "share", "low", "high"])
