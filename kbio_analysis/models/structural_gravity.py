"""What one country's agreements changed, in a three-way gravity model of world trade.

    X_ijt = exp(exporter_it + importer_jt + pair_ij + b_g D_ijt + c RTA_ijt) e_ijt

by Poisson pseudo-maximum-likelihood (Anderson & van Wincoop 2003; Santos Silva & Tenreyro 2006; Yotov and others 2016,
ch. 1). D is one dummy for each agreement of the home country and direction over the first years in force; RTA marks
other pairs' agreements; a further dummy takes each agreement's later years. Clustered by pair. The panel holds no
domestic sales, so what globalisation did to every border is not told apart. Coefficients and their clustered errors
have a bias of order 1/N (Weidner & Zylkin 2021); ``python -m bench bias`` measures it by halves of the economies.
"""

from dataclasses import dataclass, field

import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.agreement_record import AgreementRecord
from kbio_analysis.models.checks import checked_frame
from kbio_analysis.models.gravity import ppml
from kbio_analysis.models.reference_class import MIN_CASES, MixturePrediction, averaged_over_tau, pool

WORLD_COLUMNS = {
    "exporter": "ISO 3166-1 alpha-3 of the exporter",
    "importer": "ISO 3166-1 alpha-3 of the importer; equal to the exporter for domestic sales",
    "year": "calendar year",
    "trade_usd_m": "value of the flow, US$ million, zero or more",
    "agreement": "1 from the year in which an agreement between the two counts, else 0",
}
"""The columns a world panel needs, with what each means; others are ignored."""

THREE_WAY = ("exporter^year", "importer^year", "pair")
DIRECTIONS = ("exports", "imports")
Dummies = dict[tuple[str | int, ...], pd.Series]  # what an effect is of -> the rows of the panel it is measured on


@dataclass(frozen=True, slots=True, kw_only=True)
class PartnerEffects:
    """One agreement by itself: ``table`` by direction, and ``study`` by direction and year against ``base_until``.

    Both hold effect_log_points, se_log_points, and ``low`` and ``high`` (95%); without rows where nothing is measured.
    ``covariance`` of the study's effects, by (direction, year).
    """

    table: pd.DataFrame = field(default_factory=pd.DataFrame)
    study: pd.DataFrame = field(default_factory=pd.DataFrame)
    covariance: pd.DataFrame = field(default_factory=pd.DataFrame)
    base_until: int | None = None

    def step(self, direction: str, start: int) -> dict[str, float] | None:
        """The step of the event study: the mean of three years of the panel from ``start`` less that of three before.

        ``before_from``, ``before_to``, ``after_from`` and ``after_to`` (years), ``level_before``, ``level_after``,
        ``step`` and ``se``. None if either side is missing.
        """
        if self.study.empty:
            return None
        own = self.study[self.study["direction"] == direction].set_index("year")["effect_log_points"]
        before, after = own[own.index < start].tail(3), own[own.index >= start].head(3)
        if before.empty or after.empty:
            return None
        weight = pd.concat([-1.0 / len(before) + 0 * before, 1.0 / len(after) + 0 * after])
        v = self.covariance.xs(direction).xs(direction, axis=1).loc[weight.index, weight.index]
        years = {"before_from": before.index[0], "before_to": before.index[-1], "after_from": after.index[0]}
        levels = {"after_to": after.index[-1], "level_before": float(before.mean()), "level_after": float(after.mean())}
        step, se = float(after.mean() - before.mean()), float(max(weight @ v @ weight, 0.0)) ** 0.5
        return years | levels | {"step": step, "se": se}

    def records(self, step: dict[str, float] | None) -> dict[str, float | None]:
        """Effects by direction and the ``step`` with their errors, None where not measured."""
        found = {}
        for way in DIRECTIONS:
            own = self.table.loc[way] if way in self.table.index else {}
            found |= {f"{way}_log_points": own.get("effect_log_points"), f"{way}_se": own.get("se_log_points")}
        found |= {f"break_{name}": step and step[key] for name, key in (("log_points", "step"), ("se", "se"))}
        return {f"structural_{name}": value for name, value in found.items()}


