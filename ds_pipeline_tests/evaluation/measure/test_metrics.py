from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import settings as limits
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve
from sklearn.metrics import average_precision_score, precision_recall_curve

from ds_pipeline.evaluation.measure import metrics
from ds_pipeline.evaluation.measure.resamples import Ints, Resamples, ScoredRows
from ds_pipeline.use_case.requirements import Cost, HoldoutMetric

patient = limits(deadline=None)  # a busy machine is no failure
MEMBERS = get_args(HoldoutMetric)
EXAMPLES = {
    "precision_at_recall": {"recall": 0.5, "minimum": 0.5, "bound": "lower"},
    "precision_at_top": {"share": 0.5, "minimum": 0.5, "bound": "lower"},
    "recall_at_precision": {"precision": 0.6, "minimum": 0.5, "bound": "lower"},
    "recall_at_top": {"share": 0.5, "minimum": 0.5, "bound": "lower"},
    "average_precision_gain": {"over": "prior", "minimum": 0.1, "bound": "lower"},
    "cost_saving": {"minimum": 1, "bound": "lower"},
    "expected_calibration_error": {"bins": 2, "maximum": 0.1, "bound": "point"},
}
COST = Cost(currency="EUR", campaign_cost=2, false_positive=1, false_negative=5, value_saved=4, owner="crm")


def rows_of(label: list[int], score: list[float], **other: Any) -> ScoredRows:
    size = len(label)
    return ScoredRows(
        week=np.array(other.get("week", [0] * size)),
        entity=np.array(other.get("entity", range(size))),
        label=np.array(label),
        score=np.array(score, dtype=float),
        baseline=np.array(other.get("baseline", [0.0] * size), dtype=float),
        **{name: np.array(other[name], dtype=float) for name in ("logistic_regression", "champion") if name in other},
        cost=COST,
        cut_off=other.get("cut_off", 0.5),
    )


def once(metric: Any, rows: ScoredRows, **settings: Any) -> float:
    return float(metric(rows.once, **settings)[0])


@st.composite
def weighted_rows(draw: st.DrawFn) -> tuple[ScoredRows, Ints]:
    """Rows with many ties and a matrix of weights, in which both classes have weight in every resample."""
    size = draw(st.integers(2, 12))
    numbers = st.lists(st.integers(0, 4), min_size=size, max_size=size)
    label = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    rows = rows_of(
        label,
        [value / 4 for value in draw(numbers)],
        baseline=draw(numbers),
        logistic_regression=draw(numbers),
        champion=draw(numbers),
        week=sorted(value // 2 for value in draw(numbers)),
    )
    weights = np.array(
        draw(st.lists(st.lists(st.integers(0, 3), min_size=size, max_size=size), min_size=1, max_size=3))
    )
    positives = (weights * rows.label).sum(axis=1)
    assume((positives > 0).all() and (positives < weights.sum(axis=1)).all())
    return rows, weights


def repeated(rows: ScoredRows, weight: Ints) -> ScoredRows:
    names = ("week", "entity", "label", "score", "baseline", "logistic_regression", "champion")
    return replace(rows, **{name: np.repeat(getattr(rows, name), weight) for name in names})


# Dispatch


def test_every_threshold_on_the_whole_holdout_has_a_metric_of_its_name() -> None:
    names = [get_args(member.model_fields["metric"].annotation)[0] for member in MEMBERS]
    assert sorted(names) == sorted(EXAMPLES)
    assert all(callable(getattr(metrics, name)) for name in names)


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.__name__)
def test_a_threshold_is_measured_by_the_metric_of_its_name(member: Any) -> None:
    name = get_args(member.model_fields["metric"].annotation)[0]
    rows = rows_of([1, 0, 1, 0, 0, 1], [0.9, 0.8, 0.7, 0.3, 0.2, 0.1], baseline=[3, 5, 1, 2, 2, 1])
    threshold = member(metric=name, owner="x", **EXAMPLES[name])
    settings = {key: value for key, value in EXAMPLES[name].items() if key not in ("minimum", "maximum", "bound")}
    measured = float(metrics.measure(threshold, rows.once)[0])
    assert measured == once(getattr(metrics, name), rows, **settings)


# By hand


