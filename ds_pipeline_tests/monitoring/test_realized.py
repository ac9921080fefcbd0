"""What logged scores turned out to be worth, by hand."""

from __future__ import annotations

import pandas as pd
import pytest

from ds_pipeline.errors import ScoringError
from ds_pipeline.monitoring.realized import realized_quality

SCORES = pd.DataFrame(
    {
        "customer_token": ["a", "b", "c", "d"], "score": [0.9, 0.7, 0.4, 0.2],
        "decision": ["campaign", "campaign", "no_action", "no_action"],
    }
)  # fmt: skip


def labels(**by_token: int) -> pd.DataFrame:
    return pd.DataFrame({"customer_token": list(by_token), "label": list(by_token.values()), "scoring_date": "x"})


def test_each_number_by_hand() -> None:
    """Positives at ranks 1 and 3: the average precision is (1/1 + 2/3) / 2."""
    quality = realized_quality(SCORES, labels(d=0, c=1, b=0, a=1), entity="customer_token")

    assert (quality.rows, quality.base_rate, quality.campaign_precision) == (4, 0.5, 0.5)
    assert quality.average_precision == pytest.approx(5 / 6)
    assert quality.mean_score == pytest.approx(0.55)


def test_one_class_alone_has_no_average_precision() -> None:
    quality = realized_quality(SCORES, labels(a=1, b=1, c=1, d=1), entity="customer_token")

    assert quality.average_precision is None
    assert quality.campaign_precision == 1.0


def test_a_prediction_without_a_label_is_an_error() -> None:
    with pytest.raises(ScoringError, match="1 of 4 logged predictions have no label"):
        realized_quality(SCORES, labels(a=1, b=0, c=0, stranger=1), entity="customer_token")
