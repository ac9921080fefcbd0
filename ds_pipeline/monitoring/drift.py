"""Drift: how far this week's inputs and scores have moved from what the model was trained on (PSI)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.requirements import PsiLimits

BINS = 10
FLOOR = 1e-4  # an empty bin counts as this share; otherwise one empty bin would make the index infinite
SCORE = "score"
LENGTH = "length"  # in characters


def make_reference(rows: pd.DataFrame, scores: np.ndarray, features: FeatureSet) -> dict[str, Any]:
    """What later weeks are compared with: per input, and for the score, the share of rows per bin.

    Args:
        rows: the training rows.
        scores: scores of rows the model was not fitted on (0..1).

    Returns:
        JSON: name to {"edges": [...]} or {"categories": [...]} and "shares" (last: nulls). Of a text its length in
        characters is described ("of": "length"): no word of it may stand in a bundle.
    """
    texts = features.inputs_of("text")
    reference = {name: _describe(rows[name]) for name in features.of_role("input") if name not in texts}
    reference |= {name: {"of": LENGTH} | _describe(_lengths(rows[name])) for name in texts}
    return reference | {SCORE: _describe(pd.Series(scores))}


def population_stability(reference: dict[str, Any], frame: pd.DataFrame) -> pd.DataFrame:
    """The population stability index of every column of the reference.

    Args:
        frame: one week of features with the column score.

    Returns:
        name and psi, largest first; 0 means the same distribution.

    Source: Siddiqi, Credit Risk Scorecards (2006), for the index and the usual limits 0.1 and 0.2.
    """
    rows = []
    for name, described in reference.items():
        expected = np.maximum(described["shares"], FLOOR)
        values = _lengths(frame[name]) if described.get("of") == LENGTH else frame[name]
        actual = np.maximum(_shares(values, described), FLOOR)
        rows.append((name, float(((actual - expected) * np.log(actual / expected)).sum())))
    return pd.DataFrame(rows, columns=["name", "psi"]).sort_values(
        ["psi", "name"], ascending=[False, True], ignore_index=True
    )


def classify(stability: pd.DataFrame, limits: PsiLimits) -> pd.DataFrame:
    """The stability table with a status per row: stable, warn or act; act makes retraining due."""
    status = np.select([stability["psi"] < limits.warn, stability["psi"] < limits.act], ["stable", "warn"], "act")
    return stability.assign(status=status)


def retraining_due_by(stability: pd.DataFrame, limits: PsiLimits, *, since: datetime) -> datetime | None:
    """Until when a new model is due; None while nothing has reached the limit to act, or where no time is agreed.

    Args:
        stability: from classify.
        since: the instant from which the hours count: the scoring date whose week has drifted. A check that runs again
            later gives the same instant.
    """
    if limits.retrain_within_hours is None or not (stability["status"] == "act").any():
        return None
    return since + timedelta(hours=limits.retrain_within_hours)


def _lengths(texts: pd.Series) -> pd.Series:
    """Characters of each text; of a missing one, missing."""
    return pd.Series([len(text) if isinstance(text, str) else np.nan for text in texts], dtype=float)


def _describe(values: pd.Series) -> dict[str, Any]:
    if values.dtype == object or isinstance(values.dtype, pd.StringDtype):
        described: dict[str, Any] = {"categories": sorted(values.dropna().unique().tolist())}
    else:
        known = values.dropna().astype(float)
        quantiles = np.quantile(known, np.linspace(0, 1, BINS + 1)[1:-1]) if len(known) else np.array([])
        inner, counts = np.unique(quantiles, return_counts=True)
        # A value that a tenth or more of the rows share gets a bin of its own; else a constant could fall unseen.
        just_below = np.nextafter(inner[counts > 1], -np.inf)
        described = {"edges": np.union1d(inner, just_below).tolist()}
    return described | {"shares": _shares(values, described).tolist()}


def _shares(values: pd.Series, described: dict[str, Any]) -> np.ndarray:
    """The share of rows in each bin; the bin before the last is for unknown categories, the last for nulls."""
    if "categories" in described:
        index = {category: number for number, category in enumerate(described["categories"])}
        count = len(index) + 2
        bins = values.map(index).fillna(len(index)).astype(int).to_numpy()
    else:
        edges = np.array(described["edges"], dtype=float)
        count = len(edges) + 2
        bins = np.searchsorted(edges, values.astype(float).to_numpy(), side="left")
    bins = np.where(values.isna().to_numpy(), count - 1, bins)
    return np.bincount(bins, minlength=count) / max(len(values), 1)
