"""What a tariff simulation reads: product lines with their duties and elasticities, and who trades on which terms."""

from collections.abc import Set
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..errors import DataError
from ..vocabulary import HOME
from .agreement_views import agreement_years
from .tables import load

if TYPE_CHECKING:
    from pandas import DataFrame, Series

Flow = Literal["exports", "imports"]
Basis = Literal["groups", "flat", "none"]
Access = Literal["agreement", "dfqf", "apta", "mfn"]

DUTY_FREE_SINCE = 2012
"""Year from whose first day Korea lets least developed countries in free of duty on some 95% of lines."""

RECENT_YEARS = 3
"""The supplier's share in the importer's purchases is a mean over so many of the latest usable years."""

_QUARTILE_GAP = 2 * 0.6744897501960817
_ALL = "All products"
_BEHIND_ALL = ("trade_elasticities_hs_section", "wto_product_groups")


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffLines:
    """Product lines of one flow, by HS chapter.

    ``frame`` is indexed by hs2 and holds only chapters with trade: section, group, share_pct (of the flow),
    cd_pct, rd_pct, sd_pct (customs, regulatory, supplementary duty, per cent; NaN where none is held), duty_basis
    (``group``, ``broad`` or ``flat``), supplier_share (fraction of the importer's purchases of the line that comes
    from the supplier), sigma_median, sigma_log_sd and source_id of the duty. ``basis`` says what the duties rest on:
    WTO product groups, one average for all, or nothing; ``share_basis`` whether supplier_share is the partner's
    ``own`` total, the ``typical`` partner's, or customs by ``chapter``; ``access`` what the flow meets today.
    """

    frame: "DataFrame"
    partner: str
    flow: Flow
    importer: str
    basis: Basis
    share_basis: Literal["own", "typical", "chapter"]
    access: Access
    duty_year: int | None
    source_ids: tuple[str, ...]

    def scaled(self, total_usd_m: float) -> "DataFrame":
        """The frame with ``trade_usd_m``: each line's part of a flow of ``total_usd_m`` US$ million a year."""
        return self.frame.assign(trade_usd_m=self.frame["share_pct"] / 100 * total_usd_m)


def tariff_lines(
    partner: str, flow: Flow, *, regulatory_share: float = 0.25, flat: Literal["mfn", "applied"] = "mfn"
) -> TariffLines:
    """Lines of Korea's ``exports`` to, or ``imports`` from, ``partner``, with the duties of the importing side.

    Duties are those without a preference: by product group where held, else the importer's average (``flat``: of
    most-favoured-nation or of applied rates, weighted by imports), else missing. Para-tariffs are held for Bangladesh
    only, as an average over all lines; two assumptions spread them: over lines in proportion to the customs duty,
    and ``regulatory_share`` of them is regulatory, the rest supplementary duty. Raises DataError for a partner
    outside the table of chapters or a share outside 0..1.
    """
    if flow not in ("exports", "imports"):
        raise DataError(f"flow must be exports or imports, not {flow!r}")
    if not 0 <= regulatory_share <= 1:
        raise DataError(f"regulatory_share is {regulatory_share}: give a fraction between 0 and 1")
    trade = load("korea_trade_by_chapter")
    trade = trade[trade["iso3"] == partner].set_index("hs2").sort_index()
    if trade.empty:
        raise DataError(f"korea_trade_by_chapter holds no partner {partner!r}: give an ISO3 code of a trading partner")
    trade = trade[trade[f"{flow}_share_pct"] > 0]
    importer = partner if flow == "exports" else HOME
    frame = trade[[f"{flow}_share_pct"]].set_axis(["share_pct"], axis=1)
    bridge = load("wto_product_groups").set_index("hs2")[["product_group", "broad_group"]]
    frame = frame.join(bridge).join(_elasticities()).rename(columns={"product_group": "group"})
    frame, basis = _with_duties(frame, importer, flat)
    frame = _with_para_tariffs(frame, importer, regulatory_share)
    if flow == "imports":
        supplier, share_basis, behind = trade["share_of_korean_imports_pct"] / 100, "chapter", ()
    else:
        supplier, share_basis, behind = _supplier_share(partner)
    frame = frame.assign(supplier_share=supplier)
    used = {source for name in _BEHIND_ALL for source in load(name)["source_id"]}
    used |= {*trade["source_id"], *frame["source_id"], *behind} - {""}
    if (frame["rd_pct"] > 0).any():
        used |= set(_rates(importer, "cd_rd_sd_simple_avg")["source_id"])
    years = frame["duty_year"].dropna()
    columns = ["section", "group", "share_pct", "cd_pct", "rd_pct", "sd_pct", "duty_basis", "supplier_share"]
    return TariffLines(
        frame=frame[[*columns, "sigma_median", "sigma_log_sd", "source_id"]],
        partner=partner,
        flow=flow,
        importer=importer,
        basis=basis,
        share_basis=share_basis,
        access=access_today(partner, flow),
        duty_year=int(years.max()) if len(years) else None,
        source_ids=tuple(sorted(used)),
    )


