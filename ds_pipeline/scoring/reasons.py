"""Why a customer has the score: the strongest inputs in the words of features.yaml, and never their values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ds_pipeline.model.contributions import contributions
from ds_pipeline.use_case.contract import REASONS
from ds_pipeline.use_case.features import FeatureSet

NO_MORE = "no further reason"
UNKNOWN = "unknown: the features have changed since the score was made"
MOST = 0.6  # of the training rows; the fifth in the middle is typical
BELOW, ABOVE, TYPICAL = "below other customers", "above other customers", "typical of other customers"
PREFERRED = 0.5  # a reason with a difference comes before a typical one that moves the score up to twice as much


@dataclass(frozen=True)
class Reason:
    """An input that moved a score.

    Attributes:
        raises: whether the score is higher for it, or else lower.
        band: where the value lies among those of the training rows, such as "above other customers".
    """

    feature: str
    meaning: str
    raises: bool
    band: str

    def __str__(self) -> str:
        return f"{'raises' if self.raises else 'lowers'}: {self.meaning} ({self.band})"


def reasons(
    model: Any, frame: pd.DataFrame, features: FeatureSet, *, reference: Mapping[str, Any]
) -> list[list[Reason]]:
    """The inputs that moved the score of each row most, the strongest first; fewer where fewer did.

    A number that is typical explains little: it gives way to a difference that moves the score at least half as much.

    Args:
        frame: rows of one features partition.
        reference: the reference.json of the version: how the training rows are distributed, by input.
    """
    inputs = features.of_role("input")
    moved = contributions(model, frame, features)[inputs].to_numpy()
    bands = {name: _bands(frame[name], features, reference.get(name, {})) for name in inputs}

    meanings = {name: _without_brackets(features.features[name].meaning) for name in inputs}

    def of_row(row: int, places: np.ndarray) -> list[Reason]:
        strong = [(inputs[place], moved[row, place]) for place in places if moved[row, place] != 0]
        return [Reason(name, meanings[name], by > 0, bands[name][row]) for name, by in strong]

    size = np.abs(moved)
    is_typical = np.column_stack([np.array(bands[name], dtype=object) == TYPICAL for name in inputs])
    # Of equal weight, the difference first.
    chosen = np.lexsort((is_typical, -np.where(is_typical, PREFERRED * size, size)))[:, :REASONS]
    again = np.argsort(-np.take_along_axis(size, chosen, axis=1), axis=1, kind="stable")
    strongest = np.take_along_axis(chosen, again, axis=1)
    return [of_row(row, places) for row, places in enumerate(strongest)]


def as_columns(by_row: Sequence[Sequence[Reason]], tokens: pd.Series) -> pd.DataFrame:
    """Reasons as texts: one row per token, columns 1, 2, 3 by rank."""
    texts = [[str(reason) for reason in row] + [NO_MORE] * (REASONS - len(row)) for row in by_row]
    return pd.DataFrame(texts, index=pd.Index(tokens), columns=range(1, REASONS + 1))


def only_of_logged(texts: pd.DataFrame, today: pd.Series, logged: pd.Series) -> pd.DataFrame:
    """Reasons for the logged scores, in their order; UNKNOWN where the same features give another score today, or none.

    Args:
        texts: from as_columns.
        today: the score that the features give now, by token.
        logged: the score that was recorded, by token.
    """
    is_same = np.isclose(today.reindex(logged.index), logged, rtol=0, atol=1e-9)
    kept = texts.reindex(logged.index)
    kept.loc[~is_same] = UNKNOWN
    return kept


def _without_brackets(meaning: str) -> str:
    """What stands in brackets is for who builds features: "days since the last ticket (92 if there was none)"."""
    return re.sub(r"\s*\([^()]*\)", "", meaning).strip() or meaning


def _bands(values: pd.Series, features: FeatureSet, described: Mapping[str, Any]) -> list[str]:
    """Each value in words."""
    feature, is_missing = features.features[str(values.name)], values.isna().to_numpy()
    if feature.dtype == "text":
        return np.where(is_missing | (values == "").to_numpy(), "none", "given").tolist()
    if feature.dtype == "bool":
        words = np.where(values.fillna(False).astype(bool).to_numpy(), "yes", "no")
    elif feature.dtype == "string":
        shares = dict(zip(described["categories"], described["shares"], strict=False))
        usual = max(shares, key=lambda category: shares[category]) if shares else None
        words = np.where((values == usual).to_numpy(), "as for most", "unlike most")
    else:
        words = _position(values.astype("float64").to_numpy(), described)
    return np.where(is_missing, "not known", words).tolist()


def _position(values: np.ndarray, described: Mapping[str, Any]) -> np.ndarray:
    """Above or below others: MOST of the training rows that have a value lie in lower, or in higher, bins."""
    shares = np.array(described["shares"][:-1], dtype=float)  # the last is of missing values
    shares = shares / max(shares.sum(), 1e-12)
    place = np.searchsorted(np.array(described["edges"], dtype=float), values, side="left")
    place = np.minimum(place, len(shares) - 1)  # NaN sorts behind everything
    lower = np.concatenate([[0.0], np.cumsum(shares)])[:-1][place]
    higher = 1 - lower - shares[place]
    return np.select([lower >= MOST - 1e-9, higher >= MOST - 1e-9], [ABOVE, BELOW], TYPICAL)
