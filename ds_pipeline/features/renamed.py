"""No input is made of the tokens themselves: features of a week whose people have other tokens must be the same.

A hash or an order of tokens tells the model nothing about a customer and lets it remember each of them. Whatever way a
query hides it, by another name, in a CTE or behind a function, its values change with the tokens; what only groups,
joins or counts by them does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.errors import FeatureError
from ds_pipeline.features.build import DIGITS, features_of
from ds_pipeline.features.days import ReadPart, each_day
from ds_pipeline.features.outside import take_inside
from ds_pipeline.store.asof import AsOfTables, in_order
from ds_pipeline.store.buckets import Bucket, rows_of_bucket
from ds_pipeline.use_case.load import UseCase

LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")  # of a token
# A sum over several people goes in the order of their tokens, and may then be rounded to the neighbour of what it was.
LAST_DIGIT = 10.0 ** (1 - DIGITS)  # relative
MAX_SHARE = 1e-3  # of the rows; at most one where there are fewer


def require_blind_to_tokens(
    use_case: UseCase, read_week: ReadPart, made: Mapping[date, pa.Table], *, divided: bool = False
) -> None:
    """Raise FeatureError if an input or a protected attribute has other values once each token is replaced by another.

    Args:
        made: the features of some days, from build_features on the same tables.
        divided: bucket by bucket, where there are buckets and no file needs everyone.
    """
    entity = use_case.problem.entity

    def read(name: str, day: date, bucket: Bucket | None) -> pa.Table:
        return _renamed(use_case, name, read_week(name, day, bucket))

    def build(tables: AsOfTables, day: date, bucket: Bucket | None) -> tuple[pa.Table, pa.Table]:
        before = rows_of_bucket(made[day], entity, bucket)
        return before, _again(tables, day, before[entity])

    checked = [*use_case.features.of_role("input"), *use_case.features.of_role("protected")]
    divided = divided and not use_case.features.scope
    for day, parts in each_day(use_case, read, sorted(made), build, divided=divided).items():
        before, again = (pa.concat_tables(side) for side in zip(*parts, strict=True))
        again = take_inside(again, use_case.features, day=day)
        changed = [name for name in checked if not _is_same(before[name], again[name])]
        if changed:
            raise FeatureError(
                f"features at {day}: expected inputs and protected attributes that do not depend on the tokens "
                "themselves; with other tokens for the same people these have other values: "
                f"{', '.join(changed)}. A hash, a part or an order of tokens, or one of them in the SQL, lets a model "
                f"remember people, and groups by it are none. Use {entity} and other tokens to group, to join and to "
                "count, and break ties by something else."
            )


def _again(tables: AsOfTables, day: date, people: pa.ChunkedArray) -> pa.Table:
    """The features of the people under their other tokens, in the order that they had."""
    others = _replaced(people)
    again = features_of(tables, day, others, given={})
    return again.take(pc.index_in(others, again[tables.use_case.problem.entity].combine_chunks()))


def _renamed(use_case: UseCase, name: str, rows: pa.Table) -> pa.Table:
    """The rows with other tokens, in another order, and the rows as they are then stored."""
    table = use_case.sources.tables[name]
    for alias in table.tokens:
        rows = rows.set_column(rows.schema.get_field_index(alias), alias, _replaced(rows[alias]))
    return in_order(rows, table)


def _replaced(tokens: pa.ChunkedArray) -> pa.Array:
    encoded = tokens.cast(pa.string()).combine_chunks().dictionary_encode()
    others = [None if token is None else _another(token) for token in encoded.dictionary.to_pylist()]
    return pa.array(others, pa.string()).take(encoded.indices)


@cache
def _another(token: str) -> str:
    return hashlib.blake2b(token.encode(), digest_size=16).hexdigest().translate(LETTERS)


def _is_same(values: pa.ChunkedArray, again: pa.ChunkedArray) -> bool:
    if not pa.types.is_floating(values.type):
        return bool(values.equals(again))
    before, after = values.to_numpy(), again.to_numpy()
    apart = ~np.isclose(after, before, rtol=0, atol=0, equal_nan=True)
    few = apart.sum() <= max(1, MAX_SHARE * len(apart))
    return bool(few and np.allclose(after[apart], before[apart], rtol=LAST_DIGIT, atol=0))
