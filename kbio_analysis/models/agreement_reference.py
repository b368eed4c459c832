"""From the record of past agreements to what a new one may bring: one call, two readings.

The first reading foretells what will be *measured* over the years after a new entry: agreement and partner's luck
together. The second takes out the part that partners without any agreement show as well, and so foretells what the
agreement itself adds; its spread is what is left, and the mean over tau's posterior stands beside it because
restricted likelihood can put that spread at zero.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from kbio_analysis.errors import ModelInputError
from kbio_analysis.models.agreement_record import AgreementRecord, record
from kbio_analysis.models.reference_class import MixturePrediction, PooledEffect, half_normal_twin, pool


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementReference:
    """``record`` of every agreement; ``pooled`` over both directions, ``by_direction`` each alone (a direction with too
    few agreements is absent); ``twin`` the prediction averaged over tau. All in log points."""

    record: AgreementRecord
    pooled: PooledEffect
    by_direction: Mapping[str, PooledEffect]
    twin: MixturePrediction


def reference(
    outcomes: Mapping[str, pd.DataFrame],
    treatment: pd.DataFrame,
    comparisons: Mapping[str, Sequence[str]],
    *,
    pre_years: int = 10,
    post_years: int = 10,
) -> AgreementReference:
    """The reference class of agreements; arguments and refusals as for ``agreement_record.record`` and ``pool``."""
    found = record(outcomes, treatment, comparisons, pre_years=pre_years, post_years=post_years)
    pooled = pool(found.effects, found.covariance)
    alone = {}
    for direction in outcomes:
        effects = found.effects[found.effects.index.get_level_values("direction") == direction]
        try:
            alone[direction] = pool(effects, found.covariance.loc[effects.index, effects.index])
        except ModelInputError:
            continue
    return AgreementReference(record=found, pooled=pooled, by_direction=alone, twin=half_normal_twin(pooled))


def pooled_or_none(
    outcomes: Mapping[str, pd.DataFrame],
    treatment: pd.DataFrame,
    comparisons: Mapping[str, Sequence[str]],
    *,
    pre_years: int = 10,
    post_years: int = 10,
    without: str | None = None,
) -> PooledEffect | None:
    """The pool under other choices, ``without`` one agreement; None where the data do not carry it."""
    try:
        found = record(outcomes, treatment, comparisons, pre_years=pre_years, post_years=post_years)
        effects = found.effects[found.effects.index.get_level_values("agreement") != without]
        return pool(effects, found.covariance.loc[effects.index, effects.index])
    except ModelInputError:
        return None


def net_of_chance(found: AgreementRecord, spread: pd.Series) -> tuple[PooledEffect, MixturePrediction]:
    """Pool again with the chance spread of each effect (log points, from ``Reassignment.spread``) as its own error."""
    own = np.diag(spread.reindex(found.effects.index).to_numpy(dtype=float) ** 2)
    pooled = pool(found.effects, found.covariance + own)
    return pooled, half_normal_twin(pooled)


def with_covariates(found: AgreementRecord) -> PooledEffect:
    """The same pool with two covariates: 1 for imports, and the log of trade before entry (unit of the outcome)."""
    table = found.table
    imports = (table.index.get_level_values("direction") == "imports").astype(float)
    covariates = pd.DataFrame(
        {"imports": imports, "log_initial_trade": np.log(table["initial_trade"])}, index=table.index
    )
    varied = covariates.loc[:, covariates.std() > 0]
    return pool(found.effects, found.covariance, covariates=varied if varied.shape[1] else None)


def long_panel(wide: pd.DataFrame) -> pd.DataFrame:
    """Years x partners as rows of unit, period, outcome, as ``event_study.staggered`` takes them."""
    named = wide.rename_axis(index="period", columns="unit")
    return named.melt(ignore_index=False, value_name="outcome").reset_index()