def effects(world: pd.DataFrame, agreements: pd.DataFrame, *, home: str, years: int = 10) -> AgreementRecord:
    """One effect an agreement and direction over its first ``years`` years, all in one regression.

    The table has effect_log_points, se_log_points, n_years in the panel and trade_usd_m, the trade of such a year.
    ``world`` as :data:`WORLD_COLUMNS`; ``agreements``: columns iso3, agreement and entry_year (first calendar year that
    counts), one row a partner. An agreement without a year of the panel within its first years, or without trade then,
    has no effect. Raises ModelInputError for a panel that breaks its columns, a home that is not in it, or when no
    agreement can be measured.
    """
    frame, terms, late = _with_terms(world, agreements, home, years)
    if not terms:
        raise ModelInputError(f"no agreement of {home} has a year of the panel within its first {years} years")
    table, covariance = _fitted(frame, late, terms, ["agreement", "direction"])
    seen = {key: frame[own].groupby("year")["trade_usd_m"].sum() for key, own in terms.items()}
    table["n_years"] = [len(seen[key]) for key in table.index]
    table["trade_usd_m"] = [float(seen[key].mean()) for key in table.index]
    return AgreementRecord(table=table, covariance=covariance)


def next_agreement(found: AgreementRecord) -> dict[str, MixturePrediction]:
    """What a next agreement adds to trade, log points, by direction: its distribution over the first years together.

    Each direction is pooled alone with its covariance, and the prediction averaged over the spread between agreements;
    ``quantile(0.5)`` is its middle, ``quantile(u)`` a draw. A direction with fewer than MIN_CASES effects is absent.
    """
    predicted = {}
    for direction, own in found.effects.groupby(level="direction"):
        if len(own) >= MIN_CASES:
            predicted[str(direction)] = averaged_over_tau(found.pooled(direction=direction))
    return predicted


def profile(
    world: pd.DataFrame, agreements: pd.DataFrame, *, home: str, step: int = 3, years: int = 12
) -> pd.DataFrame:
    """The common effect of all agreements by years since entry and direction, in the same model.

    A row a direction and span of ``step`` years (as the panel has them): direction, from_year, to_year (0 is the year
    of entry), effect_log_points, se_log_points, n_partners. Agreements that are younger drop out of the later spans.
    """
    frame, _, late = _with_terms(world, agreements, home, years)
    entry = agreements.set_index("iso3")["entry_year"]
    spans: Dummies = {}
    for direction, (own, other) in {"exports": ("exporter", "importer"), "imports": ("importer", "exporter")}.items():
        since = (frame["year"] - entry.reindex(frame[other]).set_axis(frame.index)).where(frame[own] == home)
        for first in range(0, years, step):
            inside = since.between(first, first + step - 1)
            if (frame["trade_usd_m"].where(inside, 0) > 0).any():
                spans[direction, first, first + step - 1] = inside
    found = _fitted(frame, late, spans, ["direction", "from_year", "to_year"])[0]
    count = {key: int(frame.loc[own, "pair"].nunique()) for key, own in spans.items()}
    return found.assign(n_partners=[count[key] for key in found.index]).reset_index()


