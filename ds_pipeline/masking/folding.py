"""Texts as a reader sees them, with the way back to the characters that were stored.

Identifiers hide behind full-width digits, zero-width characters or a control byte. Recognizers look at plain
views; what they find is cut out of the original.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_PLAIN = re.compile(r"[\t\n\r\x20-\x7e]*")
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me"}
_FILLERS = set("\u115f\u1160\u3164\uffa0\ufffd")  # letters or symbols by category, blank or void to a reader
_HIDDEN = "\0"


class View(NamedTuple):
    """A plain text; `origins[i]` is where its character i stands in the original (None: in the same place)."""

    text: str
    origins: Sequence[int] | None

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        if self.origins is None:
            return start, end
        return self.origins[start], self.origins[end - 1] + 1


def repair(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates as U+FFFD, so that it can be stored as UTF-8."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def views(text: str) -> Iterator[View]:
    """The plain views of a text: one, or two if it has invisible characters, which may join or separate digits."""
    if _PLAIN.fullmatch(text):
        yield View(text, None)
        return
    folded = [(plain, position) for position, char in enumerate(text) for plain in _folded(char)]
    joined = [pair for pair in folded if pair[0] != _HIDDEN]
    yield _view(joined)
    if len(joined) < len(folded):
        yield _view([(" " if plain == _HIDDEN else plain, position) for plain, position in folded])


def _view(pairs: list[tuple[str, int]]) -> View:
    return View("".join(plain for plain, _ in pairs), [position for _, position in pairs])


class _Folder(dict[str, str]):
    """Plain characters for one character; looked up once each."""

    def __missing__(self, char: str) -> str:
        self[char] = plain = "".join(map(_plain, unicodedata.normalize("NFKC", char)))
        return plain


def _plain(char: str) -> str:
    if char in "\t\n\r":
        return char
    category = unicodedata.category(char)
    if char in _FILLERS or category in _INVISIBLE:
        return _HIDDEN
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in {"Zs", "Zl", "Zp"}:
        return " "
    return "-" if category == "Pd" or char == "\u2212" else char


_folded = _Folder().__getitem__
