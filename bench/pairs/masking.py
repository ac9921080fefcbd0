"""Ingestion and the masking of columns: a token, an initial, a postcode area and an age band of each row.

Ours masks the columns of a frame; the others apply hashlib and Python functions to each row, or to each cell. What is
masked from a file to the store, by all the checks of the boundary, stands beside a copy of the file by DuckDB, which
does nothing of that: it is told, not promised.
"""

from __future__ import annotations

import hashlib
import os
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from comparing import Line, Runs, Side, Size, Work, times_as_fast
from pairs.made_up import ENTITY, TOKEN, table_of, workbench_of

from ds_pipeline.boundary.mask import mask_source
from ds_pipeline.masking.columns.policy import mask_table
from ds_pipeline.masking.text.text import TextRedactor
from ds_pipeline.workbench import Workbench

SIZES = {
    "tiny": {"rows": 500, "weeks": 3, "rounds": 1},
    "default": {"rows": 60_000, "weeks": 8, "rounds": 2},
    "full": {"rows": 5_000_000, "weeks": 52, "rounds": 1},
}
EXACT = 0.0
FIRST = date(2024, 1, 1)
ROWS_OF_A_CUSTOMER = 20
AREAS = ("AB", "CD", "EF", "GH")
TABLE, CSV, PARQUET = "visits", "visits.csv", "visits.parquet"
COLUMNS: dict[str, dict[str, Any]] = {
    "line": {"type": "integer"},
    "visited_at": {"type": "timestamp"},
    "customer": {"type": "integer", "alias": ENTITY} | TOKEN,
    "first_name": {"type": "string", "alias": "name_initial", "identifies": "direct", "treatment": "initial"},
    "postcode": {"type": "string", "alias": "area", "identifies": "quasi", "treatment": "prefix"},
    "birth_date": {
        "type": "date",
        "alias": "age_band",
        "identifies": "sensitive",
        "treatment": "band",
        "bands": [40, 60],
    },
    "spent_gbp": {"type": "double"},
}


