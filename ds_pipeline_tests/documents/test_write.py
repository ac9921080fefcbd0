"""The generated documents that are committed say what the use cases say today, and a stale one is noticed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from ds_pipeline.documents.write import generated_documents, stale_documents, write_documents
from ds_pipeline.project import Project, Settings

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = "docs/use_cases/retail_lapse/contract.md"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one use case and no document."""
    shutil.copytree(ROOT / "configs" / "retail_lapse", tmp_path / "configs" / "retail_lapse")
    return Project(Settings(project=tmp_path))


def test_the_committed_documents_are_current() -> None:
    """`ds-pipeline docs` writes them anew."""
    project = Project(Settings(project=ROOT))

    assert stale_documents(project, generated_documents(project)) == []


def test_each_use_case_has_its_three_documents_in_a_folder_of_its_own(project: Project) -> None:
    folder = "docs/use_cases/retail_lapse"

    assert set(generated_documents(project)) == {
        "data/README.md", CONTRACT, f"{folder}/requirements.md", f"{folder}/data_dictionary.md",
    }  # fmt: skip


def test_thresholds_are_in_the_words_of_the_gates(project: Project) -> None:
    text = generated_documents(project)["docs/use_cases/retail_lapse/requirements.md"]

    assert "| Precision at the cut-off that finds 60 % of all positives |" in text


def test_what_is_missing_or_changed_is_stale_until_it_is_written(project: Project) -> None:
    documents = generated_documents(project)

    assert set(stale_documents(project, documents)) == set(documents)
    assert set(write_documents(project, documents)) == set(documents)
    assert stale_documents(project, documents) == []
    assert write_documents(project, documents) == []

    (project.root / CONTRACT).write_text("agreed by phone")
    assert stale_documents(project, documents) == [CONTRACT]


def test_a_change_in_a_yaml_file_makes_its_document_stale(project: Project) -> None:
    write_documents(project, generated_documents(project))
    path = project.configs / "retail_lapse" / "contract.yaml"
    path.write_text(path.read_text().replace("freshness_hours: 24", "freshness_hours: 12"))

    assert stale_documents(project, generated_documents(project)) == [CONTRACT]


def test_the_folder_of_a_use_case_that_is_gone_is_named(project: Project) -> None:
    documents = generated_documents(project)
    write_documents(project, documents)
    (project.root / "docs" / "use_cases" / "old_case").mkdir()

    assert stale_documents(project, documents) == ["docs/use_cases/old_case (there is no such use case; remove it)"]
