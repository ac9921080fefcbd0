"""The inner temporal split: validation weeks at the end of training, with the same embargo as the holdout has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd

from ds_pipeline.clock import Clock
from ds_pipeline.errors import TrainingError
from ds_pipeline.use_case.features import SCORING_DATE
from ds_pipeline.use_case.load import UseCase


@dataclass(frozen=True)
class InnerSplit:
    """Scoring dates to fit on and to validate on; the label windows of the first end before the second begin."""

    fit: list[date]
    validate: list[date]


def inner_split(clock: Clock, training: list[date], *, validation_weeks: int) -> InnerSplit:
    """Split the training dates in time.

    Args:
        training: the dates a candidate may be trained on, oldest first.

    Raises:
        TrainingError: too few weeks for a fit, an embargo and a validation.
    """
    validate = training[-validation_weeks:]
    fit = [day for day in training if day + clock.lag <= validate[0]]
    if not fit:
        needed = validation_weeks + clock.lag_weeks
        raise TrainingError(
            f"{len(training)} training weeks are too few for the search: {validation_weeks} validation weeks and the "
            f"embargo of {clock.lag_weeks} leave none to fit on. At least {needed} are needed; build more history or "
            "lower validation_weeks in training.yaml."
        )
    return InnerSplit(fit=fit, validate=validate)


def inner_parts(rows: pd.DataFrame, use_case: UseCase) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows to fit on and those to validate on inside the training weeks.

    Args:
        rows: from rows_to_train_on.

    Raises:
        TrainingError: too few weeks.
    """
    weeks = sorted(set(rows[SCORING_DATE]))
    split = inner_split(use_case.clock, weeks, validation_weeks=use_case.training.validation_weeks)
    fit, validate = (rows[rows[SCORING_DATE].isin(part)] for part in (split.fit, split.validate))
    return fit, validate
