"""The growth that a place needs: from where an exporter stands to where the holder of the place will be."""

from collections.abc import Mapping

import pandas as pd

from kbio_analysis.models.conformal import last_run
from kbio_analysis.models.forecast import forecast
from kbio_analysis.models.growth import required_growth_pct
from kbio_analysis.models.rank_history import first_comparable_year
from kbio_analysis.vocabulary import MIN_TREND_POINTS

DRAWS = 200
"""Draws asked of a forecast of which only the point is used: the fewest it makes sense to ask for."""


STANDING_STILL, OWN_PAST, OWN_FORECAST = "standing still", "own past growth", "own forecast"
MARKET_GROWTH, SEGMENT_GROWTH = "the market's growth", "the segment's growth"
"""What the holder of a place may do."""


def rival_cases(
    y: pd.Series, *, market_pct: float, segment_pct: float, past_years: int, years_ahead: int, seed: int
) -> dict[str, float]:
    """What the holder of a place may do, per cent a year: stand still, grow as before, as two markets, as forecast.

    ``y``: its yearly series. A case its record is too short for is left out.
    """
    past, ahead = past_growth(y, past_years), forecast_growth(y, years_ahead, seed=seed)
    cases = {STANDING_STILL: 0.0, OWN_PAST: None if past is None else past[0]}
    cases |= {MARKET_GROWTH: market_pct, SEGMENT_GROWTH: segment_pct, OWN_FORECAST: ahead}
    return {case: growth for case, growth in cases.items() if growth is not None}


def growth_needed(
    home_usd_m: float, rival_usd_m: float, years: int, rival_growth_pct: Mapping[str, float]
) -> pd.DataFrame:
    """Growth home needs to draw level with a rival, by what the rival does.

    One row a case: rival_growth_pct (a year), rival_usd_m (after ``years``), needed_growth_pct (a year).
    """
    rows = {}
    for case, growth in rival_growth_pct.items():
        end = rival_usd_m * (1 + growth / 100) ** years
        needed = required_growth_pct(home_usd_m, end, years)
        rows[case] = {"rival_growth_pct": growth, "rival_usd_m": end, "needed_growth_pct": needed}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("case")


def past_growth(y: pd.Series, years: int) -> tuple[float, int] | None:
    """Growth a year up to the last value of a yearly-period series since the last held year at least ``years`` before.

    Returns (per cent a year, first year), or None if the series does not reach so far back.
    """
    known = y[y > 0].dropna()
    early = known[[p.year <= known.index[-1].year - years for p in known.index]]
    if early.empty:
        return None
    span = (known.index[-1] - early.index[-1]).n
    return required_growth_pct(float(early.iloc[-1]), float(known.iloc[-1]), span), early.index[-1].year


def forecast_growth(y: pd.Series, years: int, *, seed: int) -> float | None:
    """Growth a year that the combined forecast of a yearly series implies over ``years``.

    Only the last unbroken run of years counts; None if it is too short for a trend.
    """
    run = y.asfreq("Y").iloc[-len(last_run(y.asfreq("Y").to_numpy())) :]
    if len(run) < MIN_TREND_POINTS["annual"]:
        return None
    ahead = forecast(run, years, models=["combination"], n_paths=DRAWS, seed=seed)
    return required_growth_pct(float(run.iloc[-1]), float(ahead.table.forecast.iloc[-1]), years)


def climbs(
    panel: pd.DataFrame,
    published: pd.DataFrame,
    place: int,
    *,
    until: int,
    rival_growth_pct: Mapping[str, float],
) -> pd.DataFrame:
    """What it takes from a published rank to ``place``, read off the panel's values at the two places in that year.

    ``published`` has the columns year and rank. One row a published rank whose year the panel compares: its columns,
    then multiple (value at ``place`` over value at the rank) and the growth a year needed up to ``until``, one column
    a case of ``rival_growth_pct``. The rank's own definition is not the panel's: that is the caller's assumption.
    """
    first, rows = first_comparable_year(panel, place), []
    for row in published.itertuples():
        period = pd.Period(str(row.year), freq=panel.index.freq)
        if period not in panel.index or row.year < first or row.year >= until:
            continue
        values = panel.loc[period].dropna().sort_values(ascending=False).to_numpy()
        if max(row.rank, place) > len(values):
            continue
        at_rank, at_place = float(values[row.rank - 1]), float(values[place - 1])
        needed = growth_needed(at_rank, at_place, until - row.year, rival_growth_pct).needed_growth_pct
        rows.append({**row._asdict(), "multiple": at_place / at_rank, **needed.to_dict()})
    columns = ["Index", *published.columns, "multiple", *rival_growth_pct]
    return pd.DataFrame(rows, columns=columns).drop(columns="Index")
