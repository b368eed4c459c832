"""The forecast as a whole: its contract, its widths, its paths, and everything it must refuse."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import settings

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.forecast import annual_totals, forecast
from kbio_analysis.models.point_models import fit_models
from kbio_analysis.models.predictive import bootstrap_draws, structural_draws

CONTRACT = [
    "series", "period", "cutoff", "horizon", "model", "actual", "forecast", "lo_80", "hi_80", "lo_95", "hi_95",
]  # fmt: skip
EXAMPLES = settings(max_examples=10, deadline=None, derandomize=True)


def assert_sane(made) -> None:
    table = made.table
    assert list(table.columns) == CONTRACT
    assert np.isfinite(table[["forecast", "lo_80", "hi_80", "lo_95", "hi_95"]]).all(axis=None)
    assert (table["lo_95"] <= table["lo_80"]).all()
    assert (table["lo_80"] <= table["hi_80"]).all()
    assert (table["hi_80"] <= table["hi_95"]).all()
    assert np.isfinite(made.paths).all(axis=None)


@pytest.mark.parametrize(
    ("n", "freq", "horizon", "trend"),
    [
        (3, "Y", 6, False),
        (8, "Y", 6, True),
        (400, "Y", 6, True),
        (23, "M", 12, False),
        (24, "M", 12, True),
        (55, "M", 53, True),
        (400, "M", 24, True),
    ],
)
def test_every_accepted_length_gives_a_full_table(series, walk_values, n, freq, horizon, trend) -> None:
    y = series(walk_values(n, n, sd=0.05), freq, "1600" if freq == "Y" else "1990-01")
    made = forecast(y, horizon, n_paths=200)
    assert_sane(made)
    assert made.table["cutoff"].unique() == [y.index[-1]]
    assert list(made.table["period"].unique()) == list(pd.period_range(y.index[-1] + 1, periods=horizon, freq=freq))
    assert made.main == ("combination" if trend else "random_walk")
    assert ("seasonal_naive" in made.models) == (trend and freq == "M")
    assert (made.paths > 0).all(axis=None)
    assert set(made.paths.index.get_level_values("method")) == (
        {"bootstrap", "structural"} if trend else {"structural"}
    )


def test_a_short_series_shows_its_base_and_the_reference_class_only(series, walks) -> None:
    y, reference = series([3630, 3900, 5510, 6520], start="2022"), walks(1, 14, 16)
    made = forecast(y, 5, reference=reference)
    assert_sane(made)
    assert made.models == ("random_walk", "reference_class")
    assert (made.table.query("model == 'random_walk'")["forecast"] == 6520).all()
    assert not made.intervals.query("level == 95 and method == 'reference_class'")["attainable"].any()
    growth = [column[-5:] / column[-6] for column in reference.to_numpy().T]
    median = 6520 * np.median(growth, axis=0)
    np.testing.assert_allclose(made.table.query("model == 'reference_class'")["forecast"], median, rtol=1e-12)
    assert len(made.paths.loc["reference_class"]) == 16


def test_interval_is_the_wider_of_its_parts_on_each_side(series, walk_values, walks) -> None:
    made = forecast(series(walk_values(5, 20)), 6, reference=walks(2, 30, 45))
    parts = made.intervals.query("model == 'combination' and horizon == 6 and level == 95").set_index("method")
    assert set(parts.index) == {"conformal", "bootstrap"}
    row = made.table.query("model == 'combination' and horizon == 6").iloc[0]
    assert row["lo_95"] == parts["lo"].min()
    assert row["hi_95"] == parts["hi"].max()


def test_conformal_paths_are_the_reference_errors_round_the_forecast(series, walk_values, walks) -> None:
    y, reference = series(walk_values(5, 20)), walks(2, 30, 45)
    made = forecast(y, 3, reference=reference)
    q = np.abs(np.diff(np.log(y))).mean()
    center = made.table.query("model == 'combination'")["forecast"].to_numpy()
    past, future = reference["S000"].to_numpy()[7:27], reference["S000"].to_numpy()[27:]
    point = fit_models(past, 3, ["combination"]).models["combination"].forecast
    z = np.log(future / point) / np.abs(np.diff(np.log(past))).mean()
    np.testing.assert_allclose(made.paths.loc[("conformal", 0)], center * np.exp(q * z), rtol=1e-9)


def test_leaving_a_model_out_does_not_move_the_others(series, walk_values) -> None:
    y = series(walk_values(1, 20))
    full, part = forecast(y, 4, n_paths=200), forecast(y, 4, n_paths=200, models=["theta"])
    columns = ["forecast", "lo_80", "hi_95"]
    np.testing.assert_array_equal(full.table.query("model == 'theta'")[columns], part.table[columns])
    assert part.main == "theta"


def test_values_that_are_not_positive_are_forecast_in_levels(series) -> None:
    y = series(np.random.default_rng(0).normal(0, 5, 20))
    made = forecast(y, 4, n_paths=200)
    assert_sane(made)
    assert not {"local_trend", "log_drift"} & set(made.models)


def test_annual_totals_add_what_was_observed(series) -> None:
    y = series(np.arange(1.0, 20), "M", "2024-01")  # to July 2025
    columns = pd.period_range("2025-08", periods=18, freq="M")
    paths = pd.DataFrame(np.ones((2, 18)), columns=columns)
    totals = annual_totals(y, paths)
    assert list(totals.columns.year) == [2025, 2026]  # 2027 has one month only
    assert totals.iloc[0].tolist() == [sum(range(13, 20)) + 5, 12]


def test_blocks_are_the_moving_block_bootstrap_of_arch() -> None:
    """The same draws from the same stream as the library's, one path at a time."""
    from arch.bootstrap import MovingBlockBootstrap

    y = 100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 0.1, 24)))
    fit = fit_models(y, 60, ["random_walk"]).models["random_walk"]
    errors = np.diff(np.log(y)) - np.diff(np.log(y)).mean()
    rng = np.random.default_rng(5)
    slow = MovingBlockBootstrap(3, errors, seed=rng).bootstrap(50 * 3)
    shocks = np.array([data[0][0] for data in slow]).reshape(50, -1)[:, :60]
    rng.standard_normal(50)  # the doubt about the step, which a random walk does not have
    np.testing.assert_allclose(
        bootstrap_draws(fit, y, 50, np.random.default_rng(5)), y[-1] * np.exp(shocks.cumsum(axis=1))
    )


