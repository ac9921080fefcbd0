"""Features of four weeks in 1, 2, 8 and 32 buckets, each in a process of its own: python bench/buckets.py [customers]

The SQL is that of retail_lapse, over made-up lines of invoices, 20 a customer (4 million for 200,000 customers). What
is measured is the making of the features from the store; cutting is done before. Bytes must be equal.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from ds_pipeline.digests import digest_bytes
from ds_pipeline.features.weeks import features_of_days
from ds_pipeline.masking.columns.tokens import tokenize
from ds_pipeline.project import Project, Settings, open_project
from ds_pipeline.store.asof import in_order
from ds_pipeline.store.snapshots import encode
from ds_pipeline.use_case.load import UseCase, load_use_case
from ds_pipeline.use_case.sql import masked_schema
from ds_pipeline.workbench import Workbench, open_workbench

CUSTOMERS, LINES, WEEKS, NUMBERS = 200_000, 20, 4, (1, 2, 8, 32)


def weeks_of(case: UseCase, customers: int) -> dict[str, list[pa.Table]]:
    """The masked rows of each table, week by week."""
    random, first = np.random.default_rng(0), case.clock.instant(case.clock.first)
    tokens = tokenize(pd.Series(range(customers)), key=b"k" * 32, domain="customer").to_numpy(object)
    made: dict[str, list[pa.Table]] = {name: [] for name in case.sources.tables}
    for week in range(WEEKS):
        size = customers * LINES // WEEKS
        seconds = np.sort(random.integers(0, 7 * 86_400, size=size))
        at = pd.Timestamp(first) + timedelta(weeks=week - 1) + pd.to_timedelta(seconds, unit="s")
        columns = {
            "customer_token": tokens[random.integers(0, customers, size=size)],
            "invoice_no": (536_365 + seconds // 60).astype(str),
            "stock_code": random.integers(10_000, 14_000, size=size).astype(str),
            "quantity": random.integers(1, 40, size=size),
            "unit_price_gbp": np.round(random.uniform(0.1, 20, size=size), 2),
            "invoiced_at": at,
        }
        made["transactions"].append(filled(case, "transactions", columns, size))
        people = {"customer_token": tokens, "updated_at": [pd.Timestamp(first) - timedelta(days=1)] * customers}
        made["customers"].append(filled(case, "customers", people, customers if week == 0 else 0))
    return made


def filled(case: UseCase, name: str, columns: dict[str, object], rows: int) -> pa.Table:
    """A masked table with these columns; all others hold one value."""
    table, schema = case.sources.tables[name], masked_schema(case.sources.tables[name])
    there = {}
    for field in schema:
        values = list(columns[field.name])[:rows] if field.name in columns else ["GB"] * rows
        plain = pa.array(values) if rows else pa.array([], pa.string())
        there[field.name] = plain.cast(field.type)
    return in_order(pa.table(there, schema=schema), table)


def opened(folder: str, number: int) -> Workbench:
    case = load_use_case(open_project().configs / "retail_lapse")
    sources = case.sources.model_copy(update={"buckets": number})
    features = case.features.model_copy(update={"max_outside_share": 0.0})  # whatever is made up is kept
    case = replace(case, sources=sources, features=features)
    project = Project(
        Settings(project=open_project().root, store=Path(folder) / str(number), keys=Path(folder) / "keys")
    )
    return open_workbench(project, case)


def measure(folder: str, number: int) -> dict[str, object]:
    """Make the features and say what it took, in this process."""
    bench = opened(folder, number)
    days = bench.use_case.clock.dates_until(bench.use_case.clock.first + timedelta(weeks=WEEKS - 1))
    began, cpu = time.perf_counter(), time.process_time()
    made = features_of_days(bench, bench.use_case, days)
    return {
        "buckets": number, "seconds": time.perf_counter() - began, "cpu": time.process_time() - cpu,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "rows": sum(rows.num_rows for rows in made.values()),
        "digest": [digest_bytes(encode(rows)) for rows in made.values()],
    }  # fmt: skip


def main() -> None:
    """Store the weeks in each number of buckets, measure each, compare the bytes and print a table."""
    if len(sys.argv) == 3:
        print(json.dumps(measure(sys.argv[1], int(sys.argv[2]))))
        return
    customers = int(sys.argv[1]) if len(sys.argv) > 1 else CUSTOMERS
    with tempfile.TemporaryDirectory() as folder:
        found = []
        made = weeks_of(opened(folder, 1).use_case, customers)
        for number in NUMBERS:
            bench = opened(folder, number)
            days = bench.use_case.clock.dates_until(bench.use_case.clock.first + timedelta(weeks=WEEKS - 1))
            for name, weeks in made.items():
                bench.datasets.put_masked(name, {day: (rows, {}) for day, rows in zip(days, weeks, strict=True)})
        del made
        for number in NUMBERS:
            done = subprocess.run(
                [sys.executable, __file__, folder, str(number)], stdout=subprocess.PIPE, text=True, check=True
            )
            found.append(json.loads(done.stdout))
            print("{buckets:>3} buckets: {seconds:6.1f} s, {cpu:6.1f} s of CPU, {mb:>6,} MB".format(**found[-1]))
    assert len({str(one["digest"]) for one in found}) == 1, "the bytes differ"
    print(f"{found[0]['rows']:,} rows of features, the same bytes each time")


if __name__ == "__main__":
    main()
