"""The highest-scored share of a week, and how many rows it is: one rule for the list and for all that judge it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from ds_pipeline.use_case.features import SCORING_DATE


def top_count(share: float, rows: Any) -> Any:
    """The share of so many rows, rounded up: a float, or an array or series of them like the rows.

    The small step down keeps ceil(0.07 * 100) at 7: the product is 7.000000000000001 in floating point.
    """
    return np.ceil(share * rows - 1e-9)


def in_top_share(rows: pd.DataFrame, *, entity: str, share: float, by: str = "score") -> np.ndarray:
    """Which rows are among the highest-scored share of their week, as a mask; ties go by the entity, as in a list.

    Args:
        by: the column of the scores.
    """
    ranked = rows.reset_index(drop=True).sort_values([by, entity], ascending=[False, True])
    weeks = ranked.groupby(SCORING_DATE, sort=False)
    quota = top_count(share, weeks[by].transform("size"))
    return (weeks.cumcount() < quota).sort_index().to_numpy()
