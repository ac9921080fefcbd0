"""Names and places in a text: what the network finds, completed by rules on the words around it.

`load_ner` gives the pipeline, `find_names` reads a document it made. Nothing is fetched; the model lies beside this
module.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc

from ds_pipeline.masking.ner.handles import find_handles
from ds_pipeline.masking.ner.pipeline import load_pipeline, tagger_of

MODEL = Path(__file__).parent / "model"
_PARTICLES = re.compile(r"(?:van|von|der|den|del?|della|d[aiou]|dos|l[ae]|[ae]l|bin|ibn|ben|binti|te[rn]|zu|af|abu)")
_NO_NAME = frozenset("DST")  # tags of days, titles and kinds of street
Found = tuple[int, int, str]


@cache
def load_ner() -> Language:
    """The shipped pipeline, loaded once per process; entities are PERSON, LOCATION and ORG."""
    return load_pipeline(MODEL)


def find_names(doc: Doc) -> list[Found]:
    """People and places of a document as (start, end, PERSON or LOCATION), in characters, sorted, without overlap."""
    handles = list(find_handles(doc.text, tagger_of(load_ner()).gazetteer))
    words = _Words(doc)
    people = {place for ent in words.ents if ent.label_ == "PERSON" for place in range(ent.start, ent.end)}
    people |= set(_titled(words)) | set(_listed(words))
    people |= set(_repeated(words, people))
    people |= set(_continued(words, people))
    places = [(ent.start_char, ent.end_char) for ent in words.ents if ent.label_ == "LOCATION"]
    places += [words.span(place, place) for place in _countries(words)]
    spans = [(*span, "PERSON") for span in _runs(words, people)] + [(*span, "LOCATION") for span in places]
    people_or_apart = [span for span in spans if not _is_in_doubt(span, handles)]
    return sorted([*people_or_apart, *((start, end, "PERSON") for start, end, holds_name in handles if holds_name)])


class _Words:
    """The words of a document with their tags, read once; sets hold places of words."""

    def __init__(self, doc: Doc) -> None:
        self.ents = doc.ents
        self.taken = {place for ent in self.ents for place in range(ent.start, ent.end)}
        self.texts = [token.text for token in doc]
        self.tags = [token.tag_ for token in doc]
        capitals = [(place, tag) for place, (text, tag) in enumerate(zip(self.texts, self.tags, strict=True))
                    if text[0].isupper() and text.isalpha()]  # fmt: skip
        self.capitalised = {place for place, tag in capitals if _NO_NAME.isdisjoint(tag)}
        self.name_like = {place for place in self.capitalised if "W" not in self.tags[place]}
        self._doc = doc

    def __len__(self) -> int:
        return len(self.texts)

    def is_spaced(self, place: int) -> bool:
        """Whether one space follows the word."""
        return bool(self._doc[place].whitespace_)

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The characters of neighbouring words."""
        return self._doc[first].idx, self._doc[last].idx + len(self.texts[last])


def _is_in_doubt(span: Found, handles: list[tuple[int, int, bool]]) -> bool:
    """A handle is nothing but a handle: the network takes it for a place, or goes on behind it."""
    start, end, label = span
    return any(
        start < stop and begin < end and (holds_name or label != "PERSON" or end > stop)
        for begin, stop, holds_name in handles
    )


def _runs(words: _Words, people: set[int]) -> Iterable[tuple[int, int]]:
    """Neighbouring words of people as one span, but not across two entities of the network."""
    starts = {ent.start for ent in words.ents}
    run: list[int] = []
    for place in sorted(people):
        if run and (run[-1] + 1 != place or place in starts):
            yield words.span(run[0], run[-1])
            run = []
        run.append(place)
    if run:
        yield words.span(run[0], run[-1])


def _countries(words: _Words) -> Iterable[int]:
    return (
        place
        for place, tag in enumerate(words.tags)
        if tag == "C" and words.texts[place][0].isupper() and place not in words.taken
    )


def _titled(words: _Words) -> Iterable[int]:
    """Capitalised words after Mr, Mrs, Dr."""
    for place, tag in enumerate(words.tags[:-1]):
        if "T" in tag and words.texts[place][0].isupper() and place not in words.taken:
            following = place + 1
            if words.texts[following] == "." and following + 1 < len(words):
                following += 1
            if following in words.name_like and following not in words.taken:
                yield following


def _listed(words: _Words) -> Iterable[int]:
    """A first name and a surname, both capitalised: rare ones if they are no other words, frequent ones in any case."""
    free = words.capitalised - words.taken
    for place in free:
        if place + 1 in free and words.is_spaced(place):
            first, last = words.tags[place], words.tags[place + 1]
            is_first = first[:1] in ("F", "f") and "w" not in first and "C" not in first
            is_last = ("L" in last or "l" in last) and "w" not in last
            # Words too, but both are frequent names.
            is_pair = "F" in first and "L" in last and "C" not in first
            if is_pair or (is_first and is_last):
                yield from (place, place + 1)


def _repeated(words: _Words, people: set[int]) -> Iterable[int]:
    """Other places of a word that is part of a name somewhere in the document."""
    known = {words.texts[place].lower() for place in people & words.name_like if len(words.texts[place]) > 2}
    return (place for place in words.name_like - words.taken if words.texts[place].lower() in known)


def _continued(words: _Words, people: set[int]) -> Iterable[int]:
    """What goes on right after a name: a surname, after a particle or a hyphen too."""
    used, joinable = words.taken | people, words.name_like - words.taken
    for place in sorted(people):
        step = place + 1
        while step < len(words) and step not in used:
            is_joined = step + 1 in joinable
            if words.is_spaced(step - 1):
                is_surname = step in words.name_like and bool(words.tags[step]) and "C" not in words.tags[step]
                if not is_surname and not (is_joined and _PARTICLES.fullmatch(words.texts[step].lower())):
                    break
                yield step
                step += 1
            elif words.texts[step] == "-" and not words.is_spaced(step) and is_joined:
                yield from (step, step + 1)
                step += 2
            else:
                break
