"""What is planned, what is found after an interruption, and which candidates an erasure is about."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ds_pipeline.boundary.erasures import Affected, Change, Erasure, PendingFile, affecting, merged
from ds_pipeline.errors import ErasureError

AT = datetime(2011, 12, 5, 9, 0, tzinfo=UTC)


def change(old: str, new: str | None, rows: int = 1) -> Change:
    return Change(dataset="scores", partition="2011-12-05", rows=rows, old=old, new=new)


def erasure(number: int, *candidates: str) -> Erasure:
    affected = [
        Affected(candidate=one, as_of=date(2011, 12, 5), version=None, rows=1, cause="made up") for one in candidates
    ]
    return Erasure(
        use_case="shop", number=number, actor="ann", reason="asked", at=AT, previous=None, request="r", people=1,
        found=1, listed=1, changes=[change("a", "b", 2), change("c", None, 3)], affected=affected,
    )  # fmt: skip


def test_a_file_that_was_rewritten_before_the_interruption_keeps_its_new_digest() -> None:
    assert merged([change("a", "b")], [change("a", None, rows=9), change("c", None)]) == [
        change("a", "b"),
        change("c", None),
    ]


def test_the_rows_of_an_erasure_are_those_of_its_files() -> None:
    assert erasure(1).rows == 5


def test_only_the_erasures_that_touched_a_candidate_are_about_it() -> None:
    done = [erasure(1, "x"), erasure(2, "y"), erasure(3, "y", "x")]

    assert [one.number for one in affecting(done, "x")] == [1, 3]
    assert affecting(done, "z") == []


def test_a_damaged_note_of_what_is_to_be_done_is_no_finished_erasure(tmp_path: Path) -> None:
    file = PendingFile(tmp_path)
    assert file.find() is None
    file.path.write_text('{"tokens": ["abc"]}')
    with pytest.raises(ErasureError, match=r"pending\.json: damaged") as error:
        file.find()
    assert "abc" not in str(error.value)
    assert error.value.__suppress_context__
