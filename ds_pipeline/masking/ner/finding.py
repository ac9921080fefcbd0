"""Names and places in a text: what the network finds, completed by rules on the words around it.

`load_ner` gives the pipeline, `find_names` reads a document it made. Nothing is fetched; the model lies beside this
module.
"""

import re
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Token

from ds_pipeline.masking.ner.handles import find_handles
from ds_pipeline.masking.ner.pipeline import load_pipeline, tagger_of

MODEL = Path(__file__).parent / "model"
_PARTICLES = re.compile(r"(?:van|von|der|den|del?|della|d[aiou]|dos|l[ae]|[ae]l|bin|ibn|ben|binti|te[rn]|zu|af|abu)")
Found = tuple[int, int, str]


@cache
def load_ner() -> Language:
    """The shipped pipeline, loaded once per process; entities are PERSON, LOCATION and ORG."""
    return load_pipeline(MODEL)


def find_names(doc: Doc) -> list[Found]:
    """People and places of a document as (start, end, PERSON or LOCATION), in characters, sorted, without overlap."""
    handles = list(find_handles(doc.text, tagger_of(load_ner()).gazetteer))
    people = {token.i for ent in doc.ents if ent.label_ == "PERSON" for token in ent}
    taken = {token.i for ent in doc.ents for token in ent}
    people |= set(_titled(doc, taken)) | set(_listed(doc, taken))
    people |= set(_repeated(doc, people, taken))
    people |= set(_continued(doc, people, taken))
    places = [ent for ent in doc.ents if ent.label_ == "LOCATION"]
    countries = [doc[i : i + 1] for i in range(len(doc)) if i not in taken and _is_country(doc[i])]
    spans = [(start, end, "PERSON") for start, end in _runs(doc, people)]
    spans += [(ent.start_char, ent.end_char, "LOCATION") for ent in [*places, *countries]]
    people_or_apart = [span for span in spans if not _is_in_doubt(span, handles)]
    return sorted([*people_or_apart, *((start, end, "PERSON") for start, end, holds_name in handles if holds_name)])


def _is_in_doubt(span: Found, handles: list[tuple[int, int, bool]]) -> bool:
    """A handle is nothing but a handle: the network takes it for a place, or goes on behind it."""
    start, end, label = span
    return any(
        start < stop and begin < end and (holds_name or label != "PERSON" or end > stop)
        for begin, stop, holds_name in handles
    )


def _runs(doc: Doc, people: set[int]) -> Iterable[tuple[int, int]]:
    """Neighbouring tokens of people as one span, but not across two entities of the network."""
    starts = {ent.start for ent in doc.ents}
    run: list[Token] = []
    for index in sorted(people):
        if run and (run[-1].i + 1 != index or index in starts):
            yield run[0].idx, run[-1].idx + len(run[-1])
            run = []
        run.append(doc[index])
    if run:
        yield run[0].idx, run[-1].idx + len(run[-1])


def _is_name_like(token: Token) -> bool:
    return token.is_alpha and token.text[0].isupper() and not any(letter in token.tag_ for letter in "WDST")


def _is_country(token: Token) -> bool:
    return token.tag_ == "C" and token.text[0].isupper()


def _is_capitalised(token: Token) -> bool:
    """A word with a capital that is no day, title or kind of street."""
    return token.is_alpha and token.text[0].isupper() and not any(letter in token.tag_ for letter in "DST")


def _titled(doc: Doc, taken: set[int]) -> Iterable[int]:
    """Capitalised words after Mr, Mrs, Dr."""
    for token in doc[:-1]:
        if token.tag_ and "T" in token.tag_ and token.text[0].isupper() and token.i not in taken:
            following = doc[token.i + 1]
            if following.text == "." and token.i + 2 < len(doc):
                following = doc[token.i + 2]
            if following.i not in taken and _is_name_like(following):
                yield following.i


def _listed(doc: Doc, taken: set[int]) -> Iterable[int]:
    """A first name and a surname, both capitalised: rare ones if they are no other words, frequent ones in any case."""
    for token in doc[:-1]:
        following = doc[token.i + 1]
        if not {token.i, following.i} & taken and _is_capitalised(token) and _is_capitalised(following):
            is_first = token.tag_[:1] in ("F", "f") and not any(letter in token.tag_ for letter in "wC")
            is_last = any(letter in following.tag_ for letter in "Ll") and "w" not in following.tag_
            # Words too, but both are frequent names.
            is_pair = "F" in token.tag_ and "L" in following.tag_ and "C" not in token.tag_
            if (is_pair or (is_first and is_last)) and token.whitespace_ == " ":
                yield token.i
                yield following.i


def _repeated(doc: Doc, people: set[int], taken: set[int]) -> Iterable[int]:
    """Other places of a word that is part of a name somewhere in the document."""
    known = {doc[index].lower_ for index in people if len(doc[index]) > 2 and _is_name_like(doc[index])}
    return (token.i for token in doc if token.i not in taken and token.lower_ in known and _is_name_like(token))


def _continued(doc: Doc, people: set[int], taken: set[int]) -> Iterable[int]:
    """What goes on right after a name: a surname, after a particle or a hyphen too."""
    for index in sorted(people):
        step = index + 1
        while step < len(doc) and not {step} & (taken | people):
            last, token = doc[step - 1], doc[step]
            following = doc[step + 1] if step + 1 < len(doc) else None
            is_joined = following is not None and following.i not in taken and _is_name_like(following)
            if last.whitespace_ == " ":
                is_surname = _is_name_like(token) and bool(token.tag_) and "C" not in token.tag_
                if not is_surname and not (is_joined and _PARTICLES.fullmatch(token.lower_)):
                    break
                yield step
                step += 1
            elif token.text == "-" and not token.whitespace_ and is_joined:
                yield from (step, step + 1)
                step += 2
            else:
                break
