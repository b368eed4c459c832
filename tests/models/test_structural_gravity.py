"""Structural gravity: a known effect recovered where simpler designs miss it, and a slow twin with every dummy."""

import numpy as np
import pandas as pd
import pytest

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models import agreement_record
from kbio_analysis.models import structural_gravity as sg
from kbio_analysis.models.gravity import ppml

EFFECT = {"exports": 0.30, "imports": -0.15}
AGREEMENTS = pd.DataFrame({"iso3": ["B", "C"], "agreement": ["B", "C"], "entry_year": [2005, 2005]})


def simulated(rng: np.random.Generator, *, economies: int = 14, noise: float = 0.3, start: int = 1995) -> pd.DataFrame:
    """A world in which A's agreements with B and C of 2005 change trade by EFFECT, while demand in B and C booms and
    partners that trade little sign: what a plain comparison would call an effect."""
    names = [chr(65 + i) for i in range(economies)]
    years = range(start, 2016, 5)
    size = {n: rng.normal(3, 1) for n in names}
    rows = []
    pair = {(i, j): rng.normal(0, 1) - 1.5 * ({i, j} <= {"A", "B", "C"}) for i in names for j in names}
    for year in years:
        supply = {n: size[n] + 0.04 * (year - start) + rng.normal(0, 0.2) for n in names}
        demand = {n: size[n] + (0.8 if n in "BC" and year >= 2005 else 0.0) + rng.normal(0, 0.2) for n in names}
        for i in names:
            for j in names:
                if i == j:
                    continue
                log = supply[i] + demand[j] + pair[i, j]
                if year >= 2005:
                    log += EFFECT["exports"] if i == "A" and j in "BC" else 0.0
                    log += EFFECT["imports"] if j == "A" and i in "BC" else 0.0
                rows.append((i, j, year, float(np.exp(log + rng.normal(0, noise) - noise**2 / 2)), 0))
    return pd.DataFrame(rows, columns=["exporter", "importer", "year", "trade_usd_m", "agreement"])


def test_the_effect_is_recovered_where_simpler_designs_are_biased() -> None:
    rng = np.random.default_rng(1)
    found, single, own = [], [], []
    for _ in range(12):
        world = simulated(rng, noise=0.1)
        found.append(sg.effects(world, AGREEMENTS, home="A").table["effect_log_points"].groupby("direction").mean())
        treated = (world.exporter == "A") & world.importer.isin(["B", "C"]) & (world.year >= 2005)
        frame = world.assign(on=treated.astype(float), pair=world.exporter + world.importer)
        single.append(ppml(frame, "trade_usd_m", ["on"], ["year"]).coefficients["on"])
        sold = frame[frame.exporter == "A"].pivot(index="year", columns="importer", values="trade_usd_m")
        never = {"exports": [name for name in sold if name not in "BC"]}
        own.append(agreement_record.record({"exports": sold}, AGREEMENTS.set_index("iso3"), never).effects.mean())
    mean = pd.DataFrame(found).mean()
    assert mean["exports"] == pytest.approx(EFFECT["exports"], abs=0.1)
    assert mean["imports"] == pytest.approx(EFFECT["imports"], abs=0.1)
    assert abs(np.mean(single) - EFFECT["exports"]) > 0.3  # small partners sign: a single dummy takes size for effect
    assert np.mean(own) - EFFECT["exports"] > 0.3  # the partners' boom is credited to the agreement


def test_a_slow_twin_with_every_dummy_agrees() -> None:
    world = simulated(np.random.default_rng(2), economies=6)
    found = sg.effects(world, AGREEMENTS, home="A")
    sides = {"exports": ("exporter", "importer"), "imports": ("importer", "exporter")}
    ours = {(a, d): (world[one] == "A") & (world[other] == a) for a in "BC" for d, (one, other) in sides.items()}
    first = {str(key): (pair & world.year.between(2005, 2014)).astype(float) for key, pair in ours.items()}
    later = {d: ((ours["B", d] | ours["C", d]) & (world.year >= 2015)).astype(float) for d in sides}
    dummies = [
        pd.get_dummies(world[key].astype(str) + world.year.astype(str), dtype=float) for key in ("exporter", "importer")
    ]
    dummies.append(pd.get_dummies(world.exporter + world.importer, dtype=float))
    design = pd.concat([pd.DataFrame(first | later), *dummies], axis=1)
    x, y = design.to_numpy(), world.trade_usd_m.to_numpy()
    mu = y + y.mean()
    for _ in range(50):  # iterated weighted least squares, the least-norm solution where dummies are redundant
        working, weight = np.log(mu) + (y - mu) / mu, np.sqrt(mu)
        params = np.linalg.lstsq(x * weight[:, None], working * weight, rcond=1e-10)[0]
        mu = np.exp(x @ params)
    slow = dict(zip(design.columns, params, strict=True))
    for key, value in found.table["effect_log_points"].items():
        assert value == pytest.approx(slow[str(key)], abs=1e-5)
    assert found.covariance.shape == (4, 4)
    assert np.sqrt(np.diag(found.covariance)) == pytest.approx(found.table.se_log_points.to_numpy())


