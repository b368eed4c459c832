"""Sentences on one month, on a shock in one destination, and on trade beside GDP."""

import pandas as pd

from kbio_analysis.models.exposure import MIN_YEARS, Reallocation, Shock
from kbio_analysis.models.month_standing import MonthStanding
from kbio_analysis.present.diversification.dependence import the
from kbio_analysis.present.text import count, join, pct, usd_bn

CLAIMED_PCT = 90.0
"""The share of GDP that is said to be driven by trade."""


def month_sentence(months: pd.DataFrame, usa: MonthStanding, china: MonthStanding) -> str:
    """The month's levels, its rank among all months, and how often ASEAN led."""
    row = months.loc[usa.month]
    first, last = (f"{p.to_timestamp():%B %Y}" for p in (months.index[0], months.index[-1]))
    name = f"{pd.Period(usa.month, 'M').to_timestamp():%B %Y}"
    ranks = {usa.rank, china.rank}
    if ranks == {1}:
        where = (
            f"both ratios are the highest of the {usa.n} months from {first} to {last}: no other month fits the claim "
            "as well"
        )
    else:
        where = (
            f"among the {usa.n} months from {first} to {last} the first ratio is number {usa.rank} from the top and "
            f"the second number {china.rank}"
        )
    return (
        f"In {name} {usd_bn(row['ASEAN'], 2)} went to ASEAN, {usd_bn(row['USA'], 2)} to the United States and "
        f"{usd_bn(row['CHN'], 2)} to China: {usa.ratio:.2f} times the United States' and {china.ratio:.2f} times "
        f"China's. {where[0].upper()}{where[1:]}. ASEAN took more than the United States in {usa.n_above} of {usa.n} "
        f"and more than China in {china.n_above or 'none'}."
    )


def few_months_sentence(usa: MonthStanding) -> str:
    """What so few months can tell."""
    return (
        f"{usa.n} months place one month; they tell no season and no trend, since few calendar months occur twice. "
        f"Even if they were independent draws, {usa.n_above} of {usa.n} would fit a long-run share of months with "
        f"ASEAN ahead of the United States anywhere from {pct(100 * usa.low, 0)} to {pct(100 * usa.high, 0)}."
    )


def shock_sentence(lost: Shock, *, partner: str, shock_pct: float, year: int) -> str:
    """The first-round loss."""
    share = pct(lost.loss_pct) if lost.loss_pct >= 0.05 else "less than 0.1%"
    return (
        f"If exports to {the(partner)} fell by {shock_pct:g}%, {_money(lost.loss_usd_m)} or {share} of all exports of "
        f"{year} would be lost before anything is made up elsewhere."
    )


def reallocation_sentence(past: Reallocation, lost: Shock, *, fall_pct: float, min_share_pct: float) -> str:
    """What past falls say about making a loss up elsewhere, and what they cannot say."""
    n, years = len(past.episodes), past.n_years
    large = f"destinations with at least {min_share_pct:g}% of exports"
    if past.made_up is None:
        return (
            f"Falls of at least {fall_pct:g}% in {large} are on record in {count(years, 'year')} only, fewer than the "
            f"{MIN_YEARS} from which a share is estimated: what was made up elsewhere cannot be told."
        )
    fell = int((past.episodes.elsewhere_usd_m < 0).sum())
    span = f"{one_decimal(past.low)} to {one_decimal(past.high)}"
    net = sorted(lost.loss_usd_m * (1 - min(max(r, 0.0), 1.0)) for r in (past.low, past.high))
    took = f"{abs(past.made_up):.1f} dollars {'more' if past.made_up >= 0 else 'less'}"
    left = f"between {_money(net[0])} and {_money(net[1])}" if net[0] < net[1] else f"at {_money(net[1])}"
    return (
        f"The record holds {count(n, 'fall')} of at least {fall_pct:g}% in {large}, in "
        f"{count(years, 'different year')}; in {fell} of them exports elsewhere fell too. Against their own demand, "
        f"other markets took {took} for each dollar lost in the same year ({past.level}% interval {span}): "
        f"{_verdict(past)}. The loss after what is made up lies {left}, and the record says nothing of later years."
    )


def _verdict(past: Reallocation) -> str:
    if past.undecided:
        return (
            "neither nothing nor everything can be ruled out, so the past does not tell how much of a loss is made up"
        )
    if past.low > 0:
        return "some was made up, " + ("perhaps all" if past.high >= 1 else "and not all")
    if past.high < 1:
        return "nothing was made up" if past.high <= 0 else "not all was made up, and perhaps nothing"
    return "what was made up cannot be told"


def one_decimal(value: float) -> str:
    """A number to one decimal with a true minus sign and no minus zero."""
    return f"{value:.1f}".replace("-0.0", "0.0").replace("-", "−")


def _money(usd_m: float) -> str:
    if usd_m >= 100:
        return usd_bn(usd_m)
    if usd_m >= 1:
        return f"US${usd_m:,.1f}m"
    return f"US${1e6 * usd_m:,.0f}" if usd_m > 0 else "nothing"


def gdp_sentence(ratio: pd.Series) -> str:
    """Gross trade over GDP (``ratio`` per cent by year), when it reached the claim, and why it is no share."""
    last = ratio.dropna()
    reached = last[last >= CLAIMED_PCT]
    years = join([str(y) for y in reached.index]) if len(reached) else "no year"
    above = last[last > 100]
    proof = (
        f" It passed 100% in {join([str(y) for y in above.index])}, which no share of anything can."
        if len(above)
        else ""
    )
    return (
        f"Exports plus imports of goods and services came to {pct(last.iloc[-1])} of GDP in {last.index[-1]}; since "
        f"{last.index[0]} they reached {CLAIMED_PCT:g}% in {years}.{proof} The ratio sets gross sales in both "
        "directions, imported parts counted each time they cross, against value added, so it measures openness and "
        "not what part of GDP trade drives."
    )


def goods_sentence(exports_usd_m: float, gdp_usd_m: float | None, year: int) -> str:
    """Goods exports alone over GDP of the same vintage, still gross."""
    if gdp_usd_m is None:
        return f"Korea's GDP of {year} is not held here."
    return (
        f"Goods exports alone were {pct(100 * exports_usd_m / gdp_usd_m)} of GDP in {year} (customs over an older "
        "vintage of GDP, not comparable with the ratio above). Part of that is imported; the value added at home "
        "that foreign buyers pay for is smaller, and no table here holds it."
    )
