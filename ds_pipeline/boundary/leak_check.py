"""The leak check on everything that is written: no identifier by its pattern, and none of the input by its value.

The raw identifiers of the current sources are read once per process and held as keyed hashes, in memory only.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.boundary.extract import texts_in
from ds_pipeline.boundary.raw_identifiers import KIND, RawColumn, RawIdentifiers
from ds_pipeline.boundary.scan import Finding, TextColumn, scan_columns, text_columns
from ds_pipeline.clock import WEEK
from ds_pipeline.digests import digest_json
from ds_pipeline.errors import ConfigError, LeakError, SourceError
from ds_pipeline.ingestion.ingest import known_weeks
from ds_pipeline.ingestion.read import read_source, source_digest
from ds_pipeline.masking.columns.treatments import TEN_YEARS
from ds_pipeline.registry.documents import Document, Documents
from ds_pipeline.store.snapshots import WRITING, Cut, Snapshot, Store
from ds_pipeline.use_case.sources import Column, Table
from ds_pipeline.use_case.sql import masked_schema
from ds_pipeline.workbench import Workbench

OWN_FILES = "use_case/"  # in a bundle: the files of the use case, written by people
A_YEAR = 52 * WEEK
NUMERIC = "numeric: a number cannot be told from an identifier"
_known: dict[str, RawIdentifiers] = {}  # the last one only, by the state of the sources and what is declared of them


@dataclass(frozen=True, order=True)
class Exemption:
    """Columns of a place that are not compared, or values that are not looked for, and why."""

    place: str
    what: str
    reason: str


def raw_identifiers(bench: Workbench) -> RawIdentifiers:
    """The identifiers of the sources as they are now, as hashes; read again only when a source has changed.

    Raises:
        SourceError: a source is missing or has another shape; nothing can be compared, so nothing is written.
    """
    sources, (declared, clock_from) = bench.use_case.sources, _public(bench)
    try:
        states = [_state(bench, name) for name in sources.tables]
        key = digest_json(
            [states, sources.model_dump(mode="json"), sorted(declared), clock_from, bench.use_case.clock.time_zone]
        )
        if key not in _known:
            columns = [column for _, column in _raw_columns(bench)]
            _known.clear()
            _known[key] = RawIdentifiers.of(columns, declared=declared, clock_from=clock_from)
        return _known[key]
    except SourceError as error:
        raise SourceError(
            f"{error} Whatever is written is first compared with the identifiers of the sources, so nothing can be "
            "written without them."
        ) from None


def require_clean_table(
    bench: Workbench, table: pa.Table | pd.DataFrame, *, where: str, look_alikes: Mapping[str, str] | None = None
) -> None:
    """Raise LeakError if a string column of a table that is to be written holds an identifier.

    Args:
        look_alikes: columns that are not compared with the raw identifiers, from `look_alikes_of`.
    """
    findings = leaks_in_table(bench, table, look_alikes=look_alikes)
    if findings:
        texts = {column.name: column.texts for column in text_columns(_strings(table))}
        raise _leak(bench, findings, texts, where=where, part="column")


def require_clean_files(bench: Workbench, files: Mapping[str, bytes], *, where: str) -> None:
    """Raise LeakError if a file that is to be written holds an identifier: a page, a document, a pickled model."""
    texts = {name: texts_in(name, content) for name, content in files.items()}
    findings = [finding for name in files for finding in leaks_in_texts(bench, texts[name], place=name)]
    if findings:
        raise _leak(bench, findings, texts, where=where, part="file")


def leaks_in_table(
    bench: Workbench, table: pa.Table | pd.DataFrame, *, look_alikes: Mapping[str, str] | None = None
) -> list[Finding]:
    """The findings of both checks in the string columns of a table."""
    columns = list(text_columns(_strings(table)))
    compared = [column for column in columns if column.name not in (look_alikes or {})]
    return scan_columns(columns) + raw_identifiers(bench).find_in_columns(compared)


def leaks_in_texts(bench: Workbench, texts: list[str], *, place: str) -> list[Finding]:
    """The findings of both checks in texts; in files of the use case a contact's address is allowed."""
    column = TextColumn(place, texts, np.ones(len(texts), dtype=int))
    findings = [] if place.startswith(OWN_FILES) else scan_columns([column])
    hits = raw_identifiers(bench).find_in_texts(texts)
    return findings + ([Finding(place, KIND, hits)] if hits else [])


