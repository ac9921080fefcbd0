"""Streets with a house number, and boxes, as many countries write them.

A house number is what tells a street from the word: '12 Elm St', 'Hauptstraße 12', '12 rue de la Paix', 'Via Roma 10'.
"""

from collections.abc import Iterator

import regex  # type: ignore[import-untyped]

from ds_pipeline.masking.find.numbers import Span
from ds_pipeline.masking.find.postcodes import POSTCODE
from ds_pipeline.masking.reading.starts import Anchored, digits_of, has_word, limit
from ds_pipeline.masking.reading.words import fold, is_common, listed

_ANY_CASE = regex.IGNORECASE
_W = r"[\p{L}\d][\p{L}\p{M}\d’'.-]*"
_GAP = r"(?:[ \t]{1,2})"
_NUMBER = r"\d{1,5}(?:\s?[a-z]\b)?(?:\s?[-/]\s?\d{1,4}\s?[a-z]?\b)?"
_SURE = (
    "street|st|avenue|ave|av|road|rd|lane|ln|boulevard|blvd|drive|dr|crescent|cres|highway|hwy|parkway|pkwy|expressway|"
    "terrace|court|ct|turnpike|causeway|mews|alley|cul-de-sac|freeway|motorway|esplanade|parade|pde|thoroughfare"
)
_MAYBE = (  # street words that are also words: only with capitals, or with more of an address behind them
    "way|close|place|pl|square|sq|circle|cir|grove|gardens?|gdns|row|walk|hill|park|green|plaza|trail|trl|run|loop|ridge|"
    "route|rte|view|point|heights|common|quay|wharf|yard|gate|rise|vale|meadows?|villas?|cottages?|court|hollow|bend|"
    "crossing|cove|landing|pass|path|pike|bypass|canyon|creek|falls|field|fields|forest|glen|harbors?|island|isle|junction|"
    "key|knolls?|lakes?|lock|manor|mill|mission|mountain|orchard|oval|overpass|plains?|ports?|prairie|radial|ramp|ranch|"
    "rapids|rest|river|roads|shoal|shores?|skyway|springs?|spur|squares|station|stravenue|stream|summit|throughway|trace|"
    "track|trafficway|tunnel|union|valley|via|viaduct|village|ville|vista|walks|wall|well|wells|ways"
)
_UNIT_WORD = r"(?:apartment|appartement|apt|flat|unit|suite|ste|room|rm|floor|fl|building|bldg|block|blk|door|app|wohnung|whg|top|stiege|bus|piso|pta|puerta|int|scala|m\.|lok\.?|box|studio|level|house|no)"  # noqa: E501
_UNIT = (
    rf"(?:[ ,]{{1,3}}(?:{_UNIT_WORD}\.?[ ]?\#?[ ]?[\w/-]{{1,6}}|\#[ ]?\w{{1,6}}|\d{{1,2}}\s?[ºª°](?:\s?\w{{1,4}}\b)?))?"
)
_COMPASS = r"(?:[nsew]|[ns][ew]|north|south|east|west)"
_ENGLISH = Anchored(
    rf"(?<![\w.,/$£€#-])(?:(?:flat|apt|apartment|unit|suite)\.?{_GAP}\w{{1,5}},?{_GAP})?(?P<number>\d{{1,6}}(?:[a-z]\b|[-/]\d{{1,4}})?),?{_GAP}"
    rf"(?P<words>(?:{_COMPASS}\.?{_GAP})?(?:{_W}{_GAP}){{1,4}}?)(?:(?P<sure>{_SURE})|(?P<maybe>{_MAYBE}))\b\.?(?:{_GAP}{_COMPASS}\b\.?)?{_UNIT}",
)
_NUMBERED_AVENUE = Anchored(
    rf"(?<![\w.,/$£€#-])\d{{1,6}},?{_GAP}(?:{_COMPASS}\.?{_GAP})?(?:\d{{1,3}}(?:st|nd|rd|th){_GAP}|(?:avenue|ave|broadway|highway|route|county{_GAP}road){_GAP}?(?:of{_GAP}the{_GAP}\w+|\d{{1,4}}|[a-z]\b)?|broadway\b)"
    rf"(?:(?:{_SURE}|{_MAYBE})\b\.?)?(?:{_GAP}{_COMPASS}\b\.?)?{_UNIT}",
)
_UNITED = Anchored(  # 123 Jennifer Mountains Apt. 456
    rf"(?<![\w.,/$£€#-])\d{{1,6}}[a-z]?,?{_GAP}(?P<words>(?:{_W}{_GAP}?){{1,4}}?)[ ,]{{1,3}}(?:apt|apartment|suite|ste|unit|flat)\b\.?[ ]?\#?\d\w{{0,5}}",  # noqa: E501
)
_ENDING = (
    "straße|strasse|str|gasse|allee|chaussee|damm|ufer|steig|stieg|graben|straat|laan|gracht|kade|plein|dreef|singel|dijk|"
    "gatan|gata|vägen|gränd|stigen|backen|vej|gade|stræde|allé|vænget|veien|vegen|katu|kuja|polku|utca|útja|körút|platz|"
    "markt|hof|berg|steeg|baan|pad|plads|torget"
)
_RISKY_ENDING = "weg|ring|tie|tér|út|gate|stien|kai|park|wall|tor|aan"
_SUFFIXED = regex.compile(
    rf"(?<![\p{{L}}\d])(?P<words>(?:{_W}{_GAP}){{0,2}}?)(?:(?P<name>[\p{{L}}\p{{M}}-]{{2,}}?(?:{_ENDING}))|(?P<risky>\p{{Lu}}[\p{{L}}\p{{M}}-]{{3,}}?(?:{_RISKY_ENDING}))|(?P<alone>straße|strasse|str|gasse|utca|út|katu|weg|allee|platz|laan|straat))\b\.?,?{_GAP}?"
    rf"(?:nr\.?{_GAP}?|no\.?{_GAP}?)?{_NUMBER}(?!\d|[.,:]\d|[%€£$]){_UNIT}",
    _ANY_CASE,
)
_BEFORE_NUMBER = regex.compile(rf"(?:{_ENDING}|{_RISKY_ENDING})\.?,?{_GAP}?(?:n[ro]\.?{_GAP}?)?$", _ANY_CASE)
_LONGEST_ENDING = 16
_LAST_LETTERS = (*_ENDING.split("|"), *_RISKY_ENDING.split("|"), "nr", "no")
_SUFFIX_REACH = 60
_PREFIX = (
    "rue|boulevard|bd|bld|blvd|avenue|av|ave|chemin|ch|allée|allee|impasse|quai|route|rte|cours|place|pl|square|passage|sentier|"
    "faubourg|via|viale|v\\.le|corso|c\\.so|piazza|p\\.za|piazzale|largo|vicolo|strada|contrada|lungomare|calle|c/|cl|avenida|avda|avd|"
    "plaza|plza|pza|paseo|pº|carrer|rambla|camino|carretera|ctra|ronda|glorieta|travesía|rua|r|travessa|praça|alameda|"
    "estrada|rodovia|ul|ulica|al|aleja|aleje|os|osiedle|plac|str|bulevardul|bd|b-dul|calea|aleea|šos|șos|jalan|jl|soi|odos|privada|derech|rehov|улица|ул|проспект|пр|"
    "am|an{_GAP}der|auf{_GAP}d(?:er|em)|in{_GAP}d(?:er|en)|zu[mr]|unter{_GAP}den|alte[rn]?|neue[rn]?|obere|untere|große|grosse|kleine|lange"
).replace("{_GAP}", _GAP)
_LINK = r"(?:d[eiou]s?|del|della|dello|degli|dei|da|do|das|la|le|les|los|las|el|l['’]|d['’]|du|van|den|der|san|santa|sainte?|st|y|e|i)"  # noqa: E501
_PREFIXED = Anchored(
    rf"(?<![\p{{L}}\d.])(?P<prefix>{_PREFIX})(?:\b|(?<=/))\.?{_GAP}?(?P<words>(?:{_LINK}{_GAP}?){{0,3}}{_W}(?:{_GAP}(?:{_LINK}{_GAP}?){{0,2}}{_W}){{0,3}}?)"
    rf"(?:,{_GAP}?|{_GAP})(?:n\.?[º°o]?\.?{_GAP}?|nr\.?{_GAP}?|num\.?{_GAP}?|s/n\b)?{_NUMBER}(?!\d|[.,:]\d|[%€£$]){_UNIT}",
)
_NUMBER_FIRST = Anchored(
    rf"(?<![\w.,/$£€#-])\d{{1,4}}(?:{_GAP}?(?:bis|ter|quater|[a-d]\b))?,?{_GAP}(?:rue|boulevard|bd|avenue|av|chemin|allée|impasse|quai|cours|place|square|passage|sentier|faubourg|route)\b\.?{_GAP}"
    rf"(?:{_LINK}{_GAP}?){{0,3}}{_W}(?:{_GAP}(?:(?:{_LINK}{_GAP}?){{0,2}}\p{{Lu}}[\p{{L}}\p{{M}}’'.-]*)){{0,3}}",
)
_FRENCH_WORD = Anchored(
    "(?:rue|boulevard|bd|avenue|av|chemin|allée|impasse|quai|cours|place|square|passage|sentier|faubourg|route)"
)
_KOREAN = regex.compile(  # 113-5, Mugunghwa-ro 2beon-gil; Teheran-ro 152
    r"(?:(?<![\w.,/$£€#-])\d{1,4}(?:-\d{1,4})?,?[ ])?(?<!\w)\p{L}[\p{L}\d]{0,24}-(?:daero|ro|"
    r"gil)\b(?:[ ]?\d{1,3}(?:beon)?-?gil\b)?"
    r"(?:,?[ ]\d{1,4}(?:-\d{1,4})?\b)?",
    _ANY_CASE,
)
_KOREAN_ENDING = regex.compile(r"-(?:daero|ro|gil)\b", _ANY_CASE)
_BOX = Anchored(
    r"\b(?:p\.?\s?o\.?\s?box|post\s?office\s+box|postfach|boîte\s+postale|b\.?p\.?(?=\s?\d)|apartado(?:\s+(?:de\s+correos|postal))?|apdo\.?|casella\s+postale|"
    r"caixa\s+postal|postbus|skr(?:ytka|\.)\s*poczt(?:owa|\.)|private\s+bag|casilla|postboks|(?:psc|unit)\s+\d{1,5},?\s+box)\s*(?:no\.?|nr\.?|\#)?\s*[a-z]?\d[\d ]{0,8}\d?\b"  # noqa: E501
    r"|\b(?:[fad]po)[ ,]+(?:aa|ae|ap)[ ,]+\d{5}(?:-\d{4})?\b",
)
STOP = listed(
    """
    of in on the and or to for is was are were at by with from my your our their his her its this that these
    those i we you they he she it not no be been have has had do did does if as but so than then when where
    which who what how a an via per times x weeks week days day hours hour minutes months month years year items
    pieces pcs orders units please percent am pm st
    """
)


