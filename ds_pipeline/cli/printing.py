"""What every command prints with: one console, one kind of table, and text that stays what it is."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

console = Console(highlight=False, soft_wrap=True)
complaints = Console(highlight=False, soft_wrap=True, stderr=True)


def table_of(*head: str, right: slice) -> Table:
    """A table without lines, with the columns of the slice to the right."""
    table = Table(*head, box=None, pad_edge=False)
    for column in table.columns[right]:
        column.justify = "right"
    return table


def plain(text: str) -> str:
    """Text that rich does not take for markup."""
    return text.replace("[", r"\[")
