"""How a column is called in a message: by its name, or by its position where the name may be a cell.

A file without a header row has the cells of its first person as names.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ds_pipeline.ingestion.shape import PLAIN_NAME

SEVERAL_WORDS = r"(?=.{1,40}$)[^\W\d_]\w*( [\w()/%.-]+){1,4}"  # Order ID; shown where no name looks like a value
NUMBER = r"[+-]?[\d.,' ]*\d[\d.,' ]*%?"
DATE = r"\d{1,4}[-/.]\d{1,2}([-/.]\d{1,4})?([T ].*)?"
FOUND = 0.6  # of a name that is an identifier and nothing else
VAGUE = frozenset({"LOCATION", "PERSON"})  # also found in words that only name a column, such as Vorname

Look = Callable[[Sequence[str]], list[dict[str, float]]]


@dataclass(frozen=True)
class ShownNames:
    """What the columns of a file are called in messages.

    Attributes:
        by_name: each column's name as it is shown.
        may_lack_header: many names could be values.
        lacks_header: most names are values: numbers, dates, addresses and the like.
    """

    by_name: dict[str, str]
    may_lack_header: bool
    lacks_header: bool

    def listed(self, names: Sequence[str]) -> str:
        return ", ".join(self.by_name[name] for name in names)

    def meant(self, text: str) -> str:
        """The column of a name, or of "column 3"."""
        return next((name for name, shown in self.by_name.items() if text == shown), text)

    @property
    def hint(self) -> str:
        return " The names of the columns look like values: is there a header row?" if self.may_lack_header else ""


def shown_names(names: Sequence[str], look: Look | None = None) -> ShownNames:
    """The names of columns as a message may say them.

    Args:
        look: finds identifiers in texts; without it only what is no plain name is called by its position.
    """
    values = {name for name in names if re.fullmatch(rf"{NUMBER}|{DATE}", name) or "@" in name}
    words: set[str] = set()
    if look is not None and names:
        found = dict(zip(names, look(names), strict=True))
        values |= {name for name, kinds in found.items() if _is_found(kinds, is_certain=bool(values))}
        named = {name for name, kinds in found.items() if _is_found(kinds, is_certain=True)}
        words = {name for name in names if not values and name not in named and re.fullmatch(SEVERAL_WORDS, name)}
    odd = values | {name for name in names if name not in words and not re.fullmatch(PLAIN_NAME, name)}
    may_lack_header = bool(values) and 2 * len(odd) >= len(names)
    hidden = set(names) if may_lack_header else odd
    shown = {name: f"column {number}" if name in hidden else name for number, name in enumerate(names, start=1)}
    return ShownNames(shown, may_lack_header, lacks_header=may_lack_header and 2 * len(values) >= len(names))


def _is_found(kinds: dict[str, float], *, is_certain: bool) -> bool:
    """Whether a name is an identifier; a mere word counts as a person's where other names are values for certain."""
    return "SCAN" in kinds or any(part >= FOUND and (is_certain or kind not in VAGUE) for kind, part in kinds.items())
