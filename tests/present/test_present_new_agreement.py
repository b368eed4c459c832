"""Every sentence on a new agreement at both ends of what it reads."""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.models.new_agreement import Effects
from kbio_analysis.models.reference_class import MixturePrediction
from kbio_analysis.models.trade_baseline import Baseline, IncomeElasticity, Standing
from kbio_analysis.present import new_agreement as words

CELL = "graduation_2026"


@dataclass(frozen=True)
class Partner:
    name: str = "Atlantis"
    iso3: str = "ATL"
    group: str = "Oceania"
    agreements: tuple[str, ...] = ()
    since: int | None = None
    pending: tuple[tuple[str, str], ...] = ()
    ships: bool = False


def outlook(flows: tuple[str, ...] = ("exports", "imports"), growth: float = 5.0) -> Baseline:
    paths = {flow: np.tile(np.linspace(100, 200, 14), (101, 1)) for flow in flows}
    return Baseline(
        years=tuple(range(2024, 2038)),
        standings={flow: Standing(base_usd_m=90.0, scale=0.3) for flow in flows},
        paths=paths,
        growth_pct=growth,
        elasticities={"exports": 1.0, "imports": 1.0},
    )


def found(transfer: float, tariffs: float | None = None, *, flows=("exports", "imports"), loss=None) -> Effects:
    wiggle = np.linspace(-1, 1, 101)[:, None] * np.ones((1, 3))
    draws = {("transfer", flow, CELL): transfer + wiggle for flow in flows}
    if tariffs is not None:
        draws |= {("tariffs", flow, CELL): tariffs + 0.5 * wiggle for flow in flows}
    lost = {} if loss is None else {CELL: loss * np.ones((101, 3))}
    return Effects(years=(2035, 2036, 2037), draws=draws, loss=lost, imports=100 * np.ones((101, 3)))


EMPTY = Effects(years=(2035, 2036, 2037), draws={}, loss={}, imports=None)


class TestAnswer:
    def test_a_gain_by_both_methods(self) -> None:
        text = words.answer_sentence(found(10, 30), outlook(), Partner(), start=2027)
        assert "In 2037, 10 years after entry" in text
        assert "would add" in text
        assert "to two-way trade" in text
        assert "past agreements alone US$20m, with a chance of over 99% that" in text
        assert "and tariff cuts alone US$60m" in text
        assert "over 99%" in text

    def test_a_loss_by_one(self) -> None:
        text = words.answer_sentence(found(-10), outlook(), Partner(), start=2036)
        assert "1 year after entry" in text
        assert "would take US$20m a year from two-way trade" in text
        assert "under 1%" in text
        assert "no tariff is held for both flows" in text

    def test_one_flow_only(self) -> None:
        one = outlook(("exports",))
        text = words.answer_sentence(found(10, flows=("exports",)), one, Partner(), start=2027)
        assert "to Korea's exports, the only flow with enough record," in text

    def test_a_partner_that_has_one(self) -> None:
        text = words.answer_sentence(found(10), outlook(), Partner(agreements=("ASEAN",), since=2007), start=2027)
        assert "a first agreement with a partner like Atlantis, which has had one since 2007" in text

    def test_nothing_can_be_told(self) -> None:
        ships = words.answer_sentence(EMPTY, outlook(()), Partner(ships=True), start=2027)
        short = words.answer_sentence(EMPTY, outlook(()), Partner(), start=2027)
        thin = words.answer_sentence(EMPTY, outlook(), Partner(), start=2027)
        assert "ships under its flag" in ships
        assert "too short or has stopped" in short
        assert "too thin" in thin


def test_standing_names_what_is_in_force_pending_and_free() -> None:
    none = words.standing_sentence(Partner(pending=(("Korea-Atlantis CEPA", "signed"),)), {}, coverage_pct=95)
    assert "no goods agreement in force" in none
    assert "Korea-Atlantis CEPA has been signed" in none
    old = words.standing_sentence(Partner(agreements=("ASEAN", "RCEP"), since=2007), {}, coverage_pct=95)
    assert "already move under ASEAN and RCEP, since 2007" in old
    poor = words.standing_sentence(Partner(), {"imports": "dfqf"}, coverage_pct=95)
    assert "about 95% of lines" in poor


def test_methods_that_meet_and_that_do_not() -> None:
    assert "each lies within" in words.pooled_sentence(found(10, 10.2))
    assert "neither lies within" in words.pooled_sentence(found(10, 300))
    assert "Only one method" in words.pooled_sentence(found(10))
    assert "Only one method" in words.pooled_sentence(EMPTY)


def test_base_names_a_missing_flow_and_diesel() -> None:
    history = pd.DataFrame({"exports_usd_m": [80.0, 90, 95], "imports_usd_m": [1.0, 2, 3]}, index=[2021, 2022, 2023])
    diesel = pd.DataFrame({"value": [972.0, 121.0], "period": ["2022", "2021"]})
    full = words.base_sentence(history, outlook(), diesel, Partner())
    assert "US$121m in 2021 and US$972m in 2022" in full
    lone = words.base_sentence(history, outlook(("exports",)), diesel.iloc[:0], Partner())
    assert "For Korea's imports the record of Atlantis is too short" in lone
    assert "Diesel" not in lone


