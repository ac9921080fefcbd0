"""Identifiers with a form of their own: addresses of people and machines, account numbers, birth dates.

Each function yields the spans of one kind in a plain text (see folding.py). Names, places and street addresses
have no such form and are not found here.
"""

import ipaddress
import re
from collections.abc import Iterator

import regex  # type: ignore[import-untyped]

from ds_pipeline.masking.find.numbers import Span
from ds_pipeline.masking.reading.starts import Anchored, has_digit, has_word, limit
from ds_pipeline.masking.reading.words import is_common

_ANY_CASE = regex.IGNORECASE

_AT = r"(?:\s?@\s?|\s?[\[({]\s?at\s?[\])}]\s?|%40|&\#(?:64|x40);)"
_EMAIL_AT = re.compile(r"@|[\[({]\s?[aA][tT]\s?[\])}]|%40|&#(?:64|[xX]40);")
_LOCAL = r"[\w.!$'*+/=?^`~-]"  # without what may begin an encoded @; possessive, so that a text is read once
_AT_DOT = r"(?:\.|\s?[\[({]\s?dot\s?[\])}]\s?)"
_EMAIL = regex.compile(
    rf"""(?:"[^"\n]{{1,64}}"|(?<!{_LOCAL}){_LOCAL}++(?:[\[({{]dot[\])}}]{_LOCAL}++){{0,3}}){_AT}"""
    rf"(?:(?:[\w-]{{1,63}}{_AT_DOT}){{1,8}}"
    r"(?:xn--[\w-]{2,59}|[^\W\d_]{2,63}(?![^\W\d_]))|\[?(?:[0-9]{1,3}\.){3}[0-9]{1,3}\]?)"
    r"|(?<![\w.+-])[^\W\d_][\w.+-]{1,63}@[^\W\d_][\w-]{2,63}\b",  # jane@mailhost, inside a company
    _ANY_CASE,
)
_DOT_WORDS = ("dot", "punk", "punt", "poin")
_LONE_DOT = re.compile(r"\s\.\s")
_DOT = r"\s(?:dot|punkt|punto|point|\.)\s"
_SPELLED = regex.compile(  # maria dot quispe at example dot com; t h e o @ example . org
    rf"\b(?:(?:\w[\w-]*(?:{_DOT}|\sunderscore\s|\sdash\s)){{0,4}}\w[\w.-]*\s(?:at|@|arroba|chiocciola)\s|(?:\w\s){{2,20}}@\s?)"
    rf"\w[\w-]*(?:{_DOT}\w[\w-]*){{1,3}}\b",
    _ANY_CASE,
)
_DOMAIN = "com|org|net|edu|gov|info|biz|io|dev|app|eu|uk|de|fr|es|nl|ch|ca|au|ie|pl|se"
_URL_WORDS = frozenset({"www", *_DOMAIN.split("|")})
_URL = regex.compile(
    r"""(?:(?:https?|ftps?|sftp|file|mailto|tel|sip)://|(?<![\w.])www[0-9]{0,3}\.)[^\s<>"']+"""
    rf"""|(?<![\w.@-])(?:[\w-]{{1,63}}\.){{1,5}}(?:{_DOMAIN})"""
    r"""(?:\b(?![\w@.-])|(?=[/:?#.])(?!\.\w))(?:[/:?#][^\s<>"']*)?""",
    _ANY_CASE,
)
_IP_V4 = regex.compile(r"(?<![0-9])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![0-9])")
_IP_V6 = regex.compile(
    r"(?<![\w:])(?:[0-9a-f]{0,4}:){2,7}(?:(?:[0-9]{1,3}\.){3}[0-9]{1,3}|[0-9a-f]{1,4})?(?![\w:])", _ANY_CASE
)
_MAC = regex.compile(r"(?<![\w:-])[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}(?![\w:-])", _ANY_CASE)
_IBAN = regex.compile(r"(?<![a-z])[a-z]{2}[0-9]{2}(?:[ -]?[a-z0-9]){11,30}", _ANY_CASE)
_IBAN_BEGIN = re.compile(r"[^\W\d_]{2}[0-9]{2}(?:[ -]?[^\W_]){11}")
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
_SSN_CUED = Anchored(r"\b(?:ssn|social\s+security)\b[^0-9\n]{0,25}([0-9]{3}[ .-]?[0-9]{2}[ .-]?[0-9]{4})(?![0-9])")
_NINO = regex.compile(
    r"(?<![a-z0-9])(?!bg|gb|kn|nk|nt|tn|zz)(?:qq|"
    r"[a-ceghj-prtw-z][a-ceghj-nprtw-z])(?:[ -]?[0-9]{2}){3}[ -]?[a-d](?![a-z0-9])",
    _ANY_CASE,
)
_NINO_END = re.compile(r"[0-9]{2}[ -]?[0-9]{2}[ -]?[0-9]{2}[ -]?[a-dA-D]")
_MONTHS = "(?:jan|feb|f[ée]v|mar|mär|apr|avr|may|mai|mei|maj|jun|juin|jul|juil|aug|ago|ao[uû]|sep|set|oct|okt|out|nov|dec|dez|dic|d[ée]c|ene|gen|abr|mag|giu|lug|ott)\\p{L}{0,7}"  # noqa: E501
_BIRTH_DATE = Anchored(
    r"\b(?:d\.?\s?o\.?\s?b\b\.?|(?:date|day|year)\s+of\s+birth|birth[\s_-]?(?:date|day)|born|geburtsdatum|geb\.?|geboren|geboortedatum|n[ée]\(?e?\)?(?:\s+[^\d\n]{1,30})?\s+le|b\.(?=\s?[0-9])|date\s+de\s+naissance|fecha\s+de\s+nacimiento|nacid[oa]|data\s+di\s+nascita|nat[oa]\s+il|data\s+de\s+nascimento|data\s+urodzenia|födelsedatum|fødselsdato)"
    r"(?:[^0-9\n]{0,20}?(?:\s+(?:in|on|the|is|was))?[^\w\n]{0,6}|[^0-9\n]{0,15}\?[^0-9\n]{0,20}\n[^\n]{0,25}?[\s:>])("
    r"[0-9]{4}[-/. ][0-9]{1,2}[-/. ][0-9]{1,2}|[0-9]{1,2}[-/. ][0-9]{1,2}[-/. ](?:[0-9]{4}|[0-9]{2})|[0-9]{8}(?![0-9])"
    rf"|[0-9]{{1,2}}(?:st|nd|rd|th)?[\s.-]*(?:of\s+)?{_MONTHS}[\s.,-]*[0-9]{{2,4}}|{_MONTHS}[\s.-]*[0-9]{{1,2}}(?:st|nd|rd|th)?[\s,.-]*[0-9]{{4}}"
    r"|(?:19|20)[0-9]{2}(?![0-9]))"
)
_BEFORE_BIRTH = regex.compile(
    r"(?<![0-9/.-])([0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2,4})\)?,?"
    r"\s+(?:(?:that|it|this)['’]?\s?i?s\s+|is\s+|as\s+)?(?:my|his|her|the|our|their)\s+(?:birth|b-?day|dob\b|date\s+of\s+birth)",
    _ANY_CASE,
)
_BIRTH_WORDS = ("birt", "bday", "b", "dob", "date")
_USER_NAME = Anchored(
    r"(?<![\p{L}])(?:user[\s_-]?(?:name|id)|screen[\s_-]?name|login(?:\s+(?:name|id|as\s+always))?|handle|nick(?:name)?|gamer\s?tag|ign|discord|skype|"
    r"benutzername|nutzername|usuario|utilisateur|identifiant|gebruikersnaam|nome\s+utente|utente|usuário)(?![\p{L}])"
    r"(?:[ \t\"':=@]|(?<![\p{L}])(?:is|ist|es|est)(?![\p{L}])){1,6}((?:live:)?[\p{L}\d][\w.#-]{2,38}[\w])"
    r"|(?<![\p{L}])(?:user|account|owner|actor|by)[\"']?\s?[:=][ \"']{0,2}([a-z][\w.-]{2,30}[\w])"
)
_HANDLE = re.compile(r"(?<![\w.@/])@(\w[\w.]{2,30}\w)(?!@)")
_ID_NUMBER = r"((?=[a-z0-9 ./-]{0,14}[0-9]{2}|(?:[a-z]?[ -]?[0-9][ -]?[a-z]?){3})[a-z]{0,5}[ ./_-]?[0-9][a-z0-9]{0,18}(?:[ ./-][0-9][a-z0-9]{0,8}|-[a-z]{1,3}\b){0,5}(?:[ ](?-i:[A-Z]{2}\b)|\([0-9a]\))?)(?![a-z0-9])"  # noqa: E501
_CUED_ID = Anchored(
    r"(?<![\p{L}])(?:passport|reisepass|(?:reise)?pass(?=[\s_-]?(?:nr|nummer|no))|passeport|pasaporte|paspoort|passaporto|"
    r"(?:personal)?ausweis|driv(?:er'?s?|ing)[\s_]+licen[cs]e|licen[cs]e(?=[\s_]+(?:number|no\b|nr))|führerschein|permis(?:[\s_]+de[\s_]+conduire)?|rijbewijs|patente|"
    r"national\s+(?:insurance|id(?:entity)?)|ni(?=[\s_.]*(?:no|num))|nino|identity\s+card|id\s+card|nric|mykad|emirates\s+id|cédula|cedula|"
    r"carte\s+d['’]identité|nhs|medicare|medicaid|"
    r"(?:health|social)\s+(?:insurance|card)|tax(?:payer)?[\s_]+(?:id|file|number)|steuer(?:-?id|nummer)|"
    r"tin|tfn|ein|vat|ust-?id(?:nr)?|nif|nie|dni|cif|cpf|cnpj|rfc|curp|pesel|bsn|cpr|nir|egn|cnp|jmbg|oib|hetu|aadhaa?r|pan(?=[\s_]*(?:no|number|card|:))|sin(?=[\s_]*(?:no|number|:|is))|"
    r"codice\s+fiscale|personnummer|personnr|fødselsnummer|henkilötunnus|rodné\s+číslo|ahv(?:-?nr)?|svnr|"
    r"sozialversicherungs(?:nummer|nr)|rentenversicherungs(?:nummer|nr)|numéro\s+de\s+sécurité\s+sociale|"
    r"(?:(?:bank|savings|current|checking|customer|client|user|electricity|gas|energy)[\s_]+)?accounts?|acct|a/c|konto(?=[\s_-]?(?:nr|nummer))|kontonummer|sort\s+code|routing|blz|bic|"
    r"customer(?=[\s_#:-]*(?:id|no|nr|number|ref|code|\#|\d|[a-z]{1,3}[ /-]?[0-9]))|kimlik|rut|hkid|run(?=:)|client(?=[\s_#:-]*(?:id|no|nr|number|ref|code|\#))|cust(?=[\s_.#:-]*(?:id|no|nr|number|\#))|"  # noqa: E501
    r"kunden(?:-?nr|-?nummer|-?id)|mitglieds(?:nr|nummer)|vertrags?(?:nr|nummer|konto)|versicherten(?:nr|nummer)|"
    r"(?:numéro|no?|n°)\s*(?:de\s+)?(?:client|compte|contrat|adhérent)|n[uú]mero\s+de\s+(?:cliente|cuenta|socio|afiliado)|"
    r"(?:n[uú]mero|numero)\s+(?:do\s+|di\s+|de\s+)?(?:cliente|conto|conta)|codice\s+cliente|(?:klant|rekening|polis)(?:nummer|nr)|kundnummer|kundenummer|numer\s+klienta|"
    r"member(?:ship)?(?=[\s_#:-]*(?:id|no|nr|number|card|\#|\d))|loyalty(?:\s+card)?|(?:insurance\s+)?policy(?=[\s_]*(?:id|no|nr|number|\#))|"
    r"subscriber|employee(?=[\s_]*(?:id|no|number))|student(?=[\s_]*(?:id|no|number))|patient(?=[\s_]*(?:id|no|number))|mrn|"
    r"user[\s_]?id|licen[cs]e\s+plate|number\s+plate|plate(?=[\s_]*(?:no|number|:))|kennzeichen|imei|meter(?=[\s_]*(?:no|number|:)))"
    r"(?![\p{L}])(?:[\s.,:#=_°º(\"'-]|(?<![\p{L}])(?:id|no|nr|num|number|nummer|numéro|code|ref|reference|is|ist|est|es|card|my|the)(?![\p{L}])){1,8}"
    + _ID_NUMBER
)
_ALSO = regex.compile(rf"\s?(?:,|/|\b(?:and|or|und|et)\b|&)\s{_ID_NUMBER}", _ANY_CASE)
_PASSPORT_NUMBER = Anchored(
    r"passport[^\n]{1,50}?\b(?:number|no|nr)\b[.:# ]{1,3}((?-i:[A-Z]{1,2}[0-9]{6,7}|[A-Z0-9]{8}[0-9]))(?![\w])"
)
_PLATE = Anchored(
    r"(?:(?:licen[cs]e|number)\s+)?(?:plate|reg)\b[ .:#]{1,3}"
    r"((?-i:(?=[A-Z -]*[0-9])(?=[0-9 -]*[A-Z])[A-Z0-9]{1,4}[ -]?[A-Z0-9]{2,4}(?:[ -][A-Z0-9]{1,4})?))(?![\w])"
)
_FEWEST_ID_CHARS = 4
_NO_ID = regex.compile(  # a price, a year, a date, or a number after a word that belongs to the sentence
    r"[0-9]{1,6}[.,][0-9]{2}|(?:19|20)[0-9]{2}|(?:19|20)[0-9]{2}[-/.][0-9]{1,2}[-/.][0-9]{1,2}|[0-9]{1,2}[-/.][0-9]{1,2}[-/.](?:19|20)[0-9]{2}"
    r"|(?:in|on|at|of|is|and|for|to|by|from|was|with|has|had|am|as|over|the|a|x)[ ].*",
    _ANY_CASE,
)


