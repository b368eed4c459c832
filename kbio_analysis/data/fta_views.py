"""What the notebooks on agreements read: who entered one when, Korea's trade with each partner, who may be compared."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ..errors import DataError
from ..vocabulary import SHIP_FLAG
from .tables import load

if TYPE_CHECKING:
    from pandas import DataFrame

Dating = Literal["early", "late"]
Outcome = Literal["trade", "share"]

MONTHS_OF_A_YEAR = 6
"""An agreement that enters by the end of this month counts from its year of entry, a later one from the next."""

MIN_UNTREATED_YEARS = 4
"""A partner needs so many observed years before its agreement, and one after."""

_NAMES = {"RCEP": "RCEP", "Korea-Turkiye FTA": "Türkiye", "Korea-US FTA": "United States", "Korea-UK FTA": "Britain"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementInputs:
    """What the estimators take, and who was left out.

    ``outcomes`` direction -> years x ISO3 (US$ million, or per cent of the partner's total; NaN where not recorded);
    ``treatment`` indexed by ISO3: agreement (short name), entry_year; ``comparisons`` direction -> ISO3 codes;
    ``left_out`` columns iso3, direction, reason; ``later`` agreements that came on top of an older one; ``names``
    ISO3 -> partner; ``trade_source_ids`` of the outcomes, ``source_ids`` of everything.
    """

    outcomes: "dict[str, DataFrame]"
    treatment: "DataFrame"
    comparisons: dict[str, list[str]]
    left_out: "DataFrame"
    later: "DataFrame"
    names: dict[str, str]
    trade_source_ids: tuple[str, ...]
    source_ids: tuple[str, ...]

    @property
    def panels(self) -> "dict[str, Any]":
        """The three that every estimator takes, by the name of its argument."""
        return {"outcomes": self.outcomes, "treatment": self.treatment, "comparisons": self.comparisons}

    @property
    def years(self) -> tuple[int, int]:
        """First and last year of the outcomes."""
        panel = next(iter(self.outcomes.values()))
        return int(panel.index[0]), int(panel.index[-1])


def agreements(*, dating: Dating = "early") -> "DataFrame":
    """Goods agreements in force, one row a partner and agreement, by partner and entry: agreement, iso3, entry_year.

    Also ``first_possible`` and ``last_possible`` entry years, ``precision`` and ``source_id``; ``rank`` is 1 for a
    partner's first agreement. Services, partial preferences and agreements not in force are left out. ``dating``
    says which end of an uncertain date is taken; the year is missing where no bound is known.
    """
    rows = load("korea_ftas")
    rows = rows[(rows["scope"] == "goods") & (rows["status"] == "in_force")]
    ends = {"first_possible": "in_force_earliest", "last_possible": "in_force_latest"}
    rows = rows.assign(**{name: _entry_year(rows[column]) for name, column in ends.items()})
    rows = rows.assign(entry_year=rows["first_possible"] if dating == "early" else rows["last_possible"])
    rows = rows.assign(agreement=rows["agreement"].map(short_name))
    rows = rows.sort_values(["iso3", "first_possible", "agreement"], ignore_index=True)
    rows = rows.assign(rank=rows.groupby("iso3").cumcount() + 1)
    columns = ["agreement", "iso3", "entry_year", "first_possible", "last_possible", "precision", "rank", "source_id"]
    return rows[columns]


def short_name(agreement: str) -> str:
    """``Korea-Chile FTA`` as ``Chile``, ``ASEAN-Korea FTA`` as ``ASEAN``."""
    return _NAMES.get(agreement) or re.sub(r"^Korea-|-Korea| (FTA|CEPA|SECA)\b.*$", "", agreement)


def agreement_inputs(
    *,
    first_year: int = 1990,
    last_year: int = 2023,
    outcome: Outcome = "trade",
    dating: Dating = "early",
    min_trade_usd_m: float = 100.0,
    pre_years: int = 10,
) -> AgreementInputs:
    """Partners with a first agreement inside the window, and the partners that never had one.

    Comparisons have a complete positive record, a median trade of at least ``min_trade_usd_m`` in that direction and
    no mark in ``donor_exclusions``; members need MIN_UNTREATED_YEARS among the ``pre_years`` before entry and a year
    after it. Ships under flags of convenience are left out on both sides. ``share`` divides by the partner's own
    total imports or exports, which end in 2020.
    """
    import pandas as pd

    all_agreements = agreements(dating=dating)
    first = all_agreements[all_agreements["rank"] == 1].set_index("iso3")
    trade = {"exports": _panel("exports"), "imports": _panel("imports")}
    used = [load("korea_exports_by_partner"), load("korea_imports_by_partner")]
    names = dict(zip(used[0]["iso3"], used[0]["partner"], strict=True))
    ships = set(used[0].loc[used[0]["flag"].fillna("").str.contains(SHIP_FLAG), "iso3"])
    marked = load("donor_exclusions")
    disturbed = marked.groupby("iso3")["reason"].agg(lambda reasons: " and ".join(dict.fromkeys(reasons)))
    outcomes, comparisons, left_out, members = {}, {}, [], set()
    for direction, flows in trade.items():
        flows = flows.loc[first_year:last_year]
        values = flows if outcome == "trade" else _share(flows, direction)
        if len(values) < MIN_UNTREATED_YEARS + 1:
            raise DataError(f"{first_year} to {last_year} holds {len(values)} years of {outcome}: widen the window")
        kept: list[str] = []
        comparisons[direction] = []
        for iso3 in values.columns:
            if iso3 in first.index:
                reason = _member_reason(values[iso3], first["entry_year"][iso3], iso3 in ships, pre_years)
            else:
                reason = _comparison_reason(values[iso3], flows[iso3], iso3 in ships, min_trade_usd_m)
                reason = reason or disturbed.get(iso3)
            if reason is None:
                kept.append(iso3)
                if iso3 in first.index:
                    members.add(iso3)
                else:
                    comparisons[direction].append(iso3)
            else:
                left_out.append((iso3, direction, reason))
        outcomes[direction] = values[kept]
    treatment = first.loc[sorted(members), ["agreement", "entry_year"]].astype({"entry_year": int})
    if outcome == "share":
        used.append(load("partner_trade_totals"))
    behind = {source for frame in used for source in frame["source_id"]}
    return AgreementInputs(
        outcomes=outcomes,
        treatment=treatment,
        comparisons=comparisons,
        left_out=pd.DataFrame(left_out, columns=["iso3", "direction", "reason"]),
        later=all_agreements[all_agreements["rank"] > 1],
        names=names,
        trade_source_ids=tuple(sorted(behind)),
        source_ids=tuple(sorted({*behind, *marked["source_id"], *all_agreements["source_id"]})),
    )


def world_panel(path: str) -> "DataFrame | None":
    """A world panel of the user's own from a CSV file, as it stands there; None for an empty path.

    What its columns must be is checked by ``models.gravity``. Raises DataError for a file that cannot be read.
    """
    if not path:
        return None
    import pandas as pd

    try:
        return pd.read_csv(path, dtype={"exporter": str, "importer": str})
    except (OSError, ValueError) as error:
        raise DataError(
            f"world panel {path!r} cannot be read as CSV ({type(error).__name__}): check the path"
        ) from None


def _entry_year(days: "object") -> "object":
    late = (days.dt.month > MONTHS_OF_A_YEAR).astype("Int64")
    return (days.dt.year.astype("Int64") + late).where(days.notna())


def _panel(direction: str) -> "DataFrame":
    rows = load(f"korea_{direction}_by_partner")
    rows = rows[~rows["flag"].fillna("").str.contains("former_code|larger_state")]
    return rows.pivot(index="year", columns="iso3", values=f"{direction}_usd_m").sort_index()


def _share(flows: "DataFrame", direction: str) -> "DataFrame":
    """Korea's part of what the partner buys (exports) or sells (imports), per cent; unusable totals are missing."""
    side = "imports" if direction == "exports" else "exports"
    rows = load("partner_trade_totals")
    usable = ~rows["flag"].fillna("").str.contains(f"{side}_unusable")
    totals = rows[usable & (rows[f"total_{side}_usd_m"] > 0)].pivot(
        index="year", columns="iso3", values=f"total_{side}_usd_m"
    )
    years = [y for y in flows.index if y in totals.index]
    both = [c for c in flows.columns if c in totals.columns]
    return 100 * flows.loc[years, both] / totals.loc[years, both]


def _member_reason(values: "object", entry: "object", ships: bool, pre_years: int) -> str | None:
    if ships:
        return "ships"
    if entry is None or entry != entry or entry > values.index[-1]:
        return "entry not within the record"
    before = values.loc[entry - pre_years : entry - 1]
    if before.notna().sum() < MIN_UNTREATED_YEARS or not (before > 0).any():
        return "too few years before entry"
    return None if (values.loc[entry:] > 0).any() else "no record after entry"


def _comparison_reason(values: "object", flows: "object", ships: bool, floor: float) -> str | None:
    if ships:
        return "ships"
    if not (values > 0).all():
        return "gaps in the record"
    return None if flows.median() >= floor else "little trade"
