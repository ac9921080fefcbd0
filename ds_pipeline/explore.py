"""Look at what the pipeline made, from a notebook: masked tables, features, labels and the champion, as pandas frames.

It reads the store and nothing else: no source is opened, nothing is written, and what is not there is refused with the
command that makes it. Every frame holds masked data only.
"""

import sys
from datetime import date
from types import TracebackType

import pandas as pd
import pyarrow as pa

from ds_pipeline.errors import ConfigError, DsPipelineError, EvaluationError, HistoryError, RegistryError
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.project import open_project
from ds_pipeline.use_case.explain import suggest
from ds_pipeline.use_case.features import LABEL, SCORING_DATE, FeatureSet
from ds_pipeline.use_case.load import known_use_cases, load_use_case
from ds_pipeline.workbench import Workbench, open_workbench


def use_cases() -> list[str]:
    """The names of all use cases of the project."""
    return known_use_cases(open_project().configs)


def newest(use_case: str) -> date:
    """The newest scoring date with features.

    Raises:
        HistoryError: there is none yet.
    """
    bench = _open(use_case)
    days = bench.datasets.store.partitions(bench.datasets.features)
    if not days:
        raise HistoryError(
            f"{use_case}: there are no features yet, as its SQL and sources are declared today. "
            f"Build them with: ds-pipeline history {use_case}"
        )
    return date.fromisoformat(max(days))


def tables(use_case: str) -> list[str]:
    """The names of the tables of a use case."""
    return list(_open(use_case).use_case.sources.tables)


def declared_features(use_case: str) -> FeatureSet:
    """Every feature with its unit, range, role and meaning."""
    return _open(use_case).use_case.features


def masked_table(use_case: str, table: str, *, until: date) -> pd.DataFrame:
    """The rows of a table that were known before the scoring date, as they are behind the PII boundary.

    Raises:
        ConfigError: there is no such table.
        HistoryError: a week up to the date is not built.
        KeyChangedError: it is stored under another pseudonym key.
    """
    bench = _open(use_case)
    known = list(bench.use_case.sources.tables)
    if table not in known:
        raise ConfigError(f"{use_case}: no such table. {suggest(table, known)}Known: {', '.join(known)}.")
    bench.datasets.require_masked(until)
    weeks = [bench.datasets.read_week(table, day) for day in bench.use_case.clock.dates_until(until)]
    return pa.concat_tables(weeks).to_pandas()


def features(use_case: str, day: date) -> pd.DataFrame:
    """The features of a scoring date, one row per entity in scope.

    Raises:
        HistoryError: they are not built, or were made from other tables.
    """
    bench = _open(use_case)
    snapshot = bench.datasets.require_features([bench.use_case.clock.require(day)], until=day)[0]
    return bench.datasets.store.read(snapshot).to_pandas()


def labelled(use_case: str, day: date) -> pd.DataFrame:
    """The features of a scoring date whose outcome is known, with its label (1.0, 0.0, NaN for undecided).

    Raises:
        HistoryError: features or labels are not built, or the outcome has not matured.
    """
    bench = _open(use_case)
    (week,) = bench.datasets.require_labels([day], until=day + bench.use_case.clock.lag)
    labels = bench.datasets.store.read(week).drop_columns(SCORING_DATE).to_pandas().astype({LABEL: "float64"})
    return features(use_case, day).merge(labels, on=bench.use_case.problem.entity, how="left", validate="one_to_one")


def base_rates(use_case: str, *, until: date) -> pd.DataFrame:
    """How many of those in scope the target came true for, by scoring date.

    Returns:
        One row per scoring date whose outcome was known at the date given: scoring_date, rows, undecided, positives,
        base_rate (0..1 of the decided; NaN where there is none).
    """
    bench = _open(use_case)
    clock = bench.use_case.clock
    days = [day for day in clock.dates_until(until) if day + clock.lag <= until]
    rows = []
    for day, snapshot in zip(days, bench.datasets.require_labels(days, until=until) if days else [], strict=True):
        label = bench.datasets.store.read(snapshot).column(LABEL).to_pandas()
        rows.append((day, len(label), int(label.isna().sum()), int(label.sum()), float(label.mean())))
    return pd.DataFrame(rows, columns=["scoring_date", "rows", "undecided", "positives", "base_rate"])


def champion(use_case: str) -> str | None:
    """The version in force, or None while nothing was promoted."""
    event = _open(use_case).registry.champion()
    return event.version if event else None


def calibration(use_case: str) -> pd.DataFrame:
    """What the champion predicted on its holdout and what happened, from its signed evaluation.

    Returns:
        One row per bin of similar scores, lowest first: mean_score and rate (0..1), rows.

    Raises:
        RegistryError: no version is in force, or its bundle does not verify.
        EvaluationError: its holdout could not be measured.
    """
    bench = _open(use_case)
    event = bench.registry.champion()
    if event is None:
        raise RegistryError(f"{use_case}: no version is in force. Train one with: ds-pipeline run {use_case}")
    evaluation = Evaluation.from_json(bench.registry.open(event.version).read("evaluation.json"))
    if evaluation.curves is None:
        raise EvaluationError(f"{use_case}: the holdout of {event.version} was not measured, so it has no calibration.")
    bins = [row.model_dump() for row in evaluation.curves.calibration]
    return pd.DataFrame(bins, columns=["mean_score", "rate", "rows"])


def show_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show our own errors as a message and any other with its stack trace; for sys.excepthook of a script."""
    if isinstance(error, DsPipelineError):
        sys.stderr.write(f"{error}\n")
    else:
        sys.__excepthook__(kind, error, trace)


def _open(name: str) -> Workbench:
    project = open_project()
    return open_workbench(project, load_use_case(project.configs / name))
