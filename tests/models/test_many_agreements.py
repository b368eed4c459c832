"""Many agreements: effects recovered from a simulator, slow twins, p-values fair when nothing happens, pools."""

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from kbio_analysis.models.agreement_record import (
    Reassignment,
    net_of_chance,
    p_of_mean,
    pooled_or_none,
    reassign,
    record,
    two_way,
)
from kbio_analysis.models.event_study import drift_bounds, staggered
from kbio_analysis.models.growth_predictive import crps_t
from kbio_analysis.models.reference_class import averaged_over_tau, leave_one_out, pool, restricted_loglik

TWIN = 1e-7  # two routes to the same optimum, each settled to about 1e-10
GRID = 1e-6  # an optimiser against a fine grid, a closed form or an integral
UNBIASED = 0.03  # about three standard errors of a mean effect by years from entry
SHARE = 0.04  # three binomial standard errors of 1,000 simulated intervals at 80%
YEARS = np.arange(1990, 2016)


def simulate(
    effects: dict[str, float], *, entry: int = 2005, noise: float = 0.1, seed: int = 3, n_never: int = 30, size=1.0
):
    """Partners with year and partner effects, lognormal noise of mean one, and a known effect from entry on."""
    rng = np.random.default_rng(seed)
    names = [f"C{i:02d}" for i in range(n_never)] + [f"M{i}" for i in range(len(effects))]
    mean = np.exp(rng.normal(5, size, len(names)) + np.cumsum(rng.normal(0.05, 0.1, len(YEARS)))[:, None])
    y = mean * np.exp(rng.normal(-(noise**2) / 2, noise, mean.shape))
    entries = {}
    for i, (agreement, effect) in enumerate(effects.items()):
        start = entry + i % 4
        y[start <= YEARS, n_never + i] *= np.exp(effect)
        entries[f"M{i}"] = (agreement, start)
    treatment = pd.DataFrame.from_dict(entries, orient="index", columns=["agreement", "entry_year"])
    return pd.DataFrame(y, index=YEARS, columns=names), treatment, names[:n_never]


def test_agrees_with_a_dense_poisson_regression_and_its_cluster_sandwich() -> None:
    """The slow twin writes out every dummy, one effect a treated partner and year, and averages them."""
    panel, treatment, never = simulate({"one": 0.3, "two": -0.1, "twin": 0.2}, n_never=8)
    treatment.loc["M2", "agreement"] = "two"
    fast = record({"x": panel}, treatment, {"x": never}, pre_years=8, post_years=6)
    rows = []
    for unit in panel:
        start = treatment.entry_year.get(unit, 9999)
        for year in YEARS:
            if start == 9999 or start - 8 <= year < start + 6:
                rows.append((unit, year, panel.at[year, unit], year >= start))
    frame = pd.DataFrame(rows, columns=["unit", "year", "y", "treated"])
    free = frame[~frame.treated]
    X = pd.get_dummies(free.unit).join(pd.get_dummies(free.year).iloc[:, 1:]).to_numpy(dtype=float)
    beta, y = np.linalg.lstsq(X, np.log(free.y), rcond=None)[0], free.y.to_numpy()
    for _ in range(50):
        mu = np.exp(X @ beta)
        beta = beta + np.linalg.solve(X.T @ (X * mu[:, None]), X.T @ (y - mu))
    inverse = np.linalg.inv(X.T @ (X * np.exp(X @ beta)[:, None]))
    units, years = sorted(free.unit.unique()), sorted(free.year.unique())

    def expected(b: np.ndarray, unit: str, year: int) -> float:
        return float(np.exp(b[units.index(unit)] + (0 if year == years[0] else b[len(units) + years.index(year) - 1])))

    def effect(b: np.ndarray, agreement: str) -> float:
        members, total, n = treatment.index[treatment.agreement == agreement], 0.0, 0
        for year in YEARS:
            live = [m for m in members if treatment.entry_year[m] <= year < treatment.entry_year[m] + 6]
            if live:
                ratio = sum(panel.at[year, m] for m in live) / sum(expected(b, m, year) for m in live)
                total, n = total + len(live) * np.log(ratio), n + len(live)
        return total / n

    scores = X * (y - np.exp(X @ beta))[:, None]
    clusters = np.array([scores[(free.unit == u).to_numpy()].sum(axis=0) for u in units])
    step, gradients = 1e-6, []
    for agreement in ("one", "two"):
        assert fast.effects[agreement, "x"] == pytest.approx(effect(beta, agreement), abs=TWIN)
        bumps = np.eye(len(beta)) * step
        gradients.append([(effect(beta + e, agreement) - effect(beta - e, agreement)) / (2 * step) for e in bumps])
    influence = clusters @ inverse @ np.array(gradients).T
    sandwich = influence.T @ influence * len(units) / (len(units) - 1)
    assert fast.covariance.to_numpy() == pytest.approx(sandwich, rel=1e-4)  # numerical derivatives


