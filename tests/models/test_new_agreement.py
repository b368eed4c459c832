"""Trade without an agreement, what past agreements say, and a new agreement put together from known parts."""

from importlib.util import module_from_spec, spec_from_file_location
from math import exp, log
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.data.tables import load
from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import gravity, trade_baseline
from kbio_analysis.models.new_agreement import chapters, doubling, drivers, effects, tariff_study, trade_paths
from kbio_analysis.models.reference_class import MixturePrediction, Transfer, from_structural
from kbio_analysis.models.tariffs import DFQF

SOLVER = 1e-4  # the packaged solver stops at a deviance change of 1e-8
SIMULATED_ELASTICITY = 0.15  # three of the simulator's own standard errors
COVERAGE = 0.07  # three binomial errors of 90% over 150 partners
YEARS = np.arange(1990, 2024)


def world(n: int = 150) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Partners whose trade follows real income by 1.5, common years and a random walk of their own; their growth."""
    rng = np.random.default_rng(5)
    names = [f"P{i:03d}" for i in range(n)]
    growth = rng.normal(3, 1, (len(YEARS), n)) + rng.normal(0, 2.5, n)
    income = np.cumsum(np.log1p(growth / 100), axis=0)
    year = np.cumsum(rng.normal(0, 0.05, len(YEARS)))[:, None]
    walk = np.cumsum(rng.normal(0, 0.2, (len(YEARS), n)), axis=0) * 0.3
    trade = np.exp(rng.normal(5, 1, n) + year + 1.5 * income + walk)
    return tuple(pd.DataFrame(values, index=YEARS, columns=names) for values in (trade, growth))


def test_a_known_elasticity_is_recovered_and_equals_that_of_gravity() -> None:
    assert trade_baseline.income_elasticity(*world()) == pytest.approx(1.5, abs=SIMULATED_ELASTICITY)
    trade, growth = world(n=40)
    trade.iloc[:6, 0], trade.iloc[3, 1] = np.nan, 0.0
    growth.iloc[:3, 0], growth.iloc[10, 2] = np.nan, np.nan
    income = trade_baseline.income_index(growth)
    assert list(income)[:3] == ["P000", "P001", "P003"]  # a gap inside leaves no income
    rows = pd.DataFrame({"trade": trade.stack(), "income": income.stack()}).dropna()
    rows = rows.rename_axis(["year", "iso3"]).reset_index()
    theirs = gravity.ppml(rows, "trade", ["income"], ["iso3", "year"], "iso3").coefficients["income"]
    assert trade_baseline.income_elasticity(trade, growth) == pytest.approx(theirs, rel=SOLVER)
    for alike in (0.0, 3.0):
        with pytest.raises(ModelInputError, match="do not vary enough"):
            trade_baseline.income_elasticity(trade, growth * 0 + alike)


def hindcast(n: int) -> trade_baseline.Hindcast:
    trade, growth = world(n=n)
    return trade_baseline.hindcast(
        {"exports": trade, "imports": trade**0.9}, growth, {"exports": 1.5, "imports": 1.5}, 10
    )


@pytest.fixture(scope="module")
def found() -> trade_baseline.Hindcast:
    return hindcast(150)


def test_an_error_equals_the_rule_written_out(found) -> None:
    trade, growth = world()
    y, g, origin = trade["P007"], growth["P007"], 2005
    steps = np.log(trade).diff().abs().loc[:origin].mean()
    scale = (steps["P007"] * steps.median()) ** 0.5
    base = log(y.loc[origin])
    expected = base + 1.5 * log(1 + g.loc[origin - 4 : origin].mean() / 100) * 4
    error = found.errors["exports"].loc[("P007", origin), 4]
    assert error == pytest.approx((log(y.loc[origin + 4]) - expected) / scale)


def slow_coverage(found: trade_baseline.Hindcast, flow: str) -> float:
    errors, weight = found.errors[flow], found.weight
    partners = errors.index.get_level_values("partner")
    total = 0.0
    for key in errors.index:
        held = []
        for k in (1, 3, 5, 10):
            if np.isnan(errors.at[key, k]):
                continue
            others = errors.loc[(partners != key[0]), k].dropna().sort_values(kind="stable")
            mass = weight[others.index].cumsum() / weight[others.index].sum()
            low, middle, high = (others[mass >= q - 1e-12].iloc[0] for q in (0.05, 0.5, 0.95))
            held.append(low <= errors.at[key, k] + middle <= high)
        total += weight[key] * np.mean(held)
    return total


def test_intervals_cover_partners_left_out_and_coverage_equals_a_loop(found) -> None:
    assert trade_baseline.coverage(found).share.to_numpy() == pytest.approx(0.9, abs=COVERAGE)
    few = hindcast(12)
    assert trade_baseline.coverage(few).share["exports"] == pytest.approx(slow_coverage(few, "exports"))


def test_drawn_paths_have_the_quantiles_of_all_origins(found) -> None:
    drawn = found.draw(40_000, np.random.default_rng(1))
    for k in (1, 10):
        known = found.errors["exports"][k].dropna().sort_values()
        mass = found.weight[known.index].cumsum() / found.weight[known.index].sum()
        middle, high = (known.iloc[int(np.searchsorted(mass, q))] for q in (0.5, 0.9))
        assert np.median(drawn["exports"][:, k - 1]) == pytest.approx(0, abs=0.1)  # no drift of the panel's
        assert np.quantile(drawn["exports"][:, k - 1], 0.9) == pytest.approx(high - middle, abs=0.15)


def test_a_partner_that_fell_behind_is_told_from_others() -> None:
    trade, growth = world(n=40)
    trade["P001"] *= np.exp(-0.08 * (YEARS - YEARS[0]))
    behind = trade_baseline.hindcast({"exports": trade}, growth, {"exports": 1.5}, 10)
    assert behind.own_record("exports", "P001") < -1 < behind.own_record("exports", "P010") + 1
    rows = behind.tried("P001", {"exports": trade}).set_index("origin")
    assert rows.miss_pct.mean() < -20
    assert rows.at[2005, "came_usd_m"] == trade.at[2010, "P001"]
    assert (rows.expected_usd_m * (1 + rows.miss_pct / 100)).to_numpy() == pytest.approx(rows.came_usd_m.to_numpy())


def paths(partner: str = "P001", given: float | None = 3.0, n: int = 500, **more) -> trade_baseline.Baseline:
    trade, growth = world(n=20)
    trade["P003"] = growth["P003"] = np.nan
    flows, rng = {"exports": trade, "imports": trade * 0.5}, np.random.default_rng(1)
    return trade_baseline.baseline(flows, growth, partner, horizon=14, n=n, rng=rng, given_growth_pct=given, **more)


def test_paths_follow_growth_and_a_partner_without_record_has_none() -> None:
    slow, fast, empty = paths(), paths(given=10.0), paths("P003", None)
    assert (empty.paths, empty.growth_basis, empty.years) == ({}, "median", tuple(range(2024, 2038)))
    assert (fast.growth_pct, fast.growth_basis, paths(given=None).growth_basis) == (10.0, "given", "own")
    faster = (1.10 / 1.03) ** (14 * slow.fits["exports"])
    assert fast.paths["exports"][:, -1] == pytest.approx(faster * slow.paths["exports"][:, -1])
    assert slow.at(2037, "exports", 10.0) == pytest.approx(fast.at(2037, "exports"))
    assert fast.band("exports").at[2037, 50] == pytest.approx(fast.at(2037, "exports"), rel=0.15)
    assert slow.base_usd_m["exports"] == pytest.approx(world(n=20)[0]["P001"].iloc[-1])


def test_a_later_base_and_the_partners_own_record_move_the_middle() -> None:
    base = {"base_usd_m": {"exports": 100.0, "imports": 0.0}, "base_year": 2024}
    moved, level = paths(own_record=1.0, **base), paths(**base)
    assert (level.years[0], list(level.middle)) == (2025, ["exports"])
    assert level.middle["exports"][0] == pytest.approx(100 * 1.03 ** level.fits["exports"])
    shift = np.log(moved.middle["exports"] / level.middle["exports"])
    assert shift[4:] == pytest.approx(moved.own_log_points["exports"])
    assert shift[0] == pytest.approx(moved.own_log_points["exports"] / 5)


DUTIES = {"cd_pct": [10.0, 20.0], "rd_pct": [5.0, 0.0], "sd_pct": [0.0, 10.0], "supplier_share": [0.05, 0.1]}
LINES = pd.DataFrame(DUTIES | {"sigma_median": [5.0, 4.0], "share_pct": [60.0, 40.0]}, index=[39, 61])
LINES = LINES.assign(sigma_log_sd=0.2, trade_usd_m=LINES.share_pct / 100, group=["a", "b"])
TERMS = {"cuts": "cd", "coverage": 0.9, "phase_years": 5, "utilisation": 0.7, "sigma_scale": 1.0}
TERMS |= {"duty_free": DFQF.coverage, "partial": (0.0, 0.0), "partner_stages": None}
RUN = {"horizon": 10, "n_draws": 500, "seed": 3}
CELLS = {"graduation_2026": 0, "graduation_2029": 3}


def past(centre: float, slope: float = 0.0) -> Transfer:
    one = np.array([1.0])
    prediction = MixturePrediction(tau=one * 0.01, weight=one, centre=one * centre, scale=one * 1e-6)
    profile = pd.DataFrame({f: slope * (np.arange(10) - 4.5) for f in ("exports", "imports")})
    return Transfer(predictions={"exports": prediction, "imports": prediction}, profile=profile)


def flow(access: str, partial: bool = False) -> SimpleNamespace:
    return SimpleNamespace(frame=LINES, access=access, partial=partial)


def put_together(terms: dict = TERMS, slope: float = 0.0, access: str = "dfqf"):
    outlook, tariff = paths(), {"exports": flow("mfn"), "imports": flow(access, partial=True)}
    studies = {(f, c): tariff_study(f, tariff[f], terms, ends=CELLS[c], **RUN) for f in tariff for c in CELLS}
    known = (outlook, past(log(1.2), slope), tariff, studies)
    rng = np.random.default_rng(4)
    return outlook, tariff, studies, effects(*known, start=2027, horizon=10, cells=CELLS, rng=rng)


@pytest.fixture(scope="module")
def study():
    return put_together()


@pytest.mark.parametrize("coverage", [0.0, 0.2, 1.0])
def test_an_agreement_never_lowers_trade_by_the_duties_and_no_coverage_is_nothing(coverage: float) -> None:
    found = put_together(TERMS | {"coverage": coverage})[3]
    drawn = np.array([path.added["tariffs"] for path in found.paths.values()])
    assert (drawn >= 0).all()
    assert (drawn == 0).all() == (coverage == 0)


def test_a_preference_that_ends_before_entry_is_lost_from_then_on() -> None:
    cells, held, outlook = {"early": -3, "late": 0}, {"imports": flow("dfqf")}, paths()
    studies = {
        ("imports", c): tariff_study("imports", flow("dfqf"), TERMS, ends=cells[c], **RUN | {"horizon": 4})
        for c in cells
    }
    rng = np.random.default_rng(4)
    found = effects(outlook, past(0.2), held, studies, start=2030, horizon=4, cells=cells, rng=rng)
    middle = outlook.middle["imports"][[outlook.years.index(y) for y in found.years]]
    early, late = (found.paths["imports", cell] for cell in cells)
    assert found.years == tuple(range(2027, 2035))
    assert (np.diff(early.without[:3] / middle[:3], prepend=1.0) < 0).all()  # trade responds over years
    assert late.without[:3] == pytest.approx(middle[:3])
    for draws in (*early.added.values(), *late.added.values()):
        assert (draws[:, :3] == 0).all()
        assert (np.median(draws[:, 3:], axis=0) > 0).all()
    flat = pd.Series(1.0, range(2000, 2024))
    drawn = trade_paths(outlook, found, "imports", flat, flat)
    assert drawn.without[2029] == early.without[2]
    assert drawn.with_tariffs.first_valid_index() == 2030


def test_past_agreements_leave_alone_what_enters_free_and_build_up_from_entry(study) -> None:
    late = study[3].paths["imports", "graduation_2029"]
    assert (late.added["transfer"][:, :3] == 0).all()
    assert late.added["transfer"][:, 3:].mean(axis=0) == pytest.approx(0.2 * late.without[3:], rel=1e-3)
    held, rng = {"imports": flow("dfqf")}, np.random.default_rng(1)  # free for good
    kept = effects(paths(), past(0.2), held, {}, start=2027, horizon=5, cells={"x": None}, rng=rng)
    assert "transfer" not in kept.paths["imports", "x"].added
    assert "transfer" in kept.paths["trade", "x"].added
    path = put_together(slope=0.02)[3].paths["exports", "graduation_2026"]
    grown = np.median(path.added["transfer"], axis=0) / path.without
    assert grown[0] == pytest.approx(1.2 * exp(-0.09) - 1, rel=1e-3)
    assert grown[9] == pytest.approx(grown[10]) == pytest.approx(1.2 * exp(0.09) - 1, rel=1e-3)
    assert (np.diff(grown[:10]) > 0).all()


def test_the_loss_grows_with_what_was_free_and_a_partial_preference_softens_it() -> None:
    def lost(**terms) -> float:
        run = tariff_study("imports", flow("dfqf", partial=True), TERMS | terms, ends=0, **RUN)
        return float(np.median(run.without_draws[-1]))

    assert lost(duty_free=0.95) < lost(duty_free=0.5) < lost(duty_free=0.0) == 0
    assert lost() < lost(partial=(0.5, 0.4)) < lost(partial=(1.0, 1.0))


def test_paths_table_chapters_and_drivers_read_the_same_numbers(study) -> None:
    outlook, tariff, studies, found = study
    history = pd.Series(10.0, index=range(1990, 2024))
    drawn = trade_paths(outlook, found, "trade", history, history)
    row = found.cases().set_index(["cell", "flow", "method"]).loc["graduation_2026", "trade", "tariffs"]
    assert drawn.at[2037, "with_tariffs"] == row.with_agreement == row.without + row["median"]
    imports = studies["imports", "graduation_2026"]
    top = chapters({"imports": imports}, tariff, {"imports": 50.0})
    assert top.gain_usd_m.iloc[0] == pytest.approx(50 * imports.per_line[50].max())
    lost = found.lost(outlook).lost
    assert lost.iloc[0] > lost.iloc[1] > 0
    swings = drivers(outlook, tariff, TERMS, {}, ends=0, year=2037, horizon=10, seed=3)
    assert (swings.high - swings.low > 0).all()


def test_doubling_counts_draws_by_method() -> None:
    outlook, _, _, found = put_together(access="mfn")
    odds = doubling(outlook, found)
    trade = sum(outlook.paths.values())
    assert odds["without"] == pytest.approx((1 + (trade[:, 13] >= 2 * trade[:, 2]).sum()) / 501)
    assert 0 < odds["without"] <= min(odds["transfer"], odds["tariffs"]) < 1


def test_a_partner_without_record_has_no_effect_but_no_crash() -> None:
    empty, run = paths("P003"), {"horizon": 5, "cells": {"x": None}, "rng": np.random.default_rng(1)}
    found = effects(empty, past(0.1), {}, {}, start=2027, **run)
    assert (found.paths, found.main, len(found.cases()), found.records()) == ({}, None, 0, {})
    assert doubling(empty, found) is None
    assert drivers(empty, {}, TERMS, {}, ends=None, year=2030, horizon=3, seed=1).empty


def test_the_mixture_and_the_profile_are_taken_over() -> None:
    columns = ["kind", "direction", "name", "value", "error", "weight"]
    rows = [("prediction", "exports", "0.1", 0.05, 0.2, 3.0), ("prediction", "exports", "0.2", 0.15, 0.3, 1.0)]
    rows += [("profile", "exports", f"{y}-{y + 2}", 0.03 * y, 0.1, 9.0) for y in (0, 3, 6, 9)]
    past = from_structural(pd.DataFrame(rows, columns=columns))
    years = np.array([-1, 0, 9, 30])
    assert past.since("exports", years)[1:] == pytest.approx(0.03 * np.array([-4.5, 4.5, 4.5]))
    drawn = past.draw("exports", years, 40_000, np.random.default_rng(1))
    assert (drawn[:, 0] == 0).all()
    assert drawn[:, 1].mean() == pytest.approx(0.25 * (3 * 0.05 + 0.15) - 0.135, abs=0.01)
    assert past.chance_of_gain("exports", 9) == pytest.approx((drawn[:, 2] > 0).mean(), abs=0.01)
    assert "imports" not in past.predictions


def test_the_kept_table_is_what_the_fit_gives(root) -> None:
    spec = spec_from_file_location("structural_record", root / "tools" / "structural_record.py")
    tool = module_from_spec(spec)
    spec.loader.exec_module(tool)
    now, kept = (f.set_index(["kind", "direction", "name"]) for f in (tool.record(), load("structural_record")))
    bias = kept.loc["bias"]  # minutes of fits: ``python -m bench bias`` compares
    assert (bias["value"].abs() + bias["error"]).between(0.0, 0.15).all()
    pretended = kept.loc["placebo"]["value"].unstack("direction").abs()  # an economy a fit; compared there too
    assert (pretended >= kept.loc["effect", :, "India"]["value"].abs()).sum().to_list() == [23, 18]
    kept = kept.drop(["bias", "placebo", "placebo_step"])
    assert list(now.index) == list(kept.index)
    assert now["value"].to_numpy(dtype=float) == pytest.approx(kept["value"].to_numpy(), abs=1e-3)
