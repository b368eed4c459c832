"""Sentences about the checks: placebos, robustness, specifications, the interrupted series, and the limits."""

import numpy as np
import pandas as pd

from kbio_analysis.models.agreement_effect import (
    ALPHA,
    MAIN_METHOD,
    MIN_READABLE_PRE,
    Silence,
    agreeing_share,
)
from kbio_analysis.models.interrupted import InterruptedFit, PlaceboDates
from kbio_analysis.present.india_cepa.effects import NO_ESTIMATE, Found
from kbio_analysis.present.india_cepa.words import RULE_LABELS, Subject, effect, p
from kbio_analysis.present.text import chance, count


def placebo_sentence(found: Found) -> str:
    """Where the treated gap ranks among the placebos."""
    if isinstance(found, Silence):
        return NO_ESTIMATE
    table, n = found.space.table, len(found.space.table)
    above = int((table.ratio >= found.space.statistic).sum())
    dropped = f" ({len(found.space.dropped)} with a far worse fit left out)" if found.space.dropped else ""
    return (
        f"Given the same treatment, {above} of {n} partners without one{dropped} show a gap as large against their own "
        f"pre-fit: p = {p(found.space.p_value)}, floor {p(found.space.p_floor)}."
    )


def time_sentence(found: Found) -> str:
    """What the pretended earlier starts show."""
    if isinstance(found, Silence):
        return NO_ESTIMATE
    table = found.time.table
    if table.empty:
        return "No earlier start can be pretended: the years before the agreement are too few."
    larger = table[table.effect.abs() >= abs(found.main.effect)]
    same = bool((np.sign(larger.effect) == np.sign(found.main.effect)).all())
    what = "such a gap was there before the start" if same else "gaps of that size open where nothing happened"
    verdict = f"{len(larger)} of them at least as large as the true one: {what}" if len(larger) else "all smaller"
    given = f"{effect(table.effect.min())} to {effect(table.effect.max())}"
    given = effect(table.effect.iloc[0]) if len(table) == 1 else given
    span = f"{table.index.min()} to {table.index.max()}" if len(table) > 1 else table.index[0]
    return f"Pretending {count(len(table), 'earlier start')} ({span}) gives {given}, {verdict}."


def robustness_sentence(found: Found) -> str:
    """Leave-one-out range, the sharp null, and the drift bounds."""
    if isinstance(found, Silence):
        return NO_ESTIMATE
    span, sharp, bounds = found.left_out, found.sharp, found.bounds
    if span.low is None:
        text = "No donor can be left out."
    else:
        keeps = "the sign stays" if span.low * span.high > 0 else "the sign hangs on a single donor"
        text = f"Without any one donor the estimate lies between {effect(span.low)} and {effect(span.high)}: {keeps}."
    verdict = "rejected" if sharp.p_value <= ALPHA else "not rejected"
    text += (
        f" The conformal test of no effect in any year is {verdict}: p = {p(sharp.p_value)}, floor {p(sharp.p_floor)}."
    )
    half = bounds.table.iloc[0]
    holds = "hold zero" if half.low <= 0 <= half.high else "exclude zero"
    if not np.isfinite(found.main.ratio):
        return f"{text} The pre-fit is too perfect to bound drift by it."
    span = f"{half.low:+.2f} to {half.high:+.2f} log points".replace("-", "−")
    return (
        f"{text} If trends may drift by {bounds.table.index[0]:g} of their largest move before the start, the bounds "
        f"{holds} ({span}); the sign is lost beyond {bounds.breakdown:.2f} of it."
    )


def specification_sentence(specs: pd.DataFrame, found: Found) -> str:
    """How far the answer hangs on choices: readable specifications, their range, sign and p."""
    if isinstance(found, Silence):
        return NO_ESTIMATE
    readable = specs[specs.n_pre >= MIN_READABLE_PRE]
    if readable.empty:
        return f"None of {len(specs)} specifications has {MIN_READABLE_PRE} years before the start: none counts."
    same = agreeing_share(readable, found.main.effect)
    small = int((readable.p <= ALPHA).sum())
    rest = specs[specs.n_pre < MIN_READABLE_PRE]
    aside = ""
    if len(rest):
        ends = f"{effect(rest.effect_log_points.min())} to {effect(rest.effect_log_points.max())}"
        aside = f" The other {len(rest)} have fewer and are shown, not counted: they run from {ends}."
    return (
        f"Of {len(readable)} specifications with at least {MIN_READABLE_PRE} years before the start "
        f"{chance_share(same)} share the main estimate's sign; they run from "
        f"{effect(readable.effect_log_points.min())} to {effect(readable.effect_log_points.max())}, and {small} reach "
        f"p ≤ {ALPHA:g}.{aside}"
    )


