"""The raw identifiers of an input, as keyed hashes in memory, and the search for them in what is to be written.

Whatever form an identifier has, known to a pattern or not, its value must not come out. Only hashes of eight bytes are
held, under a key that is made anew in each process and never stored. Shares nothing with the masking but the scan.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pandas as pd

from ds_pipeline.boundary.scan import Finding, TextColumn, plain_text

KIND = "raw identifier"
MIN_CELL = 2  # characters; a whole cell of one letter or digit, such as an initial, identifies nobody
MIN_INSIDE = 8  # characters from which a value is also looked for inside a text
AT_ONCE = 50_000  # texts; bounds the memory of their words
# What stands in identifier columns for nothing.
PLACEHOLDERS = frozenset({"na", "null", "none", "nan", "unknown", "notknown", "notgiven", "notprovided", "anonymous"})
_WORD = re.compile(r"(?<![\d.])\d+\.\d+(?!\.?\d)|[^\W_]+")  # a decimal number is one word, so its digits are no number
_GROUPED = re.compile(r"\d(?:[ ().\-/]{0,3}\d){7,19}")
_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_WHOLE = re.compile(r"\s*([+-]?\d+)\.0+\s*")


class RawColumn(NamedTuple):
    """The values of one raw column and what they are: name, email, phone, address, id or birth_date."""

    held: str
    values: Collection[str]


@dataclass(frozen=True, eq=False)
class RawIdentifiers:
    """The distinct raw identifiers of an input.

    Attributes:
        left_out: how many distinct values are not looked for, by reason.
    """

    left_out: Mapping[str, int]
    _key: str = field(repr=False)
    _cells: np.ndarray = field(repr=False)
    _inside: np.ndarray = field(repr=False)
    _numbers: np.ndarray = field(repr=False)
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
        cells: set[str] = set()
        inside: set[str] = set()
        numbers: set[str] = set()
        firsts: set[str] = set()
        lengths = {1}
        for held, values in columns:
            for value in values:
                words = _words(plain_text(_WHOLE.sub(r"\1", value)))
                joined = "".join(words)
                if reason := _left_out(joined, held, value, public, clock_from):
                    left_out[reason] += 1
                    continue
                cells.add(joined)
                if len(value.strip()) < MIN_INSIDE:
                    continue
                # Numbers are also written in one piece.
                spellings = [words, [joined]] if held in ("phone", "id") else [words]
                if held == "name" and len(words) > 1:
                    spellings.append([words[-1], *words[:-1]])
                inside |= {"".join(spelling) for spelling in spellings}
                firsts |= {spelling[0] for spelling in spellings}
                lengths |= {len(spelling) for spelling in spellings}
                if held == "phone":
                    numbers.add(joined)
        key = secrets.token_hex(8)
        return cls(
            dict(left_out),
            _key=key,
            _cells=_sorted_hashes(cells, key),
            _inside=_sorted_hashes(inside, key),
            _numbers=_sorted_hashes(numbers, key),
            _firsts=_sorted_hashes(firsts, key),
            _lengths=tuple(sorted(lengths)),
        )

    def __len__(self) -> int:
        return len(self._cells)

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

    def _hits(self, texts: list[str], *, whole: bool) -> np.ndarray:
        hits = np.zeros(len(texts), dtype=bool)
        for start in range(0, len(texts), AT_ONCE):
            part = [plain_text(text) for text in texts[start : start + AT_ONCE]]
            words = [_words(text) for text in part]
            marked = self._inside_of(words) | self._with_numbers(part)
            if whole:
                marked |= self._whole_cells(part, words)
            hits[start : start + AT_ONCE] = marked
        return hits

    def _whole_cells(self, texts: list[str], words: list[list[str]]) -> np.ndarray:
        """Texts that are an identifier, or of which a line is one: the parts of a nested cell are lines."""
        cells = [
            [_joined(line) for line in text.split("\n")] if "\n" in text else ["".join(of_text)]
            for text, of_text in zip(texts, words, strict=True)
        ]
        rows, keys = _flatten(cells)
        return self._mark(len(texts), rows, keys, self._cells)

    def _with_numbers(self, texts: list[str]) -> np.ndarray:
        """Texts with the digits of a phone number, however they are grouped."""
        rows, runs = _flatten([_GROUPED.findall(text) if len(self._numbers) else [] for text in texts])
        return self._mark(len(texts), rows, [re.sub(r"\D", "", run) for run in runs], self._numbers)

    def _inside_of(self, words_of_texts: list[list[str]]) -> np.ndarray:
        """Texts with a run of words that is an identifier."""
        rows, words = _flatten(words_of_texts)
        hits = np.zeros(len(words_of_texts), dtype=bool)
        starts = np.flatnonzero(_among(_hashes(words, self._key), self._firsts))
        for length in self._lengths:
            begun = starts[starts + length <= len(words)]
            begun = begun[rows[begun] == rows[begun + length - 1]]
            runs = ["".join(words[start : start + length]) for start in begun]
            hits |= self._mark(len(hits), rows[begun], runs, self._inside)
        return hits

    def _mark(self, size: int, rows: np.ndarray, keys: list[str], known: np.ndarray) -> np.ndarray:
        hits = np.zeros(size, dtype=bool)
        hits[rows[_among(_hashes(keys, self._key), known)]] = True
        return hits


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


def _sorted_hashes(texts: set[str], key: str) -> np.ndarray:
    return np.sort(_hashes(list(texts), key))


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