def find_streets(text: str) -> Iterator[Span]:
    """Street and house number, with the number of the flat."""
    for pattern, words, is_street in _STREETS:
        if words is None or has_word(text, words.keys):
            for match in pattern.finditer(text):
                if is_street(match):
                    yield match.span()
    yield from _suffixed(text)
    if _KOREAN_ENDING.search(text, timeout=limit(text)):
        matches = _KOREAN.finditer(text, timeout=limit(text))
        yield from (match.span() for match in matches if any(map(str.isdigit, match[0])))


def _suffixed(text: str) -> Iterator[Span]:
    """Streets like 'Lange Straße 5' and 'Keizersgracht 101', looked for where such an ending meets a number."""
    for at in digits_of(text):
        before = text[max(0, at - _LONGEST_ENDING) : at].rstrip(" \t.,").lower()
        if before.endswith(_LAST_LETTERS) and _BEFORE_NUMBER.search(
            text, max(0, at - _LONGEST_ENDING), at, timeout=limit(text)
        ):
            around = max(0, at - _SUFFIX_REACH), min(len(text), at + _SUFFIX_REACH)
            for match in _SUFFIXED.finditer(text, *around, timeout=limit(text)):
                if match.end() > at and _is_suffixed(match):
                    yield match.start() + _sentence_words(match), match.end()


