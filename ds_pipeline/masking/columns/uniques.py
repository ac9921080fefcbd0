"""One computation per distinct value: customer columns repeat, and hashing or parsing a repeat buys nothing."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from ds_pipeline.errors import SourceError


def map_unique(values: pd.Series, function: Callable[[Any], str | None]) -> pd.Series:
    """Text of each value by `function`, called once per distinct value; null stays null.

    Returns:
        dtype string, the index and name of `values`. A None from `function` is a null.

    Raises:
        SourceError: the column holds lists or dicts.
    """
    return map_uniques(values, lambda uniques: list(map(function, uniques)))


def map_uniques(values: pd.Series, function: Callable[[Any], Sequence[str | None]]) -> pd.Series:
    """As `map_unique`, by a function from all distinct values, an array or index, to their texts in order."""
    try:
        codes, uniques = pd.factorize(values, use_na_sentinel=True)
    except TypeError:
        raise SourceError(
            f"Column '{values.name}': expected one value per cell, found lists or dicts. Give it the treatment 'drop'."
        ) from None
    texts = np.empty(len(uniques) + 1, dtype=object)
    texts[:-1] = function(uniques)
    texts[-1] = None  # answers code -1, null
    return pd.Series(pd.array(texts, dtype="string").take(codes), index=values.index, name=values.name)
