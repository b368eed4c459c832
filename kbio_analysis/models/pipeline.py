"""From candidates in clinical phases to blockbusters: chances, dates, and how many candidates a target takes.

A candidate in phase i is approved with the product of the transition rates from i on (the phase-by-phase method of
Hay et al. 2014, Nature Biotechnology 32), and an approved product passes the sales mark with a given share. How many of
unlike candidates succeed follows the Poisson-binomial law. Dates are sums of cycle times; nothing here says that
candidates are alike or independent, which the notebook must.
"""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from scipy import optimize, special, stats

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.checks import checked_frame
from kbio_analysis.models.growth import required_growth_pct

PHASES = {"phase1": "phase I", "phase2": "phase II", "phase3": "phase III", "filed": "review"}
"""Where a candidate stands, in order, and as written; ``filed`` is under review."""

QUANTILES = 200
"""Points at which an unknown share is read."""

STRETCHES = 9
"""Equal steps between the shortest and the longer published times."""

MOST_ATTEMPTS = 1_000_000
"""More candidates than this are no answer."""


def prospects(
    figures: pd.DataFrame,
    *,
    counted: date | str,
    total_years_long: float,
    phase_done: float,
    years_to_mark: float,
) -> pd.DataFrame:
    """Chances and dates of the candidates in each phase.

    ``figures``: one row a phase of PHASES; columns candidates, success (transition probability) and years (cycle
    time). ``counted`` the day of the count; ``total_years_long`` a longer published time from phase I to approval, to
    which all phases are stretched alike; ``phase_done`` the share of its phase a candidate had behind it that day;
    ``years_to_mark`` years of sales to the mark, the year of launch counting as the first.

    Returns one row a phase: candidates, approval (probability), and the calendar years approval_short, approval_long,
    mark_short and mark_long (the first above the mark); ``attrs["marks"]`` holds the latter for STRETCHES equal steps
    from short to long. Raises :class:`ModelInputError` for a share outside 0 to 1 or times that are not positive.
    """
    figures = checked_frame(figures, ("candidates", "success", "years"), "figures by phase").loc[list(PHASES)]
    rates, spans = figures["success"].to_numpy(dtype=float), figures["years"].to_numpy(dtype=float)
    if not ((rates >= 0) & (rates <= 1)).all() or not 0 <= phase_done <= 1:
        raise ModelInputError("transition rates and the share of the phase done: give values from 0 to 1")
    if not (spans > 0).all() or total_years_long <= 0 or years_to_mark < 1:
        raise ModelInputError("phase times must be above zero, and sales take one year or more to the mark")
    table = pd.DataFrame(index=pd.Index(list(PHASES), name="phase"))
    table["candidates"] = figures["candidates"].to_numpy(dtype=int)
    table["approval"] = np.cumprod(rates[::-1])[::-1]
    day = pd.Timestamp(counted)
    then = day.year + (day.day_of_year - 1) / (366 if day.is_leap_year else 365)
    remaining = np.cumsum(spans[::-1])[::-1] - phase_done * spans
    factors = np.linspace(1.0, max(total_years_long / spans.sum(), 1.0), STRETCHES)
    approved = np.floor(then + factors[:, None] * remaining).astype(int)
    marks = approved + int(np.ceil(years_to_mark)) - 1
    for timing, at in (("short", 0), ("long", -1)):
        table[f"approval_{timing}"], table[f"mark_{timing}"] = approved[at], marks[at]
    table.attrs["marks"] = marks
    return table


def updated_share(share: float, weight: float, *, passed: int, approved: int) -> Any:
    """The law of the share of approvals that pass the mark: a published share, worth ``weight`` approvals, updated.

    Beta-binomial updating (Gelman et al. 2013, section 2.4) on ``passed`` of ``approved`` products of one's own.
    Raises :class:`ModelInputError` for a share or weight that is no prior, or counts that cannot be.
    """
    if not 0 <= share <= 1 or not weight > 0 or not 0 <= passed <= approved:
        raise ModelInputError(
            f"share {share:g} worth {weight:g} approvals, {passed} of {approved}: give a share from 0 to 1, a weight "
            "above zero, and no more passed than approved"
        )
    tiny = 1e-9
    return stats.beta(share * weight + passed + tiny, (1 - share) * weight + approved - passed + tiny)


def chance_over_share(
    k: int, found: pd.DataFrame, share: Any, *, by: int | None, timing: str = "between",
    selling: Sequence[float] = (),
) -> float:  # fmt: skip
    """P(at least ``k`` pass the mark) among the candidates of :func:`prospects` and products already ``selling``.

    ``share``: its law, over which the chance is averaged, or a number. ``by``: the last year that counts, None for no
    deadline; ``timing`` short, long, or between: averaged over the steps from one to the other. ``selling``: chances
    of products on the market.
    """
    points = (np.arange(QUANTILES) + 0.5) / QUANTILES
    shares = np.atleast_1d(share if isinstance(share, (int, float)) else share.ppf(points))
    marks = {"short": [found["mark_short"]], "long": [found["mark_long"]], "between": found.attrs["marks"]}[timing]
    rows = [np.asarray(year) <= (np.inf if by is None else by) for year in marks]
    counts = np.array([*found["candidates"], *[1] * len(selling)])
    passes = np.tile(np.asarray(selling, dtype=float), (len(shares), 1))
    each = [
        _at_least(k, counts, np.hstack([shares[:, None] * (found["approval"].to_numpy() * kept), passes])).mean()
        for kept in rows
    ]
    return float(np.mean(each))


