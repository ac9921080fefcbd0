"""Every key of requirements.yaml has exactly one reader."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from ds_pipeline.use_case.model import FileModel
from ds_pipeline.use_case.readers import Limit, Read, Reader, at_least, at_most, in_words, keys
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


def in_the_file() -> dict[str, set[Reader]]:
    """The readers of each key of the file, without what is asked of every model."""
    found: dict[str, set[Reader]] = {}
    for key, read in keys(Requirements):
        if not isinstance(read, Limit) or read.limit is None:
            found.setdefault(key, set()).add(read.by)
    return found


def test_every_key_has_a_reader_and_every_reader_a_key() -> None:
    there = set(leaves(Requirements))

    assert {"acceptance.*.metric", "holdout.weeks", "monitoring.psi.warn"} <= there
    assert there - in_the_file().keys() == set()
    assert in_the_file().keys() - there == set()
    assert {key: readers for key, readers in in_the_file().items() if len(readers) != 1} == {}


def test_a_key_that_nothing_reads_or_two_do_is_an_error() -> None:
    class Unread(FileModel):
        limit: int

    class ReadTwice(FileModel):
        limit: Annotated[int, Read("gate", ""), at_most("what is measured", "a_gate")]

    for part, count in ((Unread, 0), (ReadTwice, 2)):
        with pytest.raises(TypeError, match=f"part.limit has {count} readers, expected one on its field"):
            list(keys(part, "part."))


def test_readers_are_known_and_an_owner_is_for_people() -> None:
    assert set.union(*in_the_file().values()) == set(get_args(Reader))
    assert {key for key, readers in in_the_file().items() if readers == {"document"}} == {
        key for key in in_the_file() if key.endswith(".owner")
    }


def test_what_a_gate_says_names_the_keys_beside_it() -> None:
    class Asked(FileModel):
        share: Annotated[float, Read("gate", "")]
        minimum: Annotated[float, at_least("of the first {share!p}, {minimum:g} at least")]

    (_, limit) = dict(keys(Asked)).values()
    assert isinstance(limit, Limit)
    assert in_words(limit.meaning, Asked(share=0.125, minimum=3)) == "of the first 12.5 %, 3 at least"
