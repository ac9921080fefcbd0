"""Label quality and poisoning: what the labels of training and holdout look like, as far as the requirements ask."""

from __future__ import annotations

from pydantic import Field

from ds_pipeline.evaluation.checks.duplicates import Duplicates, conflicting_duplicates
from ds_pipeline.evaluation.checks.label_errors import LabelErrors, estimate_label_errors
from ds_pipeline.evaluation.checks.label_rates import RateShift, label_rate_shifts
from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.evaluation.checks.rare_values import RareValue, rare_values
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.evaluation.measure.record import Record


class LabelFindings(Record):
    """What was found about the labels; what the requirements do not ask for is empty or None."""

    rate_shifts: list[RateShift] = Field(default_factory=list)
    duplicates: Duplicates | None = None
    rare_values: list[RareValue] = Field(default_factory=list)
    errors: LabelErrors | None = None


def check_labels(of: Material) -> Checked:
    """Everything that `label_quality` limits but undecided labels, which the counted facts of the holdout tell."""
    asked, features = of.requirements.label_quality, of.features
    if asked is None:
        return Checked({"labels": LabelFindings()})
    findings: dict[str, object] = {}
    measured: dict[str, Measurement] = {}
    if asked.max_rate_shift is not None:
        findings["rate_shifts"], shift = label_rate_shifts(
            of.labelled,
            of.holdout,
            entity=of.entity,
            segments=[*features.of_role("slice"), *features.of_role("protected")],
            min_support=of.requirements.slices.min_support,
        )
        measured |= shift
    if asked.max_conflicting_duplicates is not None:
        findings["duplicates"], conflicting = conflicting_duplicates(of.trained_on, features, entity=of.entity)
        measured |= conflicting
    if asked.max_rare_value_share is not None:
        findings["rare_values"], rare = rare_values(of.trained_on, features)
        measured |= rare
    if asked.max_estimated_errors is not None:
        findings["errors"], doubted = estimate_label_errors(
            of.trained_on, entity=of.entity, seed=of.requirements.bootstrap.seed, fit_predict=of.quick_fit
        )
        measured |= doubted
    return Checked({"labels": LabelFindings.model_validate(findings)}, measured)
