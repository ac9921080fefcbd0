"""Names of accounts that tell the name of a person: `@EmmaWillis`, `@davidfrum`, `@gordon`.

A handle is one word to the network, which never saw most of them; its parts are looked up in the gazetteer instead.
"""

import re
from collections.abc import Iterator

from ds_pipeline.masking.ner.gazetteer import Gazetteer

_HANDLE = re.compile(r"(?<![\w.@])@ ?([^\W\d_]\w{2,29})(?![\w@]|\.\w)")
_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_SHORTEST = 3
_SHORTEST_PREFIX = 5  # of a handle that only begins with a first name, such as `maxinejiji`


def find_handles(text: str, words: Gazetteer) -> Iterator[tuple[int, int, bool]]:
    """The handles in a text without their @, and whether they hold a name; addresses of e-mail are none."""
    if "@" in text:
        yield from ((*match.span(1), holds_name(match[1], words)) for match in _HANDLE.finditer(text))


def holds_name(handle: str, words: Gazetteer) -> bool:
    """Whether a first name or, after another word, a surname is among the parts of a handle.

    Parts are set apart by capitals, digits and underscores, or are a first name and a surname in one.
    """
    parts = _PART.findall(handle)
    if any(_is(part, "Ff", words, also="Ww") for part in parts):
        return True
    if any(_is(part, "Ll", words, also="Ww") for part in parts[1:]):
        return True
    return any(_is_two_names(part.lower(), words) for part in parts)


def _is_two_names(part: str, words: Gazetteer) -> bool:
    for cut in range(_SHORTEST, len(part) - _SHORTEST + 1):
        first, last = part[:cut], part[cut:]
        if _is(first, "F" if cut == _SHORTEST else "Ff", words) and _is(last, "Ll", words):
            return True
    return any(_is(part[:cut], "F", words) for cut in range(_SHORTEST_PREFIX, len(part)))


def _is(word: str, letters: str, words: Gazetteer, *, also: str = "W") -> bool:
    """Whether a word is known as one of the letters and not as a word of the language."""
    tag = words.tag(word)
    return len(word) >= _SHORTEST and any(one in tag for one in letters) and not any(one in tag for one in also)
