"""The untrained pipeline: its tokens, the tags before the network, and what the network tells apart."""

import pytest
from spacy.language import Language

from ds_pipeline.masking.ner.gazetteer import Gazetteer
from ds_pipeline.masking.ner.pipeline import network_of, tagger_of
from tools.ner.untrained import LABELS, blank_pipeline

WORDS = Gazetteer({"marta": "F"})


@pytest.fixture(scope="module")
def nlp() -> Language:
    return blank_pipeline(WORDS)


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        pytest.param("name=Marta;city=Oslo", ["name", "=", "Marta", ";", "city", "=", "Oslo"], id="record"),
        pytest.param("home/marta_lee", ["home", "/", "marta", "_", "lee"], id="path"),
        pytest.param("<b>Marta</b>", ["<", "b", ">", "Marta", "<", "/", "b", ">"], id="tag"),
        pytest.param("Marta's", ["Marta", "'s"], id="english"),
    ],
)
def test_words_stand_apart_from_signs_of_records_and_paths(nlp: Language, text: str, tokens: list[str]) -> None:
    assert [token.text for token in nlp.make_doc(text)] == tokens


def test_words_are_tagged_before_the_network_sees_them(nlp: Language) -> None:
    assert nlp.pipe_names == ["gazetteer", "ner"]
    assert tagger_of(nlp).gazetteer is WORDS
    assert [token.tag_ for token in tagger_of(nlp)(nlp.make_doc("Marta left"))] == ["F", "U"]


def test_the_network_tells_people_places_and_firms_apart(nlp: Language) -> None:
    assert tuple(sorted(network_of(nlp).labels)) == LABELS == ("LOCATION", "ORG", "PERSON")
