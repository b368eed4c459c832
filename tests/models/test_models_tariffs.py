"""A change of duties: closed forms, a known elasticity found again, a slow twin, the promises of the interface."""

import time
from dataclasses import replace
from math import inf

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.optimize import root

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import gsim
from kbio_analysis.models.ces_nest import respond, surplus_change
from kbio_analysis.models.tariff_draws import draw_inputs
from kbio_analysis.models.tariffs import DFQF, MFN, OUTCOMES, Regime, Scenario, simulate

EXACT = 1e-9  # closed forms, up to rounding
TWIN = 1e-6  # the twin's root finder stops at about 1e-10, sums of hundreds amplify it
SECOND_ORDER = 2e-4  # what a cut of one per cent leaves of third-order terms
SIMULATED = 4.0  # simulation errors of a median; a failure by chance is one in 16,000
SECONDS = 3.0  # alone 0.5 s; machines that test are shared

FREE = Regime(cuts="cd+rd+sd")
CERTAIN = {"utilisation": 1.0, "utilisation_sd": 0.0, "compliance_cost_pct": 0.0, "eps_log_sd": 0.0, "supply": (inf,)}


def line(trade=100.0, cd=10.0, rd=0.0, sd=0.0, share=0.1, sigma=5.0, spread=0.0, hs2=(61,)):
    row = {"trade_usd_m": trade, "cd_pct": cd, "rd_pct": rd, "sd_pct": sd, "supplier_share": share}
    return pd.DataFrame(row | {"sigma_median": sigma, "sigma_log_sd": spread}, index=pd.Index(hs2, name="hs2"))


def several(n=97, seed=5):
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "trade_usd_m": rng.lognormal(1, 1.5, n),
            "cd_pct": rng.uniform(0, 25, n),
            "rd_pct": rng.uniform(0, 5, n),
            "sd_pct": rng.uniform(0, 20, n),
            "supplier_share": rng.uniform(0.005, 0.4, n),
            "sigma_median": rng.uniform(3, 11, n),
            "sigma_log_sd": rng.uniform(0.4, 0.7, n),
        },
        index=pd.Index(range(1, n + 1), name="hs2"),
    )


def at_once(**changes):
    return Scenario(**({"today": MFN, "agreement": FREE, "horizon": 0} | changes))


def sim(lines, scenario, n_draws=200, seed=1):
    return simulate(lines, scenario, n_draws=n_draws, seed=seed)


def test_creation_from_ten_per_cent_to_nothing_linear_and_exact():
    found = sim(line(share=1.0), at_once(**CERTAIN))
    assert found.smart.total[50] == pytest.approx(13.64, abs=0.005)
    assert found.creation.total[50] == pytest.approx(15.37, abs=0.005)
    assert found.creation.total[50] == pytest.approx(100 * (1.1**1.5 - 1), abs=EXACT)
    assert found.diversion.total[50] == pytest.approx(0, abs=EXACT)
    assert found.revenue.total[50] == pytest.approx(-10, abs=EXACT)


def test_the_whole_wedge_is_simulated_and_cuts_take_their_part():
    duties = line(cd=10, rd=5, sd=20)
    assert sim(duties, at_once(**CERTAIN)).wedge.loc[61, "today"] == pytest.approx(38)
    left = {"none": 38.0, "cd": 26.0, "cd+rd": 20.0, "cd+rd+sd": 0.0}
    for cuts, rest in left.items():
        found = sim(duties, at_once(**CERTAIN | {"agreement": Regime(cuts=cuts)}))
        assert found.wedge.loc[61, "agreement"] == pytest.approx(rest)
        assert (found.exports.total[50] > 0) == (cuts != "none")


def test_utilisation_coverage_and_depth_shrink_the_cut_as_written():
    terms = Regime(cuts="cd", coverage=0.8, depth=0.5)
    found = sim(line(), at_once(**CERTAIN | {"utilisation": 0.6, "agreement": terms}))
    cut = 1 + 0.6 * 0.8 * (1.05 / 1.1 - 1)
    assert found.wedge.loc[61, "agreement"] == pytest.approx(100 * (1.1 * cut - 1))
    assert found.smart.total[50] == pytest.approx(100 * 1.5 * (1 - cut))


