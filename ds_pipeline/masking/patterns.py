"""Identifiers with a form of their own: addresses of people and machines, account numbers, birth dates.

Each function yields the spans of one kind in a plain text (see folding.py). Names, places and street addresses
have no such form and are not found here.
"""

import ipaddress
from collections.abc import Iterator

import regex  # type: ignore[import-untyped]

from ds_pipeline.masking.numbers import TIMEOUT_S, Span

_ANY_CASE = regex.IGNORECASE

_AT = r"(?:\s?@\s?|\s?[\[({]\s?at\s?[\])}]\s?|%40|&\#(?:64|x40);)"
_EMAIL_AT = regex.compile(_AT, _ANY_CASE)
_LOCAL = r"[\w.!$'*+/=?^`~-]"  # without what may begin an encoded @; possessive, so that a text is read once
_EMAIL = regex.compile(
    rf"""(?:"[^"\n]{{1,64}}"|(?<!{_LOCAL}){_LOCAL}++){_AT}"""
    r"(?:(?:[\w-]{1,63}\.){1,8}(?:xn--[\w-]{2,59}|[^\W\d_]{2,63}(?![^\W\d_]))|\[?(?:[0-9]{1,3}\.){3}[0-9]{1,3}\]?)"
    r"|(?<![\w.+-])[^\W\d_][\w.+-]{1,63}@[^\W\d_][\w-]{2,63}\b",  # jane@mailhost, inside a company
    _ANY_CASE,
)
_URL = regex.compile(
    r"""(?:(?:https?|ftps?|sftp|file|mailto|tel|sip)://|(?<![\w.])www[0-9]{0,3}\.)[^\s<>"']+"""
    r"""|(?<![\w.@-])(?:[\w-]{1,63}\.){1,5}(?:com|org|net|edu|gov|info|biz|io|dev|app|eu|uk|de|fr|es|nl|ch|ca|au|ie|pl|se)"""
    r"""(?:\b(?![\w@.-])|(?=[/:?#.])(?!\.\w))(?:[/:?#][^\s<>"']*)?""",
    _ANY_CASE,
)
_IP_V4 = regex.compile(r"(?<![0-9])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9])")
_IP_V6 = regex.compile(
    r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{1,4}|(?:[0-9]{1,3}\.){3}[0-9]{1,3})?(?![\w:])", _ANY_CASE
)
_MAC = regex.compile(r"(?<![\w:-])[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![\w:-])", _ANY_CASE)
_IBAN = regex.compile(r"(?<![a-z])[a-z]{2}[0-9]{2}(?:[ -]?[a-z0-9]){11,30}", _ANY_CASE)
_IBAN_LENGTH = {
    country: length
    for length, countries in {
        15: "NO",
        16: "BE",
        18: "DK FI FK FO GL NL SD",
        19: "MK SI",
        20: "AT BA EE KZ LT LU MN XK",
        21: "CH HR LI LV",
        22: "BG BH CR DE GB GE IE ME RS VA",
        23: "AE GI IL IQ OM SO TL",
        24: "AD CZ ES MD PK RO SA SE SK TN VG",
        25: "LY PT ST",
        26: "IS TR",
        27: "BI DJ FR GR IT MC MR SM",
        28: "AL AZ BY CY DO GT HU LB NI PL SV",
        29: "BR EG PS QA UA",
        30: "JO KW MU YE",
        31: "MT SC",
        32: "LC",
        33: "RU",
    }.items()
    for country in countries.split()
}
_SSN = regex.compile(r"(?<![0-9])([0-9]{3})([ .-])([0-9]{2})\2([0-9]{4})(?![0-9])")
_SSN_CUED = regex.compile(
    r"\b(?:ssn|social\s+security)\b[^0-9\n]{0,25}([0-9]{3}[ .-]?[0-9]{2}[ .-]?[0-9]{4})(?![0-9])", _ANY_CASE
)
_NINO = regex.compile(
    r"(?<![a-z0-9])(?!bg|gb|kn|nk|nt|tn|zz)[a-ceghj-prtw-z][a-ceghj-nprtw-z](?:[ -]?[0-9]{2}){3}[ -]?[a-d](?![a-z0-9])",
    _ANY_CASE,
)
_MONTHS = "(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
_BIRTH_DATE = regex.compile(
    r"\b(?:d\.?\s?o\.?\s?b\b\.?|(?:date|day|year)\s+of\s+birth|birth[\s_-]?(?:date|day)|born|geboren|n[ée]e?\s+le)"
    r"[^0-9\n]{0,20}?(?:\s+(?:in|on|the|is|was))?[^\w\n]{0,6}("
    r"[0-9]{4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,2}|[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ](?:[0-9]{4}|[0-9]{2})|[0-9]{8}(?![0-9])"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th)?[\s.-]*(?:of\s+)?{_MONTHS}[\s.,-]*[0-9]{{2,4}}|{_MONTHS}[\s.-]*[0-9]{{1,2}}(?:st|nd|rd|th)?[\s,.-]*[0-9]{{4}}"
    r"|(?:19|20)[0-9]{2}(?![0-9]))",
    _ANY_CASE,
)
_CUED_ID = regex.compile(
    r"\b(?:passport|driv(?:er'?s|ing)\s+licen[cs]e|national\s+(?:insurance|id)|nhs|medicare|tax\s+(?:id|file)|tin|vat|"
    r"(?:bank\s+)?account|acct|sort\s+code|routing)\b(?:[\s.:#=-]|\b(?:id|no|nr|number|code|is)\b){1,6}"
    r"((?=[a-z0-9 -]{0,12}[0-9]{2})[a-z]{0,3}[ -]?[0-9][a-z0-9]{1,18}(?:[ -][0-9][a-z0-9]{1,8}){0,4})(?![a-z0-9])",
    _ANY_CASE,
)


