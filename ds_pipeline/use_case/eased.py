"""What one requirements.yaml asks of a model less than another did, read off the declarations on its keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel

from ds_pipeline.use_case.model import FileModel
from ds_pipeline.use_case.problem import Text
from ds_pipeline.use_case.readers import Limit, Read, reads
from ds_pipeline.use_case.requirements import Requirements


class Eased(FileModel):
    """One key by which a model is asked less, or another thing under the same name.

    Attributes:
        key: as a path in the file, such as acceptance.calibration.maximum.
        owner: whose threshold it was; of a part that names none, the owner of data_minimums.
        words: what it was and what it is now.
    """

    key: Text
    owner: Text
    words: Text


class _Asked(NamedTuple):
    value: Any
    read: Read
    owner: str

    @property
    def words(self) -> str:
        if self.value is None:
            return "nothing"
        if not isinstance(self.read, Limit):
            return str(self.value)
        return f"{'at least' if self.read.comparison == '>=' else 'at most'} {self.value:g}"


def eased(before: Requirements, after: Requirements) -> list[Eased]:
    """Every gate that is gone, every limit that is easier to keep, and every question that is another one now."""
    earlier, later = (dict(_asked(part, owner=part.data_minimums.owner)) for part in (before, after))
    return [
        Eased(
            key=key,
            owner=asked.owner,
            words=f"{key}: {asked.words} {'is gone' if now is None or now.value is None else f'becomes {now.words}'}",
        )
        for key, asked in earlier.items()
        if _is_eased(asked, now := later.get(key))
    ]


def _is_eased(asked: _Asked, now: _Asked | None) -> bool:
    if now is None:
        return isinstance(asked.read, Limit)  # what lies beside it has gone with its gate
    if asked.value == now.value:
        return False
    if asked.value is None or now.value is None:  # without it the gate beside it asks something else
        return True
    easier = {"less": lambda: now.value < asked.value, "more": lambda: now.value > asked.value}
    return easier[asked.read.eased_by]() if asked.read.eased_by else True


def _asked(part: BaseModel, path: str = "", *, owner: str) -> Iterator[tuple[str, _Asked]]:
    """What a part of the file and all below it ask of a model, by key."""
    owner = getattr(part, "owner", owner)
    for name, declared in reads(type(part)):
        value = getattr(part, name)
        for key, below in value.items() if isinstance(value, dict) else [("", value)]:
            if isinstance(below, BaseModel):
                yield from _asked(below, ".".join(filter(None, (path, name, key))), owner=owner)
        for read in declared:
            if read.refuses and (value is not None or not isinstance(read, Limit)):
                limit = read.limit if isinstance(read, Limit) else None
                yield ".".join(filter(None, (path, name))), _Asked(value if limit is None else limit, read, owner)