def test_a_margin_below_the_compliance_cost_is_not_claimed():
    costly = at_once(**CERTAIN | {"compliance_cost_pct": 3.0})
    small, large = sim(line(cd=2), costly, 4000), sim(line(cd=10), costly, 4000)
    assert (small.exports.draws > 0).mean() == pytest.approx(1 / 3, abs=0.03)  # even on 0..6 per cent, margin of 2
    assert (large.exports.draws > 0).all()


def test_parts_sum_to_exports_whatever_the_draw():
    found = sim(several(), at_once(), 500)
    parts = found.creation.draws + found.diversion.draws + found.price.draws
    np.testing.assert_allclose(found.exports.draws, parts, rtol=EXACT)


@pytest.mark.parametrize("inverse_supply", [0.0, 0.05, 0.2])
def test_what_the_supplier_diverts_the_others_lose(inverse_supply):
    r = respond(np.log(0.99), 0.2, 6.0, 1.5, inverse_supply)
    common = np.exp(-1.5 * r.log_price_index)
    moved = 0.2 * (np.exp(r.log_quantity) - common) + 0.8 * (np.exp(r.log_other_quantity) - common)
    assert abs(moved) < SECOND_ORDER
    assert np.exp(r.log_other_quantity) < 1 < np.exp(r.log_quantity)


def test_consumer_surplus_is_the_area_under_demand():
    for eps in (0.7, 1.0, 1.8):
        area = quad(lambda p, e=eps: 50 * p**-e, 0.9, 1)[0]
        assert surplus_change(50, np.log(0.9), eps) == pytest.approx(area, abs=EXACT)
    drop = 0.01
    assert surplus_change(1, np.log(1 - drop), 1.5) == pytest.approx(
        drop * (1 + 1.5 * drop / 2), abs=SECOND_ORDER * drop
    )


def test_very_elastic_supply_is_infinite_supply():
    huge, infinite = (sim(line(), at_once(**CERTAIN | {"supply": (mu,)})).exports.total[50] for mu in (1e10, inf))
    assert huge == pytest.approx(infinite, rel=1e-7)
    scarce = sim(line(), at_once(**CERTAIN | {"supply": (5.0,)}))
    assert scarce.exports.total[50] < infinite
    assert scarce.price.total[50] > 0


def test_a_known_elasticity_is_found_again():
    small = 1e-6  # a supplier too small to move the price index
    found = sim(line(share=small, sigma=6.3), at_once(**CERTAIN))
    grown = 1 + found.exports.total[50] / 100
    assert np.log(grown) / np.log(1.1) == pytest.approx(6.3, rel=1e-4)
    spread = sim(line(share=small, sigma=6.3, spread=0.3), at_once(**CERTAIN | {"sigma_cap": 60.0}), 4000)
    assert abs(spread.exports.total[50] - found.exports.total[50]) < SIMULATED * spread.exports.simulation_error
    assert spread.tornado.index[0] == "sigma"
    assert spread.tornado.loc["sigma", "rank_correlation"] == pytest.approx(1)
    assert spread.tornado.loc["sigma", "variance_share"] > 0.9
    assert (spread.tornado.drop(index="sigma") == 0).all(axis=None)


def solved_slowly(cut, share, sigma, eps, mu):
    """Prices of both sources from the market equations themselves, by a root finder."""

    def index(landed):
        return (share * landed[0] ** (1 - sigma) + (1 - share) * landed[1] ** (1 - sigma)) ** (1 / (1 - sigma))

    def excess(logs):
        price, duty = np.exp(logs), np.array([cut, 1.0])
        demand = (duty * price) ** -sigma * index(duty * price) ** (sigma - eps)
        return np.log(demand) - mu * logs

    price = np.array([1.0, 1.0]) if mu == inf else np.exp(root(excess, [0.0, 0.0], tol=1e-13).x)
    landed = np.array([cut, 1.0]) * price
    return price, landed**-sigma * index(landed) ** (sigma - eps), index(landed)


