"""Each pair of the benchmark at its smallest: all its sides have the same answer, and what it compares can be told."""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"
sys.path.insert(0, str(BENCH))
try:
    import one_run
    import run
    from comparing import Line, Run
finally:
    sys.path.remove(str(BENCH))


@pytest.mark.parametrize("name", [name for name in run.PAIRS if name != "main_job"])  # a whole run has no tiny size
def test_all_sides_of_a_pair_have_the_same_answer(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCH))
    pair, size, runs = one_run.load(name), one_run.load(name).SIZES["tiny"], {}
    (tmp_path / one_run.DATA).mkdir()
    pair.prepare(tmp_path / one_run.DATA, size)
    for side in pair.SIDES:
        try:
            runs[side] = Run(*one_run.timed(pair, side, tmp_path, size), 1.0)
        except ModuleNotFoundError:
            continue  # polars is for the benchmark alone

    one_run.require_equal(tmp_path / one_run.ANSWERS, exact=pair.EXACT)
    answers = list((tmp_path / one_run.ANSWERS).glob("*.parquet"))
    assert len(answers) == len(runs.keys() - pair.ALONE) >= 2
    assert all(pq.read_metadata(path).num_rows for path in answers)
    assert all(isinstance(line.is_missed, bool) for line in pair.lines(runs, size))


@pytest.mark.parametrize(
    ("other", "says"),
    [
        ({"a": [1, 2], "b": [0.5, 1.0 + 1e-7]}, "differ in b"),
        ({"a": [1, 3], "b": [0.5, 1.0]}, "differ in a"),
        ({"a": [1, 2], "b": [0.5, None]}, "differ in b: missing"),
        ({"a": [1], "b": [0.5]}, "2 and 1 rows"),
        ({"a": [1, 2]}, "other columns"),
    ],
    ids=["float", "whole", "missing", "rows", "columns"],
)
def test_answers_that_differ_are_told(other: dict, says: str, tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": [1, 2], "b": [0.5, 1.0]}), tmp_path / "1.parquet")
    pq.write_table(pa.table(other), tmp_path / "2.parquet")

    with pytest.raises(AssertionError, match=says):
        one_run.require_equal(tmp_path, exact=1e-8)


def test_a_float_may_differ_by_what_the_pair_allows(tmp_path: Path) -> None:
    pq.write_table(pa.table({"b": [0.0, 1.0, None]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"b": [0.0, 1.0 + 1e-9, None]}), tmp_path / "2.parquet")

    one_run.require_equal(tmp_path, exact=1e-8)


@pytest.mark.parametrize(
    ("line", "is_missed"),
    [
        (Line("x", "", "", 19.9, 20, at_least=True), True),
        (Line("x", "", "", 20.0, 20, at_least=True), False),
        (Line("x", "", "", 1.11, 1.1), True),
        (Line("x", "", "", 1.1, 1.1), False),
        (Line("x", "", "", float("nan"), 1.1), True),
        (Line("x", "", "", 5.0), False),
    ],
)
def test_a_target_is_missed_on_its_wrong_side(line: Line, is_missed: bool) -> None:
    assert line.is_missed is is_missed
