"""Figures of a model, on spans made by hand."""

import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from tools.ner.measure import network_only, recall_precision


def test_recall_and_precision_count_exact_spans_and_overlaps() -> None:
    gold = [[(0, 8, "PERSON"), (10, 14, "LOCATION")], [(5, 9, "PERSON")]]
    found = [[(0, 3, "PERSON"), (10, 14, "PERSON")], [(5, 9, "PERSON")]]

    assert recall_precision(gold, found, label="PERSON") == {
        "recall": 1 / 2, "precision": 1 / 3, "recall_overlap": 2 / 2, "precision_overlap": 2 / 3,
    }  # fmt: skip


def test_what_is_found_in_nothing_lowers_no_recall_and_nothing_found_is_no_error() -> None:
    assert recall_precision([[(0, 3, "PERSON")], []], [[], []], label="PERSON") == {
        "recall": 0.0, "precision": 0.0, "recall_overlap": 0.0, "precision_overlap": 0.0,
    }  # fmt: skip


def test_spans_that_only_touch_do_not_overlap() -> None:
    figures = recall_precision([[(0, 3, "PERSON")]], [[(3, 5, "PERSON")]], label="PERSON")

    assert (figures["recall_overlap"], figures["precision_overlap"]) == (0.0, 0.0)


def test_texts_of_two_lists_of_unequal_length_are_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        recall_precision([[]], [], label="PERSON")


def test_the_network_alone_reports_people_and_places() -> None:
    doc = Doc(Vocab(), words=["Ann", "of", "Acme"], ents=["B-PERSON", "O", "B-ORG"])

    assert network_only(doc) == [(0, 3, "PERSON")]
