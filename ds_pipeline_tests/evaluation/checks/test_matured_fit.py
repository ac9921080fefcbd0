"""Whom another model would name, and how far its scores are."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.evaluation.checks.matured_fit import MaturedFit, agreement, measure_agreement

FIRST, SECOND = date(2011, 3, 7), date(2011, 3, 14)
ROWS = pd.DataFrame(
    {
        "scoring_date": [FIRST] * 4 + [SECOND] * 4,
        "token": list("abcd") * 2,
        "score": [0.9, 0.8, 0.2, 0.1, 0.9, 0.8, 0.2, 0.1],
    },
    index=[8, 7, 6, 5, 4, 3, 2, 1],
)


@pytest.mark.parametrize(
    ("served", "overlap", "change"),
    [
        pytest.param([0.9, 0.8, 0.2, 0.1, 0.9, 0.8, 0.2, 0.1], 1.0, 0.0, id="the-same"),
        pytest.param([0.8, 0.9, 0.1, 0.2, 0.9, 0.8, 0.2, 0.1], 1.0, 0.05, id="in-another-order-above-and-below"),
        pytest.param([0.9, 0.2, 0.8, 0.1, 0.9, 0.8, 0.2, 0.1], 0.75, 0.15, id="one-of-four-is-another"),
        pytest.param([0.1, 0.2, 0.8, 0.9, 0.1, 0.2, 0.8, 0.9], 0.0, 0.7, id="turned-round"),
        pytest.param([0.5] * 8, 1.0, 0.35, id="a-tie-goes-by-the-entity-as-in-a-list"),
    ],
)
def test_the_half_of_each_week_is_compared(served: list[float], overlap: float, change: float) -> None:
    found = agreement(ROWS, np.array(served), entity="token", share=0.5)
    assert found == pytest.approx((overlap, change))


def test_the_order_of_the_rows_does_not_matter() -> None:
    served = pd.Series([0.9, 0.2, 0.8, 0.1, 0.9, 0.8, 0.2, 0.1], index=ROWS.index)
    mixed = ROWS.sample(frac=1, random_state=1)
    found = agreement(mixed, served[mixed.index].to_numpy(), entity="token", share=0.5)
    assert found == pytest.approx((0.75, 0.15))


def fitted(**changes: object) -> MaturedFit:
    said = {
        "judged": "j" * 64, "model": "m" * 64, "again": "m" * 64, "weeks": [FIRST, SECOND], "rows": 1200,
        "positives": 9, "data": "d", "share": 0.1, "overlap": 0.8125, "change": 0.02, "compared": 500,
    }  # fmt: skip
    return MaturedFit.model_validate(said | changes)


def test_a_fit_that_gives_other_bytes_the_second_time_is_two_models() -> None:
    measured = {name: one.value for name, one in measure_agreement(fitted(again="x" * 64)).items()}
    assert measured == {"matured_fit_models": 2, "matured_fit_overlap": 0.8125, "matured_fit_change": 0.02}
    assert measure_agreement(fitted())["matured_fit_models"].value == 1


def test_people_are_told_what_serves_and_what_was_judged() -> None:
    assert fitted().in_words == (
        "refit on 2 matured weeks to 2011-03-14, model mmmmmmmmmmmm; "
        "judged model jjjjjjjjjjjj, 81% of whose list it names"
    )
