"""Text as Markdown shows it: what a YAML file says is shown sign by sign, and values as a person writes them.

A text of a use case is no Markdown: a bar would end a cell, a backtick open code, < HTML and [ a link. What is Markdown
already is Marked, and left alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

# What Markdown reads as a mark; an underscore inside a word is none.
MARKS = re.compile(r"[\\`*\[\]|~]|(?<![^\W_])_|_(?![^\W_])")
# What begins a heading, a list or a quotation, or makes a heading of what stands above.
LEADING = re.compile(r"^(\d*)(?=[.)](?:\s|$)|[-+=#]+(?:\s|$)|>)")


class Marked(str):
    """Text that is Markdown already."""


def cell(text: object) -> Marked:
    """One line that shows the signs of a text, in a cell of a table as well."""
    if isinstance(text, Marked):
        return text
    line = MARKS.sub(r"\\\g<0>", " ".join(str(text).split()))
    return Marked(LEADING.sub(r"\1\\", _without_html(line)))


def code(name: object) -> Marked:
    """A name as code, of one line; backticks in it stay inside."""
    line = " ".join(str(name).split()).replace("|", "\\|")
    fence = "`" * (max((len(run) for run in re.findall("`+", line)), default=0) + 1)
    pad = " " if "`" in line else ""
    return Marked(f"{fence}{pad}{line}{pad}{fence}")


def prose(text: str) -> Marked:
    """Paragraphs, which may have lists and code in backticks; no headings, links, tables or HTML."""
    lines = [re.sub(r"^(\s*)(?=#|>|```|~~~|[-=]+\s*$)", r"\1\\", line) for line in text.strip().splitlines()]
    return Marked("\n".join(re.sub(r"[\[\]|]", r"\\\g<0>", _without_html(line)) for line in lines))


def _without_html(line: str) -> str:
    return line.replace("&", "&amp;").replace("<", "&lt;")


def sentence(text: object) -> Marked:
    """A cell that ends like a sentence."""
    line = cell(text)
    return line if line.endswith((".", "?", "!")) else Marked(f"{line}.")


def grid(head: Sequence[object], rows: Iterable[Sequence[object]]) -> Marked:
    """A table of cells."""
    lines = [head, [Marked("---")] * len(head), *rows]
    return Marked("".join(f"| {' | '.join(map(cell, line))} |\n" for line in lines))


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
