"""No input is made of the tokens themselves: features of a week whose people have other tokens must be the same.

A hash or an order of tokens tells the model nothing about a customer and lets it remember each of them. Whatever way a
query hides it, by another name, in a CTE or behind a function, its values change with the tokens; what only groups,
joins or counts by them does not.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import date
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.errors import FeatureError
from ds_pipeline.features.build import features_of
from ds_pipeline.store.asof import AsOfTables, ReadWeek
from ds_pipeline.use_case.load import UseCase

LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")  # of a token
LAST_DIGITS = 1e-9  # of a sum, relative: its order follows that of the tokens where it goes over several people


def require_blind_to_tokens(use_case: UseCase, read_week: ReadWeek, made: Mapping[date, pa.Table]) -> None:
    """Raise FeatureError if an input has other values once every token of the tables is replaced by another.

    Args:
        made: the features of some days, from build_features on the same tables.
    """
    entity = use_case.problem.entity
    inputs = use_case.features.of_role("input")
    with AsOfTables(use_case, lambda name, day: _renamed(use_case, name, read_week(name, day))) as tables:
        for day in sorted(made):
            people = _replaced(made[day][entity], _another)
            again = features_of(tables, day, people)
            again = again.take(pc.index_in(people, again[entity].combine_chunks()))
            changed = [name for name in inputs if not _is_same(made[day][name], again[name])]
            if changed:
                raise FeatureError(
                    f"features at {day}: expected inputs that do not depend on the tokens themselves; with other "
                    f"tokens for the same people these have other values: {', '.join(changed)}. A hash, a part or an "
                    "order of tokens, or one of them in the SQL, lets a model remember people. Use "
                    f"{entity} and other tokens to group, to join and to count."
                )


def _renamed(use_case: UseCase, name: str, rows: pa.Table) -> pa.Table:
    """The rows with other tokens: those of the entity in another order, all others in the same, which breaks no tie."""
    domains = {
        column.token_domain
        for table in use_case.sources.tables.values()
        for alias, column in table.kept.items()
        if alias == use_case.problem.entity
    }
    for alias, column in use_case.sources.tables[name].kept.items():
        if column.treatment == "token":
            other = _another if column.token_domain in domains else _shifted
            place = rows.schema.get_field_index(alias)
            rows = rows.set_column(place, alias, _replaced(rows[alias], other))
    return rows


def _replaced(tokens: pa.ChunkedArray, other: Callable[[str], str]) -> pa.Array:
    encoded = tokens.cast(pa.string()).combine_chunks().dictionary_encode()
    others = [None if token is None else other(token) for token in encoded.dictionary.to_pylist()]
    return pa.array(others, pa.string()).take(encoded.indices)


@cache
def _another(token: str) -> str:
    return hashlib.blake2b(token.encode(), digest_size=16).hexdigest().translate(LETTERS)


def _shifted(token: str) -> str:
    """Another text at every place and of another hash, which sorts among its like as the token did."""
    return f"a{token}p"


def _is_same(values: pa.ChunkedArray, again: pa.ChunkedArray) -> bool:
    if not pa.types.is_floating(values.type):
        return bool(values.equals(again))
    before, after = values.to_numpy(), again.to_numpy()
    return bool(np.allclose(after, before, rtol=LAST_DIGITS, atol=0, equal_nan=True))
