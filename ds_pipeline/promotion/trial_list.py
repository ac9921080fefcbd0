"""What serving a candidate takes and what its list would look like, where evaluation and scoring meet."""

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa

from ds_pipeline.errors import ScoringError
from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.evaluation.checks.serving_cost import contract_differences, measure_operations
from ds_pipeline.evaluation.measure.measurement import gauge
from ds_pipeline.scoring.delivery import campaign_list
from ds_pipeline.scoring.reasons import as_columns, reasons
from ds_pipeline.scoring.score import CAMPAIGN, Origin, score_week
from ds_pipeline.use_case.features import SCORING_DATE
from ds_pipeline.use_case.load import UseCase

# Stand-ins for what a candidate does not have yet.
NOT_PROMOTED = Origin(model_version="v0000", candidate_digest="0" * 64, features_snapshot="0" * 64)


def check_operations(of: Material) -> Checked:
    """Serve the candidate as a weekly run would, where the requirements ask for it."""
    if of.requirements.operations is None:
        return Checked()
    record, measured = measure_operations(of.files, of.holdout, features=of.features)
    try:
        trial = listed(of.use_case, of.holdout, model=of.model, reference=of.reference)
        promised = contract_differences(trial, of.use_case.contract)
    except ScoringError as error:
        promised = gauge("contract_differences", problem=str(error))
    return Checked({"operations": record}, measured | promised)


def listed(use_case: UseCase, scored: pd.DataFrame, *, model: Any, reference: Mapping[str, Any]) -> pa.Table:
    """The list of the newest holdout week, with the contract's example for each identifier.

    Raises:
        ScoringError: there is no row, or a value does not fit the contract.
    """
    entity, contract = use_case.problem.entity, use_case.contract
    week = scored[scored[SCORING_DATE] == scored[SCORING_DATE].max()]
    scores = score_week(
        week, week["score"].to_numpy(), entity=entity, top_share=contract.top_share, origin=NOT_PROMOTED
    )
    chosen = scores.loc[scores["decision"] == CAMPAIGN, entity]
    examples = [column.example for column in contract.columns.values() if column.origin == "identifier"]
    why = None
    if contract.asks_for_reasons:
        rows = week[week[entity].isin(chosen)]
        why = as_columns(reasons(model, rows, use_case.features, reference=reference), rows[entity])
    return campaign_list(
        scores,
        contract,
        entity=entity,
        identifiers=pd.Series(examples[0], index=chosen, dtype=object) if examples else None,
        reasons=why,
    )
