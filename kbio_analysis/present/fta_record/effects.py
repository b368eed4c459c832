"""Sentences about the pooled record: the answer, the spread, the single agreements, the prediction."""

from collections.abc import Mapping, Sequence
from math import expm1

import pandas as pd

from kbio_analysis.models.agreement_reference import AgreementReference
from kbio_analysis.models.randomisation import RandomisationTest
from kbio_analysis.models.reference_class import MixturePrediction, PooledEffect
from kbio_analysis.models.reference_class_checks import LeaveOneOut
from kbio_analysis.present.text import chance, count, join, pct, signed_pct

UNLIKELY = 0.10
"""Below this p-value a result counts as unlike chance."""

DIRECTIONS = {"exports": "Korea's exports", "imports": "Korea's imports"}
"""The two directions as readers see them."""

OUTCOMES = {"trade": "trade in US$", "share": "Korea's share of the partner's own total"}
"""What is measured, in words."""


def in_pct(log_points: float, decimals: int = 0) -> str:
    """Log points as a signed change in per cent: 0.108 gives ``+11%``, and a change that rounds away ``0%``."""
    change = round(100 * expm1(log_points), decimals)
    return signed_pct(change, decimals) if change else pct(0.0, decimals)


def span(pair: tuple[float, float]) -> str:
    """An interval in log points as per cent: ``−2% to +27%``."""
    return f"{in_pct(pair[0])} to {in_pct(pair[1])}"


def p_text(p: float) -> str:
    """A p-value as printed: three decimals, never 0."""
    return "p below 0.001" if p < 0.001 else f"p = {p:.3f}"


def answer_sentence(reference: AgreementReference, test: RandomisationTest, *, outcome: str, post_years: int) -> str:
    """The answer: the mean over agreements, whether chance could have done it, and what a next agreement would show."""
    pooled = reference.pooled
    n = reference.record.table.index.get_level_values("agreement").nunique()
    years = "the year of entry" if post_years == 1 else f"up to {post_years} years from entry"
    return (
        f"Averaged over {count(n, 'agreement')} and both directions, {OUTCOMES[outcome]} in {years} was "
        f"{_against(pooled.mean)} partners without an agreement foretell (95% interval "
        f"{span(pooled.confidence_interval(95))}), {_chance_verdict(test)}; for the next agreement the same figure "
        f"would lie between {' and '.join(map(in_pct, pooled.prediction_interval(80)))} with 80% probability."
    )


def _against(log_points: float) -> str:
    change = 100 * expm1(log_points)
    if abs(change) < 0.5:
        return "what"
    return f"{pct(abs(change), 0)} {'more' if change > 0 else 'less'} than"


def _chance_verdict(test: RandomisationTest) -> str:
    if test.p_value < UNLIKELY:
        return f"which pretended agreements seldom match ({p_text(test.p_value)})"
    return f"which pretended agreements match often enough that it cannot be told from chance ({p_text(test.p_value)})"


def mean_sentence(pooled: PooledEffect, other: PooledEffect | None, *, outcome: str) -> str:
    """Whether the mean's interval holds zero, and what the other outcome says."""
    low, high = pooled.confidence_interval(95)
    side = "includes no change" if low <= 0 <= high else f"lies wholly {'above' if low > 0 else 'below'} no change"
    text = f"Measured as {OUTCOMES[outcome]}, the pooled mean is {in_pct(pooled.mean)} and its 95% interval {side}."
    if other is None:
        return text
    rival = next(words for name, words in OUTCOMES.items() if name != outcome)
    first, last = other.confidence_interval(95)
    agrees = (low > 0) == (first > 0) and (high < 0) == (last < 0)
    return (
        f"{text} Measured as {rival} it is {in_pct(other.mean)} ({span((first, last))}): the two "
        f"{'lead to the same reading' if agrees else 'do not lead to the same reading'}."
    )


def direction_sentence(reference: AgreementReference, tests: Mapping[str, RandomisationTest]) -> str:
    """The two directions apart, each with its randomisation p."""
    parts = [
        f"{DIRECTIONS[d]} {in_pct(p.mean)} ({span(p.confidence_interval(95))}, {p_text(tests[d].p_value)})"
        for d, p in reference.by_direction.items()
    ]
    if not parts:
        return "Neither direction has enough agreements to be read alone."
    return f"By direction the means over agreements are: {join(parts)}; p from pretended agreements."


def spread_sentence(pooled: PooledEffect, test: RandomisationTest) -> str:
    """How far agreements lie apart, and whether pretended ones lie as far apart."""
    if test.p_value < UNLIKELY:
        verdict = "so their differences are more than partners' own luck"
    else:
        verdict = "so their differences need no other cause than partners' own luck"
    return (
        f"Measured effects spread with a standard deviation of {pooled.tau:.2f} log points around the mean beyond what "
        f"the shared comparisons explain. Raw, they spread by {test.value:.2f}, and those of pretended agreements by "
        f"{test.low:.2f} to {test.high:.2f} in the middle 95% of draws; the share of draws at least as wide is "
        f"{chance(test.p_value)}, {verdict}."
    )


