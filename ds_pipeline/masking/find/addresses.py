"""Postal addresses: streets with what follows them, lines that end in postcode and city, and what words announce.

City, region and country are taken when they follow a street; a postcode counts alone only if its form is like no
other number (postcodes.py).
"""

import re
from collections.abc import Iterator

import regex  # type: ignore[import-untyped]

from ds_pipeline.masking.find.numbers import Span
from ds_pipeline.masking.find.postcodes import POSTCODE, find_postcodes
from ds_pipeline.masking.find.streets import STOP, find_streets
from ds_pipeline.masking.reading.starts import Anchored, has_digit, limit
from ds_pipeline.masking.reading.words import fold, is_common

_ANY_CASE = regex.IGNORECASE
_CUE = (
    r"(?:(?:(?:home|billing|shipping|delivery|mailing|postal|street|new|old|current|correct|residential|return|my|ship)[\s_-]?){0,3}"
    r"address(?:[\s_-]?(?:line)?[\s_-]?[123])?(?:\s+is|\s+to|\s+should\s+be|\s+was)?|street|town|city|(?:ship|deliver|send|sent|went|return|mail|delivered|shipped|moved|relocated|forwarded)(?:\s+(?:it|this|them))?\s+to|bill\s+to|return\s+label\s+for|"
    r"(?:we|i|he|she|they)(?:\s+a|\s?['’]\s?)(?:re|m|s)\s+at|no\s+bell\s+at|"
    r"(?:rechnungs|liefer|versand|wohn|post)?(?:adresse|anschrift)|wohnort|ort|stadt|straße|strasse|adresse(?:\s+de\s+(?:livraison|facturation))?|ville|"
    r"direcci[oó]n(?:\s+de\s+(?:env[ií]o|facturaci[oó]n|entrega))?|ciudad|domicilio|calle|indirizzo(?:\s+di\s+(?:spedizione|fatturazione|consegna))?|"
    r"citt[aà]|adres|bezorgadres|factuuradres|woonplaats|plaats|endereço|morada|cidade|adresă|adress|miasto|lives?\s+at|living\s+at|resid(?:es?|ing)\s+at|located\s+at)"
)
_CUED = Anchored(
    rf"(?<![\p{{L}}]){_CUE}(?P<colon>[\"']?\s?[:=][ \t\"']{{0,3}}(?:\r?\n)?|[ \t]{{1,2}}(?:is[ \t])?|\s?\r?\n)"
)
_SEGMENT = regex.compile(r"[^,;|\n\r\"{}()\[\]]+")
_MOST_SEGMENTS = 8
_NEXT = regex.compile(
    r"(?P<sep>[ \t]*(?:,[ \t]*(?:\r?\n)?|\r?\n|[ \t]-[ \t])[ \t]*|[ \t])(?P<body>[^,;|\n\r\"{}()\[\]<>!?:]{2,45})"
)
_CODE = regex.compile(POSTCODE, _ANY_CASE)
_CODE_AFTER_WORDS = regex.compile(
    rf"(?P<words>\p{{L}}[\p{{L}}\p{{M}}'’.-]*(?:[ ]\p{{L}}[\p{{L}}\p{{M}}'’.-]*){{0,2}}),?[ ]{POSTCODE}", _ANY_CASE
)
_MOST_TAILS = 5
_POSTAL_LINE = regex.compile(
    r"(?:^|(?<=[\n,\"]))[ \t]*(?P<code>(?:[A-Z]{1,2}-)?\d{4,5}|\d{6}|\d{3} \d{2}|\d{2}-\d{3}|\d{4}-\d{3}|\d{4} ?[A-Z]{2})[ ](?P<city>\p{L}[\p{L}\p{M}’'./-]*(?: \p{L}[\p{L}\p{M}’'./-]*){0,2})"  # noqa: E501
    r"(?=[ \t]*(?:$|[,;\n\r<\"(]|\.(?:\s|$)))",
    _ANY_CASE | regex.MULTILINE,
)
_CODE_OF_LINE = re.compile(r"[ \t]*(?:[^\W\d_]{1,2}-)?\d\d")
_CODE_OF_PART = re.compile(r"[\n,\"][ \t]*(?:[^\W\d_]{1,2}-)?\d\d")
_LINE_BEFORE = regex.compile(
    r"(?:(?<=[ \n,;:>\"])|^)((?:\p{Lu}[\p{L}\p{M}’'./-]*[ ]){1,4}(?:n[ro]?[.:]?[ ])?\d{1,4}\S{0,4}(?:[ ]\w{1,3}){0,2}|\d{1,4}\S{0,4}[ ](?:\p{Lu}[\p{L}\p{M}’'./-]*[ ]?){1,4}|\d{1,2}\.?[ ]?\w{1,4}\.?)[ \t]*(?:,|\r?\n)[ \t]*$"  # noqa: E501
)
_LOWER_LINE_BEFORE = regex.compile(
    r"^((?:[\p{L}\p{M}’'.]+[ ]){1,3}\d{1,4}\S{0,4}(?:[ ]\w{1,3})?)[ \t]*(?:,|\r?\n)[ \t]*$", regex.MULTILINE
)
_HEAD = regex.compile(  # 'Hse No. ' 17 Nii Sai Road, 'No. 109, ' Jalan Cempaka 6, 'Flat 3B, 7/F, Golden Court, ' 40 Nathan Lane  # noqa: E501
    r"(?<!\w)(?:(?:hse|house|villa|unit|flat|no|block|blk|plot|shop|suite|apt)\b\.?[ ]?(?:no\.?[ ]?)?(?:\d\w{0,5}|\w)?,?\s{0,2}"  # noqa: E501
    r"(?:\d{1,2}/f,?\s{0,2})?(?:\p{L}[\w'’-]*[ ]\p{L}[\w'’-]*(?:,|\r?\n)\s?)?)+$",
    _ANY_CASE,
)
_REACH_BACK = 70
_MOST_BEFORE = 3


