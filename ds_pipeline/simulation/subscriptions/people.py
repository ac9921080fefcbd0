"""Who the subscribers are: identities of many locales, drawn from pools that faker fills once per locale.

Nobody exists: e-mail domains, telephone numbers and card numbers are those that are set aside for examples, fiction
and tests. Identity is drawn apart from the hazard; age only sets the pace of usage, and gender nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from ds_pipeline.simulation.invented import ascii_letters, make_faker
from ds_pipeline.simulation.subscriptions.timeline import Floats, Ints

POOL = 160  # names, streets and towns per locale
POOL_SEED = 20260216
FIRST_USER = 10_000_001
PILOT_LOCALES = 13  # the first locales are the pilot markets of the price rise

# locale: country, share of the subscribers
LOCALES = {
    "en_GB": ("United Kingdom", 16), "fr_FR": ("France", 8), "es_ES": ("Spain", 6), "nl_NL": ("Netherlands", 5),
    "sv_SE": ("Sweden", 4), "pl_PL": ("Poland", 5), "tr_TR": ("Turkey", 2), "el_GR": ("Greece", 2),
    "ja_JP": ("Japan", 2), "hi_IN": ("India", 2), "vi_VN": ("Vietnam", 1), "pt_BR": ("Brazil", 2),
    "zu_ZA": ("South Africa", 1),
    "de_DE": ("Germany", 14), "en_US": ("United States", 9), "en_IE": ("Ireland", 4), "it_IT": ("Italy", 5),
    "pt_PT": ("Portugal", 2), "da_DK": ("Denmark", 2), "fi_FI": ("Finland", 2), "cs_CZ": ("Czechia", 2),
    "ro_RO": ("Romania", 2), "uk_UA": ("Ukraine", 1), "he_IL": ("Israel", 1), "ar_SA": ("Saudi Arabia", 1),
    "ko_KR": ("South Korea", 1), "zh_CN": ("China", 1), "en_NG": ("Nigeria", 1),
}  # fmt: skip
FAMILY_FIRST = frozenset({"ja_JP", "ko_KR", "zh_CN"})
# Reserved by the regulators for drama and examples; where no such range is known to us the number is British.
PHONES = {
    "en_GB": ("07700 900###", "+44 7700 900###", "020 7946 0###", "0161 496 0###", "+447700900###"),
    "de_DE": ("+49 30 23125 ###", "+49 69 90009 ###", "+49 221 4710 ###"),
    "fr_FR": ("+33 1 99 00 ## ##", "+33 6 39 98 ## ##"),
    "sv_SE": ("+46 8 465 004 ##", "+46 31 390 06 ##"),
    "en_US": ("+1 202 555 01##", "(312) 555-01##", "1-415-555-01##"),
}
ABROAD = ("+44 7700 900###", "+447700900###", "+44 20 7946 0###", "+44 161 496 0###")


@dataclass(frozen=True)
class Pool:
    """What the identities of one locale are made of."""

    locale: str
    country: str
    women: tuple[str, ...]
    men: tuple[str, ...]
    families: tuple[str, ...]
    streets: tuple[str, ...]
    towns: tuple[str, ...]
    postcodes: tuple[str, ...]


@dataclass(frozen=True)
class People:
    """A block of people, by position.

    Attributes:
        locale: number of the locale in LOCALES.
        age: in years on the day the simulation ends: 25 to under 80.
        gender: female, male, other, or None where it was not given.
    """

    locale: Ints
    age: Floats
    gender: list[str | None]
    first: list[str]
    family: list[str]
    email: list[str]
    phone: list[str]
    street: list[str]
    town: list[str]
    postcode: list[str]

    def full_name(self, position: int) -> str:
        """As it is written where the person lives."""
        return written(LOCALE_NAMES[self.locale[position]], self.first[position], self.family[position])


LOCALE_NAMES = tuple(LOCALES)


def written(locale: str, first: str, family: str) -> str:
    """A full name in the order of the locale."""
    return f"{family} {first}" if locale in FAMILY_FIRST else f"{first} {family}"


def wave_of(locale: Ints) -> Ints:
    """Which price rise the people of a locale are in: 0 in the pilot markets, else 1."""
    return (locale >= PILOT_LOCALES).astype(np.int64)


def draw_people(rng: np.random.Generator, numbers: Ints) -> People:
    """Draw the people with the given numbers."""
    count = len(numbers)
    shares = np.array([share for _, share in LOCALES.values()], dtype=float)
    locale = rng.choice(len(shares), count, p=shares / shares.sum())
    age = 25 + 54.9 * rng.beta(1.5, 2.1, count)
    sex = rng.choice(4, count, p=[0.46, 0.44, 0.07, 0.03])  # the last did not say
    picks = rng.integers(0, POOL, (6, count))
    coins = rng.random(count)
    digits = rng.integers(0, 10, (count, 8))
    pools = [pool(LOCALE_NAMES[one]) for one in locale]
    first = [
        (here.women if kind == 0 or (kind > 1 and coin < 0.5) else here.men)[pick]
        for here, kind, coin, pick in zip(pools, sex, coins, picks[0], strict=True)
    ]
    family = [here.families[pick] for here, pick in zip(pools, picks[1], strict=True)]
    return People(
        locale=locale,
        age=age,
        gender=[("female", "male", "other", None)[kind] for kind in sex],
        first=first,
        family=family,
        email=[email_of(given, last, int(number)) for given, last, number in zip(first, family, numbers, strict=True)],
        phone=[phone_of(here.locale, row) for here, row in zip(pools, digits, strict=True)],
        street=[here.streets[pick] for here, pick in zip(pools, picks[2], strict=True)],
        town=[here.towns[pick] for here, pick in zip(pools, picks[3], strict=True)],
        postcode=[here.postcodes[pick] for here, pick in zip(pools, picks[4], strict=True)],
    )


def email_of(first: str, family: str, number: int) -> str:
    """An address that belongs to one number alone; what is not a letter of ASCII is left out."""
    local = ".".join(part for part in map(ascii_letters, (first, family)) if part) or "member"
    return f"{local}.{np.base_repr(number * 7919 % 60466169, 36).lower()}@example.{('org', 'com', 'net')[number % 3]}"


def phone_of(locale: str, digits: Ints) -> str:
    """A telephone number that is set aside for fiction."""
    patterns = PHONES.get(locale, ABROAD)
    pattern = patterns[int(digits[0]) % len(patterns)]
    following = iter(digits[1:])
    return "".join(str(next(following)) if char == "#" else char for char in pattern)


@cache
def pool(locale: str) -> Pool:
    """The pool of a locale; the same in every run."""
    fake = make_faker(locale)
    fake.seed_instance(f"{POOL_SEED}-{locale}")
    return Pool(
        locale=locale,
        country=LOCALES[locale][0],
        women=tuple(fake.first_name_female() for _ in range(POOL)),
        men=tuple(fake.first_name_male() for _ in range(POOL)),
        families=tuple(fake.last_name() for _ in range(POOL)),
        streets=tuple(fake.street_address().replace("\n", ", ") for _ in range(POOL)),
        towns=tuple(fake.city() for _ in range(POOL)),
        postcodes=tuple(fake.postcode() for _ in range(POOL)),
    )
