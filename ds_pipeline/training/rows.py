"""Rows to train or evaluate on: features joined with the labels of the same scoring dates."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from ds_pipeline.errors import TrainingError
from ds_pipeline.training.labels import LABEL, SCORING_DATE


def join_labels(features: list[pa.Table], labels: list[pa.Table], *, entity: str) -> pd.DataFrame:
    """One row per entity and scoring date: the features and the label, sorted by date and entity.

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
    joined = joined.drop(columns="_merge").sort_values([SCORING_DATE, entity], ignore_index=True)
    return joined.astype({LABEL: "int64"})
