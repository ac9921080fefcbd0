"""Values that differ in nothing but upper and lower case or blanks: one value, written in more than one way."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

MOST_VALUES = 255  # of a column of categories; codes that have more may mean something by their case


def bare(value: str) -> str:
    """The value without what does not count: case, blanks around it, and how many stand between."""
    return " ".join(value.split()).casefold()


def by_spelling(counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """The spellings of each value that is written in more than one way, the most frequent first.

    Args:
        counts: rows by value.
    """
    found: dict[str, dict[str, int]] = defaultdict(dict)
    for value, rows in sorted(counts.items(), key=lambda counted: (-counted[1], counted[0])):
        found[bare(value)][value] = rows
    return {value: spellings for value, spellings in found.items() if len(spellings) > 1}


def spelled_apart(counts: Mapping[str, int]) -> tuple[int, int]:
    """How many values are written in more than one way, and how many rows do not have the most frequent one."""
    groups = by_spelling(counts) if len(counts) <= MOST_VALUES else {}
    return len(groups), sum(sum(list(spellings.values())[1:]) for spellings in groups.values())
