"""The briefing's one sentence: what the records say of K-Bio and of an agreement with Bangladesh."""

from kbio_analysis.present.briefing.records import EFFECT, Record, Records, horizon, number
from kbio_analysis.present.text import chance, chance_range, join, odds_word, usd_m

KBIO = ("11_export_forecast", "12_top_five")
CEPA = ("22_bangladesh_cepa", "21_fta_record")


def answer_sentence(records: Records, *, significance: float) -> str:
    """Both answers; what is not recorded is named, and so is a record that is not fresh."""
    forecast, places = (records[name] for name in KBIO)
    bangladesh, agreements = (records[name] for name in CEPA)
    kbio = f"{_doubling(forecast)}, and {_place(places)}"
    cepa = f"{_bangladesh(bangladesh)}, and {_agreements(agreements, significance)}"
    old = [n.split("_")[0] for n in KBIO + CEPA if records[n].state in ("stale", "failed")]
    caution = f" (by records that are not fresh: {join(old)})" if old else ""
    return f"K-Bio: {kbio}; a trade agreement: {cepa}{caution}."


def claims_sentence(one: Record) -> str:
    """How many of the article's claims came out how; says so when the record is missing."""
    counts = [number(one, name) for name in ("n_claims", "claims_supported", "claims_with_caveat")]
    against, untested = number(one, "claims_not_supported"), number(one, "claims_not_testable")
    if None in (*counts, against, untested):
        return f"How the article's claims came out is not told: the record of {one.notebook} is {one.state}."
    total, plain, caveat = counts
    return (
        f"Of {total:.0f} claims of the article the data support {plain:.0f}, support {caveat:.0f} with a caveat and do "
        f"not support {against:.0f}; {untested:.0f} cannot be tested here."
    )


def _untold(one: Record, what: str) -> str:
    return f"{what} is not told, as the record of {one.notebook} is {one.state}"


def _doubling(one: Record) -> str:
    odds = number(one, "probability_of_target")
    if odds is None:
        return _untold(one, "the chance of the export target")
    low, high = (number(one, f"probability_of_doubling_{end}") for end in ("low", "high"))
    spread = ""
    if low is not None and high is not None:
        split = "; reference classes disagree, {}" if low < 0.5 < high else ", {} across reference classes"
        spread = split.format(chance_range(low, high))
    year, aim = one.parameters.get("target_year"), _aim(one)
    return f"exports of {aim} by {year} are {odds_word(odds)} ({chance(odds)}{spread})"


def _aim(one: Record) -> str:
    return usd_m(one.parameters.get("base_value_usd_m", 0) * one.parameters.get("target_multiple", 0))


def _place(one: Record) -> str:
    odds = number(one, "probability_of_place")
    if odds is None:
        return _untold(one, "the chance of the place")
    return f"a place among the top {one.parameters.get('target_rank')} is {odds_word(odds)} ({chance(odds)})"


def _bangladesh(one: Record) -> str:
    middle, low, high = (number(one, name) for name in EFFECT)
    if middle is None or low is None or high is None:
        return _untold(one, "what one with Bangladesh would bring")
    sign = "a gain" if low > 0 else "a loss" if high < 0 else "of either sign"
    span = f"{usd_m(low)} to {usd_m(high)} with 90% probability, {sign}"
    return f"one with Bangladesh would change two-way trade by {usd_m(middle)} a year{horizon(one)} ({span})"


def _agreements(one: Record, significance: float) -> str:
    mean, p = number(one, "pooled_mean_pct"), number(one, "randomisation_p")
    if mean is None or p is None:
        return _untold(one, "what past agreements did")
    told = f"trade after past ones was on average {abs(mean):.0f}% {'above' if mean >= 0 else 'below'} its path"
    return f"{told}, which {'can' if p <= significance else 'cannot'} be told from chance (p = {p:.2g})"