def find_addresses(text: str) -> Iterator[Span]:
    """Streets with a house number, boxes, and what follows announcing words, each with its city and postcode."""
    if has_digit(text):
        for start, end in find_streets(text):
            head = _HEAD.search(text, max(0, start - _REACH_BACK), start, timeout=limit(text))
            yield head.start() if head else start, _with_tail(text, end)
        yield from find_postcodes(text)
        yield from _postal_lines(text)
    for match in _CUED.finditer(text):
        yield from _cued(text, match)


def _with_tail(text: str, end: int) -> int:
    """The end of the address whose street ends there: city, region, postcode and country, while they last."""
    for _ in range(_MOST_TAILS):
        match = _NEXT.match(text, end, timeout=limit(text))
        length = _place_length(match["body"], linked=match["sep"] not in (" ", "\t")) if match else 0
        if not match or not length:
            break
        end = match.start("body") + length
        if length < len(match["body"].rstrip()):
            break
    return end


def _place_length(body: str, *, linked: bool) -> int:
    """How much of a piece of text is a place: postcode and city, city and postcode, or all of it, if it is a piece."""
    body = body.split(". ")[0].rstrip(" \t.")
    code = _CODE.match(body, timeout=limit(body))
    if code:
        length = code.end()
        for word in regex.finditer(r"[ ](\p{L}[\p{L}\p{M}’'.-]*)", body, pos=length):
            if word.start() != length or not _is_place([word[1]]) or word.start() > code.end() + 25:
                break
            length = word.end()
        return length
    coded = _CODE_AFTER_WORDS.match(body, timeout=limit(body))
    if coded and _is_place(coded["words"].split()):
        return coded.end()
    return len(body) if linked and _is_place(body.split()) else 0


def _is_place(words: list[str]) -> bool:
    """Up to four words with capitals that are not all common, or words of which none is common."""
    plain = [fold(word.strip(".-'#")) for word in words]
    names = [word for word in plain if word and not any(map(str.isdigit, word))]
    if not 1 <= len(words) <= 4 or not names or any(word in STOP and word != "st" for word in names):
        return False
    capital = all(word[0].isupper() for word in words if word[0].isalpha() and len(word) > 2)
    common = [is_common(word) for word in names]
    return not any(common) or (
        capital and words[0][0].isalnum() and (not all(common) or (words[0].isupper() and len(words[0]) == 2))
    )


def _postal_lines(text: str) -> Iterator[Span]:
    """A line of postcode and city, with the lines of street and flat before it."""
    if not _CODE_OF_LINE.match(text) and not _CODE_OF_PART.search(text):
        return
    for match in _POSTAL_LINE.finditer(text, timeout=limit(text)):
        if not _is_place(match["city"].split()):
            continue
        start = match.start("code")
        yield start, _with_tail(text, match.end())
        for _ in range(_MOST_BEFORE):
            window = max(0, start - _REACH_BACK)
            before = _LINE_BEFORE.search(text, window, start, timeout=limit(text)) or (
                text.islower() and _LOWER_LINE_BEFORE.search(text, window, start, timeout=limit(text))
            )
            if not before:
                break
            start = before.start(1)
            yield before.span(1)


def _cued(text: str, cue: regex.Match[str]) -> Iterator[Span]:
    """The segments after the words that look like parts of an address, up to the first that does not."""
    strict = not any(sign in cue["colon"] for sign in ":=\n")
    at = cue.end()
    for number, match in enumerate(_SEGMENT.finditer(text, at, timeout=limit(text))):
        between = text[at : match.start()]
        if (
            number == _MOST_SEGMENTS
            or "\n\n" in between.replace("\r", "")
            or any(char in '{}()[]|;"' for char in between)
        ):
            return
        segment = match[0].split(". ")[0]
        if not segment.strip() and not number:
            continue
        begin = match.start() + len(segment) - len(segment.lstrip(" \t*_'-"))
        words = segment.strip(" \t*_'.-").split()
        if not _is_part(words, first=number == 0, strict=strict):
            return
        yield begin, begin + len(segment.strip(" \t*_'.-"))
        at = match.end()
        if len(segment) < len(match[0]):
            return


def _is_part(words: list[str], *, first: bool, strict: bool) -> bool:
    if not 1 <= len(words) <= 7 or ":" in "".join(words):
        return False
    plain = [fold(word.strip(".,'#")) for word in words]
    if any(word in STOP - {"st", "am", "a", "x"} for word in plain):
        return False
    digits = any(char.isdigit() for word in words for char in word)
    names = [word for word, one in zip(words, plain, strict=True) if one and one[0].isalpha()]
    capital = all(word[0].isupper() for word in names if len(word) > 3)
    if not first and strict and not digits:
        return len(words) <= 3 and capital and bool(names) and not all(map(is_common, names))
    if digits:
        numbered = words[0][0].isdigit() or words[-1][-1].isdigit() or words[-1][0].isdigit()
        return bool(names or not first) and (capital or not strict) and numbered
    common = sum(map(is_common, names))
    return bool(names) and not strict and (common == 0 or (capital and common < len(names)))
