"""Sentences on destinations at both ends: none survives a number that makes it false."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.models import concentration
from kbio_analysis.models.exposure import Reallocation, Shock
from kbio_analysis.models.market_gaps import TrackRecord
from kbio_analysis.models.month_standing import standing
from kbio_analysis.present import diversification as say
from kbio_analysis.present.diversification.dependence import moved, the
from kbio_analysis.present.figures.world_map import market_map


def panel(usa: tuple[float, float], china: tuple[float, float], asean: tuple[float, float]):
    shares = pd.DataFrame(
        {"United States": usa, "China": china, "ASEAN": asean, "European Union": (10.0, 10.0)}, index=[2018, 2023]
    )
    rest = 100 - shares.sum(axis=1)
    return shares, concentration.over_time(shares.assign(rest=rest))


@pytest.mark.parametrize(
    ("usa", "china", "word"),
    [
        ((12, 18.5), (27, 20), "about as much as the 39.0% of 2018"),
        ((12, 10), (27, 20), "9.0 points less than the 39.0% of 2018"),
        ((12, 18), (27, 27), "6.0 points more than the 39.0% of 2018"),
    ],
)
def test_the_answer_turns_with_the_joint_share(usa, china, word) -> None:
    shares, spread = panel(usa, china, (16, 17))
    text = say.answer_sentence(shares, spread, ["Japan", "United Kingdom"], base_year=2018)
    assert word in text
    assert f"China's share {moved(china[1] - china[0])}" in text
    assert "Japan and the United Kingdom" in text
    assert text.count(". ") == 0


def test_without_a_gap_the_answer_names_nobody() -> None:
    shares, spread = panel((12, 18), (27, 20), (16, 16))
    text = say.answer_sentence(shares, spread, [], base_year=2018)
    assert "no other market lies below" in text
    assert "ASEAN's did not move" in text


def test_small_changes_do_not_move() -> None:
    assert moved(0.04) == "did not move"
    assert moved(-0.06) == "fell by 0.1 points"
    assert the("Philippines") == "the Philippines"


def test_growth_words_follow_the_sign() -> None:
    before = pd.Series({"A": 50.0, "B": 50.0})
    shrink = concentration.shift_share(before, pd.Series({"A": 40.0, "B": 50.0}))
    even = concentration.shift_share(before, before * 2)
    assert "exports shrank by 10.0%" in say.shift_sentence(shrink, base_year=2018, last_year=2020)
    assert "gained in B (+5.0) and lost in A (−5.0)" in say.shift_sentence(shrink, base_year=2018, last_year=2020)
    assert "same pace" in say.shift_sentence(even, base_year=2018, last_year=2020)


def months(asean: list[float]) -> pd.DataFrame:
    index = pd.period_range("2025-07", periods=len(asean), freq="M")
    return pd.DataFrame({"ASEAN": asean, "USA": 10_000.0, "CHN": 11_000.0}, index=index)


@pytest.mark.parametrize(("asean", "best"), [([9e3, 12e3, 10e3], True), ([13e3, 12e3, 14e3], False)])
def test_the_month_is_called_the_best_only_if_it_is(asean: list[float], best: bool) -> None:
    table = months(asean)
    usa, china = (standing(table, "2025-08", "ASEAN", c) for c in ("USA", "CHN"))
    text = say.month_sentence(table, usa, china)
    assert ("no other month fits the claim as well" in text) == best
    assert ("number 3 from the top" in text) == (not best)
    assert f"in {usa.n_above} of 3" in text
    assert say.few_months_sentence(usa).startswith("3 months")


def past(low: float | None, made_up: float | None, high: float | None) -> Reallocation:
    falls = pd.DataFrame(
        {
            "iso3": "A",
            "year": range(2000, 2006),
            "loss_usd_m": 10.0,
            "elsewhere_usd_m": [1, -1] * 3,
            "gained_usd_m": 1.0,
        }
    )
    return Reallocation(episodes=falls, made_up=made_up, low=low, high=high, level=90)


@pytest.mark.parametrize(
    ("interval", "phrase", "net"),
    [
        ((-0.5, 0.4, 1.5), "neither nothing nor everything can be ruled out", "between nothing and US$1.0bn"),
        ((0.2, 0.4, 0.6), "some was made up, and not all", "between US$0.4bn and US$0.8bn"),
        ((0.3, 0.7, 1.2), "some was made up, perhaps all", "between nothing and US$0.7bn"),
        ((-0.2, 0.1, 0.4), "not all was made up, and perhaps nothing", "between US$0.6bn and US$1.0bn"),
        ((-0.9, -0.5, -0.2), "nothing was made up", "at US$1.0bn"),
    ],
)
def test_what_is_made_up_is_said_as_the_interval_has_it(interval, phrase: str, net: str) -> None:
    lost = Shock(loss_usd_m=1000.0, loss_pct=0.2)
    text = say.reallocation_sentence(past(*interval), lost, fall_pct=10, min_share_pct=4)
    assert phrase in text
    assert f"lies {net}," in text
    assert ("less for each dollar" in text) == (interval[1] < 0)
    assert "6 different years" in text
    assert "in 3 of them" in text


def test_too_few_falls_cannot_tell() -> None:
    text = say.reallocation_sentence(
        past(None, None, None), Shock(loss_usd_m=1.0, loss_pct=0.0), fall_pct=40, min_share_pct=10
    )
    assert "cannot be told" in text


@pytest.mark.parametrize(
    ("loss", "share", "words"), [(25e3, 3.9, "US$25.0bn or 3.9%"), (0.02, 1e-5, "US$20,000 or less")]
)
def test_a_shock_reads_at_both_sizes(loss: float, share: float, words: str) -> None:
    text = say.shock_sentence(Shock(loss_usd_m=loss, loss_pct=share), partner="Tuvalu", shock_pct=1, year=2023)
    assert words in text


def test_the_ratio_never_reads_as_a_share() -> None:
    high = say.gdp_sentence(pd.Series({2010: 88.0, 2011: 101.0, 2012: 84.0}))
    low = say.gdp_sentence(pd.Series({2010: 60.0, 2011: 61.0}))
    assert "reached 90% in 2011." in high
    assert "passed 100% in 2011" in high
    assert "reached 90% in no year" in low
    assert "passed 100%" not in low
    assert "is not held here" in say.goods_sentence(1.0, None, 2023)


@pytest.mark.parametrize(
    ("share", "phrase"), [(0.8, "foretold something"), (0.5, "a coin"), (0.2, "fewer than chance")]
)
def test_a_residual_that_foretold_growth_is_given_its_due(share: float, phrase: str) -> None:
    track = TrackRecord(correlation=-0.3, p_value=0.04, faster_share=share, n=100, n_below=60)
    text = say.track_sentence(track, then=(2009, 2013), now=(2019, 2023))
    assert phrase in text
    assert ("no map of what came" in text) == (share <= 0.6)
    assert "cannot be told" in say.track_sentence(None, then=(2009, 2013), now=(2019, 2023))


def test_candidates_sentence_counts_agreements() -> None:
    found = pd.DataFrame({"partner": ["Japan", "Iran"], "gap_usd_m": [2e3, 1e3]}, index=["JPN", "IRN"])
    none, one = pd.Series(dtype=int), pd.Series({"JPN": 2022})
    assert "None of these markets has an agreement" in say.candidates_sentence(found, none)
    assert "1 of the 2 widest already have" in say.candidates_sentence(found, one)
    assert "No market but" in say.candidates_sentence(found.iloc[:0], none)


def test_the_map_stays_small_and_says_who_is_on_it(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = {}
    monkeypatch.setattr("kbio_analysis.present.figures.canvas.show", lambda payload, _: shown.update(payload))
    square = np.array([[0, 0], [20, 0], [20, 20], [0, 20], [0, 0]], dtype=float)
    outlines = {"AAA": [square], "KOR": [square + 40], "CCC": [square - 60]}
    names = pd.Series({"AAA": "Alpha", "BBB": "Beta"})
    market_map(pd.Series({"AAA": 0.5, "BBB": 4.0}), outlines, names, home="KOR", source="none")
    assert "1 market a third to two thirds" in shown["alt"]
    assert "Too small to draw, with 3 times and more: Beta" in shown["caption"]
    assert "AAA,Alpha,0.5" in shown["csv"]
    assert len(shown["svg"]) < 150_000
