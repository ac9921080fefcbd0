"""Everything that was written for a use case, searched place by place for identifiers and for files open to others.

The checks before each write are in leaks.py; this looks at what lies on the disk, Dagster's own files included.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pc_csv
import pyarrow.parquet as pq

from ds_pipeline.boundary.dagster_home import dagster_home
from ds_pipeline.boundary.extract import DATABASES, texts_in, texts_in_database
from ds_pipeline.boundary.leak_check import (
    Exemption,
    delivered_identifiers,
    leaks_in_table,
    leaks_in_texts,
    look_alikes_of,
    strings_of,
)
from ds_pipeline.boundary.scan import Finding
from ds_pipeline.store.snapshots import WRITING
from ds_pipeline.workbench import Workbench

SAMPLE_ROWS = 200_000  # of one file; a larger one is sampled
SEED = 0
ROWS_AT_ONCE = 1_000_000  # small tables of one place are searched together: a repeated text is then looked at once
WITH_PROJECT = ("dagster.yaml",)  # in DAGSTER_HOME, but comes with the project
SHOWN = 20
HEAD = f"{'place':<26}{'files':>7}{'cells, texts':>14}{'findings':>10}{'open':>8}"
UNREADABLE = "file that cannot be read"
DAGSTER_DATABASES, DAGSTER_LOGS, KEYS, RUN_LOG = "Dagster databases", "Dagster logs", "keys", "log of this run"
DELIVERIES = "deliveries"


@dataclass
class PlaceScan:
    """What was looked at in one place, and what was found.

    Attributes:
        cells: cells of string columns, and texts of files that are no tables.
        sampled: rows looked at and rows there, of the files that were sampled.
        findings: file as it may be shown, and the finding in it.
        open_to_others: files and folders that others than their owner may open.
    """

    place: str
    files: int = 0
    cells: int = 0
    sampled: tuple[int, int] = (0, 0)
    findings: list[tuple[str, Finding]] = field(default_factory=list)
    open_to_others: list[str] = field(default_factory=list)

    @property
    def found(self) -> int:
        """Cells and texts with an identifier."""
        return sum(leak.cells for _, leak in self.findings)

    @property
    def is_clean(self) -> bool:
        return not self.findings and not self.open_to_others


@dataclass(frozen=True)
class WeekScan:
    """The places in which a run has written."""

    places: list[PlaceScan]

    @property
    def cells(self) -> int:
        return sum(scan.cells for scan in self.places)

    @property
    def findings(self) -> list[str]:
        """File, kind and number of each finding."""
        return [f"{file}: {leak.kind} ({leak.cells})" for scan in self.places for file, leak in scan.findings]

    def in_words(self) -> str:
        return f"{self.cells:,} cells and texts in {len(self.places)} places: {len(self.findings) or 'no'} findings"


def scan_written(
    bench: Workbench,
    *,
    marked: Callable[[Path], bool] | None = None,
    on_place: Callable[[PlaceScan], None] = lambda _: None,
) -> list[PlaceScan]:
    """Search every file of the use case, of its reports and deliveries, and of Dagster.

    Args:
        marked: look only at the files for which it is true.
        on_place: is told each place when it is done.

    Raises:
        SourceError: the sources are not there, so nothing can be compared with their identifiers.
    """
    places: dict[str, list[Path]] = {}
    for place, path in _paths(bench):
        if marked is None or marked(path):
            places.setdefault(place, []).append(path)
    scans = []
    for place, paths in places.items():
        scan = PlaceScan(place, open_to_others=[bench.project.shown(path) for path in paths if _is_open(path)])
        files = [path for path in paths if path.is_file()]
        _search(bench, scan, [path for path in files if not _is_left_out(place, path)])
        scan.files = len(files)
        scans.append(scan)
        on_place(scan)
    return scans


def scan_week(bench: Workbench, day: date, *, run: str, log: Sequence[str]) -> WeekScan:
    """Search what a run has written for a scoring date.

    Args:
        run: its id, which marks its files.
        log: what it has said; taken as given, since it may lie in a database elsewhere. Those of Dagster, to which it
            is still writing, are left out.
    """
    marks = {str(day), run}

    def marked(path: Path) -> bool:
        return bool(marks & {*path.parts, path.stem}) and not path.suffix.startswith(DATABASES)  # .db, .db-wal

    scans = scan_written(bench, marked=marked)
    said = PlaceScan(RUN_LOG, files=1, cells=len(log))
    said.findings = [(RUN_LOG, finding) for finding in leaks_in_texts(bench, list(log), place=RUN_LOG)]
    return WeekScan([*scans, said])


def show_place(scan: PlaceScan) -> str:
    """One line of the table that HEAD begins."""
    looked, there = scan.sampled
    sampled = f"  sampled: {looked:,} of {there:,} rows, seed {SEED}" if there else ""
    return f"{scan.place:<26}{scan.files:>7,}{scan.cells:>14,}{scan.found:>10,}{len(scan.open_to_others):>8,}{sampled}"


def show_rest(scans: list[PlaceScan], exempt: list[Exemption]) -> str:
    """What was not compared and why; then what was found and what to do."""
    lines = ["", "Not compared with the raw identifiers:"]
    lines += [f"  {one.place}: {one.what}: {one.reason}" for one in exempt]
    findings = [(file, one) for scan in scans for file, one in scan.findings]
    opened = [path for scan in scans for path in scan.open_to_others]
    if opened:
        lines += ["", f"Open to others than their owner: {len(opened):,} files or folders. Close each: chmod go-rwx"]
        lines += _first(opened)
    if findings:
        lines += ["", "Identifiers were found. Remove the files and what was made from them, and build them again:"]
        lines += _first([f"{file}: {one.column} {one.kind}: {one.cells:,}" for file, one in findings])
    else:
        lines += ["", "No identifier was found."]
    return "\n".join(lines)


def _first(listed: list[str]) -> list[str]:
    more = [f"  and {len(listed) - SHOWN:,} more"] if len(listed) > SHOWN else []
    return [f"  {line}" for line in listed[:SHOWN]] + more


def _paths(bench: Workbench) -> Iterator[tuple[str, Path]]:
    """Every folder and file that was written, with the place it belongs to."""
    project, name = bench.project, bench.use_case.name
    roots = {"reports": project.reports / name, DELIVERIES: project.deliveries / name, KEYS: project.keys}
    for path in _below(bench.datasets.root):
        yield _place_in_store(path.relative_to(bench.datasets.root).parts), path
    for place, root in roots.items():
        yield from ((place, path) for path in _below(root))
    home = dagster_home(project)
    others = [project.store, project.reports, project.deliveries, project.keys]  # someone may have put them below it
    for path in _below(home):
        is_dagsters = path != home and path.relative_to(home).as_posix() not in WITH_PROJECT
        if is_dagsters and not any(path.is_relative_to(other) for other in others):
            yield (DAGSTER_DATABASES if path.suffix in DATABASES else DAGSTER_LOGS), path


def _below(root: Path) -> list[Path]:
    return [root, *sorted(root.rglob("*"))] if root.is_dir() else []


def _place_in_store(parts: tuple[str, ...]) -> str:
    match parts:
        case ("datasets", "masked" | "quarantine" as dataset, table, *_):
            return f"{dataset} {table}"
        case ("datasets", dataset, *_) if dataset not in ("masked", "quarantine"):
            return dataset
        case ("registry", *_):
            return "bundles"
        case (folder, _, *_) if folder != "datasets":
            return folder
    return "root of the store"


def _is_left_out(place: str, path: Path) -> bool:
    """Keys, and half a list: a killed run leaves it, with the numbers that it would have delivered, for a day."""
    return place == KEYS or (place == DELIVERIES and path.name.startswith(WRITING))


def _is_open(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o077) if path.exists() else False


def _search(bench: Workbench, scan: PlaceScan, files: list[Path]) -> None:
    tables: list[tuple[Path, pa.Table]] = []
    for path in files:
        try:
            if path.suffix in (".parquet", ".csv"):
                tables.append((path, _strings_to_search(bench, scan, path)))
            else:
                _search_texts(bench, scan, path)
        except (pa.ArrowException, OSError, sqlite3.Error):  # their messages may quote a cell
            scan.findings.append((bench.project.shown(path), Finding("", UNREADABLE, 1)))
        if sum(table.num_rows for _, table in tables) > ROWS_AT_ONCE:
            _search_tables(bench, scan, tables)
            tables = []
    _search_tables(bench, scan, tables)


def _search_texts(bench: Workbench, scan: PlaceScan, path: Path) -> None:
    # Files of a use case that lie in a bundle keep their place there: a contact may be named in them.
    inside = path.as_posix().partition("/bundle/")[2] or path.name
    texts = texts_in_database(path) if path.suffix in DATABASES else texts_in(path.name, path.read_bytes())
    scan.cells += len(texts)
    scan.findings += [(bench.project.shown(path), leak) for leak in leaks_in_texts(bench, texts, place=inside)]


def _strings_to_search(bench: Workbench, scan: PlaceScan, path: Path) -> pa.Table:
    """The string columns of a table, without those that are delivered; of a large one, sampled rows."""
    table = _read_list(bench, path) if path.suffix == ".csv" else pq.read_table(path, partitioning=None)
    views = {pa.string_view(): pa.string(), pa.binary_view(): pa.binary()}  # pandas cannot compare views
    table = table.cast(pa.schema([field.with_type(views.get(field.type, field.type)) for field in table.schema]))
    if scan.place == DELIVERIES:
        table = table.drop_columns([name for name in delivered_identifiers(bench) if name in table.column_names])
    rows, table = table.num_rows, strings_of(table)
    if rows > SAMPLE_ROWS:
        chosen = np.sort(np.random.default_rng(SEED).choice(rows, SAMPLE_ROWS, replace=False))
        table = table.take(chosen)
        scan.sampled = (scan.sampled[0] + SAMPLE_ROWS, scan.sampled[1] + rows)
    scan.cells += table.num_rows * table.num_columns
    return table


def _read_list(bench: Workbench, path: Path) -> pa.Table:
    """A delivered CSV file; what the contract does not call a number is text, so that 07700900123 stays one."""
    contract = bench.use_case.contract.columns
    with pc_csv.open_csv(path) as file:
        texts = [name for name in file.schema.names if name not in contract or contract[name].type == "string"]
    return pc_csv.read_csv(path, convert_options=pc_csv.ConvertOptions(column_types=dict.fromkeys(texts, pa.string())))


def _search_tables(bench: Workbench, scan: PlaceScan, tables: list[tuple[Path, pa.Table]]) -> None:
    """Search tables together; only if there is a finding, one by one, to name the file."""
    sources = bench.use_case.sources.tables
    declared = sources.get(scan.place.partition(" ")[2])
    look_alikes = look_alikes_of(declared) if declared else {}
    frames = [table.to_pandas(types_mapper=pd.ArrowDtype) for _, table in tables if table.num_columns]
    if not frames or not leaks_in_table(bench, pd.concat(frames, ignore_index=True), look_alikes=look_alikes):
        return
    for path, table in tables:
        leaks = leaks_in_table(bench, table, look_alikes=look_alikes)
        scan.findings += [(bench.project.shown(path), leak) for leak in leaks]