def access_today(partner: str, flow: Flow, *, on: int = 2026) -> Access:
    """The terms on which the flow enters its importer in the year ``on``.

    ``agreement``: a goods agreement is in force; ``dfqf``: Korea's duty-free entry for least developed countries
    (imports only); ``apta``: partial preferences; ``mfn``: none. An agreement comes first.
    """
    entered = agreement_years()
    if partner in entered.index and entered[partner] <= on:
        return "agreement"
    if flow == "imports" and on >= DUTY_FREE_SINCE and partner in least_developed(on):
        return "dfqf"
    rows = load("korea_ftas")
    partial = rows[(rows["scope"] == "partial") & (rows["status"] == "in_force")]
    return "apta" if partner in set(partial["iso3"]) else "mfn"


def least_developed(year: int) -> Set[str]:
    """ISO3 of the least developed countries in ``year``, from the list of 2021 less those known to have left since."""
    rows = load("least_developed_countries")
    return set(rows.loc[~(rows["graduation_year"] < year).fillna(False).astype(bool), "iso3"])


def preference_terms() -> "DataFrame":
    """Published use of preferences and coverage of the scheme for least developed countries, a figure a row."""
    return load("preference_terms")


def duty_free_lines() -> "Series":
    """The latest published share of Korea's tariff lines that the least developed enter free: a row of the table."""
    rows = load("preference_terms")
    rows = rows[(rows["importer"] == HOME) & (rows["measure"] == "lines_duty_free_pct")]
    return rows.sort_values("period").iloc[-1]


def _elasticities() -> "DataFrame":
    """Section, median and spread (standard deviation of the log, from the quartiles) of sigma for each chapter."""
    import numpy as np
    import pandas as pd

    rows = load("trade_elasticities_hs_section")
    spread = np.log(rows["sigma_p75"] / rows["sigma_p25"]) / _QUARTILE_GAP
    parts = [
        (chapter, row.hs_section, row.sigma_median, log_sd)
        for row, log_sd in zip(rows.itertuples(), spread, strict=True)
        for chapter in range(row.first_hs2, row.last_hs2 + 1)
    ]
    return pd.DataFrame(parts, columns=["hs2", "section", "sigma_median", "sigma_log_sd"]).set_index("hs2")


def _rates(importer: str, rate_type: str) -> "DataFrame":
    rows = load("applied_tariffs")
    return rows[(rows["importer"] == importer) & (rows["rate_type"] == rate_type)].set_index("product_group")


def _with_duties(frame: "DataFrame", importer: str, flat: str) -> "tuple[DataFrame, Basis]":
    """Adds cd_pct, duty_basis, duty_year and source_id."""
    groups = _rates(importer, "mfn_simple_avg")
    if len(groups):
        own = frame["group"].isin(groups.index)
        taken, basis = groups.loc[frame["group"].where(own, frame["broad_group"])], "groups"
        kind = own.map({True: "group", False: "broad"})
    elif len(average := _rates(importer, f"{flat}_weighted_avg")):
        taken, basis, kind = average.loc[[_ALL] * len(frame)], "flat", "flat"
    else:
        missing = float("nan")
        return frame.assign(cd_pct=missing, duty_basis="", duty_year=missing, source_id=""), "none"
    duties = {"cd_pct": taken["rate_pct"], "duty_year": taken["year"], "source_id": taken["source_id"]}
    return frame.assign(duty_basis=kind, **{k: v.to_numpy() for k, v in duties.items()}), basis


def _with_para_tariffs(frame: "DataFrame", importer: str, regulatory_share: float) -> "DataFrame":
    """Adds rd_pct and sd_pct so that their mean over all lines is the published total less the customs duty's."""
    total = _rates(importer, "cd_rd_sd_simple_avg")
    ratio = 0.0
    if len(total):
        customs = _rates(importer, "mfn_simple_avg")
        ratio = total.at[_ALL, "rate_pct"] / customs.at[_ALL, "rate_pct"] - 1
    para = frame["cd_pct"] * ratio
    return frame.assign(rd_pct=para * regulatory_share, sd_pct=para * (1 - regulatory_share))


def _supplier_share(partner: str) -> "tuple[float, str, Series]":
    """Korea's fraction of the partner's total imports, its basis and sources; the median partner's where unusable."""
    rows = load("partner_trade_totals")
    usable = ~rows["flag"].fillna("").str.contains("imports_unusable") & (rows["total_imports_usd_m"] > 0)
    rows = rows[usable & (rows["imports_from_korea_usd_m"] > 0)].sort_values("year")
    latest = rows.groupby("iso3").tail(RECENT_YEARS)
    share = (latest["imports_from_korea_usd_m"] / latest["total_imports_usd_m"]).groupby(latest["iso3"]).mean()
    basis = "own" if partner in share.index else "typical"
    return float(share[partner] if basis == "own" else share.median()), basis, latest["source_id"]
