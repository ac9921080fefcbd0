"""What features.yaml may declare of a text, and which names are taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from ds_pipeline.use_case.features import FeatureSet

TEXT = {"dtype": "text", "unit": "words", "nullable": True, "meaning": "made up", "role": "input", "topics": 4}
NUMBER = {"dtype": "int64", "unit": "x", "nullable": True, "meaning": "made up", "role": "input"} | {
    "minimum": 0, "maximum": 9
}  # fmt: skip


def declare(**features: dict[str, Any]) -> FeatureSet:
    return FeatureSet.model_validate({"features": features})


def test_a_text_is_an_input_with_topics() -> None:
    features = declare(visits=NUMBER, last_ticket=TEXT)

    assert features.of_role("input") == ["visits", "last_ticket"]
    assert features.inputs_of("text") == ["last_ticket"]
    assert features.features["last_ticket"].holds_text
    assert not features.features["visits"].holds_text


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"topics": None}, "topics is for dtype: text, and is needed there", id="without-topics"),
        pytest.param({"role": "slice"}, "a text is an input", id="slice"),
        pytest.param({"role": "protected"}, "a text is an input", id="protected"),
        pytest.param({"categories": ["a"]}, "categories are for strings", id="categories"),
        pytest.param({"minimum": 0}, "minimum and maximum are for numbers, not text", id="range"),
    ],
)
def test_a_text_that_makes_no_sense_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        declare(last_ticket=TEXT | change)


def test_topics_are_for_texts_alone() -> None:
    with pytest.raises(ValidationError, match="topics is for dtype: text"):
        declare(visits=NUMBER | {"topics": 4})


@pytest.mark.parametrize("name", ["label", "decided_by", "is_treated", "scoring_date"])
def test_a_feature_has_no_name_of_a_column_of_the_labels(name: str) -> None:
    with pytest.raises(ValidationError, match=f"{name}: the name of a column of the labels"):
        declare(visits=NUMBER, **{name: NUMBER})


@pytest.mark.parametrize("name", ["score", "champion", "baseline", "rank", "decile", "decision", "logistic_regression"])
def test_a_feature_has_no_name_of_a_column_of_the_scores(name: str) -> None:
    """A bureau's score was promoted and delivered; then no drift could be computed."""
    with pytest.raises(ValidationError, match=f"{name}: the name of a column of the scores"):
        declare(visits=NUMBER, **{name: NUMBER})


@pytest.mark.parametrize("role", ["input", "slice"])
def test_an_input_has_as_many_categories_as_a_model_takes(role: str) -> None:
    """check was content, and the run ended in a stack trace of scikit-learn."""
    text = {"dtype": "string", "unit": "x", "nullable": True, "meaning": "made up", "role": role}
    declare(visits=NUMBER, product=text | {"categories": [f"k{number}" for number in range(255)]})
    many = text | {"categories": [f"k{number}" for number in range(256)]}
    if role == "slice":
        declare(visits=NUMBER, product=many)
        return

    with pytest.raises(ValidationError, match="256 categories; a model takes 255 at most"):
        declare(visits=NUMBER, product=many)


def test_labels_may_say_how_they_were_decided_and_who_was_treated(
    folder: Any, change: Callable[[str, str, str], None]
) -> None:
    from ds_pipeline.use_case.load import load_use_case

    change("label.sql", "::int as label", "::int as label, 'on record' as decided_by, false as is_treated")

    assert load_use_case(folder).label_sql.count("is_treated") == 1


@pytest.mark.parametrize(
    ("column", "message"),
    [
        pytest.param(", 1 as decided_by", "label.sql: decided_by must be a VARCHAR; found INTEGER.", id="number"),
        pytest.param(", 'yes' as is_treated", "label.sql: is_treated must be a BOOLEAN; found VARCHAR.", id="text"),
        pytest.param(", 1 as why", "label.sql: expected the columns customer_token and label (and, if", id="unknown"),
    ],
)
def test_what_labels_say_beside_has_its_type(
    change: Callable[[str, str, str], None], problems: Callable[[], list[str]], column: str, message: str
) -> None:
    change("label.sql", "::int as label", f"::int as label{column}")

    assert any(text.startswith(message) for text in problems())


def test_treated_rows_can_only_be_excluded_where_labels_know_them(
    change: Callable[[str, str, str], None], problems: Callable[[], list[str]]
) -> None:
    change("training.yaml", "validation_weeks:", "treated: exclude\nvalidation_weeks:")

    assert problems() == ["training.yaml: treated: exclude needs label.sql to say who was, as is_treated."]
