"""Texts as a reader sees them, with the way back to the characters that were stored.

Identifiers hide behind full-width letters, zero-width characters, combining marks, a control byte, or the tags and
escapes of HTML and JSON. Recognizers look at plain views; what they find is cut out of the original.
"""

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_PLAIN = re.compile("[\t\n\r\x20-\x7e¡-§©«®°±·»¿-ıĴ-ľŁ-ňŊ-ž‘’“”€]*")  # characters that fold to themselves
_MARKUP = re.compile(
    r"(?P<tag></?[A-Za-z][A-Za-z0-9]{0,15}(?:\s[^<>]{0,2000})?/?>|<!--)"
    r"|(?P<entity>&(?:\#[0-9]{1,7}|\#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});)"
    r"|(?P<escape>\\(?:u[0-9A-Fa-f]{4}|[nrt\"/]))"
)
_SPACED_TAG = re.compile(r"</?(?:br|p|div|td|th|tr|li|ul|ol|h[1-6]|table|body|html|hr|blockquote)\b", re.IGNORECASE)
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me"}
_MARKS = {"Mn", "Me"}
_FILLERS = set("\u115f\u1160\u3164\uffa0\ufffd")  # letters or symbols by category, blank or void to a reader
_HIDDEN, _MARK = "\0", "\1"
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "/": "/"}

_Piece = tuple[str, int, int]  # a plain character, and the characters of the original it stands for


class View(NamedTuple):
    """A plain text; its character i stands for `[starts[i], ends[i])` of the original (None: for the same place)."""

    text: str
    starts: Sequence[int] | None = None
    ends: Sequence[int] | None = None
    is_prose: bool = True  # whether names are looked for: not among tags, where the view without them follows

    def original_span(self, start: int, end: int) -> tuple[int, int]:
        if self.starts is None or self.ends is None:
            return start, end
        return self.starts[start], self.ends[end - 1]


def repair(text: str) -> str:
    """The text with surrogate pairs joined and lone surrogates as U+FFFD, so that it can be stored as UTF-8."""
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def views(text: str) -> Iterator[View]:
    """The plain views of a text: one, or two if it has invisible characters, which may join or separate digits.

    A text with tags or escapes is also seen without them, as what they show.
    """
    is_prose = not _MARKUP.search(text)
    if _PLAIN.fullmatch(text):
        yield View(text, is_prose=is_prose)
    elif _folds_in_place(folded := "".join(map(_folded, text)), text):
        yield View(folded, is_prose=is_prose)
    else:
        pieces = [(plain, at, at + 1) for at, char in enumerate(text) for plain in _folded(char)]
        yield from (view._replace(is_prose=is_prose) for view in _views(pieces))
    if not is_prose:
        yield from _views(list(_rendered(text)))


def _folds_in_place(folded: str, text: str) -> bool:
    """Whether each character became one that is shown; none becomes less than one."""
    return len(folded) == len(text) and _HIDDEN not in folded and _MARK not in folded


def _views(pieces: list[_Piece]) -> Iterator[View]:
    joined, spaced = _shown(pieces, ""), _shown(pieces, " ")
    yield joined
    if joined.text != spaced.text:
        yield spaced


def _shown(pieces: list[_Piece], hidden: str) -> View:
    """Hidden characters as `hidden`; a mark belongs to the letter before it, which then reaches to its end."""
    chars: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for plain, start, end in pieces:
        if plain == _MARK and chars and not chars[-1].isdigit():
            ends[-1] = end
            continue
        shown = hidden if plain in (_HIDDEN, _MARK) else plain
        if shown:
            chars.append(shown)
            starts.append(start)
            ends.append(end)
    return View("".join(chars), starts, ends)


def _rendered(text: str) -> Iterator[_Piece]:
    """The text as a browser or a JSON reader shows it; tags inside a line are hidden, those of blocks are spaces."""
    at = 0
    for markup in _MARKUP.finditer(text):
        for place in range(at, markup.start()):
            yield from ((plain, place, place + 1) for plain in _folded(text[place]))
        at = markup.end()
        yield from ((plain, *markup.span()) for char in _meaning(markup) for plain in _folded(char))
    for place in range(at, len(text)):
        yield from ((plain, place, place + 1) for plain in _folded(text[place]))


def _meaning(markup: re.Match[str]) -> str:
    found = markup[0]
    if markup["tag"]:
        return "\n" if _SPACED_TAG.match(found) else _HIDDEN
    if markup["entity"]:
        return html.unescape(found)
    return chr(int(found[2:], 16)) if found[1] == "u" else _ESCAPES[found[1]]


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
        return _MARK if category in _MARKS else _HIDDEN
    if category == "Nd":
        return str(unicodedata.decimal(char))
    if category in {"Zs", "Zl", "Zp"}:
        return " "
    return "-" if category == "Pd" or char == "\u2212" else char


_folded = _Folder().__getitem__