def chance_share(share: float) -> str:
    return "all" if share == 1 else "none" if share == 0 else chance(share)


def interrupted_sentence(found: InterruptedFit | None, placebo: PlaceboDates | None, *, label: str) -> str:
    """The break of one series with its twin and its placebo dates."""
    if found is None:
        return f"{label}: the record is too short for a break."
    where = (
        f" and among placebo dates p = {p(placebo.p_value)} (floor {p(placebo.p_floor)})" if placebo is not None else ""
    )
    return (
        f"{label}: the level breaks by {effect(found.level_shift)} at the start (p = {p(found.p_level)} by its own "
        f"errors{where}); with AR(1) errors {effect(found.level_shift_ar1)}."
    )


def monthly_sentence(
    modelled: InterruptedFit | None, plain: InterruptedFit | None, placebo: PlaceboDates | None, *, label: str
) -> str:
    """The monthly break, and whether it depends on how the collapse of 2008-09 is modelled."""
    if modelled is None or plain is None:
        return "A monthly record that brackets the start is not held for this partner and year."
    a, b = modelled.level_shift, plain.level_shift
    verdict = "its sign hangs on that choice, and the monthly record decides nothing"
    verdict = verdict if a * b < 0 else "the sign is the same"
    text = interrupted_sentence(modelled, placebo, label=label)
    return f"{text} That is with the collapse modelled; without it the break is {effect(b)}: {verdict}."


def limit_sentences(found: Found, subject: Subject, *, share: pd.DataFrame) -> list[str]:
    """What the study cannot see; ``share`` is Korea's share in the partners' totals (years x ISO3)."""
    text = [
        "The record is of total goods trade: neither services nor tariff lines, rules of origin or use of preferences "
        "are in it, so an effect on the goods whose duty fell could hide in the total.",
        "Donors share Korea's side of trade but not the partner's demand: a partner that grows faster than all donors "
        "leaves a gap with or without an agreement. Agreements of the partner with others are not taken out.",
    ]
    own = share[subject.iso3].dropna() if subject.iso3 in share else pd.Series(dtype=float)
    totals_from = int(own.index[0].year) if len(own) else None
    if totals_from is None:
        whose = subject.partners[0].upper() + subject.partners[1:]
        text.append(f"{whose} own totals, which would net out its demand, are not on record.")
    elif totals_from > subject.start - MIN_READABLE_PRE:
        text.append(
            f"Korea's share in {subject.partners} own totals, which would net out its demand, can be trusted only "
            f"from {totals_from}: {count(max(subject.start - totals_from, 0), 'year')} before the start "
            "is too little to lean on."
        )
    pool = found.pool
    if pool is not None and len(pool.kept) < 1 / ALPHA:
        text.append(f"With {len(pool.kept)} donors no p at or below {ALPHA:g} is attainable.")
    return text


def spec_table(specs: pd.DataFrame) -> pd.DataFrame:
    """Range over the estimators for every outcome, window and rule."""
    keys = ["outcome", "window", "rule"]
    grouped = specs.groupby(keys, sort=False)
    frame = grouped.agg(
        n_pre=("n_pre", "first"),
        n_donors=("n_donors", "first"),
        low=("effect_pct", "min"),
        high=("effect_pct", "max"),
        p=("p", "min"),
    ).reset_index()
    main = specs[specs.method == MAIN_METHOD].set_index(keys).effect_pct
    frame["main"] = [main.loc[tuple(k)] for k in frame[keys].itertuples(index=False)]
    labels = {
        "outcome": "Outcome",
        "window": "Window",
        "rule": "Donors",
        "n_pre": "Years before",
        "n_donors": "Number of donors",
        "main": "Main, %",
        "low": "Lowest, %",
        "high": "Highest, %",
        "p": "Smallest p",
    }
    return frame.assign(rule=frame.rule.map(RULE_LABELS))[list(labels)].rename(columns=labels)


SPEC_FORMATS = {"Main, %": "+.0f", "Lowest, %": "+.0f", "Highest, %": "+.0f", "Smallest p": ".3f"}
