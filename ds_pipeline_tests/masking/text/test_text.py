import socket

import numpy as np
import pandas as pd
import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from ds_pipeline.boundary.scan import scan_columns, text_columns
from ds_pipeline.errors import SourceError
from ds_pipeline.masking.text.text import TextRedactor


@pytest.fixture(scope="module")
def redactor() -> TextRedactor:
    return TextRedactor("patterns")


def redact(redactor: TextRedactor, text: str) -> str:
    return redactor.redact(pd.Series([text], dtype=object))[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # addresses
        ("mail jane@acme.local.", "mail <EMAIL>."),
        ("JANE.DOE+x@sub.example.co.uk", "<EMAIL>"),
        ("jane@mailhost", "<EMAIL>"),
        ("jane [at] example.com", "<EMAIL>"),
        ('"jane doe"@example.com', "<EMAIL>"),
        ("jane@xn--80ak6aa92e.xn--p1ai", "<EMAIL>"),
        ("see https://x.org/u?e=jane@x.org, ok", "see <URL>, ok"),
        ("www.jane-doe.org/a b", "<URL> b"),
        ("from 192.168.0.12.", "from <IP>."),
        ("from fe80::1ff:fe23:4567:890a", "from <IP>"),
        ("00:1b:44:11:3a:b7", "<MAC>"),
        # phones
        ("020 7946 0958", "<PHONE>"),
        ("07700 900123", "<PHONE>"),
        ("07700900123", "<PHONE>"),
        ("+44 (0)20 7946 0958", "<PHONE>"),
        ("447700900123", "<PHONE>"),
        ("(212) 555-0199", "<PHONE>"),
        ("212-555-0199 x12", "<PHONE>"),
        ("1-800-555-0199", "<PHONE>"),
        ("+1 415 555 0132", "<PHONE>"),
        ("+49 30 901820 / 01 42 68 53 00", "<PHONE> / <PHONE>"),
        ("0049 30 901820", "<PHONE>"),
        ("01.42.68.53.00", "<PHONE>"),
        ("call me on 7946 0958", "call me on <PHONE>"),
        ("order 536365 07700 900123", "order 536365 <PHONE>"),
        ("2011-12-05 07700 900123", "2011-12-05 <PHONE>"),
        # cards
        ("4111 1111 1111 1111", "<CARD>"),
        ("5105-1051-0510-5100", "<CARD>"),
        ("2221000000000009", "<CARD>"),
        ("4000000000000000006", "<CARD>"),
        ("3782 822463 10005", "<CARD>"),
        ("630400000000", "<CARD>"),
        ("41 11 11 11 11 11 11 11", "<CARD>"),
        ("ref 536365 4111 1111 1111 1111", "ref 536365 <CARD>"),
        # numbers of persons and accounts
        ("GB29 NWBK 6016 1331 9268 19", "<IBAN>"),
        ("to de89370400440532013000 now", "to <IBAN> now"),
        ("DE89370400440532013000 GB29NWBK60161331926819", "<IBAN> <IBAN>"),
        ("123-45-6789", "<SSN>"),
        ("SSN: 123456789", "SSN: <SSN>"),
        ("AB 12 34 56 C", "<NINO>"),
        ("passport no. 533401372", "passport no. <ID>"),
        ("DOB: 14/02/1975", "DOB: <DATE_OF_BIRTH>"),
        ("born on 3rd March 1980 in", "born on <DATE_OF_BIRTH> in"),
        ("date of birth 1980-03-14", "date of birth <DATE_OF_BIRTH>"),
    ],
)
def test_an_identifier_becomes_its_kind(redactor, text, expected):
    assert redact(redactor, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "paid 2011-12-05 08:26:00",
        "05/12/2011 and 5.12.11",
        "order 536365, then C536379",
        "12.50 13.60 14.70 1,234,567.89",
        "85123A 22719 79323W",
        "ABC-123-456-789",
        "SKU 2125550199A",
        "EAN 5012345678900",
        "ISBN 978-0-306-40615-7",
        "4111 1111 1111 1112",  # wrong Luhn digit
        "GB29 NWBK 6016 1331 9268 18",  # wrong check digits
        "256.1.1.1 at 12:30:45",
        "3 for 2@1.50, 12@£2",
        "dims 100 200 300 400, 12 345 678 pcs",
        "epoch 1323072000",
        "the end.It was born of need",
    ],
)
def test_what_is_no_identifier_stays(redactor, text):
    assert redact(redactor, text) == text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("x 077\u200b00 90\u200d0123 y", "x <PHONE> y", id="zero-width"),
        pytest.param("４１１１ １１１１ １１１１ １１１１", "<CARD>", id="full-width"),
        pytest.param("jane＠example．com", "<EMAIL>", id="full-width-address"),
        pytest.param("٠٧٧٠٠ ٩٠٠١٢٣", "<PHONE>", id="arabic-digits"),
        pytest.param("07700\x00900123", "<PHONE>", id="control-character"),
        pytest.param("4111111111111111\x1f5105105105105100", "<CARD>\x1f<CARD>", id="control-as-separator"),
        pytest.param("020\u20117946\u20110958", "<PHONE>", id="typographic-hyphen"),
        pytest.param("07700\u00a0900123", "<PHONE>", id="no-break-space"),
        pytest.param("ja\udce9ne@example.com", "<EMAIL>", id="lone-surrogate-inside"),
    ],
)
def test_disguised_identifiers_are_found(redactor, text, expected):
    assert redact(redactor, text) == expected


