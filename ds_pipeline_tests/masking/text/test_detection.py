"""What is found does not depend on the words that the engine happened to learn."""

import pytest

from ds_pipeline.masking.text import detection

TEXTS = ["Marta Kowalczyk of Xqzvburg, call 0161 496 0123.", "Regards,\nBjorn Wqxzle"]


@pytest.mark.parametrize("known_words", [pytest.param(10**9, id="still-learning"), pytest.param(0, id="learnt-enough")])
def test_spans_do_not_depend_on_what_was_learnt(monkeypatch, known_words):
    expected = detection.find_spans("embedded", TEXTS)
    monkeypatch.setattr(detection, "_KNOWN_WORDS", known_words)
    assert detection.find_spans("embedded", TEXTS) == expected
    assert all(expected)
