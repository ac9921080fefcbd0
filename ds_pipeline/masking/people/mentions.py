"""Names and addresses of a known person as they are mentioned: in part, in another order, with initials.

A word that is also a common one (Will, May, Brown) is taken for the name only beside another part of it, or with a
capital where no sentence begins.
"""

import re
from collections.abc import Collection, Iterator
from itertools import pairwise

from ds_pipeline.masking.reading.words import WORD, fold, is_common, listed, spellings

_PARTICLES = listed(
    """
    van de von der den del della di da dos das du la le el al bin y zu ter ten mr mrs ms dr
    """
)
_BETWEEN_NAMES = re.compile(r"(?:[ \t,.'’_-]|\r?\n){1,3}")
_BETWEEN_PLACES = re.compile(r"[\s,./#-]{1,4}")
_PLACE_TOKEN = re.compile(r"[^\W\d_]+\.?|\d+")
_SENTENCE_START = re.compile(r"(?:^|[.!?:\n>•*-])[\s\"'“(>*-]*$")
_ENDS_MENTION = re.compile(r"['’]s\b|[,!]|[ \t.]*(?:\r?\n|$)")
_MONTHS = frozenset({"april", "may", "june", "august", "march", "january"})
_BEFORE_MONTH = re.compile(
    r"(?:\d(?:st|nd|rd|th)?|\b(?:in|on|by|since|until|till|before|after|of|last|next|early|late|mid))[ -]$",
    re.IGNORECASE,
)
_AFTER_MONTH = re.compile(r"[ ,.-]{1,2}\d")
STREET_WORDS = listed(
    """
    street st road rd avenue ave av lane ln drive dr court ct place pl close crescent cres boulevard blvd way
    terrace square sq gardens gdns highway hwy strasse str weg platz gasse allee rue via viale piazza calle
    avenida rua straat laan gracht plein vej gade gatan ul ulica apt apartment flat unit suite house floor
    """
)
_SAME = {"st": "street", "rd": "road", "ave": "avenue", "av": "avenue", "ln": "lane", "dr": "drive", "ct": "court", "pl": "place",  # noqa: E501
         "cres": "crescent", "blvd": "boulevard", "sq": "square", "gdns": "gardens", "hwy": "highway", "str": "strasse",
         "apt": "apartment", "ul": "ulica"}  # fmt: skip
_SHORT_TYPES = re.compile(r"(?<=\w)str(?:\.|$)")

_Word = tuple[int, int, str, bool]  # where it stands, as folded, and whether the name has it in full


def is_strong(word: str) -> bool:
    """A word that says a name by itself."""
    return len(word) >= 3 and word.isalpha() and not is_common(word) and word not in _PARTICLES


