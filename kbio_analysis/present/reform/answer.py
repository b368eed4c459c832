"""The reform in one sentence: the clock, the blockbusters, the hub and the market."""

from collections.abc import Sequence

import pandas as pd

from kbio_analysis.models.reform_clock import ClockGain
from kbio_analysis.models.segment_share import SegmentShare
from kbio_analysis.models.trial_hub import HubRace
from kbio_analysis.present.reform.blockbusters import wanted
from kbio_analysis.present.reform.hub import MAIN_SCOPE, place
from kbio_analysis.present.text import chance, join, odds_word, pct


def answer_sentence(
    gains: Sequence[ClockGain], needed: pd.DataFrame, k: int, case: str, race: HubRace, shares: SegmentShare
) -> str:
    """The four answers, each at its plainest; the sentences below it carry the ranges."""
    months = [f"{g.range_of('months_gained')[0]:.1f} months to a {g.track.name.lower()}" for g in gains]
    row = needed.loc[("phase3", case), 0.5]
    takes = "over a million candidates" if pd.isna(row) else f"{int(row):,} candidates in phase III"
    hub = race.by_scope[MAIN_SCOPE].chance
    last = int(shares.share_pct.index[-1])
    market = "the two market growth rates cannot both hold"
    if shares.rest_growth_pct is not None:
        market = f"the two growth rates make biologics {pct(shares.share_pct.iloc[-1], 0)} of the market by {last}"
    return (
        f"The faster clock brings {join(months)} in the median, {wanted(k)} at even odds take {takes}, "
        f"{place(race.target_rank)} place among trial hubs is {odds_word(hub)} by {race.target_year} ({chance(hub)}), "
        f"and {market}."
    )
