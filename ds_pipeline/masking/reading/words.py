"""Words as they compare: without case, accents and national letters; and which of them are common in English.

A name that is also a word (Will, May, Rich) says nothing in lower-case running text.
"""

import unicodedata
from functools import lru_cache
from importlib.resources import files

import regex  # type: ignore[import-untyped]

WORD = regex.compile(r"[\p{L}\p{M}]+")
_LETTERS = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i", "ħ": "h"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})


@lru_cache(1 << 14)
def fold(word: str) -> str:
    """The word in lower case with plain letters: 'MÜLLER' and 'Muller' are one."""
    lower = word.casefold()
    if lower.isascii():
        return lower
    decomposed = unicodedata.normalize("NFKD", lower.translate(_LETTERS))
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def spellings(word: str) -> set[str]:
    """The folded word, and with umlauts written out if it has any: muller, mueller."""
    lower = unicodedata.normalize("NFC", word).casefold()
    return {fold(lower), fold(lower.translate(_UMLAUTS))}


def is_common(word: str) -> bool:
    """Whether the word, in any case, is in the list of common English words."""
    return fold(word) in _common_words()


def listed(words: str) -> frozenset[str]:
    """The words of a text, one list of a module."""
    return frozenset(words.split())


@lru_cache(1)
def _common_words() -> frozenset[str]:
    lines = files(__package__).joinpath("common_words.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(line for line in lines if not line.startswith("#"))