def find_emails(text: str) -> Iterator[Span]:
    """E-mail addresses, and such as are spelled out."""
    if has_word(text, _DOT_WORDS) or _LONE_DOT.search(text):
        yield from (match.span() for match in _SPELLED.finditer(text, timeout=limit(text)))
    if _EMAIL_AT.search(text):
        yield from (match.span() for match in _EMAIL.finditer(text, timeout=limit(text)))


def find_urls(text: str) -> Iterator[Span]:
    if "://" not in text and not ("." in text and has_word(text, _URL_WORDS)):
        return
    for match in _URL.finditer(text, timeout=limit(text)):
        yield match.start(), match.start() + len(match[0].rstrip(".,;:!?)]}"))


def find_ips(text: str) -> Iterator[Span]:
    """IPv4 with octets to 255, and IPv6 with at least three groups ('::' and '::1' name nobody)."""
    if text.count(".") >= 3:
        yield from _ips_v4(text)
    if text.count(":") >= 2:
        yield from _ips_v6(text)


def _ips_v4(text: str) -> Iterator[Span]:
    for match in _IP_V4.finditer(text, timeout=limit(text)):
        if all(int(octet) <= 255 for octet in match[0].split(".")):
            yield match.span()


def _ips_v6(text: str) -> Iterator[Span]:
    for match in _IP_V6.finditer(text, timeout=limit(text)):
        if sum(map(bool, match[0].split(":"))) >= 3 and _is_ip_v6(match[0]):
            yield match.span()


