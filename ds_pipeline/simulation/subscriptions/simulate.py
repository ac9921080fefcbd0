"""`simulate`: write the tables of a simulated subscription business and, apart from them, the truth about it.

Users are made, written and forgotten block by block (blocks.py), so memory does not grow with their number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from ds_pipeline.errors import SourceError, StoreError
from ds_pipeline.simulation.subscriptions.blocks import BLOCK, blocks
from ds_pipeline.simulation.subscriptions.tables import SCHEMAS, TRUTH, path_of, schema_of
from ds_pipeline.simulation.subscriptions.timeline import PRICE_RISES, Timeline
from ds_pipeline.store.snapshots import WRITING, make_folder

FEWEST_WEEKS, MOST_WEEKS = 12, 520
MOST_USERS = 50_000_000


@dataclass(frozen=True)
class Simulated:
    """What was written.

    Attributes:
        rows: by table, the truth included.
        megabytes: of all files together.
        base_rate_by_quarter: share that cancels within 30 days of those in scope, by quarter such as 2025Q4.
        price_rises: the Mondays of the planned price rises: in the pilot markets, then in the others.
    """

    users: int
    weeks: int
    seed: int
    first: date
    end: date
    rows: dict[str, int]
    megabytes: float
    base_rate: float
    base_rate_by_quarter: dict[str, float]
    price_rises: tuple[date, ...]


def simulate(
    folder: Path, users: int, weeks: int, seed: int, *, on_users: Callable[[int], None] = lambda _: None
) -> Simulated:
    """Write the tables of a simulated subscription business as parquet files, and truth/hazard.parquet below them.

    Args:
        folder: gets users, subscriptions, payments, usage_events, support_tickets and emails_sent; files of these
            names are replaced, each as a whole.
        users: how many there are, free and annual ones included; about half of them are on the monthly plan at a time.
        weeks: how many weeks the events cover, up to timeline.END.
        seed: the same seed gives the same bytes under one lock file.
        on_users: told how many users are done, block by block.

    Raises:
        SourceError: users, weeks or seed is out of range.
        StoreError: the files cannot be written; those that were there are untouched.
    """
    _require_sizes(users, weeks, seed)
    timeline = Timeline(weeks)
    rows: Counter[str] = Counter()
    scored, positives = Counter[str](), Counter[str]()
    paths = {name: path_of(folder, name) for name in SCHEMAS}
    unfinished = {name: path.with_name(WRITING + path.name) for name, path in paths.items()}
    try:
        with ExitStack() as stack:
            writers = {}
            for name, path in unfinished.items():
                make_folder(path.parent)
                schema = schema_of(name, users=users, weeks=weeks, seed=seed)
                writers[name] = stack.enter_context(pq.ParquetWriter(path, schema, compression="zstd"))
            for number, tables in enumerate(blocks(timeline, users=users, seed=seed), start=1):
                for name, table in tables.items():
                    writers[name].write_table(table.replace_schema_metadata(writers[name].schema.metadata))
                    rows[name] += table.num_rows
                _count(tables[TRUTH], scored, positives)
                on_users(min(number * BLOCK, users))
        for name, path in unfinished.items():
            path.chmod(0o600)
            path.replace(paths[name])
    except OSError as error:
        raise StoreError(
            f"The simulated tables cannot be written: {error.strerror or 'the disk refuses'}. "
            "Check free space and permissions, then run again."
        ) from error
    finally:
        for path in unfinished.values():
            with suppress(OSError):  # the folder itself may be what is wrong
                path.unlink()
    return Simulated(
        users=users,
        weeks=weeks,
        seed=seed,
        first=timeline.start,
        end=timeline.mondays[-1],
        rows={name: rows[name] for name in SCHEMAS},
        megabytes=sum(path.stat().st_size for path in paths.values()) / 1e6,
        base_rate=sum(positives.values()) / max(1, sum(scored.values())),
        base_rate_by_quarter={quarter: positives[quarter] / scored[quarter] for quarter in sorted(scored)},
        price_rises=PRICE_RISES,
    )


def _count(truth: pa.Table, scored: Counter[str], positives: Counter[str]) -> None:
    closed = truth.filter(pc.and_(truth["is_in_scope"], pc.is_valid(truth["cancelled_within_30d"])))
    days = closed["scoring_date"]
    quarters = pc.binary_join_element_wise(
        pc.year(days).cast(pa.string()), pc.quarter(days).cast(pa.string()), "Q"
    ).to_pylist()
    happened = closed["cancelled_within_30d"].to_pylist()
    scored.update(quarters)
    positives.update(quarter for quarter, yes in zip(quarters, happened, strict=True) if yes)


def _require_sizes(users: int, weeks: int, seed: int) -> None:
    limits = {"users": (users, 1, MOST_USERS), "weeks": (weeks, FEWEST_WEEKS, MOST_WEEKS), "seed": (seed, 0, 2**32 - 1)}
    wrong = [
        f"{name}: expected {low:,} to {high:,}, found {value:,}"
        for name, (value, low, high) in limits.items()
        if not low <= value <= high
    ]
    if wrong:
        raise SourceError(f"Nothing was simulated: {'; '.join(wrong)}. Correct the numbers.")
