"""requirements.yaml: the thresholds, declared before any model.

Every key here has exactly one reader; readers.py says which.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ds_pipeline.use_case.model import FileModel
from ds_pipeline.use_case.problem import Name, Text

Share = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]


class PrecisionAtRecall(FileModel):
    """Precision at the highest cut-off whose recall reaches the target."""

    metric: Literal["precision_at_recall"]
    recall: Share
    minimum: Share
    bound: Literal["lower"]
    owner: Text


class PrecisionAtTop(FileModel):
    """Precision among the highest-scored share of each scoring date."""

    metric: Literal["precision_at_top"]
    share: Share
    minimum: Share
    bound: Literal["lower"]
    owner: Text


class RecallAtPrecision(FileModel):
    """The largest recall of a cut-off whose precision reaches the target; 0 where none does."""

    metric: Literal["recall_at_precision"]
    precision: Share
    minimum: Share
    bound: Literal["lower"]
    owner: Text


class RecallAtTop(FileModel):
    """Recall of the highest-scored share of each scoring date."""

    metric: Literal["recall_at_top"]
    share: Share
    minimum: Share
    bound: Literal["lower"]
    owner: Text


class AveragePrecisionGain(FileModel):
    """Average precision above that of the baseline rule, or of the prior: the same score for everybody."""

    metric: Literal["average_precision_gain"]
    over: Literal["baseline", "prior"] = "baseline"
    minimum: Share
    bound: Literal["lower"]
    owner: Text


class ExpectedCalibrationError(FileModel):
    """Mean distance of score and outcome over equal-frequency bins; its bootstrap is biased upward, so no bound."""

    metric: Literal["expected_calibration_error"]
    bins: Annotated[int, Field(ge=2, le=100)]
    maximum: Share
    bound: Literal["point"]
    owner: Text


class GroupDifference(FileModel):
    """The largest difference between groups of a protected attribute; a bootstrap would bias it upward, so no bound.

    Attributes:
        attribute: a feature with the role protected.
        share: the selection that is judged is the highest-scored share of each scoring date.
    """

    metric: str
    attribute: Name
    share: Share
    maximum: Share
    bound: Literal["point"]
    owner: Text


class FalsePositiveRateDifference(GroupDifference):
    """Of the share of negatives that are selected."""

    metric: Literal["false_positive_rate_difference"]


class DemographicParityDifference(GroupDifference):
    """Of the share of all that are selected."""

    metric: Literal["demographic_parity_difference"]


class EqualizedOddsDifference(GroupDifference):
    """The larger of the differences of the false positive rate and of the true positive rate."""

    metric: Literal["equalized_odds_difference"]


class CalibrationDifference(GroupDifference):
    """Of mean score minus share of positives, over all rows of a group; the share is that of the table beside it."""

    metric: Literal["calibration_difference"]


HoldoutMetric = (
    PrecisionAtRecall
    | PrecisionAtTop
    | RecallAtPrecision
    | RecallAtTop
    | AveragePrecisionGain
    | ExpectedCalibrationError
)
Threshold = Annotated[
    HoldoutMetric
    | FalsePositiveRateDifference
    | DemographicParityDifference
    | EqualizedOddsDifference
    | CalibrationDifference,
    Field(discriminator="metric"),
]


class BaselineRule(FileModel):
    """The naive rule to beat: a feature taken as the score."""

    feature: Text
    higher_means_more_likely: bool


class Holdout(FileModel):
    """The newest matured weeks, kept away from training."""

    weeks: Annotated[int, Field(ge=1, le=104)]
    min_rows: Annotated[int, Field(ge=1)]  # fewer rows cannot be assessed, which refuses
    min_positives: Annotated[int, Field(ge=1)]


class Bootstrap(FileModel):
    """How the bounds are made: resamples of whole entities, because an entity is in several weeks."""

    resamples: Annotated[int, Field(ge=100, le=100_000)]
    confidence: Annotated[float, Field(gt=0.5, lt=1)]  # one-sided
    seed: Seed


class DataMinimums(FileModel):
    """Fewer training rows or positives than this refuse the candidate."""

    training_rows: Annotated[int, Field(ge=1)]
    training_positives: Annotated[int, Field(ge=1)]
    owner: Text


class LabelQuality(FileModel):
    """How many holdout rows may be without a label because it could not be decided (0..1 of all)."""

    max_undecided_share: Annotated[float, Field(ge=0, lt=1)]
    owner: Text


class CrossValidation(FileModel):
    """Where few rows were trained on: refits on fixed folds of entities, to see how far the figures vary."""

    folds: Annotated[int, Field(ge=2, le=20)]
    below_rows: Annotated[int, Field(ge=1)]  # of training
    seed: Seed


class PsiLimits(FileModel):
    """Population stability index of a feature or the score against training.

    Attributes:
        retrain_within_hours: once act is reached, a new model is due so many hours after the scoring date begins.
    """

    warn: Annotated[float, Field(gt=0)]
    act: Annotated[float, Field(gt=0)]
    retrain_within_hours: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _is_ordered(self) -> PsiLimits:
        if self.act <= self.warn:
            raise ValueError(f"act ({self.act}) must be above warn ({self.warn})")
        return self


class RealizedQualityLimits(FileModel):
    """What the highest-scored share turned out to be worth, once the outcome is known: below warn, below critical.

    Attributes:
        min_weeks: how many of the newest matured weeks are judged together; fewer are not judged.
    """

    metric: Literal["precision_at_top"]
    share: Share
    warn: Share
    critical: Share
    min_weeks: Annotated[int, Field(ge=1, le=52)] = 1

    @model_validator(mode="after")
    def _is_ordered(self) -> RealizedQualityLimits:
        if self.critical >= self.warn:
            raise ValueError(f"critical ({self.critical}) must be below warn ({self.warn})")
        return self


class Monitoring(FileModel):
    """Limits of the weekly monitors."""

    psi: PsiLimits
    realized_quality: RealizedQualityLimits | None = None
    owner: Text


class Budgets(FileModel):
    """What a whole run may take."""

    run_minutes: Annotated[float, Field(gt=0)]
    disk_gb: Annotated[float, Field(gt=0)]
    owner: Text


class Slices(FileModel):
    """Groups smaller than this pool into "other"."""

    min_support: Annotated[int, Field(ge=1)]


class Requirements(FileModel):
    """What the stakeholder asks of any model."""

    acceptance: Annotated[dict[Name, Threshold], Field(min_length=1)]
    data_minimums: DataMinimums
    baseline: BaselineRule
    holdout: Holdout
    bootstrap: Bootstrap
    slices: Slices
    label_quality: LabelQuality | None = None
    cross_validation: CrossValidation | None = None
    monitoring: Monitoring
    budgets: Budgets
