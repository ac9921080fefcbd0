"""Values that features.yaml does not declare: taken to the nearer limit, pooled or emptied, counted, and only so many.

One new country, or one sum below a minimum that was guessed, must not stop every later Monday; a query that went wrong
must. The share that is declared tells them apart.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.errors import FeatureError
from ds_pipeline.figures import counted
from ds_pipeline.model.top_share import top_count
from ds_pipeline.use_case.features import Feature, FeatureSet

SMALLEST, LARGEST = -(2**63), 2**63 - 1  # whole numbers
OUTSIDE = b"outside"  # in the metadata of a week of features: how many values of which feature were taken inside


def take_inside(made: pa.Table, features: FeatureSet, *, day: date) -> pa.Table:
    """One week of features with every value as declared, as far as max_outside_share allows.

    A number goes to the nearer limit. A category becomes the feature's `other`, or missing where it may be; where
    neither is declared it stays, as everything does without a share, and the schema refuses it.

    Raises:
        FeatureError: more than the share of the rows, rounded up, lie outside in one feature.
    """
    share = features.max_outside_share
    if not share:
        return made
    outside = {}
    for name, feature in features.features.items():
        is_outside, inside = _inside(made[name].combine_chunks(), feature)
        count = pc.sum(is_outside).as_py() or 0
        if count:
            outside[name] = count
            made = made.set_column(made.schema.get_field_index(name), made.schema.field(name), inside)
    allowed = int(top_count(share, made.num_rows))
    too_many = {name: count for name, count in outside.items() if count > allowed}
    if too_many:
        raise FeatureError(
            f"features at {day}: of {made.num_rows:,} rows at most {allowed:,} may have a value that features.yaml "
            f"does not declare (max_outside_share); found {_listed(too_many)}. Correct the SQL or the source. What is "
            "new and right, a category or a wider range, belongs into features.yaml, and then into a new model."
        )
    return made.replace_schema_metadata({OUTSIDE: json.dumps(outside)}) if outside else made


def outside_of(made: pa.Table) -> dict[str, int]:
    """How many values of which feature were taken inside when a week was made."""
    return dict(json.loads((made.schema.metadata or {}).get(OUTSIDE, b"{}")))


def say_outside(weeks: Iterable[pa.Table]) -> str:
    """The values of some weeks that were taken inside, by feature; empty where there is none."""
    total = Counter[str]()
    for week in weeks:
        total.update(outside_of(week))
    return f"{counted(total.total(), 'value')} outside of features.yaml taken inside: {_listed(total)}" if total else ""


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items())


def _inside(values: pa.Array, feature: Feature) -> tuple[pa.Array, pa.Array]:
    """Which values lie outside and can be taken inside, and the values with those there."""
    if feature.minimum is not None and feature.maximum is not None:
        low, high = feature.minimum, feature.maximum
        if pa.types.is_integer(values.type):
            low, high = max(math.ceil(low), SMALLEST), min(math.floor(high), LARGEST)
        limits = [pa.scalar(limit, values.type) for limit in (low, high)]
        is_low, is_high = pc.less(values, limits[0]), pc.greater(values, limits[1])
        is_outside = pc.fill_null(pc.and_(pc.or_(is_low, is_high), pc.is_finite(values)), fill_value=False)
        nearer = pc.if_else(pc.fill_null(is_low, fill_value=False), *limits)
        return is_outside, pc.if_else(is_outside, nearer, values)
    if feature.categories is None or (feature.other is None and not feature.nullable):
        return pa.repeat(pa.scalar(False), len(values)), values
    known = pc.is_in(values, pa.array([*feature.categories, None], values.type))
    return pc.invert(known), pc.if_else(known, values, pa.scalar(feature.other, values.type))
