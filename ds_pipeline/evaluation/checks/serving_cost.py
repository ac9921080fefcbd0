"""What serving the candidate takes, measured as it would be served: in a process that has done nothing else."""

from __future__ import annotations

import io
import resource
import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

import joblib
import pandas as pd
import pyarrow as pa

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.measure.measurement import Measurement, gauge
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.model.fresh import call_fresh
from ds_pipeline.model.predict import predict
from ds_pipeline.use_case.contract import Contract
from ds_pipeline.use_case.features import FeatureSet

MEGABYTE = 1e6
PROMISED = {
    "string": pa.types.is_string,
    "integer": pa.types.is_int64,
    "double": pa.types.is_float64,
    "date": pa.types.is_date32,
}


class Served(NamedTuple):
    """What one process took: to verify and load, to score, and memory at its peak."""

    load_seconds: float
    score_seconds: float
    peak_bytes: int


class Operations(Record):
    """What serving takes; timings are of this machine and differ from run to run."""

    rows: int
    load_seconds: float
    rows_per_second: float
    memory_mb: float
    bundle_mb: float


def measure_operations(
    files: Mapping[str, bytes], rows: pd.DataFrame, *, features: FeatureSet
) -> tuple[Operations | None, dict[str, Measurement]]:
    """Load the model in a fresh process, score the rows there, and say what it took.

    Args:
        files: of the candidate, with model.joblib.
        rows: of the holdout; their inputs are sent there, nothing else.

    Returns:
        None, with a problem for each gate, where there are no rows or the process does not come to its end.
    """
    names = ("rows_per_second", "memory_mb", "bundle_mb", "load_seconds")
    if not len(rows):
        return None, gauge(*names, problem="there are no rows to score")
    content = files["model.joblib"]
    call = partial(serve, content, digest_bytes(content), rows[features.of_role("input")], features)
    try:
        (served,) = call_fresh([call])
    except ChildProcessError as error:
        return None, gauge(*names, problem=str(error))
    record = Operations(
        rows=len(rows),
        load_seconds=served.load_seconds,
        rows_per_second=len(rows) / served.score_seconds,
        memory_mb=served.peak_bytes / MEGABYTE,
        bundle_mb=sum(map(len, files.values())) / MEGABYTE,
    )
    return record, {name: Measurement(metric=name, value=getattr(record, name)) for name in names}


def serve(content: bytes, digest: str, rows: pd.DataFrame, features: FeatureSet) -> Served:
    """Verify, load and score once, and take the time; for a fresh process, whose peak of memory it asks for.

    Raises:
        EvaluationError: the bytes are not those of the digest.
    """
    started = time.perf_counter()
    if digest_bytes(content) != digest:
        raise EvaluationError("The model that came into the fresh process is not the one that was sent.")
    model = joblib.load(io.BytesIO(content))
    loaded = time.perf_counter()
    predict(model, rows, features)
    return Served(loaded - started, time.perf_counter() - loaded, peak_bytes())


def peak_bytes() -> int:
    """The most memory that this process ever held.

    Linux counts in ru_maxrss what the parent held when it started the process; its own status does not.
    """
    status = Path("/proc/self/status")
    if status.exists():
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def contract_differences(table: pa.Table, contract: Contract) -> dict[str, Measurement]:
    """In how many columns a list differs from what contract.yaml promises: name and place, type, no missing value.

    Args:
        table: the list as scoring.delivery makes it, before it is rendered.
    """
    if not table.num_rows:
        return gauge("contract_differences", problem="the list has no rows")
    wrong = differing_columns(table, contract)
    note = f"{', '.join(wrong)}." if wrong else None
    return gauge("contract_differences", value=len(wrong), note=note)


def differing_columns(table: pa.Table, contract: Contract) -> list[str]:
    """The columns of either side that are not as promised."""
    promised, there = list(contract.columns), table.column_names
    return [
        *(name for name in there if name not in contract.columns),
        *(name for place, name in enumerate(promised) if not _is_as_promised(table, contract, name, place)),
    ]


def _is_as_promised(table: pa.Table, contract: Contract, name: str, place: int) -> bool:
    if table.column_names[place : place + 1] != [name]:
        return False
    column = table.column(place)
    return bool(PROMISED[contract.columns[name].type](column.type)) and column.null_count == 0