def _sentence_words(match: regex.Match[str]) -> int:
    """The length of the words before the name of the street that belong to the sentence: 'address was Ahornweg 3'."""
    for word in regex.finditer(r"\S+\s*", match["words"]):
        if word[0][0].isupper() and not is_common(word[0].strip()):
            return word.start()
    return len(match["words"]) if not match["alone"] else 0


def _is_english(match: regex.Match[str]) -> bool:
    words = match["words"].split()
    plain = [fold(word.strip(".,'")) for word in words]
    if any(word in STOP for word in plain) or (match["number"].startswith("0") and len(match["number"]) > 1):
        return False
    capital = all(word[0].isupper() or word[0].isdigit() for word in words)
    if match["sure"]:
        short = match["sure"].lower() in {"dr", "st", "ct", "av", "court", "drive", "parade"}
        return capital or (len(words) <= 2 and not (short and all(map(is_common, plain))))
    if capital and match["maybe"][0].isupper():
        return not match[0].isupper() or not all(map(is_common, plain))
    rest = match.string[match.end() : match.end() + 40]
    if _PLACED_TAIL.match(rest):
        return True
    return not any(map(is_common, plain)) or (len(words) <= 2 and bool(_TAIL_CODE.match(rest)))


_PLACED_TAIL = regex.compile(r",[ ](?:off|near|opposite|opp|behind|beside)\.?[ ]", _ANY_CASE)
_TAIL_CODE = regex.compile(rf"(?:[, ]{{1,2}}[\p{{L}}]+){{0,2}}[, ]{{1,2}}{POSTCODE}", _ANY_CASE)


