import base64
import io
import sqlite3
import zlib
from pathlib import Path

import joblib
import numpy as np
import pytest

from ds_pipeline.boundary.extract import texts_in, texts_in_database
from ds_pipeline.boundary.raw_identifiers import RawColumn, RawIdentifiers
from ds_pipeline.boundary.scan import TextColumn, scan_columns

NAME = "Zarathea Wexcombe"


@pytest.mark.parametrize(
    "held",
    [
        pytest.param({"name": NAME}, id="a-string"),
        pytest.param({NAME: 1}, id="a-key"),
        pytest.param(NAME + " of the long street, in a text of more than forty-eight letters", id="a-long-string"),
        pytest.param("é" * 200 + NAME, id="beyond-ascii"),
        pytest.param(np.array([NAME, "x"]), id="an-array-of-strings"),
        pytest.param(np.array([NAME, "x"], dtype=object), id="an-array-of-objects"),
        pytest.param(NAME.encode(), id="bytes"),
    ],
)
def test_strings_in_a_pickled_model_are_read_without_unpickling(held: object) -> None:
    buffer = io.BytesIO()
    joblib.dump({"weights": np.arange(100.0), "held": held}, buffer)

    texts = texts_in("model.joblib", buffer.getvalue())

    assert any(NAME in text for text in texts)


def test_a_pickled_string_is_cut_at_its_length() -> None:
    """Its length comes before it as a byte, and 48 is also the digit 0."""
    name = NAME.ljust(48, "a")
    buffer = io.BytesIO()
    joblib.dump([name], buffer)

    assert name in texts_in("model.joblib", buffer.getvalue())


@pytest.mark.parametrize(
    "page",
    [
        pytest.param("<p>Zarathea Wexcombe</p>", id="text"),
        pytest.param("<b>Zarathea</b> <i>Wexcombe</i>", id="between-tags"),
        pytest.param("Zara<wbr>thea Wexcombe", id="cut-by-a-tag"),
        pytest.param("<img alt='Zarathea Wexcombe'>", id="attribute"),
        pytest.param("&#90;arathea&#32;Wexcombe", id="entities"),
        pytest.param("<!-- Zarathea Wexcombe -->", id="comment"),
        pytest.param("<script>x = 'Zarathea Wexcombe'</script>", id="script"),
    ],
)
def test_the_text_of_a_page_is_found(page: str) -> None:
    texts = [" ".join(text.split()) for text in texts_in("evaluation.html", page.encode())]

    assert any(NAME in text for text in texts), texts


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("<td>1074</td><td>1072</td>", id="an-id"),
        pytest.param("<td>0608</td> <td>0569</td>", id="a-phone"),
        pytest.param("<td>2032</td> <td>608</td> <td>5690</td>", id="a-phone-by-its-pattern"),
    ],
)
def test_figures_in_cells_side_by_side_make_no_number_of_a_person(row: str) -> None:
    texts = texts_in("backtest.html", f"<table><tr>{row}</tr></table>".encode())
    known = RawIdentifiers.of([RawColumn("id", ["10741072"]), RawColumn("phone", ["0608 0569"])])

    assert not scan_columns([TextColumn("page", texts, np.ones(len(texts), dtype=int))])
    assert known.find_in_texts(texts) == 0


def test_pictures_are_left_out() -> None:
    picture = base64.b64encode(bytes(range(256))).decode()

    texts = texts_in("evaluation.html", f'<img src="data:image/png;base64,{picture}">text'.encode())

    assert not any(picture[:40] in text for text in texts)
    assert "text" in texts


def test_a_document_is_one_text() -> None:
    assert texts_in("decision.json", b'{"a": 1}') == ['{"a": 1}']
    assert texts_in("empty.json", b"") == []


def test_the_values_of_a_database_are_read_once_each_and_unpacked(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "log.db") as database:
        database.execute('create table "odd "" name" (number, body)')
        rows = [(1, "plain"), (2, "plain"), (3, zlib.compress(b"packed")), (4, b"bytes"), (5, None)]
        database.executemany('insert into "odd "" name" values (?, ?)', rows)

    assert sorted(texts_in_database(tmp_path / "log.db")) == ["bytes", "packed", "plain"]


def test_what_is_no_database_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "log.db").write_bytes(b"nothing of the kind" * 100)

    with pytest.raises(sqlite3.Error):
        texts_in_database(tmp_path / "log.db")


def test_letters_that_json_escapes_are_read() -> None:
    found = texts_in(
        "documents/x.json", rb'{"name": "\u00c1lvaro N\u00fa\u00f1ez", "mail": "a\u0040b.org", "x": "\ud83d\ude00"}'
    )

    assert any("Álvaro Núñez" in text and "a@b.org" in text for text in found)
