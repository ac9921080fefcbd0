"""What a holdout has cost: the most judged week counts, overrides are subtracted and told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ds_pipeline.evaluation.checks.holdout_budget import GATE, LedgerRecord, Override, WeekLooks, measure_ledger
from ds_pipeline.use_case.requirements import Holdout

W1 = date(2011, 10, 17)
WEEKS = [W1, W1 + timedelta(weeks=1)]


def holdout(limit: int | None) -> Holdout:
    return Holdout(weeks=2, min_rows=1, min_positives=1, max_configurations=limit)


def record(*counts: tuple[int, int], overrides: list[Override] | None = None) -> LedgerRecord:
    """Configurations and allowed ones per week."""
    weeks = [
        WeekLooks(week=week, configurations=found, allowed=more)
        for week, (found, more) in zip(WEEKS, counts, strict=False)
    ]
    return LedgerRecord(entry=1, entry_digest="d", configuration="c", weeks=weeks, overrides=overrides or [])


OVERRIDE = Override(
    number=4, at=datetime(2011, 12, 5, tzinfo=UTC), actor="ann", reason="a fault was repaired", more=2, weeks=WEEKS
)


@pytest.mark.parametrize(
    ("counts", "value"),
    [
        pytest.param([(1, 0), (1, 0)], 1, id="one-configuration"),
        pytest.param([(4, 0), (2, 0)], 4, id="the-most-judged-week"),
        pytest.param([(5, 2), (4, 0)], 4, id="an-override-helps-its-weeks-alone"),
        pytest.param([(1, 3), (2, 3)], 1, id="never-less-than-one"),
    ],
)
def test_the_largest_charge_over_the_weeks_counts(counts: list[tuple[int, int]], value: int) -> None:
    assert measure_ledger(record(*counts), holdout(3))[GATE].value == value


def test_nothing_is_measured_that_nobody_asks_for() -> None:
    assert measure_ledger(record((1, 0), (1, 0)), holdout(None)) == {}


def test_a_ledger_of_other_weeks_is_a_problem() -> None:
    found = measure_ledger(record((1, 0)), holdout(3))[GATE]
    assert found.value is None
    assert found.problem == "the ledger counted 1 weeks; the requirements ask for 2"


def test_a_week_that_was_never_looked_at_is_no_free_pass() -> None:
    """The look itself is written first, so each week has at least one; a zero would mean that it was not."""
    found = measure_ledger(record((0, 0), (1, 0)), holdout(3))[GATE]
    assert found.value is None
    assert found.problem == "the ledger does not hold this look"


def test_overrides_are_told_with_date_and_reason_even_within_the_budget() -> None:
    note = measure_ledger(record((5, 2), (5, 2), overrides=[OVERRIDE]), holdout(3))[GATE].note
    assert note == "5 were judged in all; 1 override (2011-12-05, 2 more, by ann: a fault was repaired)."


def test_past_the_budget_the_way_out_is_told() -> None:
    note = measure_ledger(record((4, 0), (1, 0)), holdout(3))[GATE].note
    assert note is not None
    assert note.startswith("The week of 2011-10-17 has been judged most often.")
    assert "ds-pipeline allow-holdout" in note


def test_within_the_budget_and_without_overrides_there_is_nothing_to_add() -> None:
    assert measure_ledger(record((3, 0), (1, 0)), holdout(3))[GATE].note is None