def test_the_slow_twin_agrees_line_by_line_and_draw_by_draw():
    lines, n = several(4), 100
    scenario = at_once(today=DFQF, without=MFN, agreement=Regime(cuts="cd+rd", coverage=0.7, depth=0.9), excluded=(2,))
    found, drawn = sim(lines, scenario, n, seed=9), draw_inputs(lines, scenario, n, 9)
    expected = {name: np.zeros(n) for name in OUTCOMES}
    for k in range(n):
        used, cost = drawn.utilisation[0, k], drawn.cost_pct[0, k]
        mu = inf if drawn.inverse_supply[0, k] == 0 else 1 / drawn.inverse_supply[0, k]
        for i, (hs2, row) in enumerate(lines.iterrows()):
            cd, rd, sd = row.cd_pct / 100, row.rd_pct / 100, row.sd_pct / 100
            full = (1 + cd + rd) * (1 + sd)

            def power(cd_left, rd_left, covered, full=full, sd=sd, used=used, cost=cost):
                preferred = (1 + cd_left + rd_left) * (1 + sd)
                claimed = used if 100 * (full - preferred) > cost else 0.0
                return full * (1 + claimed * covered * (preferred / full - 1))

            today = power(0, rd, 0.95)
            agreed = min(full, power(0.1 * cd, 0.1 * rd, 0.0 if hs2 == 2 else 0.7))
            others = row.trade_usd_m * (1 / row.supplier_share - 1)
            spent = np.array([row.trade_usd_m * today, others * full])
            for sign, now in ((1, agreed), (-1, full)):
                sigma, eps = drawn.sigma[i, k], drawn.eps[i, k]
                price, quantity, index = solved_slowly(now / today, spent[0] / spent.sum(), sigma, eps, mu)
                created = (row.trade_usd_m + others) * (index**-eps - 1)
                sold = row.trade_usd_m * (quantity[0] - 1)
                duty = row.trade_usd_m * price[0] * quantity[0] * (now - 1) - row.trade_usd_m * (today - 1)
                duty += others * (price[1] * quantity[1] - 1) * (full - 1)
                values = {
                    "exports": row.trade_usd_m * (price[0] * quantity[0] - 1),
                    "creation": created,
                    "diversion": sold - created,
                    "price": row.trade_usd_m * quantity[0] * (price[0] - 1),
                    "revenue": duty,
                    "consumer_surplus": spent.sum() * (1 - index ** (1 - eps)) / (1 - eps),
                    "smart": row.trade_usd_m * eps * (1 - now / today),
                }
                for name, value in values.items():
                    expected[name][k] += sign * value
    for name in OUTCOMES:
        np.testing.assert_allclose(getattr(found, name).draws, expected[name], rtol=TWIN, atol=TWIN, err_msg=name)


def test_graduation_counts_from_its_year_and_the_agreement_keeps_the_access():
    keeps = Scenario(today=DFQF, without=MFN, without_from=3, horizon=6, agreement=Regime(cuts="cd", coverage=0.95))
    found = sim(line(cd=12), keeps, 500)
    assert (found.by_year.loc[:2] == 0).all(axis=None)
    assert (found.by_year.loc[3:, 5] > 0).all()
    assert (found.revenue.draws < 0).all()
    nothing = sim(line(cd=12), replace(keeps, agreement=MFN), 500)
    assert (nothing.year_draws == 0).all()  # without an agreement there is nothing it changes
    widened = sim(line(cd=12), replace(keeps, agreement=Regime(cuts="cd")), 500)
    assert (widened.by_year.loc[0, [5, 50]] > 0).all()  # the lines duty-free entry had left out


