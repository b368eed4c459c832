"""Sentences about the estimate: the verdict, the pre-fit, the placebos and what the checks leave."""

from datetime import date

import numpy as np
import pandas as pd

from kbio_analysis.models.agreement_effect import (
    ALPHA,
    MAIN_METHOD,
    MIN_READABLE_PRE,
    AgreementEffect,
    Silence,
    Verdict,
)
from kbio_analysis.models.donors import DonorPool
from kbio_analysis.present.india_cepa.words import (
    METHOD_LABELS,
    REASON_LABELS,
    REASON_WORDS,
    RULE_LABELS,
    TEST_LABELS,
    VERDICTS,
    Subject,
    effect,
    p,
)
from kbio_analysis.present.text import count, join, long_date, pct, usd_bn

Found = AgreementEffect | Silence

EARLY_YEARS = 5
"""Years counted as the first ones of an agreement."""

NO_ESTIMATE = "There is no estimate to show or to check."
"""Said wherever a silence leaves nothing to say."""


def verdict_sentence(found: Found, judged: Verdict, subject: Subject) -> str:
    """What can be said of the agreement's effect on the subject, with the number, its p and the floor of p."""
    if isinstance(found, Silence):
        return f"What {subject.agreement} did to {subject} cannot be estimated: {_why(found)}."
    row = found.estimates.loc[MAIN_METHOD]
    figure = f"{effect(row.effect_log_points)}, p = {p(row.p)} where {p(row.p_floor)} is the smallest possible"
    whose = subject.agreement
    said = VERDICTS[judged.word].format(agreement=whose, Agreement=whose[0].upper() + whose[1:], subject=subject)
    return f"{said}: the main estimate is {figure}."


def other_sentence(found: Found, subject: Subject) -> str:
    """The main estimate of the other direction, with its p: no verdict is given on it."""
    if isinstance(found, Silence):
        return f"What it did to {subject} cannot be estimated: {_why(found)}."
    row = found.estimates.loc[MAIN_METHOD]
    return f"For {subject} the main estimate is {effect(row.effect_log_points)}, p = {p(row.p)}."


def main_estimate(found: Found) -> tuple[float, float] | None:
    """The main estimate in per cent and in US$ million a year, None where there is none or where it is of a share."""
    if isinstance(found, Silence) or found.extra_usd_m is None:
        return None
    years = int((found.main.gap.index >= found.main.start).sum())
    return float(found.estimates.loc[MAIN_METHOD, "effect_pct"]), found.extra_usd_m / years


def profile_sentence(found: Found) -> str:
    """When the main gap opens: the first five years against the later ones."""
    if isinstance(found, Silence):
        return NO_ESTIMATE
    after = found.main.gap[found.main.gap.index >= found.main.start]
    if len(after) <= EARLY_YEARS:
        return f"Over its {count(len(after), 'year')} the main gap averages {effect(after.mean())}."
    early, late = after.iloc[:EARLY_YEARS].mean(), after.iloc[EARLY_YEARS:].mean()
    when = ""
    if abs(late) > 2 * abs(early):
        when = ": it opens late, when what happened to the donors weighs as much as the agreement"
    return (
        f"Over the first {EARLY_YEARS} years the main gap averages {effect(early)}, from {after.index[EARLY_YEARS]} on "
        f"{effect(late)}{when}."
    )


def own_series(found: Found) -> pd.Series:
    """The treated unit's logged outcome; empty where nothing was screened."""
    empty = pd.Series(dtype=float, index=pd.PeriodIndex([], freq="Y-DEC"), name="outcome")
    return empty if found.pool is None else found.pool.outcomes.iloc[:, 0]


def donor_average(found: Found) -> pd.DataFrame | None:
    """The donors' average logged outcome as a control; None without donors."""
    if found.pool is None or not found.pool.kept:
        return None
    return found.pool.outcomes.iloc[:, 1:].mean(axis=1).to_frame("donors")


def reasons_sentence(judged: Verdict) -> str:
    """Which tests of the verdict failed."""
    if not judged.tests:
        return "None of the tests of a verdict could be run."
    if not judged.failed:
        return f"All {len(judged.tests)} tests of the verdict are passed."
    failed = join([TEST_LABELS[name] for name in judged.failed])
    return f"Of {len(judged.tests)} tests {count(len(judged.failed), 'fails', 'fail')}: {failed}."


def treatment_sentence(agreements: pd.DataFrame, subject: Subject, *, known_to: date | None = None) -> str:
    """Which agreement the start stands for, or that it stands for none."""
    own = [(r.agreement, r.in_force_earliest) for r in agreements.itertuples() if not pd.isna(r.in_force_earliest)]
    same = [(name, day) for name, day in own if day.year == subject.start]
    if same:
        name, day = same[0]
        note = f"The {name} entered into force on {long_date(day)}, the start used here."
    elif own:
        listed = join([f"{name} ({day.year})" for name, day in own])
        note = f"The start {subject.start} is no agreement's: the table has {listed} for {subject.partner}."
    else:
        note = f"No goods agreement with {subject.partner} is in force: the start {subject.start} is pretended."
    others = [f"{name} from {day.year}" for name, day in own if day.year > subject.start]
    return f"{note} Later there came {join(others)}, inside the estimate from then on." if same and others else note