def find_emails(text: str) -> Iterator[Span]:
    if _EMAIL_AT.search(text, timeout=TIMEOUT_S):
        yield from (match.span() for match in _EMAIL.finditer(text, timeout=TIMEOUT_S))


def find_urls(text: str) -> Iterator[Span]:
    for match in _URL.finditer(text, timeout=TIMEOUT_S):
        yield match.start(), match.start() + len(match[0].rstrip(".,;:!?)]}"))


def find_ips(text: str) -> Iterator[Span]:
    """IPv4 with octets to 255, and IPv6 with at least three groups ('::' and '::1' name nobody)."""
    for match in _IP_V4.finditer(text, timeout=TIMEOUT_S):
        if all(int(octet) <= 255 for octet in match[0].split(".")):
            yield match.span()
    for match in _IP_V6.finditer(text, timeout=TIMEOUT_S):
        if sum(map(bool, match[0].split(":"))) >= 3 and _is_ip_v6(match[0]):
            yield match.span()


def find_macs(text: str) -> Iterator[Span]:
    yield from (match.span() for match in _MAC.finditer(text, timeout=TIMEOUT_S))


def find_ibans(text: str) -> Iterator[Span]:
    """IBANs by their check digits, whatever follows them; those of an unknown country up to the end of a word."""
    for match in _IBAN.finditer(text, overlapped=True, timeout=TIMEOUT_S):
        ends = [end for end in range(match.end(), match.start() + 14, -1) if text[end - 1].isalnum()]
        length = _IBAN_LENGTH.get(match[0][:2].upper())
        words = [end for end in ends if not text[end : end + 1].isalnum()]
        by_length = [end for end in ends if len(_compact(text[match.start() : end])) == length]
        end = next((end for end in by_length + words if _is_iban(text[match.start() : end])), None)
        if end:
            yield match.start(), end


def find_ssns(text: str) -> Iterator[Span]:
    """US social security and taxpayer numbers: 3-2-4 with one separator, or nine digits after the words."""
    for match in _SSN.finditer(text, timeout=TIMEOUT_S):
        if match[1] not in ("000", "666") and match[3] != "00" and match[4] != "0000":
            yield match.span()
    yield from (match.span(1) for match in _SSN_CUED.finditer(text, timeout=TIMEOUT_S))


def find_ninos(text: str) -> Iterator[Span]:
    """UK national insurance numbers."""
    yield from (match.span() for match in _NINO.finditer(text, timeout=TIMEOUT_S))


def find_birth_dates(text: str) -> Iterator[Span]:
    """A date after words that make it a birth date; the words stay."""
    yield from (match.span(1) for match in _BIRTH_DATE.finditer(text, timeout=TIMEOUT_S))


def find_cued_ids(text: str) -> Iterator[Span]:
    """A number after the name of the document it comes from: passport, licence, bank account."""
    yield from (match.span(1) for match in _CUED_ID.finditer(text, timeout=TIMEOUT_S))


def _is_ip_v6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True


def _is_iban(text: str) -> bool:
    iban = _compact(text)
    digits = "".join(str(int(char, 36)) for char in iban[4:] + iban[:4])
    return int(digits) % 97 == 1 and sum(map(str.isdigit, iban)) >= 8


def _compact(text: str) -> str:
    return text.replace(" ", "").replace("-", "").upper()
