"""The values of one person, and where they stand in a text of theirs, in any case, order, spelling and grouping.

Most texts do not name their owner: a look at the words and the row of digits of a text tells so. Only what passes it
is searched for its place. Diminutives and initials alone are not found.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cached_property, lru_cache
from itertools import pairwise

import phonenumbers

from ds_pipeline.masking.people.mentions import STREET_WORDS, NameMentions, is_strong, place_mentions
from ds_pipeline.masking.people.prepared import Day, PreparedText, days_of, fold_text
from ds_pipeline.masking.people.typos import SHORTEST, TypoIndex, is_slip, rests
from ds_pipeline.masking.reading.spans import Found
from ds_pipeline.masking.reading.words import fold, is_common

_SURE = 1.0
_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_FEWEST_ID, _FREE_ID, _FEWEST_PHONE, _FEWEST_LOCAL = 4, 6, 6, 6
_NO_AMOUNT_BEFORE, _NO_AMOUNT_AFTER = r"(?<![^\W_])(?<![£$€])(?<!\d[.,:])", r"(?![^\W_])(?![.,:]\d|\s?[%£$€])"
_PHONE_PREFIX = re.compile(
    r"(?:(?:\+|00)\s?\d{0,3}[\s().\-/]{0,3}|\(?\b\d{1,4}\)?[\s().\-/]{0,3})?\(?0?\)?[\s.\-/]{0,2}\(?$"
)
_PHONE_PREFIX_REACH = 14


class Owner:
    """The values known of one person, ready to be looked up."""

    def __init__(self, values: Iterable[tuple[str, object]]) -> None:
        """`values`: kind and value; see `owners.KINDS`."""
        by_kind: dict[str, list[str]] = {}
        self._days: set[Day] = set()
        for kind, value in values:
            if kind == "birth_date":
                self._days |= days_of(value)
            else:
                by_kind.setdefault(kind, []).append(str(value))
        self._emails = [fold_text(email).strip() for email in by_kind.get("email", []) if "@" in email]
        self._phones = [(phone, _tail(phone)) for phone in by_kind.get("phone", [])]
        self._ids = [("ID", core) for value in by_kind.get("id", []) if (core := _core(value))]
        self._ids += [("LOCATION", core) for value in by_kind.get("postcode", []) if (core := _core(value))]
        self._address_values = by_kind.get("address", [])
        self._names = NameMentions(by_kind.get("name", []))

    @property
    def name_words(self) -> frozenset[str]:
        """The folded words of the names."""
        return self._names.words

    def find(self, text: PreparedText, typos: TypoIndex) -> list[Found]:
        """What stands in the text of this person, in characters of the original; may overlap."""
        return [*self._find_names(text, typos), *self._find_values(text)]

    def _find_names(self, text: PreparedText, typos: TypoIndex) -> Iterator[Found]:
        slips: set[str] = set()
        if alike := self._alike(text.words):
            typos.add(alike)
            near = typos.near(self._typo_rests) & alike
            slips = {word for word in near if not is_common(word) and any(is_slip(word, name) for name in self._long)}
        joined = any(name in text.row for name in self._names.joined)
        if slips or joined or not self.name_words.isdisjoint(text.words):
            for view in text.views:
                for start, end in self._names.find(view.text, slips):
                    yield Found(*view.original_span(start, end), _SURE, "PERSON")

    def _alike(self, words: frozenset[str]) -> set[str]:
        """Words that may be a slip of a name: about as long, and with its first or its last letter."""
        ends, lengths = self._ends, {size for size, *_ in self._ends}
        return {
            word
            for word in words
            if (size := len(word)) in lengths
            and ((size, 0, word[0]) in ends or (size, -1, word[-1]) in ends)
            and word not in self.name_words
        }

    def _find_values(self, text: PreparedText) -> Iterator[Found]:
        row = text.row
        patterns = [("EMAIL", pattern) for pattern in self._wanted_emails(row)]
        patterns += [(kind, _grouped_id(core)) for kind, core in self._ids if core in row]
        cores = {_national(phone) for phone, tail in self._phones if tail and tail in row}
        phones = sorted(core for core in cores if core and core in row)
        for view in text.views:
            for kind, pattern in patterns:
                for match in pattern.finditer(view.text):
                    yield Found(*view.original_span(*match.span()), _SURE, kind)
            for core in phones:
                for span in _phone_spans(core, view.text):
                    yield Found(*view.original_span(*span), _SURE, "PHONE")
            if any(cue in row if glued else cue in text.words for cue, glued in self._address_cues):
                for tokens in self._addresses:
                    for span in place_mentions(tokens, view.text):
                        yield Found(*view.original_span(*span), _SURE, "LOCATION")
        if not self._day_tokens.isdisjoint(text.words):
            for day in sorted(self._days & text.days.keys()):
                for start, end in text.days[day]:
                    yield Found(start, end, _SURE, "DATE_OF_BIRTH")

    @cached_property
    def _day_tokens(self) -> frozenset[str]:
        """Rows of digits of which one is in every way to write the dates: the year, or all of it."""
        whole = (f"{y:04}{m:02}{d:02} {d:02}{m:02}{y:04} {m:02}{d:02}{y:04}" for y, m, d in self._days)
        return frozenset(token for one in whole for token in one.split()) | {
            token for year, _, _ in self._days for token in (str(year), f"{year % 100:02}")
        }

    @cached_property
    def _addresses(self) -> list[list[str]]:
        return [[fold(word) for word in _TOKEN.findall(value)] for value in self._address_values]

    @cached_property
    def _ends(self) -> frozenset[tuple[int, int, str]]:
        """Lengths of slips of the names, with the first (0) or last (-1) letter that each of them keeps one of."""
        return frozenset(
            (len(name) + more, place, name[place]) for name in self._long for more in (-1, 0, 1) for place in (0, -1)
        )

    @cached_property
    def _long(self) -> list[str]:
        return sorted(word for word in self.name_words if len(word) >= SHORTEST and word.isalpha())

    @cached_property
    def _typo_rests(self) -> frozenset[str]:
        return frozenset(rest for word in self._long for rest in rests(word))

    @cached_property
    def _address_cues(self) -> list[tuple[str, bool]]:
        """Strong words of the addresses, and what tells a street by common words: its number or type beside its name."""  # noqa: E501
        cues: set[tuple[str, bool]] = set()
        for tokens in self._addresses:
            cues |= {(token, False) for token in tokens if is_strong(token) and token not in STREET_WORDS}
            cues |= {
                (one + other[:2] if other in STREET_WORDS else one + other, True) for one, other in pairwise(tokens)
            }
        return sorted(cues)

    def _wanted_emails(self, row: str) -> Iterator[re.Pattern[str]]:
        for email in self._emails:
            local = email.rpartition("@")[0]
            core = "".join(_TOKEN.findall(local))
            if core and core in row:
                yield _spaced_email(email)
                if len(core) >= _FEWEST_LOCAL and not is_common(core):
                    yield re.compile(rf"(?<![\w.-]){re.escape(local)}(?![\w-])", re.IGNORECASE)


def _core(value: str) -> str:
    core = "".join(_TOKEN.findall(fold_text(value)))
    return core if len(core) >= _FEWEST_ID and any(map(str.isdigit, core)) else ""


def _tail(phone: str) -> str:
    """The last digits of the number, with which every way to write it ends; empty if it is too short."""
    digits = re.sub(r"\D", "", phone)
    return digits[-_FEWEST_PHONE:] if len(digits) >= _FEWEST_PHONE else ""


@lru_cache(1_024)
def _national(phone: str) -> str:
    """The digits that every way to write the number shares: without the code of the country and the 0 before the area."""  # noqa: E501
    digits = re.sub(r"\D", "", phone)
    plain = phone.strip()
    if plain.startswith("+") or digits.startswith("00"):
        try:
            digits = str(phonenumbers.parse("+" + digits.removeprefix("00")).national_number)
        except phonenumbers.NumberParseException:
            digits = digits[-9:]
    digits = digits.lstrip("0")
    if len(digits) == 11 and digits[0] == "1":
        digits = digits[1:]
    return digits if len(digits) >= _FEWEST_PHONE else ""


@lru_cache(1_024)
def _grouped_id(core: str) -> re.Pattern[str]:
    """Its letters and digits with up to two signs between them; a short one, or one that may be an amount, in one piece."""  # noqa: E501
    between = r"[\W_]{0,2}" if len(core) >= _FREE_ID or not core.isdigit() else ""
    before, after = (_NO_AMOUNT_BEFORE, _NO_AMOUNT_AFTER) if core.isdigit() else (r"(?<![^\W_])", r"(?![^\W_])")
    return re.compile(before + between.join(core) + after, re.IGNORECASE)


def _phone_spans(core: str, text: str) -> Iterator[tuple[int, int]]:
    for match in re.finditer(r"[\s().\-/_]{0,3}".join(core) + r"(?!\d)", text):
        start = match.start()
        before = _PHONE_PREFIX.search(text, max(0, start - _PHONE_PREFIX_REACH), start)
        begin = before.start() if before else start
        if not text[begin - 1 : begin].isdigit() or begin == 0:
            yield begin, match.end()


@lru_cache(1_024)
def _spaced_email(email: str) -> re.Pattern[str]:
    """The address with spaces anywhere, and with its signs written out."""
    signs = {"@": r"(?:@|[\[({<]?\s?at\s?[\])}>]?|%40)", ".": r"(?:\.|[\[({]?\s?dot\s?[\])}]?)"}
    parts = [signs.get(char, re.escape(char)) for char in email if not char.isspace()]
    return re.compile(r"(?<![^\W_])" + r"\s{0,2}".join(parts) + r"(?![^\W_])", re.IGNORECASE)
