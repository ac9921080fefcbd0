"""Drift: how far this week's inputs and scores have moved from what the model was trained on (PSI)."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.requirements import PsiLimits

BINS = 10
FLOOR = 1e-4  # an empty bin counts as this share; otherwise one empty bin would make the index infinite
CHANCE = 0.005  # that a week in which nothing has moved shows any column above what chance gives
DRAWS, SEED = 20_000, 0
SCORE = "score"
LENGTH = "length"  # in characters


def make_reference(rows: pd.DataFrame, scored: pd.DataFrame, features: FeatureSet, *, entity: str) -> dict[str, Any]:
    """What later weeks are compared with: per input, and for the score, the share of rows per bin.

    Args:
        rows: the training rows.
        scored: rows the model was not fitted on, with their score (0..1).

    Returns:
        JSON: name to {"edges": [...]} or {"categories": [...]}, "shares" (last: nulls) and "people", of whom the rows
        are. Of a text its length in characters is described ("of": "length"): no word of it may stand in a bundle.
    """
    texts = features.inputs_of("text")
    reference = {name: _describe(rows[name]) for name in features.of_role("input") if name not in texts}
    reference |= {name: {"of": LENGTH} | _describe(_lengths(rows[name])) for name in texts}
    reference = {name: described | {"people": rows[entity].nunique()} for name, described in reference.items()}
    return reference | {SCORE: _describe(scored[SCORE]) | {"people": scored[entity].nunique()}}


def population_stability(reference: dict[str, Any], frame: pd.DataFrame) -> pd.DataFrame:
    """The population stability index of every column of the reference.

    Args:
        frame: one week of features with the column score.

    Returns:
        name, psi and chance, the largest psi first. 0 means the same distribution; up to chance it comes about although
        nothing has moved, from how few people are compared.

    Source: Siddiqi, Credit Risk Scorecards (2006), for the index and the usual limits 0.1 and 0.2; Yurdakul and
    Naranjo, Statistical properties of the population stability index, J. Risk Model Validation 14 (2020), for its
    distribution without a shift: about chi-squared of bins - 1 degrees, times 1 / people now + 1 / people then.
    """
    rows = []
    for name, described in reference.items():
        values = _lengths(frame[name]) if described.get("of") == LENGTH else frame[name]
        psi = float(_index(np.array(described["shares"]), _shares(values, described)))
        rows.append((name, psi, chance_of(described, people=len(frame), columns=len(reference))))
    return pd.DataFrame(rows, columns=["name", "psi", "chance"]).sort_values(
        ["psi", "name"], ascending=[False, True], ignore_index=True
    )


def chance_of(described: dict[str, Any], *, people: int, columns: int) -> float:
    """Up to where the index of a column goes by chance alone; infinite where nobody is there to compare.

    Both samples are drawn anew from the shares of training, DRAWS times: of few people bins are empty, and chi-squared
    is too short then. Of all columns together a week is above by chance with the probability CHANCE.

    Args:
        described: an entry of the reference; where it does not say of how many people it is, it counts as exact.
    """
    if not people:
        return float("inf")
    return _chance(tuple(described["shares"]), described.get("people"), people, (1 - CHANCE) ** (1 / columns))


@lru_cache(maxsize=1000)
def _chance(shares: tuple[float, ...], people_then: int | None, people: int, level: float) -> float:
    rng = np.random.default_rng(SEED)
    then = np.array(shares) if people_then is None else rng.multinomial(people_then, shares, DRAWS) / people_then
    return float(np.quantile(_index(then, rng.multinomial(people, shares, DRAWS) / people), level))


def classify(stability: pd.DataFrame, limits: PsiLimits) -> pd.DataFrame:
    """The stability table with a status per row: stable, chance, warn or act; act makes retraining due.

    What chance alone explains, as with few people, is neither a warning nor a reason to train.
    """
    psi = stability["psi"]
    cases = [psi < limits.warn, psi <= stability["chance"], psi < limits.act]
    return stability.assign(status=np.select(cases, ["stable", "chance", "warn"], "act"))


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


def _index(expected: np.ndarray, actual: np.ndarray) -> np.ndarray:
    """The index of shares per bin, over the last axis."""
    expected, actual = np.maximum(expected, FLOOR), np.maximum(actual, FLOOR)
    return ((actual - expected) * np.log(actual / expected)).sum(axis=-1)


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