def outlook(
    k: int, found: pd.DataFrame, shares: Mapping[str, float], *, worth: float, approved: int, by: int,
    selling: Sequence[float] = (),
) -> tuple[pd.Series, pd.DataFrame]:  # fmt: skip
    """Chances of at least ``k``, from the candidates of :func:`prospects` and products already ``selling``.

    ``shares``: low, likely and high published share, each ``worth`` so many approvals and updated on an own record of
    none in ``approved``. Returns for the likely one in_time (by the year ``by``, between the shortest and the longer
    times), in_time_short and in_time_long (at these ends), for the low one in_time_low_share, for the likely one as
    published in_time_published_share, some_day (no deadline) and share (mean of the updated one); and in_time by
    published share (rows) and by what it is worth (a quarter and four times beside it), the last column as published.
    """
    weights = (worth / 4, worth, 4 * worth)
    laws = {n: {w: updated_share(s, w, passed=0, approved=approved) for w in weights} for n, s in shares.items()}
    terms, likely = {"by": by, "selling": selling}, laws[list(shares)[1]][worth]
    rows = {
        n: [chance_over_share(k, found, law, **terms) for law in (*of.values(), shares[n])] for n, of in laws.items()
    }
    columns = [*(f"Worth {w:g} approvals" for w in weights), "As published"]
    table = pd.DataFrame.from_dict(rows, orient="index", columns=columns)
    chances = {"in_time": table.iloc[1, 1]}
    chances |= {f"in_time_{t}": chance_over_share(k, found, likely, **terms, timing=t) for t in ("short", "long")}
    chances |= {"in_time_low_share": table.iloc[0, 1], "in_time_published_share": table.iloc[1, -1]}
    chances |= {"some_day": chance_over_share(k, found, likely, by=None, selling=selling), "share": likely.mean()}
    return pd.Series(chances), table


def chance_to_grow(sales: float, mark: float, years: int, growth_pct: Sequence[float]) -> float:
    """P(sales pass the mark in ``years``) at one growth rate for all of them, triangular on (low, likely, high)."""
    if sales >= mark or years < 1:
        return float(sales >= mark)
    needed, (low, likely, high) = required_growth_pct(sales, mark, years), growth_pct
    if high == low:
        return float(low >= needed)
    return float(stats.triang.sf(needed, (likely - low) / (high - low), loc=low, scale=high - low))


def at_least(k: int, counts: Sequence[int] | pd.Series, p: Sequence[float] | pd.Series) -> float:
    """P(at least ``k`` successes) among ``counts`` attempts of chance ``p`` each, group by group."""
    try:
        counts, p = np.asarray(counts, dtype=int), np.asarray(p, dtype=float)
    except (TypeError, ValueError):
        kinds = f"{type(counts).__name__} and {type(p).__name__}"
        raise ModelInputError(f"counts and p: {kinds} were given; pass lists or Series of numbers") from None
    if (counts < 0).any() or not ((p >= 0) & (p <= 1)).all():
        raise ModelInputError("attempts and chances: give counts of zero or more and chances from 0 to 1")
    if k <= 0 or counts.sum() == 0:
        return float(k <= 0)
    return float(_at_least(k, counts, p[None, :])[0])


def _at_least(k: int, counts: np.ndarray, p: np.ndarray) -> np.ndarray:
    """P(at least ``k``) for every row of ``p`` (rows x groups): the first k probabilities, convolved group by group."""
    fewer, j = np.zeros((len(p), k)), np.arange(k)
    fewer[:, 0] = 1.0
    for n, chances in zip(counts, p.T, strict=True):
        ways = np.where(j <= n, special.comb(n, j), 0.0)
        own = ways * chances[:, None] ** j * (1 - chances[:, None]) ** np.maximum(n - j, 0)
        fewer = np.stack([(fewer[:, : i + 1] * own[:, i::-1]).sum(axis=1) for i in range(k)], axis=1)
    return np.clip(1 - fewer.sum(axis=1), 0.0, 1.0)


def attempts_needed(k: int, p: float, chance: float) -> int | None:
    """The fewest like attempts with P(at least ``k`` succeed) of at least ``chance``; None if MOST_ATTEMPTS do not do.

    The ``k``-th success comes at attempt n or earlier: the negative binomial law.
    """
    if k < 1 or not 0 < chance < 1 or not 0 <= p <= 1:
        raise ModelInputError(f"k = {k}, p = {p}, chance = {chance}: give k of 1 or more and chances between 0 and 1")
    if p == 0 or stats.binom.sf(k - 1, MOST_ATTEMPTS, p) < chance:
        return None
    return k + int(stats.nbinom.ppf(chance, k, p))


def share_needed(k: int, counts: pd.Series, p: pd.Series, chance: float) -> float | None:
    """The share by which every chance must be multiplied for P(at least ``k``) = ``chance``; None if 1 falls short."""
    if not 0 < chance < 1:
        raise ModelInputError(f"chance = {chance}: give a value between 0 and 1")
    if at_least(k, counts, p) < chance:
        return None
    return float(optimize.brentq(lambda s: at_least(k, counts, np.asarray(p) * s) - chance, 0.0, 1.0, xtol=1e-10))
