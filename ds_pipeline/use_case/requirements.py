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
    """Average precision above that of something else, paired in each resample.

    Attributes:
        over: the baseline rule; the prior, which is the same score for everybody; a logistic regression on the same
            training rows and inputs; the champion in force, on the same rows.
        minimum: below 0 for the champion only: the tolerance by which a candidate may be worse.
    """

    metric: Literal["average_precision_gain"]
    over: Literal["baseline", "prior", "logistic_regression", "champion"] = "baseline"
    minimum: Annotated[float, Field(gt=-1, lt=1)]
    bound: Literal["lower"]
    owner: Text

    @model_validator(mode="after")
    def _is_a_gain(self) -> AveragePrecisionGain:
        if self.minimum <= 0 and self.over != "champion":
            raise ValueError(f"minimum must be above 0, found {self.minimum:g}: only the champion has a tolerance")
        return self


class CostSaving(FileModel):
    """What acting from the cost-minimising score on saves per 1,000 rows, against the better of all and nobody.

    The score from which on a row is acted on is chosen on the validation weeks of the training, never on the holdout.
    """

    metric: Literal["cost_saving"]
    minimum: Annotated[float, Field(ge=0)]  # in the currency of cost
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
    | CostSaving
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
    max_configurations: Annotated[int, Field(ge=1)] | None = None  # that may ever be judged on one of its weeks


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


class Cost(FileModel):
    """What a decision on one row costs, all in one currency and per row; what is not named costs nothing."""

    currency: Text
    campaign_cost: Annotated[float, Field(ge=0)]  # of acting, whatever happens
    false_positive: Annotated[float, Field(ge=0)]  # on top of it, where a negative was acted on
    false_negative: Annotated[float, Field(ge=0)]  # of a positive that was not acted on
    value_saved: Annotated[float, Field(ge=0)]  # expected of a positive that was acted on
    owner: Text


class ShuffledLabels(FileModel):
    """Fits on permuted labels, which must do no better than chance on the validation weeks."""

    permutations: Annotated[int, Field(ge=5, le=1000)]
    max_deviations: Annotated[float, Field(gt=0)]  # permutation standard deviations between their mean and chance
    seed: Seed


class Leakage(FileModel):
    """What no honest feature can do.

    Attributes:
        max_single_feature_auc: of one input alone on the training weeks, either way round (0.5..1).
    """

    max_single_feature_auc: Annotated[float, Field(gt=0.5, lt=1)]
    shuffled_labels: ShuffledLabels | None = None
    owner: Text


class LabelQuality(FileModel):
    """What labels may look like (0..1 of all).

    Attributes:
        max_undecided_share: holdout rows without a label because it could not be decided.
        max_rate_shift: between the share of positives of a holdout week or segment and its own history in training.
        max_conflicting_duplicates: training rows that are nearly the same as another one with the opposite label.
        max_rare_value_share: of one label's training rows that hang on one rare value of an input.
        max_estimated_errors: training rows whose label out-of-fold scores contradict with confidence.
    """

    max_undecided_share: Annotated[float, Field(ge=0, lt=1)]
    max_rate_shift: Share | None = None
    max_conflicting_duplicates: Share | None = None
    max_rare_value_share: Share | None = None
    max_estimated_errors: Share | None = None
    owner: Text


class Stability(FileModel):
    """Whether the same choice gives the same model, and nearly the same inputs nearly the same scores.

    The chosen configuration is fitted in two fresh processes, and loaded again; both are compared without tolerance.

    Attributes:
        seeds: how many seeds the chosen configuration is fitted with on the inner weeks.
        max_standard_deviation: of the average precision over the seeds.
        perturbation: a numeric input is moved by this share of its standard deviation.
        max_score_change: of the score, at the 99th percentile of the rows and of the inputs.
    """

    seeds: Annotated[int, Field(ge=2, le=50)]
    max_standard_deviation: Share
    perturbation: Share
    max_score_change: Share
    owner: Text


class Operations(FileModel):
    """What serving the model may take, measured on the bundle as it would be loaded."""

    min_rows_per_second: Annotated[float, Field(gt=0)]
    max_memory_mb: Annotated[float, Field(gt=0)]  # peak of a process that loads the model and scores the holdout
    max_bundle_mb: Annotated[float, Field(gt=0)]
    max_load_seconds: Annotated[float, Field(gt=0)]
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


# The gates that a part of the file declares under a name of their own; a threshold under acceptance cannot have it.
FIXED_GATES = {
    "training_rows": "data_minimums",
    "training_positives": "data_minimums",
    "holdout_configurations": "holdout",
    "single_feature_auc": "leakage",
    "shuffled_labels": "leakage",
    "undecided_labels": "label_quality",
    "label_rate_shift": "label_quality",
    "conflicting_duplicates": "label_quality",
    "rare_value_share": "label_quality",
    "estimated_label_errors": "label_quality",
    "distinct_refits": "stability",
    "reload_difference": "stability",
    "seed_deviation": "stability",
    "score_change": "stability",
    "rows_per_second": "operations",
    "memory_mb": "operations",
    "bundle_mb": "operations",
    "load_seconds": "operations",
    "contract_differences": "operations",
}


class Requirements(FileModel):
    """What the stakeholder asks of any model."""

    acceptance: Annotated[dict[Name, Threshold], Field(min_length=1)]
    data_minimums: DataMinimums
    baseline: BaselineRule
    holdout: Holdout
    bootstrap: Bootstrap
    slices: Slices
    cost: Cost | None = None
    leakage: Leakage | None = None
    label_quality: LabelQuality | None = None
    stability: Stability | None = None
    operations: Operations | None = None
    cross_validation: CrossValidation | None = None
    monitoring: Monitoring
    budgets: Budgets
