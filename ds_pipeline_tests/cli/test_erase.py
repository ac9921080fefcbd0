"""The dialogue of an erasure; what is erased is tested where it is done."""

from __future__ import annotations

import io
import sys
from datetime import date
from pathlib import Path

import pytest

from ds_pipeline.boundary.erasures import Change
from ds_pipeline.cli import erase as dialogue
from ds_pipeline.cli.erase import erase_people, read_ids, resume_erasure
from ds_pipeline.errors import ErasureError
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.workbench import Workbench


def change(dataset: str, *, rows: int = 1, new: str | None = "n") -> Change:
    return Change(dataset=dataset, partition=str(date(2011, 12, 5)), rows=rows, old="o", new=new)


def test_typed_identifiers_come_before_those_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "ids.txt").write_bytes(b"\xef\xbb\xbfb 1\r\n\r\nc\n")

    assert read_ids(["a"], str(tmp_path / "ids.txt")) == ["a", "b 1", "", "c"]
    assert read_ids(["a"], None) == ["a"]


def test_a_dash_is_the_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("\ufeffa\nb"))

    assert read_ids([], "-") == ["a", "b"]


@pytest.mark.parametrize(
    "content", [pytest.param(None, id="missing"), pytest.param(b"caf\xe9\n", id="another-encoding")]
)
def test_a_file_that_cannot_be_read_is_an_error_without_its_path_or_content(
    tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "zarathea.txt"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ErasureError, match="--file: it cannot be read") as error:
        read_ids([], str(path))

    assert "zarathea" not in str(error.value)
    assert "caf" not in str(error.value)


@pytest.mark.parametrize(
    ("dataset", "kind"),
    [
        ("deliveries/campaign_list.csv", "delivered lists"),
        (SCORES, "scores"),
        ("masked/visits/0a1b", "masked/visits"),
        ("features/0a1b", "features"),
    ],
)
def test_what_is_changed_is_told_by_its_kind(dataset: str, kind: str) -> None:
    assert dialogue._kind(dataset) == kind


def test_changes_of_one_kind_are_added_up(capsys: pytest.CaptureFixture[str]) -> None:
    dialogue._show([
        change("masked/visits/a", rows=2), change(SCORES), change("masked/visits/b", rows=1_000, new=None),
    ])  # fmt: skip

    _, *rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows == [
        ["masked/visits", "2", "1,002", "1", "superseded", "or", "of", "another", "key,", "deleted"],
        ["scores", "1", "1"],
    ]


def test_where_nothing_changes_no_table_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    dialogue._show([])

    assert capsys.readouterr().out == ""


def test_a_no_changes_nothing_and_an_identifier_is_never_shown(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(dialogue.typer, "confirm", lambda *_, **__: False)
    before = {path.name for path in bench.project.root.rglob("*")}

    code = erase_people(
        bench, ["Zarathea Wexcombe"], reason="asked for", actor="ann", old_key=None, drop_other_keys=False, yes=False
    )

    said = capsys.readouterr().out
    assert code == dialogue.REFUSED
    assert "shop: 1 person to erase" in said
    assert "1 person not found in any stored table; suppressed all the same." in said
    assert said.endswith("Nothing was changed.\n")
    assert "Zarathea" not in said
    assert {path.name for path in bench.project.root.rglob("*") if path.is_file()} - before == {".lock"}


def test_there_is_nothing_to_resume(bench: Workbench, capsys: pytest.CaptureFixture[str]) -> None:
    assert resume_erasure(bench) == dialogue.DONE
    assert capsys.readouterr().out == "No erasure was interrupted.\n"


def test_an_old_key_is_made_as_the_one_in_use_is(bench: Workbench) -> None:
    secret = bench.project.settings.pseudonym_key
    assert secret is not None

    assert dialogue._old_keys(bench, None) == dialogue._old_keys(bench, "") == []
    assert dialogue._old_keys(bench, secret.get_secret_value()) == [bench.key]
    assert dialogue._old_keys(bench, "another-secret-of-long-ago") != [bench.key]
