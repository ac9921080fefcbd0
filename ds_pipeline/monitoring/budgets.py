"""Budgets: what a run took, held against what the requirements allow."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ds_pipeline.use_case.requirements import Budgets

GIGABYTE = 1e9


@dataclass(frozen=True)
class Spent:
    """One budget: what was used of what is allowed, in the same unit."""

    name: str
    used: float
    allowed: float

    @property
    def is_kept(self) -> bool:
        return self.used <= self.allowed

    @property
    def in_words(self) -> str:
        return f"{self.name} {self.used:.2f} of {self.allowed:g}"


def check_budgets(budgets: Budgets, *, minutes: float, folder: Path) -> list[Spent]:
    """Time of the run and disk below the folder of the use case, against their budgets."""
    stored = 0
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # another run may finish writing, or remove, a file meanwhile
            stored += path.stat().st_size if path.is_file() else 0
    return [
        Spent("run_minutes", minutes, budgets.run_minutes),
        Spent("disk_gb", stored / GIGABYTE, budgets.disk_gb),
    ]