def require_clean_reason(bench: Workbench, reason: str) -> None:
    """Raise ConfigError if a reason, which is signed and kept for good, holds an identifier."""
    if leaks_in_texts(bench, [reason], place="--reason"):
        raise ConfigError(
            "--reason: an identifier was found in it. It is kept for good and cannot be taken back: say why without "
            "a name, a number or an address."
        )


def strings_of(table: pa.Table) -> pa.Table:
    """The columns of a table that can hold text; others cannot be told from identifiers."""
    return table.select([field.name for field in table.schema if _holds_text(field.type)])


def look_alikes_of(table: Table) -> dict[str, str]:
    """The columns whose values may equal an identifier without being one, by alias, with the declared reason."""
    return {alias: column.scan_exempt for alias, column in table.kept.items() if column.scan_exempt is not None}


def exemptions(bench: Workbench) -> list[Exemption]:
    """Everything that the comparison with the raw identifiers leaves out, with the reason."""
    case, left = bench.use_case, list[Exemption]()
    for name, table in case.sources.tables.items():
        numeric = [field.name for field in masked_schema(table) if not _holds_text(field.type)]
        left += [Exemption(f"masked {name}", ", ".join(numeric), NUMERIC)] if numeric else []
        left += [Exemption(f"masked {name}", alias, reason) for alias, reason in look_alikes_of(table).items()]
    numeric = [name for name, feature in case.features.features.items() if not feature.holds_text]
    left += [Exemption("features", ", ".join(numeric), NUMERIC)] if numeric else []
    left += [
        Exemption("deliveries", name, f"the contract delivers it to {case.contract.consumer}")
        for name in delivered_identifiers(bench)
    ]
    left.append(Exemption("deliveries", f"{WRITING}*", "half a list, of a run that was killed; it goes a day later"))
    left_out = raw_identifiers(bench).left_out
    left += [Exemption("everywhere", f"{n:,} raw values", reason) for reason, n in sorted(left_out.items())]
    return [*left, Exemption("bundles", OWN_FILES, "written by people: a contact may be named, a raw value may not")]


def delivered_identifiers(bench: Workbench) -> list[str]:
    """The columns of the delivered list that the contract flags as identifying."""
    return [name for name, column in bench.use_case.contract.columns.items() if column.is_pii]


def guarded(bench: Workbench) -> Workbench:
    """The same workbench, whose datasets and documents are checked before they are written."""
    datasets = copy(bench.datasets)
    datasets.store = _GuardedStore(bench)
    return replace(bench, datasets=datasets, documents=_GuardedDocuments(bench))


class _GuardedStore(Store):
    def __init__(self, bench: Workbench) -> None:
        store = bench.datasets.store
        super().__init__(store.root, store.keys, use_case=store.use_case, prepare=store.prepare, final=store.final)
        self._bench = bench

    def put_all(
        self,
        made: Mapping[str, tuple[pa.Table, dict[str, Any]]],
        *,
        dataset: str,
        once: bool = False,
        cut: Cut | None = None,
    ) -> dict[str, Snapshot]:
        for partition, (table, _) in made.items():
            require_clean_table(self._bench, table, where=f"{dataset.partition('/')[0]} of {partition}")
        return super().put_all(made, dataset=dataset, once=once, cut=cut)


class _GuardedDocuments(Documents):
    def __init__(self, bench: Workbench) -> None:
        super().__init__(bench.documents.root, bench.keys, use_case=bench.use_case.name)
        self._bench = bench

    def put(self, files: Mapping[str, bytes], *, kind: str, day: date) -> Document:
        require_clean_files(self._bench, files, where=f"{kind} of {day}")
        return super().put(files, kind=kind, day=day)


def _state(bench: Workbench, name: str) -> list[Any]:
    """What changes when a source does; its digest takes seconds on a large one, and this is asked at each write."""
    table = bench.use_case.sources.tables[name]
    path = bench.project.root / table.path
    if not path.is_file():
        return [source_digest(table, name=name, project=bench.project.root)]  # it raises
    state = path.stat()
    return [str(path), state.st_ino, state.st_size, state.st_mtime_ns]


def _raw_columns(bench: Workbench) -> Iterator[tuple[str, RawColumn]]:
    """The columns of the sources that identify, by table.column."""
    for name, table in bench.use_case.sources.tables.items():
        secret = {source: column for source, column in table.columns.items() if _is_secret(column)}
        if secret:
            raw = read_source(table, name=name, project=bench.project.root)
            weeks = pa.array(known_weeks(raw, table, clock=bench.use_case.clock))
            for source, column in secret.items():
                yield f"{name}.{source}", RawColumn(str(column.held), *_values(raw[source], weeks))