def _is_united(match: regex.Match[str]) -> bool:
    words = match["words"].split()
    return not any(fold(word) in STOP for word in words) and any(
        word[0].isupper() or not is_common(word) for word in words
    )


def _is_suffixed(match: regex.Match[str]) -> bool:
    if match["name"]:
        name = fold(match["name"])
        return not is_common(name) and (match["name"][0].isupper() or not name.endswith(_WEAK_ENDINGS))
    if match["risky"]:
        return match["risky"][0].isupper() and not is_common(match["risky"])
    words = match["words"].split()
    return bool(words) and (words[-1][0].isupper() or not is_common(words[-1])) and fold(words[-1]) not in STOP


_WEAK_ENDINGS = (
    "str",
    "hof",
    "berg",
    "pad",
    "baan",
    "damm",
    "laan",
    "gata",
    "platz",
    "markt",
    "steig",
    "dijk",
    "plein",
    "graben",
    "singel",
    "kade",
)


def _is_prefixed(match: regex.Match[str]) -> bool:
    prefix, words = fold(match["prefix"]), match["words"].split()
    names = [word for word in words if len(word) > 3 or word[0].isupper()]
    if not names or any(fold(word) in STOP for word in words if fold(word) not in {"a", "i", "st"}):
        return False
    if any(char.isdigit() for char in names[0]):
        return False
    capital = all(word[0].isupper() for word in names)
    if prefix in _WORDY_PREFIXES:
        return capital and match["prefix"][0].isupper() and not is_common(names[0]) and fold(names[0]) not in _MONTHS
    return (capital or not any(map(is_common, names))) and fold(names[0]) not in _MONTHS


_WORDY_PREFIXES = listed(
    """
    via place pl square passage route rte cours avenue ave av plaza r al os am str ch cl via pr bd zum zur
    strada largo corso contrada
    """
) | {
    "an der",
    "auf der",
    "auf dem",
    "in der",
    "in den",
    "unter den",
    "alte",
    "alter",
    "alten",
    "neue",
    "neuer",
    "neuen",
    "obere",
    "untere",
    "grosse",
    "kleine",
    "lange",
}
_MONTHS = listed(
    """
    januar februar marz april mai juni juli august september oktober november dezember montag dienstag mittwoch
    donnerstag freitag samstag sonntag
    """
)


def _always(match: regex.Match[str]) -> bool:
    return True


_STREET_WORD = Anchored(rf"(?:{_SURE}|{_MAYBE})\b")
_UNITED_WORD = Anchored(r"(?:apt|apartment|suite|ste|unit|flat)\b")
_AVENUE_WORD = Anchored(rf"(?:avenue|ave|broadway|highway|route|county{_GAP}road|(?:st|nd|rd|th)\b)")
_STREETS = [  # the pattern, the words of which it has one, and what tells a street from a sentence
    (_ENGLISH, _STREET_WORD, _is_english),
    (_NUMBERED_AVENUE, _AVENUE_WORD, _always),
    (_UNITED, _UNITED_WORD, _is_united),
    (_PREFIXED, None, _is_prefixed),
    (_NUMBER_FIRST, _FRENCH_WORD, _always),
    (_BOX, None, _always),
]