class NameMentions:
    """The names of one person."""

    def __init__(self, names: list[str]) -> None:
        parts = [[word for word in WORD.findall(name)] for name in names]
        self.words = frozenset(
            form
            for words in parts
            for word in words
            for form in spellings(word)
            if len(form) > 1 and form not in _PARTICLES
        )
        self._initials = {word[0] for word in self.words}
        orders = [[fold(word) for word in words if fold(word) not in _PARTICLES] for words in parts if len(words) > 1]
        joined = {a + b for words in orders for pair in pairwise(words) for a, b in (pair, pair[::-1])}
        self.joined = sorted(one for one in joined if len(one) >= 8)

    def find(self, text: str, slips: Collection[str]) -> Iterator[tuple[int, int]]:
        """Where the person is named; `slips` are words of the text that are misspelt parts of the name."""
        shouted = text.isupper()
        tokens = [(*match.span(), fold(match[0])) for match in WORD.finditer(text)]
        run: list[_Word] = []
        last = -1
        for number, (start, end, word) in enumerate(tokens):
            full = word in self.words or word in slips
            part = full or (len(word) == 1 and word in self._initials and text[start].isupper())
            linked = bool(run) and last == number - 1 and bool(_BETWEEN_NAMES.fullmatch(text, run[-1][1], start))
            if run and not (part and linked) and not (linked and word in _PARTICLES and self._goes_on(tokens, number)):
                yield from self._named(text, run, slips, shouted)
                run = []
            if part or (run and word in _PARTICLES):
                run.append((start, end, word, full))
                last = number
            elif any(name in word for name in self.joined):
                yield start, end
        yield from self._named(text, run, slips, shouted)

    def _goes_on(self, tokens: list[tuple[int, int, str]], number: int) -> bool:
        return any(word in self.words for _, _, word in tokens[number + 1 : number + 3])

    def _named(self, text: str, run: list[_Word], slips: Collection[str], shouted: bool) -> Iterator[tuple[int, int]]:
        while run and not run[-1][3] and (len(run) == 1 or run[-1][2] in _PARTICLES):
            run = run[:-1]
        full = [word for word in run if word[3]]
        if not full or not self._is_named(text, run, full, slips, shouted):
            return
        if run[0][3] or text[run[0][0] - 1 : run[0][0]] not in ("'", "’"):
            yield run[0][0], run[-1][1] + (len(run[-1][2]) == 1 and text[run[-1][1] : run[-1][1] + 1] == ".")

    def _is_named(self, text: str, run: list[_Word], full: list[_Word], slips: Collection[str], shouted: bool) -> bool:
        capital = all(text[start].isupper() for start, *_ in full) and not shouted
        strong = [word for _, _, word, _ in full if is_strong(word) or word in slips]
        if strong or len({word for _, _, word, _ in full}) > 1:
            return bool(strong) or capital or self._is_whole(full)
        if not capital:
            return False
        if len(run) > 1:
            return True
        start, end, word, _ = run[0]
        if word in _MONTHS and (_BEFORE_MONTH.search(text, max(0, start - 20), start) or _AFTER_MONTH.match(text, end)):
            return False
        return not _SENTENCE_START.search(text, max(0, start - 20), start) or bool(_ENDS_MENTION.match(text, end))

    def _is_whole(self, full: list[_Word]) -> bool:
        """All parts of the name, in lower case: 'may rich'."""
        return len({word for _, _, word, _ in full}) >= min(2, len(self.words))


def place_mentions(address: list[str], text: str) -> Iterator[tuple[int, int]]:
    """Where parts of the address stand: neighbouring words of it, or one that says a place by itself."""
    known = {_same(token) for token in address}
    pairs = {(_same(one), _same(other)) for one, other in pairwise(address)}
    run: list[tuple[int, int, str]] = []
    for match in _PLACE_TOKEN.finditer(text):
        token = _same(fold(match[0].rstrip(".")))
        if run and not (token in known and _BETWEEN_PLACES.fullmatch(text, run[-1][1], match.start())):
            yield from _placed(text, run, pairs)
            run = []
        if token in known:
            run.append((match.start(), match.end() - match[0].endswith("."), token))
    yield from _placed(text, run, pairs)


def _placed(text: str, run: list[tuple[int, int, str]], pairs: set[tuple[str, str]]) -> Iterator[tuple[int, int]]:
    if not run:
        return
    words = [word for *_, word in run]
    beside = any(pair in pairs and (is_content(pair[0]) or is_content(pair[1])) for pair in pairwise(words))
    alone = any(
        is_strong(word) and word not in STREET_WORDS and (len(word) > 4 or text[start].isupper())
        for start, _, word in run
    )
    if beside or alone:
        yield run[0][0], run[-1][1]


def is_content(word: str) -> bool:
    """A word of a street name, not its number, type or particle."""
    return word.isalpha() and len(word) > 2 and word not in STREET_WORDS and word not in _PARTICLES


def _same(token: str) -> str:
    return _SAME.get(token, _SHORT_TYPES.sub("strasse", token))
