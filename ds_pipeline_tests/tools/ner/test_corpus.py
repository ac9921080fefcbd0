"""Training texts from templates: where the spans lie, what gets a label, and that a seed decides everything."""

import random

import pytest
import spacy
from spacy.tokens import Doc

from tools.ner.corpus import Writer, hide_tags, renamed
from tools.ner.material import lines
from tools.ner.prose import LabelledText

VALUES = {
    "name": lambda: "Ann Lee",
    "first": lambda: "Ann",
    "address": lambda: "1 Elm St\nOslo",
    "org": lambda: "Acme Ltd",
    "product": lambda: "Paris theme",
}


def writer(seed: int = 1) -> Writer:
    return Writer(random.Random(seed), prose=[LabelledText("it rained", [])], values=VALUES)


def labelled(text: LabelledText) -> list[tuple[str, str]]:
    return [(text.text[start:end], label) for start, end, label in text.spans]


def test_a_slot_is_labelled_where_its_value_stands() -> None:
    text = writer().fill("Hi {first}, {org} sold {name} a {product}")

    assert text.text == "Hi Ann, Acme Ltd sold Ann Lee a Paris theme"
    assert labelled(text) == [("Ann", "PERSON"), ("Acme Ltd", "ORG"), ("Ann Lee", "PERSON")]


def test_each_line_of_an_address_is_a_place() -> None:
    assert labelled(writer().fill("to {address}")) == [("1 Elm St", "LOCATION"), ("Oslo", "LOCATION")]


def test_a_slot_can_ask_for_its_case() -> None:
    assert writer().fill("{Name} {first_}").text == "ANN LEE ann"


def test_braces_of_a_record_are_no_slot() -> None:
    assert writer().fill('{"name": "{name}"}').text == '{"name": "Ann Lee"}'


TEMPLATES = ("personal", "neutral", "greetings", "closings", "signatures", "fields", "records", "short")


@pytest.mark.parametrize("name", TEMPLATES)
def test_templates_are_filled_in_full_and_spans_never_touch_the_outside(name: str) -> None:
    class Any_(dict[str, object]):
        def __missing__(self, slot: str) -> object:
            return lambda: f"<{slot}>"

    for template in lines(name):
        text = Writer(random.Random(0), prose=[], values=Any_()).fill(template)  # type: ignore[arg-type]
        assert all(0 <= start < end <= len(text.text) for start, end, _ in text.spans)
        assert all(text.text[start] == "<" and text.text[end - 1] == ">" for start, end, _ in text.spans)


def test_neutral_sentences_name_no_person_and_no_place() -> None:
    slots = ("{name", "{first", "{last", "{city", "{country", "{state", "{address", "{street", "{road", "{postcode")

    assert not [line for line in lines("neutral") if any(slot in line for slot in slots)]


def test_hidden_tags_keep_what_is_known_of_the_word_as_a_word() -> None:
    doc = Doc(
        spacy.blank("en").vocab,
        words=["May", "Marta", "said"],
        tags=["FDW", "F", "W"],
        ents=["B-PERSON", "I-PERSON", "O"],
    )

    class Always(random.Random):
        def random(self) -> float:
            return 0.0

    hide_tags(doc, Always())

    assert [token.tag_ for token in doc] == ["DW", "U", "W"]


def test_real_prose_gets_other_names_of_the_same_form() -> None:
    text = LabelledText(
        "Bob and zoe met Tim Cook at Acme", [(0, 3, "PERSON"), (8, 11, "PERSON"), (16, 24, "PERSON"), (28, 32, "ORG")]
    )

    other = renamed(text, VALUES)

    assert other.text == "Ann and ann met Ann Lee at Acme"
    assert labelled(other) == [("Ann", "PERSON"), ("ann", "PERSON"), ("Ann Lee", "PERSON"), ("Acme", "ORG")]