def event_study(
    world: pd.DataFrame, agreements: pd.DataFrame, *, home: str, partner: str, base_until: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Trade with one partner by year of the panel against the years up to ``base_until``, in the same model.

    A row a direction and year: direction, year, effect_log_points, se_log_points (the base years are 0 by
    construction and left out); with their covariance, by (direction, year). The home country's other agreements
    keep their own effects. Raises ModelInputError if the partner is not in the panel or no year lies in the base.
    """
    frame, terms, late = _with_terms(world, agreements[agreements["iso3"] != partner], home, 10)
    years = sorted(frame["year"].unique())
    if not (frame["exporter"] == partner).any():
        raise ModelInputError(f"the world panel holds no {partner}")
    if not any(year <= base_until for year in years):
        raise ModelInputError(f"no year of the panel lies before {base_until}, to measure from")
    own: Dummies = {}
    sides = {"exports": (home, partner), "imports": (partner, home)}
    for direction, (exporter, importer) in sides.items():
        pair = (frame["exporter"] == exporter) & (frame["importer"] == importer)
        own |= {(direction, int(year)): pair & (frame["year"] == year) for year in years if year > base_until}
    table, covariance = _fitted(frame, [*late, *terms.values()], own, ["direction", "year"])
    return table.reset_index(), covariance


def of_partner(
    world: pd.DataFrame, agreements: pd.DataFrame, *, home: str, partner: str, start: int | None, years: int = 10
) -> PartnerEffects:
    """The agreement with one partner from ``start``, by itself: its effects by direction, and its event study.

    Effects as :func:`effects` has them (index direction); the event study as :func:`event_study`, against the
    years up to eleven before the start, or the panel's second. Nothing is measured without a start, if the panel holds
    no such partner, or no year on both sides of the start.
    """
    if start is None:
        return PartnerEffects()
    seen = world.loc[(world["exporter"] == partner) | (world["importer"] == partner), "year"].unique()
    base_until = max(start - 11, int(sorted(world["year"].unique())[1]))
    if not any(start <= year < start + years for year in seen) or not any(year <= base_until for year in seen):
        return PartnerEffects()
    own = pd.DataFrame({"iso3": [partner], "agreement": [partner], "entry_year": [start]})
    others = agreements[agreements["iso3"] != partner].assign(agreement=lambda a: a["agreement"] + " (others)")
    found = effects(world, pd.concat([others, own], ignore_index=True), home=home, years=years).table
    if partner not in found.index.get_level_values("agreement"):
        return PartnerEffects()
    study, covariance = event_study(world, agreements, home=home, partner=partner, base_until=base_until)
    both = {"table": _with_ends(found.loc[partner]), "study": _with_ends(study)}
    return PartnerEffects(**both, covariance=covariance, base_until=base_until)


def elsewhere(
    world: pd.DataFrame, step: dict[str, float] | None, *, home: str, partner: str, direction: str
) -> pd.Series | None:
    """How many times the partner's trade with others than ``home`` grew between the years of ``step`` (theirs), in the
    same direction seen from home, and how many times all trade without home did (world). None without a step."""
    if step is None:
        return None
    side = "importer" if direction == "exports" else "exporter"
    away = world[(world["exporter"] != home) & (world["importer"] != home)]
    sums = {"theirs": away[away[side] == partner], "world": away}
    by_year = pd.DataFrame({name: rows.groupby("year")["trade_usd_m"].sum() for name, rows in sums.items()})
    spans = [by_year.loc[step[f"{end}_from"] : step[f"{end}_to"]].mean() for end in ("after", "before")]
    return spans[0] / spans[1]


def goes_with(found: AgreementRecord, duty_pct: pd.Series) -> pd.Series:
    """What a percentage point more of ``duty_pct`` goes with, log points: coefficient, standard_error, p_value and n.

    A meta-regression of the effects with a duty, by (agreement, direction), on it and on being imports.
    """
    duty = duty_pct.reindex(found.table.index).dropna()
    imports = (duty.index.get_level_values("direction") == "imports").astype(float)
    covariates = duty.to_frame("duty_pct").assign(imports=imports)
    estimates, covariance = found.effects[duty.index], found.covariance.loc[duty.index, duty.index]
    slope = pool(estimates, covariance, covariates=covariates).slopes.loc["duty_pct"]
    return pd.concat([slope, pd.Series({"n": len(duty)})])


def _with_ends(found: pd.DataFrame) -> pd.DataFrame:
    half = 1.96 * found["se_log_points"]
    return found.assign(low=found["effect_log_points"] - half, high=found["effect_log_points"] + half)


def _fitted(
    frame: pd.DataFrame, others: list[pd.Series], wanted: Dummies, names: list[str]
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Effects and errors of the ``wanted`` dummies that are not absorbed, beside the ``others``, and covariance."""
    dummies = {f"dummy_{n}": own.astype(float) for n, own in enumerate([*others, *wanted.values()])}
    fit = ppml(frame.assign(**dummies), "trade_usd_m", ["agreement", *dummies], list(THREE_WAY), "pair")
    keys = dict(zip(list(dummies)[len(others) :], wanted, strict=True))
    kept = [name for name in keys if name in fit.coefficients.index]
    index = pd.MultiIndex.from_tuples([keys[name] for name in kept], names=names)
    effects = {"effect_log_points": fit.coefficients[kept], "se_log_points": fit.standard_errors[kept]}
    covariance = fit.covariance.loc[kept, kept].set_axis(index, axis=0).set_axis(index, axis=1)
    return pd.DataFrame(effects).set_axis(index, axis=0), covariance


def _with_terms(
    world: pd.DataFrame, agreements: pd.DataFrame, home: str, years: int
) -> tuple[pd.DataFrame, Dummies, list[pd.Series]]:
    """The panel with its pairs, the dummies of agreements by (agreement, direction), and those of their later years."""
    checked_frame(world, WORLD_COLUMNS, "world panel")
    if world[list(WORLD_COLUMNS)].isna().any(axis=None):
        raise ModelInputError("world panel: a cell is empty; leave the row out, or put 0 where no trade was recorded")
    if world.duplicated(["exporter", "importer", "year"]).any():
        raise ModelInputError("world panel: an exporter, importer and year stand twice; add the flows up")
    if not all(pd.api.types.is_numeric_dtype(world[name]) for name in ("year", "trade_usd_m", "agreement")):
        raise ModelInputError("world panel: year, trade_usd_m and agreement must be plain numbers")
    if (world["trade_usd_m"] < 0).any() or not world["agreement"].isin([0, 1]).all():
        raise ModelInputError("world panel: trade_usd_m must be 0 or more and agreement 0 or 1")
    if world.loc[world["exporter"] == world["importer"], "agreement"].any():
        raise ModelInputError("world panel: domestic rows cannot have an agreement; set it to 0")
    checked_frame(agreements, ["iso3", "agreement", "entry_year"], "agreements")
    if not (world["exporter"] == home).any():
        raise ModelInputError(f"the world panel holds no {home}")
    if agreements["iso3"].duplicated().any():
        raise ModelInputError("agreements: a partner stands twice; keep its first agreement")
    frame = world[["exporter", "importer", "year", "trade_usd_m", "agreement"]].copy()
    frame["pair"] = frame["exporter"] + "_" + frame["importer"]
    sides = {"exports": frame["exporter"] == home, "imports": frame["importer"] == home}
    partner = frame["importer"].where(sides["exports"], frame["exporter"].where(sides["imports"]))
    known = agreements.set_index("iso3").reindex(partner).set_axis(frame.index)
    since = frame["year"] - known["entry_year"]
    frame.loc[sides["exports"] | sides["imports"], "agreement"] = 0
    terms, late = {}, []
    for direction, side in sides.items():
        first, later = side & (since >= 0) & (since < years), known["agreement"].where(side & (since >= years))
        late += [later == name for name in later.dropna().unique()]
        codes, names = pd.factorize(known["agreement"].where(first), sort=True)
        own = {(name, direction): pd.Series(codes == code, frame.index) for code, name in enumerate(names)}
        terms |= {key: rows for key, rows in own.items() if (frame.loc[rows, "trade_usd_m"] > 0).any()}
    return frame, terms, late
