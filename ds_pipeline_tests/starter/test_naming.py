"""Names that may be the cells of a person are not said."""

from __future__ import annotations

from collections.abc import Sequence

from ds_pipeline.starter.naming import shown_names


def look(texts: Sequence[str]) -> list[dict[str, float]]:
    """A stand-in for the text engine, which takes some words of a header for people."""
    people = ("Marta Kowalczyk", "contactval", "marta")
    return [{"EMAIL": 1.0} if "@" in text else {"PERSON": 1.0} if text in people else {} for text in texts]


def test_a_name_that_may_be_a_cell_is_called_by_its_position() -> None:
    found = shown_names(["customer_id", "Marta Kowalczyk", "Größe", "mail"], look)

    assert list(found.by_name.values()) == ["customer_id", "column 2", "Größe", "mail"]
    assert not found.may_lack_header
    assert (found.meant("column 2"), found.meant("mail")) == ("Marta Kowalczyk", "mail")


def test_a_name_of_several_words_is_said_where_the_engine_has_read_it_and_no_name_is_a_value() -> None:
    assert shown_names(["Order ID", "Joined on"], look).listed(["Order ID"]) == "Order ID"
    assert shown_names(["Order ID", "Joined on"]).listed(["Order ID"]) == "column 1"
    assert shown_names(["Order ID", "2024-01-01", "b", "c"], look).listed(["Order ID"]) == "column 1"


def test_the_first_row_of_a_file_without_header_is_not_said_at_all() -> None:
    """`new` answered a wrong --entity with the name, address and date of the first customer."""
    found = shown_names(["Marta Kowalczyk", "marta@example.org", "2024-01-01", "12,50", "gold"], look)

    assert set(found.by_name.values()) == {f"column {number}" for number in range(1, 6)}
    assert found.lacks_header
    assert "is there a header row?" in found.hint


def test_a_word_that_may_be_a_name_is_hidden_only_beside_values() -> None:
    assert shown_names(["customer_id", "contactval"], look).listed(["contactval"]) == "contactval"
    assert shown_names(["a", "b", "c", "marta", "2024-01-01"], look).listed(["marta"]) == "column 4"
