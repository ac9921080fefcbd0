"""Words one slip of the keyboard away: a letter more, less, other, or two swapped.

The words of all texts met so far are indexed by what is left of them without one letter; a slip of a name shares
such a rest with it. What is found for a text depends on its own words alone.
"""

from collections.abc import Iterable

SHORTEST = 5  # shorter names are one slip away from too many other words
_MOST_WORDS = 200_000


class TypoIndex:
    """Words to be searched for slips."""

    def __init__(self) -> None:
        self._words: set[str] = set()
        self._by_rest: dict[str, list[str]] = {}

    def add(self, words: Iterable[str]) -> None:
        if len(self._words) > _MOST_WORDS:  # a text still has its own words: they are added right before they are asked
            self._words.clear()
            self._by_rest.clear()
        for word in words:
            if word not in self._words and len(word) >= SHORTEST - 1 and word.isalpha():
                self._words.add(word)
                for rest in rests(word):
                    self._by_rest.setdefault(rest, []).append(word)

    def near(self, rests_of_name: Iterable[str]) -> set[str]:
        """The words that share a rest with a name; a few of them are two slips away."""
        found: set[str] = set()
        for rest in rests_of_name:
            found.update(self._by_rest.get(rest, ()))
        return found


def rests(word: str) -> set[str]:
    """The word, and the word without each one of its letters."""
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


def is_slip(word: str, name: str) -> bool:
    """Whether one insertion, deletion, substitution or swap of neighbours makes one the other."""
    if word == name or abs(len(word) - len(name)) > 1:
        return False
    start = next((at for at, (one, other) in enumerate(zip(word, name, strict=False)) if one != other), None)
    if start is None:
        return True
    left, right = word[start:], name[start:]
    if len(left) != len(right):
        return left[1:] == right if len(left) > len(right) else left == right[1:]
    return left[1:] == right[1:] or (left[:2] == right[1::-1] and left[2:] == right[2:])
