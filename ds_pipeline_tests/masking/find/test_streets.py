"""A house number tells a street from the word, and the words around it tell a street from a sentence."""

import pytest

from ds_pipeline.masking.find.streets import find_streets


def streets(text: str) -> set[str]:
    """The longest of what is found at a place; several patterns may see one street."""
    spans = set(find_streets(text))
    return {
        text[start:end]
        for start, end in spans
        if not any(first <= start and end <= last for first, last in spans - {(start, end)})
    }


@pytest.mark.parametrize(
    "street",
    [
        pytest.param("221b Baker Street", id="letter"),
        pytest.param("12-14 High Road", id="range"),
        pytest.param("12 N. Main St. SW", id="compass"),
        pytest.param("9 Kings Close", id="a-street-word-that-is-a-word"),
        pytest.param("123 Jennifer Mountains Apt. 456", id="only-a-unit"),
        pytest.param("1600 Avenue of the Americas", id="numbered-avenue"),
        pytest.param("Lange Straße 5a", id="word-alone"),
        pytest.param("Prinsengracht 263-267", id="ending"),
        pytest.param("Waldweg 3", id="risky-ending"),
        pytest.param("4 bis, avenue Foch", id="number-first"),
        pytest.param("Avda. de la Paz 12", id="prefix"),
        pytest.param("Teheran-ro 152", id="korean"),
        pytest.param("Postfach 10 12 34", id="box"),
        pytest.param("FPO AP 96349", id="military"),
    ],
)
def test_a_street_with_its_number_is_found_as_a_whole(street: str) -> None:
    assert streets(f"Note: {street}\n") == {street}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param("12 kings close, near the inn", {"12 kings close"}, id="near-something"),
        pytest.param("we sat 12 feet close, then left", set(), id="no-address-behind-it"),
        pytest.param("12 elm drive", {"12 elm drive"}, id="an-uncommon-word"),
        pytest.param("2 good drive", set(), id="a-common-word"),
        pytest.param("012 Elm Street", set(), id="a-number-with-a-nought-in-front"),
        pytest.param("£12 Elm Street", set(), id="amount"),
        pytest.param("12 of the Elm Street", set(), id="words-of-a-sentence"),
        pytest.param("3 orders please Apt. 4", set(), id="words-of-a-sentence-before-a-unit"),
    ],
)
def test_small_letters_need_more_of_an_address(text: str, found: set[str]) -> None:
    assert streets(text) == found


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Hauptstraße", id="no-number"),
        pytest.param("Hauptstraße 12,50", id="price"),
        pytest.param("Hauptstraße 12%", id="per-cent"),
        pytest.param("spring 12", id="a-word-with-a-risky-ending"),
        pytest.param("Spring 12", id="that-word-with-a-capital"),
        pytest.param("Am Montag 12", id="weekday"),
        pytest.param("via PayPal2 12", id="small-prefix"),
        pytest.param("rue 12", id="no-name"),
        pytest.param("euro-ro and gil", id="korean-without-number"),
        pytest.param("", id="nothing"),
    ],
)
def test_a_word_that_only_ends_or_begins_like_a_street_stays(text: str) -> None:
    assert streets(text) == set()


def test_the_words_of_the_sentence_before_a_street_stay() -> None:
    assert streets("the address was Ahornweg 3") == {"Ahornweg 3"}
    assert streets("I live at Lange Straße 3") == {"Lange Straße 3"}


def test_streets_far_apart_are_all_found() -> None:
    text = "Hauptstraße 1" + " and so on" * 50 + " 12 Elm Street" + " and so on" * 50 + " Waldweg 2"

    assert streets(text) == {"Hauptstraße 1", "12 Elm Street", "Waldweg 2"}
