"""Label quality and poisoning: what the labels of training and holdout look like, as far as the requirements ask."""

from __future__ import annotations

from pydantic import Field

from ds_pipeline.evaluation.checks.duplicates import Duplicates, check_duplicates
from ds_pipeline.evaluation.checks.label_errors import LabelErrors, check_label_errors
from ds_pipeline.evaluation.checks.label_rates import RateShift, check_label_rates
from ds_pipeline.evaluation.checks.material import Checked, Material, check_all
from ds_pipeline.evaluation.checks.rare_values import RareValue, check_rare_values
from ds_pipeline.evaluation.measure.record import Record


class LabelFindings(Record):
    """What was found about the labels; what the requirements do not ask for is empty or None."""

    rate_shifts: list[RateShift] = Field(default_factory=list)
    duplicates: Duplicates | None = None
    rare_values: list[RareValue] = Field(default_factory=list)
    errors: LabelErrors | None = None


def check_labels(of: Material) -> Checked:
    """Everything that `label_quality` limits but undecided labels, which the counted facts of the holdout tell."""
    parts = check_all((check_label_rates, check_duplicates, check_rare_values, check_label_errors), of)
    return Checked({"labels": LabelFindings.model_validate(parts.findings)}, parts.measurements)
