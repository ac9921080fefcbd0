"""Where a name goes on behind a small word."""

from ds_pipeline.masking.find.name_parts import where_names_end


def test_a_name_goes_on_behind_a_particle() -> None:
    text = "Pieter van 't Hof y Núñez de parcel"

    assert text[: where_names_end(text, len("Pieter"))] == "Pieter van 't Hof y Núñez"
