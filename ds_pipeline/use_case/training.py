"""training.yaml: the estimator, its search space, the seeds and the inner windows."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from ds_pipeline.use_case.model import FileModel
from ds_pipeline.use_case.requirements import Seed


class Interval(FileModel):
    """A range of a hyperparameter, both ends included."""

    low: float
    high: float
    log: bool = False

    @model_validator(mode="after")
    def _is_ordered(self) -> Interval:
        if not self.low < self.high or (self.log and self.low <= 0):
            raise ValueError("low must lie below high, and above 0 where log is true")
        return self


# What scikit-learn accepts.
LOWEST = {
    "learning_rate": 0, "max_iter": 1, "max_leaf_nodes": 2, "min_samples_leaf": 1, "l2_regularization": 0,
    "max_features": 0,
}  # fmt: skip


class SearchSpace(FileModel):
    """The hyperparameters of HistGradientBoostingClassifier that are searched; scikit-learn's names."""

    learning_rate: Interval
    max_iter: Interval
    max_leaf_nodes: Interval
    min_samples_leaf: Interval
    l2_regularization: Interval
    max_features: Interval

    @model_validator(mode="after")
    def _is_possible(self) -> SearchSpace:
        problems = [
            f"{name}: low must be at least {lowest}"
            for name, lowest in LOWEST.items()
            if getattr(self, name).low < lowest
        ]
        if self.max_features.high > 1:
            problems.append("max_features: high must be at most 1; it is a share")
        if problems:
            raise ValueError("; ".join(problems))
        return self


class Calibration(FileModel):
    """How scores become probabilities: on folds of entities, with training rows only."""

    method: Literal["sigmoid", "isotonic"]
    folds: Annotated[int, Field(ge=2, le=20)]


class Training(FileModel):
    """How a candidate is made from the training weeks.

    Attributes:
        max_train_rows: with more rows than this a seeded sample of them is trained on; None: all.
        refit: matured: once a candidate has passed, its parameters are fitted again on every week whose labels have
            matured, the holdout included, and that model serves; requirements.yaml: matured_fit says how much it may
            differ. none: the candidate itself serves.
        treated: whether rows whose entity a campaign treated within the horizon are trained on; exclude them to learn
            what happens without a campaign. label.sql says who was, as is_treated.
    """

    estimator: Literal["hist_gradient_boosting"]
    seed: Seed
    trials: Annotated[int, Field(ge=1, le=1000)]
    validation_weeks: Annotated[int, Field(ge=1, le=52)]
    max_train_rows: Annotated[int, Field(ge=100)] | None = None
    treated: Literal["include", "exclude"] = "include"
    refit: Literal["none", "matured"] = "none"
    search_space: SearchSpace
    calibration: Calibration