def test_missing_years_count_for_nothing_and_zeros_stay() -> None:
    panel, treatment, never = simulate({"a": 0.4, "b": 0.1}, n_never=10)
    panel.loc[:1999, "M0"] = np.nan
    panel.loc[2010, "M1"] = 0.0
    found = record({"x": panel}, treatment, {"x": never}).table
    assert found.loc[("a", "x"), "n_partners"] == 1
    assert found.loc[("b", "x"), "n_observations"] == 9  # a year without any trade has no logarithm of a ratio
    assert np.isfinite(found.effect_log_points).all()


def test_known_effects_their_mean_and_spread_come_back() -> None:
    rng = np.random.default_rng(8)
    truth = {f"A{i}": e for i, e in enumerate(rng.normal(0.2, 0.3, 60))}
    panel, treatment, never = simulate(truth, noise=0.05)
    found = record({"exports": panel}, treatment, {"exports": never})
    pooled = found.pooled(direction="exports")
    singly = found.effects.droplevel("direction")
    assert singly.to_numpy() == pytest.approx([truth[a] for a in singly.index], abs=4 * 0.05 * np.sqrt(1 / 8 + 1 / 10))
    assert pooled.mean == found.pooled().mean == pytest.approx(np.mean(list(truth.values())), abs=0.05)
    assert pooled.tau == pytest.approx(np.std(list(truth.values()), ddof=1), abs=0.05)
    assert len(found.pooled(without="A3").estimates) == 59
    net, averaged = net_of_chance(found, pd.Series(0.3, index=found.effects.index))
    assert net.tau < pooled.tau  # what chance explains is no spread between agreements
    assert averaged.weight @ averaged.tau > 0
    assert pooled_or_none(found=record({"x": panel[[*never, "M0", "M1"]]}, treatment, {"x": never})) is None  # too few


def pretended(seed: int, effect: float | list[float], n_draws: int, size: float = 0.5) -> tuple[dict, Reassignment]:
    """The panels of six agreements among partners that walk at random, and agreements pretended among the others."""
    effects = dict(zip("ABCDEF", np.full(6, effect), strict=True))
    panel, treatment, never = simulate(effects, seed=seed, n_never=24, size=size)
    steps = np.random.default_rng(seed).normal(0, 0.1, panel.shape).cumsum(axis=0)
    panels = {"outcomes": {"x": panel * np.exp(steps)}, "treatment": treatment, "comparisons": {"x": never}}
    return panels, reassign(**panels, found=record(**panels), n_draws=n_draws, seed=seed)


def test_an_enormous_effect_reaches_the_floor_and_not_zero_and_spread_is_tested_on_one_side() -> None:
    panels, placebos = pretended(1, 3.0, 99)
    found = record(**panels)
    test = placebos.test(found.table)
    assert test.p_value == test.floor == 1 / 100
    assert p_of_mean(panels, n_draws=99, seed=1) == test.p_value
    assert p_of_mean(panels | {"comparisons": {"x": []}}, n_draws=99, seed=1) is None
    assert placebos.spread_test(found.table).p_value > 0.5  # all six had the same
    panels, placebos = pretended(1, [0.9, -0.9] * 3, 99)
    assert placebos.spread_test(record(**panels).table).p_value <= 0.02


def test_p_is_fair_when_nothing_happens() -> None:
    """60 null worlds of unequal partners: p spreads over the unit interval (mean one half, standard error .037).

    Against draws among the comparisons alone, 18 of 60 are.
    """
    worlds = (pretended(seed, 0.0, 99, size=2.0) for seed in range(60))
    values = np.array([placebos.test(record(**panels).table).p_value for panels, placebos in worlds])
    assert values.mean() == pytest.approx(0.5, abs=0.11)
    assert (values <= 0.05).sum() <= 5


