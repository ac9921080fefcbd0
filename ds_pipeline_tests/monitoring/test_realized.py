"""What logged scores turned out to be worth, by hand."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from pydantic import ValidationError

from ds_pipeline.errors import ScoringError
from ds_pipeline.monitoring.realized import (
    RealizedQuality,
    describe_limits,
    join_outcomes,
    judge_realized,
    realized_quality,
)
from ds_pipeline.use_case.requirements import RealizedQualityLimits

SCORES = pd.DataFrame(
    {
        "customer_token": ["a", "b", "c", "d"], "score": [0.9, 0.7, 0.4, 0.2], "rank": [1, 2, 3, 4],
        "decision": ["campaign", "campaign", "no_action", "no_action"],
    }
)  # fmt: skip
LIMITS = {"metric": "precision_at_top", "share": 0.5, "warn": 0.95, "critical": 0.3}


def labels(treated: str = "", **by_token: int | None) -> pd.DataFrame:
    """One row per token, a null for undecided; treated names the tokens whom a campaign reached."""
    return pd.DataFrame(
        {
            "customer_token": list(by_token),
            "label": pd.array(list(by_token.values()), dtype="Int8"),
            "is_treated": [token in treated for token in by_token],
            "scoring_date": "x",
        }
    )


def outcomes(treated: str = "", **by_token: int | None) -> pd.DataFrame:
    return join_outcomes(SCORES, labels(treated, **by_token), entity="customer_token")


def quality_of(treated: str = "", **by_token: int | None) -> RealizedQuality:
    return realized_quality(outcomes(treated, **by_token))


def limits(**changes: Any) -> RealizedQualityLimits:
    return RealizedQualityLimits.model_validate(LIMITS | changes)


def test_each_number_by_hand() -> None:
    """Positives at ranks 1 and 3: the average precision is (1/1 + 2/3) / 2."""
    quality = quality_of(d=0, c=1, b=0, a=1)

    assert (quality.everyone.rows, quality.everyone.base_rate, quality.everyone.campaign_precision) == (4, 0.5, 0.5)
    assert quality.everyone.average_precision == pytest.approx(5 / 6)
    assert quality.everyone.mean_score == pytest.approx(0.55)
    assert (quality.treated, quality.undecided) == (0, 0)
    assert quality.untreated == quality.everyone


def test_one_class_alone_has_no_average_precision() -> None:
    quality = quality_of(a=1, b=1, c=1, d=1)

    assert quality.everyone.average_precision is None
    assert quality.everyone.campaign_precision == 1.0
    assert "average_precision" not in quality.figures()


def test_a_prediction_without_a_label_is_an_error() -> None:
    with pytest.raises(ScoringError, match="1 of 4 logged predictions have no label"):
        outcomes(a=1, b=0, c=0, stranger=1)


def test_a_few_who_left_the_population_are_left_out_and_counted() -> None:
    """One customer who was merged with another when the source was corrected stopped the monitor for five Mondays."""
    known = labels(a=1, b=0, c=0)

    outcome = join_outcomes(SCORES, known, entity="customer_token", max_lost_share=0.1)
    quality = realized_quality(outcome)

    assert (quality.everyone.rows, quality.undecided, quality.lost) == (3, 0, 1)
    assert quality.figures()["lost"] == 1
    assert quality.in_words.endswith("; 1 are not in the population any more")
    with pytest.raises(ScoringError, match="2 of 4 logged predictions have no label, at most 1 may be without"):
        join_outcomes(SCORES, labels(a=1, b=0), entity="customer_token", max_lost_share=0.1)


def test_the_treated_are_reported_apart_because_the_campaign_changed_what_happened() -> None:
    """a was held back by the campaign. Without a: b, c and d, of whom b is positive and in the campaign."""
    quality = quality_of(treated="a", a=0, b=1, c=0, d=0)

    assert (quality.everyone.campaign_precision, quality.untreated.campaign_precision) == (0.5, 1.0)
    assert (quality.untreated.rows, quality.untreated.base_rate) == (3, pytest.approx(1 / 3))
    assert quality.untreated.mean_score == pytest.approx((0.7 + 0.4 + 0.2) / 3)
    figures = quality.figures()
    assert (figures["treated"], figures["campaign_precision"], figures["campaign_precision_untreated"]) == (1, 0.5, 1.0)


def test_where_nobody_was_treated_no_figure_stands_twice() -> None:
    assert not [name for name in quality_of(a=1, b=0, c=0, d=0).figures() if "untreated" in name]


def test_labels_that_do_not_know_of_a_campaign_mark_nobody() -> None:
    plain = labels(a=1, b=0, c=0, d=0).drop(columns="is_treated")
    unknown = labels(a=1, b=0, c=0, d=0).assign(is_treated=None)

    for unmarked in (plain, unknown):
        assert realized_quality(join_outcomes(SCORES, unmarked, entity="customer_token")).treated == 0


def test_undecided_outcomes_are_counted_and_left_out() -> None:
    quality = quality_of(a=1, b=None, c=0, d=None)

    assert (quality.undecided, quality.everyone.rows, quality.everyone.base_rate) == (2, 2, 0.5)
    assert quality.everyone.campaign_precision == 1.0
    assert quality.everyone.mean_score == pytest.approx((0.9 + 0.4) / 2)


def test_a_week_of_undecided_outcomes_has_no_figures() -> None:
    quality = quality_of(a=None, b=None, c=None, d=None)

    assert quality.figures() == {"rows": 0, "treated": 0, "undecided": 4}


@pytest.mark.parametrize(
    ("happened", "precision", "status"),
    [
        pytest.param({"a": 1, "b": 1}, 1.0, "good", id="above-warn"),
        pytest.param({"a": 1, "b": 0}, 0.5, "warn", id="between"),
        pytest.param({"a": 0, "b": 0}, 0.0, "critical", id="below-critical"),
    ],
)
def test_the_highest_share_is_held_against_the_limits(happened: dict[str, int], precision: float, status: str) -> None:
    verdict = judge_realized([outcomes(**happened, c=0, d=0)], limits())

    assert (verdict.precision, verdict.status, verdict.is_kept) == (precision, status, status == "good")
    assert verdict.in_words == f"{precision:.1%} of the 2 highest-scored were positive: {status}"


@pytest.mark.parametrize(
    ("positive", "warn", "status"),
    [
        pytest.param(4, 0.25, "warn", id="four-of-twenty-four"),  # P(at most 4) = 0.25, where a quarter is asked
        pytest.param(1, 0.25, "warn", id="one"),  # 0.009
        pytest.param(0, 0.25, "critical", id="none"),  # 0.75 ** 24 = 0.001
        pytest.param(2, 0.5, "critical", id="two-where-half-are-asked"),  # 301 / 2 ** 24
    ],
)
def test_what_chance_may_give_of_few_rows_is_no_failure(positive: int, warn: float, status: str) -> None:
    """A list of six people in four weeks was called a failure once in six, though the scores were worth their limit."""
    outcome = join_outcomes(
        pd.concat([SCORES[:1]] * 48, ignore_index=True).assign(
            customer_token=[f"t{n:02d}" for n in range(48)], rank=range(1, 49)
        ),
        labels(**{f"t{n:02d}": int(n < positive) for n in range(48)}),
        entity="customer_token",
    )

    verdict = judge_realized([outcome], limits(warn=warn, critical=0.2))

    assert (verdict.status, verdict.rows) == (status, 24)
    assert verdict.may_be_chance == ("below critical" in verdict.in_words) == (status == "warn")


@pytest.mark.parametrize(("at", "status"), [("warn", "good"), ("critical", "warn")])
def test_a_limit_that_is_just_reached_is_kept(at: str, status: str) -> None:
    changes = {"warn": 0.5, "critical": 0.1} if at == "warn" else {"critical": 0.5}

    assert judge_realized([outcomes(a=1, b=0, c=0, d=0)], limits(**changes)).status == status


def test_the_limits_judge_those_whom_no_campaign_reached() -> None:
    """A campaign that works must not look like a model that fails: a did not leave because it was reached."""
    verdict = judge_realized([outcomes(treated="a", a=0, b=1, c=0, d=0)], limits())

    assert (verdict.precision, verdict.precision_of_everyone, verdict.status) == (1.0, 0.5, "good")
    assert (verdict.rows, verdict.treated) == (1, 1)
    assert verdict.in_words == "100.0% of the 1 highest-scored who were not treated were positive: good"


def test_where_all_of_the_highest_were_treated_nothing_is_passed_over() -> None:
    verdict = judge_realized([outcomes(treated="ab", a=1, b=1, c=0, d=0)], limits())

    assert (verdict.status, verdict.is_kept, verdict.precision, verdict.precision_of_everyone) == (
        "not_assessable", False, None, 1.0,
    )  # fmt: skip
    assert "2 of the highest-scored were treated" in verdict.in_words


def test_weeks_are_judged_together_and_not_before_there_are_enough() -> None:
    good, bad = outcomes(a=1, b=1, c=0, d=0), outcomes(a=0, b=0, c=1, d=1)

    assert judge_realized([good, bad], limits(min_weeks=2)).precision == 0.5
    early = judge_realized([bad], limits(min_weeks=2))
    assert (early.status, early.is_kept) == ("not_judged", True)
    assert judge_realized([], limits()).status == "not_judged"


def test_ranks_stay_as_they_were_given_after_an_erasure() -> None:
    """b was erased: the highest half of four is still ranks 1 and 2."""
    left = outcomes(a=1, b=0, c=0, d=0).query("customer_token != 'b'")

    assert judge_realized([left], limits()).precision == 1.0


def test_the_limits_in_words() -> None:
    assert describe_limits(limits(min_weeks=4)) == (
        "Of the highest-scored 50 % of the 4 newest matured weeks together, as far as no campaign reached them: warns "
        "when fewer than 95 % were positive, fails below 30 %, unless so few rows may come out so by chance."
    )


@pytest.mark.parametrize("changes", [{"critical": 0.95}, {"metric": "recall"}, {"min_weeks": 0}, {"share": 0.0}])
def test_limits_that_contradict_themselves_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        limits(**changes)
