"""What every key of requirements.yaml is for, declared on its field: who reads it, and the gate that it sets.

A new gate is a field of requirements.py with at_least or at_most, what measures it under that name in
evaluation/checks/ (a check that is new stands in promotion/judge.py: CHECKS as well), and a test that breaks it, marked
`breaks`. Its check in the UI, its place in report and documents, and that no threshold may have its name, follow.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from string import Formatter
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel

Reader = Literal[
    "gate", "monitor", "budget", "holdout", "bounds", "slices", "baseline", "cost", "cross_validation", "document"
]  # fmt: skip
Comparison = Literal[">=", "<="]


NO_MODEL: frozenset[Reader] = frozenset({"monitor", "budget", "cross_validation", "document"})


@dataclass(frozen=True)
class Read:
    """Who reads a key, and what becomes of it.

    Attributes:
        eased_by: whether a smaller or a larger value asks less of a model; None: any other value asks another thing.
    """

    by: Reader
    effect: str
    eased_by: Literal["less", "more"] | None = field(default=None, kw_only=True)

    @property
    def refuses(self) -> bool:
        """A model may be refused for it: an easier value is agreed with its owner."""
        return self.by not in NO_MODEL


@dataclass(frozen=True)
class Limit(Read):
    """A gate: what the value of the key is held against.

    Attributes:
        meaning: what is measured.
        name: of the gate; empty where the use case gives it.
        limit: where every model is held to the same, so that the file has no key; declared as a ClassVar then.
        fact: what of the evaluation's facts is judged; empty: the measurement of that name.
    """

    comparison: Comparison
    meaning: str
    name: str
    limit: float | None
    fact: str


def _limit(
    comparison: Comparison,
    usual: str,
    meaning: str,
    name: str = "",
    *,
    effect: str = "",
    limit: float | None = None,
    fact: str = "",
) -> Limit:
    eased_by: Literal["less", "more"] = "less" if comparison == ">=" else "more"
    return Limit("gate", effect or usual, comparison, meaning, name, limit, fact, eased_by=eased_by)


at_least = partial(_limit, ">=", "below it a model is refused")
at_most = partial(_limit, "<=", "above it a model is refused")


class _Words(Formatter):
    """Texts over the keys of a part of the file: {seeds} is its value, {share!p} a share as a percentage."""

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        return getattr(args[0], str(key))

    def convert_field(self, value: Any, conversion: str | None) -> Any:
        return f"{100 * value:.4g} %" if conversion == "p" else super().convert_field(value, conversion)


def in_words(text: str, part: BaseModel) -> str:
    """What a declaration on a key of a part of the file says of it."""
    return _Words().format(text, part)


def reads(part: type[BaseModel]) -> Iterator[tuple[str, list[Read]]]:
    """Each name in a part of the file, in its order, with what is declared on it."""
    for name in part.__annotations__ | part.model_fields:
        field = part.model_fields.get(name)
        declared = field.metadata if field else [getattr(part, name, None)]
        yield name, [marker for marker in declared if isinstance(marker, Read)]


def keys(part: type[BaseModel], path: str = "") -> Iterator[tuple[str, Read]]:
    """Every key below a part of the file, with * for a name that the use case gives, and its one reader.

    Raises:
        TypeError: a key has no reader, or several: it would be a promise that nobody keeps, or two.
    """
    for name, declared in reads(part):
        field = part.model_fields.get(name)
        nested = _models(field.annotation) if field else []
        if field and not nested and len(declared) != 1:
            raise TypeError(f"requirements.yaml: {path}{name} has {len(declared)} readers, expected one on its field.")
        yield from ((f"{path}{name}", read) for read in declared)
        below = f"{path}{name}.*." if field and get_origin(field.annotation) is dict else f"{path}{name}."
        for model in nested:
            yield from keys(model, below)


def _models(kind: Any) -> list[type[BaseModel]]:
    """The models that a value of a type may be, or hold."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for part in get_args(kind) for model in _models(part)]
