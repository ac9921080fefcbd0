"""Numbers that states give to persons. One stands alone only if its form or its check digits leave little to chance;
any other is found after the words that announce it (patterns.py). Check digits that Presidio knows are its own.
"""

import re
from collections.abc import Callable, Iterator
from datetime import date

import regex  # type: ignore[import-untyped]
from presidio_analyzer.predefined_recognizers import (
    EsNieRecognizer,
    EsNifRecognizer,
    FiPersonalIdentityCodeRecognizer,
    InAadhaarRecognizer,
    ItFiscalCodeRecognizer,
)

from ds_pipeline.masking.find.numbers import Span, passes_luhn
from ds_pipeline.masking.reading.starts import digits_of, limit

_spanish, _spanish_foreign, _italian, _finnish, _indian = (
    known().validate_result
    for known in (
        EsNifRecognizer,
        EsNieRecognizer,
        ItFiscalCodeRecognizer,
        FiPersonalIdentityCodeRecognizer,
        InAadhaarRecognizer,
    )
)


def _weighted(digits: str, weights: list[int]) -> int:
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=False))


def _is_date(day: str, month: str, year: str) -> bool:
    try:
        date(int(year) if len(year) == 4 else 2000 + int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _french(number: str) -> bool:
    body = number[:13].replace("2A", "19").replace("2B", "18")
    return body.isdigit() and 97 - int(body) % 97 == int(number[13:])


def _belgian(number: str) -> bool:
    return any(97 - int(century + number[:9]) % 97 == int(number[9:]) for century in ("", "2"))


def _polish(number: str) -> bool:
    month = int(number[2:4]) % 20
    known = _is_date(number[4:6], str(month), number[:2])
    return known and -_weighted(number, [1, 3, 7, 9] * 2 + [1, 3]) % 10 == int(number[10])


def _brazilian(number: str) -> bool:
    if len(set(number)) == 1:
        return False
    checks = [_weighted(number, list(range(size + 1, 1, -1))[:size]) * 10 % 11 % 10 for size in (9, 10)]
    return checks == [int(number[9]), int(number[10])]


def _swedish(number: str) -> bool:
    ten = number[-10:]
    return _is_date(str((int(ten[4:6]) - 1) % 60 + 1), ten[2:4], ten[:2]) and passes_luhn(ten)


def _danish(number: str) -> bool:
    return _is_date(number[:2], number[2:4], number[4:6])


def _swiss(number: str) -> bool:
    return -_weighted(number, [1, 3] * 6) % 10 == int(number[12])


def _canadian(number: str) -> bool:
    return number[0] not in "08" and passes_luhn(number)


def _german_tax(number: str) -> bool:
    counts = sorted(number[:10].count(digit) for digit in set(number[:10]))
    product = 10
    for digit in number[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return counts[-1] in (2, 3) and len(counts) in (8, 9) and (11 - product) % 10 == int(number[10])


def _chinese(number: str) -> bool:
    weights = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2]
    known = _is_date(number[12:14], number[10:12], number[6:10])
    return known and "10X98765432"[_weighted(number, weights) % 11] == number[17]


def _korean(number: str) -> bool:
    return _is_date(number[4:6], number[2:4], number[:2]) and number[6] in "12345678"


def _hong_kong(number: str) -> bool:
    letters, digits = number[:-7].rjust(2), number[-7:-1]
    total = sum((36 if char == " " else ord(char) - 55) * weight for char, weight in zip(letters, (9, 8), strict=True))
    return (-(total + _weighted(digits, [7, 6, 5, 4, 3, 2])) % 11) == int(number[-1], 16)


def _chilean(number: str) -> bool:
    total = sum(int(digit) * (2 + place % 6) for place, digit in enumerate(reversed(number[:-1])))
    return "0K987654321"[total % 11] == number[-1]


def _form_is_enough(_: str) -> bool:
    return True


_B, _E = r"(?<![\w.-])", r"(?![\w-]|\.\d)"
_NUMBERS: list[tuple[str, Callable[[str], bool | None]]] = [
    (r"\d{8}[ -]?[A-HJ-NP-TV-Z]", _spanish),
    (r"[XYZ][ -]?\d{7}[ -]?[A-HJ-NP-TV-Z]", _spanish_foreign),
    (r"[A-Z]{6}[ ]?\d\d[A-EHLMPRST]\d\d[ ]?[A-Z]\d{3}[ ]?[A-Z]", _italian),
    (r"[12][ ]?\d\d[ ]?(?:0[1-9]|1[0-2]|[2-9]\d)[ ]?(?:\d\d|2[AB])[ ]?\d{3}[ ]?\d{3}[ ]?\d\d", _french),
    (r"\d\d\.\d\d\.\d\d-\d{3}[.-]\d\d", _belgian),
    (r"\d{11}", lambda number: _polish(number) or _german_tax(number)),
    (r"\d{2} \d{3} \d{3} \d{3}", _german_tax),
    (r"\d{3}\.\d{3}\.\d{3}-\d\d|\d{11}", _brazilian),
    (r"(?:19|20)?\d{6}[-+]\d{4}", lambda number: _swedish(number) or (len(number) == 10 and _danish(number))),
    (r"\d{6}[-+A-FU-Y]\d{3}[0-9A-FHJ-NPR-Y]", _finnish),
    (r"756\.?\d{4}\.?\d{4}\.?\d{2}", _swiss),
    (r"\d{3}([ -])\d{3}\1\d{3}", _canadian),
    (r"\d{4}([ -])\d{4}\1\d{4}|\d{12}", _indian),
    (r"[A-Z]{3}[ABCFGHLJPT][A-Z]\d{4}[A-Z]", _form_is_enough),
    (r"\d{17}[\dX]", _chinese),
    (r"[A-Z]{1,2}\d{6}\([0-9A]\)", _hong_kong),
    (r"\d{1,2}\.\d{3}\.\d{3}-[\dK]", _chilean),
    (r"\d{6}-\d{7}", _korean),
    (r"[A-Z][AEIOUX][A-Z]{2}\d{6}[HM][A-Z]{5}[0-9A-Z]\d", _form_is_enough),  # Mexican CURP
]
_COMPILED = [(regex.compile(f"{_B}(?:{form}){_E}", regex.IGNORECASE), check) for form, check in _NUMBERS]
_FORMS = "|".join(form for form, _ in _NUMBERS).replace("([ -])", "[ -]").replace(r"\1", "[ -]")
_ANY = regex.compile(f"{_B}(?:{_FORMS}){_E}", regex.IGNORECASE)
_FOUR_DIGITS = re.compile(r"\d(?:[ .+-]?[^\W\d_]?\d){3}")
_LETTERS_BEFORE = 6


def find_national_ids(text: str) -> Iterator[Span]:
    """Numbers of persons in Spain, Italy, France, Belgium, Poland, Germany, Brazil, the Nordic countries, Switzerland,
    Canada, India, China, Korea, Hong Kong, Chile and Mexico, by their check digits or their form."""
    ends = [0] * len(_COMPILED)
    for start in _beginnings(text):
        if not _ANY.match(text, start, timeout=limit(text)):
            continue
        for number, (pattern, check) in enumerate(_COMPILED):
            match = pattern.match(text, start, timeout=limit(text)) if start >= ends[number] else None
            if match:
                ends[number] = match.end()
                if check(_plain(match[0])):
                    yield match.span()


def _beginnings(text: str) -> Iterator[int]:
    """Where such a number may begin: at the first of four digits, or at the letters before it."""
    for digits in digits_of(text):
        if _FOUR_DIGITS.match(text, digits):
            letters = digits - 1 if text[digits - 1 : digits] in ("-", " ") else digits
            start = letters
            while start and letters - start <= _LETTERS_BEFORE and text[start - 1].isalpha():
                start -= 1
            yield from (start, digits) if start < letters else (digits,)


def _plain(number: str) -> str:
    keep = "+-" if regex.fullmatch(r"\d{6}[-+][0-9]{3}[0-9A-Z]", number.upper()) and not number[-4:].isdigit() else ""
    return "".join(char for char in number.upper() if char.isalnum() or char in keep)