def donors_sentence(found: Found, subject: Subject) -> str:
    """How many partners are kept and how many refused, and why."""
    pool = found.pool
    if pool is None:
        return f"No donors were looked for: {_why(found)}."
    reasons = pool.refused.reason.value_counts()
    main = join([f"{n} {REASON_WORDS[r]}" for r, n in reasons.items()])
    return (
        f"For {subject}, {pool.first}–{pool.last}, {count(len(pool.kept), 'partner')} may serve as donors under "
        f"the rule '{RULE_LABELS[pool.rule]}'; {len(pool.refused)} are refused: {main}."
    )


def donor_table(pool: DonorPool, names: pd.Series, weights: pd.Series | None) -> pd.DataFrame:
    """Every candidate by what became of it."""
    called = lambda units: ", ".join(str(names.get(u, u)) for u in units)  # noqa: E731
    rows = []
    if pool.kept:
        heavy = () if weights is None else weights[weights > 0.005].sort_values(ascending=False).index
        rows.append(("Kept, with weight", len(heavy), ", ".join(f"{names.get(u, u)} {weights[u]:.2f}" for u in heavy)))
        light = [u for u in pool.kept if u not in heavy]
        rows.append(("Kept, without weight", len(light), called(light)))
    for (reason, detail), own in pool.refused.groupby(["reason", "detail"], sort=True):
        rows.append((f"{REASON_LABELS[reason]}: {detail}", len(own), called(sorted(own.unit))))
    frame = pd.DataFrame(rows, columns=["What became of it", "Partners", "Who"])
    return frame[frame.Partners > 0].reset_index(drop=True)


def fit_sentence(found: Found) -> str:
    """The pre-fit before the effect: how near the main control came, beside the placebos' own."""
    if isinstance(found, Silence):
        return NO_ESTIMATE
    row = found.estimates.loc[MAIN_METHOD]
    years = found.main.n_pre
    typical = float(np.median(found.space.table.pre_rmspe)) if len(found.space.table) else float("nan")
    size = pct(100 * row.pre_rmspe, 0)
    if not np.isfinite(found.main.ratio):
        text = f"matches {count(years, 'year')} before the start exactly, which so many donors can do by chance"
        return f"The main control {text}: the fit says nothing."
    rank = "nearer than" if row.pre_rmspe < typical else "farther off than"
    rank = "about as near as" if pct(100 * typical, 0) == size else rank
    short = (
        "" if years >= MIN_READABLE_PRE else f" With {count(years, 'year')} before the start this is little to go by."
    )
    return (
        f"Over {count(years, 'year')} before the start the main control misses by {size} in the typical year, {rank} "
        f"the median placebo ({pct(100 * typical, 0)}).{short}"
    )


def estimates_sentence(found: Found) -> str:
    """The range over estimators, and how many p-values are small."""
    if isinstance(found, Silence):
        return NO_ESTIMATE
    values = found.estimates.effect_log_points
    small = int((found.estimates.p <= ALPHA).sum())
    verdict = f"{small} of {len(values)} reach p ≤ {ALPHA:g}" if small else f"none reaches p ≤ {ALPHA:g}"
    money = ""
    if found.extra_usd_m is not None:
        years = int((found.main.gap.index >= found.main.start).sum())
        sign = "more" if found.extra_usd_m >= 0 else "less"
        money = f" The main one adds up to {usd_bn(abs(found.extra_usd_m))} {sign} over {count(years, 'year')}."
    return f"The five estimators run from {effect(values.min())} to {effect(values.max())}; {verdict}.{money}"


def method_table(found: AgreementEffect) -> pd.DataFrame:
    """One row an estimator."""
    own = found.estimates
    return pd.DataFrame(
        {
            "Estimator": [METHOD_LABELS[m] for m in own.index],
            "Effect, log points": own.effect_log_points.to_numpy(),
            "Effect, %": own.effect_pct.to_numpy(),
            "p": own.p.to_numpy(),
            "Floor of p": own.p_floor.to_numpy(),
            "Placebos": own.n_placebos.astype(int).to_numpy(),
            "Pre-fit error": own.pre_rmspe.to_numpy(),
            "Conformal p": own.conformal_p.to_numpy(),
        }
    )


METHOD_FORMATS = {
    "Effect, log points": "+.2f",
    "Effect, %": "+.0f",
    "p": ".3f",
    "Floor of p": ".3f",
    "Pre-fit error": ".3f",
    "Conformal p": ".3f",
}


def _why(found: Silence) -> str:
    return found.why.rstrip(".")
