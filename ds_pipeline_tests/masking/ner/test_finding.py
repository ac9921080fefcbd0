"""Names from documents: the rules on hand-made documents, then the shipped model on texts nobody trained on."""

import pytest
import spacy
from spacy.tokens import Doc, Span

from ds_pipeline.masking.ner.finding import find_names, load_ner

VOCAB = spacy.blank("en").vocab


def document(*tokens: str, ents: dict[str, str] | None = None) -> Doc:
    """From `word/TAG` and whether a space follows (`+` at the end: none); `ents` by the words of the entity."""
    words = [token.partition("/")[0] for token in tokens]
    tags = [token.partition("/")[2].removesuffix("+") for token in tokens]
    doc = Doc(VOCAB, words=words, spaces=[not token.endswith("+") for token in tokens], tags=tags)
    spans = []
    for text, label in (ents or {}).items():
        parts = text.split(" ")
        start = words.index(parts[0])
        spans.append(Span(doc, start, start + len(parts), label=label))
    doc.ents = spans
    return doc


def names(doc: Doc) -> list[tuple[str, str]]:
    return [(doc.text[start:end], label) for start, end, label in find_names(doc)]


def test_what_the_network_found_is_reported_and_firms_are_not() -> None:
    doc = document(
        "Marta/F", "of/W", "Acme/U", "in/W", "Oslo/P", ents={"Marta": "PERSON", "Acme": "ORG", "Oslo": "LOCATION"}
    )

    assert names(doc) == [("Marta", "PERSON"), ("Oslo", "LOCATION")]


def test_a_listed_first_name_and_surname_are_a_person() -> None:
    assert names(document("ask/W", "Jennifer/F", "Kowalski/L", "today/W")) == [("Jennifer Kowalski", "PERSON")]


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("May/FDW", "Brown/LW"), id="both-are-words"),
        pytest.param(("jennifer/F", "kowalski/L"), id="lower-case"),
        pytest.param(("Jordan/FC", "Lee/L"), id="first-name-is-a-country"),
        pytest.param(("Jennifer/F", "today/W"), id="no-surname"),
    ],
)
def test_the_lists_alone_do_not_make_a_person_of_an_ambiguous_pair(words: tuple[str, ...]) -> None:
    assert names(document(*words)) == []


def test_a_pair_inside_a_firm_is_no_person() -> None:
    assert names(document("Jennifer/F", "Kowalski/L", "Ltd/U", ents={"Jennifer Kowalski Ltd": "ORG"})) == []


def test_a_capitalised_word_after_a_title_is_a_person() -> None:
    assert names(document("Mr/T+", "./", "Okpara/U", "called/W")) == [("Okpara", "PERSON")]
    assert names(document("mrs/T", "Okpara/U")) == []


def test_a_name_found_once_is_found_again() -> None:
    doc = document("Xoan/U", "Carb/U", "wrote/W+", "./", "Carb/U", "left/W", ents={"Xoan Carb": "PERSON"})

    assert names(doc) == [("Xoan Carb", "PERSON"), ("Carb", "PERSON")]


def test_a_name_goes_on_over_a_particle_and_a_hyphen() -> None:
    doc = document("Anna/F", "van/w", "Dijk/l+", "-/+", "Holm/l", "called/W", ents={"Anna": "PERSON"})

    assert names(doc) == [("Anna van Dijk-Holm", "PERSON")]


def test_two_people_side_by_side_stay_two() -> None:
    doc = document("Anna/F", "Bert/F", ents={"Anna": "PERSON", "Bert": "PERSON"})

    assert names(doc) == [("Anna", "PERSON"), ("Bert", "PERSON")]


def test_nothing_is_found_in_nothing() -> None:
    assert find_names(load_ner()("")) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param(
            "Spoke with Gwendolyn Achterberg, she moved to Kilmarnock.",
            [("Gwendolyn Achterberg", "PERSON"), ("Kilmarnock", "LOCATION")],
            id="call-note",
        ),
        pytest.param("hi its olumide bankole here", [("olumide bankole", "PERSON")], id="lower-case"),
        pytest.param("CUSTOMER NAME YUKI TANABE", [("YUKI TANABE", "PERSON")], id="capitals"),
        pytest.param('{"name": "Hyejin Baek"}', [("Hyejin Baek", "PERSON")], id="record"),
        pytest.param("The invoice for May is wrong. Will you mark it as paid?", [], id="words-that-are-names"),
        pytest.param("THE PARCEL NEVER CAME AND I WANT A REFUND", [], id="capitals-without-a-name"),
    ],
)
def test_the_shipped_model_reads_texts_it_was_not_trained_on(text: str, found: list[tuple[str, str]]) -> None:
    assert names(load_ner()(text)) == found


def test_the_model_reads_many_texts_in_a_memory_zone() -> None:
    nlp = load_ner()
    before = len(nlp.vocab.strings)

    with nlp.memory_zone():
        found = [find_names(doc) for doc in nlp.pipe(["Qvexilda Brontwick called.", "No name here."])]

    assert [len(spans) for spans in found] == [1, 0]
    assert len(nlp.vocab.strings) == before
