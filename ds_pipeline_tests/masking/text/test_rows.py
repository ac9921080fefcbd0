"""Texts of the same row, with the names that a small stand-in for the language model knows."""

import numpy as np
import pandas as pd
import pytest
import spacy

from ds_pipeline.errors import SourceError
from ds_pipeline.masking.people.owners import OwnerIndex
from ds_pipeline.masking.text import detection, engines, text
from ds_pipeline.masking.text.remembered import forget
from ds_pipeline.masking.text.text import TextRedactor

KNOWN = {"PERSON": ["Anna Smith", "Anna", "Bob Jones", "Bob", "Priya"], "LOCATION": ["Leeds", "Porto"]}


def load_stand_in(name: str):
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler", config={"phrase_matcher_attr": "LOWER"})
    ruler.add_patterns([{"label": kind, "pattern": one} for kind, names in KNOWN.items() for one in names])
    return nlp, lambda doc: [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents]


@pytest.fixture
def redactor(monkeypatch) -> TextRedactor:
    monkeypatch.setattr(engines, "_load", load_stand_in)
    return TextRedactor(processes=1)


def redact(redactor: TextRedactor, *texts: str | None) -> list[str | None]:
    frame = pd.DataFrame([texts], columns=[f"text_{number}" for number in range(len(texts))], dtype=object)
    return redactor.redact_table(frame).iloc[0].tolist()


def test_persons_of_a_row_have_the_same_number_in_all_its_texts(redactor):
    assert redact(redactor, "Bob Jones told Anna Smith", "ANNA said to smith: bob, Priya") == [
        "<PERSON_1> told <PERSON_2>",
        "<PERSON_2> said to <PERSON_2>: <PERSON_1>, <PERSON_3>",
    ]


def test_rows_are_numbered_apart(redactor):
    assert redactor.redact(pd.Series(["Bob in Leeds", "Priya and Bob"])).tolist() == [
        "<PERSON_1> in <LOCATION>",
        "<PERSON_1> and <PERSON_2>",
    ]


def test_a_name_found_in_one_text_is_found_in_the_other(redactor):
    assert redact(redactor, "parcel for jones", "Bob Jones") == ["parcel for <PERSON_1>", "<PERSON_1>"]


def test_a_missing_text_of_a_row_stays_missing(redactor):
    redacted = redactor.redact_table(
        pd.DataFrame({"a": [None, "Bob"], "b": ["Bob", np.nan]}, index=[4, 2], dtype=object)
    )
    assert redacted["a"].tolist() == [None, "<PERSON_1>"]
    assert redacted["b"].tolist()[0] == "<PERSON_1>"
    assert np.isnan(redacted["b"].tolist()[1])
    assert redacted.index.tolist() == [4, 2]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Ａｎｎａ Ｓｍｉｔｈ!", id="full-width"),
        pytest.param("An\u200bna Smi\u200dth!", id="zero-width"),
        pytest.param("A\u0301nna\u0308 Smith\u0301!", id="combining-marks"),
        pytest.param("Anna\u00a0Smith!", id="no-break-space"),
        pytest.param("\u202bAnna Smith\u202c!", id="right-to-left-marks"),
        pytest.param("Anna&nbsp;Smith!", id="html-entity"),
        pytest.param("Anna <b>Smith</b>!", id="html-tag"),
        pytest.param("Ann&#97; Smith!", id="html-number"),
        pytest.param("Anna Sm\\u0069th!", id="json-escape"),
    ],
)
def test_a_disguised_name_is_found(redactor, text):
    redacted = redact(redactor, text)[0]
    assert "<PERSON_1>" in redacted
    assert "Anna" not in redacted and "mith" not in redacted and "\u0301" not in redacted  # noqa: PT018


def test_words_of_the_owner_are_masked_where_no_model_sees_them(redactor):
    owners = OwnerIndex.from_frame(
        pd.DataFrame(
            [("c1", "name", "Zorvath, Quillon", 3), ("c1", "phone", "+44 7700 900123", 3)],
            columns=["id", "kind", "value", "known_from"],
        )
    )
    frame = pd.DataFrame(
        {"id": ["c1", "c1", "c2"], "week": [3, 2, 3], "subject": "zorvath's lamp", "body": "quillon zorvth"}
    )
    redacted = redactor.redact_table(frame[["subject", "body"]], owners.rows(frame["id"], frame["week"]))
    assert redacted.iloc[0].tolist() == ["<PERSON_1>'s lamp", "<PERSON_1>"]
    assert redacted.iloc[1].tolist() == redacted.iloc[2].tolist() == ["zorvath's lamp", "quillon zorvth"]


def test_the_owner_is_the_person_others_call_by_name(redactor):
    owners = OwnerIndex.from_frame(
        pd.DataFrame([("c1", "name", "Anna Smith", 0)], columns=["id", "kind", "value", "known_from"])
    )
    rows = owners.rows(pd.Series(["c1"]), pd.Series([0]))
    assert redactor.redact(pd.Series(["Bob, smiht and Anna"]), rows).tolist() == [
        "<PERSON_1>, <PERSON_2> and <PERSON_2>"
    ]


def test_owners_of_other_rows_are_an_error(redactor):
    rows = OwnerIndex({}).rows(pd.Series(["c1"]), pd.Series([0]))
    with pytest.raises(SourceError, match="for each of 2 rows, found 1"):
        redactor.redact(pd.Series(["a", "b"]), rows)


def test_a_row_does_not_depend_on_the_others(redactor):
    texts = [f"Bob told {name} of {number}" for number, name in enumerate(["Anna", "Priya", "Leeds"] * 200)]
    alone = [redactor.redact(pd.Series([one]))[0] for one in texts[:5]]
    assert redactor.redact(pd.Series(texts))[:5].tolist() == alone
    assert redactor.redact(pd.Series(texts[::-1]))[::-1][:5].tolist() == alone


def test_found_spans_are_in_the_stored_characters(redactor):
    spans = redactor.find(["x\u200b Ａｎｎａ Ｓｍｉｔｈ \U0001f600 Bob"])[0]
    assert [(span.start, span.end, span.kind) for span in spans] == [(3, 13, "PERSON"), (16, 19, "PERSON")]


def test_the_vocabulary_grows_to_its_limit_and_not_with_the_texts(redactor, monkeypatch):
    redactor.find(["Anna"])
    monkeypatch.setattr(detection, "_KNOWN_WORDS", 0)
    strings = redactor._detector._engine.get_nlp("en").vocab.strings
    before = len(strings)
    redactor.find([f"word{number} other{number}" for number in range(2_000)])
    assert len(strings) == before


def test_any_number_of_processes_gives_the_same(monkeypatch):
    monkeypatch.setattr(text, "_PARALLEL_FROM", 0)
    texts = pd.Series([f"mail a{number}@b.org, my name is Bo Berg{number % 7}" for number in range(300)])
    together = TextRedactor("patterns", processes=2).redact(texts)
    forget()
    assert together.equals(TextRedactor("patterns", processes=1).redact(texts))


def test_batches_are_bounded_in_texts_and_characters(monkeypatch):
    monkeypatch.setattr(detection, "_BATCH_CHARS", 10)
    assert [len(batch) for batch in detection._batches(["x" * 6] * 3)] == [1, 1, 1]
    assert [len(batch) for batch in detection._batches(["x" * 50, "x"])] == [1, 1]
