"""Whom the model gets wrong, told to a person by token, and to nobody else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Journey

EXAMPLE = re.compile(r"^    ([a-p]{32})  2011-\d\d-\d\d  score (0\.\d{3}|1\.000)$", re.MULTILINE)


def test_the_errors_are_told_in_groups_with_tokens_and_nothing_is_written(journey: Journey) -> None:
    before = journey.everything()

    done = journey.cli("mistakes", "--examples", "2")

    assert done.code == 0, done.text
    assert re.search(r"^false positives among the selected: \d+ of \d+ rows$", done.out, re.MULTILINE)
    assert re.search(r"^false negatives among the positives: \d+ of \d+ rows$", done.out, re.MULTILINE)
    assert EXAMPLE.search(done.out)
    assert journey.everything() == before


def test_what_was_not_judged_is_not_looked_at(new_journey: Journey) -> None:
    done = new_journey.cli("mistakes")

    assert done.code == 2, done.text
    assert "Traceback" not in done.text
