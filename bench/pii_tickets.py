"""Makes pii_tickets.jsonl, the labelled support tickets that text masking is measured on: python bench/pii_tickets.py

One JSON per line: id, text, spans [[start, end, kind], ...], neutral [[start, end], ...], slices [name, ...]. Sentences
are in pii_frames.txt, people in pii_people.py; the same seed gives the same bytes. Nobody is real.

What is labelled
- PERSON: names of people, staff included: full, first or last names, nicknames, initials that stand for a person,
  misspelt and spelled-out names. Words that only describe a person ("my husband") are not.
- LOCATION: where a person lives, stays, comes from or gets a delivery: a street, a postcode, a city, a country. An
  address is one span from its first line to its last.
- EMAIL, PHONE, CARD, IBAN, IP, MAC: each one written out in full, the shop's own included, because a reader cannot tell
  whose it is. The last four digits of a card are not.
- URL: links that carry a name, an account or a token.
- DATE_OF_BIRTH: the date, without the words that announce it. Other dates are not labelled.
- SSN, NINO, and ID for every other number that stands for a person: national ids, passports, licences, number plates,
  customer and membership numbers, bank account numbers without an IBAN, user names.
- Not labelled: numbers of orders, invoices, parcels, tickets, parts and devices; products, brands and shops; amounts.
- Neutral, neither a leak when left nor too much when masked: titles (Mr, Dr), places in the tracking of a parcel, a
  family name in the name of a firm.
"""

from __future__ import annotations

import json
import random
import re
import sys
import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pii_people as people

HERE = Path(__file__).parent
SET = HERE / "pii_tickets.jsonl"
SEED = 20260105
COMPOSED, PER_DOCUMENT, COMPOSED_NAMELESS = 340, 2, 115
KINDS = (
    "PERSON", "LOCATION", "EMAIL", "PHONE", "CARD", "IBAN", "IP", "MAC", "URL", "SSN", "NINO", "DATE_OF_BIRTH", "ID",
)  # fmt: skip

_LABELLED = re.compile(r"\[\[(.+?)\|(~|[A-Z_]+)\]\]", re.DOTALL)
_SLOT = re.compile(r"\{([a-z_]+)([0-9]?)\}")
_MONTHS = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
           "December"]  # fmt: skip
_DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]
_PLAIN_LETTERS = str.maketrans({"ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "đ": "d", "Đ": "D", "ß": "ss", "æ": "ae",
                                "þ": "th", "Þ": "Th", "ð": "d", "ı": "i"})  # fmt: skip


