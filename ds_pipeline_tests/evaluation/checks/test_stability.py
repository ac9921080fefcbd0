"""The same model again, and nearly the same scores for nearly the same rows; by hand, on a weighted sum."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.evaluation.checks.stability import Refits, check_perturbation, compare_refits, spread_of_seeds
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.requirements import Stability
from ds_pipeline_tests.evaluation.checks.made_up import material

HERE, OTHER = "a" * 64, "b" * 64
SCORES = np.array([0.2, 0.4])
ASKED = Stability(seeds=2, max_standard_deviation=0.1, perturbation=0.1, max_score_change=0.1, owner="ds")
COMMON = {"unit": "x", "nullable": True, "meaning": "made up", "role": "input"}
FEATURES = FeatureSet.model_validate(
    {
        "features": {
            "visits": COMMON | {"dtype": "int64", "minimum": 0, "maximum": 10},
            "is_new": COMMON | {"dtype": "bool"},
            "spend": COMMON | {"dtype": "float64", "minimum": 0, "maximum": 100},
        }
    }
)


@pytest.fixture(autouse=True)
def _without_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """A weighted sum has none; that trees asked again say what all of them say is shown in model/test_parts.py."""
    ask = "ds_pipeline.evaluation.checks.stability.TreeAnswers"
    monkeypatch.setattr(ask, lambda boosting, _: SimpleNamespace(log_odds=boosting.decision_function))


def line(**weights: float) -> Any:
    """A calibrated model whose score is a weighted sum; a missing value counts nothing."""
    slopes = np.array([weights.get(name, 0.0) for name in FEATURES.features])
    pipeline = {
        "columns": SimpleNamespace(transform=lambda frame: frame.to_numpy(dtype=float)),
        "boosting": SimpleNamespace(decision_function=lambda matrix: np.nan_to_num(matrix) @ slopes),
    }
    calibrator = SimpleNamespace(predict=lambda log_odds: log_odds)
    return SimpleNamespace(calibrated_classifiers_=[SimpleNamespace(estimator=pipeline, calibrators=[calibrator])])


def rows(**columns: list[Any]) -> pd.DataFrame:
    return pd.DataFrame({"visits": [5, 5], "is_new": [False, True], "spend": [50.0, 50.0]} | columns)


def moved(model: Any, frame: pd.DataFrame) -> Any:
    """Spend has a standard deviation of 20 in training, so it moves by 2; visits have 3, so they move by 1."""
    trained_on = pd.DataFrame({"visits": [2, 8], "is_new": [False, True], "spend": [10.0, 50.0]})
    record, found = perturb(model, frame, trained_on=trained_on)
    return record, found["score_change"]


def perturb(
    model: Any, frame: pd.DataFrame, *, trained_on: pd.DataFrame, features: FeatureSet = FEATURES
) -> tuple[Any, Mapping[str, Measurement]]:
    requirements = SimpleNamespace(stability=ASKED, bootstrap=SimpleNamespace(seed=1))
    use_case = SimpleNamespace(requirements=requirements, features=features)
    of = material(use_case=use_case, model=model, holdout=frame, trained_on=trained_on)
    findings, found = check_perturbation(of)
    return findings["perturbed"], found


def compared(
    candidate: str, refits: list[tuple[str, np.ndarray]], loaded: np.ndarray
) -> tuple[Refits, Mapping[str, Measurement]]:
    findings, found = compare_refits(candidate, refits, loaded)
    return findings["refits"], found


@pytest.mark.parametrize(
    ("refits", "expected"),
    [
        pytest.param([HERE, HERE], 1, id="the same bytes"),
        pytest.param([OTHER, OTHER], 2, id="the refits agree with each other only"),
        pytest.param([HERE, OTHER], 2, id="one of them is the candidate"),
        pytest.param([OTHER, "c" * 64], 3, id="each another"),
    ],
)
def test_the_models_that_came_out_are_counted(refits: list[str], expected: int) -> None:
    record, found = compared(HERE, [(digest, SCORES) for digest in refits], SCORES)

    assert found["distinct_refits"].value == expected
    assert record.refits == refits


def test_one_refit_is_not_enough() -> None:
    _, found = compared(HERE, [(HERE, SCORES)], SCORES)

    assert found["distinct_refits"].problem == "1 refits were made, two are needed"


def test_the_largest_change_of_a_score_by_saving_and_loading_counts() -> None:
    _, found = compared(HERE, [(HERE, SCORES), (HERE, SCORES + np.array([0, 0.25]))], SCORES)

    assert found["reload_difference"].value == 0.25


@pytest.mark.parametrize(
    ("refits", "loaded", "problem"),
    [
        pytest.param([OTHER, OTHER], SCORES, "no refit gives the bytes of the candidate", id="another model"),
        pytest.param([HERE, HERE], SCORES[:0], "no rows were scored", id="no rows"),
        pytest.param([HERE, HERE], SCORES * np.nan, "a score is not a number", id="NaN"),
    ],
)
def test_what_cannot_be_compared_is_no_pass(refits: list[str], loaded: np.ndarray, problem: str) -> None:
    _, found = compared(HERE, [(digest, SCORES[: len(loaded)]) for digest in refits], loaded)

    assert found["reload_difference"].problem == problem
    assert found["reload_difference"].value is None


def test_the_spread_over_seeds_is_the_sample_standard_deviation() -> None:
    findings, found = spread_of_seeds([1, 2, 3], [0.4, 0.5, 0.6])
    record = findings["seeds"]

    assert record is not None
    assert record.mean == pytest.approx(0.5)
    assert found["seed_deviation"].value == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("seeds", "values"),
    [pytest.param([1, 2], [0.5, float("nan")], id="NaN"), pytest.param([1, 2], [0.5], id="missing"),
     pytest.param([1], [0.5], id="one seed")],
)  # fmt: skip
def test_a_seed_without_a_figure_is_a_problem(seeds: list[int], values: list[float]) -> None:
    findings, found = spread_of_seeds(seeds, values)
    record = findings["seeds"]

    assert record is None
    assert found["seed_deviation"].problem == f"1 of {len(seeds)} seeds gave an average precision"


def test_a_number_moves_by_a_share_of_its_deviation_and_a_whole_one_by_one_at_least() -> None:
    record, found = moved(line(visits=0.01, spend=0.02), rows())

    assert found.value == pytest.approx(0.04)
    assert [(one.input, one.step) for one in record.inputs] == [("spend", 2.0), ("visits", 1.0)]
    assert [one.change for one in record.inputs] == pytest.approx([0.04, 0.01])
    assert found.note == "Most by spend (made up), moved by 2."


def test_a_number_stays_in_its_range_and_a_missing_one_stays_missing() -> None:
    """At 99.5 of 100 a step down is left, from nothing none at all."""
    _, found = moved(line(spend=0.02), rows(spend=[99.5, np.nan]))
    assert found.value == pytest.approx(0.04 * 0.99)

    _, found = moved(line(spend=0.02), rows(spend=[np.nan, np.nan]))
    assert found.value == 0


def test_a_flag_does_not_move() -> None:
    record, found = moved(line(is_new=1.0), rows())

    assert found.value == 0
    assert {one.input for one in record.inputs} == {"visits", "spend"}


def test_the_gated_change_is_of_the_rows_and_of_whichever_input_moves_them_most() -> None:
    """Of 300 rows two move with spend: 99 in 100 do not, and those move by their visits."""
    frame = pd.concat([rows(spend=[np.nan, np.nan])] * 149 + [rows()], ignore_index=True)

    record, found = moved(line(visits=0.01, spend=0.02), frame)

    assert found.value == pytest.approx(0.01)
    assert record.inputs[0].input == "visits"


def test_no_rows_or_no_numbers_are_a_problem() -> None:
    assert moved(line(), rows().head(0))[1].problem == "there are no rows to move"
    flags = FeatureSet.model_validate({"features": {"is_new": COMMON | {"dtype": "bool"}}})
    _, found = perturb(line(), rows(), trained_on=rows(), features=flags)
    assert found["score_change"].problem == "no input is a number"


def test_scores_that_are_no_numbers_are_a_problem() -> None:
    assert moved(line(spend=np.nan), rows())[1].problem == "a score is not a number"
