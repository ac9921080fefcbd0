"""The replay check: features rebuilt from data cut at D must equal, byte for byte, those made from the whole history.

It is what proves that no feature read the future: if one had, the rebuilt partition would differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pyarrow as pa

from ds_pipeline.digests import SHORT, digest_bytes, digest_json
from ds_pipeline.errors import FeatureError
from ds_pipeline.store.snapshots import encode


def sample_day(days: Sequence[date]) -> date:
    """One of the days, the same one for the same days: nobody picks which, and a rerun checks it again."""
    seed = int(digest_json([str(day) for day in days])[:8], 16)
    return days[int(np.random.default_rng(seed).integers(len(days)))]


def require_equal(day: date, made: pa.Table, rebuilt: pa.Table) -> None:
    """Raise FeatureError unless both tables have the same bytes; names the columns that differ."""
    expected, again = digest_bytes(encode(made)), digest_bytes(encode(rebuilt))
    if expected == again:
        return
    if made.num_rows != rebuilt.num_rows:
        what = f"{made.num_rows:,} rows were made, {rebuilt.num_rows:,} rebuilt"
    else:
        what = "columns that differ: " + ", ".join(name for name in made.column_names if made[name] != rebuilt[name])
    raise FeatureError(
        f"replay of {day}: expected the digest {expected[:SHORT]}, found {again[:SHORT]} when rebuilt from sources "
        f"cut at {day}; {what}. A feature depends on what came later, or the source changed its past. "
        "Nothing was written: check known_at in sources.yaml, and build the history again if the source was corrected."
    )
