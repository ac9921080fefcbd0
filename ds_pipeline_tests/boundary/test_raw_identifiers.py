import pandas as pd
import pytest

from ds_pipeline.boundary.raw_identifiers import NEVER, RawColumn, RawIdentifiers
from ds_pipeline.boundary.scan import Finding, text_columns

RAW = RawIdentifiers.of(
    [
        RawColumn("name", ["Zarathea Wexcombe", "Bo Ek", "Ásvaldur O'Brien-Smith", "Anna Li", "unknown", "X"]),
        RawColumn("email", ["zara.wexcombe+x@mail.example.org", "N/A"]),
        RawColumn("phone", ["07700 900123", "+44 20 7946 0958"]),
        RawColumn("id", ["12346", "7100000003", "AB-123-4567", "17850.0"]),
        RawColumn("birth_date", ["1931-02-03", "2010-12-06"]),
    ],
    declared=["United Kingdom", "anna li"],
    clock_from="2010-03-08",
)


def found(text: str) -> list[Finding]:
    return RAW.find_in_columns(text_columns(pd.DataFrame({"note": [text]})))


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param("Zarathea Wexcombe", id="name"),
        pytest.param("  zarathea   WEXCOMBE ", id="case-and-blanks"),
        pytest.param("Ｚａｒａｔｈｅａ Wexcombe", id="full-width"),
        pytest.param("Zara\u200bthea Wexcombe", id="zero-width"),
        pytest.param("Bo Ek", id="short-name-as-a-whole-cell"),
        pytest.param("12346", id="short-number-as-a-whole-cell"),
        pytest.param("17850", id="whole-number-written-as-a-float"),
        pytest.param("Mrs Zarathea Wexcombe, again", id="name-inside"),
        pytest.param("Wexcombe, Zarathea", id="family-name-first"),
        pytest.param("asked ásvaldur o'brien-smith.", id="name-of-many-words"),
        pytest.param('{"to":"zara.wexcombe+x@mail.example.org"}', id="email-inside"),
        pytest.param("tel 07700900123.", id="phone-without-blanks"),
        pytest.param("tel 077-009-001-23", id="phone-grouped-otherwise"),
        pytest.param("customer=7100000003;", id="number-inside"),
        pytest.param("see AB1234567 there", id="number-without-separators"),
        pytest.param("born 1931-02-03", id="birth-date"),
    ],
)
def test_a_raw_value_is_found(cell: str) -> None:
    assert found(cell) == [Finding("note", "raw identifier", 1)]


@pytest.mark.parametrize(
    "cell",
    [
        pytest.param("Bo Ek wrote", id="short-name-inside-a-text"),
        pytest.param("12346 pieces", id="short-number-inside-a-text"),
        pytest.param("Zarathea asked, and so did Mr Wexcombe", id="words-apart"),
        pytest.param("0.7100000003", id="digits-of-a-fraction"),
        pytest.param("71000000031", id="part-of-a-longer-number"),
        pytest.param("unknown", id="placeholder"),
        pytest.param("n/a", id="placeholder-with-a-slash"),
        pytest.param("X", id="one-letter"),
        pytest.param("Anna Li", id="declared-category"),
        pytest.param("2010-12-06", id="birth-date-like-a-scoring-date"),
        pytest.param("abcdefghijklmnopabcdefghijklmnop", id="token"),
        pytest.param("d41d8cd98f00b204e9800998ecf8427e", id="digest"),
        pytest.param("", id="empty"),
    ],
)
def test_what_is_no_raw_value_is_left_alone(cell: str) -> None:
    assert found(cell) == []


def test_values_that_are_not_looked_for_are_counted_with_their_reason() -> None:
    assert RAW.left_out == {
        "placeholders such as unknown": 2,
        "shorter than 2 characters": 1,
        "equal to a declared category": 1,
        "birth dates within the dates of the clock": 1,
    }


def test_cells_are_counted_and_numeric_columns_are_not_looked_at() -> None:
    frame = pd.DataFrame(
        {
            "number": [12346, 12346],
            "code": pd.Categorical(["12346", "12346"]),
            "parts": [["12346", "x"], None],
        }
    )

    assert RAW.find_in_columns(text_columns(frame)) == [
        Finding("code", "raw identifier", 2),
        Finding("parts", "raw identifier", 1),
    ]


def test_texts_of_files_are_counted_by_values_of_eight_characters_and_more() -> None:
    texts = ['{"rows": 12346}', "log: zarathea wexcombe failed", "12346", "Call +44 20 7946 0958"]

    assert RAW.find_in_texts(texts) == 2


def test_a_run_of_words_does_not_reach_into_the_next_text() -> None:
    assert RAW.find_in_texts(["ends with Zarathea", "Wexcombe begins"]) == 0


def test_nothing_is_found_where_nothing_is_known() -> None:
    column = text_columns(pd.DataFrame({"note": ["Zarathea Wexcombe 07700 900123"]}))

    assert RawIdentifiers.of([]).find_in_columns(column) == []


def test_no_value_is_held_and_two_processes_would_not_share_hashes() -> None:
    first, second = (RawIdentifiers.of([RawColumn("name", ["Zarathea Wexcombe"])]) for _ in range(2))

    assert "wexcombe" not in repr(vars(first)).lower()
    assert vars(first)["_cells"].hashes.tolist() != vars(second)["_cells"].hashes.tolist()


def test_a_text_is_known_to_hold_an_identifier_from_the_first_week_on_in_which_one_of_them_was() -> None:
    names = ["Zarathea Wexcombe", "Quillon Thistlewold", "Zarathea Wexcombe"]
    raw = RawIdentifiers.of([RawColumn("name", names, [7, 3, 5]), RawColumn("phone", ["07700 900123"], [9])])
    texts = ["ask Zarathea Wexcombe", "Wexcombe, Zarathea or Quillon Thistlewold", "tel 077-009-001-23", "thanks"]

    assert raw.known_from(texts).tolist() == [5, 3, 9, NEVER]
    assert RAW.known_from(["Bo Ek"]).tolist() == [0]
