import ast
from pathlib import Path
from uuid import UUID

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from ds_pipeline.boundary import scan
from ds_pipeline.boundary.scan import Finding, TextColumn, scan_columns, text_columns

IDENTIFIERS = [
    ("jane@acme.local", "email"),
    ("Jane.Doe+x@sub.example.co.uk", "email"),
    ("jane＠example．com", "email"),
    ("020 7946 0958", "phone"),
    ("07700900123", "phone"),
    ("+44 (0)20 7946 0958", "phone"),
    ("0７７00\u200b900123", "phone"),
    ("(212) 555-0199", "phone"),
    ("call 5550199", "phone"),
    ("4111 1111 1111 1111", "card"),
    ("2221000000000009", "card"),
    ("4000000000000000006", "card"),
    ("4222222222222", "card"),
    ("536365 5105-1051-0510-5100", "card"),
    ("4111\x001111\x001111\x001111", "card"),
    ("GB29 NWBK 6016 1331 9268 19", "iban"),
    ("de89370400440532013000", "iban"),
    ("192.168.0.12", "ip"),
    ("2001:db8:0:0:1:0:0:1", "ip"),
    ("123-45-6789", "ssn"),
    ("DOB 14/02/1975", "birth_date"),
    ("date of birth: 1980-03-14", "birth_date"),
]
HARMLESS = [
    "abcdefghijklmnopabcdefghijklmnop",
    "2011-12-05 08:26:00",
    "05-12-2011 08:26",
    "536365",
    "C550456 see 47",
    "Gift Voucher £100.00",
    "12.50 13.60 14.70",
    "5012345678900",
    "5012345678924",  # a barcode that passes Luhn
    "1323072000000007",  # a clock reading that passes Luhn
    "ISBN 978-0-306-40615-7",
    "4111 1111 1111 1112",
    "GB29 NWBK 6016 1331 9268 18",
    "256.1.1.1",
    "12:30:45:10",
    "0d1e6a54-4111-4111-8111-111111111111",
    "d41d8cd98f00b204e9800998ecf8427e",
    "3 @ 2.50",
    "born free 1966",
    "<EMAIL> <PHONE> <CARD>",
    "https://example.com/a",
]


def scan_frame(frame: pd.DataFrame) -> list[Finding]:
    return scan_columns(text_columns(frame))


@pytest.mark.parametrize(("text", "kind"), IDENTIFIERS)
def test_an_identifier_in_a_sentence_is_found(text, kind):
    frame = pd.DataFrame({"note": ["fine", f"see {text} , ok", None]})
    assert scan_frame(frame) == [Finding("note", kind, 1)]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_no_identifier_is_not_reported(text):
    assert scan_frame(pd.DataFrame({"note": [text]})) == []


EMAILS = ["a@b.org", None, "a@b.org", "fine"]


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(pd.Series(EMAILS, dtype=object), id="object"),
        pytest.param(pd.Series(EMAILS, dtype="string"), id="string"),
        pytest.param(pd.Series(EMAILS, dtype="string[pyarrow]"), id="string-arrow"),
        pytest.param(pd.Series(EMAILS, dtype=pd.ArrowDtype(pa.large_string())), id="arrow-large-string"),
        pytest.param(
            pd.Series(EMAILS, dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))), id="arrow-dictionary"
        ),
        pytest.param(pd.Series(EMAILS, dtype="category"), id="category"),
        pytest.param(pd.Series([b"a@b.org", None, "a@b.org".encode("utf-16-le"), b"fine"]), id="bytes"),
        pytest.param(pd.Series([["x", "a@b.org"], None, {"k": {"to": ("a@b.org",)}}, []]), id="nested"),
        pytest.param(pd.Series([{"a@b.org": 1}, None, np.array(["a@b.org"]), {"fine"}]), id="nested-keys-and-arrays"),
        pytest.param(
            pd.Series([["a@b.org"], None, ["a@b.org"], ["x"]], dtype=pd.ArrowDtype(pa.list_(pa.string()))),
            id="arrow-list",
        ),
        pytest.param(pd.Series(["a@b.org", 1, "a@b.org", 2.5], dtype=object), id="mixed"),
        pytest.param(pd.Series(["a@b.org\ud800", None, "\ud800a@b.org", "fine"]), id="invalid-surrogates"),
    ],
)
def test_every_column_that_can_hold_text_is_looked_at_and_cells_are_counted(column):
    assert scan_frame(column.to_frame("note")) == [Finding("note", "email", 2)]


def test_a_category_that_no_row_uses_is_found_since_it_would_be_stored():
    column = pd.Series(pd.Categorical(["fine"], categories=["fine", "a@b.org"]))
    assert scan_frame(column.to_frame("note")) == [Finding("note", "email", 1)]


def test_the_index_is_looked_at():
    assert scan_frame(pd.DataFrame({"n": [1]}, index=pd.Index(["a@b.org"], name="who"))) == [Finding("who", "email", 1)]


def test_two_columns_of_one_name_are_both_looked_at():
    frame = pd.DataFrame([["fine", "a@b.org"]], columns=["note", "note"])
    assert scan_frame(frame) == [Finding("note", "email", 1)]


def test_kinds_and_columns_are_reported_apart():
    frame = pd.DataFrame({"b": ["a@b.org 07700 900123", "x"], "a": ["10.0.0.1", "10.0.0.1"], "n": [1, 2]})
    assert scan_frame(frame) == [Finding("a", "ip", 2), Finding("b", "email", 1), Finding("b", "phone", 1)]


def test_an_empty_frame_has_no_leak():
    assert scan_frame(pd.DataFrame({"a": pd.Series([], dtype=object)})) == []


def test_real_product_texts_hold_nothing_and_one_planted_cell_is_found():
    sample = Path(__file__).parents[2] / "data" / "samples" / "online_retail.parquet"
    if not sample.exists():
        pytest.skip("the public sample is not in this checkout")
    frame = pd.read_parquet(sample, columns=["InvoiceNo", "StockCode", "Description", "Country"])
    assert scan_frame(frame) == []
    frame.loc[400_000, "Description"] = "wrongly sold to 07700 900123"
    assert scan_frame(frame) == [Finding("Description", "phone", 1)]


def test_the_name_of_a_run_is_no_identifier_and_hides_none():
    """This one stopped a first run: it reads as an IBAN of right check digits."""
    run, account = "fcd3fd17-20e5-4d75-947c-209effd8e5f8", "GB82 WEST 1234 5698 7654 32"
    drawn = np.random.default_rng(7).bytes(16 * 20_000).hex()
    runs = [str(UUID(drawn[place : place + 32])) for place in range(0, len(drawn), 32)]

    assert scan_columns([TextColumn("log", [f"run {run} began", *runs], np.ones(1 + len(runs), dtype=int))]) == []
    (found,) = scan_columns([TextColumn("log", [f"run {run} of {account}"], np.ones(1, dtype=int))])
    assert found.kind == "iban"


def test_the_scan_shares_no_code_with_the_masking():
    tree = ast.parse(Path(scan.__file__).read_text(encoding="utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    imported |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert not {name for name in imported if name.startswith("ds_pipeline")}
    assert not {name.split(".")[0] for name in imported} & {"presidio_analyzer", "phonenumbers", "regex"}
