"""Where an address goes on behind a comma or on the next line."""

import pytest

from ds_pipeline.masking.find.place_names import where_places_end


@pytest.mark.parametrize(("text", "place", "whole"), [
    ("1 Elm St, Lagos, Nigeria. Thanks", "1 Elm St", "1 Elm St, Lagos, Nigeria"),
    ("Leeds\nUnited Kingdom\nThe parcel", "Leeds", "Leeds\nUnited Kingdom"),
    ("12 Unity Close, off Airport Road, Ikeja, please", "12 Unity Close", "12 Unity Close, off Airport Road, Ikeja"),
    ("12 unity close, off airport road, lagos", "12 unity close", "12 unity close, off airport road, lagos"),
    ("Malia (Leeds, United States) wrote", "Leeds", "Leeds, United States"),
])  # fmt: skip
def test_a_place_goes_on_with_the_places_behind_it(text: str, place: str, whole: str) -> None:
    start = text.index(place)

    assert text[start : where_places_end(text, (start, start + len(place)))] == whole


@pytest.mark.parametrize("text", [
    "in Leeds, Will said so", "in Leeds, please call", "in Leeds.\nUnited States", "in Leeds, May 3",
    "in Leeds and Paris",
    "in leeds, said the driver",
])  # fmt: skip
def test_a_sentence_goes_on_without_a_place(text: str) -> None:
    start = text.lower().index("leeds")

    assert where_places_end(text, (start, start + 5)) == start + 5
