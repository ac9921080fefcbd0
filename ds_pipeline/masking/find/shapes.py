"""What is told by its shape or by a word right before it: machine-readable zones, account codes, secrets, numbers in
words, names in other scripts.
"""

import re
from collections.abc import Iterator

import regex  # type: ignore[import-untyped]

from ds_pipeline.masking.find.numbers import Span
from ds_pipeline.masking.reading.starts import Anchored, has_word, limit

_MACHINE_READ = re.compile(r"(?<![\w<])(?=[A-Z0-9<]{9})[A-Z0-9]+(?:<+[A-Z0-9]+)+<*(?![\w<])|(?<![\w<])[A-Z]<[A-Z<]{8,}")
_CODE = re.compile(  # m_88213, cust_004417, SUB.441.902
    r"(?<![^\W_])(?:(?:[a-z]|usr|user|cust|customer|acct?|account|mbr|member|sub|uid|cid|pid)_[0-9]{4,12}"
    r"|[A-Z]{2,4}\.[0-9]{3}\.[0-9]{3})(?![^\W_])"
)
_CODE_AFTER = Anchored(
    r"\b(?:id[ :#]{1,3}(?P<id>(?-i:[A-Z]{1,3})[0-9]{5,12})"
    r"|(?:badge|(?:gate|door|entry|access|alarm|security|safe)\s+code|pin(?:\s+(?:code|number))?|passcode)"
    r"(?:[ :#]|\bis\b|\bno\b\.?|\bnumber\b){1,5}(?P<code>[0-9][0-9*#-]{2,9}))(?![\w])"
)
_PASSWORD = Anchored(
    r"\b(?:password|passwort|kennwort|passcode|passphrase|pwd|contraseña|wachtwoord|hasło|lösenord)"
    r"(?:\s?[:=]\s?|\s+(?:is|was|ist|es|war)\s+)[\"'“]?(?=\S{0,40}[0-9&!#$%*+=@^~])(?P<secret>[^\s\"'”,]{4,64})"
)
_KEY = regex.compile(  # as payment, cloud, code and chat services issue them, and signed tokens
    r"(?<![\w-])(?:[srp]k_(?:live|test)_\w{8,}|gh[pousr]_\w{16,}|AKIA[0-9A-Z]{12,}|xox[abpr]-[\w-]{10,}|eyJ[\w-]{10,}\.[\w-]{4,}(?:\.[\w-]*)?)"
)
_CARD_DETAIL = Anchored(
    r"\b(?:(?:cvv2?|cvc2?|csc)[ :#]{0,3}(?:(?:is|code|number)\s)?(?P<code>[0-9]{3,4})"
    r"|exp(?:iry|iration|ires|\.)?(?:\s+date)?[ :.]{1,3}(?P<date>[0-9]{2}\s?/\s?(?:20)?[0-9]{2}))(?![\w/])"
)
_DIGIT_WORDS = "oh|zero|nought|one|two|three|four|five|six|seven|eight|nine|double|triple|plus"
_SPOKEN = Anchored(
    rf"\b(?:{_DIGIT_WORDS})(?:(?:[ ,-]{{1,2}}|\s-\s)(?:{_DIGIT_WORDS}|hundred|thousand|ten|twenty|thirty|forty|"
    rf"fifty|sixty|seventy|"
    r"eighty|ninety)\b){3,}"
)
_SPOKEN_WORDS = frozenset(word[:4] for word in _DIGIT_WORDS.split("|"))
_OTHER_SCRIPT = regex.compile(
    r"(?:\p{Han}{2,4}|\p{Katakana}{2,8}(?:[ ・·]\p{Katakana}{2,8})?|"
    r"\p{Hangul}{2,4})(?![\p{Han}\p{Katakana}\p{Hiragana}\p{Hangul}])"
)
_LATIN = re.compile(r"[A-Za-z]")
_MOSTLY = 3  # Latin letters for one of another script: then a name was copied into the text, and no sentence


def find_coded_ids(text: str) -> Iterator[Span]:
    """Account codes, and rows of the machine-readable zone of a document."""
    if "<" in text:
        yield from (match.span() for match in _MACHINE_READ.finditer(text))
    if "_" in text or "." in text:
        yield from (match.span() for match in _CODE.finditer(text))


def find_secrets(text: str) -> Iterator[Span]:
    """Passwords, keys of services, and numbers after words like badge, gate code or PIN."""
    for pattern in (_CODE_AFTER, _PASSWORD):
        for match in pattern.finditer(text):
            yield match.span(match.lastgroup)
    yield from (match.span() for match in _KEY.finditer(text, timeout=limit(text)))


def find_card_details(text: str) -> Iterator[Span]:
    """Security code and end of validity of a card."""
    for match in _CARD_DETAIL.finditer(text):
        yield match.span(match.lastgroup)


def find_spoken_numbers(text: str) -> Iterator[Span]:
    """Four digits and more, in English words."""
    if has_word(text, _SPOKEN_WORDS):
        yield from (match.span() for match in _SPOKEN.finditer(text))


def find_names_in_other_scripts(text: str) -> Iterator[Span]:
    """Short words in Chinese, Japanese or Korean script in a text that is Latin otherwise."""
    if text.isascii():
        return
    spans = [match.span() for match in _OTHER_SCRIPT.finditer(text, timeout=limit(text))]
    if spans and len(_LATIN.findall(text)) >= _MOSTLY * sum(end - start for start, end in spans):
        yield from spans
