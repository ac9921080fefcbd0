"""The predictions frame: how it is tidied, and everything that can be wrong with it."""

from __future__ import annotations

import pandas as pd
import pytest

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.measure.predictions import baseline_score
from ds_pipeline.use_case.requirements import BaselineRule


@pytest.mark.parametrize(("higher", "expected"), [(True, [1.0, 9.0]), (False, [-1.0, -9.0])], ids=["higher", "lower"])
def test_the_baseline_is_turned_so_that_higher_means_more_likely(higher: bool, expected: list[float]) -> None:
    rule = BaselineRule(feature="days", higher_means_more_likely=higher)
    assert list(baseline_score(pd.DataFrame({"days": [1, 9]}), rule)) == expected


def test_a_baseline_feature_that_is_not_there_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="days"):
        baseline_score(pd.DataFrame({"other": [1]}), BaselineRule(feature="days", higher_means_more_likely=True))