def find_macs(text: str) -> Iterator[Span]:
    if max(text.count(":"), text.count("-")) >= 5:
        yield from (match.span() for match in _MAC.finditer(text, timeout=limit(text)))


def find_ibans(text: str) -> Iterator[Span]:
    """IBANs by their check digits, whatever follows them; those of an unknown country up to the end of a word."""
    if not _IBAN_BEGIN.search(text):
        return
    for match in _IBAN.finditer(text, overlapped=True, timeout=limit(text)):
        ends = [end for end in range(match.end(), match.start() + 14, -1) if text[end - 1].isalnum()]
        length = _IBAN_LENGTH.get(match[0][:2].upper())
        words = [end for end in ends if not text[end : end + 1].isalnum()]
        by_length = [end for end in ends if len(_compact(text[match.start() : end])) == length]
        end = next((end for end in by_length + words if _is_iban(text[match.start() : end])), None)
        if end:
            yield match.start(), end


def find_ssns(text: str) -> Iterator[Span]:
    """US social security and taxpayer numbers: 3-2-4 with one separator, or nine digits after the words."""
    for match in _SSN.finditer(text, timeout=limit(text)):
        if match[1] not in ("000", "666") and match[3] != "00" and match[4] != "0000":
            yield match.span()
    yield from (match.span(1) for match in _SSN_CUED.finditer(text))