def test_what_surrounds_a_break_leaves_home_out() -> None:
    step = {"before_from": 1995, "before_to": 2000, "after_from": 2005, "after_to": 2015}
    rows = [("B", "C", 1), ("A", "C", 50), ("C", "B", 7), ("A", "B", 90), ("B", "A", 90)]
    world = pd.DataFrame(
        [
            (i, j, y, usd * (3.0 if j == "C" and y >= 2005 else 1.0))
            for y in (1995, 2000, 2005, 2015)
            for i, j, usd in rows
        ],
        columns=["exporter", "importer", "year", "trade_usd_m"],
    )
    around = sg.elsewhere(world, step, home="A", partner="C", direction="exports")
    assert around.to_dict() == {"theirs": 3.0, "world": (3 + 7) / 8}
    assert sg.elsewhere(world, None, home="A", partner="C", direction="exports") is None


def test_a_duty_that_effects_follow_is_found() -> None:
    keys = pd.MultiIndex.from_product([list("PQRSTUV"), sg.DIRECTIONS], names=["agreement", "direction"])
    duty = pd.Series(np.arange(14.0), keys)
    table = pd.DataFrame({"effect_log_points": 0.02 * duty + np.tile([0.0, 0.3], 7)}, index=keys)
    found = agreement_record.AgreementRecord(table=table, covariance=pd.DataFrame(0.01 * np.eye(14), keys, keys))
    slope = sg.goes_with(found, duty.drop(("P", "exports")))
    assert (slope.coefficient, slope.n) == (pytest.approx(0.02), 13)


def test_the_average_lies_within_the_single_effects() -> None:
    world = simulated(np.random.default_rng(3))
    single = sg.effects(world, AGREEMENTS, home="A").table["effect_log_points"]
    mean = sg.average(world, AGREEMENTS, home="A")["effect_log_points"]
    for direction in sg.DIRECTIONS:
        own = single.xs(direction, level="direction")
        assert own.min() - 1e-6 <= mean[direction] <= own.max() + 1e-6


def test_an_event_study_breaks_in_the_year_of_entry() -> None:
    rng = np.random.default_rng(4)
    study = {"home": "A", "partner": "B", "base_until": 1995}
    found = pd.concat([sg.event_study(simulated(rng, noise=0.1), AGREEMENTS, **study) for _ in range(8)])
    mean = found[found.direction == "exports"].groupby("year").effect_log_points.mean()
    assert mean[2000] == pytest.approx(0, abs=0.1)
    assert mean[2005] == pytest.approx(EFFECT["exports"], abs=0.1)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"home": "Z"}, "holds no Z"),
        ({"agreements": pd.concat([AGREEMENTS, AGREEMENTS])}, "a partner stands twice"),
        ({"agreements": AGREEMENTS.assign(entry_year=2030)}, "no agreement of A"),
    ],
)
def test_refusals_name_what_is_wrong(changes: dict, words: str) -> None:
    world = simulated(np.random.default_rng(5), economies=5)
    with pytest.raises(ModelInputError, match=words):
        sg.effects(world, **{"agreements": AGREEMENTS, "home": "A"} | changes)
    with pytest.raises(ModelInputError, match="holds no Q"):
        sg.event_study(world, AGREEMENTS, home="A", partner="Q", base_until=1995)


def test_one_agreement_by_itself_or_nothing_on_record() -> None:
    world = simulated(np.random.default_rng(3))
    found = sg.of_partner(world, AGREEMENTS, home="A", partner="B", start=2005)
    own = found.table.loc["exports"]
    assert own.high - own.effect_log_points == pytest.approx(1.96 * own.se_log_points)
    assert found.records(found.step("exports", 2005))["structural_exports_log_points"] == own.effect_log_points
    for nothing in ({"partner": "B", "start": None}, {"partner": "ZZ", "start": 2005}):
        empty = sg.of_partner(world, AGREEMENTS, home="A", **nothing)
        assert empty.step("exports", 2005) is None
        assert set(empty.records(None).values()) == {None}
