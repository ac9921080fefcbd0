"""What pydantic found wrong, in the words of a person who edits YAML."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError, field_validator

from ds_pipeline.use_case.explain import explain, suggest
from ds_pipeline.use_case.model import FileModel


class Circle(FileModel):
    shape: Literal["circle"]
    radius: Annotated[float, Field(gt=0)]


class Square(FileModel):
    shape: Literal["square"]
    side: int


class Drawing(FileModel):
    name: Annotated[str, Field(pattern=r"\S")]
    day: date | None = None
    size: int | None = None
    is_open: bool = True
    colour: Literal["red", "no"] = "red"
    words: list[str] = Field(default_factory=list)
    limits: dict[str, float] = Field(default_factory=dict)
    shapes: dict[str, Annotated[Circle | Square, Field(discriminator="shape")]] = Field(default_factory=dict)
    key: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")] = "a"

    @field_validator("words")
    @classmethod
    def _is_short(cls, value: list[str]) -> list[str]:
        if len(value) > 2:
            raise ValueError(f"at most 2 words, found {len(value)}")
        return value


def wrong(**values: Any) -> list[str]:
    with pytest.raises(ValidationError) as error:
        Drawing.model_validate({"name": "x"} | values, strict=True)
    return explain(error.value, Drawing)


@pytest.mark.parametrize(
    ("values", "text"),
    [
        pytest.param({"nmae": 1}, "nmae: unknown key. Did you mean name? Known: name, day, ", id="near"),
        pytest.param({"xyz": 1}, "xyz: unknown key. Known: name, day, ", id="far"),
        pytest.param({"shapes": {"a": {"shape": "circle", "radius": 1.0, "x": 1}}},
                     "shapes.a.x: unknown key. Known: shape, radius.", id="in-a-member"),
        pytest.param({"shapes": {"a": {"shape": "circle"}}}, "shapes.a.radius: missing key. Add it.", id="missing"),
        pytest.param({"shapes": {"a": {}}},
                     "shapes.a: the key shape is missing. Add it; one of: circle, square.", id="no-tag"),
        pytest.param({"shapes": {"a": {"shape": "sqare"}}},
                     "shapes.a: unknown shape 'sqare'. Did you mean square? Known: circle, square.", id="other-tag"),
        pytest.param({"colour": "redd"}, "colour: unknown value 'redd'. Did you mean red? Known: red, no.", id="value"),
        pytest.param({"colour": False}, 'colour: YAML reads a bare yes, no, on or off as true or false.', id="bare-no"),
        pytest.param({"words": ["a", "b", "c"]}, "words: at most 2 words, found 3.", id="own-words"),
        pytest.param({"name": " "}, "name: expected text, found ' '.", id="blank"),
        pytest.param({"key": "A b"}, "key: expected lower-case letters, digits and _, beginning with a letter, "
                     "found 'A b'.", id="key"),
        pytest.param({"shapes": {"a": {"shape": "circle", "radius": -1.0}}},
                     "shapes.a.radius: must be greater than 0, found -1.0.", id="limit"),
        pytest.param({"name": 390}, "name: expected text, found a whole number (390). Put text in quotes.", id="time"),
        pytest.param({"name": 12}, "name: expected text, found a whole number (12).", id="number"),
        pytest.param({"name": True}, "name: expected text, found true or false (True).", id="yes"),
        pytest.param({"name": None}, "name: expected text, found nothing.", id="nothing"),
        pytest.param({"name": ["a"]}, "name: expected text, found a list.", id="list"),
        pytest.param({"size": "a"}, "size: expected a whole number, found the text 'a'.", id="or-null"),
        pytest.param({"is_open": "yes"}, "is_open: expected true or false, found the text 'yes'.", id="quoted-yes"),
        pytest.param({"day": datetime(2024, 1, 1, 9)}, "day: expected a date, found a date with a time", id="instant"),
        pytest.param({"words": "a"}, "words: expected a list, found the text 'a'.", id="no-list"),
        pytest.param({"limits": [1]}, "limits: expected keys and values, found a list.", id="no-keys"),
        pytest.param({"limits": {"a": "b"}}, "limits.a: expected a number, found the text 'b'.", id="in-a-dict"),
    ],
)  # fmt: skip
def test_each_fault_is_said_with_its_key_what_is_expected_and_what_is_there(values: dict[str, Any], text: str) -> None:
    (found,) = wrong(**values)

    assert found.startswith(text)
    assert found.endswith(".")


def test_all_that_is_wrong_is_said_in_the_order_of_the_model() -> None:
    found = wrong(size="a", name=3, zzz=1)

    assert [text.split(":")[0] for text in found] == ["name", "size", "zzz"]


def test_a_missing_choice_names_the_choices() -> None:
    class Chosen(FileModel):
        colour: Literal["red", "blue"]
        is_open: bool

    with pytest.raises(ValidationError) as error:
        Chosen.model_validate({})

    assert explain(error.value, Chosen) == [
        "colour: missing key. Add it; one of: red, blue.", "is_open: missing key. Add it: true or false.",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("content", "text"),
    [
        pytest.param(None, "the file is empty. configs/retail_lapse has an example of each file.", id="empty"),
        pytest.param([1], "expected keys and values, found a list.", id="list"),
        pytest.param("a", "expected keys and values, found the text 'a'.", id="text"),
    ],
)
def test_a_file_that_is_no_mapping_is_said_without_a_key(content: Any, text: str) -> None:
    with pytest.raises(ValidationError) as error:
        Drawing.model_validate(content, strict=True)

    assert explain(error.value, Drawing) == [text]


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [("recal", ["recall", "precision"], "Did you mean recall? "), ("x", ["recall"], ""), ("x", [], "")],
)
def test_a_near_word_is_suggested(word: str, known: list[str], said: str) -> None:
    assert suggest(word, known) == said
