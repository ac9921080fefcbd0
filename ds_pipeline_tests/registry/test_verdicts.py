"""What a gate came to, in one word and in a count."""

from __future__ import annotations

import pytest

from ds_pipeline.registry.verdicts import Verdict, count_verdicts, verdict_of


@pytest.mark.parametrize(
    ("passed", "applies", "verdict"),
    [
        pytest.param(True, True, "pass", id="reached"),
        pytest.param(True, False, "not_applicable", id="nothing to compare with"),
        pytest.param(False, True, "refused", id="missed"),
        pytest.param(False, False, "refused", id="missed and said not to apply"),
    ],
)
def test_the_verdict(passed: bool, applies: bool, verdict: Verdict) -> None:
    assert verdict_of(passed=passed, applies=applies) == verdict


@pytest.mark.parametrize(
    ("verdicts", "said"),
    [
        pytest.param(["pass", "refused"], "1 of 2 gates passed", id="all apply"),
        pytest.param(["pass", "not_applicable"], "1 of 1 gates that apply passed, 1 does not apply", id="one aside"),
        pytest.param(["not_applicable"] * 2, "0 of 0 gates that apply passed, 2 do not apply", id="two aside"),
    ],
)
def test_what_does_not_apply_is_not_counted_as_passed(verdicts: list[Verdict], said: str) -> None:
    assert count_verdicts(verdicts) == said
