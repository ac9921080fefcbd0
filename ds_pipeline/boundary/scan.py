"""The independent leak scan: whatever the masking did or forgot, no identifier passes here.

It shares no code, no pattern and no library with the rest of this stage, so that one mistake cannot blind both.
It is stricter about what counts than the masking: what it reports, the masking would have replaced.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc


@dataclass(frozen=True, order=True)
class Finding:
    """Cells of one column that hold one kind of identifier; never the identifier."""

    column: str
    kind: str
    cells: int


class TextColumn(NamedTuple):
    """The distinct texts of a column, and in how many cells each of them is."""

    name: str
    texts: list[str]
    cells: np.ndarray


def scan_columns(columns: Iterable[TextColumn]) -> list[Finding]:
    """What looks like an identifier, by column and kind: email, phone, card, iban, ip, ssn and birth_date."""
    return sorted(finding for column in columns for finding in _scan_column(column))


def text_columns(frame: pd.DataFrame) -> Iterator[TextColumn]:
    """The texts of each column of a frame, and of each level of its index, that can hold text.

    Looked for in strings, bytes and categories, used or not, and inside lists and dicts.
    """
    columns = [(str(name), column) for name, column in frame.items()]
    levels = [frame.index.get_level_values(level) for level in range(frame.index.nlevels)]
    columns += [(str(level.name or "index"), level.to_series()) for level in levels]
    for name, column in columns:
        if _may_hold_text(column.dtype):
            yield TextColumn(name, *_distinct_texts(column))


def texts_with_identifiers(texts: list[str]) -> np.ndarray:
    """Which texts hold something that looks like an identifier, as a mask."""
    mask = np.zeros(len(texts), dtype=bool)
    for _, places in _places(texts):
        mask[places] = True
    return mask


def _scan_column(column: TextColumn) -> Iterator[Finding]:
    for kind, places in _places(column.texts):
        yield Finding(column.name, kind, int(column.cells[places].sum()))


def _places(texts: list[str]) -> Iterator[tuple[str, list[int]]]:
    """For each kind that occurs, the positions of the texts that hold one."""
    plain = pc.replace_substring_regex(pa.array([plain_text(text) for text in texts], pa.large_string()), _UUID, "|")
    undated = pc.replace_substring_regex(plain, _DATE_TIME, "|")
    for kind, (gate, needs_dates, holds) in _KINDS.items():
        haystack = plain if needs_dates else undated
        suspects = np.flatnonzero(pc.match_substring_regex(haystack, gate).to_numpy(zero_copy_only=False))
        places = [int(place) for place in suspects if holds(haystack[int(place)].as_py())]
        if places:
            yield kind, places


def _may_hold_text(dtype: Any) -> bool:
    types = pd.api.types
    return not (
        types.is_numeric_dtype(dtype) or types.is_datetime64_any_dtype(dtype) or types.is_timedelta64_dtype(dtype)
    )


def _distinct_texts(column: pd.Series) -> tuple[list[str], np.ndarray]:
    """The distinct texts of a column, and in how many cells each is; a category nobody uses counts as one."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy()
        counts = np.bincount(codes[codes >= 0], minlength=len(column.cat.categories)).clip(min=1)
        return [_text_of(category) for category in column.cat.categories], counts
    cells = column.astype(object).to_numpy()
    try:
        codes, uniques = pd.factorize(cells)
    except TypeError:  # lists and dicts cannot be hashed, the text in them can
        codes, uniques = pd.factorize(np.array([_text_of(cell) for cell in cells], dtype=object))
    return [_text_of(cell) for cell in uniques], np.bincount(codes[codes >= 0], minlength=len(uniques))


def _text_of(cell: Any) -> str:
    """All text in a cell, nested values one a line."""
    match cell:
        case str():
            return cell
        case bytes() | bytearray() | memoryview():
            return bytes(cell).decode("utf-8", "replace")
        case dict():
            return "\n".join(_text_of(part) for pair in cell.items() for part in pair)
        case list() | tuple() | set() | frozenset() | np.ndarray():
            return "\n".join(_text_of(part) for part in cell)
        case None | bool() | float() | Decimal() | np.generic():
            return ""
    return str(cell)


