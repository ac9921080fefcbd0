"""Where patterns may begin, and that nothing is missed by looking only there."""

import pytest
import regex

from ds_pipeline.masking.find.addresses import _CUED as ADDRESS_CUE
from ds_pipeline.masking.find.patterns import _CUED_ID, _USER_NAME
from ds_pipeline.masking.find.streets import _STREETS
from ds_pipeline.masking.reading.starts import (
    Anchored,
    digits_of,
    has_digit,
    has_word,
    limit,
    single_letters,
    starts_of,
)


def test_words_are_indexed_by_their_first_four_letters_and_digits_by_a_nought():
    assert starts_of("Main St 12, MAINS a7") == {"main": [0, 12], "st": [5], "0": [8, 19], "a": [18]}


def test_a_dotted_and_a_dotless_i_are_one_letter_at_its_place():
    assert starts_of("\u0130D \u0131d x") == {"id": [0, 3], "x": [6]}


def test_the_keys_are_the_beginnings_the_pattern_admits():
    assert Anchored(r"(?:street|st\b|c/o|[0-9]{2} x)").keys >= {"stre", "st", "c", "0"}
    assert not Anchored(r"(?:street|st\b)").keys & {"s", "str", "c", "0", "road"}


def test_a_pattern_with_leading_signs_begins_before_its_word():
    label = Anchored(r"(?:^|(?<=\n))[ >]{0,3}name:", lead=" >", most=3, after="\n")
    assert [match.span() for match in label.finditer("name: a\n > Name: b, name: c")] == [(0, 5), (8, 16)]


def test_matches_do_not_overlap_unless_asked_to():
    pair = Anchored(r"\bab ab\b")
    assert [match.start() for match in pair.finditer("ab ab ab")] == [0]
    assert [match.start() for match in pair.finditer("ab ab ab", overlapped=True)] == [0, 3]


@pytest.mark.parametrize(
    "text",
    [
        "Shipping address: 12 Elm St, Leeds. He lives at 4 rue de la Paix",
        "PASSPORT no. 123456789, a/c 12345678, n\u00b0 client 123456; user=jane.d login: jd77 p.o. box 12",
        "12 Elm Way apt 4, 9 broadway, 4 bis avenue Foch; ship to\nFlat 3, 17 High Road and 3 5th ave",
    ],
)
def test_looking_only_where_a_pattern_may_begin_finds_what_it_finds_everywhere(text):
    for anchored in [ADDRESS_CUE, _CUED_ID, _USER_NAME, *(pattern for pattern, _, _ in _STREETS)]:
        everywhere = regex.finditer(anchored.pattern, text)
        assert [match.span() for match in anchored.finditer(text)] == [match.span() for match in everywhere]


def test_questions_about_the_words_of_a_text():
    text = "D I L 42"
    assert has_digit(text)
    assert not has_digit("four")
    assert digits_of(text) == [6]
    assert single_letters(text) == 3
    assert has_word("the Passport", {"pass"})
    assert not has_word("the past", {"pass"})


def test_only_long_texts_are_watched():
    assert limit("a" * 2_000) is None
    assert limit("a" * 2_001) == 5.0