def test_structural_variance_is_the_stated_one(walk_values) -> None:
    """Predictive variance of log growth over h steps: h s^2 + h^2 s^2/n, times df/(df-2) for Student t."""
    y, h = walk_values(3, 21), 6
    draws = structural_draws(y, h, 40_000, np.random.default_rng(0))
    steps = np.diff(np.log(y))
    n, s2 = len(steps), steps.var(ddof=1)
    total = np.log(draws[:, -1] / y[-1])
    df = n - 1
    assert total.mean() == pytest.approx(h * steps.mean(), abs=4 * total.std() / 200)  # four standard errors
    assert total.var() == pytest.approx((h * s2 + h**2 * s2 / n) * df / (df - 2), rel=0.05)  # 40,000 heavy-tailed draws


def test_bootstrap_of_a_random_walk_spreads_with_the_root_of_the_horizon() -> None:
    ratios = []
    for seed in range(12):
        y = 100 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.1, 300)))
        fit = fit_models(y, 9, ["random_walk"]).models["random_walk"]
        draws = np.log(bootstrap_draws(fit, y, 2000, np.random.default_rng(seed)) / y[-1])
        ratios.append(draws[:, [0, 8]].std(axis=0) / np.diff(np.log(y)).std())
    # Blocks keep each sample's own autocorrelation, so only the mean over samples is near 1 and the root of 9.
    np.testing.assert_allclose(np.mean(ratios, axis=0), [1, 3], rtol=0.1)


def refusals() -> dict[str, tuple]:
    good = [100.0, 105, 99, 120, 130, 128, 140, 150, 149, 160]

    def dated(values, freq="Y"):
        return pd.Series(values, index=pd.period_range("2000", periods=len(values), freq=freq), name="y", dtype=float)

    y = dated(good)
    mixed = dated(good)
    mixed.attrs["definitions"] = ["khidi_biopharma_hs2022", "mfds_biopharma"]
    frame = pd.DataFrame({"definition": ["a", "b"], "exports_usd_m": [1.0, 2.0]})
    return {
        "too few": (y[:2], {}, "2 points, at least 3 are needed"),
        "too many": (dated(range(1, 402)), {}, "401 points, at most 400"),
        "gap": (y.drop(y.index[4]), {}, "gap at 2004; use the unbroken run after it"),
        "missing": (dated([*good[:3], np.nan, *good[4:]]), {}, "missing or infinite at 2003"),
        "infinite": (dated([*good[:3], np.inf, *good[4:]]), {}, "missing or infinite at 2003"),
        "text": (y.astype(str) + "x", {}, "are not numbers"),
        "no periods": (y.reset_index(drop=True), {}, "the index is RangeIndex and holds 0, 1; index it by year"),
        "quarters": (dated(good, "Q"), {}, "frequency Q-DEC is not supported"),
        "unsorted": (y[::-1], {}, "not in order"),
        "twice": (pd.concat([y, y[-1:]]), {}, "2009 occurs twice"),
        "mixed attrs": (mixed, {}, "mixes the definitions khidi_biopharma_hs2022, mfds_biopharma"),
        "mixed frame": (frame, {}, r"2 definitions in one frame \(a, b\).*select one 'definition'"),
        "frame": (y.to_frame(), {}, "pass one column as a Series"),
        "array": (np.array(good), {}, "ndarray was given"),
        "log of zero": (dated([0.0, *good]), {"models": ["log_drift"]}, "1 values are zero or negative and log_drift"),
        "typo": (y, {"models": ["thetta"]}, "unknown model 'thetta'; did you mean 'theta'"),
        "no model": (y, {"models": []}, "no model named"),
        "level": (y, {"levels": (80, 100)}, "between 1 and 100"),
        "horizon 0": (y, {"horizon": 0}, "horizon = 0: give a whole number from 1"),
        "horizon 1.5": (y, {"horizon": 1.5}, "horizon = 1.5"),
        "paths": (y, {"n_paths": 5}, "n_paths = 5: give a whole number from 100"),
        "seed": (y, {"seed": -1}, "seed = -1"),
        "seasonal annual": (y, {"models": ["seasonal_naive"]}, "needs a monthly series"),
        "no panel": (y, {"models": ["reference_class"]}, "pass `reference`"),
        "trend on five": (y[:5], {"models": ["theta"]}, "5 annual points, 8 are needed for theta"),
        "monthly panel": (y, {"reference": dated(good, "M").to_frame()}, "reference panel is not annual"),
        "short panel": (y[:3], {"horizon": 9, "reference": y[:5].to_frame()}, "shorten the horizon"),
        "panel twice": (y, {"reference": pd.concat([y, y], axis=1)}, "occurs twice"),
    }


@pytest.mark.parametrize("case", refusals())
def test_refusals_say_what_to_do(case: str) -> None:
    y, arguments, says = refusals()[case]
    with pytest.raises(ModelInputError, match=says):
        forecast(y, **{"horizon": 3, **arguments})
