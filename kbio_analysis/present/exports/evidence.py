"""Sentences and tables about the evidence beside the pool: the outside rate, the monthly witness, the checks."""

from collections.abc import Sequence
from datetime import date

import pandas as pd

from kbio_analysis.models.conformal import clopper_pearson
from kbio_analysis.models.export_target import ExportOdds
from kbio_analysis.models.growth_reference import BaseRates
from kbio_analysis.models.monthly_models import NAIVE
from kbio_analysis.models.monthly_models import MonthlyOutlook as Witness
from kbio_analysis.present.text import chance, chance_range, count, join, long_date, pct, usd_m
from kbio_analysis.vocabulary import MIN_TREND_POINTS, MODEL_LABELS, MODELS

PRIOR_FORMATS = {"Weight of the outside rate": chance, "Growth, % a year": ".1f", "Chance of the target": chance}
"""How :func:`prior_table` is formatted."""

MODEL_FORMATS = {"US$ million": ",.0f", "Multiple of the base year": ".2f"}
"""How :func:`model_table` is formatted."""


def prior_sentence(prior: pd.DataFrame, from_base: pd.DataFrame, *, growth_pct: float, base_year: int) -> str:
    """The chance when the outside growth rate is taken as a prior, by the error it is given, now and from the base."""
    if prior.empty:
        return "No year is left, so a growth rate has nothing more to say."
    p = prior.probability
    half = "on both sides of one half"
    if p.max() < 0.5 or p.min() > 0.5:
        half = f"{'below' if p.max() < 0.5 else 'above'} one half each time"
    text = (
        f"Taking {pct(growth_pct)} as an outside estimate of the growth rate, with a standard error of "
        f"{join([f'{e:g}' for e in p.index])} percentage points, gives a chance of "
        f"{join([chance(v) for v in p])}: {half}."
    )
    if from_base.probability.equals(p):
        return text
    return f"{text} From {base_year} alone it would be {join([chance(v) for v in from_base.probability])}."


def prior_table(prior: pd.DataFrame) -> pd.DataFrame:
    """The outside rate against the reference class, one row an error of the rate."""
    frame = prior[["weight_rate", "growth_pct", "probability"]].set_axis(list(PRIOR_FORMATS), axis=1)
    return frame.rename_axis("Error of the rate, points").reset_index()


