"""Labelled rows of given weeks, read from the store, with one digest over all of them."""

from datetime import date

import pandas as pd

from ds_pipeline.defs.workbench import Workbench
from ds_pipeline.digests import digest_json
from ds_pipeline.training.rows import join_labels


def labelled_rows(bench: Workbench, days: list[date], *, until: date) -> tuple[pd.DataFrame, str]:
    """Features and labels of scoring dates as they stand at D.

    Returns:
        The rows, and a digest over the snapshots they came from.

    Raises:
        HistoryError: weeks are missing, or were made from other masked tables.
    """
    datasets = bench.datasets
    features = datasets.require_features(days, until=until)
    labels = datasets.require_labels(days, until=until)
    rows = join_labels(
        [datasets.store.read(one) for one in features],
        [datasets.store.read(one) for one in labels],
        entity=bench.use_case.problem.entity,
    )
    return rows, digest_json([[one.dataset, one.partition, one.digest] for one in [*features, *labels]])
