"""What the files say is signed before anything is trained, and must stand until the verdict."""

from __future__ import annotations

from datetime import date

import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import EvaluationError, TrainingError
from ds_pipeline.registry.ledger import Declared
from ds_pipeline.training.declare import declare, facts_of, require_as_on_disk
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import lay_down

DAY = date(2011, 12, 5)


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    return lay_down(bench)


def edit(bench: Workbench, name: str, content: bytes = b"# another\n") -> None:
    (bench.project.configs / bench.use_case.name / name).write_bytes(content)


def test_a_declaration_holds_the_digests_from_before_the_training(bench: Workbench) -> None:
    facts = facts_of(declare(bench, DAY))
    (entry,) = bench.ledger.entries(known={})
    assert isinstance(entry.says, Declared)
    assert facts == {
        "declared": 1,
        "requirements": bench.use_case.requirements_digest,
        "use_case": bench.use_case.digest,
    }
    assert entry.says.files["label.sql"] == digest_bytes(bench.use_case.files["label.sql"])


@pytest.mark.parametrize("name", ["requirements.yaml", "label.sql", "features/new.sql"])
def test_nothing_is_trained_under_files_that_were_edited_since_the_run_began(bench: Workbench, name: str) -> None:
    edit(bench, name)
    with pytest.raises(TrainingError, match=f"configs/shop: {name} changed while this run was at work"):
        declare(bench, DAY)
    assert bench.ledger.entries(known={}) == []


def test_a_file_that_was_removed_is_a_change(bench: Workbench) -> None:
    (bench.project.configs / "shop" / "contract.yaml").unlink()
    with pytest.raises(EvaluationError, match=r"contract.yaml changed"):
        require_as_on_disk(bench, EvaluationError)


def test_a_note_beside_the_files_is_no_change(bench: Workbench) -> None:
    edit(bench, "README.md")
    require_as_on_disk(bench, EvaluationError)
