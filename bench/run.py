"""Ours beside what a user would otherwise write, on the same data: make bench, or python bench/run.py --help

A pair is a module of pairs/:

    SIZES                 what each size asks for, by its name; 'rounds' is how often each side runs
    prepare(folder, size) lays down the data that all sides read
    SIDES                 what runs, by name: side(folder, size) opens what is not timed, and returns the work that is
    ALONE                 sides whose answers are not compared, since they work on other data
    answer(made)          what a side made, as a table that is the same for every side
    EXACT                 up to which relative difference floats are the same; all else is compared exactly
    lines(runs, size)     what is compared, beside its target

Each run of a side is a process of its own, which works on tiny data first. Sides take turns, every second time from the
last to the first, and the fastest run of each counts: other work on the machine only makes one slower. In brackets are
the seconds of the processor, of all cores together, which other work lengthens less.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer
from comparing import Line, Run, Runs, Size
from one_run import DATA, EQUAL, PREPARE, WARM, load
from rich.console import Console
from rich.table import Table

PAIRS = ("features", "masking", "scoring", "training", "gates", "main_job")
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
console = Console(width=150, highlight=False)


def compare(name: str, size: Size, folder: Path) -> list[Line]:
    """The lines of a pair, after all its sides were found to have the same answer."""
    runs = measure(name, size, folder)
    return list(load(name).lines(runs, size))


def measure(name: str, size: Size, folder: Path) -> Runs:
    """Each side as often as the size says; one that lacks a package is left out."""
    for part in (WARM, DATA):
        (folder / part).mkdir()
    _child(name, PREPARE, folder, size)
    found: dict[str, list[Run]] = {}
    sides = list(load(name).SIDES)
    for turn in range(size["rounds"]):
        for side in sides if turn % 2 == 0 else reversed(sides):
            run = _child(name, side, folder, size)
            if run is not None:
                found.setdefault(side, []).append(run)
    _child(name, EQUAL, folder, size)
    return {
        side: Run(min(one.seconds for one in of), min(one.processor for one in of), max(one.mb for one in of))
        for side, of in found.items()
    }


def _child(name: str, side: str, folder: Path, size: Size) -> Run | None:
    """What a process of its own took, the processes it waited for included; None where it said nothing."""
    command = [sys.executable, str(Path(__file__).with_name("one_run.py")), name, side, str(folder), json.dumps(size)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    said = process.stdout.read().decode().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"bench: {name}: {side} failed; what it said is above")
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return Run(*map(float, said[-1].split()), usage.ru_maxrss / unit) if said else None


@app.command()
def main(
    names: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(PAIRS)}; all where none is named.")] = None,
    size: Annotated[str, typer.Option(help="tiny, default or full.")] = "default",
    change: Annotated[list[str] | None, typer.Option("--set", help="A part of the size, such as rounds=1.")] = None,
    out: Annotated[Path, typer.Option("--json", help="Where the figures go.")] = Path("data/bench.json"),
) -> None:
    """Measure the pairs, print one table, and write it as JSON; exit code 1 where a target is missed."""
    changes = {key: int(value) for key, value in (one.split("=") for one in change or [])}
    found: list[dict[str, Any]] = []
    table = Table("pair", "ours", "the other", "ratio", "target", "", title=f"Size: {size}", title_justify="left")
    for name in names or PAIRS:
        sizes = load(name).SIZES[size]
        asked = sizes | {key: value for key, value in changes.items() if key in sizes}
        with tempfile.TemporaryDirectory(prefix="bench-") as folder:
            lines = compare(name, asked, Path(folder))
        for line in lines:
            verdict = "" if line.limit is None else "[red]missed[/]" if line.is_missed else "[green]met[/]"
            value = line.form.format(line.value)
            table.add_row(f"{name}: {line.what}", line.ours, line.other, value, line.target, verdict)
            found.append({"pair": name, "size": asked, **line._asdict(), "is_missed": line.is_missed})
    console.print(table)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    raise typer.Exit(any(line["is_missed"] for line in found))


if __name__ == "__main__":
    app()
