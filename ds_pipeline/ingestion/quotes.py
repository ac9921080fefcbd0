"""Find the quote in a CSV file that a lenient reader would take for something else, and so join or cut rows silently.

A quoted cell begins right after a separator and ends right before one; a quote inside it is doubled. A quote within a
cell that does not begin with one is a character like any other: 5" is 5".
"""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator
from typing import IO, NamedTuple

import numpy as np

QUOTE = ord('"')
CHUNK = 1 << 22  # bytes


class QuoteFault(NamedTuple):
    """Where the quoting of a file breaks, in lines from 1.

    Attributes:
        opened: the line of the quote that opens the cell.
        closed: the line in which text follows its closing quote; None if nothing closes it.
    """

    opened: int
    closed: int | None


class _Offsets(NamedTuple):
    """The same in bytes of the content as UTF-8."""

    opened: int
    closed: int | None


def find_quote_fault(opened: Callable[[], IO[bytes]], *, delimiter: str, encoding: str) -> QuoteFault | None:
    """The first broken quote of a CSV file; None if every quoted cell ends where it should.

    Args:
        opened: the content from its beginning, each time it is called.

    Raises:
        UnicodeError, OSError, EOFError: the content cannot be read.
    """
    with opened() as content:
        fault = _Scan(delimiter).run(_chunks(content, encoding))
    if fault is None:
        return None
    asked = [fault.opened] if fault.closed is None else [fault.opened, fault.closed]
    with opened() as content:
        line, *closed = _lines_of(asked, _chunks(content, encoding))
    return QuoteFault(line, closed[0] if closed else None)


class _Scan:
    """What is known at a place in the file: whether it lies in a quoted cell, and where that began."""

    def __init__(self, delimiter: str) -> None:
        self.ends = np.zeros(256, dtype=bool)  # the bytes between cells
        self.ends[[ord(delimiter), ord("\n"), ord("\r")]] = True
        self.inside, self.opened = False, 0

    def run(self, chunks: Iterator[bytes]) -> _Offsets | None:
        before, at = b"\n", -1  # the byte before the part, and its place: a file begins like a line
        for chunk in chunks:
            part = before + chunk
            body = part.rstrip(b'"')  # what follows a quote has to be in sight
            if fault := self._fault(body, at):
                return fault
            before, at = part[len(body) - 1 :], at + len(body) - 1
        if fault := self._fault(before + b"\n", at):
            return fault
        return _Offsets(self.opened, None) if self.inside else None

    def _fault(self, part: bytes, at: int) -> _Offsets | None:
        """The first fault after the first byte of a part, which begins and ends with something else than a quote."""
        if QUOTE not in part:
            return None
        codes = np.frombuffer(part, dtype=np.uint8)
        places = np.flatnonzero(codes == QUOTE)
        # Every other quote opens a cell, unless one stands within a cell that does not begin with a quote.
        enters = (np.arange(len(places)) % 2 == 1) == self.inside
        before, after = codes[places - 1], codes[places + 1]
        is_second = before == QUOTE  # of a doubled one
        fits = np.where(enters, self.ends[before] | is_second, self.ends[after] | (after == QUOTE))
        if not fits.all():
            return self._fault_one_by_one(places, before, after, at)
        openers = places[enters & ~is_second]
        self.opened = at + int(openers[-1]) if len(openers) else self.opened
        self.inside ^= len(places) % 2 == 1
        return None

    def _fault_one_by_one(self, places: np.ndarray, before: np.ndarray, after: np.ndarray, at: int) -> _Offsets | None:
        is_start, is_end, is_doubled = self.ends[before].tolist(), self.ends[after].tolist(), (after == QUOTE).tolist()
        is_second = False
        for number, place in enumerate(places.tolist()):
            if is_second:
                is_second = False
            elif not self.inside:
                if is_start[number]:
                    self.inside, self.opened = True, at + place
            elif is_doubled[number]:
                is_second = True
            elif is_end[number]:
                self.inside = False
            else:
                return _Offsets(self.opened, at + place)
        return None


def _chunks(content: IO[bytes], encoding: str) -> Iterator[bytes]:
    """The content as UTF-8, without a byte order mark."""
    decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)()
    is_first = True
    while chunk := content.read(CHUNK):
        text = chunk if decoder is None else decoder.decode(chunk).encode()
        yield text.removeprefix(codecs.BOM_UTF8) if is_first else text
        is_first = False


def _lines_of(offsets: list[int], chunks: Iterator[bytes]) -> list[int]:
    """The lines, from 1, that bytes of a content are in; the offsets ascend."""
    numbers: list[int] = []
    begins, lines, returns = 0, 0, 0
    for chunk in chunks:
        while len(numbers) < len(offsets) and offsets[len(numbers)] < begins + len(chunk):
            part = chunk[: offsets[len(numbers)] - begins]
            numbers.append(1 + (lines + part.count(b"\n") or returns + part.count(b"\r")))
        if len(numbers) == len(offsets):
            break
        begins, lines, returns = begins + len(chunk), lines + chunk.count(b"\n"), returns + chunk.count(b"\r")
    return numbers