def middle(values: pd.Series) -> float | None:
    """The middle one of the values in their order; None if there are none."""
    return float(values.iloc[len(values) // 2]) if len(values) else None


def witness_sentence(witness: Witness, *, label: str, pooled: float) -> str:
    """What the monthly series says of its own doubling, and how far it agrees with the reference classes."""
    if witness.chance is None:
        return f"{label} cannot testify: it cannot be forecast."
    value = witness.chance.value
    methods = chance_range(witness.chance.low, witness.chance.high)
    gap = 100 * (value - pooled)
    agreement = (
        "close to the reference classes"
        if abs(gap) < 10
        else f"{abs(gap):.0f} points {'above' if gap > 0 else 'below'} the reference classes"
    )
    return (
        f"{label} came to {usd_m(witness.base_total)} in {witness.base_year}; its own models give it a chance of "
        f"{chance(value)} ({methods} across methods) of reaching {usd_m(witness.level)} in "
        f"{witness.target_year}, {agreement}. It counts other goods, so it is a witness and not part of the pool."
    )


def model_table(witness: Witness) -> pd.DataFrame:
    """What each model makes of the witness in the target year: level, multiple of the base year, and naive or not."""
    rows = [(MODEL_LABELS[n], MODELS[n], value, value / witness.base_total) for n, value in witness.by_model.items()]
    return pd.DataFrame(rows, columns=["Model", "How", *MODEL_FORMATS])


def witness_chance(witness: Witness) -> float | None:
    """The witness's chance of its own multiple; None when it is silent."""
    return None if witness.chance is None else witness.chance.value


def methods_table(odds: ExportOdds, prior: pd.DataFrame, witness: Witness, label: str) -> pd.DataFrame:
    """Every reading of the target's odds for one chart: columns method, role, probability, low, high."""
    rows = [(n, "pool", r.p_target, r.low, r.high) for n, r in odds.by_class.iterrows()]
    rows.append(
        ("Pool, equal weights", "pooled", odds.p_target, odds.by_class.p_target.min(), odds.by_class.p_target.max())
    )
    if len(prior):
        p = prior.probability
        rows.append(("Outside growth rate, weighed", "witness", middle(p), p.min(), p.max()))
    if witness.chance is not None:
        own = witness.chance
        rows.append((f"{label}, own models", "witness", own.value, own.low, own.high))
    return pd.DataFrame(rows, columns=["method", "role", "probability", "low", "high"])


def base_rate_sentence(rates: BaseRates, *, label: str) -> str:
    """Of the exporters that grew within the band, how many kept each threshold over the next window."""
    low, high = rates.band_pct
    n = int(rates.table.n.max())
    if n == 0:
        return f"No window of {label} grew {low:g}–{high:g}% a year and was followed by another."
    parts = [f"{int(r.kept)} kept at least {r.threshold_pct:.4g}%" for r in rates.table.itertuples()]
    return (
        f"Of {count(n, 'exporter')} of {label} that grew {low:g}–{high:g}% a year over {rates.years} years, "
        f"{join(parts)} over the next {rates.years} (95% range of the first share "
        f"{chance_range(rates.table.clopper_pearson_low[0], rates.table.clopper_pearson_high[0])})."
    )


def hindcast_sentences(past: pd.DataFrame, *, years: int, multiple: float, levels: Sequence[int]) -> str:
    """How the same rule would have fared ``years`` earlier: chance against outcome, and interval coverage."""
    if past.empty:
        return (
            f"No reference class is long enough to run the rule {count(years, 'year')} earlier: its record is unknown."
        )
    parts = [
        f"{chance(r.predicted)} for {name}, of which {round(r.observed * r.n)} of {int(r.n)} got there"
        for name, r in past.iterrows()
    ]
    total = int(past.n.sum())
    spans, honest = [], True
    for level in sorted(levels):
        covered = int(past[f"covered_{level}"].sum())
        low, high = clopper_pearson(covered, total)
        spans.append(f"the {level}% interval covered {pct(100 * covered / total, 0)}")
        honest &= low <= level / 100 <= high
    verdict = "within what chance allows" if honest else "not what their names promise, so read them with care"
    return (
        f"Run {count(years, 'year')} earlier for a multiple of {multiple:.2f}, the rule would have read: "
        f"{join(parts)}. Over {count(total, 'case')} {join(spans)}: {verdict}."
    )


def backtest_sentence(scores: pd.Series | None, *, label: str) -> str:
    """Which model had the smallest error out of sample, and whether the combination beat the naive ones."""
    if scores is None:
        return f"{label} is too short to hold a forecast against its own later months."
    best, naive = scores.idxmin(), scores[[n for n in NAIVE if n in scores]].min()
    own = scores["combination"]
    verdict = "equals" if abs(own - naive) < 0.005 else "beats" if own < naive else "does not beat"
    return (
        f"On {label} the smallest error was that of {MODEL_LABELS[best]} ({scores.min():.2f}); the combination "
        f"({own:.2f}) {verdict} the better naive forecast ({naive:.2f})."
    )


def score_table(scores: pd.Series | None) -> pd.DataFrame:
    """Errors by model for the chart: columns model (short name), mase, naive; no row without scores."""
    if scores is None:
        return pd.DataFrame(columns=["model", "mase", "naive"])
    return pd.DataFrame(
        {
            "model": [MODEL_LABELS[n] for n in scores.index],
            "mase": scores.to_numpy(),
            "naive": [n in NAIVE for n in scores.index],
        }
    )


def limit_sentences(odds: ExportOdds, witness: Witness, *, label: str, n_points: int, as_of: date) -> list[str]:
    """What the page cannot tell, computed from what it had."""
    few = n_points < MIN_TREND_POINTS["annual"]
    reading = "too few to estimate a trend from" if few else "enough for a trend, though none is used for the odds"
    sentences = [
        f"By {long_date(as_of)} {label} held {count(n_points, 'yearly value')}, {reading}.",
        "The headline's product codes are not published, so no definition can be proved to be the one the target uses.",
        "The classification behind KHIDI's figures changed in 2022; the values before it count other goods and are not "
        "joined to those after it.",
        f"The reference classes hold {count(int(odds.by_class.n_cases.sum()), 'case')}, and the HS classes are a few "
        "large exporters read from one later vintage of reconciled flows: a run at an earlier date is only nearly in "
        "real time.",
        "Exporters share world demand, so their windows are not independent and the ranges beside the odds are too "
        "narrow rather than too wide.",
    ]
    if witness.chance is not None:
        last = witness.observed.index[-1]
        sentences.append(f"The monthly witness ends in {last:%B %Y}, and its last months may still be revised.")
    return sentences


def source_table(sources: pd.DataFrame) -> pd.DataFrame:
    """Publisher, title, date and address of each source used."""
    frame = sources[["publisher", "title", "published", "url"]].drop_duplicates()
    return frame.set_axis(["Publisher", "Title", "Published", "Address"], axis=1)


def main_rows(witness: Witness) -> pd.DataFrame | None:
    """The rows of the witness's main model, for its chart; None when it is silent."""
    if witness.ahead is None:
        return None
    table = witness.ahead.table
    return table[table.model == witness.ahead.main].sort_values("horizon")
