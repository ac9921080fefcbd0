"""Fairness gates, labels and the truth: where requirements.yaml and problem.yaml have to fit the other files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from ds_pipeline.use_case.load import load_use_case

Change = Callable[[str, str, str], None]
Problems = Callable[[], list[str]]
SOURCES, TRUTH = "sources.yaml", "data/simulated/truth/hazard.parquet"
GATE = """
  fair:
    metric: {metric}
    attribute: {attribute}
    share: {share}
    maximum: 0.05
    bound: point
    owner: crm-analytics
"""


@pytest.fixture
def add_gate(folder: Path, change: Change) -> Callable[..., None]:
    def add(metric: str = "false_positive_rate_difference", attribute: str = "age_band", share: float = 0.1) -> None:
        text = GATE.format(metric=metric, attribute=attribute, share=share)
        change("requirements.yaml", "acceptance:", f"acceptance:{text}")

    return add


@pytest.fixture
def add_truth(folder: Path) -> Callable[..., None]:
    """A truth in problem.yaml, with tables that are all synthetic or not."""

    def add(path: str = TRUTH, *, synthetic: bool = True, table_path: str | None = None) -> None:
        with (folder / "problem.yaml").open("a") as file:
            file.write(f"\ntruth: {{path: {path}, entity: customer_id, scoring_date: day, probability: chance}}\n")
        sources = yaml.safe_load((folder / SOURCES).read_text())
        for table in sources["tables"].values():
            table["synthetic"] = synthetic
            table["path"] = table_path or table["path"]
        (folder / SOURCES).write_text(yaml.safe_dump(sources, sort_keys=False))

    return add


@pytest.mark.parametrize(
    "metric",
    [
        "false_positive_rate_difference",
        "demographic_parity_difference",
        "equalized_odds_difference",
        "calibration_difference",
    ],
)
def test_a_fairness_gate_names_a_protected_attribute(metric: str, folder: Path, add_gate: Callable[..., None]) -> None:
    add_gate(metric)
    assert load_use_case(folder).requirements.acceptance["fair"].metric == metric


def test_an_attribute_that_is_no_feature_is_refused(add_gate: Callable[..., None], problems: Problems) -> None:
    add_gate(attribute="age_bands")
    assert problems() == [
        "requirements.yaml: acceptance.fair.attribute: age_bands is not in features.yaml. Did you mean age_band?"
    ]


def test_an_attribute_that_is_not_protected_is_refused(add_gate: Callable[..., None], problems: Problems) -> None:
    """A gate on an input or a slice would look like one on fairness."""
    add_gate(attribute="region")
    assert problems() == [
        "requirements.yaml: acceptance.fair.attribute: expected a feature with the role protected, region has the role "
        "slice; protected: age_band."
    ]


def test_a_fairness_gate_judges_the_selection_that_is_delivered(
    add_gate: Callable[..., None], problems: Problems
) -> None:
    add_gate(share=0.2)
    assert problems() == [
        "requirements.yaml: acceptance.fair.share: the gate judges the highest 0.2, contract.yaml delivers the highest "
        "0.1 (top_share). Make them equal."
    ]


def test_a_recall_of_the_list_judges_the_list_that_is_delivered(change: Change, problems: Problems) -> None:
    recall = "{metric: recall_at_top, share: 0.3, minimum: 0.1, bound: lower, owner: crm}"
    change("requirements.yaml", "acceptance:", f"acceptance:\n  found: {recall}")
    assert problems() == [
        "requirements.yaml: acceptance.found.share: the gate judges the highest 0.3, contract.yaml delivers the "
        "highest 0.1 (top_share). Make them equal."
    ]


def test_a_gate_cannot_have_the_name_of_the_label_gate(change: Change, problems: Problems) -> None:
    change("requirements.yaml", "  calibration:\n", "  undecided_labels:\n")
    assert problems() == [
        "requirements.yaml: acceptance.undecided_labels: label_quality has a gate of that name. Choose another."
    ]


def test_a_simulated_population_may_have_a_truth(folder: Path, add_truth: Callable[..., None]) -> None:
    add_truth()
    truth = load_use_case(folder).problem.truth
    assert truth is not None
    assert (truth.path, truth.entity, truth.probability) == (TRUTH, "customer_id", "chance")


def test_nobody_knows_the_truth_of_real_people(add_truth: Callable[..., None], problems: Problems) -> None:
    add_truth(synthetic=False)
    assert problems() == [
        "problem.yaml: truth: only a simulated population has a known truth; not synthetic in sources.yaml: customers, "
        "transactions. Remove truth."
    ]


@pytest.mark.parametrize(
    "source",
    [TRUTH, "data/simulated", "data/simulated/truth/*.parquet", "data/**/*.parquet"],
    ids=["the file", "its folder", "a pattern", "a pattern over folders"],
)
def test_the_truth_is_never_a_source(source: str, add_truth: Callable[..., None], problems: Problems) -> None:
    add_truth(table_path=source)
    assert problems() == [
        "problem.yaml: truth.path: sources.yaml reads this file for customers, transactions; the truth is never an "
        "input. Put it elsewhere."
    ]


def test_the_truth_may_lie_in_a_folder_below_the_sources(folder: Path, add_truth: Callable[..., None]) -> None:
    add_truth(table_path="data/simulated/*.parquet")
    assert load_use_case(folder).problem.truth is not None


@pytest.mark.parametrize("path", ["/tmp/truth.parquet", "../truth.parquet"], ids=["absolute", "outside"])
def test_the_truth_lies_in_the_project(path: str, add_truth: Callable[..., None], problems: Problems) -> None:
    add_truth(path)
    assert problems() == ["problem.yaml: truth.path: path must be relative to the project and stay inside it."]
