"""Text as Markdown shows it: cells that do not end a table, and values as a person writes them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def cell(text: object) -> str:
    """One line that does not end a cell of a table."""
    return " ".join(str(text).split()).replace("|", "\\|")


def sentence(text: object) -> str:
    """A cell that ends like a sentence."""
    line = cell(text)
    return line if line.endswith((".", "?", "!")) else f"{line}."


def grid(head: Sequence[object], rows: Iterable[Sequence[object]]) -> str:
    """A table of cells."""
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(map(cell, line))} |\n" for line in lines)


def plain(value: Any) -> str:
    """A value of a YAML file in words: yes and no, digits as declared, a list as its members, null as not declared."""
    if value is None:
        return "not declared"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list):
        return ", ".join(map(plain, value)) or "none"
    if isinstance(value, dict):
        return "; ".join(f"{name}: {plain(one)}" for name, one in value.items()) or "none"
    return str(value)
