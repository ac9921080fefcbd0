"""The shape of a source, columns and types, and how it differs from the shape it had before."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pyarrow as pa

from ds_pipeline.use_case.sources import Column

Shape = dict[str, str]  # column to type
PLAIN_NAME = r"[A-Za-z_]\w{0,40}"  # anything else may be a cell of a file without a header row


def kind_of(kind: pa.DataType) -> str:
    """The name of a type without its parts: the field names of a nested one may hold anything."""
    if isinstance(kind, pa.BaseExtensionType):
        return str(getattr(kind, "type_name", kind.extension_name)).partition("<")[0]
    return str(kind).partition("<")[0]


def shape_of(columns: list[tuple[str, pa.DataType]]) -> Shape:
    """The shape of one file or query result; a column whose name may be a cell is called by its position."""
    return {
        name if re.fullmatch(PLAIN_NAME, name) else f"column {number}": kind_of(kind)
        for number, (name, kind) in enumerate(columns, start=1)
    }


def merged(shapes: list[Shape]) -> Shape:
    """The shape of many files: every column of any, with all the types it has."""
    columns = dict.fromkeys(name for shape in shapes for name in shape)
    return {name: " or ".join(sorted({shape[name] for shape in shapes if name in shape})) for name in columns}


def drift_of(before: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """What changed between two shapes, one phrase per kind of change; empty if nothing did."""
    added = [f"{name} ({now[name]})" for name in now if name not in before]
    gone = [f"{name} ({before[name]})" for name in before if name not in now]
    changed = [f"{name} ({before[name]} to {now[name]})" for name in now if before.get(name, now[name]) != now[name]]
    changes = {"added": added, "gone": gone, "changed type": changed}
    return [f"{what}: {', '.join(names)}" for what, names in changes.items() if names]


def is_a_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def fits(kind: pa.DataType, column: Column) -> bool:
    """Whether a physical type can hold the declared one; numbers may come as any kind of number."""
    types = pa.types
    is_number = is_a_number(kind)
    is_time = types.is_timestamp(kind) or types.is_date(kind)
    is_text = types.is_string(kind) or types.is_large_string(kind) or types.is_dictionary(kind)
    fitting = {
        "string": is_text,
        "integer": is_number,
        "decimal": is_number,
        "double": is_number,
        "boolean": types.is_boolean(kind),
        "date": is_time,
        "timestamp": is_time,
    }
    return fitting[column.type] or types.is_null(kind)
