"""Engines by their name, and what of their names can be one."""

import pytest
import spacy

from ds_pipeline.errors import ConfigError
from ds_pipeline.masking.text import engines
from ds_pipeline.masking.text.text import TextRedactor


def test_an_engine_that_is_not_installed_is_an_error_and_no_download(monkeypatch):
    monkeypatch.setattr(spacy.util, "is_package", lambda name: False)
    with pytest.raises(ConfigError, match="'en_core_web_lg' is not installed"):
        TextRedactor("en_core_web_lg").find(["Anna"])
    with pytest.raises(ConfigError, match="Unknown engine"):
        TextRedactor("magic").find(["Anna"])


def test_patterns_alone_have_no_recognizer_of_names() -> None:
    assert engines.load_engine("patterns")[1] == []


def test_a_text_without_letters_is_not_shown_to_the_model() -> None:
    shown: list[str] = []
    nlp = spacy.blank("en")
    make_doc = nlp.make_doc
    nlp.make_doc = lambda text: shown.append(text) or make_doc(text)  # type: ignore[method-assign, func-returns-value]

    seen = list(engines.artifacts_of(engines.NamesEngine(nlp), ["12", "Anna 1", "", "é"]))

    assert [item.tokens and item.tokens.text for item in seen] == [None, "Anna 1", None, "é"]
    assert shown == ["Anna 1", "é"]


def test_an_engine_of_patterns_sees_nothing_in_any_text() -> None:
    engine, _ = engines.load_engine("patterns")

    assert [item.tokens for item in engines.artifacts_of(engine, ["Anna", "12"])] == [None, None]


def test_names_of_the_model_are_reported_where_they_can_be_names() -> None:
    doc = spacy.blank("en")("Anna of Leeds, order")
    found = [(0, 4, "PERSON"), (8, 13, "LOCATION"), (15, 20, "PERSON")]
    recognizer = engines.NamesRecognizer(lambda _: found)

    results = recognizer.analyze(doc.text, [], engines.artifacts(doc, None))

    assert [(result.entity_type, result.start, result.end, result.score) for result in results] == [
        ("PERSON", 0, 4, 0.7), ("LOCATION", 8, 13, 0.7),
    ]  # fmt: skip
    assert recognizer.analyze(doc.text, [], engines.artifacts(None, None)) == []


@pytest.mark.parametrize(
    ("name", "kind", "plausible"),
    [
        pytest.param("Anna", "PERSON", True, id="name"),
        pytest.param("A.", "PERSON", False, id="one-letter"),
        pytest.param("will", "PERSON", False, id="small-common-word"),
        pytest.param("Will", "PERSON", True, id="common-word-with-a-capital"),
        pytest.param("WILL", "PERSON", False, id="shouted-common-word"),
        pytest.param("WILL SMITHSON", "PERSON", True, id="shouted-with-an-uncommon-one"),
        pytest.param("AB12", "PERSON", False, id="code-as-a-person"),
        pytest.param("Anna 2", "PERSON", True, id="name-and-number"),
        pytest.param("X7", "LOCATION", False, id="code-as-a-place"),
        pytest.param("62704", "LOCATION", True, id="postcode"),
        pytest.param("627", "LOCATION", False, id="short-number"),
        pytest.param("62704 1234", "LOCATION", True, id="two-numbers"),
        pytest.param("Leeds 7", "LOCATION", True, id="place-and-number"),
        pytest.param("order 7", "LOCATION", False, id="common-word-and-number"),
        pytest.param("Elm St 7", "LOCATION", True, id="three-words"),
        pytest.param("reading", "LOCATION", True, id="a-place-may-be-a-common-word"),
        pytest.param("the", "LOCATION", False, id="but-no-word-of-the-sentence"),
        pytest.param("--", "LOCATION", False, id="signs"),
        pytest.param("", "PERSON", False, id="nothing"),
    ],
)
def test_a_name_can_be_told_from_a_label_a_code_and_an_amount(name: str, kind: str, plausible: bool) -> None:
    assert engines.is_plausible(name, kind) is plausible
