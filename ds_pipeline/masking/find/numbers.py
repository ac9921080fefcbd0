"""Card and phone numbers: long rows of digits in groups, told from dates, prices, order numbers and product codes.

Both look only at windows of digits; `phonenumbers` is asked about a window, never about a text.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import pairwise

import phonenumbers
import regex  # type: ignore[import-untyped]

from ds_pipeline.masking.reading.starts import limit

Span = tuple[int, int]

_CARD_DIGITS = range(12, 20)
_PHONE_DIGITS = range(7, 18)  # with 00 in front
_MOST_GROUPS = 8

_DAY, _MONTH, _YEAR = "(?:0?[1-9]|[12][0-9]|3[01])", "(?:0?[1-9]|1[0-2])", "(?:19|20)[0-9]{2}"
_NATIONAL_NINE = "56789"  # first digits of nine as Spain, Portugal, Poland and others group them: 612 345 678
_NORDIC = ([2, 2, 2, 2], [3, 2, 3])  # 20 12 34 56, 912 34 567
_NO_NUMBER = regex.compile(
    rf"(?=[0-9])(?<![0-9+])(?<![0-9][-/.])(?:"
    rf"(?:{_YEAR}([-/.]){_MONTH}\1{_DAY}|{_DAY}([-/.])(?:{_MONTH}\2{_YEAR}|{_DAY}\2{_YEAR}|{_MONTH}\2[0-9]{{2}}))"
    rf"(?:[T ][0-9]{{1,2}}:[0-9]{{2}}(?::[0-9]{{2}})?)?"
    rf"|(?<!,)(?!0[0-9])[0-9]{{1,3}}(?:,?[0-9]{{3}})?\.[0-9]{{2}}"
    rf"|97[89](?=[0-9-]{{14}}(?![0-9-]))(?:-[0-9]{{1,7}}){{4}}"  # ISBN
    rf")(?![0-9]|[-/.,][0-9])"
)
_CARD_WINDOW = regex.compile(r"[0-9](?:[\s.\-/_,]{0,2}[0-9]){11,}")
_PHONE_WINDOW = regex.compile(r"[0-9](?:(?:[\s().-]{0,3}|/)[0-9]){6,}")
_GROUP = regex.compile(r"[0-9]+")
_EXTENSION = regex.compile(r"\s{0,2}(?:x|ext\.?|extension)\s{0,2}[0-9]{1,6}(?![0-9])", regex.IGNORECASE)
_PHONE_CUE = regex.compile(
    r"(?:(?<!\p{L})(?:tel|tele?phone|phone|ph|mobile|mob|cell|fax|call|ring|dial|sms|text|whatsapp|contact|reach|handy|landline|telefon|teléfono|téléphone|"
    r"telefoon|telefono|móvil|portable|mobil|gsm)|(?:^|[\n|;,])[ \t]*[tmpf])"
    r"(?:\s+(?:me|us|him|her|them|back|on|at|is|no|nr|number|line)\b|[\s.:#)(=-]){0,6}[+(]?$",
    regex.IGNORECASE,
)
_CUE_REACH, _CUE_SIGNS = 40, 9
_TRUNK_REGIONS = ("GB", "IE", "FR", "NL", "BE", "CH", "SE", "AU", "NZ", "ZA", "IN", "IL", "JP")
_LAX_REGIONS = ("DE", "AT", "IT", "FI")  # their plans admit nearly any length, so they are asked last


def find_cards(text: str) -> Iterator[Span]:
    """Rows of 12 to 19 digits with a right Luhn digit, of any issuer, in groups or in one."""
    if not _CARD_WINDOW.search(text, timeout=limit(text)):
        return
    for window in _CARD_WINDOW.finditer(_without_dates(text), timeout=limit(text)):
        groups = _groups(text, window.span())
        if _is_card(text, groups):  # as a whole in any grouping; a part of it only in groups as cards have them
            yield groups[0][0], groups[-1][1]
        else:
            yield from _first_runs(groups, [lambda run: _has_card_groups(run) and _is_card(text, run)], _CARD_DIGITS)


def find_phones(text: str) -> Iterator[Span]:
    """Phone numbers: international, national with a leading 0, North American, or any after a word like 'call'."""
    if not _PHONE_WINDOW.search(text, timeout=limit(text)):
        return
    blanked = _without_dates(text)
    tests = [lambda run, test=test: test(blanked, run) for test in (_is_valid, _is_shaped, _is_lax, _is_cued)]
    for window in _PHONE_WINDOW.finditer(blanked, timeout=limit(text)):
        for start, end in _first_runs(_groups(blanked, window.span()), tests, _PHONE_DIGITS):
            while start and (text[start - 1] == "+" or (text[start - 1] == "(" and ")" in text[start:end])):
                start -= 1
            extension = _EXTENSION.match(text, end)
            yield start, extension.end() if extension else end


def passes_luhn(digits: str) -> bool:
    doubled = sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (doubled + sum(map(int, digits[-1::-2]))) % 10 == 0


@lru_cache(4)
def _without_dates(text: str) -> str:
    """The text with dates, prices and ISBNs struck out at equal length, so that they join no window."""
    return _NO_NUMBER.sub(lambda match: "|" * len(match[0]), text, timeout=limit(text))


def _groups(text: str, span: Span) -> list[Span]:
    return [match.span() for match in _GROUP.finditer(text, *span)]


def _first_runs(groups: list[Span], tests: Sequence[Callable[[list[Span]], bool]], digits: range) -> Iterator[Span]:
    """From left to right the runs of neighbouring groups that pass a test; the earlier test, then the longer run."""
    first = 0
    while first < len(groups):
        runs = _runs(groups, first, digits)
        run = next((run for test in tests for run in runs if test(run)), None)
        if run:
            yield run[0][0], run[-1][1]
        first += len(run) if run else 1


def _runs(groups: list[Span], first: int, digits: range) -> list[list[Span]]:
    """The runs from one group on that have so many digits, longest first; of eight groups, or all there are."""
    ends = [min(first + _MOST_GROUPS, len(groups)) - length for length in range(_MOST_GROUPS)]
    runs = [groups[first:end] for end in ends if end > first]
    if first == 0 and len(groups) > _MOST_GROUPS:
        runs.insert(0, groups)
    return [run for run in runs if sum(end - start for start, end in run) in digits]


def _digits(text: str, run: Sequence[Span]) -> str:
    return "".join(text[start:end] for start, end in run)


def _is_card(text: str, run: Sequence[Span]) -> bool:
    digits = _digits(text, run)
    return len(digits) in _CARD_DIGITS and passes_luhn(digits)


def _has_card_groups(run: Sequence[Span]) -> bool:
    return all(end - start >= 3 for start, end in run[:-1])


def _is_valid(text: str, run: Sequence[Span]) -> bool:
    """A number that its numbering plan knows."""
    digits = _digits(text, run)
    if text[run[0][0] - 1 : run[0][0]] == "+":
        return _in_plan("+" + digits)
    if digits.startswith("00"):
        return _in_plan("+" + digits[2:])
    if digits.startswith("0") or _touches_word(text, run):
        return False
    if len(digits) == 10 or (len(digits) == 11 and digits[0] == "1"):
        return _in_plan(digits, "US")
    spelled_out = len(run) > 1 and run[0][1] - run[0][0] <= 3 and len(digits) >= 11
    return spelled_out and _in_plan("+" + digits)


def _is_shaped(text: str, run: Sequence[Span]) -> bool:
    """A number written as phones are, in a plan or not: +..., 0 and 9 or 10 more, 447..., 3-3-4."""
    digits = _digits(text, run)
    if text[run[0][0] - 1 : run[0][0]] == "+":
        return 8 <= len(digits) <= 15
    if digits[0] == "0" and digits[1:2] != "0" and len(digits) in (10, 11):
        return not _touches_word(text, run) or any(_in_plan(digits, region) for region in _TRUNK_REGIONS)
    if _touches_word(text, run):
        return False
    if len(digits) == 12 and digits.startswith("447"):
        return True  # a British mobile number as databases hold it
    sizes = [end - start for start, end in run]
    if sizes == [10] and digits[0] in "6789" and _is_cell(text, *run[0]):
        return True  # an Indian mobile number in a table
    after = text[run[-1][1] : run[-1][1] + 2].strip()[:1]
    spaced = len(run) > 1 and all(text[left[1] : right[0]] == " " for left, right in pairwise(run))
    if spaced and (sizes in _NORDIC or (sizes == [3, 3, 3] and digits[0] in _NATIONAL_NINE and not after.isalpha())):
        return text[max(0, run[0][0] - 2) : run[0][0]].strip()[-1:] not in ("$", "£", "€")
    dense = all(right[0] - left[1] <= 2 for left, right in pairwise(run))
    return (
        dense and sizes[-3:] == [3, 3, 4] and (len(run) == 3 or (len(run) == 4 and digits[0] == "1" and sizes[0] == 1))
    )


def _is_lax(text: str, run: Sequence[Span]) -> bool:
    digits = _digits(text, run)
    plausible = digits[0] == "0" and digits[1:2] != "0" and len(run) > 1 and 8 <= len(digits) <= 13
    return (
        plausible
        and not _touches_word(text, run)
        and any(_in_plan(digits, region) for region in _TRUNK_REGIONS + _LAX_REGIONS)
    )


def _is_cued(text: str, run: Sequence[Span]) -> bool:
    start = run[0][0]
    announced = text[max(0, start - _CUE_SIGNS) : start].rstrip(" \t\r\n.:#)(=-+")[-1:].isalpha()
    if not announced or not 7 <= len(_digits(text, run)) <= 15:
        return False
    return bool(_PHONE_CUE.search(text[max(0, start - _CUE_REACH) : start], timeout=limit(text)))


def _is_cell(text: str, start: int, end: int) -> bool:
    """Whether the piece is a quoted cell of a table in the text."""
    return text[start - 1 : start] == text[end : end + 1] != "" and text[end] in "\"'|"


def _touches_word(text: str, run: Sequence[Span]) -> bool:
    """A letter, '_', '#' or a decimal point at its edge makes it part of a code or a quantity."""
    before, after = text[max(0, run[0][0] - 2) : run[0][0]], text[run[-1][1] : run[-1][1] + 1]
    if before[-1:].isalpha() or before[-1:] in ("_", "#") or (before[:1].isalnum() and before[-1:] == "."):
        return True
    return after == "_" or (after.isalpha() and not _EXTENSION.match(text, run[-1][1]))


@lru_cache(5_000)
def _in_plan(number: str, region: str | None = None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False
