"""What decides the numbers of an evaluation, and what does not."""

from __future__ import annotations

from typing import Any

import pytest

from ds_pipeline.evaluation.result import measured_as
from ds_pipeline.use_case.requirements import Requirements

LEAKAGE = {"max_single_feature_auc": 0.9, "owner": "ds"}
SHUFFLED = {"permutations": 10, "max_deviations": 4, "seed": 7}
STABILITY = {"seeds": 5, "max_standard_deviation": 0.1, "perturbation": 0.1, "max_score_change": 0.1, "owner": "ds"}


def digest(asked: dict[str, Any], path: str = "", value: object = None) -> str:
    """Of the requirements, with one key changed."""
    full = asked | {"leakage": LEAKAGE | {"shuffled_labels": SHUFFLED}, "stability": STABILITY}

    def changed(tree: dict[str, Any], keys: list[str]) -> dict[str, Any]:
        first, *rest = keys
        return tree | {first: changed(tree[first], rest) if rest else value}

    return measured_as(Requirements.model_validate(changed(full, path.split(".")) if path else full))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("acceptance.at_recall.recall", 0.5),
        ("acceptance.at_top.share", 0.2),
        ("acceptance.calibration.bins", 7),
        ("acceptance.gain.over", "prior"),
        ("baseline.feature", "visits"),
        ("baseline.higher_means_more_likely", False),
        ("holdout.weeks", 4),
        ("bootstrap.seed", 8),
        ("slices.min_support", 60),
        ("leakage.shuffled_labels.permutations", 20),
        ("leakage.shuffled_labels.seed", 8),
        ("stability.seeds", 6),
        ("stability.perturbation", 0.2),
    ],
)
def test_what_decides_the_numbers_changes_the_digest(asked: dict[str, Any], path: str, value: object) -> None:
    assert digest(asked, path, value) != digest(asked)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("acceptance.at_recall.minimum", 0.6),
        ("acceptance.at_recall.owner", "somebody else"),
        ("acceptance.calibration.maximum", 0.2),
        ("data_minimums.training_rows", 501),
        ("monitoring.psi.act", 0.3),
        ("budgets.run_minutes", 11),
        ("leakage.max_single_feature_auc", 0.8),
        ("leakage.shuffled_labels.max_deviations", 3),
        ("leakage.owner", "somebody else"),
        ("stability.max_standard_deviation", 0.2),
        ("stability.max_score_change", 0.2),
        ("stability.owner", "somebody else"),
    ],
)
def test_limits_and_owners_do_not(asked: dict[str, Any], path: str, value: object) -> None:
    assert digest(asked, path, value) == digest(asked)


def test_another_threshold_and_another_name_of_one_change_it(asked: dict[str, Any]) -> None:
    fewer = {name: one for name, one in asked["acceptance"].items() if name != "gain"}

    assert digest(asked, "acceptance", fewer) != digest(asked)
    assert digest(asked, "acceptance", fewer | {"gained": asked["acceptance"]["gain"]}) != digest(asked)
