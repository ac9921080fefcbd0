"""Words without case and accents, and the list of common ones."""

import pytest

from ds_pipeline.masking.reading.words import WORD, fold, is_common, listed, spellings


@pytest.mark.parametrize(
    ("word", "folded"),
    [
        pytest.param("MÜLLER", "muller", id="umlaut"),
        pytest.param("Mu\u0308ller", "muller", id="umlaut-of-two-characters"),
        pytest.param("Strauß", "strauss", id="sharp-s"),
        pytest.param("Łukasz", "lukasz", id="stroke"),
        pytest.param("Þórð", "thord", id="icelandic"),
        pytest.param("Æsir", "aesir", id="ligature"),
        pytest.param("Nguyễn", "nguyen", id="two-accents"),
        pytest.param("Смирнова", "смирнова", id="cyrillic"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_words_fold_to_small_plain_letters(word: str, folded: str) -> None:
    assert fold(word) == folded


def test_folding_a_folded_word_changes_nothing() -> None:
    folded = [fold(word) for word in ("ÅSA", "Ærø", "İbrahim")]

    assert list(map(fold, folded)) == folded == ["asa", "aero", "ibrahim"]


@pytest.mark.parametrize(
    ("word", "forms"),
    [("Müller", {"muller", "mueller"}), ("Mu\u0308ller", {"muller", "mueller"}), ("Muller", {"muller"}),
     ("Åse", {"ase", "aase"}), ("Bjørn", {"bjorn", "bjoern"})],
)  # fmt: skip
def test_umlauts_may_be_written_out(word: str, forms: set[str]) -> None:
    assert spellings(word) == forms


@pytest.mark.parametrize("word", ["will", "WILL", "May", "the"])
def test_common_words_are_common_in_any_case(word: str) -> None:
    assert is_common(word)


@pytest.mark.parametrize("word", ["smithson", "#", ""])
def test_names_signs_and_nothing_are_no_common_words(word: str) -> None:
    assert not is_common(word)


def test_a_list_is_the_words_of_its_text() -> None:
    assert listed("\n  a b\n  a\n") == {"a", "b"}


def test_a_word_is_letters_with_their_marks() -> None:
    assert WORD.findall("O'Brien 2nd Mu\u0308ller_x") == ["O", "Brien", "nd", "Mu\u0308ller", "x"]
