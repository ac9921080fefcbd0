"""Invented people, addresses, firms and things for the training texts; the same seed makes the same ones.

Names keep to one culture most of the time; some are made of syllables, so that the network also learns names that are
in no list. Street and postcode forms come from faker and from material/.
"""

import random
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple, TypeVar

from faker import Faker

from ds_pipeline.masking.ner.gazetteer import fold
from tools.ner import word_lists
from tools.ner.material import lines

_SEED = 20_170_917
_POOL = 300  # addresses taken from faker per locale
_INVENTED = 0.14  # share of names made of syllables
_CULTURE_WEIGHTS = {
    "census": 14, "en_US": 5, "en_GB": 5, "chinese": 4, "arabic": 4, "indian": 4, "en": 3, "korean": 2, "en_IN": 2,
    "vietnamese": 2, "is_IS": 0.4,
}  # fmt: skip

Value = TypeVar("Value")


class _Address(NamedTuple):
    street: str
    postcode: str
    city: str


class Identities:
    """Draws identities from one random generator."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        cultures = word_lists.cultures()
        self._cultures = [cultures[key] for key in sorted(cultures)]
        self._weights = [_CULTURE_WEIGHTS.get(key, 1) for key in sorted(cultures)]
        self._places = word_lists.places()
        self._cities = [place for place in self._places if place.population >= word_lists.LARGE_CITY]
        self._world_cities = [place for place in self._places if place.population >= 1_500_000]

    def _one(self, values: Sequence[Value]) -> Value:
        return values[int(self._rng.random() * len(values))]

    def _from(self, name: str) -> str:
        return self._one(lines(name))

    def _chance(self, share: float) -> bool:
        return self._rng.random() < share

    def _number(self, below: int) -> int:
        return 1 + int(self._rng.random() * below)

    def _digits(self, pattern: str) -> str:
        return "".join(str(self._number(10) - 1) if char == "#" else char for char in pattern)

    def invented(self) -> str:
        """A name in no list: syllables."""
        stem = "".join(
            self._from("syllable_onsets") + self._from("syllable_vowels") for _ in range(self._one((1, 2, 2, 3)))
        )
        return (stem + (self._from("syllable_codas") if self._chance(0.9) else "")).capitalize()

    def _culture(self) -> word_lists.Culture:
        return self._rng.choices(self._cultures, self._weights)[0]

    def first(self, culture: word_lists.Culture | None = None) -> str:
        return self.invented() if self._chance(_INVENTED) else self._one((culture or self._culture()).first)

    def last(self, culture: word_lists.Culture | None = None) -> str:
        if self._chance(_INVENTED):
            return self.invented()
        last = self._one((culture or self._culture()).last)
        if self._chance(0.05):
            return self._from("particles").replace("_", " ") + last
        return f"{last}-{self._one(self._culture().last)}" if self._chance(0.05) else last

    def initial(self) -> str:
        return self._one("ABCDEFGHIJKLMNOPRSTVWYZ")  # pragma: allowlist secret

    def full(self) -> str:
        """A full name in one of the orders and shapes in which people write it."""
        culture = self._culture()
        first = self.first(culture)
        last = self.last() if self._chance(0.08) else self.last(culture)
        shapes: tuple[tuple[float, Callable[[], str]], ...] = (
            (62, lambda: f"{first} {last}"),
            (6, lambda: f"{first} {self.initial()}. {last}"),
            (2, lambda: f"{first} {self.initial()} {last}"),
            (6, lambda: f"{first} {self.first(culture)} {last}"),
            (3, lambda: f"{first} {last} {self.last(culture)}"),
            (5, lambda: f"{last}, {first}"),
            (3, lambda: f"{last} {first}"),
            (3, lambda: f"{self.initial()}. {last}"),
            (1.5, lambda: f"{self.initial()}. {self.initial()}. {last}"),
            (1.5, lambda: f"{self.initial()}.{self.initial()}. {last}"),
            (1.5, lambda: f"{first}-{self.first(culture)} {last}"),
            (1.5, lambda: f"{first} {self.initial()}."),
            (1, lambda: f"{first} {last} {self._one(('Jr.', 'Sr.', 'III', 'II', 'Jr'))}"),
            (1, lambda: f"{last.upper()} {first}"),
            (1, lambda: f"{first} {last.upper()}"),
            (1, lambda: f'{first} "{self.first()}" {last}'),
        )
        return self._rng.choices([make for _, make in shapes], [weight for weight, _ in shapes])[0]()

    def title(self) -> str:
        return self._from("written_titles")

    def job(self) -> str:
        return self._from("jobs")

    def city(self) -> str:
        shape = self._rng.random()
        if shape < 0.35:
            return self._one(self._world_cities).name
        if shape < 0.60:
            return self._one(self._cities).name
        if shape < 0.90:
            return self._one(self._places).name
        if shape < 0.94:
            return self._address().city
        ends = (
            "",
            "ville",
            "burg",
            "ton",
            " City",
            "stad",
            "grad",
            "holm",
            "by",
            "ford",
            "pur",
            "abad",
            "hausen",
            "ham",
        )
        return self.invented() + self._one(ends)

    def country(self) -> str:
        return self._one(word_lists.countries())

    def state(self) -> str:
        return self._one(word_lists.counties() if self._chance(0.15) else word_lists.states())

    def _address(self) -> _Address:
        return self._one(_addresses()[self._from("address_locales")])

    def postcode(self) -> str:
        return self._address().postcode

    def _house(self) -> str:
        number = str(self._number(self._one((30, 200, 2_000, 20_000))))
        return number + (self._one(("a", "b", "A", "B", "/2", "-4", " bis")) if self._chance(0.1) else "")

    def road(self) -> str:
        """The name of a street without a number."""
        shape = self._rng.random()
        if shape < 0.35:
            stem = self._from("street_stems")
        elif shape < 0.6:
            stem = self.last()
        elif shape < 0.75:
            stem = self.invented()
        elif shape < 0.85:
            stem = self.first()
        else:
            stem = self._one(self._places).name
        return self._from("street_forms").format(stem)

    def street(self) -> str:
        """A street with its number, or a building."""
        shape = self._rng.random()
        if shape < 0.4:
            return self._address().street
        if shape < 0.52:
            return self._one(_addresses()[self._one(("en_US", "en_GB", "en_AU", "en_CA"))]).street
        if shape < 0.62:
            return self._building()
        road = self.road()
        is_english = road.endswith((" St", "Street", "Road", " Rd", "Lane", "Ave", "Avenue", "Drive", "Way", "Close"))
        street = f"{self._house()} {road}" if is_english or self._chance(0.4) else f"{road} {self._house()}"
        return street + (self._from("unit_forms").format(self._number(400)) if self._chance(0.2) else "")

    def _building(self) -> str:
        building = self._from("buildings").format(self._one((self.last, self.first, self.invented))())
        unit = self._one(("Flat {}, ", "Unit {}, ", "{}, ", "Apt {}, ", "#{} ", "Villa {}, ")).format(self._number(900))
        parts = [(unit if self._chance(0.5) else "") + building, self.road() if self._chance(0.7) else ""]
        return ", ".join(part for part in parts if part)

    def address(self) -> str:
        """An address on one line or on several, in the order of one of many countries."""
        street, code, city = self._address()
        street = self.street() if self._chance(0.5) else street
        city = self.city() if self._chance(0.6) else city
        letters, zip_code = self._from("state_letters"), self._digits("#####")
        parts = self._one(
            (
                [street],
                [street, city],
                [street, f"{code} {city}"],
                [street, f"{code} {city}"],
                [street, f"{code} {city}", self.country()],
                [street, city, code],
                [street, city, f"{letters} {zip_code}"],
                [street, f"{city}, {letters} {zip_code}"],
                [street, f"{city} {self.postcode()}"],
                [street, f"{city}, {self.state()}"],
                [street, f"{city}, {self.state()} {code}", self.country()],
                [street, city, self.country()],
                [street, self.road(), city, code],
                [street, self.invented(), f"{city} {self._digits('######')}"],
                [f"{code} {city}", street],
                [street, f"{city} - {self._digits('######')}", self.state()],
                [f"P.O. Box {self._number(99_999)}", city],
                [f"PO Box {self._number(9_999)}", f"{city} {code}"],
            )
        )
        return self._one((", ", ", ", ", ", ", ", "\n", "\n", " ", "; ")).join(parts)

    def org(self) -> str:
        """A firm or body, often with a person's name or a place in it."""
        shape = self._rng.random()
        if shape < 0.35:
            return self._from("brands")
        if shape < 0.42:
            partner = self._one((self.last(), "Sons", "Co", "Partners", "Daughters"))
            return f"{self.last()} {self._one(('&', 'and', '+'))} {partner}"
        if shape < 0.46:
            return f"{self.last()}, {self.last()} and {self.last()}"
        if shape < 0.50:
            return f"{self._from('org_middles')} of {self.city()}"
        stem = self._one((self.last, self.invented, self.city, lambda: self._from("street_stems")))()
        middle = f" {self._from('org_middles')}" if self._chance(0.4) else ""
        return f"{stem}{middle} {self._from('org_ends')}"

    def product(self) -> str:
        return self._from("products") + (f" {self._number(16)}" if self._chance(0.1) else "")

    def phone(self) -> str:
        return self._digits(self._from("phone_forms"))

    def email(self) -> str:
        user, surname = ("".join(filter(str.isalnum, fold(name))) for name in (self.first(), self.last()))
        host = self._from("email_domains").format(self.invented().lower())
        return f"{self._from('email_users').format(user, surname, self._number(2_000))}@{host}"

    def code(self) -> str:
        """The number of an order, ticket or part."""
        form = self._from("code_forms").format(self._from("code_letters"))
        return ("#" if self._chance(0.2) else "") + self._digits(form)

    def date(self) -> str:
        month, weekday = self._from("months"), self._from("weekdays")
        day, number, year = self._number(28), self._number(12), 2008 + self._number(20)
        return self._one(
            (
                f"{day} {month}",
                f"{month} {day}",
                f"{month} {day}, {year}",
                f"{day}/{number}/{year}",
                f"{year}-{number:02d}-{day:02d}",
                f"{day}.{number}.{year}",
                f"{weekday}, {month} {day}",
                f"{day}th of {month}",
                f"{month} {year}",
                f"{weekday} morning",
                f"last {weekday}",
                weekday,
                month,
                self._from("holidays"),
            )
        )

    def amount(self) -> str:
        return self._from("amount_forms").format(self._number(3_000))

    def count(self) -> str:
        return str(1 + self._number(self._one((10, 100, 5_000))))

    def account(self) -> str:
        return self._digits(self._from("account_forms"))

    def url(self) -> str:
        host = self.invented().lower()
        form = self._one(("https://www.{}.com/help", "www.{}.net", "http://{}.io/a/1", "{}.com", "https://t.co/{}X9"))
        return form.format(host)

    def handle(self) -> str:
        name = self._one((self.first, self.last, self.invented))().replace(" ", "").lower()
        return f"@{name}{self._one(('', '', '_', '99'))}"


@cache
def _addresses() -> dict[str, list[_Address]]:
    """By locale, from faker; without it_IT, which faker draws in an order that follows the hash seed."""
    found = {}
    for position, locale in enumerate(lines("address_locales")):
        fake = Faker(locale)
        fake.seed_instance(_SEED + position)
        drawn = [
            _Address(*map(_on_one_line, (fake.street_address(), fake.postcode(), fake.city()))) for _ in range(_POOL)
        ]
        found[locale] = [address for address in drawn if address.street and address.city]
    return found


def _on_one_line(text: str) -> str:
    text = text.replace("\n", ", ")
    return text if all(ord(char) < 0x2000 for char in text) else ""
