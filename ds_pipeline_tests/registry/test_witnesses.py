"""A history that was removed or replaced is missed by whatever names one of its versions."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from ds_pipeline.errors import RegistryError
from ds_pipeline.promotion.promote import roll_back
from ds_pipeline.registry.ledger import Promoted, Superseded
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.store.snapshots import encode
from ds_pipeline.workbench import Workbench, now
from ds_pipeline_tests.workbenches import lay_down, put_in_force

DAY = date(2011, 12, 5)
NONE = r"names v0001, but .*known: no version\. .* Restore registry/ of the use case from a backup"


def note_in_ledger(bench: Workbench) -> None:
    (event,) = bench.registry.history()
    says = Promoted(event=event.number, digest=event.digest, version=event.version)
    bench.ledger.add(says, as_of=DAY, actor="ann", reason="all gates passed", at=now(), known={})


def replaced(before: str, after: str) -> Callable[[Workbench], None]:
    """The scores of a date were replaced: both versions were in force."""

    def note(bench: Workbench) -> None:
        says = Superseded(before=before, after=after, scores_before="a" * 64, scores_after="b" * 64)
        bench.ledger.add(says, as_of=DAY, actor="ann", reason="upside down", at=now(), known={})

    return note


def score(bench: Workbench) -> None:
    rows = pa.table({"customer_token": ["a"], "score": [0.5]})
    bench.datasets.store.put(rows, dataset=SCORES, partition=str(DAY), info={"model_version": "v0001"})


def list_in(kind: str) -> Callable[[Workbench], None]:
    def write(bench: Workbench) -> None:
        path = bench.delivery_paths(DAY)[0].with_suffix(f".{kind}")
        path.parent.mkdir(parents=True)
        column = next(name for name, one in bench.use_case.contract.columns.items() if one.origin == "model_version")
        rows = pa.table({"rank": [1], column: ["v0001"]})
        path.write_bytes(encode(rows) if kind == "parquet" else rows.to_pandas().to_csv(index=False).encode())

    return write


@pytest.mark.parametrize(
    ("leave", "where"),
    [
        pytest.param(note_in_ledger, r"ledger/000001\.json", id="ledger"),
        pytest.param(score, "the prediction log of 2011-12-05", id="log"),
        pytest.param(list_in("csv"), r"the list campaign_list\.csv of 2011-12-05", id="csv"),
        pytest.param(list_in("parquet"), r"the list campaign_list\.parquet of 2011-12-05", id="parquet"),
    ],
)
def test_a_history_that_is_gone_is_missed_by_each_alone(
    bench: Workbench, leave: Callable[[Workbench], None], where: str
) -> None:
    put_in_force(lay_down(bench), None, as_of=DAY)
    leave(bench)
    assert bench.registry.champion() is not None

    shutil.rmtree(bench.registry.root)

    with pytest.raises(RegistryError, match=f"{where} {NONE}"):
        bench.registry.champion()
    assert bench.registry.verify()[0].status != "ok"


def test_a_history_that_was_replaced_by_another_is_missed_by_the_ledger(bench: Workbench) -> None:
    put_in_force(lay_down(bench), None, as_of=DAY)
    note_in_ledger(bench)
    shutil.rmtree(bench.registry.root)
    paths = (bench.ledger.folder, bench.ledger.newest_path)
    aside = [path.rename(path.with_name(f"aside-{path.name}")) for path in paths]
    put_in_force(bench, None, as_of=date(2011, 11, 28))
    for path, kept in zip(paths, aside, strict=True):
        kept.rename(path)

    with pytest.raises(RegistryError, match=r"history/000001\.json is not there as it was made; known: v0001"):
        bench.registry.history()


@pytest.mark.parametrize("versions", [("v0002", "v0001"), ("v0001", "v0002")], ids=["before", "after"])
def test_scores_that_were_replaced_tell_of_both_versions(bench: Workbench, versions: tuple[str, str]) -> None:
    put_in_force(lay_down(bench), None, as_of=DAY)
    replaced(*versions)(bench)

    with pytest.raises(RegistryError, match=r"ledger/000001\.json names v0002, but the history lacks it"):
        bench.registry.champion()


def test_a_rollback_is_not_undone_by_removing_it_from_history_and_ledger(bench: Workbench) -> None:
    """The entry was the last one, so the rest of the chain was whole; the note of the newest knows of it."""
    put_in_force(lay_down(bench), None, as_of=DAY)
    put_in_force(bench, None, as_of=DAY, candidate="second")
    roll_back(bench, None, actor="ann", reason="complaints")
    assert [event.version for event in bench.registry.history()] == ["v0001", "v0002", "v0001"]

    (bench.registry.root / "history" / "000003.json").unlink()
    (bench.registry.root / "versions" / "v0001" / "receipts" / "000003.json").unlink()
    (bench.ledger.folder / "000003.json").unlink()

    with pytest.raises(RegistryError, match=r"ledger/: 000003\.json is missing, but was made\. .* from a backup"):
        bench.registry.champion()


def test_what_is_damaged_or_not_a_list_of_ours_leaves_the_others_to_tell(bench: Workbench, tmp_path: Path) -> None:
    put_in_force(lay_down(bench), None, as_of=DAY)
    score(bench)
    folder = bench.delivery_paths(DAY)[0].parent
    folder.mkdir(parents=True)
    for name, content in {"csv": b"\xff", "parquet": b"PAR", "txt": b"v0009"}.items():
        (folder / f"campaign_list.{name}").write_bytes(content)
    assert bench.registry.champion() is not None

    shutil.rmtree(bench.registry.root)

    with pytest.raises(RegistryError, match="the prediction log of 2011-12-05"):
        bench.registry.champion()
