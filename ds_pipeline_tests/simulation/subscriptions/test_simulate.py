"""Claims about the files that are written."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from ds_pipeline.errors import SourceError, StoreError
from ds_pipeline.simulation.subscriptions.blocks import BLOCK
from ds_pipeline.simulation.subscriptions.simulate import simulate
from ds_pipeline.simulation.subscriptions.tables import SCHEMAS, TRUTH, path_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("simulated")
    simulate(folder, 120, 16, 9)
    return folder


def test_the_same_seed_gives_the_same_bytes(folder: Path, tmp_path: Path):
    simulate(tmp_path, 120, 16, 9)
    assert all(path_of(tmp_path, name).read_bytes() == path_of(folder, name).read_bytes() for name in SCHEMAS)


def test_files_say_that_nobody_exists_and_what_made_them(folder: Path):
    for name in SCHEMAS:
        metadata = pq.read_schema(path_of(folder, name)).metadata
        assert metadata[b"synthetic"] == b"true"
        assert metadata[b"data_class"] == b"public"
        assert (metadata[b"seed"], metadata[b"users"], metadata[b"weeks"]) == (b"9", b"120", b"16")


def test_the_truth_lies_apart_and_no_source_holds_a_part_of_it(folder: Path):
    assert path_of(folder, TRUTH) == folder / "truth" / "hazard.parquet"
    hidden = {"cancel_probability_30d", "cancelled_within_30d", "is_in_scope", "mood", "_host"}
    for name in set(SCHEMAS) - {TRUTH}:
        assert not hidden & set(pq.read_schema(path_of(folder, name)).names)
    identifying = {"full_name", "email", "phone", "gender", "birth_date"}
    assert not identifying & set(pq.read_schema(path_of(folder, TRUTH)).names)


def test_the_summary_says_what_is_in_the_files(tmp_path: Path):
    made = simulate(tmp_path, 400, 26, 9)
    assert made.rows == {name: pq.read_metadata(path_of(tmp_path, name)).num_rows for name in SCHEMAS}
    assert made.price_rises == (date(2025, 6, 2), date(2025, 11, 24))
    assert (made.first, made.end) == (date(2025, 8, 18), date(2026, 2, 9))
    truth = pq.read_table(path_of(tmp_path, TRUTH))
    judged = truth.filter(pc.and_(truth["is_in_scope"], pc.is_valid(truth["cancelled_within_30d"])))
    assert made.base_rate == pytest.approx(pc.mean(judged["cancelled_within_30d"]).as_py())
    assert list(made.base_rate_by_quarter) == ["2025Q3", "2025Q4", "2026Q1"]
    assert made.megabytes == pytest.approx(sum(path.stat().st_size for path in tmp_path.rglob("*.parquet")) / 1e6)


def test_each_block_is_a_row_group_of_its_own(tmp_path: Path):
    simulate(tmp_path, BLOCK + 1, 12, 9)
    assert pq.read_metadata(path_of(tmp_path, "users")).num_row_groups == 2


def test_an_earlier_simulation_is_replaced_and_nothing_else_is_left(tmp_path: Path):
    simulate(tmp_path, 50, 12, 1)
    simulate(tmp_path, 20, 12, 1)
    assert pq.read_metadata(path_of(tmp_path, "users")).num_rows < 50
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.parquet" for name in SCHEMAS if name != TRUTH} | {
        TRUTH
    }


@pytest.mark.parametrize(
    ("users", "weeks", "seed", "said"),
    [
        pytest.param(0, 104, 1, "users: expected 1 to 50,000,000, found 0", id="nobody"),
        pytest.param(10, 3, 1, "weeks: expected 12 to 520, found 3", id="too-short"),
        pytest.param(10, 104, -1, "seed: expected 0 to 4,294,967,295, found -1", id="negative-seed"),
    ],
)
def test_sizes_out_of_range_are_refused_before_anything_is_written(
    tmp_path: Path, users: int, weeks: int, seed: int, said: str
):
    with pytest.raises(SourceError, match=said):
        simulate(tmp_path / "new", users, weeks, seed)
    assert not (tmp_path / "new").exists()


def test_a_folder_that_cannot_be_written_is_an_error_with_a_reason(tmp_path: Path):
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(StoreError, match=r"cannot be written: .+\. Check free space"):
        simulate(tmp_path / "taken", 10, 12, 1)
