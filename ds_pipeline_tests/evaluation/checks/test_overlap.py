"""What training and holdout share, and that neither a row nor a label window is in both."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from types import SimpleNamespace

import pandas as pd
import pytest

from ds_pipeline.clock import Clock
from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.checks.overlap import Overlap, check_overlap
from ds_pipeline_tests.evaluation.checks.made_up import material

# Labels of 30 days are complete five weeks later, so a holdout from 2024-04-01 is trained for up to 2024-02-26.
CLOCK = Clock("Europe/London", first=date(2024, 1, 1), last=None, horizon_days=30, settle_days=0, holdout_weeks=2)
TRAINING = [("a", date(2024, 2, 19)), ("b", date(2024, 2, 19)), ("b", date(2024, 2, 26)), ("c", date(2024, 2, 26))]
HOLDOUT = [("b", date(2024, 4, 1)), ("b", date(2024, 4, 8)), ("c", date(2024, 4, 8)), ("d", date(2024, 4, 8))]


def frame(pairs: list[tuple[str, date]]) -> pd.DataFrame:
    return pd.DataFrame(pairs, columns=["token", "scoring_date"])


def overlap(training: pd.DataFrame, holdout: pd.DataFrame, *, clock: Clock = CLOCK) -> Overlap:
    use_case = SimpleNamespace(problem=SimpleNamespace(entity="token"), clock=clock)
    found: Overlap = check_overlap(material(use_case=use_case, trained_on=training, holdout=holdout)).findings[
        "overlap"
    ]
    return found


def test_what_both_have_is_counted() -> None:
    found = overlap(frame(TRAINING), frame(HOLDOUT))

    assert (found.training_entities, found.holdout_entities, found.both_entities) == (3, 3, 2)
    assert found.known_rows_share == 0.75
    assert (found.last_training_date, found.first_holdout_date) == (date(2024, 2, 26), date(2024, 4, 1))
    assert (found.last_label_ends, found.embargo_days) == (date(2024, 3, 27), 5)


def test_a_label_window_that_reaches_into_the_holdout_is_refused() -> None:
    later = [*TRAINING, ("a", date(2024, 3, 4))]
    with pytest.raises(EvaluationError, match=r"2024-03-04 are known on 2024-04-08.*Train on weeks up to 2024-02-26"):
        overlap(frame(later), frame(HOLDOUT))


def test_a_label_that_settles_within_the_holdout_is_refused() -> None:
    """Its window ends before, but late rows of the holdout still decide it."""
    slow = replace(CLOCK, settle_days=8)
    with pytest.raises(EvaluationError, match="what happens in it was trained on"):
        overlap(frame(TRAINING), frame(HOLDOUT), clock=slow)


def test_training_dates_after_the_holdout_are_refused() -> None:
    later = frame([(token, day + timedelta(weeks=20)) for token, day in TRAINING])
    with pytest.raises(EvaluationError, match="what happens in it was trained on"):
        overlap(later, frame(HOLDOUT))


def test_a_row_in_both_is_refused_and_not_named() -> None:
    with pytest.raises(EvaluationError, match="1 of 4 holdout rows, by entity and date") as refused:
        overlap(frame([*TRAINING, HOLDOUT[2]]), frame(HOLDOUT))
    assert "'c'" not in str(refused.value)


@pytest.mark.parametrize("pairs", [(TRAINING, []), ([], HOLDOUT)], ids=["no-holdout", "no-training"])
def test_nothing_is_no_proof(pairs: tuple[list[tuple[str, date]], list[tuple[str, date]]]) -> None:
    with pytest.raises(EvaluationError, match="has no rows"):
        overlap(frame(pairs[0]), frame(pairs[1]))
