from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from ds_pipeline.evaluation.measure.cost import choose_cut_off, cost_of, cost_table
from ds_pipeline.evaluation.measure.metrics import cost_saving
from ds_pipeline.evaluation.measure.resamples import ScoredRows
from ds_pipeline.use_case.requirements import Cost


def cost_with(**changes: float) -> Cost:
    asked: dict[str, Any] = {"campaign_cost": 1, "false_positive": 0, "false_negative": 0, "value_saved": 3}
    return Cost(currency="EUR", owner="crm", **(asked | changes))


def rows_of(label: list[int], score: list[float], **other: Any) -> ScoredRows:
    size = len(label)
    arguments = {"cost": cost_with(), "baseline": np.zeros(size)} | other
    return ScoredRows(
        week=np.zeros(size, dtype=int),
        entity=np.arange(size),
        label=np.array(label),
        score=np.array(score, dtype=float),
        **arguments,
    )


def test_a_decision_costs_the_campaign_and_what_it_got_wrong_less_what_it_saved() -> None:
    cost = cost_with(campaign_cost=2, false_positive=1, false_negative=5, value_saved=4)
    # ten contacts 20, seven false positives 7, two missed 10, three saved 12
    assert cost_of(cost, taken=10, hits=3, positives=5) == 20 + 7 + 10 - 12


def test_the_cut_off_is_the_score_from_which_on_acting_is_cheapest() -> None:
    label = np.array([0, 1, 0, 1, 0, 0])
    score = np.array([0.1, 0.9, 0.8, 0.7, 0.3, 0.2])
    # from the top down: -2, -1, -3, -2, -1, 0
    assert choose_cut_off(label, score, cost_with()) == 0.7


def test_tied_rows_are_acted_on_together() -> None:
    # 0.9 alone has a hit and two misses: 3 - 3 = 0 euros, as nobody; all: 4 - 6 = -2
    assert choose_cut_off(np.array([1, 0, 0, 1]), np.array([0.9, 0.9, 0.9, 0.5]), cost_with()) == 0.5


def test_of_cut_offs_that_cost_the_same_the_one_with_fewer_actions_is_taken() -> None:
    # -2, -1, 0, -2: the first and the fourth are equal
    assert choose_cut_off(np.array([1, 0, 0, 1]), np.array([0.9, 0.8, 0.7, 0.6]), cost_with()) == 0.9


def test_cents_that_floating_point_cannot_hold_are_a_tie_all_the_same() -> None:
    """3 * 0.1 - 0.3 is 5.6e-17: acting on all would look a little dearer, on other numbers a little cheaper."""
    cost = cost_with(campaign_cost=0.1, value_saved=0.3)
    assert choose_cut_off(np.array([0, 0, 1]), np.array([0.9, 0.8, 0.7]), cost) == math.inf


def test_where_acting_never_pays_nobody_is_acted_on() -> None:
    assert choose_cut_off(np.array([1, 0]), np.array([0.9, 0.1]), cost_with(campaign_cost=5)) == math.inf


def test_where_acting_costs_nothing_everybody_who_is_worth_it_is_acted_on() -> None:
    free = cost_with(campaign_cost=0, false_negative=1)
    assert choose_cut_off(np.array([0, 1, 0]), np.array([0.9, 0.5, 0.1]), free) == 0.5


@pytest.mark.parametrize(
    ("label", "score"),
    [
        pytest.param([], [], id="no rows"),
        pytest.param([0, 0], [0.1, 0.2], id="no positives"),
        pytest.param([1, 1], [0.1, 0.2], id="no negatives"),
        pytest.param([0, 1], [0.1, math.nan], id="a score is NaN"),
        pytest.param([0, math.nan], [0.1, 0.2], id="a label is NaN"),
    ],
)
def test_no_cut_off_is_chosen_on_rows_that_cannot_tell(label: list[float], score: list[float]) -> None:
    assert choose_cut_off(np.array(label), np.array(score), cost_with()) is None


def test_the_order_of_the_rows_does_not_matter() -> None:
    rng = np.random.default_rng(1)
    label, score = rng.integers(0, 2, 50), rng.random(50).round(1)
    shuffled = rng.permutation(50)
    assert choose_cut_off(label, score, cost_with()) == choose_cut_off(label[shuffled], score[shuffled], cost_with())


def test_the_table_compares_the_cut_off_with_every_other_way_of_choosing() -> None:
    rows = rows_of([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], cut_off=0.7, baseline=np.array([1.0, 4.0, 3.0, 2.0]))
    table = cost_table(rows, campaigns={"top_quarter": np.array([1, 0, 0, 0])}, with_baseline=True)
    assert table is not None
    assert (table.currency, table.cut_off) == ("EUR", 0.7)
    # contacts cost 1 each, a hit saves 3
    assert [(row.policy, row.acted_on, row.cost_per_1000) for row in table.policies] == [
        ("from the cut-off on", 3, 1000 * (3 - 6) / 4),
        ("as many by the baseline rule", 3, 1000 * (3 - 3) / 4),
        ("nobody", 0, 0),
        ("everybody", 4, 1000 * (4 - 6) / 4),
        ("top_quarter", 1, 1000 * (1 - 3) / 4),
    ]


def test_what_is_saved_has_the_sign_and_the_size_of_the_gate() -> None:
    rows = rows_of([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], cut_off=0.7, baseline=np.array([1.0, 4.0, 3.0, 2.0]))
    table = cost_table(rows, campaigns={"top_quarter": np.array([1, 0, 0, 0])}, with_baseline=True)
    assert table is not None
    saved = {row.policy: table.saved_per_1000(row) for row in table.policies}
    assert saved["from the cut-off on"] == cost_saving(rows.once)[0] == 250
    assert (saved["everybody"], saved["nobody"], saved["top_quarter"]) == (0, -500, 0)


def test_rows_that_the_rule_ranks_alike_count_as_average() -> None:
    rows = rows_of([1, 0, 0, 0], [0.9, 0.8, 0.2, 0.1], cut_off=0.8, baseline=np.array([5.0, 5.0, 5.0, 5.0]))
    table = cost_table(rows, campaigns={}, with_baseline=True)
    assert table is not None
    # two of four alike: half a hit
    assert table.policies[1].cost_per_1000 == 1000 * (2 - 1.5) / 4


@pytest.mark.parametrize("cut_off", [None, math.nan], ids=["none", "NaN"])
def test_without_a_cut_off_the_table_has_neither_it_nor_the_rule(cut_off: float | None) -> None:
    table = cost_table(rows_of([1, 0], [0.9, 0.1], cut_off=cut_off), campaigns={}, with_baseline=True)
    assert table is not None
    assert table.cut_off is None
    assert [row.policy for row in table.policies] == ["nobody", "everybody"]


def test_a_cut_off_that_acts_on_nobody_is_written_down_as_none() -> None:
    table = cost_table(rows_of([1, 0], [0.9, 0.1], cut_off=math.inf), campaigns={}, with_baseline=False)
    assert table is not None
    assert table.cut_off is None
    assert (table.policies[0].policy, table.policies[0].acted_on) == ("from the cut-off on", 0)


def test_without_a_cost_there_is_no_table() -> None:
    assert cost_table(rows_of([1, 0], [0.9, 0.1], cost=None), campaigns={}, with_baseline=True) is None
