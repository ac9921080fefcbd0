"""Read the files of a use case into models, collecting everything that is wrong instead of the first thing."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

import yaml
from pydantic import ValidationError

from ds_pipeline.use_case.explain import explain
from ds_pipeline.use_case.model import FileModel

Model = TypeVar("Model", bound=FileModel)


class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML in which a repeated key is an error, not a silent overwrite."""


def _mapping(loader: _StrictLoader, node: yaml.MappingNode) -> dict[Hashable, Any]:
    seen: set[Hashable] = set()
    for key_node, _ in node.value:
        if key_node.tag == "tag:yaml.org,2002:merge":
            continue  # what << takes over may be said anew beside it
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(
                None, None, f"the key {key!r} is not text; put it in quotes", key_node.start_mark
            )
        if key in seen:
            raise yaml.constructor.ConstructorError(None, None, f"the key {key!r} is there twice", key_node.start_mark)
        seen.add(key)
    return loader.construct_mapping(node, deep=True)


_StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_model(content: bytes | None, model: type[Model], *, label: str, problems: list[str]) -> Model | None:
    """The content of a YAML file as a model, or None with what is wrong appended to problems.

    Args:
        label: the file as the user knows it, such as configs/retail_lapse/problem.yaml.
    """
    if content is None:
        return None
    text = decode(content, label=label, problems=problems)
    if text is None:
        return None
    try:
        values = yaml.load(text, _StrictLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark else ""
        reason = getattr(error, "problem", None) or " ".join(str(error).split())
        problems.append(f"{label}{line}: not valid YAML: {reason}.")
        return None
    except (ValueError, RecursionError) as error:  # 2011-02-30 is a date to YAML, and an alias can contain itself
        problems.append(f"{label}: not valid YAML: {error}.")
        return None
    try:
        return model.model_validate(values, strict=True)
    except ValidationError as error:
        problems.extend(f"{label}: {text}" for text in explain(error, model))
        return None


def read_bytes(read_file: Callable[[str], bytes], file: str, *, label: str, problems: list[str]) -> bytes | None:
    """The bytes of a file that must be there, or None with the reason appended to problems."""
    try:
        return read_file(file)
    except (FileNotFoundError, KeyError):
        problems.append(f"{label}: missing. Add the file; configs/retail_lapse has an example of each.")
    except OSError as error:
        problems.append(f"{label}: cannot be read: {error.strerror}.")
    return None


def decode(content: bytes, *, label: str, problems: list[str]) -> str | None:
    """The text of a file, or None with the reason appended to problems."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.append(f"{label}: byte {error.start} is not UTF-8. Save the file as UTF-8.")
        return None
