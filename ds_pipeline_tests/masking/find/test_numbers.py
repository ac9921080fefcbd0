"""Cards and phones told from what only looks like them, by the finders alone."""

import pytest

from ds_pipeline.masking.find.numbers import find_cards, find_phones, passes_luhn


def cards(text: str) -> list[str]:
    return [text[start:end] for start, end in find_cards(text)]


def phones(text: str) -> list[str]:
    return [text[start:end] for start, end in find_phones(text)]


@pytest.mark.parametrize(
    ("digits", "is_right"),
    [
        pytest.param("79927398713", True, id="the-example-of-the-standard"),
        pytest.param("79927398710", False, id="its-last-digit-changed"),
        pytest.param("79927398731", False, id="two-neighbours-swapped"),
        pytest.param("0", True, id="nought"),
        pytest.param("18", True, id="two-digits"),
        pytest.param("59", True, id="a-doubled-digit-above-nine"),
    ],
)
def test_the_last_digit_checks_the_others(digits: str, is_right: bool) -> None:
    assert passes_luhn(digits) is is_right


def test_exactly_one_last_digit_is_right() -> None:
    assert [last for last in "0123456789" if passes_luhn("411111111111111" + last)] == ["1"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("18 4111 1111 1111 1111 9", ["4111 1111 1111 1111"], id="between-other-numbers"),
        pytest.param("a4111111111111111b", ["4111111111111111"], id="inside-a-word"),
        pytest.param("2011-12-05 4111111111111111", ["4111111111111111"], id="behind-a-date"),
        pytest.param("4111111111111111 5105105105105100", ["4111111111111111", "5105105105105100"], id="two"),
        pytest.param("4111/1111/1111/1111", ["4111/1111/1111/1111"], id="slashes"),
        pytest.param("41 11 11 11 11 11 11 11", ["41 11 11 11 11 11 11 11"], id="a-whole-row-in-pairs"),
        pytest.param("7 41 11 11 11 11 11 11 11", [], id="pairs-inside-a-longer-row"),
        pytest.param("4000000000000000006", ["4000000000000000006"], id="nineteen"),
        pytest.param("630400000000", ["630400000000"], id="twelve"),
        pytest.param("79927398713", [], id="eleven"),
        pytest.param("00000000000000000000", [], id="twenty"),
        pytest.param("26 digits: 00000000000000000000000000", [], id="too-long"),
        pytest.param("59 59 59", [], id="too-short"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_a_card_has_12_to_19_digits_in_groups_of_cards(text: str, found: list[str]) -> None:
    assert cards(text) == found


@pytest.mark.parametrize("number", ["00 1 212 555 0199", "+1 (212) 555-0199", "(020) 7946 0958", "+33 1 42 68 53 00"])
def test_a_phone_number_begins_at_its_sign_or_bracket(number: str) -> None:
    assert phones(f"or {number} later") == [number]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("212-555-0199 ext. 12", ["212-555-0199 ext. 12"], id="extension"),
        pytest.param("212-555-0199 x 1234567", ["212-555-0199"], id="no-extension-is-so-long"),
        pytest.param("020 7946 0958, 020 7946 0959", ["020 7946 0958", "020 7946 0959"], id="two"),
        pytest.param("whatsapp: 7946 0958", ["7946 0958"], id="a-word-before-it"),
        pytest.param("T: 7946 0958", ["7946 0958"], id="a-letter-at-the-start-of-a-line"),
        pytest.param("lot T: 7946 0958", [], id="that-letter-inside-a-line"),
        pytest.param("text 794 60", [], id="too-short-for-any"),
        pytest.param("part 7946 0958", [], id="another-word-before-it"),
        pytest.param("hotel 7946 0958", [], id="a-word-that-ends-like-one"),
    ],
)
def test_words_and_extensions_belong_to_a_phone_number(text: str, found: list[str]) -> None:
    assert phones(text) == found


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("£20 12 34 56", id="nordic-after-a-currency"),
        pytest.param("912 345 678 pieces", id="nine-digits-before-a-word"),
        pytest.param("412 345 678", id="nine-digits-that-begin-like-no-mobile"),
        pytest.param("9000000620", id="ten-digits-in-no-table"),
        pytest.param("v.2125550199", id="behind-a-point"),
        pytest.param("#2125550199", id="behind-a-number-sign"),
        pytest.param("2125550199_1", id="before-an-underscore"),
        pytest.param("05.12.2011 08:26:00", id="date-and-time"),
    ],
)
def test_a_quantity_or_a_code_is_no_phone_number(text: str) -> None:
    assert phones(text) == []


@pytest.mark.parametrize("text", ['"9000000620"', "|9000000620|", "912 345 678.", "tel 9000000620"])
def test_the_same_digits_are_one_where_phones_are_written(text: str) -> None:
    assert [found.strip('"|.') for found in phones(text)] == [text.strip('"|. telph')]
