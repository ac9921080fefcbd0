"""Labelled rows of given weeks, read from the store, with one digest over all of them."""

from datetime import date
from typing import NamedTuple

import pandas as pd

from ds_pipeline.clock import Clock
from ds_pipeline.digests import digest_json
from ds_pipeline.registry.ledger import Seen
from ds_pipeline.training.labels import undecided
from ds_pipeline.training.rows import join_labels
from ds_pipeline.workbench import Workbench


class LabelledRows(NamedTuple):
    """The rows of some weeks whose label is decided.

    Attributes:
        rows: features, label, decided_by and is_treated.
        digest: over the snapshots they came from.
        undecided: how many rows there are beside them whose label nobody can tell.
    """

    rows: pd.DataFrame
    digest: str
    undecided: int


def labelled_rows(bench: Workbench, days: list[date], *, until: date) -> LabelledRows:
    """Features and labels of scoring dates as they stand at D.

    Raises:
        HistoryError: weeks are missing, or were made from other masked tables.
    """
    datasets = bench.datasets
    features = datasets.require_features(days, until=until)
    labels = datasets.require_labels(days, until=until)
    tables = [datasets.store.read(week) for week in labels]
    rows = join_labels([datasets.store.read(week) for week in features], tables, entity=bench.use_case.problem.entity)
    digest = digest_json([[week.dataset, week.partition, week.digest] for week in [*features, *labels]])
    return LabelledRows(rows, digest, sum(undecided(table) for table in tables))


def matured_weeks(clock: Clock, day: date) -> list[date]:
    """Every scoring date whose labels are known at D, oldest first."""
    newest = clock.matured(day)
    return clock.dates_until(newest) if newest else []


def matured_rows(bench: Workbench, day: date) -> LabelledRows:
    """All rows whose label has matured at D, those of the holdout included.

    Raises:
        HistoryError: weeks are missing, or were made from other masked tables.
    """
    return labelled_rows(bench, matured_weeks(bench.use_case.clock, day), until=day)


def rows_seen(bench: Workbench, days: list[date], *, until: date) -> Seen:
    """What labelled_rows would read of each scoring date, by digest: whoever looks at a week has seen these rows.

    Raises:
        HistoryError: weeks are missing, or were made from other masked tables.
    """
    features = bench.datasets.require_features(days, until=until)
    labels = bench.datasets.require_labels(days, until=until)
    return {
        day: {f"{one.dataset}/{one.partition}": one.digest for one in pair}
        for day, *pair in zip(days, features, labels, strict=True)
    }