def test_precision_at_recall_stops_at_the_first_cut_off_that_finds_enough() -> None:
    rows = rows_of([1, 0, 1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert once(metrics.precision_at_recall, rows, recall=0.6) == 2 / 3
    assert once(metrics.precision_at_recall, rows, recall=0.7) == 3 / 5


def test_precision_at_recall_counts_a_recall_that_is_met_exactly() -> None:
    rows = rows_of([1, 1, 1, 0, 1, 1], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert once(metrics.precision_at_recall, rows, recall=0.6) == 1.0


def test_precision_at_recall_takes_tied_rows_together() -> None:
    rows = rows_of([1, 0, 0, 0, 1], [0.9, 0.9, 0.9, 0.9, 0.1])
    assert once(metrics.precision_at_recall, rows, recall=0.5) == 1 / 4


def test_precision_at_top_chooses_within_each_week() -> None:
    # The first week's scores are all higher; across weeks only its rows would be chosen.
    rows = rows_of([1, 0, 0, 1], [0.9, 0.8, 0.2, 0.1], week=[0, 0, 1, 1])
    assert once(metrics.precision_at_top, rows, share=0.5) == 1 / 2


def test_precision_at_top_rounds_the_size_of_each_week_up() -> None:
    rows = rows_of([1, 0, 0], [0.9, 0.8, 0.7])
    assert once(metrics.precision_at_top, rows, share=0.34) == 1 / 2


def test_precision_at_top_is_not_fooled_by_floating_point() -> None:
    """0.07 * 100 is 7.000000000000001, which would take an eighth row."""
    rows = rows_of([1] * 7 + [0] * 93, list(np.linspace(1, 0, 100)))
    assert once(metrics.precision_at_top, rows, share=0.07) == 1.0


def test_precision_at_top_breaks_ties_by_the_order_of_entities() -> None:
    rows = rows_of([1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5])
    assert once(metrics.precision_at_top, rows, share=0.25) == 1.0


def test_average_precision_gain_is_the_difference_of_two_average_precisions() -> None:
    rows = rows_of([1, 0, 1, 0], [0.9, 0.2, 0.8, 0.1], baseline=[1, 4, 2, 3])
    # score: (1 + 1) / 2; baseline: positives in third and fourth place, (1/3 + 2/4) / 2
    assert once(metrics.average_precision_gain, rows, over="baseline") == pytest.approx(1 - (1 / 3 + 2 / 4) / 2)


@pytest.mark.parametrize("over", ["logistic_regression", "champion"])
def test_average_precision_gain_can_be_over_another_model(over: str) -> None:
    rows = rows_of([1, 0, 1, 0], [0.9, 0.2, 0.8, 0.1], **{over: [0.1, 0.4, 0.2, 0.3]})
    assert once(metrics.average_precision_gain, rows, over=over) == pytest.approx(1 - (1 / 3 + 2 / 4) / 2)


def test_a_gain_is_paired_so_that_a_model_never_differs_from_itself() -> None:
    score = [0.9, 0.2, 0.8, 0.1]
    sample = Resamples(rows_of([1, 0, 0, 1], score, champion=score), np.array([[1, 1, 1, 1], [3, 0, 1, 0]]))
    assert metrics.average_precision_gain(sample, over="champion").tolist() == [0, 0]


def test_cost_saving_is_against_the_cheaper_of_all_and_nobody() -> None:
    rows = rows_of([1, 0, 1, 0], [0.9, 0.8, 0.3, 0.1], cut_off=0.8)
    # acting on two: a hit 2 - 4 = -2, a false positive 2 + 1 = 3, a miss 5: 6 in all
    # all: 2 hits, 2 false positives: -4 + 6 = 2; nobody: 2 misses, 10; so it costs 4 more than acting on all
    assert once(metrics.cost_saving, rows) == -1000 * 4 / 4
    # acting on the first alone: -2 and a miss 5 = 3; from 0.3 on: -4 + 3 = -1, which saves 3
    assert once(metrics.cost_saving, replace(rows, cut_off=0.3)) == 1000 * 3 / 4


def test_the_cheaper_of_all_and_nobody_is_chosen_anew_in_each_resample() -> None:
    rows = rows_of([1, 0], [0.9, 0.1], cut_off=0.5)
    sample = Resamples(rows, np.array([[1, 9], [9, 1]]))
    # acting on the positives: -2 and -18
    # 1 of 10 positive: all -2 + 27 = 25, nobody 5; 9 of 10: all -18 + 3 = -15, nobody 45
    assert metrics.cost_saving(sample).tolist() == [700, 300]


def test_a_cut_off_that_nobody_reaches_costs_as_much_as_nobody() -> None:
    rows = rows_of([1, 0, 0, 0], [0.9, 0.3, 0.2, 0.1], cut_off=float("inf"))
    # nobody: a miss, 5; all: -2 + 9 = 7
    assert once(metrics.cost_saving, rows) == 0


def test_cost_saving_without_a_cost_or_a_cut_off_is_not_a_number() -> None:
    rows = rows_of([1, 0], [0.9, 0.1])
    assert np.isnan(once(metrics.cost_saving, replace(rows, cost=None)))
    assert np.isnan(once(metrics.cost_saving, replace(rows, cut_off=None)))


def test_average_precision_gain_over_the_prior_subtracts_the_share_of_positives() -> None:
    rows = rows_of([1, 0, 0, 1], [0.9, 0.2, 0.8, 0.1])
    # positives in first and fourth place, (1 + 2/4) / 2, above a share of 1/2
    assert once(metrics.average_precision_gain, rows, over="prior") == pytest.approx(0.75 - 0.5)


def test_the_prior_has_no_gain_over_itself() -> None:
    rows = rows_of([1, 0, 0, 1], [0.3, 0.3, 0.3, 0.3])
    assert once(metrics.average_precision_gain, rows, over="prior") == pytest.approx(0)


def test_recall_at_precision_goes_down_to_the_lowest_cut_off_that_reaches_it() -> None:
    # precision 1, 1/2, 2/3, 2/4, 3/5: below the target at the second row, and at it again at the fifth
    rows = rows_of([1, 0, 1, 0, 1, 0], [0.9, 0.8, 0.7, 0.6, 0.5, 0.4])
    assert once(metrics.recall_at_precision, rows, precision=0.6) == 1.0
    assert once(metrics.recall_at_precision, rows, precision=0.61) == 2 / 3


def test_recall_at_precision_of_a_single_lucky_row_at_the_top_is_the_recall_of_that_row() -> None:
    rows = rows_of([1] + [0] * 8 + [1] * 3, list(np.linspace(1, 0, 12)))
    assert once(metrics.recall_at_precision, rows, precision=0.9) == 1 / 4


def test_recall_at_precision_is_zero_where_no_cut_off_reaches_it() -> None:
    rows = rows_of([0, 1, 0, 1], [0.9, 0.8, 0.7, 0.6])
    assert once(metrics.recall_at_precision, rows, precision=0.6) == 0.0


def test_recall_at_precision_counts_a_precision_that_is_met_exactly() -> None:
    rows = rows_of([1, 1, 1] + [0] * 7 + [1], list(np.linspace(1, 0, 11)))
    # at the tenth row 3/10; at the eleventh 4/11
    assert once(metrics.recall_at_precision, rows, precision=4 / 11) == 1.0


def test_recall_at_precision_takes_tied_rows_together() -> None:
    rows = rows_of([1, 0, 0, 1], [0.9, 0.9, 0.9, 0.1])
    assert once(metrics.recall_at_precision, rows, precision=0.6) == 0.0


def test_recall_at_top_chooses_within_each_week() -> None:
    rows = rows_of([1, 1, 0, 1], [0.9, 0.8, 0.2, 0.1], week=[0, 0, 1, 1])
    assert once(metrics.recall_at_top, rows, share=0.5) == 1 / 3


def test_calibration_error_weighs_each_bin_by_its_rows() -> None:
    rows = rows_of([1, 1, 0, 1], [0.9, 0.7, 0.4, 0.2])
    # upper bin: mean 0.8, all positive; lower bin: mean 0.3, half positive
    assert once(metrics.expected_calibration_error, rows, bins=2) == pytest.approx(0.5 * 0.2 + 0.5 * 0.2)


def test_calibration_error_of_tied_scores_leaves_empty_bins_out() -> None:
    rows = rows_of([1, 0, 0, 0], [0.5, 0.5, 0.5, 0.5])
    assert once(metrics.expected_calibration_error, rows, bins=10) == pytest.approx(0.25)


def test_a_metric_without_positives_is_not_a_number() -> None:
    rows = rows_of([0, 0], [0.9, 0.1], baseline=[1, 2])
    assert np.isnan(once(metrics.precision_at_recall, rows, recall=0.5))
    assert np.isnan(once(metrics.average_precision_gain, rows, over="baseline"))
    assert np.isnan(once(metrics.recall_at_precision, rows, precision=0.5))
    assert np.isnan(once(metrics.recall_at_top, rows, share=0.5))


# Against scikit-learn


@patient
@given(weighted_rows())
def test_average_precision_equals_scikit_learn_for_any_weights(case: tuple[ScoredRows, Ints]) -> None:
    rows, weights = case
    ours = metrics.average_precision(rows.by_score.at_cut_offs(weights))
    theirs = [average_precision_score(rows.label, rows.score, sample_weight=weight) for weight in weights]
    assert ours == pytest.approx(theirs)


@patient
@given(weighted_rows(), st.sampled_from([0.05, 0.25, 0.5, 0.6, 0.75, 0.99]))
def test_precision_at_recall_lies_on_the_curve_of_scikit_learn(case: tuple[ScoredRows, Ints], recall: float) -> None:
    rows, weights = case
    expected = []
    for weight in weights:
        precisions, recalls, _ = precision_recall_curve(rows.label, rows.score, sample_weight=weight)
        expected.append(precisions[np.flatnonzero(recalls >= recall)[-1]])
    assert metrics.precision_at_recall(Resamples(rows, weights), recall=recall) == pytest.approx(expected)


@patient
@given(weighted_rows(), st.sampled_from([0.05, 0.25, 0.5, 0.6, 0.75, 0.99]))
def test_recall_at_precision_lies_on_the_curve_of_scikit_learn(case: tuple[ScoredRows, Ints], precision: float) -> None:
    rows, weights = case
    expected = []
    for weight in weights:
        precisions, recalls, _ = precision_recall_curve(rows.label, rows.score, sample_weight=weight)
        expected.append(recalls[precisions >= precision].max())  # its last point, recall 0, is always among them
    assert metrics.recall_at_precision(Resamples(rows, weights), precision=precision) == pytest.approx(expected)


@patient
@given(weighted_rows(), st.sampled_from([0.1, 0.3, 0.5, 0.9]))
def test_precision_and_recall_at_top_are_of_the_rows_that_are_taken(
    case: tuple[ScoredRows, Ints], share: float
) -> None:
    rows, weights = case
    taken = metrics.taken_at_top(Resamples(rows, weights), share=share)
    hits = (taken * rows.label).sum(axis=1)
    assert metrics.precision_at_top(Resamples(rows, weights), share=share) == pytest.approx(hits / taken.sum(axis=1))
    recall = hits / (weights * rows.label).sum(axis=1)
    assert metrics.recall_at_top(Resamples(rows, weights), share=share) == pytest.approx(recall)


@patient
@given(st.lists(st.integers(0, 1), min_size=20, max_size=20), st.sampled_from([2, 4, 5, 10]))
def test_calibration_error_equals_scikit_learn_on_distinct_scores(label: list[int], bins: int) -> None:
    rows = rows_of(label, [(place + 0.5) / 20 for place in range(20)])
    observed, predicted = calibration_curve(rows.label, rows.score, n_bins=bins, strategy="quantile")
    expected = np.abs(observed - predicted).mean()
    assert once(metrics.expected_calibration_error, rows, bins=bins) == pytest.approx(expected)


@patient
@given(weighted_rows())
def test_a_weight_of_k_means_the_same_as_k_copies_of_the_row(case: tuple[ScoredRows, Ints]) -> None:
    rows, weights = case
    for metric, settings in (
        (metrics.precision_at_recall, {"recall": 0.6}),
        (metrics.precision_at_top, {"share": 0.3}),
        (metrics.recall_at_precision, {"precision": 0.6}),
        (metrics.recall_at_top, {"share": 0.3}),
        (metrics.average_precision_gain, {"over": "baseline"}),
        (metrics.average_precision_gain, {"over": "prior"}),
        (metrics.average_precision_gain, {"over": "logistic_regression"}),
        (metrics.average_precision_gain, {"over": "champion"}),
        (metrics.cost_saving, {}),
        (metrics.expected_calibration_error, {"bins": 3}),
    ):
        copies = [once(metric, repeated(rows, weight), **settings) for weight in weights]
        assert metric(Resamples(rows, weights), **settings) == pytest.approx(copies)
        assert metric(Resamples(rows, weights.astype(np.int32)), **settings) == pytest.approx(
            copies
        )  # as in the bootstrap
