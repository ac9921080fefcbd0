"""Postcodes: those of a form like no other number anywhere, the others after a word that announces them."""

from collections.abc import Iterator

import regex  # type: ignore[import-untyped]

from ds_pipeline.masking.find.numbers import Span
from ds_pipeline.masking.reading.starts import Anchored, has_digit, limit

_UK_AREAS = (
    "AB|AL|BA|BB|BD|BF|BH|BL|BN|BR|BS|BT|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|EC|EH|EN|EX|FK|FY|"
    "GL|GU|GY|HA|HD|HG|HP|HR|HS|HU|HX|IG|IM|IP|IV|JE|KA|KT|KW|KY|LA|LD|LE|LL|LN|LS|LU|ME|MK|ML|NE|NG|NN|NP|NR|NW|OL|OX|"
    "PA|PE|PH|PL|PO|PR|RG|RH|RM|SA|SE|SG|SK|SL|SM|SN|SO|SP|SR|SS|ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS|TW|UB|WA|WC|WD|WF|WN|WR|"
    "WS|WV|YO|ZE|[BEGLMNSW]"
)
_UK = rf"(?:{_UK_AREAS})[0-9][0-9A-HJKPSTUW]? ?[0-9][ABD-HJLNP-UW-Z]{{2}}"
_CANADA = r"[ABCEGHJ-NPRSTVXY][0-9][ABCEGHJ-NPRSTV-Z][ -]?[0-9][ABCEGHJ-NPRSTV-Z][0-9]"
_STATES = (
    "AL|AK|AZ|AR|CA|CO|CT|DE|FL|GA|HI|ID|IL|IN|IA|KS|KY|LA|ME|MD|MA|MI|MN|MS|MO|MT|NE|NV|NH|NJ|NM|NY|NC|ND|OH|OK|OR|PA|RI|SC|"
    "SD|TN|TX|UT|VT|VA|WA|WV|WI|WY|DC|PR|VI|GU|AS|MP|AA|AE|AP"
)
_AUSTRALIA = r"(?:NSW|VIC|QLD|TAS|ACT|SA|WA|NT)"
POSTCODE = (  # any form, where an address is being read
    rf"(?:{_UK}|{_CANADA}|(?:{_STATES})[ ,]{{1,2}}[0-9]{{5}}(?:-[0-9]{{4}})?|{_AUSTRALIA},? [0-9]{{4}}|"
    r"(?:[A-Z]{1,3}-)?[0-9]{5}(?:-[0-9]{3,4})?|[0-9]{4} ?[A-Z]{2}|[0-9]{2}-[0-9]{3}|[0-9]{3} [0-9]{2}|[0-9]{4}(?:-[0-9]{3})?|"  # noqa: E501
    r"[A-Z][0-9][0-9W] ?[0-9A-Z]{4}|[0-9]{6}|[0-9]{3} [0-9]{3}|[0-9]{3}-[0-9]{4})(?![\w])"
)
_ALONE = Anchored(
    rf"(?<![\w-])(?:(?:{_UK_AREAS})[0-9][0-9A-HJKPSTUW]? [0-9][ABD-HJLNP-UW-Z]{{2}}|{_CANADA.replace('[ -]?', ' ')}"
    rf"|(?:{_STATES}),? [0-9]{{5}}(?:-[0-9]{{4}})?|{_AUSTRALIA},? [0-9]{{4}}|(?:D|DE|A|AT|CH|F|FR|I|IT|B|NL|PL|CZ|DK|S|SE|FI)-[0-9]{{4,5}}(?= \p{{Lu}})"  # noqa: E501
    r"|[ACDEFHKNPRTVWXY][0-9][0-9W] [0-9AC-FHKNPRTV-Y]{4}(?<=[A-Z].{0,3}))(?![\w-])",
    flags=0,
)
_CUED = Anchored(
    r"(?<![\p{L}])(?:zip(?:[\s_-]?code)?|post(?:al)?[\s_-]?code|plz|postleitzahl|code[\s_-]postal|c[oó]digo[\s_-]postal|c\.?p\.?|cap|"
    rf"postnummer|postnr|eircode|pin[\s_-]?code|kod\s+pocztowy|cep)(?:\s+is|\s*[:=#])?[\s\"']{{0,3}}({POSTCODE})"
)
_LOWER_UK = Anchored(rf"(?<![\w-])(?=[a-z]{{1,2}}[0-9]){_UK}(?![\w-])")
_BEFORE_PLACE = regex.compile(
    r"(?<![\w.,/$£€#-])(?:(?:[A-Z]{1,2}-)?[0-9]{5}|(?!(?:19|20)[0-9]{2}[ ])[0-9]{4}(?: ?[A-Z]{2})?|[0-9]{2}-[0-9]{3}|[0-9]{3} [0-9]{2})[ ]$"  # noqa: E501
)
_AFTER_PLACE = regex.compile(rf"(?:,? (?:{_STATES}))?,?[ ]{POSTCODE}(?!\.?[0-9]|[%€])")
_REACH = 12


def find_postcodes(text: str) -> Iterator[Span]:
    """British, Canadian and Irish codes, American and Australian ones with their state, and any after its name."""
    if not has_digit(text):
        return
    for match in _ALONE.finditer(text):
        yield match.span()
    for match in _CUED.finditer(text):
        yield match.span(1)
    for match in _LOWER_UK.finditer(text):
        if len(match[0].replace(" ", "")) >= 6 or " " in match[0]:
            yield match.span()


def around_place(text: str, start: int, end: int) -> Span:
    """The place with a postcode that touches it: '10115 Berlin', 'Springfield, IL 62704'."""
    before = _BEFORE_PLACE.search(text[max(0, start - _REACH) : start], timeout=limit(text))
    after = _AFTER_PLACE.match(text, end, timeout=limit(text))
    return start - len(before[0]) if before else start, after.end() if after else end
