"""The written lists as they are read, and what every entry of them must be."""

import re
from pathlib import Path

import pytest

from tools.ner import material
from tools.ner.material import lines

FILES = sorted(path.stem for path in (Path(material.__file__).parent / "material").glob("*.txt"))


def test_entries_are_the_lines_of_the_file_in_its_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "b_first_order.txt").write_text("Zoë\n a b \nAnn\n", encoding="utf-8")
    monkeypatch.setattr(material, "_FOLDER", tmp_path)

    assert lines("b_first_order") == ("Zoë", " a b ", "Ann")


def test_a_list_that_nobody_wrote_is_an_error() -> None:
    with pytest.raises(FileNotFoundError, match=r"no_such_list\.txt"):
        lines("no_such_list")


@pytest.mark.parametrize("name", FILES)
def test_no_entry_is_empty(name: str) -> None:
    assert lines(name)
    assert all(entry.strip() for entry in lines(name))


def test_every_list_is_asked_for_somewhere() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in Path(material.__file__).parent.glob("*.py"))
    by_culture = {f"{name}_{part}" for name in ("arabic", "indian", "vietnamese") for part in ("first", "last")}

    assert [name for name in FILES if name not in by_culture and not re.search(rf"['\"]{name}['\"]", code)] == []
