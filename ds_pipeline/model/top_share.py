"""How many rows the highest-scored share of a week is: one rule for the list and for all that judge it."""

from __future__ import annotations

from typing import Any

import numpy as np


def top_count(share: float, rows: Any) -> Any:
    """The share of so many rows, rounded up: a float, or an array or series of them like the rows.

    The small step down keeps ceil(0.07 * 100) at 7: the product is 7.000000000000001 in floating point.
    """
    return np.ceil(share * rows - 1e-9)
