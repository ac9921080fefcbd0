"""The guessed treatment of a column: by its name, by its values, and the stricter one when in doubt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest

from ds_pipeline.starter.pii import Guess, guess_column, words_of
from ds_pipeline.starter.profile import ColumnProfile

MANY = tuple(f"value{number}" for number in range(100))
Look = Callable[[Sequence[str]], list[dict[str, float]]]


def column(
    name: str, values: tuple[str, ...] = MANY, *, type: str = "string", shares: dict[str, float] | None = None
) -> ColumnProfile:
    highest = None if type == "string" else 999_999.0
    return ColumnProfile(
        type, name=name, rows=1000, nulls=0, distinct=len(values), sample=values, shares=shares or {}, highest=highest
    )


def finds(kind: str, part: float, share: float = 1.0) -> Look:
    """Finds a kind in the first so many of the texts, covering so much of each."""
    return lambda texts: [{kind: part} if n < share * len(texts) else {} for n in range(len(texts))]


def guess(one: ColumnProfile, look: Look | None = None) -> Guess:
    return guess_column(one, look=look or (lambda texts: [{} for _ in texts]))


@pytest.mark.parametrize(
    ("name", "holds"),
    [
        ("E-Mail", "email"),
        ("contactPhone", "phone"),
        ("surname", "name"),
        ("Straße_street", "address"),
        ("billing_zip", "postcode"),
        ("ip", "id"),
        ("cardNumber", "id"),
        ("nachname", "name"),
    ],
)
def test_a_name_that_says_what_it_holds_is_dropped(name: str, holds: str) -> None:
    found = guess(column(name))

    assert (found.treatment, found.holds) == ("drop", holds)
    assert found.identifies in ("direct", "quasi")


def test_the_name_of_a_product_is_not_that_of_a_person() -> None:
    found = guess(column("product_name", ("mug", "tray")))

    assert (found.identifies, found.treatment) == ("no", "keep")


def test_a_birth_date_becomes_a_band_and_a_birth_date_in_words_goes() -> None:
    assert guess(column("birth_date", type="date")).treatment == "band"
    assert guess(column("dob")).treatment == "drop"


@pytest.mark.parametrize(
    ("kind", "holds"), [("EMAIL", "email"), ("PERSON", "name"), ("LOCATION", "address"), ("IBAN", "id")]
)
def test_values_that_are_identifiers_are_dropped_whatever_the_name(kind: str, holds: str) -> None:
    found = guess(column("x7"), finds(kind, 1.0, share=0.5))

    assert (found.identifies, found.treatment, found.holds) == ("direct", "drop", holds)


def test_values_in_which_an_identifier_stands_are_redacted() -> None:
    assert guess(column("x7"), finds("PHONE", 0.2, share=0.05)).treatment == "redact"


def test_free_text_is_redacted_even_if_nothing_was_found() -> None:
    texts = tuple(f"a longer remark with the number {number}" for number in range(100))

    assert guess(column("x7", texts)).treatment == "redact"


def test_many_different_values_of_no_known_kind_are_dropped() -> None:
    found = guess(column("x7"))

    assert (found.identifies, found.treatment) == ("direct", "drop")


def test_few_values_that_look_like_nothing_stay() -> None:
    found = guess(column("channel", ("web", "app")))

    assert (found.identifies, found.treatment) == ("no", "keep")


def test_an_empty_column_is_dropped_because_nobody_knows_what_it_will_hold() -> None:
    assert guess(column("x7", ())).treatment == "drop"


def test_of_a_country_the_frequent_values_stay_and_of_a_gender_too() -> None:
    shares = {"UK": 0.7, "IE": 0.26, "FR": 0.04}

    country = guess(column("country", tuple(shares), shares=shares))
    gender = guess(column("gender", tuple(shares), shares=shares))

    assert (country.identifies, country.treatment, country.categories) == ("quasi", "categories", ("UK", "IE"))
    assert gender.identifies == "sensitive"
    assert country.is_quasi
    assert not country.dropped("why").is_quasi


def test_an_age_in_years_is_dropped_and_a_plain_amount_stays() -> None:
    assert guess(column("age", type="integer")).treatment == "drop"
    assert guess(column("amount", type="decimal")).treatment == "keep"


def test_a_number_that_nearly_everyone_has_alone_is_dropped() -> None:
    long = ColumnProfile(
        "integer", name="x7", rows=1000, nulls=0, distinct=990, sample=(), shares={}, highest=9_999_999.0
    )

    assert guess(long).treatment == "drop"


def test_no_review_quotes_a_value() -> None:
    for kind in ("EMAIL", "PERSON"):
        assert not any(value in guess(column("x7"), finds(kind, 1.0)).review for value in MANY)


def test_the_words_of_a_name() -> None:
    assert words_of("customerEmail_2 (old)") == ["customer", "email", "2", "old"]


def test_a_phone_number_in_one_of_few_remarks_makes_them_a_text_and_no_category() -> None:
    """17 remarks were taken for a category, whose values stand in clear in sources.yaml and in the documents."""
    texts = ("VIP", "zahlt bar", "Rückruf unter 0664 1234567")
    remarks = column("x7", texts, shares=dict.fromkeys(texts, 0.3))

    found = guess(remarks, lambda texts: [{"PHONE": 0.4} if "0664" in text else {} for text in texts])

    assert (found.identifies, found.treatment, found.categories) == ("direct", "redact", ())


def test_a_remark_by_its_name_is_a_text_however_few_there_are() -> None:
    assert guess(column("Bemerkungen", ("VIP", "bar"))).treatment == "redact"


def test_a_category_keeps_no_value_in_which_something_was_found() -> None:
    shares = {"Linz": 0.5, "Huber": 0.3, "web": 0.2}
    place = guess(column("city", tuple(shares), shares=shares), named({"Linz": "LOCATION", "Huber": "PERSON"}))
    other = guess(column("x7", tuple(shares), shares=shares), named({"Huber": "PERSON"}, part=0.5))

    assert place.categories == ("Linz", "web")
    assert (other.treatment, other.categories) == ("categories", ("Linz", "web"))


def named(kinds: dict[str, str], *, part: float = 1.0) -> Look:
    return lambda texts: [{kinds[text]: part} if text in kinds else {} for text in texts]


@pytest.mark.parametrize(
    "name",
    ["health_status", "Gesundheitszustand", "diagnosis_code", "Allergien", "religion", "tradeUnion", "sexualité",
     "ethnicity", "handicap", "medical_certificate_until", "santé"],
)  # fmt: skip
def test_what_says_health_or_belief_by_its_name_is_dropped_with_the_reason(name: str) -> None:
    shares = {"yes": 0.5, "no": 0.5}

    found = guess(column(name, tuple(shares), shares=shares))

    assert (found.identifies, found.treatment) == ("sensitive", "drop")
    assert "article 9" in found.review


def test_whole_numbers_as_long_as_a_phone_number_are_dropped_however_often_they_are_repeated() -> None:
    phones = tuple(str(4_400_000_000 + 7919 * n) for n in range(150))

    assert guess(column("x7", phones, type="integer")).treatment == "drop"
    assert guess(column("x7", tuple(str(n) for n in range(150)), type="integer")).treatment == "keep"
