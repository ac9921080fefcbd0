"""Guess what a column says of a person and how to treat it: by its name, and by what its values look like.

Where it is not sure, the guess is the stricter one. Every guess carries its reason and is marked for review.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ds_pipeline.starter.profile import ColumnProfile

# The kinds of identifiers that are found in each text, and how much of the text each covers (0..1).
Look = Callable[[Sequence[str]], list[dict[str, float]]]

LOOKED_AT = 300  # distinct values of a column
WHOLE = 0.6  # of a value that is an identifier and nothing else
MANY, SOME = 0.3, 0.01  # shares of the values
FEW_VALUES = 30  # distinct; more than that can name people
FREE_TEXT_WORDS = 4
FREQUENT = 0.05  # a category that fewer have stays in "other"
BANDS = (30, 40, 50, 60)


def listed(words: str) -> frozenset[str]:
    """The words of a list that is written as one text."""
    return frozenset(words.split())


# Words of a column's name.
WORDS: dict[str, frozenset[str]] = {
    "email": listed("email mail emails correo courriel"),
    "phone": listed("phone mobile tel telephone cell cellphone fax telefon handy telefono telefone msisdn"),
    "name": listed(
        "name names fullname firstname lastname forename surname givenname familyname middlename maiden vorname "
        "nachname nom prenom nombre apellido apellidos cognome nome contact recipient holder"
    ),
    "address": listed(
        "address addr street road strasse adresse direccion rue house building flat apartment lat latitude lon lng "
        "longitude geo location coordinates"
    ),
    "postcode": listed("postcode postal zip zipcode plz postleitzahl cap cep eircode"),
    "birth_date": listed("birth birthdate birthday dob born geburtsdatum naissance nacimiento"),
    "id": listed(
        "ssn passport iban bic account card pan licence license nino nif nie dni tin vat ip mac device cookie session "
        "uuid guid user username login handle imei token fingerprint hash insurance member membership loyalty plate"
    ),
}
PERSONAL = listed(
    "age sex gender pronoun pronouns religion ethnicity race nationality citizenship health disability marital income "
    "salary language title salutation children orientation politics union"
)
PLACES = listed("country region state county province city town district land nation area market")
NOT_OF_PEOPLE = listed(
    "product item plan campaign event category store shop brand file page feature model channel template"
)
FIXED = listed(  # what a customer was when they came, and still is
    "signup signed registered registration created joined acquisition acquired referral referrer origin first initial "
    "birth born gender sex country"
)
HOLDS_OF_KIND = {
    "EMAIL": "email", "PHONE": "phone", "PERSON": "name", "LOCATION": "address", "DATE_OF_BIRTH": "birth_date",
}  # fmt: skip


@dataclass(frozen=True)
class Guess:
    """The treatment of one column as sources.yaml wants it.

    Attributes:
        review: why, and what to look at; it becomes the comment `# review: ...`.
    """

    identifies: str
    treatment: str
    review: str
    holds: str | None = None
    token_domain: str | None = None
    categories: tuple[str, ...] = ()
    bands: tuple[int, ...] = ()

    @property
    def is_quasi(self) -> bool:
        """Whether something stays that could single a person out together with other columns."""
        return self.identifies in ("quasi", "sensitive") and self.treatment != "drop"

    def dropped(self, review: str) -> Guess:
        """The same column without anything left of it."""
        return replace(self, treatment="drop", categories=(), bands=(), review=review)


def words_of(name: str) -> list[str]:
    """The words of a column's name: customerEmail_2 is customer, email, 2."""
    return re.findall(r"[a-z]+|\d+", re.sub(r"([a-z\d])([A-Z])", r"\1_\2", name).lower())


def is_birth_date(name: str) -> bool:
    """Whether a column is a birth date by its name: it says nothing of when the row happened."""
    return bool(set(words_of(name)) & WORDS["birth_date"])


