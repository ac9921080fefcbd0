"""Texts that nobody wrote: each is read in bounded time or refused, and nothing is dropped."""

import base64
import random

import pandas as pd
import pytest

from ds_pipeline.errors import SourceError
from ds_pipeline.masking.text import detection
from ds_pipeline.masking.text.text import TextRedactor

SIZE = 100_000
RANDOM = random.Random(1)
LONG = {
    "one letter": "a" * SIZE,
    "blanks": " " * SIZE,
    "line ends": "\n" * SIZE,
    "at signs": "@" * SIZE,
    "brackets": "([" * (SIZE // 2),
    "open tags": "<a " * (SIZE // 3),
    "entities": "&amp;" * (SIZE // 5),
    "digits": "1" * SIZE,
    "pairs of digits": "12 " * (SIZE // 3),
    "base64": base64.b64encode(RANDOM.randbytes(SIZE * 3 // 4)).decode(),
    "cues": "my name is " * (SIZE // 11),
    "streets": "12 st " * (SIZE // 6),
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_a_long_text_is_read_to_its_end_in_bounded_time(text, monkeypatch):
    monkeypatch.setattr(detection, "_LONGEST_S", 5.0)
    mail = "\n\nwrite to jane@example.org"
    assert TextRedactor("patterns").redact(pd.Series([text + mail]))[0].endswith("<EMAIL>")


def test_a_text_that_takes_too_long_is_an_error_and_no_pass(monkeypatch):
    monkeypatch.setattr(detection, "_LONGEST_S", 0.0)
    with pytest.raises(SourceError, match="did not finish on a text"):
        TextRedactor("patterns").redact(pd.Series(["call 07700 900123"]))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "\U0001f600\U0001f44d",
        "\x00\x07\x1b",
        "\u0645\u0631\u062d\u0628\u0627",
        "\u05e9\u05dc\u05d5\u05dd",
        "<br>",
        '{"a": [1]}',
    ],
    ids=["empty", "blank", "emoji", "control", "arabic", "hebrew", "html", "json"],
)
def test_a_text_without_identifiers_stays_as_it_is(text):
    assert TextRedactor("patterns").redact(pd.Series([text]))[0] == text


@pytest.mark.parametrize(
    "text",
    [
        "\u0645\u0631\u062d\u0628\u0627 jane@example.org",
        "\u202ejane@example.org\u202c",
        "\ud800 jane@example.org",
        "<p>jane@example.org</p>",
        '{"to": "jane@example.org"}',
        "\U0001f600jane@example.org",
    ],
    ids=["arabic", "right to left", "lone surrogate", "html", "json", "emoji"],
)
def test_an_address_is_found_in_any_script_and_markup(text):
    assert "<EMAIL>" in TextRedactor("patterns").redact(pd.Series([text]))[0]


def test_missing_cells_stay_missing():
    cells = pd.Series([None, float("nan"), pd.NA, "a@b.org"], dtype=object)
    redacted = TextRedactor("patterns").redact(cells)
    assert redacted.isna().tolist() == [True, True, True, False]
    assert redacted[3] == "<EMAIL>"
