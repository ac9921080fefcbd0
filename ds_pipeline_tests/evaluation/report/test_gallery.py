from __future__ import annotations

from typing import Any

import pandas as pd

from ds_pipeline.evaluation.checks.explanations import Explained, Importance
from ds_pipeline.evaluation.checks.findings import Checks
from ds_pipeline.evaluation.measure.cost import CostRow, Costs
from ds_pipeline.evaluation.measure.fairness import GroupRow
from ds_pipeline.evaluation.report.gallery import pictures_of, worst_slices
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.use_case.requirements import Requirements

CURVES = ["precision_recall", "lift_by_decile", "calibration"]


def test_every_picture_is_a_png_with_words(evaluated: Evaluation) -> None:
    found = pictures_of(evaluated)
    assert [one.name for one in found] == [*CURVES, "slices"]
    assert all(one.png.startswith(b"\x89PNG") and one.words for one in found)


def test_the_same_evaluation_gives_the_same_bytes(evaluated: Evaluation) -> None:
    assert pictures_of(evaluated) == pictures_of(evaluated)


def test_without_measurements_there_are_no_pictures(
    predictions: pd.DataFrame, requirements: Requirements, run: Any
) -> None:
    assert pictures_of(run(predictions[:0], requirements)) == []


def test_pictures_do_without_a_baseline(predictions: pd.DataFrame, requirements: Requirements, run: Any) -> None:
    first, *_ = pictures_of(run(predictions.assign(baseline=1.0), requirements))
    assert "baseline" not in first.words


def test_the_rivals_stand_beside_the_model(predictions: pd.DataFrame, requirements: Requirements, run: Any) -> None:
    both = run(predictions.assign(logistic_regression=predictions["score"]), requirements)
    assert both.curves.logistic_regression == both.curves.score
    assert both.curves.champion == []
    words = pictures_of(both)[0].words
    assert "of the logistic regression 0." in words
    assert "champion" not in words


def test_costs_importance_and_protected_groups_are_drawn_where_they_were_measured(evaluated: Evaluation) -> None:
    visits = Importance(input="visits", meaning="visits so far", importance=0.05, standard_deviation=0.01)
    group = GroupRow(
        attribute="age_band", share=0.1, group="20-29", rows=125, positives=9, base_rate=0.072, selected_share=0.111,
        false_positive_rate=0.042, true_positive_rate=None, mean_score=0.068, is_assessable=True,
    )  # fmt: skip
    full = evaluated.model_copy(
        update={
            "costs": Costs(
                currency="GBP",
                cut_off=0.4,
                policies=[
                    CostRow(policy="from the cut-off on", acted_on=50, cost_per_1000=-1156.7),
                    CostRow(policy="nobody", acted_on=0, cost_per_1000=0),
                ],
            ),
            "checks": Checks(explained=Explained(rows=300, positives=150, average_precision=0.7, inputs=[visits])),
            "groups": [group, group.model_copy(update={"group": "30-39"})],
        }
    )
    words = {one.name: one.words for one in pictures_of(full)}
    assert list(words) == [*CURVES, "costs", "slices", "importance", "groups_of_age_band_at_10_percent"]
    assert "from the cut-off on 1,157, nobody 0" in words["costs"]
    assert "visits 0.05" in words["importance"]
    told = "20-29: selected 11.1 %, false positive rate 4.2 %, true positive rate not measured"
    assert told in words["groups_of_age_band_at_10_percent"]


def test_the_worst_groups_come_first_and_what_cannot_be_assessed_not_at_all(evaluated: Evaluation) -> None:
    worst = worst_slices(evaluated, most=2)
    assert len(worst) == 2
    lifts = [row.lift or 0 for row in worst]
    assert lifts == sorted(lifts)
    assert all(row.is_assessable for row in worst_slices(evaluated, most=99))