def cases_sentence(table: pd.DataFrame, spread: pd.Series) -> str:
    """The largest and smallest effects, and how many lie outside what chance does to a single one."""
    effects = table["effect_log_points"]
    top, bottom = effects.idxmax(), effects.idxmin()
    outside = int((effects.abs() > 1.96 * spread.reindex(effects.index)).sum())
    beyond = "none lies" if outside == 0 else f"{outside} {'lies' if outside == 1 else 'lie'}"
    return (
        f"Effects run from {in_pct(effects.min())} ({_case(bottom)}) to {in_pct(effects.max())} ({_case(top)}); of "
        f"{count(len(effects), 'effect')} {beyond} further from zero than 1.96 times what pretended agreements of the "
        "same dates and size show."
    )


def _case(label: tuple[str, str]) -> str:
    return f"{label[0]}, {DIRECTIONS[label[1]]}"


def own_sentence(reference: AgreementReference, spread: pd.Series, *, agreement: str) -> str:
    """One agreement's measured and shrunken effects with the chance band around them."""
    effects, shrunken = reference.record.effects, reference.pooled.shrunken
    mine = [label for label in effects.index if label[0] == agreement]
    if not mine:
        return f"{agreement} is not among the agreements that can be estimated here."
    parts = [
        f"{DIRECTIONS[label[1]]} {in_pct(effects[label])}, shrunken {in_pct(shrunken[label])}, "
        f"chance alone {span((-1.96 * spread[label], 1.96 * spread[label]))}"
        for label in mine
    ]
    return f"{agreement}: {'; '.join(parts)}."


def prediction_sentence(pooled: PooledEffect, *, levels: Sequence[float]) -> str:
    """Where the measured effect of a next agreement would lie, and the chance that it is positive."""
    parts = [f"{span(pooled.prediction_interval(level))} at {level:g}%" for level in sorted(levels)]
    return (
        f"For the next agreement the prediction interval of the measured effect is {join(parts)}. The chance that it "
        f"is positive is {chance(pooled.p_above(0.0))}, that it exceeds 25% {chance(pooled.p_above(0.22314355131))}."
    )


def net_sentence(net: PooledEffect, twin: MixturePrediction) -> str:
    """The second reading: what agreements add once partners' own luck is taken out."""
    left = "nothing" if net.tau < 0.005 else f"a standard deviation of {net.tau:.2f} log points"
    return (
        f"Once the spread of pretended agreements counts as error, the mean is {in_pct(net.mean)} "
        f"({span(net.confidence_interval(95))}) and {left} is left between agreements. Averaged over how large that "
        f"could be, the agreement's own effect lies at {span(twin.interval(80))} with 80% probability, and is positive "
        f"with a chance of {chance(1 - twin.cdf(0.0))}."
    )


def leave_out_sentence(tested: LeaveOneOut) -> str:
    """Coverage of intervals for agreements left out, and whether the pool foretells better than no effect."""
    parts = []
    for level, row in tested.coverage.iterrows():
        word = "as it should" if row.low <= level / 100 <= row.high else "not as it should"
        parts.append(f"the {level:g}% interval held {pct(100 * row.share, 0)} of {int(row.n)} effects, {word}")
    score = tested.mean_crps
    gain = 100 * (1 - score.crps / score.crps_no_effect)
    better = "better" if gain > 0 else "worse"
    verdict = "no better than" if abs(gain) < 1 else f"{pct(abs(gain), 0)} {better} than"
    return (
        f"Each agreement foretold from the others: {join(parts)}. By CRPS the pool is {verdict} the same spread around "
        f"no effect ({score.crps:.3f} against {score.crps_no_effect:.3f}); certainty of no effect has "
        f"{score.crps_nothing:.3f}."
    )


def covariate_sentence(pooled: PooledEffect) -> str:
    """Whether direction and initial trade tell agreements apart."""
    from scipy import stats

    words = {"imports": "being an import", "log_initial_trade": "a log point more trade before entry"}
    parts = []
    for name in pooled.centres.index:
        se = float(pooled.coefficient_covariance.loc[name, name]) ** 0.5
        t = pooled.coefficients[name] / se
        p = float(2 * stats.t.sf(abs(t), pooled.degrees))
        parts.append(f"{words[name]} goes with {pooled.coefficients[name]:+.2f} (standard error {se:.2f}, {p_text(p)})")
    if not parts:
        return "No covariate varies among the agreements."
    return f"In log points, {join(parts)}; tau is then {pooled.tau:.2f}.".replace("-", "−")
