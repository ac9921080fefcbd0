"""Names in part, in another order, with initials; and parts of an address side by side."""

import pytest

from ds_pipeline.masking.people.mentions import NameMentions, is_content, is_strong, place_mentions
from ds_pipeline.masking.reading.words import fold

ANNA = NameMentions(["Anna van den Smithson"])
WILL = NameMentions(["Will May"])
ADDRESS = ["12", "elm", "street", "apt", "4", "springfield"]


def named(person: NameMentions, text: str, *slips: str) -> list[str]:
    return [text[start:end] for start, end in person.find(text, slips)]


def placed(text: str, address: list[str] = ADDRESS) -> list[str]:
    return [text[start:end] for start, end in place_mentions(address, text)]


@pytest.mark.parametrize(
    ("word", "strong"),
    [("smithson", True), ("will", False), ("van", False), ("al", False), ("b2b", False), ("xu", False), ("", False)],
)
def test_a_strong_word_is_long_uncommon_and_no_particle(word: str, strong: bool) -> None:
    assert is_strong(word) is strong


@pytest.mark.parametrize(("word", "content"), [("elm", True), ("street", False), ("12", False), ("de", False)])
def test_the_content_of_a_street_is_neither_its_number_nor_its_type(word: str, content: bool) -> None:
    assert is_content(word) is content


def test_words_of_a_name_are_folded_without_particles_and_initials() -> None:
    assert NameMentions(["J. van Müller", "Ødegård"]).words == {"muller", "mueller", "odegard", "oedegaard"}


def test_two_words_written_as_one_are_known_in_either_order_if_long() -> None:
    assert ANNA.joined == ["annasmithson", "smithsonanna"]
    assert NameMentions(["Bo Smith"]).joined == []  # seven letters
    assert NameMentions(["Ann Smith"]).joined == ["annsmith", "smithann"]
    assert NameMentions(["Smithson"]).joined == []


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        pytest.param("A. van den Smithson wrote", ["A. van den Smithson"], id="initial-and-particles"),
        pytest.param("Smithson, A.", ["Smithson, A."], id="initial-at-the-end"),
        pytest.param("Anna van Dyke wrote", ["Anna"], id="a-particle-of-another-name"),
        pytest.param("Anna and Smithson", ["Anna", "Smithson"], id="apart"),
        pytest.param("Anna\r\nSmithson", ["Anna\r\nSmithson"], id="over-a-line-end"),
        pytest.param("Anna    Smithson", ["Anna", "Smithson"], id="too-far-apart"),
        pytest.param("A. called", [], id="initial-alone"),
        pytest.param("a smithson", ["smithson"], id="a-small-letter-is-no-initial"),
        pytest.param("theannasmithsonband", ["theannasmithsonband"], id="inside-a-longer-word"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_a_mention_is_a_run_of_parts_of_the_name(text: str, mentions: list[str]) -> None:
    assert named(ANNA, text) == mentions


def test_a_misspelt_part_counts_where_the_caller_says_so() -> None:
    assert named(ANNA, "Smitson wrote") == []
    assert named(ANNA, "Smitson wrote", "smitson") == ["Smitson"]


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        pytest.param("May, Will", ["May, Will"], id="both"),
        pytest.param("will may", ["will may"], id="both-small"),
        pytest.param("WILL CALL", [], id="all-is-in-capitals"),
        pytest.param("so Will wrote", ["Will"], id="capital-inside-a-sentence"),
        pytest.param("Yes. Will it come", [], id="capital-at-its-start"),
        pytest.param("Hi! Will!", ["Will"], id="a-call-at-its-start"),
        pytest.param("on 3rd May", [], id="month-behind-a-day"),
        pytest.param("so May 3", [], id="month-before-a-day"),
        pytest.param("so May came", ["May"], id="month-without-a-day"),
        pytest.param("so W. Will wrote", ["W. Will"], id="beside-an-initial"),
    ],
)
def test_a_common_word_is_a_name_by_its_capital_or_its_company(text: str, mentions: list[str]) -> None:
    assert named(WILL, text) == mentions


@pytest.mark.parametrize(
    ("text", "mentions"),
    [
        pytest.param("at 12 Elm St., Apt. 4 then", ["12 Elm St., Apt. 4"], id="abbreviated"),
        pytest.param("ELM STREET 12", ["ELM STREET 12"], id="another-order"),
        pytest.param("the elm", [], id="a-common-word-alone"),
        pytest.param("12 street", [], id="number-and-type"),
        pytest.param("apt 4", [], id="unit"),
        pytest.param("street, springfield", ["street, springfield"], id="a-strong-word-with-what-touches-it"),
        pytest.param("12 x elm street", ["elm street"], id="a-word-between"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_an_address_is_named_by_neighbouring_words_or_a_strong_one(text: str, mentions: list[str]) -> None:
    assert placed(text) == mentions


@pytest.mark.parametrize(("text", "mentions"), [("in Ulm", ["Ulm"]), ("in ulm", [])])
def test_a_short_place_needs_its_capital(text: str, mentions: list[str]) -> None:
    assert placed(text, ["ulm"]) == mentions


def test_a_street_with_its_type_in_one_word_is_the_same_abbreviated() -> None:
    assert placed("Hauptstr. 5", [fold("Hauptstraße"), "5"]) == ["Hauptstr. 5"]


def test_an_empty_address_is_named_nowhere() -> None:
    assert placed("12 elm street", []) == []
