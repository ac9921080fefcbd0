"""Where a pattern may begin: at a word whose first letters begin one of its own words, or at a row of digits.

Most patterns begin with one of many words, and most texts have none of them. The words of a text are indexed once by
their first letters; each pattern is tried only where it may begin. Its first letters are asked of the pattern itself,
by matching it against beginnings of words, so that they never fall behind it.
"""

import re
import string
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache

import regex  # type: ignore[import-untyped]

_TIMEOUT_S = 5.0  # per pattern and chunk; a timeout raises, because a skipped pattern would be a leak
_SHORT = 2_000  # characters that no pattern takes long for; the watch costs more than a match

_PREFIX = 4
_TOKEN = re.compile(rf"([^\W\d_]{{1,{_PREFIX}}})[^\W\d_]*|\d+")
_DIGITS = "0"  # stands for any row of digits
_ONE_CASE = str.maketrans({"İ": "i", "ı": "i"})  # as `regex` compares them; in lower case the first has two characters
_BEHIND_WORDS = " .,:;=/'’\"-_#@()[?*°º1\n"  # what the word of a pattern may be followed by


def limit(text: str) -> float | None:
    """Seconds after which a pattern on this text raises TimeoutError; None for never."""
    return _TIMEOUT_S if len(text) > _SHORT else None


class Anchored:
    """A pattern that begins with a letter or digit where no letter or digit of that sort stands before."""

    def __init__(
        self, pattern: str, flags: int = regex.IGNORECASE, *, lead: str = "", most: int = 0, after: str = ""
    ) -> None:
        """The pattern may begin with up to `most` of the characters in `lead`, if there they follow one of `after`."""
        self.pattern = regex.compile(pattern, flags)
        self._lead, self._most, self._after = lead, most, after

    def finditer(self, text: str, *, overlapped: bool = False) -> Iterator[regex.Match[str]]:
        """The matches from left to right, as of the pattern; only where it may begin is looked.

        Raises:
            TimeoutError: a match took too long.
        """
        index = starts_of(text)
        places = [place for key in self.keys.intersection(index) for place in index[key]]
        places.sort()
        timeout, end = limit(text), 0
        for place in places:
            if place < end and not overlapped:
                continue
            for start in self._beginnings(text, place) if self._most else (place,):
                # Most tries are shorter than it takes to hand the interpreter to another thread and back.
                if start >= end and (match := self.pattern.match(text, start, concurrent=False, timeout=timeout)):
                    yield match
                    if not overlapped:
                        end = match.end()
                    break

    @cached_property
    def keys(self) -> frozenset[str]:
        """First letters of the words the pattern may begin with; shorter ones are whole words."""
        letters = sorted({*string.ascii_lowercase, *filter(str.isalpha, self.pattern.pattern.lower())})
        keys = {_DIGITS} if any(self._admits(digit) for digit in string.digits) else set()
        prefixes = [""]
        for length in range(1, _PREFIX + 1):
            prefixes = [longer for one in prefixes for letter in letters if self._admits(longer := one + letter)]
            if length < _PREFIX:
                keys |= {one for one in prefixes if any(self._admits(one + behind) for behind in _BEHIND_WORDS)}
        return frozenset(keys | set(prefixes))

    def _admits(self, beginning: str) -> bool:
        return any(self.pattern.match(one, partial=True) for one in {beginning, beginning.upper()})

    def _beginnings(self, text: str, place: int) -> Iterator[int]:
        """The place, and those before it with nothing but leading characters between, from the left."""
        start = place
        while start and place - start < self._most and text[start - 1] in self._lead:
            start -= 1
        for begin in range(start, place + 1):
            if not begin or text[begin - 1] in self._after:
                yield begin


@lru_cache(4)
def starts_of(text: str) -> dict[str, list[int]]:
    """The places of words by their first four letters in lower case, and of rows of digits by '0'."""
    lower = text.lower() if text.isascii() else text.translate(_ONE_CASE).lower()
    starts: dict[str, list[int]] = {}
    for match in _TOKEN.finditer(lower):
        key = match[1] or _DIGITS
        if key in starts:
            starts[key].append(match.start())
        else:
            starts[key] = [match.start()]
    return starts


def has_word(text: str, keys: Iterable[str]) -> bool:
    """Whether a word of the text begins with one of the keys, of four letters, or is one, if it is shorter."""
    return not starts_of(text).keys().isdisjoint(keys)


def has_digit(text: str) -> bool:
    return _DIGITS in starts_of(text)


def digits_of(text: str) -> list[int]:
    """Where rows of digits begin."""
    return starts_of(text).get(_DIGITS, [])


def single_letters(text: str) -> int:
    """How many letters stand alone."""
    return sum(len(places) for key, places in starts_of(text).items() if len(key) == 1 and key != _DIGITS)
