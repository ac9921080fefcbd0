"""Walk-forward backtest: which model would have served which week, and what its scores turned out to be worth.

A plan from the clock and figures from frames; nothing is fitted, read or written here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from ds_pipeline.clock import WEEK, Clock
from ds_pipeline.errors import EvaluationError
from ds_pipeline.model.top_share import top_count

FIGURES = ("precision", "recall", "average_precision")
WEEK_COLUMNS = (  # at least these
    "scoring_date", "trained_as_of", "age_weeks", "rows",
    *(f"{prefix}{name}" for prefix in ("", "baseline_", "prior_") for name in FIGURES),
)  # fmt: skip


@dataclass(frozen=True)
class Step:
    """One model of a backtest.

    Attributes:
        day: the scoring date it is trained at, which is the first it serves.
        training: the weeks that a candidate of that date is trained on: their labels had matured, the holdout and its
            embargo are left out.
        serves: the weeks until the next model, oldest first; their labels have matured by now.
    """

    day: date
    training: list[date]
    serves: list[date]


def walk_forward(
    clock: Clock, *, until: date, weeks: int, every: int, least_weeks: int, with_holdout: bool
) -> list[Step]:
    """The models of a backtest over the newest matured weeks, oldest first.

    Args:
        until: the scoring date the backtest is made at; labels that mature later are not used.
        weeks: how many weeks to score at most.
        every: a new model each so many weeks.
        least_weeks: a model is trained on so many weeks at least; earlier dates have none.
        with_holdout: score the weeks that a candidate of the date is judged on, too.

    Raises:
        EvaluationError: no matured week has a model so old.
    """
    earliest = clock.first + 2 * clock.lag + (clock.holdout_weeks - 1 + least_weeks - 1) * WEEK
    newest = clock.require(until) - clock.lag - (0 if with_holdout else clock.holdout_weeks) * WEEK
    if newest < earliest:
        raise EvaluationError(
            f"No week to backtest: the first model that could have served is of {earliest}, and "
            + (
                f"labels have matured up to {newest}. "
                if with_holdout
                else f"the last week before the holdout {newest}. "
            )
            + f"At least {(earliest - newest).days // 7} more weeks of history are needed."
            + ("" if with_holdout else " With --spend-a-look the holdout is shown as well.")
        )
    start = max(earliest, newest - (weeks - 1) * WEEK)
    served = [start + week * WEEK for week in range((newest - start).days // 7 + 1)]
    return [
        Step(served[place], clock.training(served[place]), served[place : place + every])
        for place in range(0, len(served), every)
    ]


def measure_weeks(scored: pd.DataFrame, steps: Sequence[Step], *, entity: str, top_share: float) -> pd.DataFrame:
    """What the scores of each week turned out to be worth, beside the baseline rule and the prior.

    The highest-scored share is taken from everyone who was scored, as a campaign would; rows whose outcome nobody can
    tell count there and nowhere else. The prior takes the same share at random.

    Args:
        scored: one row per entity and served week: scoring_date, the entity, score (0..1), baseline (higher means more
            likely), label (0, 1, or null for undecided).
        steps: from walk_forward; every served week is there.

    Returns:
        One row per week: scoring_date, trained_as_of, trained_until (date), age_weeks, rows, undecided, positives,
        base_rate, and precision, recall, average_precision of the model, then the same as baseline_... and prior_...;
        NaN where it cannot be told.

    Raises:
        EvaluationError: a served week has no row, or a score is not a probability.
    """
    bad = int((~scored["score"].between(0, 1)).sum())
    if bad:
        raise EvaluationError(f"{bad:,} of {len(scored):,} scores of the backtest are not probabilities.")
    by_week = dict(list(scored.groupby("scoring_date", sort=True)))
    missing = [day for step in steps for day in step.serves if day not in by_week]
    if missing:
        raise EvaluationError(f"The backtest has no row for {', '.join(map(str, missing))}: its population is empty.")
    return pd.DataFrame(
        [
            {
                "scoring_date": day,
                "trained_as_of": step.day,
                "trained_until": step.training[-1],
                "age_weeks": (day - step.day).days // 7,
                **_measure_week(by_week[day], entity=entity, top_share=top_share),
            }
            for step in steps
            for day in step.serves
        ]
    )


def by_age(weeks: pd.DataFrame) -> pd.DataFrame:
    """The mean of each figure over the weeks in which a model was so old: age_weeks, weeks, and the figures."""
    figures = [f"{prefix}{name}" for prefix in ("", "baseline_", "prior_") for name in FIGURES]
    grouped = weeks.groupby("age_weeks", sort=True)
    return grouped[figures].mean().assign(weeks=grouped.size()).reset_index()[["age_weeks", "weeks", *figures]]


def _measure_week(frame: pd.DataFrame, *, entity: str, top_share: float) -> dict[str, float]:
    frame = frame.sort_values(entity, ignore_index=True)  # ties go by entity, as when a week is scored
    label = frame["label"].to_numpy(dtype=float, na_value=np.nan)
    decided = ~np.isnan(label)
    taken = int(top_count(top_share, len(frame)))
    base_rate = float(label[decided].mean()) if decided.any() else np.nan
    model = _worth(frame["score"].to_numpy(dtype=float), label, taken=taken)
    baseline = _worth(frame["baseline"].to_numpy(dtype=float), label, taken=taken)
    prior = {"precision": base_rate, "recall": taken / len(frame), "average_precision": base_rate}
    return {
        "rows": len(frame),
        "undecided": int((~decided).sum()),
        "positives": int(np.nansum(label)),
        "base_rate": base_rate,
        **model,
        **{f"baseline_{name}": value for name, value in baseline.items()},
        **{f"prior_{name}": value for name, value in prior.items()},
    }


def _worth(score: np.ndarray, label: np.ndarray, *, taken: int) -> dict[str, float]:
    """Precision and recall of the highest-scored rows, and average precision; NaN where it cannot be told."""
    from sklearn.metrics import average_precision_score

    if not np.isfinite(score).all():
        return dict.fromkeys(FIGURES, np.nan)
    decided = ~np.isnan(label)
    top = np.zeros(len(score), dtype=bool)
    top[np.argsort(-score, kind="stable")[:taken]] = True
    hits, positives = float(label[top & decided].sum()), float(label[decided].sum())
    judged = int((top & decided).sum())
    return {
        "precision": hits / judged if judged else np.nan,
        "recall": hits / positives if positives else np.nan,
        "average_precision": float(average_precision_score(label[decided], score[decided])) if positives else np.nan,
    }
