"""What is known of a word by itself: first name, surname, place, common word, written on each token as its tag.

A tag is a row of letters, such as `FL` or `LpW`: first name (F, rare f), surname (L, l), country or state (C), city (P,
other place p), word of the language (W, rare w), title (T), day or month (D), kind of street (S). The network reads
the tag as one more feature of the word and decides with the words around it. Case and accents do not matter here.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from spacy.attrs import ORTH, TAG
from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

UNKNOWN = "U"
_NOT_A_WORD = ""
_CACHED_WORDS = 20_000
_PLAIN = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d",
                        "ə": "e", "’": None, "'": None, "ʻ": None, "`": None})  # fmt: skip


@lru_cache(maxsize=16_384)
def fold(word: str) -> str:
    """The word in lower case without accents and apostrophes: `O’Brien` is `obrien`, `Łukasz` is `lukasz`."""
    plain = word.lower().translate(_PLAIN)
    if plain.isascii():
        return plain
    return "".join(char for char in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(char))


class Gazetteer:
    """Tags of words, by the folded word."""

    def __init__(self, tags: Mapping[str, str]) -> None:
        self._tags = dict(tags)

    @classmethod
    def read(cls, path: Path) -> "Gazetteer":
        """From the file that `write` made: one line per tag, the tag and then its words."""
        tags: dict[str, str] = {}
        for line in path.read_text(encoding="ascii").splitlines():
            tag, *words = line.split(" ")
            tags.update(dict.fromkeys(words, tag))
        return cls(tags)

    def write(self, path: Path) -> None:
        """One line per tag; tags and words sorted, so that the same lists make the same bytes."""
        lines: dict[str, list[str]] = {}
        for word, tag in self._tags.items():
            lines.setdefault(tag, []).append(word)
        text = "".join(" ".join([tag, *sorted(words)]) + "\n" for tag, words in sorted(lines.items()))
        path.write_text(text, encoding="ascii")

    def __len__(self) -> int:
        return len(self._tags)

    def tag(self, word: str) -> str:
        """The letters known of a word; UNKNOWN for a word in no list, empty for what is not a word."""
        if not any(char.isalpha() for char in word):
            return _NOT_A_WORD
        plain = fold(word)
        return self._tags.get(plain) or self._tags.get(re.sub(r"[^a-z]", "", plain), UNKNOWN)

    def tags(self) -> set[str]:
        return {*self._tags.values(), UNKNOWN, _NOT_A_WORD}


class GazetteerTagger:
    """A component that sets `token.tag_`; what it learns of a word it keeps, in bounded memory."""

    def __init__(self, vocab: Vocab, gazetteer: Gazetteer | None = None) -> None:
        self._vocab = vocab
        self._known: dict[int, int] = {}
        self.use(gazetteer or Gazetteer({}))

    def use(self, gazetteer: Gazetteer) -> None:
        self.gazetteer = gazetteer
        self._known.clear()
        for tag in sorted(gazetteer.tags()):
            self._vocab.strings.add(tag)

    def __call__(self, doc: Doc) -> Doc:
        words = doc.to_array(ORTH).tolist()
        known = self._known
        missing = {word for word in words if word not in known}
        if missing:
            if len(known) > _CACHED_WORDS:
                known.clear()
                missing = set(words)
            strings = self._vocab.strings
            known.update({word: strings[self.gazetteer.tag(strings[word])] if word else 0 for word in missing})
        if words:
            tags: Any = np.array([[known[word]] for word in words], dtype="uint64")
            doc.from_array([TAG], tags)
        return doc

    def pipe(self, docs: Iterable[Doc], **_: object) -> Iterable[Doc]:
        return map(self, docs)

    def to_disk(self, path: Path, **_: object) -> None:
        self.gazetteer.write(Path(path).with_suffix(".txt"))

    def from_disk(self, path: Path, **_: object) -> "GazetteerTagger":
        self.use(Gazetteer.read(Path(path).with_suffix(".txt")))
        return self


@Language.factory("gazetteer", assigns=["token.tag"])
def make_gazetteer_tagger(nlp: Language, name: str) -> GazetteerTagger:
    """The component as spaCy makes it: empty until a folder or a gazetteer is given."""
    return GazetteerTagger(nlp.vocab)
