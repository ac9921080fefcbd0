"""Identifiers told by their shape alone: machine-readable zones, account codes, numbers in words, names in other scripts."""  # noqa: E501

import re
from collections.abc import Iterator

import regex  # type: ignore[import-untyped]

from ds_pipeline.masking.numbers import Span
from ds_pipeline.masking.starts import Anchored, has_word, limit

_MACHINE_READ = re.compile(r"(?<![\w<])(?=[A-Z0-9<]{9})[A-Z0-9]+(?:<+[A-Z0-9]+)+<*(?![\w<])|(?<![\w<])[A-Z]<[A-Z<]{8,}")
_CODE = re.compile(  # m_88213, cust_004417, SUB.441.902
    r"(?<![^\W_])(?:(?:[a-z]|usr|user|cust|customer|acct?|account|mbr|member|sub|uid|cid|pid)_[0-9]{4,12}"
    r"|[A-Z]{2,4}\.[0-9]{3}\.[0-9]{3})(?![^\W_])"
)
_DIGIT_WORDS = "oh|zero|nought|one|two|three|four|five|six|seven|eight|nine|double|triple|plus"
_SPOKEN = Anchored(
    rf"\b(?:{_DIGIT_WORDS})(?:(?:[ ,-]{{1,2}}|\s-\s)(?:{_DIGIT_WORDS}|hundred|thousand|ten|twenty|thirty|forty|"
    rf"fifty|sixty|seventy|"
    r"eighty|ninety)\b){3,}"
)
_SPOKEN_WORDS = frozenset(word[:4] for word in _DIGIT_WORDS.split("|"))
_OTHER_SCRIPT = regex.compile(
    r"(?:\p{Han}{2,4}|\p{Katakana}{2,8}(?:[ ・·]\p{Katakana}{2,8})?|"
    r"\p{Hangul}{2,4})(?![\p{Han}\p{Katakana}\p{Hiragana}\p{Hangul}])"
)
_LATIN = re.compile(r"[A-Za-z]")
_MOSTLY = 3  # Latin letters for one of another script: then a name was copied into the text, and no sentence


def find_coded_ids(text: str) -> Iterator[Span]:
    """Account codes, and rows of the machine-readable zone of a document."""
    if "<" in text:
        yield from (match.span() for match in _MACHINE_READ.finditer(text))
    if "_" in text or "." in text:
        yield from (match.span() for match in _CODE.finditer(text))


def find_spoken_numbers(text: str) -> Iterator[Span]:
    """Four digits and more, in English words."""
    if has_word(text, _SPOKEN_WORDS):
        yield from (match.span() for match in _SPOKEN.finditer(text))


def find_names_in_other_scripts(text: str) -> Iterator[Span]:
    """Short words in Chinese, Japanese or Korean script in a text that is Latin otherwise."""
    if text.isascii():
        return
    spans = [match.span() for match in _OTHER_SCRIPT.finditer(text, timeout=limit(text))]
    if spans and len(_LATIN.findall(text)) >= _MOSTLY * sum(end - start for start, end in spans):
        yield from spans
