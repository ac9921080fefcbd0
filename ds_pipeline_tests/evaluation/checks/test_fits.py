"""Fits of the checks: on a sample, with one number for each row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.checks import fits
from ds_pipeline.evaluation.checks.fits import folds_of, sampled, scores_of


def test_few_rows_stay_all_with_a_fresh_index() -> None:
    rows = pd.DataFrame({"x": [3, 1, 2]}, index=[9, 9, 4])

    found = sampled(rows, seed=1)

    assert found["x"].tolist() == [3, 1, 2]
    assert found.index.tolist() == [0, 1, 2]


def test_of_many_rows_a_seeded_sample_stays_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fits, "MOST_ROWS", 10)
    rows = pd.DataFrame({"x": range(100)})

    first, again, other = (sampled(rows, seed=seed)["x"].tolist() for seed in (1, 1, 2))

    assert first == again != other
    assert first == sorted(set(first))
    assert len(first) == 10


@pytest.mark.parametrize(
    "fit_predict",
    [
        pytest.param(lambda fit, left_out: np.zeros(len(left_out) + 1), id="one-too-many"),
        pytest.param(lambda fit, left_out: np.zeros((len(left_out), 2)), id="two-columns"),
        pytest.param(lambda fit, left_out: np.array([0.1, np.nan]), id="nan"),
        pytest.param(lambda fit, left_out: np.array([0.1, np.inf]), id="infinity"),
        pytest.param(lambda fit, left_out: 0.5, id="one-for-all"),
    ],
)
def test_scores_that_are_not_one_number_for_each_row_are_an_error(fit_predict: Callable[..., np.ndarray]) -> None:
    with pytest.raises(EvaluationError, match="one number for each row"):
        scores_of(fit_predict, pd.DataFrame({"x": [1]}), pd.DataFrame({"x": [1, 2]}))


def test_scores_are_those_of_the_rows_left_out() -> None:
    scores = scores_of(
        lambda fit, left_out: left_out["x"] + len(fit), pd.DataFrame({"x": [1]}), pd.DataFrame({"x": [1, 2]})
    )

    assert scores.tolist() == [2.0, 3.0]


def test_all_rows_of_an_entity_are_in_one_fold() -> None:
    rows = pd.DataFrame({"token": list("aabbccdd"), "label": [1, 0] * 4})

    folds = folds_of(rows, entity="token", folds=4, seed=1)

    assert sorted(place for _, left_out in folds for place in left_out) == list(range(8))
    for fitted, left_out in folds:
        assert set(rows["token"].iloc[fitted]).isdisjoint(rows["token"].iloc[left_out])


@pytest.mark.parametrize(("label", "kind"), [([1, 0, 0], "positive"), ([1, 1, 0], "negative")])
def test_a_fold_needs_an_entity_with_either_label(label: list[int], kind: str) -> None:
    rows = pd.DataFrame({"token": list("abc"), "label": label})

    with pytest.raises(EvaluationError, match=f"1 entities have a {kind} row, too few for 2 folds"):
        folds_of(rows, entity="token", folds=2, seed=1)
