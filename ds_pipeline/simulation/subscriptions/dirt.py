"""What is wrong with the records, on purpose and in declared shares.

Doubles, two truths under one key, gaps, slips, strangers, dates before the sign-up, text whose encoding went wrong.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

YEARS_EARLY = np.timedelta64(4 * 365, "D")  # longer than anybody has been subscribed before the first Monday
STRANGERS = 90_000_000  # user numbers from here on belong to nobody


@dataclass(frozen=True)
class Dirt:
    """The shares of the rows of one table that are wrong.

    Attributes:
        doubles: rows that are there twice.
        strangers: rows whose user is not in users.
        slips: column to value and share; None leaves the cell empty.
        clashes: column to add 1 to in a second row that is otherwise the same: two truths under one key.
        clash_share: share of those.
        misdated: time column that is years too early, before the user signed up.
        misdated_share: share of those.
        garbled: column of text whose encoding went wrong.
    """

    doubles: float = 0.0
    strangers: float = 0.0
    slips: Mapping[str, tuple[Any, float]] = field(default_factory=dict)
    clashes: str | None = None
    clash_share: float = 0.0
    misdated: str | None = None
    misdated_share: float = 0.0
    garbled: str | None = None
    garbled_share: float = 0.0


DIRT: Mapping[str, Dirt] = {
    "users": Dirt(doubles=0.002, slips={"birth_date": (date(1890, 1, 1), 0.001)}),
    "subscriptions": Dirt(doubles=0.001, slips={"price_eur": (-1, 0.0005)}),
    "payments": Dirt(
        doubles=0.003, strangers=0.0005, clashes="amount_eur", clash_share=0.0005,
        misdated="charged_at", misdated_share=0.0005,
    ),
    "usage_events": Dirt(
        doubles=0.002, strangers=0.0005, slips={"minutes": (-1, 0.001), "sessions": (None, 0.0005)},
        misdated="used_on", misdated_share=0.0003,
    ),
    "support_tickets": Dirt(doubles=0.004, slips={"body": (None, 0.004)}, garbled="body", garbled_share=0.01),
    "emails_sent": Dirt(doubles=0.002, strangers=0.0003),
}  # fmt: skip


def soil(table: pa.Table, dirt: Dirt, rng: np.random.Generator) -> pa.Table:
    """The table with its declared share of faults; rows that are added stand next to the ones they repeat."""
    count = table.num_rows
    for column, (value, share) in dirt.slips.items():
        table = _replace(table, column, rng.random(count) < share, value)
    if dirt.misdated:
        table = _misdate(table, dirt.misdated, rng.random(count) < dirt.misdated_share)
    if dirt.garbled:
        table = _garble(table, dirt.garbled, rng.random(count) < dirt.garbled_share)
    strange = rng.random(count) < dirt.strangers
    if "user_id" in table.column_names:
        users = np.where(strange, STRANGERS + rng.integers(0, 1_000_000, count), table["user_id"].to_numpy())
        table = table.set_column(table.column_names.index("user_id"), "user_id", pa.array(users))
    repeats = np.flatnonzero(rng.random(count) < dirt.doubles)
    clashing = np.flatnonzero(rng.random(count) < dirt.clash_share) if dirt.clashes else np.array([], np.int64)
    clashing = np.setdiff1d(clashing, repeats)
    rows = np.concatenate([np.arange(count), repeats, clashing])
    order = np.argsort(rows, kind="stable")
    dirty = table.take(rows[order])
    if dirt.clashes:
        dirty = _add_one(dirty, dirt.clashes, np.flatnonzero(order >= count + len(repeats)))
    return dirty


def _replace(table: pa.Table, column: str, mask: np.ndarray, value: Any) -> pa.Table:
    values = table[column].combine_chunks()
    slipped = pc.if_else(pa.array(mask), pa.scalar(value, values.type), values)
    return table.set_column(table.column_names.index(column), column, slipped)


def _misdate(table: pa.Table, column: str, mask: np.ndarray) -> pa.Table:
    times = table[column].to_numpy()
    early = np.where(mask, times - YEARS_EARLY, times)
    return table.set_column(table.column_names.index(column), column, pa.array(early))


def _garble(table: pa.Table, column: str, mask: np.ndarray) -> pa.Table:
    """UTF-8 that was read as Latin-1 on its way."""
    texts = table[column].to_pylist()
    for row in np.flatnonzero(mask):
        if texts[row] is not None:
            texts[row] = texts[row].encode().decode("latin-1")
    return table.set_column(table.column_names.index(column), column, pa.array(texts, pa.string()))


def _add_one(table: pa.Table, column: str, rows: np.ndarray) -> pa.Table:
    values = table[column].to_pylist()
    for row in rows:
        values[row] += 1
    return table.set_column(table.column_names.index(column), column, pa.array(values, table[column].type))
