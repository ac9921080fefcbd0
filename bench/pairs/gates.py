"""The bounds of a large holdout, beside a loop that draws the same people and asks scikit-learn for each metric.

A few resamples of the loop are timed, and taken for all of them.
"""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from comparing import Line, Run, Runs, Side, Size, Work, times_as_fast
from sklearn.metrics import average_precision_score, precision_recall_curve

from ds_pipeline.evaluation.measure.cost import cost_of
from ds_pipeline.evaluation.measure.intervals import bootstrap, bootstrap_counts
from ds_pipeline.evaluation.measure.resamples import ScoredRows
from ds_pipeline.use_case.requirements import Bootstrap, Cost, HoldoutMetric, Requirements

SIZES = {
    "tiny": {"people": 200, "weeks": 4, "resamples": 10, "looped": 2, "rounds": 1},
    "default": {"people": 10_000, "weeks": 5, "resamples": 2_000, "looped": 5, "rounds": 2},
    "full": {"people": 200_000, "weeks": 5, "resamples": 2_000, "looped": 2, "rounds": 1},
}
EXACT = 1e-9
ENTITY, ROWS, CUT_OFF, SEED = "person", "rows.parquet", 0.1, 1
WIDTHS = {"score": 0.02, "logistic_regression": 0.04, "champion": 0.03}
LOWER = {"minimum": 0.01, "bound": "lower", "owner": "bench"}
ASKED = {
    "acceptance": {
        "recall_at_precision": LOWER | {"metric": "recall_at_precision", "precision": 0.2},
        "recall_at_top": LOWER | {"metric": "recall_at_top", "share": 0.1},
        "precision_at_top": LOWER | {"metric": "precision_at_top", "share": 0.1},
        "over_baseline": LOWER | {"metric": "average_precision_gain", "over": "baseline"},
        "over_prior": LOWER | {"metric": "average_precision_gain", "over": "prior"},
        "over_logistic_regression": LOWER | {"metric": "average_precision_gain", "over": "logistic_regression"},
        "over_champion": LOWER | {"metric": "average_precision_gain", "over": "champion"},
        "saved": LOWER | {"metric": "cost_saving"},
    },
    "data_minimums": {"training_rows": 1, "training_positives": 1, "owner": "bench"},
    "baseline": {"feature": "input_00", "higher_means_more_likely": True},
    "holdout": {"weeks": 5, "min_rows": 1000, "min_positives": 100},
    "bootstrap": {"resamples": 2_000, "confidence": 0.95, "seed": SEED},
    "slices": {"min_support": 200},
    "cost": {
        "currency": "EUR", "campaign_cost": 2, "false_positive": 0.5, "false_negative": 0, "value_saved": 20,
        "owner": "bench",
    },
    "monitoring": {"psi": {"warn": 0.1, "act": 0.2}, "owner": "bench"},
    "budgets": {"run_minutes": 10, "disk_gb": 1, "owner": "bench"},
}  # fmt: skip


def prepare(folder: Path, size: Size) -> None:
    """The predictions of a model that ranks well, beside others that rank a little worse; one row in 16 is positive."""
    random, count = np.random.default_rng(1), size["people"] * size["weeks"]
    weeks = [date(2025, 1, 6) + timedelta(weeks=week) for week in range(size["weeks"])]
    chance = random.beta(1, 15, count)
    scores = {name: random.normal(0, width, count) for name, width in WIDTHS.items()}
    frame = pd.DataFrame(
        {
            "scoring_date": np.repeat(weeks, size["people"]),
            ENTITY: np.tile([f"p{number:06d}" for number in range(size["people"])], size["weeks"]),
            "label": (random.random(count) < chance).astype(int),
            "baseline": random.integers(1, 32, count).astype(float),
            **{name: np.clip(chance + blur, 0, 1) for name, blur in scores.items()},
        }
    )
    frame.to_parquet(folder / ROWS, index=False)


def _asked() -> tuple[dict[str, HoldoutMetric], Cost, Bootstrap]:
    requirements = Requirements.model_validate(ASKED)
    assert requirements.cost is not None
    return dict(requirements.acceptance), requirements.cost, requirements.bootstrap  # type: ignore[arg-type]


def _rows(folder: Path) -> ScoredRows:
    return ScoredRows.from_frame(pd.read_parquet(folder / ROWS), ENTITY, cost=_asked()[1], cut_off=CUT_OFF)


def ours(folder: Path, size: Size) -> Work:
    rows, (thresholds, _, settings) = _rows(folder), _asked()
    settings = settings.model_copy(update={"resamples": size["resamples"]})

    def work() -> np.ndarray:
        values = bootstrap(rows, thresholds, settings=settings, n_jobs=-1)
        return np.column_stack([values[name][: size["looped"]] for name in thresholds])

    return work


def loop(folder: Path, size: Size) -> Work:
    rows, cost = _rows(folder), _asked()[1]
    return lambda: np.array(looped(rows, size["looped"], share=0.1, precision=0.2, cost=cost))


def looped(rows: ScoredRows, count: int, *, share: float, precision: float, cost: Cost) -> list[list[float]]:
    """The same metrics the way a notebook would: copy the rows that were drawn, ask scikit-learn, next."""
    values = []
    for drawn in bootstrap_counts(int(rows.entity.max()) + 1, range(count), seed=SEED):
        place = np.repeat(np.arange(len(rows.label)), drawn[rows.entity])
        label, score, week = rows.label[place], rows.score[place], rows.week[place]
        precisions, recalls, _ = precision_recall_curve(label, score)
        taken = np.zeros(len(place), dtype=bool)
        for one in np.unique(week):
            members = np.flatnonzero(week == one)
            best = np.argsort(-score[members], kind="stable")[: int(np.ceil(share * len(members)))]
            taken[members[best]] = True
        reached = average_precision_score(label, score)
        others = [getattr(rows, name) for name in ("baseline", "logistic_regression", "champion")]
        gains = [reached - average_precision_score(label, other[place]) for other in others]
        positives, acted = label.sum(), score >= CUT_OFF
        acting = cost_of(cost, taken=acted.sum(), hits=label[acted].sum(), positives=positives)
        everybody = cost_of(cost, taken=len(label), hits=positives, positives=positives)
        nobody = cost_of(cost, taken=0, hits=0, positives=positives)
        values.append(
            [
                recalls[precisions >= precision].max(),
                label[taken].sum() / positives,
                label[taken].mean(),
                gains[0],
                reached - label.mean(),
                *gains[1:],
                1000 * (min(everybody, nobody) - acting) / len(label),
            ]
        )
    return values


def answer(made: np.ndarray) -> pa.Table:
    """The metrics in the resamples that the loop looked at."""
    return pa.table({f"metric_{place}": column for place, column in enumerate(made.T)})


OURS, LOOP = "ours", "loop over scikit-learn"
SIDES: dict[str, Side] = {OURS: ours, LOOP: loop}
ALONE: set[str] = set()


def lines(runs: Runs, size: Size) -> list[Line]:
    times, one = size["resamples"] / size["looped"], runs[LOOP]
    whole = Run(one.seconds * times, one.processor * times, one.mb)
    said = f"{size['resamples']:,} resamples of {size['people'] * size['weeks']:,} rows"
    ours = runs[OURS]
    return [
        *times_as_fast(said, {OURS: ours, LOOP: whole}, OURS, LOOP, at_least=1),
        Line(f"{said}: the time", str(ours), "", ours.seconds, 60, form="{:.1f} s"),
    ]