def _is_secret(column: Column) -> bool:
    """Whether a value names a person by itself; a postcode is shared, and what is kept is no secret."""
    return column.held not in (None, "postcode") and column.treatment != "keep"


def _values(column: pa.ChunkedArray, weeks: pa.Array) -> tuple[list[str], list[int]]:
    """The distinct values of a raw column as text, and the first week of each; numbers as digits, dates in ISO form."""
    cells = column.combine_chunks()
    if pa.types.is_dictionary(cells.type):
        cells = cells.dictionary_decode()
    first = pa.table({"value": cells, "week": weeks}).group_by("value").aggregate([("week", "min")])
    first = first.filter(pc.is_valid(first["value"]))
    values, known = first["value"], first["week_min"].to_pylist()
    if pa.types.is_temporal(values.type):
        return pc.strftime(values.cast(pa.timestamp("s"), safe=False), format="%Y-%m-%d").to_pylist(), known
    texts = [
        str(int(cell)) if not isinstance(cell, str) and cell % 1 == 0 else str(cell) for cell in values.to_pylist()
    ]
    return texts, known


def _public(bench: Workbench) -> tuple[set[str], str]:
    """What is no secret: categories, and bands of ages, which say 40-49 as a row number may; and dates from when on."""
    case = bench.use_case
    columns = [column for table in case.sources.tables.values() for column in table.columns.values()]
    lists = [column.categories for column in columns]
    lists += [_band_labels(column.bands or TEN_YEARS) for column in columns if column.treatment == "band"]
    lists += [feature.categories for feature in case.features.features.values()]
    declared = {value for values in lists for value in values or []}
    return declared, str(case.problem.clock.first - A_YEAR)


def _band_labels(starts: Sequence[int]) -> list[str]:
    """The values of a column of age bands, as masking/columns/treatments.py writes them."""
    lows = [0, *starts]
    return [*(f"{low}-{above - 1}" for low, above in pairwise(lows)), f"{lows[-1]}+"]


def _leak(
    bench: Workbench, findings: list[Finding], texts: Mapping[str, list[str]], *, where: str, part: str
) -> LeakError:
    """The refusal, with what to do about it: the raw columns whose values were found, and what helps against them.

    Args:
        texts: of each part in which something was found.
    """
    counts = "cells" if part == "column" else "texts"
    found = "; ".join(f"{part} '{leak.column}', {leak.kind}: {leak.cells} {counts}" for leak in findings)
    advice = [
        f"{where}: expected no identifier behind the PII boundary, found {found}. Nothing was written.",
        "Declare a stricter treatment in sources.yaml for the column it comes from: drop, or, with identifies: direct, "
        "redact or token.",
    ]
    equal = [leak.column for leak in findings if leak.kind == KIND]
    raw = raw_columns_in(bench, [text for name in equal for text in texts[name]], whole=part == "column")
    if raw:
        names, tables = " and ".join(raw), bench.use_case.sources.tables.values()
        kept = [pair for table in tables for pair in table.kept.items()]
        can_be_exempt = {alias for alias, column in kept if column.identifies == "no"}  # others refuse scan_exempt
        or_exempt = f"; or declare scan_exempt for {' and '.join(equal)}, with the reason"
        advice.append(
            f"What was found are values of {names}. Where they only happen to be equal: if {names} names nobody, as "
            'the number of a row, declare it identifies: "no" and treatment: drop'
            f"{or_exempt if part == 'column' and can_be_exempt.issuperset(equal) else ''}."
        )
    return LeakError(" ".join(advice))


def raw_columns_in(bench: Workbench, texts: list[str], *, whole: bool) -> list[str]:
    """The raw columns, as table.column, whose values are in texts; they are read again, for a run that ends here."""
    (declared, clock_from), names = _public(bench), []
    for name, column in _raw_columns(bench) if texts else ():
        known = RawIdentifiers.of([column], declared=declared, clock_from=clock_from)
        if known.texts_with_identifiers(texts).any() if whole else known.find_in_texts(texts):
            names.append(name)
    return names


def _strings(table: pa.Table | pd.DataFrame) -> pd.DataFrame:
    return strings_of(table).to_pandas(types_mapper=pd.ArrowDtype) if isinstance(table, pa.Table) else table


def _holds_text(kind: pa.DataType) -> bool:
    types = pa.types
    return not (
        types.is_integer(kind)
        or types.is_floating(kind)
        or types.is_decimal(kind)
        or types.is_boolean(kind)
        or types.is_temporal(kind)
        or types.is_null(kind)
    )
