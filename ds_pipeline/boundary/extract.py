"""The texts in the bytes of a file that is no table: a page, a log, a document, a pickled model, a database.

Nothing is unpickled and no script is run: strings are cut out of the bytes.
"""

from __future__ import annotations

import html
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path

PICKLES = (".joblib", ".pkl", ".pickle")
DATABASES = (".db", ".sqlite")
_PICTURE = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]+")
_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_TAG = re.compile(r"<[^<>]*>")
_BLOCK = re.compile(  # what stands in different ones was never one number
    r"</?(?:td|th|tr|table|caption|p|li|ul|ol|dl|dt|dd|h[1-6]|div|section|article|figure|figcaption|summary|details|pre)"
    r"\b[^<>]*>",
    re.IGNORECASE,
)
_PRINTED = re.compile(rb"[\x20-\x7e\x80-\xf4]{6,}")  # ASCII, and the bytes that make up other letters in UTF-8
_WIDE = re.compile(rb"(?:[\x20-\x7e]\x00\x00\x00){2,}")  # a NumPy array of strings
# The opcodes of a pickle that are followed by a text: its length in one, four or eight bytes, and the text.
_LENGTH_BYTES = {b"\x8c": 1, b"X": 4, b"\x8d": 8, b"U": 1, b"T": 4}
_OPCODE = re.compile(b"[" + re.escape(b"".join(_LENGTH_BYTES)) + b"]")
_LONGEST = 1_000_000


def texts_in(name: str, content: bytes) -> list[str]:
    """The distinct texts of a file, by the ending of its name; what is no page and no pickle is one text."""
    if name.endswith(PICKLES):
        return _distinct(_pickled(content))
    text = content.decode("utf-8", "replace")
    if name.endswith(".html"):
        return _distinct(_page(text))
    return _distinct([_without_pictures(text)])


def texts_in_database(path: Path) -> list[str]:
    """The distinct texts in all tables of an SQLite database; compressed values are read as what they hold.

    Raises:
        sqlite3.Error: it is no database, or cannot be read.
    """
    with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
        database.text_factory = bytes
        names = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        return _distinct(
            _without_pictures(_decompressed(value).decode("utf-8", "replace"))
            for name in names
            for row in database.execute('select * from "' + name.decode().replace('"', '""') + '"')
            for value in row
            if isinstance(value, bytes)
        )


def _page(page: str) -> Iterator[str]:
    """All of it, for attributes and comments; and what a reader sees, with the tags as blanks and without them.

    What is seen is cut into cells and paragraphs: figures side by side would make the numbers of people.
    """
    plain = _without_pictures(page)
    yield html.unescape(plain)
    for block in _BLOCK.split(plain):
        if block.strip():
            yield html.unescape(_TAG.sub(" ", block))
            yield html.unescape(_TAG.sub("", block))


def _pickled(content: bytes) -> Iterator[str]:
    """Texts by their opcode and length, arrays of strings, and any other run of letters."""
    for opcode in _OPCODE.finditer(content):
        size = _LENGTH_BYTES[opcode[0]]
        length = int.from_bytes(content[opcode.end() : opcode.end() + size], "little")
        text = content[opcode.end() + size : opcode.end() + size + length] if length <= _LONGEST else b""
        try:
            decoded = text.decode()
        except UnicodeDecodeError:
            continue
        if decoded.isprintable():
            yield decoded
    yield from (wide[0].decode("utf-32-le") for wide in _WIDE.finditer(content))
    yield from (run[0].decode("utf-8", "replace") for run in _PRINTED.finditer(content))


def _without_pictures(text: str) -> str:
    return _PICTURE.sub("data:", text)


def _decompressed(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


def _distinct(texts: Iterator[str] | list[str]) -> list[str]:
    return [text for text in dict.fromkeys(chain.from_iterable(map(_readings, texts))) if text]


def _readings(text: str) -> Iterator[str]:
    """The text, and with the characters that JSON writes as \\u00e9."""
    yield text
    if "\\u" in text:
        units = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
        yield units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
