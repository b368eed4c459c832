"""Tables and records of the study of one agreement, each shown by one call."""

from math import isfinite

import pandas as pd

from kbio_analysis.models.agreement_effect import MAIN_METHOD, MIN_READABLE_PRE, Silence, Verdict, agreeing_share
from kbio_analysis.models.interrupted import InterruptedFit
from kbio_analysis.models.synthetic_weights import METHODS
from kbio_analysis.models.trade_multiples import TradeMultiples
from kbio_analysis.present.india_cepa import checks, claims, effects
from kbio_analysis.present.india_cepa.effects import Found
from kbio_analysis.present.india_cepa.words import Subject
from kbio_analysis.present.outputs import SIMULATED_RTOL, record
from kbio_analysis.present.tables import table
from kbio_analysis.vocabulary import INDIA

FITTED_RTOL = 1e-4
"""Weights are an exact optimum, but linear algebra differs in the last digits between machines."""


def show_multiples(tables: dict[str, TradeMultiples], subject: Subject, *, source: str) -> None:
    """How often trade multiplied, every flow, base and end; nothing where no base is on record."""
    frame = claims.multiples_table(tables)
    if len(frame):
        caption = f"Trade with {subject.partner}: multiples from the year before the start and from the start"
        table(frame, id="multiples", caption=caption, source=source, formats=claims.MULTIPLE_FORMATS)


def show_investment(rows: pd.DataFrame, *, source: str) -> None:
    """Published stocks and flows of investment; nothing where there are none."""
    if len(rows):
        caption = "Korean direct investment in India as published; the measures do not add up with each other"
        formats = {"US$ million": str}
        table(claims.investment_table(rows), id="investment", caption=caption, source=source, formats=formats)


def show_published(rows: pd.DataFrame, estimates: dict[str, claims.Estimate], subject: Subject, *, source: str) -> None:
    """Published figures beside the estimate; for India alone."""
    if subject.iso3 != INDIA:
        return
    frame = claims.published_table(rows, estimates)
    formats = {"Published, %": "+.1f", "Our estimate, %": "+.0f"}
    caption = "What was expected and counted, beside the main estimate for the same flow"
    table(frame, id="published", caption=caption, source=source, formats=formats)


def show_donors(found: Found, names: pd.Series, subject: Subject, *, source: str) -> None:
    """Every candidate partner and what became of it; nothing when none was looked for."""
    if found.pool is None:
        return
    weights = None if isinstance(found, Silence) else found.main.weights
    frame = effects.donor_table(found.pool, names, weights)
    caption = f"Who is compared with {subject.partner}: donors with their main weight, and the refused by reason"
    table(frame, id="donors", caption=caption, source=source)


def show_methods(found: Found, subject: Subject, *, source: str) -> None:
    """Estimates by method; nothing when nothing could be estimated."""
    if not isinstance(found, Silence):
        frame = effects.method_table(found)
        caption = f"Effect of the agreement on {subject}: five estimators on the same panel"
        id = f"estimates-{subject.flow}"
        table(frame, id=id, caption=caption, source=source, formats=effects.METHOD_FORMATS)


def show_specifications(specs: pd.DataFrame, subject: Subject, *, source: str) -> None:
    """Range over estimators by outcome, window and donor rule; nothing when there is none."""
    if len(specs):
        frame = checks.spec_table(specs)
        caption = (
            f"Effect on Korea's {subject.flow}, by outcome, window and donors; the range is over the five estimators"
        )
        table(frame, id="specifications", caption=caption, source=source, formats=checks.SPEC_FORMATS)