def test_draws_agree_with_a_slow_loop() -> None:
    panel, treatment, never = simulate({"one": 0.0, "two": 0.0}, n_never=9)
    treatment = treatment.assign(agreement="one", entry_year=[2001, 2004])
    found = record({"x": panel}, treatment, {"x": never})
    fast = reassign({"x": panel}, treatment, {"x": never}, found, n_draws=20, seed=5).draws[("one", "x")]
    picks = np.random.default_rng(5).random((20, 9)).argsort(axis=1)[:, :2]
    for draw in range(20):
        total, count = 0.0, 0
        for year in range(2001, 2014):
            observed = expected = 0.0
            live = 0
            for partner, entry in zip(picks[draw], (2001, 2004), strict=True):
                if not entry <= year < entry + 10:
                    continue
                others = panel[never].drop(columns=never[partner]).to_numpy()
                effects = pd.Series(two_way(others, np.ones(others.shape, dtype=bool))[0], index=YEARS)
                own, before = panel[never[partner]], range(entry - 10, entry)
                observed += own[year]
                expected += own.loc[before].sum() / effects.loc[before].sum() * effects[year]
                live += 1
            total, count = total + live * np.log(observed / expected), count + live
        assert fast[draw] == pytest.approx(total / count, abs=1e-9)


def test_permuted_members_agree_with_a_slow_loop() -> None:
    """Scaled by the gap before entry, less the mean of the partners left over; single members, entry in 2004."""
    panel, treatment, never = simulate({"one": 0.3, "two": -0.2}, n_never=7)
    treatment = treatment.assign(entry_year=2004)
    found = record({"x": panel}, treatment, {"x": never})
    fast = reassign({"x": panel}, treatment, {"x": never}, found, n_draws=19, seed=5).scaled
    names, scaled = [*treatment.sort_values("agreement").index, *never], {}
    for name in names:
        others = panel[[one for one in never if one != name]].to_numpy()
        effects = pd.Series(two_way(others, np.ones(others.shape, dtype=bool))[0], index=YEARS)
        expected = effects * panel.loc[1994:2003, name].sum() / effects.loc[1994:2003].sum()
        gap = np.log(panel[name] / expected)
        scaled[name] = gap.loc[2004:2013].mean() / np.sqrt((gap.loc[1994:2003] ** 2).mean())
    orders = np.random.default_rng([5, 1]).random((19, len(names))).argsort(axis=1)
    for row, order in enumerate([range(len(names)), *orders]):
        first, second, *left = (scaled[names[i]] for i in order)
        slow = [first - np.mean(left), second - np.mean(left)]
        assert fast.iloc[row].to_numpy() == pytest.approx(slow, abs=1e-8)


def cases(seed: int, k: int, *, mean: float = 0.2, tau: float = 0.3, own: float = 0.1, shared: float = 0.05):
    """Effects with spread ``tau``, own error ``own`` and an error all share; returns estimates and covariance."""
    rng = np.random.default_rng(seed)
    V = own**2 * np.eye(k) + shared**2
    b = rng.normal(mean, tau, k) + rng.multivariate_normal(np.zeros(k), V)
    names = [f"c{i}" for i in range(k)]
    return pd.Series(b, index=names), pd.DataFrame(V, index=names, columns=names)


def test_equal_variances_have_closed_forms() -> None:
    """With V = s2 I: tau2 = max(0, sample variance - s2), mean = average, KH variance = sample variance / k."""
    rng = np.random.default_rng(3)
    b = pd.Series(rng.normal(0.1, 0.5, 12))
    pooled = pool(b, pd.DataFrame(0.04 * np.eye(12)))
    assert pooled.tau2 == pytest.approx(b.var() - 0.04, abs=GRID)
    assert pooled.mean == pytest.approx(b.mean(), abs=GRID)
    assert pooled.se**2 == pytest.approx(b.var() / 12, rel=GRID)
    half = stats.t.ppf(0.9, 10) * np.sqrt(pooled.tau2 + pooled.se**2)
    assert pooled.prediction_interval(80) == pytest.approx((b.mean() - half, b.mean() + half), abs=GRID)


