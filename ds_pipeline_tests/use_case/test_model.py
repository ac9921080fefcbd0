"""What is read from a file cannot be changed in memory, at any depth."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from ds_pipeline.use_case.model import FileModel, FrozenDict, FrozenList


class Inner(FileModel):
    words: list[str]


class Outer(FileModel):
    by_name: dict[str, Inner]
    share: float = 0.5


def read() -> Outer:
    return Outer.model_validate({"by_name": {"a": {"words": ["x", "y"]}}})


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda found: found.by_name["a"].words.append("z"), id="append"),
        pytest.param(lambda found: found.by_name["a"].words.sort(), id="sort"),
        pytest.param(lambda found: found.by_name["a"].words.__setitem__(0, "z"), id="item"),
        pytest.param(lambda found: found.by_name["a"].words.__iadd__(["z"]), id="plus"),
        pytest.param(lambda found: found.by_name["a"].words.__imul__(2), id="times"),
        pytest.param(lambda found: found.by_name["a"].words.__delitem__(0), id="delete"),
        pytest.param(lambda found: found.by_name.update({}), id="update"),
        pytest.param(lambda found: found.by_name.setdefault("b", None), id="setdefault"),
        pytest.param(lambda found: found.by_name.__ior__({}), id="or"),
        pytest.param(lambda found: found.by_name.popitem(), id="popitem"),
        pytest.param(lambda found: found.by_name.clear(), id="clear"),
    ],
)
def test_lists_and_keys_refuse_every_change(change: Callable[[Outer], Any]) -> None:
    found = read()

    with pytest.raises(TypeError, match="is frozen: a use case is changed in its files"):
        change(found)

    assert found == read()


def test_a_field_cannot_be_set() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        read().share = 0.1  # type: ignore[misc]


def test_for_who_asks_they_are_a_list_and_a_dict() -> None:
    found = read()

    assert isinstance(found.by_name, dict)
    assert found.by_name["a"].words == ["x", "y"]
    assert found.model_dump() == {"by_name": {"a": {"words": ["x", "y"]}}, "share": 0.5}


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda value: pickle.loads(pickle.dumps(value))])
def test_copies_are_equal_and_as_frozen(copied: Callable[[Any], Any]) -> None:
    again = copied(read())

    assert again == read()
    with pytest.raises(TypeError, match="frozen"):
        again.by_name["a"].words.append("z")


@pytest.mark.parametrize("value", [FrozenDict(a=1), FrozenList([1, 2])], ids=["dict", "list"])
def test_a_frozen_value_by_itself_survives_another_process(value: Any) -> None:
    again = pickle.loads(pickle.dumps(value))

    assert (again, type(again)) == (value, type(value))


@pytest.mark.parametrize(
    "values",
    [
        pytest.param({"by_name": {}, "shar": 0.1}, id="unknown-key"),
        pytest.param({"by_name": {}, "share": float("nan")}, id="nan"),
        pytest.param({"by_name": {}, "share": float("inf")}, id="infinity"),
    ],
)
def test_unknown_keys_and_numbers_that_are_none_are_refused(values: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Outer.model_validate(values)
