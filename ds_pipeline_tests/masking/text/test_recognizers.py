"""Our patterns as Presidio sees them."""

import pytest
from presidio_analyzer.nlp_engine import NlpArtifacts

from ds_pipeline.masking.text.engines import artifacts, load_engine
from ds_pipeline.masking.text.recognizers import SpanRecognizer, build_analyzer, default_recognizers

NOTHING: NlpArtifacts = artifacts(None, None)


def kinds(text: str) -> set[tuple[str, str]]:
    """Kind and characters of what the recognizers find, each asked alone."""
    return {
        (result.entity_type, text[result.start : result.end])
        for recognizer in default_recognizers()
        for result in recognizer.analyze(text, recognizer.supported_entities, NOTHING)
    }


@pytest.mark.parametrize(
    ("text", "kind", "found"),
    [
        pytest.param("to GB29NWBK60161331926819", "IBAN", "GB29NWBK60161331926819", id="iban"),
        pytest.param("4111 1111 1111 1111", "CARD", "4111 1111 1111 1111", id="card"),
        pytest.param("exp 09/27 cvv 123", "CARD", "123", id="card-details"),
        pytest.param("a@bcd.org", "EMAIL", "a@bcd.org", id="email"),
        pytest.param("www.bcd.org", "URL", "www.bcd.org", id="url"),
        pytest.param("10.0.0.1", "IP", "10.0.0.1", id="ip"),
        pytest.param("00:1b:44:11:3a:b7", "MAC", "00:1b:44:11:3a:b7", id="mac"),
        pytest.param("123-45-6789", "SSN", "123-45-6789", id="ssn"),
        pytest.param("AB123456C", "NINO", "AB123456C", id="nino"),
        pytest.param("dob 1/2/1980", "DATE_OF_BIRTH", "1/2/1980", id="birth-date"),
        pytest.param("07700 900123", "PHONE", "07700 900123", id="phone"),
        pytest.param("ring oh seven seven double-oh nine hundred one two three", "PHONE",
                     "oh seven seven double-oh nine hundred one two three", id="spoken-phone"),
        pytest.param("passport 533401372", "ID", "533401372", id="announced-id"),
        pytest.param("user jd: 12345678Z", "ID", "12345678Z", id="national-id"),
        pytest.param("thanks @jane_d", "ID", "jane_d", id="user-name"),
        pytest.param("see SUB.441.902", "ID", "SUB.441.902", id="code"),
        pytest.param("password is Tr0ub4dor&3", "ID", "Tr0ub4dor&3", id="secret"),
        pytest.param("Hauptstraße 12", "LOCATION", "Hauptstraße 12", id="street"),
        pytest.param("I live in South Korea", "LOCATION", "South Korea", id="country"),
        pytest.param("my name is Anna Smith", "PERSON", "Anna Smith", id="announced-name"),
    ],
)  # fmt: skip
def test_every_finder_is_asked_under_its_kind(text: str, kind: str, found: str) -> None:
    assert (kind, found) in kinds(text)


def test_each_kind_has_one_recognizer() -> None:
    names = [kind for recognizer in default_recognizers() for kind in recognizer.supported_entities]

    assert len(names) == len(set(names)) == 13


def test_the_analyzer_gives_the_score_of_the_finder_and_no_more() -> None:
    """Presidio would raise the score of a word beside 'phone', and drop what overlaps."""
    engine, _ = load_engine("patterns")
    spans = {"A": (6, 10), "B": (6, 8)}
    analyzer = build_analyzer(
        engine, [SpanRecognizer(kind, lambda text, span=span: [span], 0.3) for kind, span in spans.items()]
    )

    found = analyzer.analyze("phone 1234", language="en", nlp_artifacts=NOTHING)

    assert {(result.entity_type, result.start, result.end, result.score) for result in found} >= {("A", 6, 10, 0.3)}
    assert {result.score for result in found} == {0.3}


def test_what_a_finder_raises_is_raised() -> None:
    def slow(text: str) -> list[tuple[int, int]]:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        SpanRecognizer("A", slow, 1.0).analyze("x", ["A"], NOTHING)