def test_shrinking_follows_the_textbook_when_errors_are_independent() -> None:
    b, _ = cases(4, 10)
    s2 = np.linspace(0.01, 0.2, 10)
    pooled = pool(b, pd.DataFrame(np.diag(s2), index=b.index, columns=b.index))
    expected = (b / s2 + pooled.mean / pooled.tau2) / (1 / s2 + 1 / pooled.tau2)
    assert pooled.shrunken.to_numpy() == pytest.approx(expected.to_numpy(), abs=GRID)


def test_prediction_intervals_cover_new_cases() -> None:
    hits = 0
    for seed in range(1000):
        rng = np.random.default_rng(10_000 + seed)
        low, high = pool(*cases(seed, 16, shared=0.0)).prediction_interval(80)
        hits += low <= rng.normal(0.2, 0.3) <= high
    assert hits / 1000 == pytest.approx(0.80, abs=SHARE)


def test_what_covariates_go_with_is_recovered() -> None:
    rng = np.random.default_rng(6)
    x = pd.DataFrame({"size": rng.normal(3, 1, 40)})
    b = 0.1 + 0.5 * (x["size"] - 3) + rng.normal(0, 0.05, 40)
    pooled = pool(b, pd.DataFrame(1e-4 * np.eye(40)), covariates=x)
    assert pooled.coefficients["size"] == pytest.approx(0.5, abs=0.03)
    t = pooled.coefficients["size"] / pooled.coefficient_covariance.loc["size", "size"] ** 0.5
    assert pooled.slopes.p_value["size"] == pytest.approx(2 * stats.t.sf(abs(t), 38))


def test_the_average_over_tau_agrees_with_numerical_integration() -> None:
    b, V = cases(12, 9)
    pooled, X = pool(b, V), np.ones((9, 1))
    averaged = averaged_over_tau(pooled)

    def kernel(tau: float) -> float:
        return np.exp(restricted_loglik(b.to_numpy(), V.to_numpy(), X, tau**2) - 0.5 * (tau / 0.5) ** 2)

    total = integrate.quad(kernel, 0, 2)[0]
    mean = integrate.quad(lambda t: t * kernel(t), 0, 2)[0] / total
    assert averaged.weight @ averaged.tau == pytest.approx(mean, abs=1e-3)
    assert averaged.cdf(averaged.quantile(0.3)) == pytest.approx(0.3, abs=GRID)


def test_leaving_out_agrees_with_refitting_by_hand() -> None:
    b, V = cases(14, 9)
    pooled = pool(b, V)
    groups = ["a", "a", "b", "b", "c", "c", "d", "d", "e"]
    found = leave_one_out(pooled, groups, levels=(80,))[0]
    keep = [2, 3, 4, 5, 6, 7, 8]
    rest = pool(b.iloc[keep], V.iloc[keep, keep])
    assert found.centre.iloc[:2].to_numpy() == pytest.approx([rest.mean] * 2)
    half = stats.t.ppf(0.9, 5) * np.sqrt(rest.tau2 + rest.se**2 + V.iat[0, 0])
    assert bool(found.inside_80.iloc[0]) == (abs(b.iloc[0] - rest.mean) <= half)


def test_coverage_and_score_when_the_model_is_true() -> None:
    pooled = pool(*cases(15, 70, mean=0.4, shared=0.0))
    tested, coverage = leave_one_out(pooled, range(70))
    assert coverage.loc[80, "share"] == pytest.approx(0.80, abs=0.145)  # three binomial errors
    assert tested.crps.mean() < tested.crps_no_effect.mean()


def test_crps_of_a_t_is_its_integral() -> None:
    y, centre, scale, degrees = 0.7, 0.1, 0.4, 6

    def gap(x: float) -> float:
        return (stats.t.cdf((x - centre) / scale, degrees) - (x >= y)) ** 2

    slow = integrate.quad(gap, -20, y, limit=200)[0] + integrate.quad(gap, y, 20, limit=200)[0]
    assert crps_t(y, centre, scale, degrees) == pytest.approx(slow, abs=GRID)