def test_equal_yearly_cuts_start_at_entry_and_end_on_time():
    staged = at_once(**CERTAIN | {"agreement": Regime(cuts="cd", phase_years=5), "horizon": 6})
    found = sim(line(), staged)
    assert found.by_year[50].is_monotonic_increasing
    assert found.by_year.loc[4, 50] == found.by_year.loc[6, 50] == found.exports.total[50]
    first = sim(line(), at_once(**CERTAIN | {"agreement": Regime(cuts="cd", depth=0.2)}))
    assert found.by_year.loc[0, 50] == pytest.approx(first.exports.total[50])


def test_the_better_of_two_preferences_is_taken():
    slow = Scenario(today=DFQF, agreement=Regime(cuts="cd", phase_years=10), horizon=9)
    found = sim(line(cd=12), slow, 500)
    assert (found.year_draws >= 0).all()
    assert (found.year_draws[0] == 0).all()  # a tenth of the cut is worse than duty-free entry


def test_terms_that_fade_in_without_an_agreement_count_from_their_start():
    fading = Regime(cuts="cd", depth=0.5, phase_years=2)
    found = sim(line(cd=12), Scenario(today=MFN, without=fading, without_from=1, horizon=3, agreement=FREE), 500)
    gains = found.by_year[50]
    assert gains[0] > gains[1] > gains[2] == gains[3] > 0


def test_excluded_chapters_stay_as_they_are_without_the_agreement():
    lines = several(6)
    found = sim(lines, at_once(excluded=(3, 4)))
    assert (found.exports.per_line.loc[[3, 4]] == 0).all(axis=None)
    assert (found.exports.per_line.drop(index=[3, 4])[50] > 0).all()


def test_lines_without_trade_stay_without_and_are_counted():
    lines = several(10)
    lines.loc[[2, 5], "trade_usd_m"] = 0.0
    found = sim(lines, at_once())
    assert list(found.exports.per_line.index) == [1, 3, 4, 6, 7, 8, 9, 10]
    assert found.zero_lines == 96 - 8
    np.testing.assert_array_equal(found.exports.draws, sim(lines.drop(index=[2, 5]), at_once()).exports.draws)


def test_the_same_seed_gives_the_same_draws_and_another_the_same_answer():
    lines = several()
    one, again, other = (sim(lines, at_once(), 3000, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.year_draws, again.year_draws)
    pd.testing.assert_frame_equal(one.tornado, again.tornado)
    for name in OUTCOMES:
        a, b = getattr(one, name), getattr(other, name)
        assert a.total[50] != b.total[50]
        assert abs(a.total[50] - b.total[50]) < SIMULATED * np.hypot(a.simulation_error, b.simulation_error), name


def test_scenarios_share_their_draws():
    lines, base = several(), at_once(agreement=Regime(cuts="cd"))
    fewer, more = sim(lines, base, 500), sim(lines, replace(base, agreement=FREE), 500)
    assert (more.exports.draws > fewer.exports.draws).all()
    inputs = [draw_inputs(lines, s, 500, 1) for s in (base, replace(base, utilisation=0.4))]
    np.testing.assert_array_equal(inputs[0].sigma, inputs[1].sigma)
    np.testing.assert_array_equal(inputs[0].cost_pct, inputs[1].cost_pct)


def test_everything_scales_with_trade_and_the_base_year_adds_its_part():
    lines = several()
    once, twice = sim(lines, at_once()), sim(lines.assign(trade_usd_m=2 * lines["trade_usd_m"]), at_once())
    np.testing.assert_allclose(twice.exports.draws, 2 * once.exports.draws, rtol=EXACT)
    unsure = sim(lines, at_once(base_factors=(0.5, 1.0, 1.5)), 2000)
    assert unsure.tornado.loc["base", "rank_correlation"] > 0.2
    assert unsure.tornado["variance_share"].between(0, 1).all()


def test_the_cap_on_elasticities_holds():
    wild = line(cd=30, sigma=31.7, spread=0.8)
    drawn = draw_inputs(wild, at_once(sigma_cap=12.0), 500, 1)
    assert drawn.sigma.max() == 12.0
    capped, looser = (sim(wild, at_once(sigma_cap=cap)).exports.total[95] for cap in (12.0, 40.0))
    assert capped < looser
    assert np.isfinite(sim(wild, at_once(sigma_cap=200.0, supply=(inf,))).exports.draws).all()


def test_ten_thousand_draws_of_every_chapter_are_quick():
    lines, scenario = several(), at_once()
    took = []
    for _ in range(3):
        begin = time.perf_counter()
        simulate(lines, scenario, n_draws=10_000, seed=1)
        took.append(time.perf_counter() - begin)
    assert min(took) < SECONDS


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (line().drop(columns="rd_pct"), "lack rd_pct"),
        (line(cd=np.nan), "duties are missing"),
        (line(cd=-1.0), "must not be negative"),
        (line(trade=-1.0), "trade_usd_m"),
        (line(trade=0.0), "no line has trade"),
        (line(share=0.0), "supplier_share"),
        (line(share=1.2), "supplier_share"),
        (line(sigma=0.9), "exceed 1"),
        (pd.concat([line(), line()]), "stands twice"),
    ],
)
def test_lines_it_cannot_use_are_refused(lines, said):
    with pytest.raises(ModelInputError, match=said):
        sim(lines, at_once())


