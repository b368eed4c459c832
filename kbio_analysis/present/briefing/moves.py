"""What would change our mind: the number each conclusion rests on, and how far it stands from where that would flip."""

from dataclasses import dataclass

import pandas as pd

from kbio_analysis.present.briefing.numbers import found
from kbio_analysis.present.briefing.records import EFFECT, Record, Records, label, number
from kbio_analysis.present.outputs import SIMULATED_RTOL, record
from kbio_analysis.present.tables import table
from kbio_analysis.present.text import chance, join, usd_m


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """``move`` is what would have to be added to ``now`` to reach ``turn``; None where ``now`` is not recorded.

    ``shown`` are now, turn and move as words; ``within_reach`` is false where the number cannot get there.
    """

    name: str
    conclusion: str
    rests_on: str
    record: str
    unit: str
    now: float | None
    turn: float | None
    shown: tuple[str, str, str]
    within_reach: bool = True

    @property
    def move(self) -> float | None:
        return None if self.now is None or self.turn is None else self.turn - self.now


def moves(records: Records, *, even_odds: float, significance: float) -> list[Move]:
    """Every conclusion's distance from its turning point, in the order of the briefing."""
    forecast, india, agreements = (records[n] for n in ("11_export_forecast", "20_india_cepa", "21_fta_record"))
    return [
        _odds("target", "The export target", forecast, "probability_of_target", even_odds),
        _exports(forecast),
        _odds("place", "A place among the top five", records["12_top_five"], "probability_of_place", even_odds),
        _odds(
            "trial_hub",
            "Third place among trial hubs",
            records["13_reform_clock"],
            "probability_of_trial_rank",
            even_odds,
        ),
        _p("india", "The agreement with India", india, ("p_demeaned", "p_floor_demeaned"), significance),
        _p("agreements", "All agreements", agreements, ("randomisation_p", "randomisation_p_floor"), significance),
        _bangladesh(records["22_bangladesh_cepa"]),
        _dependence(records["30_diversification"]),
    ]


def moves_sentence(found_moves: list[Move]) -> str:
    """Which conclusion of the same kind stands nearest to its turn, and what is not told."""
    untold = [m.conclusion.lower() for m in found_moves if m.move is None]
    odds = [m for m in found_moves if m.unit == "probability" and m.move is not None and m.name in _ODDS]
    parts = []
    if odds:
        nearest = min(odds, key=lambda m: abs(m.move))
        parts.append(f"Of the odds, those of {_lower(nearest.conclusion)} are nearest to their turn.")
    beyond = [m.conclusion for m in found_moves if not m.within_reach]
    if beyond:
        parts.append(f"No result could turn {join([_lower(b) for b in beyond])}: the smallest p possible is larger.")
    if untold:
        parts.append(f"Not told, for want of the record: {join(untold)}.")
    return " ".join(parts)


def show_moves(found_moves: list[Move]) -> None:
    """The table of distances."""
    rows = [
        {
            "Conclusion": m.conclusion,
            "Rests on": m.rests_on,
            "Now": m.shown[0],
            "Turns at": m.shown[1],
            "Move": m.shown[2],
            "Record": m.record,
        }
        for m in found_moves
    ]
    caption = "What would change our mind: the number that would have to move, and by how much"
    formats = dict.fromkeys(("Now", "Turns at", "Move"), str)
    table(pd.DataFrame(rows), id="moves", caption=caption, source="", formats=formats)


def record_moves(found_moves: list[Move]) -> None:
    """The distances as results."""
    for m in found_moves:
        meaning = f"{_lower(m.conclusion)}: move of {m.rests_on} that would turn it"
        record(f"move_{m.name}", m.move, unit=m.unit, meaning=meaning, rtol=SIMULATED_RTOL)


_ODDS = ("target", "place", "trial_hub")


def _lower(words: str) -> str:
    return words[0].lower() + words[1:]


def _odds(name: str, what: str, one: Record, result: str, even: float) -> Move:
    now = number(one, result)
    shown = ("–", chance(even), "–") if now is None else (chance(now), chance(even), _points(100 * (even - now)))
    return Move(
        name=name, conclusion=what, rests_on="its chance", record=label(one), unit="probability", now=now, turn=even,
        shown=shown,
    )  # fmt: skip


def _points(move: float) -> str:
    return f"{move:+.0f} points".replace("-", "−")


def _exports(one: Record) -> Move:
    """By how much the median path would have to lie elsewhere to end at the target."""
    now = found(one, "fan median")
    aim = None if now is None else one.parameters["base_value_usd_m"] * one.parameters["target_multiple"]
    shown = ("–", "–", "–")
    if now and aim:
        shown = (usd_m(now), usd_m(aim), f"{100 * (aim / now - 1):+.0f}%".replace("-", "−"))
    return Move(
        name="exports_usd_m", conclusion="Exports in the target year", rests_on="the median path", record=label(one),
        unit="US$ million", now=now, turn=aim, shown=shown,
    )  # fmt: skip


def _p(name: str, what: str, one: Record, results: tuple[str, str], significance: float) -> Move:
    now, floor = (number(one, result) for result in results)
    shown = ("–", f"p = {significance:.2g}", "–")
    if now is not None:
        shown = (f"p = {now:.2g}", shown[1], f"{significance - now:+.2g}".replace("-", "−"))
    reach = floor is None or floor <= significance
    return Move(
        name=f"{name}_p", conclusion=what, rests_on="its p against chance", record=label(one), unit="probability",
        now=now, turn=significance, shown=shown, within_reach=reach,
    )  # fmt: skip


def _bangladesh(one: Record) -> Move:
    """The end of the range that is nearer to zero decides the sign."""
    ends = [number(one, name) for name in EFFECT[1:]]
    now = None if None in ends else ends[1] if ends[1] < 0 else ends[0]
    shown = ("–", "zero", "–") if now is None else (usd_m(now), "zero", usd_m(-now))
    return Move(
        name="bangladesh_usd_m", conclusion="The sign for Bangladesh", rests_on="the near end of the range",
        record=label(one), unit="US$ million a year", now=now, turn=0.0, shown=shown,
    )  # fmt: skip


def _dependence(one: Record) -> Move:
    now = number(one, "share_usa_china_change_points")
    shown = ("–", "zero", "–") if now is None else (_tenths(now), "zero", _tenths(-now))
    return Move(
        name="dependence_points", conclusion="Direction of the US and China's share", rests_on="its change",
        record=label(one), unit="percentage points", now=now, turn=0.0, shown=shown,
    )  # fmt: skip


def _tenths(points: float) -> str:
    return f"{points:+.1f} points".replace("-", "−")