def growing(*, pretrend: float = 0.0, seed: int = 5, noise: float = 0.05) -> tuple[pd.DataFrame, pd.Series, float]:
    """Cohorts entering in 2000, 2004, 2008; effects grow by 0.1 log points a year; the truth over ten years."""
    rng = np.random.default_rng(seed)
    years, truth, columns = np.arange(1988, 2016), [], {}
    entry = {f"U{i:02d}": [2000, 2004, 2008][i % 4 - 1] for i in range(12, 60) if i % 4}
    common = np.cumsum(rng.normal(0.03, 0.05, len(years)))
    for unit in (f"U{i:02d}" for i in range(60)):
        event = years - entry.get(unit, 9999)
        effect = np.where(event >= 0, 0.1 * (event + 1), pretrend * np.maximum(event + 6, 0))
        truth += list(effect[(event >= 0) & (event < 10)])
        columns[unit] = np.exp(rng.normal(4, 0.7) + common + effect + rng.normal(0, noise, len(years)))
    return pd.DataFrame(columns, index=years), pd.Series(entry), float(np.mean(truth))


@pytest.fixture(scope="module")
def parallel() -> tuple[pd.DataFrame, pd.Series, float]:
    return growing()


def test_growing_effects_are_recovered(parallel: tuple) -> None:
    outcomes, entry, truth = parallel
    study = staggered(outcomes, entry)
    assert study.overall == pytest.approx(truth, abs=UNBIASED)
    assert study.interval[0] < study.overall < study.interval[1]
    assert study.profile.loc[4, "effect_log_points"] == pytest.approx(0.5, abs=UNBIASED)
    assert study.p_leads > 0.01
    assert staggered(*growing(pretrend=0.06)[:2]).p_leads < 0.01  # leads see an early departure


def test_it_agrees_with_a_loop_of_differences_in_means(parallel: tuple) -> None:
    outcomes, entry, _ = parallel
    logs = np.log(outcomes)
    never = [u for u in logs if u not in entry.index]
    profile = staggered(outcomes, entry).profile
    for event in (0, 3, 7):
        values = []
        for start in (2000, 2004, 2008):
            members = entry.index[entry == start]
            moved = logs.loc[start + event] - logs.loc[start - 1]
            values += [moved[members].mean() - moved[never].mean()] * len(members)
        assert profile.loc[event, "effect_log_points"] == pytest.approx(np.mean(values), abs=1e-10)


def test_units_treated_throughout_are_left_out_and_not_compared_with(parallel: tuple) -> None:
    outcomes, entry, _ = parallel
    early = outcomes.columns.drop(entry.index)[:6]
    study = staggered(outcomes, pd.concat([entry, pd.Series(1980, index=early)]))
    assert study.overall == pytest.approx(staggered(outcomes.drop(columns=early), entry).overall)
    assert (study.n_treated, study.n_never) == (len(entry), len(outcomes.columns) - len(entry) - 6)


def test_the_identified_set_is_that_of_the_package(parallel: tuple) -> None:
    """Identified set under relative magnitudes, from diff-diff's own linear programme on the same effects."""
    from diff_diff import CallawaySantAnna, HonestDiD

    outcomes, entry, _ = parallel
    one = entry[entry == 2004]
    short = outcomes.loc[1995:2010, [u for u in outcomes if u not in entry.index or u in one.index]]
    none, ours, two = drift_bounds(staggered(short, one, leads=9, post=7), (0.0, 1.0, 2.0), horizon=7).itertuples()
    long = (
        np.log(short).rename_axis(index="year", columns="unit").melt(ignore_index=False, value_name="y").reset_index()
    )
    long["g"] = long.unit.map(one).fillna(0).astype(int)
    with pytest.warns(FutureWarning):
        fit = CallawaySantAnna(base_period="universal").fit(long, "y", "unit", "year", "g", aggregate="event_study")
    theirs = HonestDiD(method="relative_magnitude", M=1.0).fit(fit)
    assert (ours.low, ours.high) == (pytest.approx(theirs.lb, abs=1e-6), pytest.approx(theirs.ub, abs=1e-6))
    assert none.low_95 < none.low == pytest.approx(none.high)
    assert two.high - two.low == pytest.approx(2 * (ours.high - ours.low))
