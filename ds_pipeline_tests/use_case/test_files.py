"""Files as bytes, text and models; what is wrong is collected with the line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import Field

from ds_pipeline.use_case.files import decode, read_bytes, read_model
from ds_pipeline.use_case.model import FileModel

LABEL = "configs/x/a.yaml"


class Simple(FileModel):
    name: str
    more: dict[str, Any] = Field(default_factory=dict)


def read(content: bytes | None) -> tuple[Simple | None, list[str]]:
    problems = ["an earlier one"]
    found = read_model(content, Simple, label=LABEL, problems=problems)
    assert problems[0] == "an earlier one"
    return found, problems[1:]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"name: a", id="plain"),
        pytest.param(b"\xef\xbb\xbfname: a", id="byte-order-mark"),
        pytest.param(b"name: a\r\n", id="line-ends-of-windows"),
        pytest.param(b"# x\n---\nname: a\n", id="comment"),
    ],
)
def test_a_file_becomes_its_model(content: bytes) -> None:
    assert read(content) == (Simple(name="a"), [])


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"name: a\nname: b", ":2: not valid YAML: the key 'name' is there twice.", id="twice"),
        pytest.param(b"name: a\nmore:\n  b: 1\n  b: 2", ":4: not valid YAML: the key 'b' is there twice.", id="deeper"),
        pytest.param(b"name: a\nmore: {no: 1}", ":2: not valid YAML: the key False is not text; put it in quotes.",
                     id="bare-no"),
        pytest.param(b"name: [a\nmore: 1", ":2: not valid YAML: ", id="open-bracket"),
        pytest.param(b"name: a\n\tmore: b", ":2: not valid YAML: ", id="tab"),
        pytest.param(b"name: 2011-02-30", ": not valid YAML: day is out of range for month.", id="no-such-day"),
        pytest.param(b"more: &a {b: *a}\nname: x", ":1: not valid YAML: ", id="contains-itself"),
        pytest.param(b"name: \xff", ": byte 6 is not UTF-8. Save the file as UTF-8.", id="no-utf-8"),
        pytest.param(b"nmae: a", ": name: missing key. Add it.", id="no-model"),
        pytest.param(b"", ": the file is empty.", id="empty"),
        pytest.param(b"name: !!python/object:os.system {}", ":1: not valid YAML: ", id="no-objects"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_named_with_file_and_line(content: bytes, problem: str) -> None:
    found, problems = read(content)

    assert found is None
    assert problems[0].startswith(LABEL + problem)


def test_a_merged_mapping_may_be_overridden() -> None:
    """A key that << takes over and that is said anew was called twice, in the line of the anchor."""
    found, problems = read(b"name: a\nmore:\n  base: &b {x: 1, y: 1}\n  other: {<<: *b, y: 2}")

    assert problems == []
    assert found is not None
    assert found.more["other"] == {"x": 1, "y": 2}


def test_a_file_that_could_not_be_read_adds_no_second_problem() -> None:
    assert read(None) == (None, [])


def test_a_missing_file_and_a_folder_are_said_without_their_path(tmp_path: Path) -> None:
    problems: list[str] = []

    def read_file(file: str) -> bytes:
        return (tmp_path / file).read_bytes()

    assert read_bytes(read_file, "a.yaml", label="configs/x/a.yaml", problems=problems) is None
    assert read_bytes(read_file, ".", label="configs/x", problems=problems) is None

    assert problems[0] == "configs/x/a.yaml: missing. Add the file; configs/retail_lapse has an example of each."
    assert problems[1].startswith("configs/x: cannot be read: ")
    assert not any(str(tmp_path) in problem for problem in problems)


def test_a_file_that_a_dictionary_lacks_is_missing_and_one_it_has_is_read_as_it_is() -> None:
    problems: list[str] = []
    files = {"a": b"\xff\r\n"}

    assert read_bytes(files.__getitem__, "a", label="a", problems=problems) == b"\xff\r\n"
    assert problems == []
    assert read_bytes(files.__getitem__, "b", label="b", problems=problems) is None
    assert problems[0].startswith("b: missing.")


def test_text_loses_its_byte_order_mark_alone() -> None:
    assert decode("\ufeffa\r\né".encode(), label="a", problems=[]) == "a\r\né"
