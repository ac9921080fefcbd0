"""Where a place goes on: ', Lagos, Nigeria', a line 'United States' below a city, ', off Airport Road'.

A word that may be many things behind a comma is part of an address when an address stands before the comma. Known
places come from the gazetteer of the embedded model.
"""

from collections.abc import Iterator
from functools import cache

import regex  # type: ignore[import-untyped]

from ds_pipeline.masking.find.numbers import Span
from ds_pipeline.masking.ner.finding import MODEL
from ds_pipeline.masking.ner.gazetteer import Gazetteer
from ds_pipeline.masking.reading.starts import limit

_GAP = regex.compile(r"[ \t]*+(?:[,;][ \t]*+\n?|\n)[ \t]*+(?:\(|<br ?/?>)?")
_WORD = regex.compile(r"[^\W\d_][\p{L}\p{M}'’-]*+")
_PLACED = regex.compile(r"(?:off|near|behind|opposite|opp|next to|beside|by|at)\.?[ ]", regex.IGNORECASE)
_COUNTRIES = regex.compile(
    r"(?:United (?:States(?: of America)?|Kingdom|Arab Emirates)|New Zealand|South (?:Africa|Korea)|"
    r"North Macedonia|Sri Lanka|Saudi Arabia|Costa Rica|Hong Kong|Czech Republic|Northern Ireland|Puerto Rico|"
    r"Ivory Coast|El Salvador|Sierra Leone|Dominican Republic|"
    r"Bosnia and Herzegovina|Papua New Guinea|Trinidad and Tobago|Burkina Faso)(?![\w-])",
    regex.IGNORECASE,
)
_BEFORE = regex.compile(
    r"(?<![\w.,/£$€#-])[0-9]{1,5}[a-z]?(?:[-/][0-9]{1,5}[a-z]?)? "
    r"(?:[^\W\d_][\p{L}\p{M}'’.-]* ){0,3}[^\W\d_][\p{L}\p{M}'’-]*(?:, ?|\n)$",
    regex.IGNORECASE,
)
_NUMBER_LAST = regex.compile(  # U Kapličky 235/9, Brno
    r"(?<![\w.,/-])(?:[^\W\d_][\p{L}\p{M}'’.-]*[ ]){1,3}[0-9]{1,4}/[0-9]{1,4}[a-z]?(?:, ?|\n)$", regex.IGNORECASE
)
_DOOR = regex.compile(  # what follows a street or a city without a comma: No: 222 D: 4, (AN), a line 6728
    r"[ .,]{1,3}no[ ]?[:.]?[ ]?[0-9]{1,4}[a-z]?(?:[ ,/]{1,2}(?:kat|k|daire|d)[ ]?[:.]?[ ]?[0-9]{1,3})*\b"
    r"|[ ](?-i:\([A-Z]{2}\))"
    r"|\n[0-9]{4,6}(?=\n|$)",
    regex.IGNORECASE,
)
_REACH = 60
_ENDS = regex.compile(r"[ \t]*+(?:$|[.,;:!?)\n<\"|/]|-[ ]|[0-9])")
_SMALL = frozenset({"of", "the", "and", "de", "la", "del", "al", "el"})
_MOST_WORDS = 4


def where_places_end(text: str, span: Span) -> int:
    """The end of a place with the places and streets that follow it behind a comma or on the next line."""
    end = span[1]
    while (following := _next_part(text, end)) is not None:
        end = following
    return end


def _next_part(text: str, end: int) -> int | None:
    door = _DOOR.match(text, end, timeout=limit(text))
    if door is not None:
        return door.end()
    gap = _GAP.match(text, end, timeout=limit(text))
    if gap is None:
        return None
    placed = _PLACED.match(text, gap.end(), timeout=limit(text))
    stops: list[tuple[int, bool, bool]] = []  # where a word ends, whether it may be a place, whether a kind of street
    position = placed.end() if placed else gap.end()
    in_lower_case = text[text.rfind("\n", 0, end) + 1 : end].islower()
    for _ in range(_MOST_WORDS):
        word = _WORD.match(text, position, timeout=limit(text))
        if word is None:
            break
        tag = _gazetteer().tag(word[0])
        is_small = word[0] in _SMALL
        if not is_small and not (word[0][0].isupper() or in_lower_case or placed):
            break
        is_place = is_small or any(letter in tag for letter in "CPp")
        stops.append((word.end(), is_place, "S" in tag))
        if not text.startswith(" ", word.end()):
            break
        position = word.end() + 1
    country = _COUNTRIES.match(text, gap.end(), timeout=limit(text))
    if country is not None:
        return country.end()
    for count in range(len(stops), 0, -1):
        stop, _, is_street = stops[count - 1]
        if placed and is_street:
            return stop
        if not _ENDS.match(text, stop, timeout=limit(text)):
            continue
        if all(is_place for _, is_place, _ in stops[:count]) and not placed:
            return stop
        if is_street and count > 1:
            return stop
    return None


def where_places_begin(text: str, span: Span) -> int:
    """The start of a place with the number and the words of a street before it: '166 The Shambles, Leeds'."""
    before = text[max(0, span[0] - _REACH) : span[0]]
    street = _BEFORE.search(before, timeout=limit(text)) or _NUMBER_LAST.search(before, timeout=limit(text))
    if street is None:
        return span[0]
    words = [word for word in street[0].rstrip(",\n ").split(" ") if not word[0].isdigit()]
    named = [word for word in words if word not in _SMALL]
    if not text[span[0]].islower() and not all(word[0].isupper() for word in named):
        return span[0]
    return span[0] - len(street[0])


def find_countries(text: str) -> Iterator[Span]:
    """Countries whose names are several words."""
    return (match.span() for match in _COUNTRIES.finditer(text, timeout=limit(text)))


@cache
def _gazetteer() -> Gazetteer:
    return Gazetteer.read(MODEL / "gazetteer.txt")