@pytest.mark.parametrize("basis", ["given", "own", "median"])
def test_growth_says_where_it_is_from(basis: str) -> None:
    claims = pd.DataFrame({"value": [5.0, 7.0], "period": ["2021", "2024"]})
    text = words.growth_sentence(outlook(), basis, claims, Partner(), year=2037)
    assert "5.0% a year" in text
    assert "5.0% (2021) would make it US$400m" in text
    assert "7.0% (2024) would make it US$521m" in text
    assert "medians" not in words.growth_sentence(outlook(), basis, claims.iloc[:0], Partner(), year=2037)


def test_elasticity_in_step_or_not() -> None:
    def fit(value: float) -> IncomeElasticity:
        return IncomeElasticity(value=value, se=0.1, n_partners=9, n_observations=99)

    assert "about in step" in words.elasticity_sentence({"exports": fit(1.0), "imports": fit(0.9)})
    assert "not both are in step" in words.elasticity_sentence({"exports": fit(2.0), "imports": fit(0.9)})


def test_baseline_and_coverage() -> None:
    assert "US$200m" in words.baseline_sentence(outlook(), year=2037)
    assert words.baseline_sentence(outlook(()), year=2037) == "Without a base there is no path."
    table = pd.DataFrame({"share": [0.9], "n": [100], "low": [0.85], "high": [0.94]}, index=["exports"])
    good = words.coverage_sentence(table, table, horizon=14, origin=2018)
    bad = words.coverage_sentence(table.assign(share=0.7, high=0.8, low=0.6), table, horizon=14, origin=2018)
    assert "as they should" in good
    assert "as they should" not in bad
    assert "70% for exports" in bad


def test_transfer_and_doubling() -> None:
    one = np.array([1.0])
    sure = MixturePrediction(tau=one, weight=one, centre=one * 5, scale=one * 0.1)
    text = words.transfer_sentence({"exports": sure}, {}, n_agreements=17)
    assert "over 99% for more than nothing" in text
    assert "too thin" in words.transfer_sentence({}, {}, n_agreements=0)
    india = pd.Series([100.0, 170.0, 200.0], index=[2009, 2019, 2023])
    assert "hardly moves it" in words.doubling_sentence((0.5, 0.52), india, start=2027)
    assert "raises it" in words.doubling_sentence((0.5, 0.6), india, start=2027)
    assert "lowers it" in words.doubling_sentence((0.6, 0.5), india, start=2027)
    assert "1.7 times" in words.doubling_sentence(None, india, start=2027)
    assert "2.0 times by 2023" in words.doubling_sentence(None, india, start=2027)


def test_graduation_costs_or_changes_nothing() -> None:
    text = words.cells_sentence(found(1, 20, loss=-10.0), years=(2035, 2037))
    assert "US$30m if it comes in 2026, of which an agreement would save US$30m" in text
    half = words.cells_sentence(found(1, 5, loss=-10.0), years=(2035, 2037))
    assert "would save US$15m" in half
    assert "changes nothing" in words.cells_sentence(found(1, 5), years=(2035, 2037))


def test_drivers_and_limits() -> None:
    table = pd.DataFrame({"input": ["Method", "Use of the preference"], "low": [-3.0, 5.0], "high": [9.0, 7.0]}).assign(
        low_end="a", high_end="b"
    )
    text = words.drivers_sentence(table)
    assert "Method moves the median most: −US$3.0m" in text
    assert "how much it is used US$5.0m to US$7.0m" in text
    assert "negotiators" not in words.drivers_sentence(table.iloc[:1])
    assert "Nothing can be varied" in words.drivers_sentence(table.iloc[:0])
    assert "upgrade" in words.limit_sentences(Partner(agreements=("ASEAN",)), found(1))[0]
    assert "patents" in words.limit_sentences(replace(Partner(), iso3="BGD"), found(1))[-1]


def test_earlier_forecasts() -> None:
    row = {"kind": ["ex_ante"], "unit": ["per cent"], "flow": ["exports"], "value": [80.0]}
    index = pd.MultiIndex.from_tuples([("India", "exports")])
    text = words.ex_ante_sentence(pd.DataFrame(row), pd.Series([np.log(1.4)], index=index))
    assert "+80% foretold, +40% measured (0.50)" in text
    assert "No earlier forecast" in words.ex_ante_sentence(pd.DataFrame(row), pd.Series(dtype=float))


def test_money_and_rows() -> None:
    assert [words.money(v) for v in (0, 0.01, -0.4, 12, 999.6, -2500)] == [
        "US$0",
        "US$0.0m",
        "−US$0.4m",
        "US$12m",
        "US$1.0bn",
        "−US$2.5bn",
    ]
    rows = words.effect_rows(found(10, 30))
    assert rows[rows.method == "tariffs"].p_positive.isna().all()
    assert len(rows) == 9
    assert words.effect_rows(EMPTY).empty
    assert words.answering(EMPTY) is None
    assert words.answering(found(1, flows=("imports",))) == ("transfer", "imports")