def guess_column(column: ColumnProfile, *, look: Look) -> Guess:
    """How to treat a column that is neither the customer's key nor a date of the table."""
    words = set(words_of(column.name))
    return _by_name(column, words) or _by_values(column, words, look)


def _by_name(column: ColumnProfile, words: set[str]) -> Guess | None:
    if words & WORDS["birth_date"]:
        if column.type in ("date", "timestamp"):
            return Guess("sensitive", "band", "a birth date by its name; bands of ages stay", bands=BANDS)
        return Guess("sensitive", "drop", "a birth date by its name, but not a column of dates", holds="birth_date")
    if words & WORDS["postcode"]:
        return Guess("quasi", "drop", "a postcode by its name; prefix would keep the area", holds="postcode")
    for holds, known in WORDS.items():
        if words & known and not (holds == "name" and words & NOT_OF_PEOPLE):
            return Guess("direct", "drop", f"looks like {_with_article(holds)} by its name", holds=holds)
    if words & PERSONAL:
        return _category("sensitive", column, "says something of the person by its name")
    if words & PLACES:
        return _category("quasi", column, "a place by its name")
    return None


def _by_values(column: ColumnProfile, words: set[str], look: Look) -> Guess:
    if column.type != "string":
        is_id = "id" in words or words & {"no", "nr", "number", "code", "ref", "key"}
        if column.type == "integer" and column.distinct > FEW_VALUES and (is_id or _is_long(column)):
            return Guess("direct", "drop", "a number that could name someone or something of theirs", holds="id")
        return Guess("no", "keep", "names nobody, as far as its name and values say")
    values = column.sample[:LOOKED_AT]
    if not values:
        return Guess("direct", "drop", "the sample has no value; nobody can say what it will hold", holds="id")
    found = look(values)
    shares: dict[str, float] = {}
    for one in found:
        for kind, part in one.items():
            if part >= WHOLE:
                shares[kind] = shares.get(kind, 0) + 1 / len(values)
    any_share = sum(bool(one) for one in found) / len(values)
    length = sorted(len(value.split()) for value in values)[len(values) // 2]
    if length >= FREE_TEXT_WORDS and column.distinct > FEW_VALUES:
        return Guess("direct", "redact", "free text; identifiers in it are replaced by their kind")
    if shares and max(shares.values()) >= MANY:
        kind = max(shares, key=lambda one: (shares[one], one))
        holds = HOLDS_OF_KIND.get(kind, "id")
        return Guess("direct", "drop", f"the values look like {_with_article(holds)}", holds=holds)
    if any_share >= SOME and column.distinct > FEW_VALUES:
        return Guess("direct", "redact", "identifiers were found in some of the values")
    if column.distinct > FEW_VALUES:
        return Guess("direct", "drop", "many different values: it could be a number or a name of someone", holds="id")
    if any_share >= MANY:
        return _category("quasi", column, "some values look like a place or a name")
    return Guess("no", "keep", "few different values, none of which looks like an identifier")


def _category(identifies: str, column: ColumnProfile, why: str) -> Guess:
    """A column of which the frequent values may stay; the rest becomes 'other'."""
    kept = tuple(value for value, share in column.shares.items() if share >= FREQUENT)
    if column.type == "string" and kept and column.distinct <= 10 * FEW_VALUES:
        return Guess(identifies, "categories", f"{why}; its frequent values stay", categories=kept)
    return Guess(identifies, "drop", why)


def _is_long(column: ColumnProfile) -> bool:
    """Nearly every value once, and of six digits or more: rather a number of someone than a quantity."""
    filled = column.rows - column.nulls
    return filled > 0 and column.distinct > 0.9 * filled and (column.highest or 0) >= 100_000


def _with_article(holds: str) -> str:
    text = {"id": "number that identifies", "birth_date": "birth date"}.get(holds, holds)
    return f"an {text}" if text[0] in "aeiou" else f"a {text}"
