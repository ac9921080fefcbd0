"""What is wrong with a file of a use case, in the words of a person who edits YAML."""

from __future__ import annotations

import difflib
import types
from collections.abc import Iterable
from datetime import date
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

Place = tuple[int | str, ...]


def explain(error: ValidationError, model: type[BaseModel]) -> list[str]:
    """Everything pydantic found wrong, as 'key.of.the.value: what to do', each key once."""
    texts: dict[str, str] = {}
    for item in error.errors():
        path, parent, value = _locate(model, item["loc"])
        key = ".".join(path)
        texts.setdefault(key, _text(item, key, parent, value))  # a union says the same once per member
    return list(texts.values())


def suggest(word: str, known: Iterable[str]) -> str:
    """'Did you mean x? ' where a known word is near, else nothing."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return f"Did you mean {near[0]}? " if near else ""


def _text(item: Any, key: str, parent: type[BaseModel] | None, value: Any) -> str:
    kind, context, found = item["type"], item.get("ctx", {}), item.get("input")
    where = f"{key}: " if key else ""
    if kind == "extra_forbidden":
        known = list(parent.model_fields) if parent else []
        name = key.rpartition(".")[2]
        return f"{where}unknown key. {suggest(name, known)}Known: {', '.join(known)}."
    if kind == "missing":
        return f"{where}missing key. Add it{_choices(value)}."
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        name, known = context["discriminator"].strip("'"), _tags(value)
        if kind == "union_tag_not_found":
            return f"{where}the key {name} is missing. Add it; one of: {', '.join(known)}."
        tag = context["tag"]
        return f"{where}unknown {name} {tag!r}. {suggest(tag, known)}Known: {', '.join(known)}."
    if kind == "literal_error":
        known = [str(choice) for choice in get_args(_bare(value))]
        if isinstance(found, bool):
            return f'{where}YAML reads a bare yes, no, on or off as true or false. Put it in quotes, such as "no".'
        return f"{where}unknown value {found!r}. {suggest(str(found), known)}Known: {', '.join(known)}."
    if kind == "value_error":
        return f"{where}{context['error']}."
    if not key and found is None:
        return "the file is empty. configs/retail_lapse has an example of each file."
    if kind == "string_pattern_mismatch":
        shape = "text" if context["pattern"] == r"\S" else "lower-case letters, digits and _, beginning with a letter"
        return f"{where}expected {shape}, found {found!r}."
    if isinstance(found, str | int | float | date) and not kind.endswith(("_type", "_parsing")):
        return f"{where}{item['msg'].replace('Input should', 'must')}, found {found!r}."
    return f"{where}expected {_expected(value, item)}, found {_found(found)}."


def _expected(value: Any, item: Any) -> str:
    names = {str: "text", int: "a whole number", float: "a number", bool: "true or false", date: "a date"}
    members = [names.get(member, "") for member in _members(value)]
    if all(members) and members:
        return " or ".join(members)
    if item["type"] == "list_type":
        return "a list"
    return "keys and values" if item["type"] in ("dict_type", "model_type", "model_attributes_type") else item["msg"]


def _found(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, dict | list):
        return "a list" if isinstance(value, list) else "keys and values"
    kind = {str: "text", bool: "true or false", int: "a whole number", float: "a number", date: "a date"}
    name = kind.get(type(value), "a date with a time")
    hint = ". Put text in quotes" if type(value) is int and value > 59 else ""  # YAML reads 06:00 as 360 minutes
    return f"{name} ({value!r}){hint}" if name != "text" else f"the text {value!r}"


def _choices(value: Any) -> str:
    members = _members(value)
    if members == (bool,):
        return ": true or false"
    choices = [str(choice) for choice in get_args(_bare(value))] if get_origin(_bare(value)) is Literal else []
    return f"; one of: {', '.join(choices)}" if choices else ""


def _locate(model: type[BaseModel], place: Place) -> tuple[list[str], type[BaseModel] | None, Any]:
    """A place in pydantic's words as the keys of the file, the model it lies in, and the declared type of the value.

    Pydantic puts the chosen member of a union into the place; the file has no such key.
    """
    path: list[str] = []
    parent: type[BaseModel] | None = None
    here: Any = model
    for part in place:
        bare = _bare(here)
        if part == "[key]":
            break
        if isinstance(bare, type) and issubclass(bare, BaseModel):
            parent, field = bare, bare.model_fields.get(str(part))
            here = (
                Annotated[field.annotation, *field.metadata] if field and field.metadata else field and field.annotation
            )
        elif get_origin(bare) in (Union, types.UnionType):
            chosen = next((member for member in get_args(bare) if _tag(member) == part), None)
            if chosen is None:
                break
            here = chosen
            continue
        else:
            parent, here = None, (get_args(bare) or (None,))[-1]
        path.append(str(part))
    return path, parent, here


def _bare(kind: Any) -> Any:
    """A type without Annotated and without 'or null'."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) in (Union, types.UnionType):
        members = [member for member in get_args(kind) if member is not type(None)]
        return _bare(members[0]) if len(members) == 1 else kind
    return kind


def _members(kind: Any) -> tuple[Any, ...]:
    bare = _bare(kind)
    return (
        tuple(_bare(member) for member in get_args(bare) if member is not type(None))
        if get_origin(bare) in (Union, types.UnionType)
        else (bare,)
    )


def _tags(kind: Any) -> list[str]:
    return [tag for member in _members(kind) if (tag := _tag(member))]


def _tag(member: Any) -> str | None:
    """The value of the key that chooses a member of a union, such as the name of a metric."""
    fields = getattr(_bare(member), "model_fields", {})
    first = next(iter(fields.values()), None)
    return get_args(first.annotation)[0] if first and get_origin(first.annotation) is Literal else None
