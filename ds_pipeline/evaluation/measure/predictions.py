"""The predictions frame: what it must hold, and everything that can be wrong with it.

One row per entity and scoring date of the holdout: scoring_date (date), the entity (str), label (0 or 1), score (0..1),
baseline (any number, higher means more likely), the columns to split by (may be null) and, where they are known,
logistic_regression and champion (scores of 0..1 to compare with) and the true probability of a simulation (0..1).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.measure.resamples import ScoreName
from ds_pipeline.figures import counted, words
from ds_pipeline.use_case.requirements import BaselineRule, Holdout


def baseline_score(features: pd.DataFrame, rule: BaselineRule) -> pd.Series:
    """The naive rule as a score: its feature, turned so that higher means more likely."""
    _require_columns(features, [rule.feature], "features")
    values = features[rule.feature].astype("float64")
    return (values if rule.higher_means_more_likely else -values).rename("baseline")


def tidy(predictions: pd.DataFrame, *, entity: str, slices: Sequence[str], truth: str | None = None) -> pd.DataFrame:
    """The columns that are evaluated, typed and sorted by scoring date and entity.

    Raises:
        EvaluationError: a column is missing or of another kind, so that nothing at all can be evaluated.
    """
    others = [name for name in ("logistic_regression", "champion") if name in predictions.columns]
    numbers = ["label", "score", "baseline", *others, *([truth] if truth else [])]
    _require_columns(predictions, ["scoring_date", entity, *numbers, *slices], "predictions")
    for name in numbers:
        if not pd.api.types.is_numeric_dtype(predictions[name]):
            raise EvaluationError(f"predictions: {name} must be numbers, found {predictions[name].dtype}.")
    try:
        days = pd.to_datetime(predictions["scoring_date"]).dt.date
    except (TypeError, ValueError):
        raise EvaluationError("predictions: scoring_date holds something that is not a date.") from None
    columns = predictions[[entity, *slices]].assign(
        scoring_date=days, **{name: predictions[name].astype("float64") for name in numbers}
    )
    return columns.sort_values(["scoring_date", entity], kind="stable", ignore_index=True)


def find_problems(frame: pd.DataFrame, *, entity: str, holdout: Holdout, weeks: Sequence[date]) -> list[str]:
    """Why a tidy frame cannot be evaluated, in plain words; empty if it can."""
    label, score = frame["label"], frame["score"]
    found, expected = set(frame["scoring_date"].dropna()), set(weeks)
    missing, strange = sorted(expected - found), sorted(found - expected)
    counts = {
        "have no entity or no scoring date": frame[[entity, "scoring_date"]].isna().any(axis=1),
        "repeat an entity on the same scoring date": frame.duplicated([entity, "scoring_date"]),
        "have no label": label.isna(),
        "have a label other than 0 and 1": label.notna() & ~label.isin([0, 1]),
        "have a score that is not a number from 0 to 1": ~score.between(0, 1),
    }
    problems = [f"{counted(int(bad.sum()), 'row')} {what}" for what, bad in counts.items() if bad.any()]
    if len(expected) != holdout.weeks:
        problems.append(f"the holdout was cut to {len(expected)} weeks; the requirements ask for {holdout.weeks}")
    if missing:
        problems.append(f"no row for the holdout weeks {', '.join(map(str, missing))}")
    if strange:
        problems.append(f"rows of weeks outside the holdout: {', '.join(map(str, strange))}")
    problems += support_problems(len(frame), int((label == 1).sum()), holdout)
    if len(frame) and label.nunique() < 2:
        problems.append("all labels are the same, so nothing can be told apart")
    if len(frame) and score.nunique() < 2:
        problems.append("every row has the same score, so nothing is ranked")
    return problems


def rival_problem(frame: pd.DataFrame, name: ScoreName) -> str | None:
    """Why a tidy frame cannot be compared with another score; only comparisons with it depend on that.

    A champion that ranks nothing can be compared with, or it would serve for ever.
    """
    told = words(name)
    if name not in frame.columns:
        return f"the {told} was not scored"
    bad = ~np.isfinite(frame[name]) if name == "baseline" else ~frame[name].between(0, 1)
    if bad.any():
        return f"{counted(int(bad.sum()), 'row')} have no {told} value" + ("" if name == "baseline" else " from 0 to 1")
    if name != "champion" and frame[name].nunique() < 2:
        return f"the {told} is the same for every row, so it ranks nothing"
    return None


def require_truth(probability: pd.Series) -> None:
    """Raise EvaluationError if a true probability is none: the simulation that says it is broken, not the model."""
    bad = int((~probability.between(0, 1)).sum())
    if bad:
        raise EvaluationError(
            f"{counted(bad, 'row')} of the holdout have a true probability that is not a number from 0 to 1. "
            "Correct problem.yaml: truth.probability, or simulate again."
        )


def support_problems(rows: int, positives: int, holdout: Holdout) -> list[str]:
    """Why a holdout of this size cannot be assessed."""
    problems = []
    if rows < holdout.min_rows:
        problems.append(f"{counted(rows, 'row')}; the requirements ask for {holdout.min_rows:,} to assess anything")
    if positives < holdout.min_positives:
        problems.append(f"{positives:,} positives; the requirements ask for {holdout.min_positives:,}")
    return problems


def _require_columns(frame: pd.DataFrame, columns: Sequence[str], what: str) -> None:
    missing = [name for name in dict.fromkeys(columns) if name not in frame.columns]
    if missing:
        raise EvaluationError(
            f"{what}: the columns {', '.join(missing)} are missing; found {len(frame.columns)} others."
        )
