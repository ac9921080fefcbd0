"""Figures of a model, on spans made by hand."""

from tools.ner.measure import recall_precision


def test_recall_and_precision_count_exact_spans_and_overlaps() -> None:
    gold = [[(0, 8, "PERSON"), (10, 14, "LOCATION")], [(5, 9, "PERSON")]]
    found = [[(0, 3, "PERSON"), (10, 14, "PERSON")], [(5, 9, "PERSON")]]

    assert recall_precision(gold, found, label="PERSON") == {
        "recall": 1 / 2, "precision": 1 / 3, "recall_overlap": 2 / 2, "precision_overlap": 2 / 3,
    }  # fmt: skip