def test_assumptions_that_make_no_sense_are_refused():
    for wrong, said in (
        ({"utilisation_sd": 0.6}, "Beta"),
        ({"utilisation": 1.2}, "Beta"),
        ({"horizon": -1}, "years"),
        ({"eps_median": 0.0}, "eps_median"),
        ({"sigma_cap": 1.0}, "sigma_cap"),
        ({"supply": ()}, "supply"),
        ({"base_factors": (0.0,)}, "base_factors"),
    ):
        with pytest.raises(ModelInputError, match=said):
            at_once(**wrong)
    with pytest.raises(ModelInputError, match="cuts"):
        Regime(cuts="vat")
    with pytest.raises(ModelInputError, match="fractions"):
        Regime(coverage=1.5)
    with pytest.raises(ModelInputError, match="draws"):
        sim(line(), at_once(), 10)


def test_gsim_of_one_closed_pair_is_the_nest_to_first_order():
    """Two exporters, one of which buys all: GSIM's prices equal the nest's for a small cut."""
    names = ["A", "B", "C"]
    trade = pd.DataFrame([[0, 0, 20], [0, 0, 80], [1e-9, 1e-9, 1e-9]], index=names, columns=names, dtype=float)
    before = pd.DataFrame(1.1, index=names, columns=names)
    after = before.copy()
    after.loc["A", "C"] = 1.1 * 0.999
    same = {"demand": pd.Series(-1.5, names), "supply": pd.Series(5.0, names), "substitution": pd.Series(6.0, names)}
    found = gsim.solve(trade, before, after, **same)
    r = respond(np.log(0.999), 0.2, 6.0, 1.5, 0.2)
    assert found.world_prices["A"] == pytest.approx(float(r.log_price), rel=2e-3)
    assert found.world_prices["B"] == pytest.approx(float(r.log_other_price), rel=2e-3)


def test_gsim_refuses_what_does_not_fit():
    names = ["A", "B"]
    trade = pd.DataFrame([[1.0, 2], [3, 4]], index=names, columns=names)
    ones = pd.DataFrame(1.0, index=names, columns=names)
    same = {"demand": pd.Series(-1.0, names), "supply": pd.Series(1.0, names), "substitution": pd.Series(5.0, names)}
    for changed, said in (
        ({"trade": trade.iloc[::-1]}, "same economies"),
        ({"trade": -trade}, "both buy and sell"),
        ({"after": 0 * ones}, "positive"),
        ({"demand": pd.Series(1.0, names)}, "negative"),
    ):
        with pytest.raises(ModelInputError, match=said):
            gsim.solve(**({"trade": trade, "before": ones, "after": ones} | same | changed))
