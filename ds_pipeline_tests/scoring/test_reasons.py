"""The reasons for a score: in the words of features.yaml, with a direction, and never with a value."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from ds_pipeline.model.estimator import calibrate, make_estimator
from ds_pipeline.model.predict import inputs_of
from ds_pipeline.scoring.reasons import (
    ABOVE,
    BELOW,
    NO_MORE,
    TYPICAL,
    UNKNOWN,
    Reason,
    as_columns,
    only_of_logged,
    reasons,
)
from ds_pipeline.use_case.features import FeatureSet

COMMON = {"unit": "x", "nullable": True, "role": "input"}
FEATURES = FeatureSet.model_validate(
    {
        "features": {
            "days": COMMON | {"dtype": "int64", "minimum": 0, "maximum": 90, "meaning": "days since the last visit"},
            "plan": COMMON | {"dtype": "string", "categories": ["gold", "basic"], "meaning": "the plan"},
            "is_new": COMMON | {"dtype": "bool", "meaning": "is new"},
            "note": COMMON | {"dtype": "text", "topics": 2, "meaning": "the last note"},
        }
    }
)
PARAMETERS = {"learning_rate": 0.3, "max_iter": 8, "max_leaf_nodes": 4, "min_samples_leaf": 5}
# Ten bins of days with a tenth of the rows each; seven in ten have the plan gold.
REFERENCE = {
    "days": {"edges": [9, 18, 27, 36, 45, 54, 63, 72, 81], "shares": [0.1] * 10 + [0.0]},
    "plan": {"categories": ["basic", "gold"], "shares": [0.3, 0.7, 0.0, 0.0]},
    "is_new": {"edges": [0.0, 1.0], "shares": [0.9, 0.1, 0.0, 0.0]},
    "note": {"of": "length", "edges": [5.0], "shares": [0.5, 0.5, 0.0]},
}


@pytest.fixture(scope="module")
def model() -> Any:
    rng = np.random.default_rng(2)
    rows = pd.DataFrame({"days": rng.integers(0, 91, 400), "plan": rng.choice(["gold", "basic"], 400)})
    rows = rows.assign(is_new=rng.random(400) < 0.1, note=rng.choice(["good", "bad thing"], 400))
    label = (rows["days"] + 20 * (rows["plan"] == "basic") > 50).astype(int)
    estimator = make_estimator(FEATURES, PARAMETERS, seed=1)
    return calibrate(estimator, method="sigmoid", folds=np.arange(400) % 2).fit(inputs_of(rows, FEATURES), label)


def row(**values: Any) -> pd.DataFrame:
    return pd.DataFrame([{"days": 85, "plan": "gold", "is_new": False, "note": ""} | values])


def first(model: Any, **values: Any) -> Reason:
    return reasons(model, row(**values), FEATURES, reference=REFERENCE)[0][0]


def test_the_strongest_input_comes_first_with_its_direction(model: Any) -> None:
    assert first(model) == Reason("days", "days since the last visit", True, "above other customers")
    assert str(first(model)) == "raises: days since the last visit (above other customers)"
    assert str(first(model, days=3)) == "lowers: days since the last visit (below other customers)"


def band(model: Any, name: str, **values: Any) -> str:
    found = reasons(model, row(**values), FEATURES, reference=REFERENCE)[0]
    return next((one.band for one in found if one.feature == name), "no reason")


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (27, BELOW), (36, BELOW), (37, TYPICAL), (54, TYPICAL), (55, ABOVE), (91, ABOVE), (np.nan, "not known"),
    ],
)  # fmt: skip
def test_a_number_is_compared_with_the_training_rows(model: Any, days: float, expected: str) -> None:
    """The fifth and the sixth bin, a fifth of the rows, are typical."""
    assert band(model, "days", days=days) == expected


def with_contributions(monkeypatch: pytest.MonkeyPatch, **moved: float) -> list[str]:
    """The inputs told of a row whose days are typical, if the inputs moved its score so far."""
    names = FEATURES.of_role("input")
    frame = pd.DataFrame([{name: moved.get(name, 0.0) for name in names}])
    monkeypatch.setattr("ds_pipeline.scoring.reasons.contributions", lambda *_: frame)
    monkeypatch.setattr("ds_pipeline.scoring.reasons.REASONS", 2)
    return [one.feature for one in reasons(None, row(days=50), FEATURES, reference=REFERENCE)[0]]


def test_a_typical_number_gives_way_to_a_difference_of_half_its_weight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list once gave "typical" as the reason where another input told more."""
    assert with_contributions(monkeypatch, days=0.4, plan=-0.9, is_new=0.2) == ["plan", "is_new"]
    assert with_contributions(monkeypatch, days=0.4, plan=-0.9, is_new=0.19) == ["plan", "days"]
    assert with_contributions(monkeypatch, days=0.9, plan=-0.5) == ["days", "plan"]


def test_what_stands_in_brackets_is_not_told(model: Any) -> None:
    told = FEATURES.features["days"].model_copy(update={"meaning": "days since the last visit (90 if none)"})
    changed = FEATURES.model_copy(update={"features": FEATURES.features | {"days": told}})
    assert reasons(model, row(), changed, reference=REFERENCE)[0][0].meaning == "days since the last visit"


def test_categories_flags_and_texts_have_words_of_their_own(model: Any) -> None:
    assert band(model, "plan", plan="gold") == "as for most"
    assert band(model, "plan", plan="basic") == "unlike most"
    assert {band(model, "is_new", is_new=True), band(model, "is_new", is_new=False)} <= {"yes", "no", "no reason"}
    assert band(model, "note", note="bad thing") in ("given", "no reason")


def test_reasons_become_columns_without_a_gap() -> None:
    one = Reason("days", "days away", True, "above other customers")

    found = as_columns([[one], []], pd.Series(["b", "a"]))

    assert found.loc["b"].tolist() == ["raises: days away (above other customers)", NO_MORE, NO_MORE]
    assert found.loc["a"].tolist() == [NO_MORE] * 3
    assert list(found) == [1, 2, 3]
    assert as_columns([], pd.Series([], dtype=object)).empty


def test_reasons_are_those_of_the_score_that_was_recorded_or_unknown() -> None:
    """a has the same score today, b another one, c is not there any more."""
    found = as_columns([[], []], pd.Series(["a", "b"]))
    logged = pd.Series({"c": 0.3, "b": 0.2, "a": 0.1})

    kept = only_of_logged(found, pd.Series({"a": 0.1, "b": 0.25}), logged)

    assert kept.index.tolist() == ["c", "b", "a"]
    assert kept[1].tolist() == [UNKNOWN, UNKNOWN, NO_MORE]
