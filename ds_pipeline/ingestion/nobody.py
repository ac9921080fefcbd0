"""Words for nobody in an identifier beyond NULL_WORDS: taken for a person, one would own the rows of all guests."""

from __future__ import annotations

from collections.abc import Mapping

WORDS = frozenset(
    {
        "unknown",
        "undefined",
        "unspecified",
        "missing",
        "anonymous",
        "guest",
        "nobody",
        "not available",
        "n.a.",
        "-",
        "?",
    }
)  # no number of a person is called so
NUMBERS = frozenset({"0", "-1", "00000000-0000-0000-0000-000000000000"})  # these may be somebody's
FAR_MORE = 3.0  # times the rows of any other person


def words_for_nobody(rows_of: Mapping[str, int], most_of_others: int) -> dict[str, int]:
    """Which of the values are words for nobody, with the rows of each, the most frequent first.

    Args:
        rows_of: the rows of each value that may be one, as it is written.
        most_of_others: the most rows that any other value has.
    """
    certain = {
        word: rows
        for word, rows in rows_of.items()
        if rows and (word.lower() in WORDS or (word in NUMBERS and rows >= FAR_MORE * most_of_others))
    }
    return dict(sorted(certain.items(), key=lambda word: (-word[1], word[0])))


def candidates() -> list[str]:
    """Every way in which such a word is looked for where only its pseudonym is known."""
    return sorted({form for word in WORDS | NUMBERS for form in (word, word.upper(), word.capitalize())})