def prepare(folder: Path, size: Size) -> None:
    """Visits as CSV and as parquet; a customer has 20 of them on average."""
    random, count = np.random.default_rng(1), size["rows"]
    people = max(1, count // ROWS_OF_A_CUSTOMER)
    who = random.integers(0, people, count)
    names = np.array([_word(26 * number + number % 4) for number in range(2_000)])  # of four initials
    codes = np.array([f"{AREAS[n % 4]}{n % 90} {n % 10}{_word(n)[:2].upper()}" for n in range(4_000)])
    born = np.datetime64("1945-01-01") + random.integers(0, 20_000, people).astype("m8[D]")
    seconds = np.sort(random.integers(0, size["weeks"] * 7 * 86_400, count)).astype("m8[s]")
    visits = pa.table(
        {
            "line": np.arange(count),
            "visited_at": pa.array(np.datetime64(FIRST - timedelta(weeks=1), "s") + seconds),
            "customer": who + 10_000_000,
            "first_name": pa.array(random.choice(names, people)[who]),
            "postcode": pa.array(random.choice(codes, people)[who]),
            "birth_date": pa.array(born[who]),
            "spent_gbp": random.integers(1, 20_000, count) / 100,
        }
    )
    pq.write_table(visits, folder / PARQUET)
    pyarrow.csv.write_csv(visits, folder / CSV)


def _word(number: int) -> str:
    return "".join(chr(97 + number // 26**place % 26) for place in range(5)).capitalize()


def _workbench(folder: Path, size: Size, path: str = PARQUET) -> Workbench:
    """With a store of its own for each process."""
    kind = path.split(".")[1]
    table = table_of(path, COLUMNS, at="visited_at", format=kind, k_anonymity={"k": 5, "from_entities": 1000})
    last = FIRST + timedelta(weeks=size["weeks"] - 1)
    return workbench_of(folder, f"store-{path}-{os.getpid()}", tables={TABLE: table}, dates=(FIRST, last))


def _frame(folder: Path) -> pd.DataFrame:
    aliases = {name: column.get("alias", name) for name, column in COLUMNS.items()}
    frame = pd.read_parquet(folder / PARQUET).rename(columns=aliases)
    return frame.assign(visited_at=frame["visited_at"].dt.tz_localize("UTC"))


def ours(folder: Path, size: Size) -> Work:
    bench, frame = _workbench(folder, size), _frame(folder)
    table = bench.use_case.sources.tables[TABLE]
    return lambda: mask_table(frame, table, key=bench.key, redactor=TextRedactor("patterns"))


def from_file(path: str) -> Side:
    def side(folder: Path, size: Size) -> Work:
        bench = _workbench(folder, size, path)
        bench.prepare_to_sign()
        days = bench.use_case.clock.dates_until(bench.use_case.clock.last or FIRST)

        def work() -> pa.Table:
            return pa.concat_tables(week.kept for week in mask_source(bench, TABLE, days).weeks)

        return work

    return side


class ByHand:
    """What a script would do with a cell or a row."""

    def __init__(self, key: bytes) -> None:
        self.key = key

    def token(self, customer: int) -> str:
        digest = hashlib.blake2b(str(customer).encode(), digest_size=16, key=self.key, person=b"customer").hexdigest()
        return "".join(chr(97 + int(sign, 16)) for sign in digest)

    def initial(self, name: str) -> str:
        return f"{name[0].upper()}."

    def area(self, postcode: str) -> str:
        return postcode[:2]

    def band(self, born: date, at: datetime) -> str:
        age = at.year - born.year - ((at.month, at.day) < (born.month, born.day))
        return "0-39" if age < 40 else "40-59" if age < 60 else "60+"

    def row(self, row: pd.Series) -> pd.Series:
        treated = {
            ENTITY: self.token(row[ENTITY]),
            "name_initial": self.initial(row["name_initial"]),
            "area": self.area(row["area"]),
            "age_band": self.band(row["age_band"], row["visited_at"]),
        }
        return pd.Series(treated)


def row_by_row(folder: Path, size: Size) -> Work:
    frame, hand = _frame(folder), ByHand(_workbench(folder, size).key)

    def work() -> pd.DataFrame:
        masked = frame.apply(hand.row, axis=1)
        return frame.assign(**{name: masked[name] for name in masked})

    return work


def cell_by_cell(folder: Path, size: Size) -> Work:
    frame, hand = _frame(folder), ByHand(_workbench(folder, size).key)

    def work() -> pd.DataFrame:
        pairs = zip(frame["age_band"], frame["visited_at"], strict=True)
        return frame.assign(
            **{
                ENTITY: frame[ENTITY].apply(hand.token),
                "name_initial": frame["name_initial"].apply(hand.initial),
                "area": frame["area"].apply(hand.area),
                "age_band": [hand.band(born, at) for born, at in pairs],
            }
        )

    return work


def copy_of(path: str) -> Side:
    def side(folder: Path, size: Size) -> Work:
        copy = folder / f"copy-{os.getpid()}.parquet"
        return lambda: duckdb.sql(f"COPY (FROM '{folder / path}') TO '{copy}' (COMPRESSION zstd)")

    return side


def answer(made: pd.DataFrame | pa.Table) -> pa.Table:
    """All rows in the order of the file."""
    rows = made if isinstance(made, pa.Table) else pa.Table.from_pandas(made, preserve_index=False)
    texts = dict.fromkeys((ENTITY, "name_initial", "area", "age_band"), pa.string())
    kinds = texts | {"line": pa.int64(), "visited_at": pa.timestamp("us", tz="UTC"), "spent_gbp": pa.float64()}
    return rows.select(list(kinds)).cast(pa.schema(list(kinds.items()))).sort_by("line")


OURS, ROWS, CELLS = "ours", "df.apply", "Series.apply"
FILES = {CSV: "CSV", PARQUET: "parquet"}
SIDES: dict[str, Side] = {
    OURS: ours,
    ROWS: row_by_row,
    CELLS: cell_by_cell,
    **{f"ours from {name}": from_file(path) for path, name in FILES.items()},
    **{f"DuckDB copy of {name}": copy_of(path) for path, name in FILES.items()},
}
ALONE = {f"DuckDB copy of {name}" for name in FILES.values()}


def lines(runs: Runs, size: Size) -> list[Line]:
    ends = []
    for name in FILES.values():
        ours, copy = runs[f"ours from {name}"], runs[f"DuckDB copy of {name}"]
        rates = [f"{size['rows'] / run.seconds:,.0f} rows/s, {run.mb:,.0f} MB" for run in (ours, copy)]
        ends.append(
            Line(f"from {name} to the store", rates[0], f"DuckDB copy: {rates[1]}", ours.seconds / copy.seconds)
        )
    return [
        *times_as_fast("columns against df.apply of rows", runs, OURS, ROWS, at_least=20),
        Line(
            "columns against apply of cells",
            str(runs[OURS]),
            str(runs[CELLS]),
            runs[CELLS].seconds / runs[OURS].seconds,
        ),
        *ends,
    ]
