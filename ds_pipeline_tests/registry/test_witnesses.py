"""A history that was removed or replaced is missed by whatever names one of its versions."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from ds_pipeline.errors import RegistryError
from ds_pipeline.registry.ledger import Promoted
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
    ledger = bench.ledger.folder.rename(bench.ledger.folder.with_name("aside"))
    put_in_force(bench, None, as_of=date(2011, 11, 28))
    ledger.rename(bench.ledger.folder)

    with pytest.raises(RegistryError, match=r"history/000001\.json is not there as it was made; known: v0001"):
        bench.registry.history()


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
