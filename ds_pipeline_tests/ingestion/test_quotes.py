"""The first broken quote of a file, against a reader that goes from character to character."""

from __future__ import annotations

import io
import random

import pytest

from ds_pipeline.ingestion import quotes
from ds_pipeline.ingestion.quotes import QuoteFault, find_quote_fault


def fault_in(text: str | bytes, *, delimiter: str = ",", encoding: str = "utf-8") -> QuoteFault | None:
    content = text.encode(encoding) if isinstance(text, str) else text
    return find_quote_fault(lambda: io.BytesIO(content), delimiter=delimiter, encoding=encoding)


def by_character(text: str) -> QuoteFault | None:
    """What a quote means is decided by the character before it and, inside a cell, by the one behind it."""
    inside, opened, place = False, 0, 0
    while place < len(text):
        before, after = text[place - 1 : place] or "\n", text[place + 1 : place + 2] or "\n"
        if text[place] == '"' and not inside and before in ",\n":
            inside, opened = True, place
        elif text[place] == '"' and inside and after == '"':
            place += 1
        elif text[place] == '"' and inside:
            if after not in ",\n":
                return QuoteFault(1 + text.count("\n", 0, opened), 1 + text.count("\n", 0, place))
            inside = False
        place += 1
    return QuoteFault(1 + text.count("\n", 0, opened), None) if inside else None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        pytest.param("", None, id="nothing"),
        pytest.param("a,b\n1,2\n", None, id="no-quote"),
        pytest.param('"', QuoteFault(1, None), id="alone"),
        pytest.param('""', None, id="empty-cell"),
        pytest.param('"""', QuoteFault(1, None), id="three"),
        pytest.param('""""', None, id="a-quote-in-quotes"),
        pytest.param('a\n"b,c\nd",e\n', None, id="separators-inside"),
        pytest.param('5",a\n', None, id="a-character-like-any-other"),
        pytest.param('5","a"\n', None, id="beside-a-quoted-cell"),
        pytest.param('a\n"b" c\n', QuoteFault(2, 2), id="text-behind"),
        pytest.param('a\n"b\n\nc"d\n', QuoteFault(2, 4), id="text-behind-some-lines-on"),
        pytest.param('a\n"b\nc\n', QuoteFault(2, None), id="never-closed"),
        pytest.param('"a"\r\n"b"\r\n', None, id="line-ends-of-windows"),
        pytest.param('a\r\r"b\rc', QuoteFault(3, None), id="line-ends-of-old"),
    ],
)
def test_a_quoted_cell_begins_behind_a_separator_and_ends_before_one(text: str, fault: QuoteFault | None) -> None:
    assert fault_in(text) == fault


def test_the_delimiter_is_the_one_of_the_file() -> None:
    assert fault_in('a;"b;c";d', delimiter=";") is None
    assert fault_in('a;"b";c', delimiter=",") is None  # one cell, which does not begin with a quote
    assert fault_in('"a";b', delimiter=",") == QuoteFault(1, 1)


@pytest.mark.parametrize("chunk", [1, 2, 3, 1 << 22])
def test_wherever_a_piece_ends_the_fault_is_the_one_a_slow_reader_finds(
    chunk: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotes, "CHUNK", chunk)
    draw = random.Random(5)
    texts = ["".join(draw.choices('"",\nx', k=draw.randrange(14))) for _ in range(1_500)]

    assert [fault_in(text) for text in texts] == [by_character(text) for text in texts]
    assert len({by_character(text) for text in texts}) > 10


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252", "latin-1"])
@pytest.mark.parametrize("chunk", [1, 3, 1 << 22])
def test_lines_are_counted_in_any_encoding(encoding: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quotes, "CHUNK", chunk)

    assert fault_in('ä,ö\n"ü\nß" x\n', encoding=encoding) == QuoteFault(2, 3)


def test_a_byte_order_mark_is_no_character_before_the_first_quote() -> None:
    assert fault_in(b'\xef\xbb\xbf"a,b"\n') is None
    assert fault_in(b'\xef\xbb\xbf"a,b\n') == QuoteFault(1, None)


def test_bytes_that_the_encoding_does_not_have_are_an_error() -> None:
    with pytest.raises(UnicodeError):
        fault_in(b'a\n"\x81', encoding="cp1252")
