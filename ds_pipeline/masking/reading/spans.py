"""Spans that were found in a text: joined where they overlap, and the pieces of bounded length they are looked for in."""  # noqa: E501

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import takewhile
from operator import attrgetter
from typing import NamedTuple

_VAGUE = ("PERSON", "LOCATION")
_CHUNK = 20_000
_LONGEST_WORD = 100
_OVERLAP = 1_000  # longer than an identifier with the words that announce it


class Found(NamedTuple):
    """The characters `[start, end)` of a text are one identifier."""

    start: int
    end: int
    score: float
    kind: str


def chunks(text: str) -> Iterator[tuple[int, int]]:
    """Pieces of bounded length, cut at blanks where there are any; each repeats the end of the one before it."""
    begin = 0
    while begin + _CHUNK < len(text):
        end = _after_blank(text, begin + _CHUNK)
        yield begin, end
        begin = _after_blank(text, end - _OVERLAP)
    yield begin, len(text)


def _after_blank(text: str, at: int) -> int:
    """The beginning of the word that the place lies in; the place itself in a long one."""
    return next((place for place in range(at, at - _LONGEST_WORD, -1) if text[place - 1].isspace()), at)


def join(text: str, found: Iterable[Found]) -> list[Found]:
    """Spans from left to right without overlap.

    Overlapping ones become one, of the kind of the longest, then of the surest. Names and places reach less surely:
    what else was found is cut out of them, and their rest stays a span if it has a letter or digit.
    """
    vague: list[Found] = []
    exact: list[Found] = []
    for span in found:
        (vague if span.kind in _VAGUE else exact).append(span)
    exact = _merged(exact)
    if not exact or not vague:
        return exact or _merged(vague)
    return sorted([*exact, *(rest for span in _merged(vague) for rest in _rests(text, span, exact))])


def _rests(text: str, span: Found, exact: list[Found]) -> Iterator[Found]:
    first = bisect_right(exact, span.start, key=attrgetter("end"))
    inside = list(takewhile(lambda one: one.start < span.end, exact[first:]))
    edges = [span.start, *(edge for one in inside for edge in (one.start, one.end)), span.end]
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        while start < end and not text[start].isalnum() and start != span.start:
            start += 1
        while start < end and not text[end - 1].isalnum() and end != span.end:
            end -= 1
        if any(map(str.isalnum, text[start:end])):
            yield span._replace(start=start, end=end)


def _merged(found: list[Found]) -> list[Found]:
    joined: list[Found] = []
    for span in sorted(found):
        if joined and span.start < joined[-1].end:
            last = joined.pop()
            best = max(last, span, key=lambda one: (one.end - one.start, one.score, one.kind))
            span = best._replace(start=last.start, end=max(last.end, span.end))
        joined.append(span)
    return joined


def gaps(length: int, found: list[Found]) -> list[tuple[int, int]]:
    """What joined spans leave of a text of that length: one piece before each, and one after the last."""
    edges = [0, *(edge for span in found for edge in (span.start, span.end)), length]
    return list(zip(edges[::2], edges[1::2], strict=True))
