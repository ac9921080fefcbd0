"""The raw identifiers of an input, as keyed hashes in memory, and the search for them in what is to be written.

Whatever form an identifier has, known to a pattern or not, its value must not come out. Only hashes of eight bytes are
held, under a key that is made anew in each process and never stored. Shares nothing with the masking but the scan.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from typing import NamedTuple

import numpy as np
import pandas as pd

from ds_pipeline.boundary.scan import Finding, TextColumn, plain_text

KIND = "raw identifier"
MIN_CELL = 2  # characters; a whole cell of one letter or digit, such as an initial, identifies nobody
MIN_INSIDE = 8  # characters from which a value is also looked for inside a text
AT_ONCE = 50_000  # texts; bounds the memory of their words
NEVER = np.iinfo(np.int64).max
# What stands in identifier columns for nothing.
PLACEHOLDERS = frozenset({"na", "null", "none", "nan", "unknown", "notknown", "notgiven", "notprovided", "anonymous"})
_WORD = re.compile(r"(?<![\d.])\d+\.\d+(?!\.?\d)|[^\W_]+")  # a decimal number is one word, so its digits are no number
_GROUPED = re.compile(r"\d(?:[ ().\-/]{0,3}\d){7,19}")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_WHOLE = re.compile(r"\s*([+-]?\d+)\.0+\s*")


class RawColumn(NamedTuple):
    """The values of one raw column and what they are: name, email, phone, address, id or birth_date.

    Attributes:
        weeks: the number of the week in which each value became known, 0 for all where none is given.
    """

    held: str
    values: Sequence[str]
    weeks: Sequence[int] = ()


class _Known(NamedTuple):
    """Hashes in order, and of each the week in which its value became known."""

    hashes: np.ndarray
    weeks: np.ndarray


@dataclass(frozen=True, eq=False)
class RawIdentifiers:
    """The distinct raw identifiers of an input.

    Attributes:
        left_out: how many distinct values are not looked for, by reason.
    """

    left_out: Mapping[str, int]
    _key: str = field(repr=False)
    _cells: _Known = field(repr=False)
    _inside: _Known = field(repr=False)
    _numbers: _Known = field(repr=False)
    _firsts: np.ndarray = field(repr=False)
    _lengths: tuple[int, ...] = field(repr=False)

    @classmethod
    def of(
        cls, columns: Iterable[RawColumn], *, declared: Collection[str] = (), clock_from: str = "9"
    ) -> RawIdentifiers:
        """Hash the values of the raw columns; the values themselves are not kept.

        Args:
            declared: categories that the files of the use case name; a value equal to one is not a secret.
            clock_from: ISO date from which a birth date cannot be told from the dates of the pipeline.
        """
        public = {_joined(plain_text(text)) for text in declared}
        left_out: Counter[str] = Counter()
        cells: dict[str, int] = {}
        inside: dict[str, int] = {}
        numbers: dict[str, int] = {}
        firsts: set[str] = set()
        lengths = {1}
        for held, values, weeks in columns:
            for value, week in zip(values, weeks or repeat(0, len(values)), strict=True):
                words = _words(plain_text(_WHOLE.sub(r"\1", value)))
                joined = "".join(words)
                if reason := _left_out(joined, held, value, public, clock_from):
                    left_out[reason] += 1
                    continue
                _add(cells, [joined], week)
                if len(value.strip()) < MIN_INSIDE:
                    continue
                # Numbers are also written in one piece.
                spellings = [words, [joined]] if held in ("phone", "id") else [words]
                if held == "name" and len(words) > 1:
                    spellings.append([words[-1], *words[:-1]])
                _add(inside, ["".join(spelling) for spelling in spellings], week)
                firsts |= {spelling[0] for spelling in spellings}
                lengths |= {len(spelling) for spelling in spellings}
                if held == "phone":
                    _add(numbers, [joined], week)
        key = secrets.token_hex(8)
        return cls(
            dict(left_out),
            _key=key,
            _cells=_known(cells, key),
            _inside=_known(inside, key),
            _numbers=_known(numbers, key),
            _firsts=np.sort(_hashes(list(firsts), key)),
            _lengths=tuple(sorted(lengths)),
        )

    def __len__(self) -> int:
        return len(self._cells.hashes)

    def find_in_columns(self, columns: Iterable[TextColumn]) -> list[Finding]:
        """The columns with cells that are, or contain, a raw identifier."""
        hits = [(column, self._hits(column.texts, whole=True)) for column in columns]
        return sorted(Finding(column.name, KIND, int(column.cells[mask].sum())) for column, mask in hits if mask.any())

    def find_in_texts(self, texts: Collection[str]) -> int:
        """How many of the texts contain a raw identifier; shorter ones than MIN_INSIDE cannot be told from words."""
        return int(self._hits(list(texts), whole=False).sum())

    def texts_with_identifiers(self, texts: list[str]) -> np.ndarray:
        """Which texts are, or contain, a raw identifier, as a mask."""
        return self._hits(texts, whole=True)

    def known_from(self, texts: list[str], *, whole: bool = True) -> np.ndarray:
        """The number of the week from which on each text is known to be, or contain, an identifier; else NEVER.

        Args:
            whole: also compare whole cells, and lines, with the shorter ones.
        """
        weeks = np.full(len(texts), NEVER)
        for start in range(0, len(texts), AT_ONCE):
            part = [plain_text(text) for text in texts[start : start + AT_ONCE]]
            words = [_words(text) for text in part]
            found = np.minimum(self._inside_of(words), self._with_numbers(part))
            weeks[start : start + AT_ONCE] = np.minimum(found, self._whole_cells(part, words)) if whole else found
        return weeks

    def _hits(self, texts: list[str], *, whole: bool) -> np.ndarray:
        return self.known_from(texts, whole=whole) < NEVER

    def _whole_cells(self, texts: list[str], words: list[list[str]]) -> np.ndarray:
        """Texts that are an identifier, or of which a line is one: the parts of a nested cell are lines."""
        cells = [
            [_joined(line) for line in text.split("\n")] if "\n" in text else ["".join(of_text)]
            for text, of_text in zip(texts, words, strict=True)
        ]
        rows, keys = _flatten(cells)
        return self._first_known(len(texts), rows, keys, self._cells)

    def _with_numbers(self, texts: list[str]) -> np.ndarray:
        """Texts with the digits of a phone number, however they are grouped."""
        rows, runs = _flatten([_GROUPED.findall(text) if len(self._numbers.hashes) else [] for text in texts])
        return self._first_known(len(texts), rows, [re.sub(r"\D", "", run) for run in runs], self._numbers)

    def _inside_of(self, words_of_texts: list[list[str]]) -> np.ndarray:
        """Texts with a run of words that is an identifier."""
        rows, words = _flatten(words_of_texts)
        weeks = np.full(len(words_of_texts), NEVER)
        starts = np.flatnonzero(_among(_hashes(words, self._key), self._firsts))
        for length in self._lengths:
            begun = starts[starts + length <= len(words)]
            begun = begun[rows[begun] == rows[begun + length - 1]]
            runs = ["".join(words[start : start + length]) for start in begun]
            weeks = np.minimum(weeks, self._first_known(len(weeks), rows[begun], runs, self._inside))
        return weeks

    def _first_known(self, size: int, rows: np.ndarray, keys: list[str], known: _Known) -> np.ndarray:
        """Of each row the first week in which one of its keys was known."""
        hashes, weeks = _hashes(keys, self._key), np.full(size, NEVER)
        is_known = _among(hashes, known.hashes)
        places = np.searchsorted(known.hashes, hashes[is_known])
        np.minimum.at(weeks, rows[is_known], known.weeks[places])
        return weeks


def _left_out(joined: str, held: str, value: str, public: set[str], clock_from: str) -> str | None:
    if len(joined) < MIN_CELL:
        return f"shorter than {MIN_CELL} characters"
    if joined in PLACEHOLDERS:
        return "placeholders such as unknown"
    if joined in public:
        return "equal to a declared category"
    if held == "birth_date" and _ISO_DATE.fullmatch(value) and value >= clock_from:
        return "birth dates within the dates of the clock"
    return None


def _words(text: str) -> list[str]:
    """The words of a plain text, without case and what stands between them."""
    return _WORD.findall(text.casefold())


def _joined(text: str) -> str:
    return "".join(_words(text))


def _flatten(parts: list[list[str]]) -> tuple[np.ndarray, list[str]]:
    """All parts in one list, and for each the place of the text it comes from."""
    rows = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return rows, [item for part in parts for item in part]


def _add(found: dict[str, int], texts: list[str], week: int) -> None:
    """Note texts with the first week in which they were known."""
    for text in texts:
        found[text] = min(week, found.get(text, week))


def _known(found: dict[str, int], key: str) -> _Known:
    hashes = _hashes(list(found), key)
    order = np.argsort(hashes)
    return _Known(hashes[order], np.fromiter(found.values(), np.int64, len(found))[order])


def _hashes(texts: list[str], key: str) -> np.ndarray:
    """Keyed hashes of eight bytes (SipHash)."""
    if not texts:
        return np.array([], dtype="uint64")
    return pd.util.hash_array(np.array(texts, dtype=object), hash_key=key, categorize=False)


def _among(hashes: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Which hashes are in a sorted array."""
    if not len(known):
        return np.zeros(len(hashes), dtype=bool)
    places = np.searchsorted(known, hashes).clip(max=len(known) - 1)
    return known[places] == hashes
