"""What is written down is read back as it was, or refused by field."""

from __future__ import annotations

import json

import pytest

from ds_pipeline.errors import EvaluationError
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
