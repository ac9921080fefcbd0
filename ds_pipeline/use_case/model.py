"""The base of every model of a use case file: frozen through and through, and unknown keys are refused."""

from __future__ import annotations

from typing import Any, NoReturn

from pydantic import BaseModel, ConfigDict, field_validator


def _refuse(self: Any, *_: Any, **__: Any) -> NoReturn:
    raise TypeError(f"{type(self).__name__} is frozen: a use case is changed in its files, not in memory")


class FrozenDict(dict[Any, Any]):
    """A dict that cannot be changed; for every library that asks, it is a dict."""

    __setitem__ = __delitem__ = __ior__ = update = setdefault = pop = popitem = clear = _refuse  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenDict, (dict(self),)


class FrozenList(list[Any]):
    """A list that cannot be changed; for every library that asks, it is a list."""

    __setitem__ = __delitem__ = __iadd__ = __imul__ = append = extend = insert = _refuse  # type: ignore[assignment]
    remove = pop = clear = sort = reverse = _refuse  # type: ignore[assignment]

    def __reduce__(self) -> tuple[Any, ...]:
        return FrozenList, (list(self),)


class FileModel(BaseModel):
    """A part of a YAML file: typed, frozen, and a key that nobody reads is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @field_validator("*", mode="after")
    @classmethod
    def _is_frozen(cls, value: Any) -> Any:
        if type(value) is dict:
            return FrozenDict(value)
        return FrozenList(value) if type(value) is list else value
