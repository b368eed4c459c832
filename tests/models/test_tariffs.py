"""A change of duties: closed forms, a known elasticity found again, a slow twin."""

from dataclasses import replace
from math import inf

import numpy as np
import pandas as pd
import pytest
from scipy.integrate import quad
from scipy.optimize import root

from kbio_analysis.models.tariffs import (
    DFQF,
    MFN,
    OUTCOMES,
    Regime,
    Scenario,
    draw_inputs,
    last_exports,
    response,
    simulate,
    surplus_change,
)

EXACT = 1e-9  # closed forms, up to rounding
TWIN = 1e-6  # the twin's root finder stops at about 1e-10, sums of hundreds amplify it
SIMULATED = 0.05  # medians of 3,000 draws apart; three times what seeds differ by

FREE = Regime(cuts="cd+rd+sd")
CERTAIN = {"utilisation": 1.0, "utilisation_sd": 0.0, "compliance_cost_pct": 0.0, "eps_log_sd": 0.0, "supply": (inf,)}


def line(trade=100.0, cd=10.0, rd=0.0, sd=0.0, share=0.1, sigma=5.0, spread=0.0):
    row = {"trade_usd_m": trade, "cd_pct": cd, "rd_pct": rd, "sd_pct": sd, "supplier_share": share}
    return pd.DataFrame(row | {"sigma_median": sigma, "sigma_log_sd": spread}, index=pd.Index([61], name="hs2"))


def several(n=97, seed=5):
    rng = np.random.default_rng(seed)
    columns = {"cd_pct": (0, 25), "rd_pct": (0, 5), "sd_pct": (0, 20), "supplier_share": (0.005, 0.4)}
    columns |= {"sigma_median": (3, 11), "sigma_log_sd": (0.4, 0.7)}
    trade = {"trade_usd_m": rng.lognormal(1, 1.5, n)}
    drawn = {name: rng.uniform(*ends, n) for name, ends in columns.items()}
    return pd.DataFrame(trade | drawn, index=pd.Index(range(1, n + 1), name="hs2"))


def at_once(**changes):
    return Scenario(**({"today": MFN, "agreement": FREE, "horizon": 0} | changes))


def sim(lines, scenario, n_draws=200, seed=1):
    return simulate(lines, scenario, n_draws=n_draws, seed=seed)


def test_creation_from_ten_per_cent_to_nothing_linear_and_exact():
    found = sim(line(share=1.0), at_once(**CERTAIN))
    middle = found.totals[50]
    assert middle["smart"] == pytest.approx(13.64, abs=0.005)
    assert middle["creation"] == pytest.approx(15.37, abs=0.005)
    assert middle["creation"] == pytest.approx(100 * (1.1**1.5 - 1), abs=EXACT)
    assert middle["diversion"] == pytest.approx(0, abs=EXACT)
    assert middle["revenue"] == pytest.approx(-10, abs=EXACT)


def test_the_whole_wedge_is_simulated_cuts_take_their_part_and_a_margin_below_the_cost_is_not_claimed():
    for cuts, rest in {"none": 38.0, "cd": 26.0, "cd+rd": 20.0, "cd+rd+sd": 0.0}.items():
        found = sim(line(cd=10, rd=5, sd=20), at_once(**CERTAIN | {"agreement": Regime(cuts=cuts)}))
        assert found.wedge.loc[61, ["today", "agreement"]].to_list() == pytest.approx([38.0, rest])
        assert (found.totals.at["exports", 50] > 0) == (cuts != "none")
    costly = at_once(**CERTAIN | {"compliance_cost_pct": 3.0})
    small, large = sim(line(cd=2), costly, 4000), sim(line(cd=10), costly, 4000)
    assert (small.draws["exports"] > 0).mean() == pytest.approx(1 / 3, abs=0.03)  # even on 0..6 per cent, margin of 2
    assert (large.draws["exports"] > 0).all()


def test_consumer_surplus_is_the_area_under_demand():
    for eps in (0.7, 1.0, 1.8):
        area = quad(lambda p, e=eps: 50 * p**-e, 0.9, 1)[0]
        assert surplus_change(50, np.log(0.9), eps) == pytest.approx(area, abs=EXACT)


def test_a_known_elasticity_is_found_again():
    small = 1e-6  # a supplier too small to move the price index
    found = sim(line(share=small, sigma=6.3), at_once(**CERTAIN))
    grown = 1 + found.totals.at["exports", 50] / 100
    assert np.log(grown) / np.log(1.1) == pytest.approx(6.3, rel=1e-4)
    spread = sim(line(share=small, sigma=6.3, spread=0.3), at_once(**CERTAIN | {"sigma_cap": 60.0}), 4000)
    assert spread.totals.at["exports", 50] == pytest.approx(found.totals.at["exports", 50], rel=SIMULATED)


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
    scenario = at_once(today=DFQF, without=MFN, agreement=Regime(cuts="cd+rd", coverage=0.7))
    found, drawn = sim(lines, scenario, n, seed=9), draw_inputs(lines, scenario, n, 9)
    expected = {name: np.zeros(n) for name in OUTCOMES}
    for k in range(n):
        used, cost = drawn["utilisation"][0, k], drawn["cost_pct"][0, k]
        mu = inf if drawn["inverse_supply"][0, k] == 0 else 1 / drawn["inverse_supply"][0, k]
        for i, (_, row) in enumerate(lines.iterrows()):
            cd, rd, sd = row.cd_pct / 100, row.rd_pct / 100, row.sd_pct / 100
            full = (1 + cd + rd) * (1 + sd)

            def power(cd_left, rd_left, covered, full=full, sd=sd, used=used, cost=cost):
                preferred = (1 + cd_left + rd_left) * (1 + sd)
                claimed = used if 100 * (full - preferred) > cost else 0.0
                return full * (1 + claimed * covered * (preferred / full - 1))

            today = power(0, rd, 0.95)
            agreed = min(full, power(0, 0, 0.7))
            others = row.trade_usd_m * (1 / row.supplier_share - 1)
            spent = np.array([row.trade_usd_m * today, others * full])
            for sign, now in ((1, agreed), (-1, full)):
                sigma, eps = drawn["sigma"][i, k], drawn["eps"][i, k]
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
        np.testing.assert_allclose(found.draws[name], expected[name], rtol=TWIN, atol=TWIN, err_msg=name)


