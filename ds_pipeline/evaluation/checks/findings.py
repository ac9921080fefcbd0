"""What was found beyond the holdout's metrics: leakage, labels, stability, serving, explanations, and the ledger."""

from __future__ import annotations

from pydantic import Field

from ds_pipeline.evaluation.checks.error_analysis import ErrorAnalysis
from ds_pipeline.evaluation.checks.explanations import Explained
from ds_pipeline.evaluation.checks.input_trends import InputTrend
from ds_pipeline.evaluation.checks.label_quality import LabelFindings
from ds_pipeline.evaluation.checks.leakage import InputAuc
from ds_pipeline.evaluation.checks.matured_fit import MaturedFit
from ds_pipeline.evaluation.checks.overlap import Overlap
from ds_pipeline.evaluation.checks.serving_cost import Operations
from ds_pipeline.evaluation.checks.shuffled import ShuffledFits
from ds_pipeline.evaluation.checks.stability import Perturbed, Refits, SeedSpread
from ds_pipeline.evaluation.measure.record import Record


class Checks(Record):
    """What the report and the metadata show of the checks; the gates are judged on the measurements.

    Attributes:
        input_aucs: of each input alone on the training rows, the strongest first.
        input_trends: of each input alone in the weeks of training and of the holdout, the largest rise first.
        explained: what each input is worth, on the validation weeks.
        errors: false positives, then false negatives of the campaign's selection.
        Whatever the requirements do not ask for is empty or None.
    """

    overlap: Overlap | None = None
    input_aucs: list[InputAuc] = Field(default_factory=list)
    input_trends: list[InputTrend] = Field(default_factory=list)
    shuffled: ShuffledFits | None = None
    labels: LabelFindings | None = None
    refits: Refits | None = None
    seeds: SeedSpread | None = None
    perturbed: Perturbed | None = None
    matured_fit: MaturedFit | None = None
    operations: Operations | None = None
    explained: Explained | None = None
    errors: list[ErrorAnalysis] = Field(default_factory=list)
