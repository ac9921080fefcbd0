"""A small use case with made-up rows: eight weeks, forty entities, a score that ranks well but not perfectly."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.evaluation.evaluate import evaluate
from ds_pipeline.evaluation.gates.decision import Decision, decide
from ds_pipeline.evaluation.measure.baselines import ChampionFacts
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.use_case.requirements import Requirements
from ds_pipeline_tests.evaluation.checks.made_up import material

WEEKS = [date(2024, 1, 1) + timedelta(weeks=week) for week in range(8)]
DIGESTS = {
    name: letter * 64
    for name, letter in (("candidate", "a"), ("holdout", "b"), ("requirements_digest", "c"), ("code", "d"))
}


def make_asked() -> dict[str, Any]:
    """requirements.yaml as a dictionary."""
    return {
        "acceptance": {
            "at_recall": {
                "metric": "precision_at_recall", "recall": 0.6, "minimum": 0.5, "bound": "lower", "owner": "crm"
            },
            "at_top": {"metric": "precision_at_top", "share": 0.1, "minimum": 0.5, "bound": "lower", "owner": "crm"},
            "gain": {"metric": "average_precision_gain", "minimum": 0.05, "bound": "lower", "owner": "ds"},
            "calibration": {
                "metric": "expected_calibration_error", "bins": 5, "maximum": 0.3, "bound": "point", "owner": "ds"
            },
        },
        "data_minimums": {"training_rows": 500, "training_positives": 100, "owner": "ds"},
        "baseline": {"feature": "days_away", "higher_means_more_likely": True},
        "holdout": {"weeks": 8, "min_rows": 200, "min_positives": 50},
        "bootstrap": {"resamples": 100, "confidence": 0.95, "seed": 7},
        "slices": {"min_support": 50},
        "monitoring": {"psi": {"warn": 0.1, "act": 0.2}, "owner": "ds"},
        "budgets": {"run_minutes": 10, "disk_gb": 1, "owner": "ds"},
    }  # fmt: skip


@pytest.fixture
def asked() -> dict[str, Any]:
    """requirements.yaml; a test changes what it needs."""
    return make_asked()


@pytest.fixture
def requirements(asked: dict[str, Any]) -> Requirements:
    return Requirements.model_validate(asked)


def make_predictions() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(
        [(week, f"token-{number:02d}") for week in WEEKS for number in range(40)],
        columns=["scoring_date", "customer_token"],
    )
    chance = rng.random(len(frame))
    frame["label"] = (rng.random(len(frame)) < chance).astype(int)
    frame["score"] = chance
    frame["days_away"] = np.round(chance * 30 + rng.normal(0, 20, len(frame)))
    frame["visits"] = rng.integers(0, 9, len(frame))
    frame["baseline"] = frame["days_away"].astype(float)
    # 240 rows in the north, 64 in the south, 8 in the east and 8 in none.
    number = frame["customer_token"].str[-2:].astype(int)
    frame["region"] = np.select([number < 30, number < 38, number < 39], ["north", "south", "east"], default=None)
    return frame


@pytest.fixture
def predictions() -> pd.DataFrame:
    return make_predictions()


@pytest.fixture(scope="session")
def evaluated() -> Evaluation:
    """What comes of the predictions and requirements as they are: made once, for nobody can change it."""
    return evaluate_with(make_predictions(), Requirements.model_validate(make_asked()))


@pytest.fixture(scope="session")
def decision(evaluated: Evaluation) -> Decision:
    return decide_with(evaluated, Requirements.model_validate(make_asked()))


@pytest.fixture
def run() -> Any:
    """evaluate() with everything that a test does not care about."""
    return evaluate_with


@pytest.fixture
def conclude() -> Any:
    """decide() with everything that a test does not care about."""
    return decide_with


def evaluate_with(
    predictions: pd.DataFrame,
    requirements: Requirements,
    *,
    entity: str = "customer_token",
    training_rows: int = 1000,
    training_positives: int = 400,
    slices: Sequence[str] = ("region",),
    automatic: Sequence[str] = (),
    expected_weeks: Sequence[date] = WEEKS,
    champion: ChampionFacts | None = None,
    undecided_rows: int = 0,
    looks: int = 1,
    known_entities: set[str] | None = None,
    cut_off: float | None = None,
    **how: Any,
) -> Evaluation:
    """Trained on all entities of the predictions, unless told otherwise, so that known and new are no split."""
    known = predictions[entity] if known_entities is None and entity in predictions else sorted(known_entities or ())
    use_case = SimpleNamespace(
        requirements=requirements,
        problem=SimpleNamespace(entity=entity),
        features=SimpleNamespace(
            of_role=lambda role: slices if role == "slice" else [], inputs_of=lambda *_: automatic
        ),
        clock=SimpleNamespace(holdout=lambda _: expected_weeks),
    )
    of = material(
        use_case=use_case,
        training={"rows": training_rows, "positives": training_positives},
        trained_on=pd.DataFrame({entity: known}),
        holdout=predictions,
        champion=champion,
        undecided_rows=undecided_rows,
        looks=looks,
    )
    checked = evaluate(of, cut_off=cut_off, **how)
    return Evaluation(**checked.findings, measurements=checked.measurements)


def decide_with(evaluation: Evaluation, requirements: Requirements) -> Decision:
    return decide(
        evaluation,
        requirements,
        use_case="shop",
        as_of=date(2024, 4, 1),
        made_at=datetime(2024, 4, 1, 6, tzinfo=UTC),
        use_case_digest="e" * 64,
        **DIGESTS,
    )
