"""Where a name goes on behind a small word."""

import pytest

from ds_pipeline.masking.find.name_parts import where_names_end


def test_a_name_goes_on_behind_a_particle() -> None:
    text = "Pieter van 't Hof y Núñez de parcel"

    assert text[: where_names_end(text, len("Pieter"))] == "Pieter van 't Hof y Núñez"


@pytest.mark.parametrize(
    ("text", "name", "whole"),
    [
        pytest.param("Anna van der Berg, hello", "Anna", "Anna van der Berg", id="two-particles"),
        pytest.param("Kwame wa Ilunga", "Kwame", "Kwame wa Ilunga", id="at-the-end"),
        pytest.param("José de la O’Brien-Cruz!", "José", "José de la O’Brien-Cruz", id="hyphen-and-apostrophe"),
        pytest.param("Anna van de winkel", "Anna", "Anna", id="no-capital-behind-it"),
        pytest.param("Anna Van Berg", "Anna", "Anna", id="particle-with-a-capital"),
        pytest.param("Anna  van Berg", "Anna", "Anna", id="two-blanks"),
        pytest.param("Anna\nvan Berg", "Anna", "Anna", id="another-line"),
        pytest.param("Anna", "Anna", "Anna", id="nothing-behind-it"),
    ],
)
def test_a_particle_links_a_capital_on_the_same_line(text: str, name: str, whole: str) -> None:
    assert text[: where_names_end(text, len(name))] == whole
