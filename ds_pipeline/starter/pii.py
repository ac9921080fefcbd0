"""Guess what a column says of a person and how to treat it: by its name, and by what its values look like.

Where it is not sure, the guess is the stricter one. Every guess carries its reason and is marked for review.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ds_pipeline.masking.columns.spellings import bare
from ds_pipeline.masking.reading.words import listed
from ds_pipeline.starter.answers import plain_letters
from ds_pipeline.starter.profile import ColumnProfile

# The kinds of identifiers that are found in each text, and how much of the text each covers (0..1).
Look = Callable[[Sequence[str]], list[dict[str, float]]]

LOOKED_AT = 300  # distinct values of a column
WHOLE = 0.6  # of a value that is an identifier and nothing else
MANY, SOME = 0.3, 0.01  # shares of the values
FEW_VALUES = 30  # distinct; more than that can name people
LONG = r"\+?\d{9,15}(\.0)?"  # a phone number, of an account or of a card
FREE_TEXT_WORDS = 4
FREQUENT = 0.05  # a category that fewer have stays in "other"
BANDS = (30, 40, 50, 60)


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
    "age sex gender pronoun pronouns nationality citizenship marital income salary language title salutation children"
)
# Special categories of article 9 GDPR; how a word of the name begins, in a few languages, or the whole word.
SPECIAL = (
    "health", "medic", "medizin", "diagnos", "disab", "discapac", "handicap", "behinder", "disease", "illness",
    "krank", "gesundheit", "maladie", "malattia", "enfermedad", "allerg", "alerg", "pregnan", "schwanger", "embaraz",
    "vaccin", "impf", "genetic", "genetik", "biometr", "religi", "confession", "konfession", "faith", "glaube",
    "sexual", "sexuel", "sexuell", "ethni", "etni", "racial", "politic", "politik", "politisch", "gewerkschaft",
    "syndicat", "sindacat", "sindicat",
)  # fmt: skip
SPECIAL_WORDS = listed("union race rasse sante salud salute hiv blood blut orientation church kirche")
FREE_TEXT = listed(
    "remark remarks note notes comment comments memo text freetext message bemerkung bemerkungen kommentar kommentare "
    "notiz notizen anmerkung anmerkungen hinweis remarque remarques commentaire commentaires nota notas comentario "
    "comentarios observaciones commento commenti"
)
PLACES = listed("country region state county province city town district land nation area market")
NOT_OF_PEOPLE = listed(
    "product item plan campaign event category store shop brand file page feature model channel template"
)
FIXED = listed(  # what a customer was when they came, and still is
    "signup signed registered registration created joined acquisition acquired referral referrer origin first initial "
    "birth born gender sex country"
)
MANY_VALUES = "many different values: it could be a number or a name of someone"
UNREAD = "nothing reads it as it is written (see its type), so it could be anything"
IN_PLACES = frozenset({"LOCATION"})  # what is found in the values of a column of places without being anyone's
VAGUE = frozenset({"PERSON", "LOCATION"})  # found in ordinary words as well, where a value has only one
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
        """The same column without anything left of it.

        A text that is dropped is no identifier of one kind, whose values would be looked for everywhere else.
        """
        identifies = "sensitive" if self.treatment == "redact" else self.identifies
        return replace(self, identifies=identifies, treatment="drop", categories=(), bands=(), review=review)


def words_of(name: str) -> list[str]:
    """The words of a column's name: customerEmail_2 is customer, email, 2; letters without their accents."""
    return re.findall(r"[a-z]+|\d+", re.sub(r"([a-z\d])([A-Z])", r"\1_\2", plain_letters(name)).lower())


def is_birth_date(name: str) -> bool:
    """Whether a column is a birth date by its name: it says nothing of when the row happened."""
    return bool(set(words_of(name)) & WORDS["birth_date"])


def guess_column(column: ColumnProfile, *, look: Look) -> Guess:
    """How to treat a column that is neither the customer's key nor a date of the table."""
    words = set(words_of(column.name))
    return _by_name(column, words, look) or _by_values(column, words, look)


def _by_name(column: ColumnProfile, words: set[str], look: Look) -> Guess | None:
    if words & SPECIAL_WORDS or any(word.startswith(SPECIAL) for word in words):
        return Guess(
            "sensitive", "drop", "health, belief, origin or the like by its name (article 9 GDPR); keep it only by law"
        )
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
        return _category("sensitive", column, "says something of the person by its name", look=look)
    if words & PLACES:
        return _category("quasi", column, "a place by its name", look=look, harmless=IN_PLACES)
    if words & FREE_TEXT and column.type == "string":
        return Guess("direct", "redact", "free text by its name; identifiers in it are replaced by their kind")
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
    in_text = any(_is_in_text(value, one) for value, one in zip(values, found, strict=True))
    if in_text or (any_share >= SOME and column.distinct > FEW_VALUES):
        return Guess("direct", "redact", "identifiers were found in some of the values")
    if column.distinct > FEW_VALUES:
        return Guess("direct", "drop", UNREAD if column.doubt else MANY_VALUES, holds="id")
    if any_share:
        return _category("quasi", column, "some values look like a place or a name", look=look)
    return Guess("no", "keep", "few different values, none of which looks like an identifier")


def _is_in_text(value: str, found: dict[str, float]) -> bool:
    """Whether an identifier stands in a value of several words, or is of a kind that no ordinary word is taken for."""
    if len(value.split()) > 1:
        return any(kind != "LOCATION" or part < WHOLE for kind, part in found.items())
    return bool(found.keys() - VAGUE)


def _category(
    identifies: str, column: ColumnProfile, why: str, *, look: Look, harmless: frozenset[str] = frozenset()
) -> Guess:
    """A column of which the frequent values may stay, but none in which something was found; the rest is 'other'.

    Args:
        harmless: kinds that may be found, because the column is made of them.
    """
    if column.type != "string" or column.distinct > 10 * FEW_VALUES:
        return Guess(identifies, "drop", why)
    shares: dict[str, float] = {}
    spelling: dict[str, str] = {}
    for value, share in column.shares.items():  # the most frequent first
        spelling.setdefault(bare(value), value)
        shares[spelling[bare(value)]] = shares.get(spelling[bare(value)], 0.0) + share
    frequent = [value for value, share in shares.items() if share >= FREQUENT]
    kept = tuple(value for value, found in zip(frequent, look(frequent), strict=True) if not found.keys() - harmless)
    if not kept:
        return Guess(identifies, "drop", why)
    less = " in which nothing was found" if len(kept) < len(frequent) else ""
    return Guess(identifies, "categories", f"{why}; its frequent values{less} stay", categories=kept)


def _is_long(column: ColumnProfile) -> bool:
    """Whether it is rather a number of someone than a quantity.

    Its values have 9 to 15 digits, or six and more and nearly every one is there once.
    """
    if column.sample and sum(bool(re.fullmatch(LONG, one)) for one in column.sample) >= 0.9 * len(column.sample):
        return True
    filled = column.rows - column.nulls
    return filled > 0 and column.distinct > 0.9 * filled and (column.highest or 0) >= 100_000


def _with_article(holds: str) -> str:
    text = {"id": "number that identifies", "birth_date": "birth date"}.get(holds, holds)
    return f"an {text}" if text[0] in "aeiou" else f"a {text}"