def find_ninos(text: str) -> Iterator[Span]:
    """UK national insurance numbers."""
    if _NINO_END.search(text):
        yield from (match.span() for match in _NINO.finditer(text, timeout=limit(text)))


def find_birth_dates(text: str) -> Iterator[Span]:
    """A date after words that make it a birth date; the words stay."""
    if not has_digit(text):
        return
    yield from (match.span(1) for match in _BIRTH_DATE.finditer(text))
    if has_word(text, _BIRTH_WORDS):
        yield from (match.span(1) for match in _BEFORE_BIRTH.finditer(text, timeout=limit(text)))


def find_cued_ids(text: str) -> Iterator[Span]:
    """A number after the name of what it comes from: passport, licence, bank account, customer, member, policy."""
    if not has_digit(text):
        return
    for match in _CUED_ID.finditer(text):
        named = match
        while named and sum(map(str.isalnum, named[1])) >= _FEWEST_ID_CHARS and not _NO_ID.fullmatch(named[1]):
            yield named.span(1)
            named = _ALSO.match(text, named.end(1), timeout=limit(text))  # 'accounts 4471 and 4472'
    for pattern in (_PASSPORT_NUMBER, _PLATE):
        yield from (match.span(1) for match in pattern.finditer(text))


def find_user_names(text: str) -> Iterator[Span]:
    """A name of an account after words that announce it, or after @; a common word is none."""
    for match in _USER_NAME.finditer(text):
        name = match[1] or match[2]
        if not name.isalpha() or not (match[2] or is_common(name)):
            yield match.span(match.lastindex)
    if "@" in text:
        yield from (match.span(1) for match in _HANDLE.finditer(text) if not is_common(match[1]))


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
