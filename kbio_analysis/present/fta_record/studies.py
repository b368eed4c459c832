"""Sentences about data and design: who is in, which dates are vague, what the estimators and their leads say."""

from collections.abc import Mapping, Sequence

import pandas as pd

from kbio_analysis.models.event_study import METHODS, EventStudy
from kbio_analysis.models.gravity import WORLD_COLUMNS, GravityFit
from kbio_analysis.models.trend_drift import DriftBound
from kbio_analysis.present.fta_record.effects import DIRECTIONS, UNLIKELY, in_pct, p_text, span
from kbio_analysis.present.text import count, join

Studies = Mapping[tuple[str, str], EventStudy]
"""(direction, method) -> its event study."""


def sample_sentence(treatment: pd.DataFrame, comparisons: Mapping[str, Sequence[str]], years: tuple[int, int]) -> str:
    """How many agreements, partners and comparisons, over which years."""
    against = [f"{len(partners)} for {direction}" for direction, partners in comparisons.items()]
    return (
        f"From {years[0]} to {years[1]} the record holds {count(treatment.agreement.nunique(), 'agreement')} with "
        f"{count(len(treatment), 'partner')} whose first agreement on goods entered in time, and as comparisons "
        f"partners that never had one: {join(against)}."
    )


def left_out_sentence(left_out: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Ships by name, and how many others were refused for which reason."""
    flags = sorted({names.get(code, code) for code in left_out.loc[left_out.reason == "ships", "iso3"]})
    others = left_out[left_out.reason != "ships"].drop_duplicates(["iso3", "reason"]).reason.value_counts()
    reasons = [f"{reason.replace('_', ' ')} ({n})" for reason, n in others.items()]
    text = f"Left out for other reasons: {join(reasons)}." if reasons else "Nobody else is left out."
    if not flags:
        return text
    return f"Trade with {join(flags)} is mostly ships under their flags and is left out on both sides. {text}"


def dates_sentence(entries: pd.DataFrame, treatment: pd.DataFrame, *, dating: str) -> str:
    """Which members' entry year depends on the end of an uncertain date, and which end is used."""
    first = entries[(entries["rank"] == 1) & entries.iso3.isin(treatment.index)]
    vague = first[(first.first_possible != first.last_possible).fillna(True)]
    if vague.empty:
        return "Every first agreement has one possible entry year."
    n = len(vague)
    return (
        f"For {count(n, 'partner')} of {join(sorted(set(vague.agreement)))} the entry year hangs on a date known only "
        f"to the month, the year or between bounds; the {'earlier' if dating == 'early' else 'later'} end is used here "
        "and the other under Checks."
    )


def overlap_sentence(later: pd.DataFrame, last_year: int) -> str:
    """Agreements that came on top of an older one, counted and named once."""
    inside = later[later.entry_year <= last_year]
    if inside.empty:
        return "No partner entered a second agreement within these years."
    names = list(dict.fromkeys(inside.sort_values("entry_year").agreement))
    return (
        f"{count(len(inside), 'later entry', 'later entries')} of {count(inside.iso3.nunique(), 'partner')} "
        f"({join(names)}) came on top of an older agreement. A partner counts from its first one, so what the later "
        "ones added is inside its effect."
    )


def methods_sentence(studies: Studies) -> str:
    """The naive dummy beside the extended model, by direction."""
    parts = []
    for direction in dict.fromkeys(d for d, _ in studies):
        main, naive = studies[direction, "etwfe_ppml"], studies[direction, "twfe"]
        gap = naive.overall - main.overall
        parts.append(
            f"{DIRECTIONS[direction]} {in_pct(main.overall)} ({span(main.interval())}), where the single dummy says "
            f"{in_pct(naive.overall)} ({abs(gap):.2f} log points {'more' if gap > 0 else 'less'})"
        )
    return (
        f"Averaged over treated partner-years instead of agreements, so that the many members of one agreement weigh "
        f"most, the extended model gives {join(parts)}."
    )


def leads_sentence(studies: Studies) -> str:
    """Which methods see trade depart from its path before entry."""
    tested = {key: s.leads for key, s in studies.items() if s.leads is not None}
    if not tested:
        return "No method has leads here: the years before entry are too few, so parallel paths cannot be checked."
    failed = [key for key, t in tested.items() if t.p_value < UNLIKELY / 2]
    if not failed:
        return (
            f"None of {count(len(tested), 'joint test')} of the leads rejects parallel paths before entry at 5%; "
            f"the smallest is {p_text(min(t.p_value for t in tested.values()))}."
        )
    named = [f"{DIRECTIONS[d]} by {METHODS[m]} ({p_text(tested[d, m].p_value)})" for d, m in failed]
    return (
        f"Paths already differed before entry at 5% in {len(failed)} of {count(len(tested), 'joint test')} of the "
        f"leads: {join(named)}. Where they did, what follows entry cannot be put down to the agreement alone."
    )


def drift_sentence(bounds: Mapping[str, Sequence[DriftBound]], *, horizon: int) -> str:
    """What remains of the mean over the first years if trends drift."""
    if not bounds:
        return "No bound for drifting trends can be given without leads."
    parts = []
    for direction, spans in bounds.items():
        clear = [b.relative_magnitude for b in spans if b.low_95 > 0 or b.high_95 < 0]
        least = spans[0]
        text = f"{DIRECTIONS[direction]} {span((least.low_95, least.high_95))} at {least.relative_magnitude:g} times"
        parts.append(f"{text}, {_clear(clear)}")
    return (
        f"If trends over the first {count(horizon, 'year')} may drift by a multiple of the largest yearly step seen "
        f"before entry, the 95% bounds of the mean effect are: {join(parts)}."
    )


def _clear(multiples: Sequence[float]) -> str:
    return f"clear of zero up to {max(multiples):g} times" if multiples else "never clear of zero"


def specification_sentence(table: pd.DataFrame) -> str:
    """Over all specifications: range of the means, and in how many the interval excludes zero."""
    usable = table.dropna(subset=["mean_log_points"])
    clear = int(((usable.low_log_points > 0) | (usable.high_log_points < 0)).sum())
    return (
        f"Over {count(len(usable), 'specification')} the pooled mean runs from {in_pct(usable.mean_log_points.min())} "
        f"to {in_pct(usable.mean_log_points.max())}, and the 95% interval excludes no change in {clear} of them."
    )


def world_sentence(fit: GravityFit | None) -> str:
    """The structural three-way result on a user's world panel, or what is missing without one."""
    if fit is None:
        return (
            "No world panel is given, so partner-year effects cannot be had: a partner's own boom or slump stays in "
            f"its effect. A CSV with the columns {join(list(WORLD_COLUMNS))} as `world_panel` runs the three-way model."
        )
    b, se = float(fit.coefficients["agreement"]), float(fit.standard_errors["agreement"])
    return (
        f"On the world panel given, the structural three-way model puts an agreement at {in_pct(b)} "
        f"({span((b - 1.96 * se, b + 1.96 * se))}) from {fit.n_obs:,} flows; {fit.dropped:,} were fitted perfectly and "
        "left out."
    )


def limit_sentences(comparisons: Mapping[str, Sequence[str]], *, outcome: str) -> list[str]:
    """What the page cannot tell."""
    few = min(len(partners) for partners in comparisons.values())
    demand = (
        "The share takes out the partner's own demand but not what rivals won or lost; totals after 2020 are not held."
        if outcome == "share"
        else "Korea's panel alone cannot carry partner-year effects: a partner's growth, oil prices and exchange rates "
        "stay in its effect."
    )
    return [
        demand,
        f"Comparisons number {few} in the thinner direction, and few are large: most large partners have an agreement.",
        "Agreements were not handed out by lot: partners that were growing towards Korea may have been chosen.",
        "Utilisation, tariff cuts and rules of origin differ between agreements and are not in the record.",
        "Exports are f.o.b. and imports c.i.f., in current US$; year effects take out what is common to all partners.",
    ]
