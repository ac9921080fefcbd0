"""A text as the values of its owner are looked up in it: its folded words, its letters and digits in one row, its dates."""  # noqa: E501

import re
from collections.abc import Iterator
from datetime import date, datetime
from functools import cached_property

from ds_pipeline.masking.reading.folding import View, views
from ds_pipeline.masking.reading.words import fold

Day = tuple[int, int, int]

_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]{1,40}")
_MONTH_NUMBERS = {
    name: number
    for number, names in enumerate(
        [
            "jan ene gen sty",
            "feb fev fév lut",
            "mar mär mrz",
            "apr avr abr kwi",
            "may mai mei maj mag",
            "jun juin giu cze",
            "jul juil lug lip",
            "aug ago aou aoû sie",
            "sep set wrz",
            "oct okt out ott paz paź",
            "nov lis",
            "dec dez dic déc gru",
        ],
        start=1,
    )
    for name in names.split()
}
_NAMED = "|".join(sorted({*_MONTH_NUMBERS, *map(fold, _MONTH_NUMBERS)}, key=lambda name: (-len(name), name)))
_DATE = re.compile(
    rf"(?<!\d)(?:(?P<a>\d{{1,4}})\s?(?P<sep>[-/. ])\s?(?P<b>\d{{1,2}})\s?(?P=sep)\s?(?P<c>\d{{4}}|\d{{1,2}})|(?P<row>\d{{8}})"  # noqa: E501
    rf"|(?P<d>\d{{1,2}})(?:st|nd|rd|th|\.)?[\s.-]{{0,2}}(?:of\s|de\s)?(?P<m>{_NAMED})\w{{0,7}}[\s.,-]{{0,3}}(?:de\s)?(?P<y>\d{{4}}|\d\d))(?!\d)"
    rf"|\b(?P<m2>{_NAMED})\w{{0,7}}[\s.]{{0,2}}(?P<d2>\d{{1,2}})(?:st|nd|rd|th)?[\s,.]{{1,3}}(?P<y2>\d{{4}})(?!\d)",
    re.IGNORECASE,
)


class PreparedText:
    """The parts of one text; each is worked out when it is first asked for."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def views(self) -> list[View]:
        return list(views(self.text))

    @cached_property
    def _tokens(self) -> list[list[str]]:
        return [_TOKEN.findall(fold_text(view.text)) for view in self.views]

    @cached_property
    def words(self) -> frozenset[str]:
        """Folded words and rows of digits."""
        return frozenset(token for tokens in self._tokens for token in tokens)

    @cached_property
    def row(self) -> str:
        """All letters and digits, folded, without what stands between them."""
        return "\n".join("".join(tokens) for tokens in self._tokens)

    @cached_property
    def days(self) -> dict[Day, list[tuple[int, int]]]:
        """The days that may be meant by what looks like a date, and where each stands in the text."""
        found: dict[Day, list[tuple[int, int]]] = {}
        for view in self.views:
            for match in _DATE.finditer(view.text):
                for day in _days(match):
                    found.setdefault(day, []).append(view.original_span(*match.span()))
        return found


def fold_text(text: str) -> str:
    """The folded text; only what is not ASCII is looked at by itself."""
    return text.lower() if text.isascii() else _NOT_ASCII.sub(_fold_match, text.lower())


def _fold_match(match: re.Match[str]) -> str:
    return fold(match[0])


def days_of(value: object) -> set[Day]:
    """The day of a date, or every day that a text may mean by one."""
    if isinstance(value, datetime | date):
        return {(value.year, value.month, value.day)}
    return {day for match in _DATE.finditer(str(value)) for day in _days(match)}


def _days(match: re.Match[str]) -> Iterator[Day]:
    if match["row"]:
        row = match["row"]
        readings = [(row[:4], row[4:6], row[6:]), (row[4:], row[2:4], row[:2]), (row[4:], row[:2], row[2:4])]
    elif match["a"]:
        first, middle, last = match["a"], match["b"], match["c"]
        readings = [(first, middle, last)] if len(first) == 4 else [(last, middle, first), (last, first, middle)]
        if len(first) == 2 and len(last) == 2:
            readings.append((first, middle, last))
    else:
        month = match["m"] or match["m2"]
        readings = [(match["y"] or match["y2"], str(_month(month)), match["d"] or match["d2"])]
    for year, month, day in readings:
        if 1 <= int(month) <= 12 and 1 <= int(day) <= 31:
            for century in ("",) if len(year) == 4 else ("19", "20"):
                yield int(century + year), int(month), int(day)


def _month(name: str) -> int:
    return _FOLDED_MONTHS[fold(name)]


_FOLDED_MONTHS = {fold(name): number for name, number in _MONTH_NUMBERS.items()}