def test_graduation_counts_from_its_year_and_the_agreement_keeps_the_access():
    keeps = Scenario(today=DFQF, without=MFN, without_from=3, horizon=6, agreement=Regime(cuts="cd", coverage=0.95))
    found = sim(line(cd=12), keeps, 500)
    assert (found.year_draws[:3] == 0).all()
    assert (np.percentile(found.year_draws[3:], 5, axis=1) > 0).all()
    assert (found.draws["revenue"] < 0).all()
    nothing = sim(line(cd=12), replace(keeps, agreement=MFN), 500)
    assert (nothing.year_draws == 0).all()  # without an agreement there is nothing it changes
    widened = sim(line(cd=12), replace(keeps, agreement=Regime(cuts="cd")), 500)
    assert np.median(widened.year_draws[0]) > 0  # the lines duty-free entry had left out


def test_yearly_cuts_start_at_entry_and_end_on_time_and_a_part_may_come_at_once():
    found = sim(line(), at_once(**CERTAIN | {"agreement": Regime(cuts="cd", phase_years=5), "horizon": 6}))
    middle = np.median(found.year_draws, axis=1)
    assert (np.diff(middle[:5]) > 0).all()
    assert middle[4] == middle[6] == found.totals.at["exports", 50]
    first = sim(line(), at_once(**CERTAIN | {"agreement": Regime(cuts="cd", coverage=0.2)}))
    assert middle[0] == pytest.approx(first.totals.at["exports", 50], rel=0.03)  # a fifth of the cut, of the lines
    quick = Regime(cuts="cd", at_entry=0.25, phase_years=5)
    assert [quick.stage(y) for y in (0, 4, 9)] == pytest.approx([0.25 + 0.75 / 5, 1, 1])
    half = sim(line(), at_once(**CERTAIN | {"agreement": Regime(cuts="cd", depth=0.5)}))
    assert half.wedge.loc[61, "agreement"] == pytest.approx(5)


def test_runs_share_their_draws_scale_with_trade_and_leave_lines_without_trade_alone():
    lines, base = several(), at_once(agreement=Regime(cuts="cd"))
    fewer, more = sim(lines, base, 500), sim(lines, replace(base, agreement=FREE), 500)
    assert (more.draws["exports"] > fewer.draws["exports"]).all()
    np.testing.assert_array_equal(fewer.year_draws, sim(lines, base, 500).year_draws)
    twice = sim(lines.assign(trade_usd_m=2 * lines["trade_usd_m"]), base, 500)
    np.testing.assert_allclose(twice.draws["exports"], 2 * fewer.draws["exports"], rtol=EXACT)
    lines.loc[[2, 5], "trade_usd_m"] = 0.0
    found = sim(lines, base)
    assert not {2, 5} & set(found.per_line.index)
    np.testing.assert_array_equal(found.draws["exports"], sim(lines.drop(index=[2, 5]), base).draws["exports"])


@pytest.mark.parametrize("without", [None, MFN])
def test_the_last_years_exports_alone_are_those_of_the_whole_run(without):
    case = Scenario(today=DFQF, without=without, without_from=3, horizon=6, agreement=FREE, lagged=True)
    alone = last_exports(several(), case, n_draws=250, seed=4)
    assert alone == pytest.approx(sim(several(), case, 250, 4).draws["exports"], rel=EXACT)
    assert len(np.unique(alone)) == 250


def test_trade_responds_over_ten_years_and_a_loss_that_came_before_entry_is_further_on():
    assert response([-1, 0, 9, 30]) == pytest.approx([0, 0.38, 1, 1])
    felt = sim(line(share=1e-6), at_once(**CERTAIN, lagged=True, horizon=12))
    whole = sim(line(share=1e-6), at_once(**CERTAIN, horizon=12))
    grown = np.log1p(felt.year_draws[:, 0] / 100) / np.log1p(whole.year_draws[0, 0] / 100)
    assert grown == pytest.approx(response(np.arange(13)))
    assert felt.draws["revenue"][0] == pytest.approx(whole.draws["revenue"][0])
    after = [Scenario(today=DFQF, without=MFN, without_from=w, horizon=2, agreement=MFN, lagged=True) for w in (-4, 0)]
    older, newer = (np.median(sim(line(cd=12), one, 300).without_draws[-3:], axis=1) for one in after)
    assert (older < newer).all()
    assert (newer < 0).all()
