"""What was found is remembered by engine and text, in bounded memory."""

import pytest

from ds_pipeline.masking.reading.spans import Found
from ds_pipeline.masking.text import remembered as module
from ds_pipeline.masking.text.remembered import remembered

SPAN = [Found(0, 1, 1.0, "PERSON")]


class Finder:
    def __init__(self) -> None:
        self.asked: list[list[str]] = []

    def __call__(self, texts: list[str]) -> list[list[Found]]:
        self.asked.append(texts)
        return [SPAN if text.startswith("A") else [] for text in texts]


@pytest.fixture
def find() -> Finder:
    return Finder()


def test_a_text_is_looked_at_once(find):
    assert remembered("x", ["Anna", "b"], find) == [SPAN, []]
    assert remembered("x", ["c", "Anna", "b"], find) == [[], SPAN, []]
    assert find.asked == [["Anna", "b"], ["c"]]


def test_another_engine_looks_again(find):
    remembered("x", ["Anna"], find)
    remembered("y", ["Anna"], find)
    assert find.asked == [["Anna"], ["Anna"]]


def test_the_text_asked_for_longest_ago_is_forgotten(find, monkeypatch):
    monkeypatch.setattr(module, "_MOST_TEXTS", 2)
    for text in ["a", "b", "a", "c", "a", "b"]:
        remembered("x", [text], find)
    assert find.asked == [["a"], ["b"], ["c"], ["b"]]


def test_long_texts_are_not_remembered(find):
    long = "a" * 2_001
    remembered("x", [long], find)
    remembered("x", [long], find)
    assert find.asked == [[long], [long]]
    assert not module._known


def test_texts_are_not_kept(find):
    remembered("x", ["Anna \ud800"], find)
    assert [type(key) for key in module._known] == [bytes]


def test_spans_come_back_as_they_were_found():
    spans = [Found(0, 4, 0.85, "PERSON"), Found(5, 2_000, 0.1 + 0.2, "EMAIL"), Found(7, 9, 1.0, "PERSON")]
    for _ in range(2):
        assert remembered("x", ["spans"], lambda _: [spans]) == [spans]
