"""Inputs alone against the label: planted leaks are seen and stop a training, honest inputs are let through."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from ds_pipeline.errors import EvaluationError, TrainingError
from ds_pipeline.evaluation.checks.leakage import (
    InputAuc,
    check_inputs,
    require_no_leak,
    single_feature_aucs,
    single_feature_gate,
)
from ds_pipeline.evaluation.checks.material import Check, Checked
from ds_pipeline.evaluation.checks.shuffled import check_shuffled_labels
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.requirements import Leakage
from ds_pipeline_tests.evaluation.checks.made_up import material

ENTITIES, WEEKS = 400, 5
LIMIT = Leakage(max_single_feature_auc=0.9, owner="ds")
NUMBER = {"dtype": "float64", "minimum": 0, "maximum": 1}
RNG = np.random.default_rng(11)
TOKENS = np.repeat([f"t{number:03d}" for number in range(ENTITIES)], WEEKS)
ACTIVITY = RNG.gamma(2.0, 2.0, ENTITIES * WEEKS)
LABEL = (RNG.random(ENTITIES * WEEKS) < 1 / (1 + np.exp(ACTIVITY - 3))).astype(int)
POSITIVE = LABEL == 1


def features_of(**features: dict[str, Any]) -> FeatureSet:
    common = {"unit": "none", "nullable": True, "role": "input", "meaning": "made up"}
    return FeatureSet.model_validate({"features": {name: common | one for name, one in features.items()}})


def auc_of(values: object, feature: dict[str, Any] = NUMBER, label: np.ndarray = LABEL) -> float:
    """Of one input, of 400 entities in five weeks each."""
    rows = pd.DataFrame({"token": TOKENS[: len(label)], "label": label, "x": values})
    (found,) = single_feature_aucs(rows, features_of(x=feature), entity="token")
    assert found.auc is not None
    return found.auc


def leaks() -> dict[str, Any]:
    """Six kinds of leaks, each as values of an input."""
    size = len(LABEL)
    rng = np.random.default_rng(12)
    number = np.arange(size)
    category = pd.Series(
        np.where(number % 5 == 0, number // 50, size + number)
    )  # four in five rows are alone in theirs
    return {
        # Written when the case is closed: filled for all who left, and by mistake for a few who did not.
        "post_outcome_field": np.where(POSITIVE | (rng.random(size) < 0.02), 1.0, np.nan),
        # Purchases of a window that runs on into the horizon.
        "future_aggregate": rng.poisson(2.0, size) + np.where(POSITIVE, 0, 6 + rng.poisson(3.0, size)),
        # The label under another name, a little blurred.
        "label_proxy": LABEL + rng.normal(0, 0.25, size),
        # Numbers are given out anew, from another range, once the outcome is known.
        "number_that_encodes_the_target": rng.integers(100_000, 200_000, size) + 100_000 * LABEL,
        # The mean label of the category, with the row's own label in it.
        "target_encoded_category": pd.Series(LABEL).groupby(category).transform("mean"),
        # The day of the outcome, which only those have who had one.
        "timestamp_of_the_outcome": np.where(POSITIVE, 15_000.0 + rng.integers(0, 400, size), np.nan),
    }


@pytest.mark.parametrize("kind", list(leaks()))
def test_a_planted_leak_is_seen_and_stops_the_training(kind: str) -> None:
    rows = pd.DataFrame({"token": TOKENS, "label": LABEL, "activity": ACTIVITY, kind: leaks()[kind]})

    found = single_feature_aucs(rows, features_of(activity=NUMBER, **{kind: NUMBER}), entity="token")

    assert found[0].input == kind
    assert found[0].auc is not None
    assert found[0].auc >= 0.95
    with pytest.raises(TrainingError, match=rf"{kind} \(AUC (0\.9\d|1\.0).*allows 0\.9 .*take it out.*agree .*with ds"):
        require_no_leak(found, LIMIT)
    measured = single_feature_gate(found)["single_feature_auc"]
    assert (measured.value, measured.note) == (found[0].auc, f"The strongest is {kind}.")


def test_a_category_that_encodes_the_target_is_seen_whatever_its_order() -> None:
    """Even numbers for those who left: the order of the values says nothing, each value says all."""
    values = 2 * (np.arange(len(LABEL)) % 20) + LABEL

    as_string = {"dtype": "string", "categories": [f"c{one:02d}" for one in range(40)]}
    assert auc_of([f"c{one:02d}" for one in values], as_string) >= 0.95
    assert auc_of(values) >= 0.95
    assert roc_auc_score(LABEL, values) < 0.6


def test_a_number_in_a_band_is_seen() -> None:
    """Both ends stay and the middle leaves: no order finds it, bins do."""
    rng = np.random.default_rng(13)
    outside = rng.uniform(0, 0.4, len(LABEL)) + 0.6 * rng.integers(0, 2, len(LABEL))
    assert auc_of(np.where(POSITIVE, rng.uniform(0.45, 0.55, len(LABEL)), outside)) >= 0.95


def test_a_number_whose_parity_is_the_label_is_seen_among_as_many_values_as_a_model_tells_apart() -> None:
    code = 2 * np.random.default_rng(13).integers(0, 120, len(LABEL)) + LABEL
    assert auc_of(code.astype(float)) > 0.95


def test_honest_inputs_pass() -> None:
    rng = np.random.default_rng(14)
    area = np.where(rng.random(len(LABEL)) < 0.5, "N", "SW")
    rows = pd.DataFrame({"token": TOKENS, "label": LABEL, "activity": ACTIVITY, "area": area, "flag": area == "N"})
    features = features_of(activity=NUMBER, area={"dtype": "string", "categories": ["N", "SW"]}, flag={"dtype": "bool"})

    found = single_feature_aucs(rows, features, entity="token")

    aucs = {one.input: one.auc for one in found}
    assert next(iter(aucs)) == "activity"
    assert aucs["activity"] == pytest.approx(1 - roc_auc_score(LABEL, ACTIVITY), abs=0.01)
    assert aucs["area"] == pytest.approx(aucs["flag"]) == pytest.approx(0.5, abs=0.03)
    require_no_leak(found, LIMIT)


def test_an_identifier_gets_nothing_for_being_remembered() -> None:
    """Each entity has one label in all weeks: who knows the number knows the label, but no other one."""
    label = np.repeat(np.random.default_rng(15).integers(0, 2, ENTITIES), WEEKS)
    of_entity = np.repeat(np.random.default_rng(16).permutation(ENTITIES), WEEKS)
    names = [f"c{one:03d}" for one in of_entity[: 250 * WEEKS]]  # a model takes 255 categories at most

    assert auc_of(of_entity, label=label) < 0.6
    assert auc_of(names, {"dtype": "string", "categories": sorted(set(names))}, label[: len(names)]) < 0.6


def test_the_area_is_that_of_scikit_learn_either_way_round() -> None:
    """Ties count half: of the six pairs of a positive and a negative row 4.5 are in order."""
    label = np.array([0, 0, 1, 0, 1])
    values = np.array([1.0, 2.0, 2.0, 3.0, 4.0])

    assert auc_of(values, label=label) == pytest.approx(4.5 / 6) == roc_auc_score(label, values)
    assert auc_of(-values, label=label) == pytest.approx(4.5 / 6)


@pytest.mark.parametrize("sign", [1, -1], ids=["missing-with-the-highest", "missing-with-the-lowest"])
def test_missing_values_stand_where_they_tell_most(sign: int) -> None:
    """Missing like the largest: positives {4, missing}, negatives {1, 2, 3}, no pair out of order."""
    values = sign * np.array([1.0, 2.0, 3.0, 4.0, np.nan])
    assert auc_of(values, label=np.array([0, 0, 0, 1, 1])) == 1.0


@pytest.mark.parametrize("values", [1.0, np.nan, "same"], ids=["constant", "all-missing", "one-category"])
def test_what_is_the_same_for_all_says_nothing(values: object) -> None:
    feature = {"dtype": "string", "categories": ["same"]} if values == "same" else NUMBER
    assert auc_of(np.full(len(LABEL), values), feature) == pytest.approx(0.5)


def test_texts_are_left_out_and_other_roles_as_well() -> None:
    features = features_of(x=NUMBER, words={"dtype": "text", "topics": 2}, age={"dtype": "string", "role": "protected"})
    rows = pd.DataFrame({"token": TOKENS, "label": LABEL, "x": ACTIVITY})

    assert [one.input for one in single_feature_aucs(rows, features, entity="token")] == ["x"]


def test_the_order_of_the_rows_changes_nothing() -> None:
    rows = pd.DataFrame({"token": TOKENS, "label": LABEL, "x": np.round(ACTIVITY)})
    features = features_of(x=NUMBER)

    again = single_feature_aucs(rows.sample(frac=1, random_state=1), features, entity="token")

    assert again == single_feature_aucs(rows, features, entity="token")


def test_the_strongest_on_the_holdout_counts_as_well() -> None:
    """A column that is written back said little in training, and most on the weeks before the source was read."""
    rows = pd.DataFrame({"token": TOKENS, "label": LABEL, "x": ACTIVITY, "late": RNG.random(len(LABEL))})
    features = features_of(x=NUMBER, late=NUMBER)
    asked = SimpleNamespace(
        requirements=SimpleNamespace(leakage=LIMIT), features=features, problem=SimpleNamespace(entity="token")
    )

    checked = check_inputs(material(use_case=asked, trained_on=rows, holdout=rows.assign(late=LABEL)))

    assert {one.input: one.holdout for one in checked.findings["input_aucs"]}["late"] == 1.0
    measured = checked.measurements["single_feature_auc"]
    assert (measured.value, measured.note) == (1.0, "The strongest is late, on the holdout.")


def test_one_class_of_label_or_no_input_is_a_problem_and_stops_the_training() -> None:
    rows = pd.DataFrame({"token": TOKENS, "label": 0, "x": ACTIVITY})
    one_class = single_feature_aucs(rows, features_of(x=NUMBER), entity="token")

    assert one_class == [InputAuc(input="x", auc=None)]
    for found in (one_class, []):
        assert single_feature_gate(found)["single_feature_auc"].problem is not None
        with pytest.raises(TrainingError, match="cannot be ruled out"):
            require_no_leak(found, LIMIT)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(EvaluationError, match="the columns token, x are missing"):
        single_feature_aucs(pd.DataFrame({"label": LABEL}), features_of(x=NUMBER), entity="token")


@pytest.mark.parametrize("check", [check_inputs, check_shuffled_labels])
def test_nothing_is_measured_that_nobody_asks_for(check: Check) -> None:
    assert check(material(use_case=SimpleNamespace(requirements=SimpleNamespace(leakage=None)))) == Checked()