def record_multiples(tables: dict[str, TradeMultiples]) -> None:
    """Multiples of two-way trade by base to the latest year, and the claim's standing."""
    rows = tables["trade"].table
    latest = rows[rows.end == "latest"].set_index("base")
    names = {"year before": "trade_multiple_from_year_before", "first year": "trade_multiple_from_first_year"}
    for base, name in names.items():
        value = float(latest.nominal[base]) if base in latest.index else None
        record(name, value, unit="multiple", meaning=f"two-way trade, latest year over the {base}, current US$")
        real = float(latest.real[base]) if base in latest.index else None
        record(f"{name}_real", real, unit="multiple", meaning="the same at constant prices (GDP deflator)")
        world = float(latest.world[base]) if base in latest.index else None
        record(f"{name}_world", world, unit="multiple", meaning="Korea's trade with the world over the same years")


def record_effect(found: Found, judged: Verdict, specs: pd.DataFrame) -> None:
    """Per estimator effect, p, floor and pre-fit; the verdict; what the checks gave."""
    estimates = None if isinstance(found, Silence) else found.estimates
    for method in METHODS:
        units = {"effect_log_points": "log points", "effect_pct": "per cent", "p": "probability"}
        units |= {"p_floor": "probability", "pre_rmspe": "log points"}
        meanings = {
            "effect_log_points": "average gap from the start on",
            "effect_pct": "the same in per cent",
            "p": "permutation p of the post/pre error ratio",
            "p_floor": "smallest p the donors allow",
            "pre_rmspe": "root mean square gap before the start",
        }
        for name, unit in units.items():
            value = None if estimates is None else float(estimates.loc[method, name])
            record(f"{name}_{method}", value, unit=unit, meaning=f"{method}: {meanings[name]}", rtol=FITTED_RTOL)
    record("verdict", judged.word, unit="word", meaning="raised, lowered, hints_up, hints_down or cannot_tell")
    full = not isinstance(found, Silence)
    record("n_donors", len(found.pool.kept) if full else None, unit="partners", meaning="donors of the main estimate")
    kind = {"rtol": FITTED_RTOL}
    record(
        "effect_left_out_low",
        found.left_out.low if full else None,
        unit="log points",
        meaning="leave-one-donor-out",
        **kind,
    )
    record(
        "effect_left_out_high",
        found.left_out.high if full else None,
        unit="log points",
        meaning="leave-one-donor-out",
        **kind,
    )
    time = found.time.statistic if full and len(found.time.table) else None
    record(
        "largest_earlier_effect", time, unit="log points", meaning="largest absolute gap of a pretended start", **kind
    )
    breakdown = found.bounds.breakdown if full and isfinite(found.main.ratio) else None
    drift = "share of the largest earlier move at which drift bounds hold zero"
    record("drift_breakdown", breakdown, unit="multiple", meaning=drift, **kind)
    sharp = found.sharp.p_value if full else None
    record("conformal_p", sharp, unit="probability", meaning="no effect in any year, main estimator", **kind)
    readable = specs[specs.n_pre >= MIN_READABLE_PRE]
    same = agreeing_share(readable, found.main.effect) if full and len(readable) else None
    record("specifications_same_sign", same, unit="share", meaning="readable specifications with the main sign")
    extra = found.extra_usd_m if full else None
    record(
        "extra_flow_usd_m",
        extra,
        unit="US$ million",
        meaning="main estimate summed over the years from the start",
        **kind,
    )


def record_other(found: Found) -> None:
    """The main estimate of the other direction."""
    row = None if isinstance(found, Silence) else found.estimates.loc[MAIN_METHOD]
    for name, unit in (("effect_log_points", "log points"), ("p", "probability")):
        value = None if row is None else float(row[name])
        record(f"{name}_other_flow", value, unit=unit, meaning="main estimator, the other direction", rtol=FITTED_RTOL)


def record_interrupted(yearly: InterruptedFit | None, monthly: InterruptedFit | None) -> None:
    """Level breaks of the interrupted series."""
    for name, found in (("yearly", yearly), ("monthly", monthly)):
        value = None if found is None else found.level_shift
        meaning = f"level break of the {name} series at the start"
        record(f"interrupted_level_shift_{name}", value, unit="log points", meaning=meaning, rtol=SIMULATED_RTOL)