def plain_text(text: str) -> str:
    """The text with compatible forms as ASCII, once without its invisible characters, once with spaces for them."""
    if text.isascii() and text.isprintable():
        return text
    text = unicodedata.normalize("NFKC", text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    visible, spaced = text.translate(_JOINED), text.translate(_SPACED)
    return visible if visible == spaced else f"{visible}\n{spaced}"


class _Plain(dict[int, str]):
    """A translation table, made as characters are met."""

    def __init__(self, hidden: str) -> None:
        self._hidden = hidden

    def __missing__(self, code: int) -> str:
        char, category = chr(code), unicodedata.category(chr(code))
        if category[0] == "Z" or char in "\t\n\r":
            self[code] = "\n" if char == "\n" else " "
        elif category[0] in "CM" or char == "\ufffd":
            self[code] = self._hidden
        else:
            self[code] = {"Nd": str(unicodedata.decimal(char, 0)), "Pd": "-"}.get(category, char)
        return self[code]


_JOINED, _SPACED = _Plain(""), _Plain(" ")

_DATE_TIME = (  # RE2 has no look-around: the edges are words, which a longer row of digits does not have here
    r"\b(?:(?:19|20)\d\d[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:19|20)\d\d)\b"
    r"(?:[T ]\d{1,2}:\d\d(?::\d\d(?:[.,]\d{1,9})?)?)?"
)

# The name of a run, not of a person: some 2 in 10,000 hold the letters and the check digits of an IBAN.
_UUID = r"(?i)\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"


def _has_email(text: str) -> bool:
    return bool(re.search(r"[^\s@<>,;:()]{1,64}@[^\W_][\w-]*(?:\.[\w-]+)*\.(?:[^\W\d_]{2,}|xn--[\w-]+)", text))


def _has_phone(text: str) -> bool:
    shapes = (
        r"(?<![\w+])\+[1-9](?:[ ().\-/]{0,3}\d){7,14}(?!\d)",  # +44 20 7946 0958
        r"(?<![\w.#+-])\(?0[1-9](?:[ ().-]{0,2}\d){8,9}(?![\w-]|[. ]\d)",  # 020 7946 0958
        r"(?<![\w.#+-])(?:1[ .-])?(?:\(\d{3}\) ?|\d{3}[ .-])\d{3}[ .-]\d{4}(?![\w-]|\.\d)",  # (212) 555-0199
        r"(?i)\b(?:tel|phone|mobile|call)[ .:]{1,3}\+?\d(?:[ ().-]{0,2}\d){6,14}(?!\d)",
    )
    return any(re.search(shape, text) for shape in shapes)


def _has_card(text: str) -> bool:
    """A right Luhn digit on 14 to 19 digits, or on 12 and 13 where they are grouped or start as Visa did.

    Numbers that start with 0, 1 or 7 belong to no issuer of payment cards; clock readings and serials do that.
    """
    for row in re.finditer(r"(?<![\w.-])[A-Za-z]*(\d(?:[ -]?\d){11,})[A-Za-z]*(?![\w-])", text):
        groups = re.split("[ -]", row[1])
        for first in range(len(groups)):
            for last in range(first + 1, min(first + 8, len(groups)) + 1):
                number = "".join(groups[first:last])
                short = len(number) < 14 and last - first == 1 and not (len(number) == 13 and number[0] == "4")
                if 12 <= len(number) <= 19 and number[0] in "2345689" and not short and _luhn_sum(number) % 10 == 0:
                    return min(map(len, groups[first : last - 1]), default=4) >= 3
    return False


def _luhn_sum(number: str) -> int:
    return sum(
        int("0246813579"[int(digit)]) if place % 2 else int(digit) for place, digit in enumerate(reversed(number))
    )


_IBAN_LENGTHS = {
    country: int(length)
    for country, length in re.findall(
        r"([A-Z]{2})(\d\d)",
        "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BI27 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DJ27 DK18 DO28 EE20 EG29 "
        "ES24 FI18 FK18 FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 "
        "LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 ME22 MK19 MN20 MR27 MT31 MU30 NI28 NL18 NO15 OM23 PK24 PL28 PS29 PT25 "
        "QA29 RO24 RS22 RU33 SA24 SC31 SD18 SE24 SI19 SK24 SM27 SO23 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20 YE30",
    )
}


def _has_iban(text: str) -> bool:
    for row in re.finditer(r"(?<![A-Z0-9])(?=([A-Z]{2}\d\d(?:[ -]?[A-Z0-9]){11,29}))", text.upper()):
        compact = re.sub("[ -]", "", row[1])
        iban = compact[: _IBAN_LENGTHS.get(compact[:2], 0)]
        rest = int("".join(str(int(char, 36)) for char in iban[4:] + iban[:4]) or 0) % 97
        if rest == 1 and len(iban) == _IBAN_LENGTHS[iban[:2]]:
            return True
    return False


def _has_ip(text: str) -> bool:
    for row in re.findall(
        r"(?<![\w.:-])(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{0,4}){3,7})(?![\w:-]|\.\d)", text
    ):
        try:
            ipaddress.ip_address(row)
        except ValueError:
            continue
        return True
    return False


def _has_ssn(text: str) -> bool:
    return bool(re.search(r"(?<![\w.-])(?!000|666)\d{3}-(?!00)\d\d-(?!0000)\d{4}(?![\w-])", text))


def _has_birth_date(text: str) -> bool:
    return bool(
        re.search(
            r"(?i)\b(?:dob|d\.o\.b\.?|birth ?da(?:te|y)|date of birth|born)\b[^\d\n]{0,12}"
            r"\d{1,4}[-/. ]\d{1,2}[-/. ]\d{2,4}",
            text,
        )
    )


# kind: a gate that RE2 applies to the whole column, whether dates belong to it, and the test of what passes the gate
_KINDS: dict[str, tuple[str, bool, Callable[[str], bool]]] = {
    "birth_date": (r"(?i)\b(?:d\.?o\.?b|birth|born)", True, _has_birth_date),
    "card": (r"\d(?:[ -]?\d){11}", False, _has_card),
    "email": (r"[^\s@]@[^\s@]+\.", False, _has_email),
    "iban": (r"(?i)\b[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]){11}", False, _has_iban),
    "ip": (r"\d\.\d{1,3}\.\d{1,3}\.\d|:[0-9A-Fa-f]{0,4}:[0-9A-Fa-f]{0,4}:", False, _has_ip),
    "phone": (r"\d(?:[ ().\-/]{0,3}\d){6}", False, _has_phone),
    "ssn": (r"\d{3}-\d\d-\d{4}", False, _has_ssn),
}
