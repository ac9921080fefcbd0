"""Label quality and poisoning: what the labels of training and holdout look like, as far as the requirements ask."""

from __future__ import annotations

import pandas as pd
from pydantic import Field

from ds_pipeline.evaluation.checks.duplicates import Duplicates, conflicting_duplicates
from ds_pipeline.evaluation.checks.fits import FitPredict
from ds_pipeline.evaluation.checks.label_errors import LabelErrors, estimate_label_errors
from ds_pipeline.evaluation.checks.label_rates import RateShift, label_rate_shifts
from ds_pipeline.evaluation.checks.rare_values import RareValue, rare_values
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.requirements import Requirements


class LabelFindings(Record):
    """What was found about the labels; what the requirements do not ask for is empty or None."""

    rate_shifts: list[RateShift] = Field(default_factory=list)
    duplicates: Duplicates | None = None
    rare_values: list[RareValue] = Field(default_factory=list)
    errors: LabelErrors | None = None


def check_labels(
    trained_on: pd.DataFrame,
    *,
    labelled: pd.DataFrame,
    holdout: pd.DataFrame,
    requirements: Requirements,
    features: FeatureSet,
    entity: str,
    fit_predict: FitPredict,
) -> tuple[LabelFindings, dict[str, Measurement]]:
    """Everything that `label_quality` limits but undecided labels, which the counted facts of the holdout tell.

    Args:
        trained_on: the rows the candidate was trained on: scoring_date, the entity, features and label (0/1).
        labelled: all labelled rows of the training weeks, which the label rates of the holdout are compared with.
        holdout: the labelled rows of the holdout.
        fit_predict: fits on labelled rows and gives the probability of others; called three times, for label errors.
    """
    asked = requirements.label_quality
    found: dict[str, object] = {}
    measured: dict[str, Measurement] = {}
    if asked is None:
        return LabelFindings(), {}
    if asked.max_rate_shift is not None:
        found["rate_shifts"], one = label_rate_shifts(
            labelled,
            holdout,
            entity=entity,
            segments=[*features.of_role("slice"), *features.of_role("protected")],
            min_support=requirements.slices.min_support,
        )
        measured |= one
    if asked.max_conflicting_duplicates is not None:
        found["duplicates"], one = conflicting_duplicates(trained_on, features, entity=entity)
        measured |= one
    if asked.max_rare_value_share is not None:
        found["rare_values"], one = rare_values(trained_on, features)
        measured |= one
    if asked.max_estimated_errors is not None:
        found["errors"], one = estimate_label_errors(
            trained_on, entity=entity, seed=requirements.bootstrap.seed, fit_predict=fit_predict
        )
        measured |= one
    return LabelFindings.model_validate(found), measured
