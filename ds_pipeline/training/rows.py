"""Rows to train or evaluate on: features joined with the labels of the same scoring dates, and which of them to use."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pyarrow as pa

from ds_pipeline.errors import TrainingError
from ds_pipeline.use_case.features import IS_TREATED, LABEL, SCORING_DATE, FeatureSet
from ds_pipeline.use_case.load import UseCase


def join_labels(features: list[pa.Table], labels: list[pa.Table], *, entity: str) -> pd.DataFrame:
    """One row per entity and scoring date whose label is decided, sorted by date and entity.

    Returns:
        The features, label, decided_by and is_treated.

    Raises:
        TrainingError: features and labels are not of the same entities and dates.
    """
    left, right = pa.concat_tables(features).to_pandas(), pa.concat_tables(labels).to_pandas()
    joined = left.merge(right, on=[SCORING_DATE, entity], how="outer", validate="one_to_one", indicator=True)
    unmatched = int((joined["_merge"] != "both").sum())
    if unmatched:
        raise TrainingError(
            f"{unmatched:,} of {len(joined):,} rows have features without a label or a label without features. "
            "Build features and labels again for these weeks."
        )
    decided = joined[joined[LABEL].notna()].drop(columns="_merge")
    return decided.sort_values([SCORING_DATE, entity], ignore_index=True).astype({LABEL: "int64"})


def rows_to_train_on(rows: pd.DataFrame, use_case: UseCase) -> pd.DataFrame:
    """The labelled rows that training.yaml asks for, in the order they came in.

    Treated ones are left out first where it says so. Of more than max_train_rows, those whose entity and date have the
    smallest keyed hashes stay: the same ones in every run, and one row more or less changes at most one other.
    """
    training = use_case.training
    if training.treated == "exclude":
        rows = rows[~rows[IS_TREATED].astype(bool)]
    if training.max_train_rows is None or len(rows) <= training.max_train_rows:
        return rows.reset_index(drop=True)
    hashes = _hashes(rows, entity=use_case.problem.entity, seed=training.seed)
    smallest = np.argsort(hashes, kind="stable")[: training.max_train_rows]
    return rows.iloc[np.sort(smallest)].reset_index(drop=True)


def require_people(rows: pd.DataFrame, use_case: UseCase, *, of: str) -> None:
    """Raise TrainingError if a class is of one entity alone: no fold without it could be trained on."""
    entity = use_case.problem.entity
    for label, name in ((1, "positive"), (0, "other")):
        people = rows.loc[rows[LABEL] == label, entity]
        if people.nunique() == 1:
            raise TrainingError(
                f"All {len(people):,} {name} rows of {of} are of one {entity}: too few to learn from. Build more "
                "history, widen population.sql, or see in label.sql what is positive."
            )


def require_values(rows: pd.DataFrame, features: FeatureSet, *, of: str) -> None:
    """Raise TrainingError if an input of the model has no value in any row: nothing can be fitted to it.

    Args:
        of: the weeks of the rows, as the message calls them.
    """
    empty = [name for name, feature in features.features.items() if feature.role == "input" and rows[name].isna().all()]
    if empty and len(rows):
        have = "has" if len(empty) == 1 else "have"
        raise TrainingError(
            f"{', '.join(empty)} {have} no value in any of the {len(rows):,} rows of {of}. Do the keys of the tables "
            "match, and does the query of the feature find rows? Correct it, or take the feature out of features.yaml."
        )


def _hashes(rows: pd.DataFrame, *, entity: str, seed: int) -> np.ndarray:
    """A number for each row that its entity, its date and the seed decide alone."""
    key = seed.to_bytes(8, "big")

    def number(name: str, day: object) -> int:
        return int.from_bytes(hashlib.blake2b(f"{day} {name}".encode(), key=key, digest_size=8).digest(), "big")

    pairs = zip(rows[entity], rows[SCORING_DATE], strict=True)
    return np.fromiter((number(name, day) for name, day in pairs), dtype="uint64", count=len(rows))
