"""What is known of a word: folding, the file, and the component that writes tags on tokens."""

from pathlib import Path

import pytest
import spacy
from spacy.language import Language

from ds_pipeline.masking.ner.gazetteer import UNKNOWN, Gazetteer, GazetteerTagger, fold

WORDS = Gazetteer({"marta": "F", "obrien": "L", "may": "FDW", "paris": "FP"})


@pytest.fixture
def nlp() -> Language:
    nlp = spacy.blank("en")
    nlp.add_pipe("gazetteer")
    tagger = nlp.get_pipe("gazetteer")
    assert isinstance(tagger, GazetteerTagger)
    tagger.use(WORDS)
    return nlp


@pytest.mark.parametrize(
    ("word", "plain"),
    [
        pytest.param("MARTA", "marta", id="capitals"),
        pytest.param("Łukasz", "lukasz", id="letter-with-stroke"),
        pytest.param("Núñez", "nunez", id="accents"),
        pytest.param("Nguyễn", "nguyen", id="two-accents-on-one-letter"),
        pytest.param("O’Brien", "obrien", id="apostrophe"),
        pytest.param("Strauß", "strauss", id="sharp-s"),
    ],
)
def test_case_accents_and_apostrophes_do_not_matter(word: str, plain: str) -> None:
    assert fold(word) == plain


def test_a_word_in_no_list_is_unknown_and_a_number_is_no_word() -> None:
    assert WORDS.tag("Xyloph") == UNKNOWN
    assert WORDS.tag("4711") == ""


def test_a_word_with_other_signs_is_looked_up_by_its_letters() -> None:
    assert WORDS.tag("Marta.") == "F"


def test_the_file_holds_what_was_written(tmp_path: Path) -> None:
    WORDS.write(tmp_path / "words.txt")

    read = Gazetteer.read(tmp_path / "words.txt")

    assert [read.tag(word) for word in ("Marta", "May", "Paris", "Nobody")] == ["F", "FDW", "FP", UNKNOWN]


def test_the_order_of_the_lists_does_not_change_the_file(tmp_path: Path) -> None:
    Gazetteer({"b": "F", "a": "F", "c": "L"}).write(tmp_path / "one.txt")
    Gazetteer({"c": "L", "a": "F", "b": "F"}).write(tmp_path / "other.txt")

    assert (tmp_path / "one.txt").read_bytes() == (tmp_path / "other.txt").read_bytes() == b"F a b\nL c\n"


def test_tokens_carry_the_tag_of_their_word(nlp: Language) -> None:
    doc = nlp("marta O'Brien, in May 12")

    assert [(token.text, token.tag_) for token in doc] == [
        ("marta", "F"), ("O'Brien", "L"), (",", ""), ("in", UNKNOWN), ("May", "FDW"), ("12", ""),
    ]  # fmt: skip


def test_an_empty_text_has_no_tags(nlp: Language) -> None:
    assert len(nlp("")) == 0


def test_the_vocabulary_does_not_grow_in_a_memory_zone(nlp: Language) -> None:
    before = len(nlp.vocab.strings)

    with nlp.memory_zone():
        tags = [token.tag_ for doc in nlp.pipe(["Qwxzyv Marta", "Vyzxwq Marta"]) for token in doc]

    assert tags == [UNKNOWN, "F", UNKNOWN, "F"]
    assert len(nlp.vocab.strings) == before


def test_a_word_seen_in_a_memory_zone_is_known_after_it(nlp: Language) -> None:
    with nlp.memory_zone():
        list(nlp.pipe(["Marta Qwxzyv"]))

    assert [token.tag_ for token in nlp("Marta Qwxzyv")] == ["F", UNKNOWN]
