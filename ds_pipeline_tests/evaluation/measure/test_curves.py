"""What the thresholds on a selection would act on."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as limits
from hypothesis import strategies as st

from ds_pipeline.evaluation.measure.curves import cut_off_for_precision, operating_point, report_metrics, selections
from ds_pipeline.evaluation.measure.metrics import recall_at_precision
from ds_pipeline.evaluation.measure.resamples import ScoredRows
from ds_pipeline.use_case.requirements import Requirements

COMMON = {"minimum": 0.1, "bound": "lower", "owner": "crm"}


def rows_of(label: list[int], score: list[float]) -> ScoredRows:
    size = len(label)
    return ScoredRows(
        week=np.zeros(size, dtype=int),
        entity=np.arange(size),
        label=np.array(label),
        score=np.array(score, dtype=float),
        baseline=np.zeros(size),
    )


def selected(asked: dict[str, Any], rows: ScoredRows, **acceptance: dict[str, Any]) -> dict[str, list[int]]:
    asked["acceptance"] = {name: COMMON | one for name, one in acceptance.items()}
    return {name: one.tolist() for name, one in selections(rows, Requirements.model_validate(asked)).items()}


def test_a_precision_selects_down_to_the_last_row_that_keeps_it(asked: dict[str, Any]) -> None:
    rows = rows_of([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6])
    # precision 1, 1/2, 2/3 and 2/4: the last reaches 0.5 as well, and finds nobody more
    found = selected(asked, rows, half={"metric": "recall_at_precision", "precision": 0.5})
    assert found == {"half": [1, 1, 1, 0]}


def test_a_precision_that_is_reached_nowhere_selects_nobody_and_is_no_operating_point(asked: dict[str, Any]) -> None:
    rows = rows_of([0, 1, 0, 1], [0.9, 0.8, 0.7, 0.6])
    assert selected(asked, rows, high={"metric": "recall_at_precision", "precision": 0.9}) == {}


def test_two_thresholds_on_the_same_share_are_one_operating_point_and_shares_come_first(asked: dict[str, Any]) -> None:
    rows = rows_of([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6])
    found = selected(
        asked,
        rows,
        cut={"metric": "precision_at_recall", "recall": 0.9},
        found={"metric": "recall_at_top", "share": 0.5},
        right={"metric": "precision_at_top", "share": 0.5},
        first={"metric": "recall_at_top", "share": 0.25},
    )
    assert found == {"found": [1, 1, 0, 0], "first": [1, 0, 0, 0], "cut": [1, 1, 1, 0]}
    assert list(found) == ["found", "first", "cut"]


def test_the_report_has_the_usual_metrics_of_the_top(asked: dict[str, Any]) -> None:
    label = [1] * 5 + [0] * 5 + [1] * 5 + [0] * 85
    rows = rows_of(label, [1 - place / 100 for place in range(100)])
    found = report_metrics(rows, Requirements.model_validate(asked), with_baseline=False)
    assert (found["precision_at_top_1_percent"], found["precision_at_top_5_percent"]) == (1, 1)
    assert (found["precision_at_top_10_percent"], found["recall_at_top_10_percent"]) == (0.5, 0.5)
    assert found["lift_at_top_decile"] == 0.5 / 0.1
    assert found["precision_at_100"] == 0.1
    assert found["average_precision"] == pytest.approx((5 + sum(hits / (5 + hits) for hits in range(6, 11))) / 10)


def test_precision_at_100_is_left_out_where_a_week_is_shorter(asked: dict[str, Any]) -> None:
    rows = rows_of([1, 0], [0.9, 0.1])
    assert "precision_at_100" not in report_metrics(rows, Requirements.model_validate(asked), with_baseline=False)


@limits(deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), st.integers(0, 4)), min_size=1, max_size=15).filter(
        lambda rows: any(label for label, _ in rows)
    ),
    st.sampled_from([0.1, 0.3, 0.5, 2 / 3, 0.9]),
)
def test_the_selection_has_the_recall_that_the_gate_measures(pairs: list[tuple[int, int]], precision: float) -> None:
    rows = rows_of([label for label, _ in pairs], [score / 4 for _, score in pairs])
    cut = cut_off_for_precision(rows, precision)
    measured = float(recall_at_precision(rows.once, precision=precision)[0])
    if cut is None:
        assert measured == 0
        return
    point = operating_point(rows, "x", (rows.score >= cut).astype(int))
    assert point.recall == pytest.approx(measured)
    assert point.precision >= precision
