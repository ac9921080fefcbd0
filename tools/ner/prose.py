"""Real prose with labels: the human-labelled WNUT-17 texts, and the glosses of WordNet with its own proper names.

Without prose that nobody made for the purpose the network takes every capital for a name. Neither source is shipped;
both are given by path.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ds_pipeline.errors import SourceError

_LABELS = {"person": "PERSON", "location": "LOCATION", "corporation": "ORG", "group": "ORG"}
_NO_SPACE_BEFORE = re.compile(r"[.,!?;:%)\]}…]+|'(?:s|m|re|ve|ll|d|S)|n't|’(?:s|m|re|ve|ll|d)|n’t", re.I)
_NO_SPACE_AFTER = frozenset(["(", "[", "{", "#", "$", "£", "€"])
_QUOTES = frozenset(['"', "'", "“", "”", "‘", "’"])


class LabelledText(NamedTuple):
    """A text and its entities as (start, end, label) in characters, from left to right."""

    text: str
    spans: list[tuple[int, int, str]]


def read_wnut17(path: Path) -> list[LabelledText]:
    """The texts of a WNUT-17 file in CoNLL columns (word, BIO label), with spaces as people set them.

    Raises:
        SourceError: the file is missing, or a line has no known label.
    """
    if not path.is_file():
        raise SourceError(f"WNUT-17: expected the file {path.name} in the folder given, found none.")
    texts, words, labels = [], [], []
    for number, line in enumerate([*path.read_text(encoding="utf-8").splitlines(), ""], start=1):
        if line.strip():
            word, _, label = line.strip().partition("\t")
            if not re.fullmatch(r"O|[BI]-[a-z-]+", label):
                raise SourceError(f"{path.name}, line {number}: expected a word and a BIO label with a tab between.")
            words.append(word)
            labels.append(label)
        elif words:
            texts.append(_joined(words, labels))
            words, labels = [], []
    return texts


def _joined(words: list[str], labels: list[str]) -> LabelledText:
    text, glue = "", True
    spans: list[tuple[int, int, str]] = []
    open_quotes: set[str] = set()
    for position, (word, label) in enumerate(zip(words, labels, strict=True)):
        is_closing = word in open_quotes
        next_word = words[position + 1] if position + 1 < len(words) else ""
        is_split_clitic = word in "'’´" and bool(re.fullmatch(r"s|m|re|ve|ll|d|t", next_word, re.I))
        if text and not (glue or is_closing or is_split_clitic or _NO_SPACE_BEFORE.fullmatch(word)):
            text += " "
        glue = word in _NO_SPACE_AFTER or is_split_clitic
        if word in _QUOTES and not is_split_clitic:
            glue = not is_closing
            open_quotes ^= {word}
        start = len(text)
        text += word
        kind = _LABELS.get(label[2:])
        if kind and label[0] == "I" and spans and spans[-1][2] == kind and labels[position - 1][2:] == label[2:]:
            spans[-1] = (spans[-1][0], len(text), kind)
        elif kind:
            spans.append((start, len(text), kind))
    return LabelledText(text, spans)


_PROPER = re.compile(
    r"[^\W\d_a-z]\w*(?:['’.-]\w+)*\.?(?:(?: (?:of|the|de|da|van|von|der|la|le|and|du))* [^\W\d_a-z][\w'’.-]*)*"
)
_LEXICOGRAPHER = {"15": "LOCATION", "18": "PERSON", "14": "ORG"}
_NOBODY = frozenset({"I", "God", "Lord", "Christ", "Jesus", "Allah", "Man", "O"})  # in WordNet, names or places
_EXAMPLE = re.compile(r'"([^"]{8,})"')


def read_wordnet(folder: Path) -> list[LabelledText]:
    """Definitions and examples of WordNet whose capitalised words are all names or words that WordNet knows.

    A text with a capitalised word, other than its first, that WordNet does not have is left out.

    Raises:
        SourceError: the folder has no data.noun.
    """
    if not (folder / "data.noun").is_file():
        raise SourceError("WordNet: expected the folder with data.noun (Debian package wordnet-base), found none.")
    kinds = _proper_names(folder)
    found: set[str] = set()
    for part in ("noun", "verb", "adj", "adv"):
        for line in (folder / f"data.{part}").read_text(encoding="utf-8").splitlines():
            if not line.startswith(" "):
                found.update(_texts(line.partition(" | ")[2].strip()))
    labelled = (_label(text, kinds) for text in sorted(found))
    return [text for text in labelled if text is not None]


def _texts(gloss: str) -> Iterator[str]:
    for example in _EXAMPLE.findall(gloss):
        yield example.strip()
    definition = re.sub(r"[;:]?\s*\"[^\"]*\"", "", gloss).strip(" ;:")
    if len(definition) > 25:
        yield definition


def _proper_names(folder: Path) -> dict[str, set[str]]:
    """For each capitalised lemma: the labels it can have, `O` for things, days, peoples and so on."""
    kinds: dict[str, set[str]] = {}
    for part in ("noun", "adj"):
        for line in (folder / f"data.{part}").read_text(encoding="utf-8").splitlines():
            if line.startswith(" "):
                continue
            fields = line.split(" ")
            is_instance = " @i " in line
            label = _LEXICOGRAPHER.get(fields[1], "O") if is_instance or fields[1] in ("14", "15") else "O"
            for lemma in fields[4 : 4 + 2 * int(fields[3], 16) : 2]:
                name = re.sub(r"\(.*\)", "", lemma).replace("_", " ")
                if name[0].isupper():
                    kinds.setdefault(name, set()).add(label)
    return kinds


def _label(text: str, kinds: dict[str, set[str]]) -> LabelledText | None:
    spans = []
    for match in _PROPER.finditer(text):
        name, start = match.group().rstrip("."), match.start()
        base = re.sub(r"['’]s?$", "", name)
        known = kinds.get(base)
        if base in _NOBODY or base.startswith(("I'", "I’")):
            continue
        if known is None and start == 0:
            first, _, rest = base.partition(" ")
            if rest or first.lower() == first or not first[1:].islower():
                return None
            continue
        if known is None or len(known) > 1:
            return None
        (label,) = known
        if label != "O":
            spans.append((start, start + len(base), label))
    return LabelledText(text, spans)
