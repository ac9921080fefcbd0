"""What is written down is read back as it was, or refused by field."""

from __future__ import annotations

import json
from datetime import date

import pytest
from pydantic import Field, ValidationError

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.evaluation.result import Evaluation


def test_the_evaluation_survives_writing_and_reading(evaluated: Evaluation) -> None:
    again = Evaluation.from_json(evaluated.to_json())
    assert again == evaluated
    assert again.digest == evaluated.digest


def test_a_damaged_evaluation_is_refused_by_field(evaluated: Evaluation) -> None:
    content = json.loads(evaluated.to_json())
    content["facts"]["rows"] = "many"
    with pytest.raises(EvaluationError, match=r"facts\.rows"):
        Evaluation.from_json(json.dumps(content).encode())


class Small(Record):
    name: str
    share: float | None = None
    day: date | None = None
    inner: dict[str, list[float]] = Field(default_factory=dict)


def test_a_record_has_one_text_whatever_order_it_was_made_in() -> None:
    one = Small(name="é", share=0.1, day=date(2024, 1, 1))
    other = Small.model_validate({"day": date(2024, 1, 1), "share": 0.1, "name": "é"})

    assert one.to_json() == other.to_json()
    assert one.digest == other.digest
    assert one.digest != Small(name="é", share=0.2, day=date(2024, 1, 1)).digest
    assert Small.from_json(one.to_json()) == one


@pytest.mark.parametrize(
    ("content", "fields"),
    [
        pytest.param(b'{"name": "a", "zzz": 1, "share": "secret"}', "share, zzz", id="two-fields"),
        pytest.param(b'{"name": "a", "inner": {"x": [1, "secret"]}}', "inner.x.1", id="deeper"),
        pytest.param(b"secret", "the whole text", id="no-json"),
        pytest.param(b'{"name": "a", "share": NaN}', "share", id="nan"),
    ],
)
def test_a_text_that_is_no_record_is_refused_by_field_and_without_a_value(content: bytes, fields: str) -> None:
    with pytest.raises(EvaluationError) as error:
        Small.from_json(content)

    assert str(error.value) == f"Not a valid Small: {fields}. Run the evaluation again."
    assert error.value.__suppress_context__


@pytest.mark.parametrize("share", [float("nan"), float("inf")])
def test_a_number_that_is_none_is_not_written_down(share: float) -> None:
    with pytest.raises(ValidationError):
        Small(name="a", share=share)
