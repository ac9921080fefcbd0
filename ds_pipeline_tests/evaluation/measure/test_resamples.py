"""Rankings, cut-offs and totals against plain loops over the rows, each as often as it was drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.evaluation.measure.resamples import Ints, Ranking, Resamples, ScoredRows, running_sum

SCORE = np.array([0.2, 0.9, 0.9, 0.5, 0.5, 0.1])
LABEL = np.array([0, 1, 0, 0, 1, 0])
ENTITY = np.array([0, 1, 2, 0, 1, 2])
WEEK = np.array([0, 0, 0, 1, 1, 1])
ROWS = ScoredRows(week=WEEK, entity=ENTITY, label=LABEL, score=SCORE, baseline=-SCORE)
COUNTS = np.array([[1, 1, 1], [2, 0, 1], [0, 3, 0]])  # of the three entities, in three resamples


@pytest.fixture
def ranking() -> Ranking:
    return Ranking.of(SCORE, LABEL, ENTITY)


def test_rows_are_ranked_best_first_and_ties_stay_in_their_order(ranking: Ranking) -> None:
    assert ranking.order.tolist() == [1, 2, 3, 4, 0, 5]
    assert ranking.starts.tolist() == [0, 2, 4, 5]
    assert ranking.ends.tolist() == [1, 3, 4, 5]
    assert ranking.positives.tolist() == [0, 3]
    assert ranking.entity.tolist() == [1, 2, 0, 1, 0, 2]


def test_cut_offs_are_the_ends_of_groups_with_a_positive_and_of_all(ranking: Ranking) -> None:
    assert ranking.cut_offs.tolist() == [1, 3, 5]
    assert ranking.positives_above.tolist() == [1, 2, 2]
    assert ranking.group_of(np.array([0, 1, 2, 5])).tolist() == [0, 0, 1, 3]


def test_without_a_positive_only_the_end_is_a_cut_off() -> None:
    ranking = Ranking.of(SCORE, np.zeros(6, int), ENTITY)

    assert ranking.cut_offs.tolist() == [5]
    assert ranking.at_cut_offs(COUNTS).hits.tolist() == [[0], [0], [0]]


def test_what_is_taken_at_a_cut_off_is_counted_row_by_row(ranking: Ranking) -> None:
    found = ranking.at_cut_offs(COUNTS)

    for sample, counts in enumerate(COUNTS):
        for column, last in enumerate(ranking.cut_offs):
            above = ranking.order[: last + 1]
            assert found.taken[sample, column] == sum(counts[ENTITY[row]] for row in above)
            assert found.hits[sample, column] == sum(counts[ENTITY[row]] * LABEL[row] for row in above)


def test_totals_of_groups_add_up_what_is_ranked(ranking: Ranking) -> None:
    ranked = ranking.ranked(COUNTS)

    assert ranked.tolist() == [[1, 1, 1, 1, 1, 1], [0, 1, 2, 0, 2, 1], [3, 0, 0, 3, 0, 0]]
    assert ranking.per_group(ranked).tolist() == [[2, 2, 1, 1], [1, 2, 2, 1], [3, 3, 0, 0]]


def test_week_by_week_the_best_of_each_come_first() -> None:
    ranking = ROWS.by_week

    assert ranking.order.tolist() == [1, 2, 0, 3, 4, 5]
    assert ranking.starts.tolist() == [0, 3]


def test_places_know_what_is_before_them_in_each_resample() -> None:
    found = Resamples(ROWS, COUNTS).at_positives  # the rows 1 and 4, at the places 0 and 4

    assert found.there.tolist() == [[1, 1], [0, 0], [3, 3]]
    assert found.ahead.tolist() == [[0, 4], [0, 5], [0, 3]]
    assert found.weeks.tolist() == [[3, 3], [3, 3], [3, 3]]
    assert found.ends.tolist() == [[3, 6], [3, 6], [3, 6]]


def test_totals_count_each_row_as_often_as_it_was_drawn() -> None:
    values = np.array([1.0, 10.0, 100.0, 1_000.0, 10_000.0, 100_000.0])

    assert Resamples(ROWS, COUNTS).total(values).tolist() == [111_111.0, 102_102.0, 30_030.0]
    assert Resamples(ROWS, COUNTS).total(LABEL == 1).tolist() == [2.0, 0.0, 6.0]


def test_once_is_everybody_once() -> None:
    assert ROWS.once.counts.tolist() == [[1, 1, 1]]
    assert ROWS.once.cut_offs("score").taken.tolist() == [[2, 4, 6]]
    # By the baseline the order is turned around: the positives are in the third and the fourth group.
    assert ROWS.once.cut_offs("baseline").taken.tolist() == [[4, 6]]


def test_only_the_scores_that_are_there_are_ranked() -> None:
    assert set(ROWS.rankings) == {"score", "baseline"}
    assert ROWS.by_score is ROWS.rankings["score"]
    with pytest.raises(KeyError):
        ROWS.once.cut_offs("champion")


def test_a_frame_becomes_arrays_with_weeks_and_entities_numbered_in_their_order() -> None:
    frame = pd.DataFrame(
        {"scoring_date": ["2024-01-08", "2024-01-08", "2024-01-01"], "token": ["b", "a", "b"], "label": [1.0, 0.0, 1.0],
         "score": [0.1, 0.2, 0.3], "baseline": [1, 2, 3], "champion": [0.5, 0.5, 0.5]}
    )  # fmt: skip

    rows = ScoredRows.from_frame(frame, "token", cut_off=0.5)

    assert rows.week.tolist() == [1, 1, 0]
    assert rows.entity.tolist() == [1, 0, 1]
    assert rows.label.dtype == np.int64
    assert rows.champion is not None
    assert rows.logistic_regression is None
    assert (rows.cost, rows.cut_off) == (None, 0.5)


@pytest.mark.parametrize("kind", [np.int16, np.int64])
def test_sums_stay_in_the_type_they_come_in(kind: type) -> None:
    counts: Ints = np.array([[1, 2, 3]], dtype=kind)

    assert running_sum(counts).tolist() == [[1, 3, 6]]
    assert running_sum(counts).dtype == kind
