"""What stands for an identifier: its kind in angle brackets, and for persons a number.

The persons of a row are numbered by their first appearance, the same one with the same number in all texts of the
row: who said what to whom stays readable. Only persons get a number: a second e-mail address or place of a row seldom
carries meaning, and numbers would make texts that differ in nothing else unequal.
"""

from collections.abc import Iterable

from ds_pipeline.masking.reading.words import WORD, fold, listed

_NO_PART = listed(
    """
    mr mrs ms mx miss dr prof herr frau monsieur madame mme sr sra van de von der den del da di la le el al bin
    jr sn
    """
)


class People:
    """The persons of one row."""

    def __init__(self, owner: Iterable[str] = ()) -> None:
        """`owner`: the folded words of the names of the person whose row it is."""
        self._words = [set(owner)]
        self._numbers: dict[int, int] = {}

    def placeholder(self, mention: str, *, is_owner: bool) -> str:
        """`<PERSON_1>`, `<PERSON_2>`, ... for a name as it stands in a text."""
        words = {word for word in map(fold, WORD.findall(mention)) if word not in _NO_PART}
        person = 0 if is_owner else self._known(words)
        self._words[person] |= {word for word in words if len(word) > 1}
        return f"<PERSON_{self._numbers.setdefault(person, len(self._numbers) + 1)}>"

    def _known(self, words: set[str]) -> int:
        for person, known in enumerate(self._words):
            if _is_same(words, known):
                return person
        self._words.append(set())
        return len(self._words) - 1


def _is_same(words: set[str], known: set[str]) -> bool:
    """Whether one is part of the other, an initial standing for any word that begins with it."""
    full = {word for word in words if len(word) > 1}
    initials = {word for word in words if len(word) == 1}
    if not full & known or not (full <= known or known <= full):
        return False
    others = known - full
    return not others or all(any(word.startswith(initial) for word in others) for initial in initials)
