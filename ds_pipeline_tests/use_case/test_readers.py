"""Every key of requirements.yaml has exactly one reader."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from ds_pipeline.use_case.readers import READERS, Reader
from ds_pipeline.use_case.requirements import Requirements


def leaves(kind: Any, path: str = "") -> Iterator[str]:
    """The keys of a model that hold values, with * for a key that the use case names."""
    origin = get_origin(kind)
    if origin is Annotated:
        yield from leaves(get_args(kind)[0], path)
    elif origin in (Union, UnionType):
        for member in set(get_args(kind)) - {type(None)}:
            yield from leaves(member, path)
    elif origin is dict:
        yield from leaves(get_args(kind)[1], f"{path}.*")
    elif isinstance(kind, type) and issubclass(kind, BaseModel):
        for name, field in kind.model_fields.items():
            yield from leaves(field.annotation, f"{path}.{name}")
    else:
        yield path.removeprefix(".")


def test_every_key_has_a_reader_and_every_reader_a_key() -> None:
    keys = set(leaves(Requirements))

    assert {"acceptance.*.metric", "holdout.weeks", "monitoring.psi.warn"} <= keys
    assert keys - READERS.keys() == set()
    assert READERS.keys() - keys == set()


def test_readers_are_known_and_an_owner_is_for_people() -> None:
    assert set(READERS.values()) == set(get_args(Reader))
    assert {key for key, reader in READERS.items() if reader == "document"} == {
        key for key in READERS if key.endswith(".owner")
    }
