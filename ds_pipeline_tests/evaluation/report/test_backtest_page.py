"""The page of a backtest stands alone and says what the frame says."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest

from ds_pipeline.evaluation.measure.walk_forward import FIGURES
from ds_pipeline.evaluation.report.backtest_page import alt_text, picture, render_backtest
from ds_pipeline.use_case.load import UseCase

DAY = date(2011, 9, 5)


@pytest.fixture
def weeks() -> pd.DataFrame:
    figures = {f"{rival}{name}": [0.5, float("nan")] for rival in ("", "baseline_", "prior_") for name in FIGURES}
    return pd.DataFrame(
        {
            "scoring_date": [DAY, DAY + timedelta(weeks=1)],
            "trained_as_of": DAY,
            "trained_until": DAY - timedelta(weeks=12),
            "age_weeks": [0, 1],
            "rows": 1234,
            "undecided": 0,
            "positives": 400,
            "base_rate": 0.3,
        }
        | figures
    )


def test_the_page_loads_nothing_and_holds_every_week(weeks: pd.DataFrame, retail_lapse: UseCase) -> None:
    page = render_backtest(weeks, problem=retail_lapse.problem, facts={"hyperparameters": "those of <v0001>"})
    assert page.count("data:image/png;base64,") == 3
    assert "http" not in page
    assert "&lt;v0001&gt;" in page
    assert all(text in page for text in ("2011-09-05", "2011-09-12", "1,234", "0.500", "not known"))


def test_the_same_weeks_give_the_same_picture(weeks: pd.DataFrame) -> None:
    assert picture(weeks, "precision") == picture(weeks, "precision")


def test_the_picture_is_told_in_words(weeks: pd.DataFrame) -> None:
    words = alt_text(weeks, "precision")
    assert "2011-09-05 (age 0): 0.500, 2011-09-12 (age 1): not known." in words