def test_characters_outside_identifiers_stay_as_they_are(redactor):
    assert redact(redactor, "café\u200b ½ ＡＢ — jane@x.org \U0001f600") == "café\u200b ½ ＡＢ — <EMAIL> \U0001f600"


def test_invalid_surrogates_become_storable(redactor):
    assert redact(redactor, "a\ud83d b\ud83d\ude00") == "a\ufffd b\U0001f600"


def test_nulls_index_and_dtype_stay(redactor):
    texts = pd.Series(["a@b.org", None, np.nan, pd.NA], index=[3, 1, 1, 2], name="note", dtype=object)
    redacted = redactor.redact(texts)
    assert redacted.tolist()[:2] == ["<EMAIL>", None]
    assert np.isnan(redacted.iloc[2])
    assert redacted.iloc[3] is pd.NA
    assert redacted.index.equals(texts.index)
    assert redacted.name == "note"
    assert redactor.redact(texts.astype("string")).dtype == "string"


def test_a_column_of_nulls_or_nothing_passes(redactor):
    assert redactor.redact(pd.Series([None, np.nan], dtype=object)).isna().all()
    assert redactor.redact(pd.Series([], dtype=object)).empty


def test_the_argument_is_not_changed(redactor):
    texts = pd.Series(["a@b.org"])
    redactor.redact(texts)
    assert texts.tolist() == ["a@b.org"]


@pytest.mark.parametrize("cell", [4111111111111111, b"a@b.org", ["a@b.org"]], ids=["number", "bytes", "list"])
def test_a_cell_that_is_not_text_stops_the_run(redactor, cell):
    with pytest.raises(SourceError, match=r"'note'.* 1 cells") as refusal:
        redactor.redact(pd.Series(["fine", cell], name="note", dtype=object))
    assert "a@b.org" not in str(refusal.value)


def test_a_long_text_is_read_to_its_end(redactor):
    for shift in range(0, 40, 3):  # so that a chunk ends in and around the identifiers
        text = (
            "x" * shift
            + " pack of six" * 1_665
            + " 07700 900123 jane@example.org"
            + " lot" * 5_000
            + " 4111111111111111"
        )
        assert redact(redactor, text).count("<") == 3


def test_an_address_longer_than_the_overlap_leaves_no_rest(redactor):
    assert redact(redactor, "a " * 9_000 + "https://x.org/" + "jane" * 2_000 + " end").endswith(" <URL> end")


def test_a_pattern_that_does_not_finish_is_an_error_and_no_pass():
    from ds_pipeline.masking.text.recognizers import SpanRecognizer

    def slow(text):
        return [match.span() for match in regex.finditer(r"(?:a|aa|a?)+$", text, timeout=0.001)]

    with pytest.raises(SourceError, match="did not finish"):
        redact(TextRedactor(recognizers=[SpanRecognizer("SLOW", slow, 1.0)]), "a" * 5_000 + "b")


def test_overlapping_finds_become_one_of_the_longest_kind():
    from ds_pipeline.masking.text.recognizers import SpanRecognizer

    def finder(part):
        return lambda text: [(text.index(part), text.index(part) + len(part))] if part in text else []

    parts = {"SHORT": "0123", "LONG": "2345678", "INSIDE": "34", "APART": "9"}
    recognizers = [SpanRecognizer(kind, finder(part), 0.5) for kind, part in parts.items()]
    assert redact(TextRedactor(recognizers=recognizers), "0123456789ab") == "<LONG><APART>ab"


@pytest.mark.parametrize(
    "glued", ["GB29NWBK601613319268194111111111111111", "a@b.org07700900123", "4111111111111111a@b.org"]
)
def test_identifiers_without_a_space_between_leave_no_rest(redactor, glued):
    assert not set(redact(redactor, glued)) & set("0123456789@")


def test_entities_count_cells_by_kind():
    redactor = TextRedactor("patterns")
    redactor.redact(pd.Series(["a@b.org or 07700 900123"] * 3 + ["a@b.org", None]))
    assert redactor.entities == {"EMAIL": 4, "PHONE": 3}


def test_lines_keep_their_ends():
    redactor = TextRedactor("patterns")
    lines = ["a@b.org\r\n", "plain\n", "a@b.org\n", "\n", "07700 900123"]
    assert list(redactor.redact_lines(lines)) == ["<EMAIL>\r\n", "plain\n", "<EMAIL>\n", "\n", "<PHONE>"]
    assert redactor.entities == {"EMAIL": 2, "PHONE": 1}


def test_nothing_is_asked_of_the_network(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("network")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert redact(TextRedactor("patterns"), "jane@example.co.uk") == "<EMAIL>"


FRAGMENTS = [
    "07700 900123",
    "4111111111111111",
    "a@b.org",
    "GB29NWBK60161331926819",
    "123-45-6789",
    "10.0.0.1",
    " dob 1/2/1980 ",
]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.sampled_from([*FRAGMENTS, " ", "x", "-", "7", "0", ".", "+", "\u200b", "é", "@", "\n", "2011-12-05"]),
        max_size=12,
    )
)
def test_the_scan_finds_nothing_in_redacted_text(redactor, parts):
    assert scan_columns(text_columns(pd.DataFrame({"note": [redact(redactor, "".join(parts))]}))) == []