@cache
def frames() -> dict[str, list[str]]:
    """The lines of pii_frames.txt by section."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    for line in (HERE / "pii_frames.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            current = sections.setdefault(line[3:], [])
        elif line:
            current.append(line.replace("~~", "\n"))
    return sections


class Deck:
    """Deals the items of a list in random order, each once before any comes again."""

    def __init__(self, items: list[Any], rng: random.Random) -> None:
        self._items, self._rng, self._left = list(items), rng, list[Any]()

    def deal(self) -> Any:
        if not self._left:
            self._left = self._rng.sample(self._items, len(self._items))
        return self._left.pop()


class Person:
    """An invented person; everything said of them in one text fits together."""

    def __init__(self, culture: str, rng: random.Random) -> None:
        self._rng = rng
        self.group, firsts, lasts, order = people.CULTURES[culture]
        self.first, self.last = rng.choice(_split(firsts)), rng.choice(_split(lasts))
        home = rng.choice(people.HOMES[culture].split()) if rng.random() < 0.9 else rng.choice(sorted(people.COUNTRIES))
        self.country, form, streets, cities, phones = people.COUNTRIES[home]
        self._phones = phones.split(";")
        self.city, postcode, region = rng.choice(cities.split("|")).split(";")
        written = self._digits(postcode)
        self.postcode = written or "00000"  # where a form insists on one
        values = {"n": rng.randint(2, 240), "u": rng.randint(1, 9), "m": rng.randint(1, 9), "pc": written,
                  "street": rng.choice(streets.split(";")).format(u=rng.randint(1, 9), m=rng.randint(1, 9)),
                  "city": self.city, "region": region}  # fmt: skip
        self.lines = [line.strip() for line in form.format(**values).split("|")]
        if rng.random() < 0.4:
            self.lines.append(self.country)
        family_first = order == "e" and rng.random() < 0.5
        self.full = f"{self.last} {self.first}" if family_first else f"{self.first} {self.last}"
        self.phone, self.email, self.user = self._digits(rng.choice(self._phones)), self._email(), self._user()
        self.born = (rng.randint(1, 28), rng.randint(1, 12), rng.randint(1938, 2007))

    def _digits(self, pattern: str) -> str:
        filled = re.sub("#", lambda _: str(self._rng.randint(0, 9)), pattern)
        return re.sub("@", lambda _: self._rng.choice("ABCDEFGHJKLNPRSTUWXY"), filled)

    def _email(self) -> str:
        first, last, number = _ascii(self.first), _ascii(self.last), self._rng.randint(3, 99)
        forms = [f"{first}.{last}", f"{first}{last}", f"{first[0]}.{last}", f"{last}.{first}",
                 f"{first}_{last}{number}", f"{first}{number}", f"{first}-{last}",
                 f"sunflower{number}", f"{first}.{last}+shop"]  # fmt: skip
        return f"{self._rng.choice(forms)}@{self._rng.choice(people.DOMAINS)}"

    def _user(self) -> str:
        first, last, number = _ascii(self.first), _ascii(self.last), self._rng.randint(3, 99)
        return self._rng.choice(
            [f"{first}{number}", f"{first[0]}{last}", f"{last}_{first}", f"{first}.{last[:3]}{number}"]
        )

    def birth_date(self) -> str:
        day, month, year = self.born
        name = _MONTHS[month - 1]
        return self._rng.choice(
            [f"{day:02}/{month:02}/{year}", f"{day}.{month}.{year}", f"{year}-{month:02}-{day:02}",
             f"{day} {name} {year}", f"{month:02}/{day:02}/{year}", f"{name} {day}, {year}",
             f"{day:02}-{name[:3]}-{year}", f"{day}th of {name} {year}", f"{day:02} {month:02} {year}",
             f"{day}/{month}/{year % 100:02}"]
        )  # fmt: skip


class Ticket:
    """The slots of one text: one or two people, and the numbers and things around them."""

    def __init__(self, rng: random.Random, decks: dict[str, Deck]) -> None:
        self._rng, self._decks = rng, decks
        self._people: dict[str, Person] = {}
        self._said: dict[str, str] = {}
        self._minute = rng.randint(8 * 60, 19 * 60)

    def _later(self) -> str:
        """The time of day, some minutes after it was last asked for."""
        self._minute += self._rng.randint(1, 4)
        return f"{self._minute // 60:02}:{self._minute % 60:02}"

    @property
    def groups(self) -> list[str]:
        return sorted({person.group for person in self._people.values()})

    def fill(self, frame: str) -> str:
        """The frame with every slot rendered as labelled text."""
        return _SLOT.sub(lambda match: self._slot(match[1], match[1] + match[2]), frame)

    def deal(self, section: str) -> str:
        return self.fill(self._decks[section].deal())

    def _slot(self, name: str, key: str) -> str:
        if name == "nl":
            return "\n"
        if key not in self._said:
            base, _, ending = name.rpartition("_")
            who = "q_" if name.startswith("q_") else ""
            if ending in _CHANGES and name.removeprefix(who) not in _PERSONAL:
                self._said[key] = _on_words(self._slot(base, base + key[len(name) :]), _CHANGES[ending])
            else:
                self._said[key] = self._of_person(who, name.removeprefix(who)) or self._thing(name)
        return self._said[key]

    def _of_person(self, who: str, name: str) -> str | None:
        if name not in _PERSONAL:
            return None
        if who not in self._people:
            self._people[who] = Person(self._decks["cultures"].deal(), self._rng)
        return _PERSONAL[name](self._people[who], self._rng)

    def _thing(self, name: str) -> str:
        rng = self._rng
        day, month, year = rng.randint(1, 28), rng.randint(1, 12), rng.randint(2023, 2025)
        iso = f"{year}-{month:02}-{day:02}"
        things: dict[str, Callable[[], str]] = {
            "problem": lambda: self.deal("problem"),
            "ask": lambda: self.deal("ask"),
            "greeting": lambda: self.deal("greetings"),
            "agent": lambda: _label(rng.choice(people.AGENTS), "PERSON"),
            "agent_initials": lambda: _label(rng.choice(people.AGENTS)[:2].upper(), "PERSON"),
            "order": lambda: rng.choice([f"{rng.randint(100000, 999999)}", f"#{rng.randint(1000, 99999)}",
                                         f"SO-{rng.randint(10000, 99999)}", f"W{rng.randint(1000000, 9999999)}"]),
            "invoice": lambda: rng.choice([f"{year}-{rng.randint(1000, 9999)}", f"INV{rng.randint(10000, 99999)}"]),
            "ticket": lambda: rng.choice([f"T-{rng.randint(10000, 99999)}", f"#{rng.randint(100000, 999999)}"]),
            "tracking": lambda: rng.choice([f"PF{rng.randint(10**8, 10**9 - 1)}XX", f"1Z{rng.randint(10**6, 10**7)}QS",
                                            f"JX{rng.randint(10**6, 10**7 - 1)}"]),
            "serial": lambda: f"SN{rng.randint(100, 999)}X{rng.randint(1000, 9999)}",
            "part": lambda: rng.choice([f"KX-{rng.randint(100, 999)}", f"{rng.randint(10000, 99999)}B", "AP3-F2"]),
            "voucher": lambda: rng.choice(["SPRING15", "WELCOME10", "HELLO-AGAIN", "MAY5", "JUNE20"]),
            "error": lambda: rng.choice(["504", "E17", "0x80070057", "PAY-113", "1001", "403"]),
            "version": lambda: rng.choice(["4.2.1", "12.0", "v3.11", "2024.06", "1.0.19-beta", "7.2.0.114"]),
            "product": lambda: rng.choice(people.PRODUCTS),
            "brand": lambda: rng.choice(people.BRANDS),
            "shop": lambda: rng.choice(people.SHOPS),
            "carrier": lambda: rng.choice(people.CARRIERS),
            "plan": lambda: rng.choice(people.PLANS),
            "colour": lambda: rng.choice(people.COLOURS),
            "size": lambda: rng.choice(["38", "M", "42.5", "XL", "10", "W32 L34", "7½"]),
            "qty": lambda: str(rng.randint(2, 30)),
            "price": lambda: rng.choice(["£{}.99", "${}.00", "{},95 €", "EUR {}.50", "{} CHF", "₹{},299", "{}.90 kr"])
            .format(rng.randint(12, 480)),
            "month": lambda: rng.choice(_MONTHS),
            "weekday": lambda: rng.choice(_DAYS),
            "weekday_abbr": lambda: rng.choice(_DAYS)[:3],
            "date": lambda: rng.choice([iso, f"{day:02}/{month:02}/{year}", f"{day} {_MONTHS[month - 1]}",
                                        f"{_MONTHS[month - 1]} {day}", f"{day}.{month}.{year}"]),
            "date_iso": lambda: iso,
            "rfc_date": lambda: f"{day} {_MONTHS[month - 1][:3]} {year} {rng.randint(7, 21):02}:12:44 +0100",
            "time": self._later,
            "stars": lambda: rng.choice(["★☆☆☆☆", "★★☆☆☆", "*****", "2/5"]),
        }  # fmt: skip
        return things[name]()


def _label(text: str, kind: str) -> str:
    return f"[[{text}|{kind}]]"


def _name(text: str) -> str:
    return _label(text, "PERSON")


def _place(text: str) -> str:
    return _label(text, "LOCATION")


def _typo(words: str) -> str:
    """The first word with two letters in the middle swapped, or its last letter twice if it is short."""
    word, *rest = words.split(" ")
    middle = len(word) // 2
    if len(word) > 3:
        word = word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]
    else:
        word += word[-1:]
    return " ".join([word, *rest])


def _initials(person: Person, rng: random.Random) -> str:
    letters = person.first[0].upper(), person.last[0].upper()
    return _name(rng.choice(["{}.{}.", "{}{}", "{}. {}."]).format(*letters))


def _url(person: Person, rng: random.Random) -> str:
    first, last = _ascii(person.first), _ascii(person.last)
    return rng.choice(
        [f"https://shop.example.com/u/{first}-{last}", f"https://www.linkfolk.example/in/{last}{rng.randint(10, 99)}",
         f"http://reset.example.org/?user={first}.{last}&t=8f31c0", f"www.{first}{last}.example.com/about",
         f"https://files.example.net/{person.user}/invoice_{last}.pdf"]
    )  # fmt: skip


def _national_id(rng: random.Random) -> str:
    label, number = rng.choice(people.NATIONAL_IDS)
    return f"{label}{rng.choice([' ', ': ', ' = ', ' is '])}{_label(number, 'ID')}"


def _of(kind: str, values: list[str]) -> Callable[[Person, random.Random], str]:
    return lambda _, rng: _label(rng.choice(values), kind)


def _title(person: Person, rng: random.Random) -> str:
    name = rng.choice([person.last, person.full, person.last])
    return f"{_label(rng.choice(people.TITLES), '~')} {_name(name)}"


_PERSONAL: dict[str, Callable[[Person, random.Random], str]] = {
    "full": lambda p, *_: _name(p.full),
    "first": lambda p, *_: _name(p.first),
    "last": lambda p, *_: _name(p.last),
    "last_first": lambda p, *_: _name(f"{p.last}, {p.first}"),
    "first_init_last": lambda p, *_: _name(f"{p.first[0]}. {p.last}"),
    "full_middle": lambda p, rng: _name(f"{p.first} {rng.choice('ABCDEFJKLMRST')}. {p.last}"),
    "initials": lambda p, rng: _initials(p, rng),
    "nick": lambda p, rng: _name(rng.choice(people.NICKNAMES)),
    "titled": lambda p, rng: _title(p, rng),
    "spelled": lambda p, *_: _name("-".join(p.first.upper())),
    "spelled_last": lambda p, *_: _name(" ".join(p.last.upper())),
    "full_plus": lambda p, *_: _name(p.full.replace(" ", "+")),
    "last_ascii": lambda p, *_: _name(_ascii(p.last)),
    "city": lambda p, *_: _place(p.city),
    "country": lambda p, *_: _place(p.country),
    "postcode": lambda p, *_: _place(p.postcode),
    "street": lambda p, *_: _place(p.lines[0]),
    "addr": lambda p, *_: _place(", ".join(p.lines)),
    "addr_ml": lambda p, *_: _place("\n".join(p.lines)),
    "addr_br": lambda p, *_: "<br>".join(map(_place, p.lines)),
    "phone": lambda p, *_: _label(p.phone, "PHONE"),
    "phone_plain": lambda p, *_: _label(re.sub(r"[^0-9+]", "", p.phone), "PHONE"),
    "email": lambda p, *_: _label(p.email, "EMAIL"),
    "user": lambda p, *_: _label(p.user, "ID"),
    "user_plain": lambda p, *_: _label(p.user.replace(".", "_"), "ID"),
    "url": lambda p, rng: _label(_url(p, rng), "URL"),
    "dob": lambda p, *_: _label(p.birth_date(), "DATE_OF_BIRTH"),
    "dob_born": lambda p, *_: f"born {_label(p.birth_date(), 'DATE_OF_BIRTH')}",
    "dob_iso": lambda p, *_: _label("{2}-{1:02}-{0:02}".format(*p.born), "DATE_OF_BIRTH"),
    "natid": lambda p, rng: _national_id(rng),
    "card": _of("CARD", people.CARDS),
    "iban": _of("IBAN", people.IBANS),
    "ssn": _of("SSN", people.SSNS),
    "nino": _of("NINO", people.NINOS),
    "passport": _of("ID", people.PASSPORTS),
    "customer_id": _of("ID", people.CUSTOMER_IDS),
    "ip": _of("IP", people.IPS),
    "mac": _of("MAC", people.MACS),
}
_CHANGES: dict[str, Callable[[str], str]] = {
    "lower": str.lower,
    "caps": str.upper,
    "typo": lambda text: _typo(text) if text else "",
    "plain": lambda text: text.replace('"', "'"),
}


def _split(names: str) -> list[str]:
    return names.split("|") if "|" in names else names.split()


def _ascii(name: str) -> str:
    letters = unicodedata.normalize("NFKD", name.translate(_PLAIN_LETTERS))
    return re.sub("[^a-z]", "", letters.lower()) or "kunde"


def _pieces(labelled: str) -> Iterator[tuple[str, str | None]]:
    """The text in pieces, each with its kind, '~' for neutral or None."""
    end = 0
    for match in _LABELLED.finditer(labelled):
        yield labelled[end : match.start()], None
        yield match[1], match[2]
        end = match.end()
    yield labelled[end:], None


def _on_words(labelled: str, change: Callable[[str], str]) -> str:
    changed = ((change(text), kind) for text, kind in _pieces(labelled))
    return "".join(_label(text, kind) if kind else text for text, kind in changed)


def record(labelled: str, slices: list[str]) -> dict[str, Any]:
    """The text without marks, with the spans that the marks stood for."""
    text, spans, neutral = "", [], []
    for piece, kind in _pieces(labelled):
        span = [len(text), len(text) + len(piece)]
        text += piece
        if kind == "~":
            neutral.append(span)
        elif kind:
            spans.append([*span, kind])
    if any(kind == "LOCATION" and "\n" in text[start:end] for start, end, kind in spans):
        slices = [*slices, "address over several lines"]
    return {
        "text": text,
        "spans": spans,
        "neutral": neutral,
        "slices": slices if spans else [*slices, "nothing to find"],
    }


def _composed(ticket: Ticket, rng: random.Random) -> str:
    """A letter from sentences: who, what happened, where, how to reach, what is asked."""
    problem, who, where, reach = (ticket.deal(name) for name in ("problem", "identity", "address", "contact"))
    kept = rng.choice([[who], [who, reach], [who, where], [who, where, reach], [reach], [where], [where, reach]])
    sentences = [*kept, problem]
    if rng.random() < 0.6:
        sentences = rng.sample(sentences, len(sentences))
    if rng.random() < 0.3:
        sentences.append(ticket.deal("problem"))
    if rng.random() < 0.5:
        sentences.append(ticket.deal("ask"))
    gap = rng.choice([" ", " ", "\n", "\n\n"])
    body = gap.join(sentences)
    greeting = ticket.deal("greetings") + rng.choice([" ", "\n", "\n\n"]) if rng.random() < 0.6 else ""
    closing = rng.choice(["\n", "\n\n"]) + ticket.deal("closings") if rng.random() < 0.5 else ""
    return greeting + body + closing


def _composed_nameless(ticket: Ticket, rng: random.Random) -> str:
    sentences = [ticket.deal("problem") for _ in range(rng.randint(1, 3))]
    if rng.random() < 0.5:
        sentences.append(ticket.deal("ask"))
    if rng.random() < 0.4:
        sentences.append(ticket.deal("nameless_closings"))
    return rng.choice([" ", "\n"]).join(sentences)


def _cased(labelled: str, rng: random.Random) -> tuple[str, list[str]]:
    chance = rng.random()
    if chance < 0.12:
        return _on_words(labelled, str.lower), ["lower case"]
    if chance < 0.2:
        return _on_words(labelled, str.upper), ["capitals"]
    return labelled, []


def tickets() -> list[dict[str, Any]]:
    """All records, in order."""
    rng = random.Random(SEED)  # noqa: S311
    decks = {section: Deck(lines, rng) for section, lines in frames().items()}
    decks["cultures"] = Deck([*sorted(people.CULTURES), "wordy", "wordy"], rng)
    made = [record(line, ["written by hand"]) for line in frames()["hand_written"]]
    shapes = [("letter", _composed)] * COMPOSED + [("nothing", _composed_nameless)] * COMPOSED_NAMELESS
    for name, compose in shapes:
        ticket = Ticket(rng, decks)
        labelled, cases = _cased(compose(ticket, rng), rng)
        made.append(record(labelled, [*([name] if name == "letter" else []), *cases, *ticket.groups]))
    for frame in frames()["documents"] * PER_DOCUMENT:
        ticket = Ticket(rng, decks)
        labelled = ticket.fill(frame)
        made.append(record(labelled, ["document", *ticket.groups]))
    made += [record(Ticket(rng, decks).fill(frame), []) for frame in frames()["nameless_documents"]]
    return [{"id": f"t{number:04}", **one} for number, one in enumerate(made, 1)]


def letters(count: int, *, words: int, seed: int) -> list[str]:
    """So many different texts of about so many words, without labels, to measure speed on."""
    rng = random.Random(seed)  # noqa: S311
    decks = {section: Deck(lines, rng) for section, lines in frames().items()}
    decks["cultures"] = Deck(sorted(people.CULTURES), rng)
    made: dict[str, None] = {}
    while len(made) < count:
        ticket = Ticket(rng, decks)
        text = record(_composed(ticket, rng), [])["text"]
        while len(text.split()) < words - 8:  # a sentence has about 16, so that the mean is what was asked for
            text += " " + record(ticket.deal(rng.choice(["problem", "problem", "contact", "identity"])), [])["text"]
        made[" ".join(text.split()[: words + 12])] = None
    return list(made)


def lines() -> str:
    """The file as it is committed."""
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in tickets())


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else SET
    target.write_text(lines(), encoding="utf-8")
    print(f"{len(tickets())} tickets")
