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


class AveragePrecisionGain(FileModel):
    """Average precision above that of the baseline rule, on the same resamples."""

    metric: Literal["average_precision_gain"]
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


Threshold = Annotated[
    PrecisionAtRecall | PrecisionAtTop | AveragePrecisionGain | ExpectedCalibrationError,
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


class PsiLimits(FileModel):
    """Population stability index of a feature or the score against training."""

    warn: Annotated[float, Field(gt=0)]
    act: Annotated[float, Field(gt=0)]

    @model_validator(mode="after")
    def _is_ordered(self) -> PsiLimits:
        if self.act <= self.warn:
            raise ValueError(f"act ({self.act}) must be above warn ({self.warn})")
        return self


class Monitoring(FileModel):
    """Limits of the weekly monitors."""

    psi: PsiLimits
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
    monitoring: Monitoring
    budgets: Budgets
