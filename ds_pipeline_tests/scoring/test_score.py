"""Ranks, deciles and decisions of one week, by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.errors import ScoringError
from ds_pipeline.scoring.score import Origin, score_week, scores_schema

D = date(2011, 12, 5)
ORIGIN = Origin("v0001", "b" * 64, "f" * 64)


def score(probabilities: list[float], *, top_share: float = 0.5, tokens: list[str] | None = None) -> pd.DataFrame:
    tokens = tokens or [f"t{number:03d}" for number in range(len(probabilities))]
    frame = pd.DataFrame({"scoring_date": [D] * len(tokens), "customer_token": tokens, "visits": 1})
    return score_week(frame, np.array(probabilities), entity="customer_token", top_share=top_share, origin=ORIGIN)


def test_the_highest_score_comes_first_and_ties_are_broken_by_entity() -> None:
    scores = score([0.2, 0.9, 0.2, 0.5], tokens=["d", "c", "a", "b"])

    assert scores["customer_token"].tolist() == ["c", "b", "a", "d"]
    assert scores["score"].tolist() == [0.9, 0.5, 0.2, 0.2]
    assert scores["rank"].tolist() == [1, 2, 3, 4]
    assert scores["decision"].tolist() == ["campaign", "campaign", "no_action", "no_action"]


def test_a_score_leads_back_to_the_version_and_its_features() -> None:
    scores = score([0.1])

    assert scores.to_dict("records") == [
        {
            "scoring_date": D, "customer_token": "t000", "score": 0.1, "rank": 1, "decile": 1, "decision": "campaign",
            "model_version": "v0001", "candidate_digest": "b" * 64, "features_snapshot": "f" * 64,
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("count", "deciles"),
    [
        pytest.param(1, [1], id="one"),
        pytest.param(4, [1, 3, 6, 8], id="fewer-than-ten"),
        pytest.param(20, [one for one in range(1, 11) for _ in range(2)], id="two-each"),
    ],
)
def test_deciles_split_the_ranks_evenly(count: int, deciles: list[int]) -> None:
    assert score([0.5] * count)["decile"].tolist() == deciles


def test_a_tenth_that_is_rounded_up_is_the_first_decile() -> None:
    """1,265 rows: 126.5 is a list of 127, and its last customer was of decile 2."""
    scores = score([0.5] * 1265, top_share=0.1)

    assert scores["decision"].eq("campaign").sum() == 127
    assert scores["decile"].eq(1).sum() == 127
    assert scores.loc[scores["decision"] == "campaign", "decile"].unique().tolist() == [1]
    assert scores["decile"].tolist()[126:128] == [1, 2]
    assert scores["decile"].iloc[-1] == 10


@pytest.mark.parametrize(
    ("count", "top_share", "chosen"),
    [
        pytest.param(15, 0.1, 2, id="rounded-up"),
        pytest.param(3, 0.01, 1, id="at-least-one"),
        pytest.param(20, 0.1, 2, id="exact"),
        pytest.param(100, 0.07, 7, id="exact-but-not-in-floating-point"),
        pytest.param(100, 0.55, 55, id="nor-here"),
        pytest.param(7, 1.0, 7, id="everyone"),
    ],
)
def test_the_campaign_gets_the_top_share_rounded_up(count: int, top_share: float, chosen: int) -> None:
    """Seven hundredths of a hundred were eight: the product is 7.000000000000001."""
    scores = score([0.5] * count, top_share=top_share)

    assert (scores["decision"] == "campaign").tolist() == [True] * chosen + [False] * (count - chosen)


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -0.01, 1.01])
def test_what_is_no_probability_is_refused(bad: float) -> None:
    with pytest.raises(ScoringError, match=r"2 rows: 1 scores are not probabilities\. Nothing was scored"):
        score([0.5, bad])


def test_of_nobody_there_are_no_scores_in_the_same_columns() -> None:
    nobody = score([])

    assert nobody.empty
    assert nobody.columns.tolist() == scores_schema("customer_token").names == score([0.5]).columns.tolist()


def test_the_bounds_are_probabilities() -> None:
    assert score([0.0, 1.0])["score"].tolist() == [1.0, 0.0]
