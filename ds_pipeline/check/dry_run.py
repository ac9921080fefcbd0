"""The dry run of `ds-pipeline check`: all sources across the PII boundary, and some weeks of features and labels.

Everything stays in memory. A fault raises what a run would raise.
"""

import math
import re
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from ds_pipeline.boundary.anonymity import check_anonymity
from ds_pipeline.boundary.cross import MaskedWeek, masked_weeks, say_cells
from ds_pipeline.boundary.leak_check import require_clean_table
from ds_pipeline.boundary.nobody import undeclared_nobody
from ds_pipeline.check.divisible import undivided_files
from ds_pipeline.check.findings import (
    Changed,
    FeatureFacts,
    WeekRate,
    changed_columns,
    feature_facts,
    find_warnings,
    run_seconds,
    spread,
    total_by_kind,
    week_rate,
)
from ds_pipeline.check.joins import find_overlaps, require_joins
from ds_pipeline.check.written_back import deleted_rows, single_versions, telling_gaps
from ds_pipeline.errors import ClockError, TrainingError
from ds_pipeline.features.build import build_features
from ds_pipeline.features.outside import say_outside
from ds_pipeline.features.renamed import require_blind_to_tokens
from ds_pipeline.features.schema import features_frame_schema, require_valid
from ds_pipeline.figures import counted
from ds_pipeline.ingestion.possible import NO_LIMIT, count_impossible, total_of_weeks
from ds_pipeline.masking.columns.spellings import spelled_apart
from ds_pipeline.store.asof import AsOfTables
from ds_pipeline.training.labels import assign_labels
from ds_pipeline.training.rows import join_labels, require_people, require_values
from ds_pipeline.use_case.features import LABEL, SCORING_DATE
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench

SAMPLED_WEEKS = 12
FIT_ROWS = 20_000  # of the fit that is timed
PLACEHOLDER = re.compile(r"<([A-Z][A-Z_]*?)(?:_\d+)?>")
Weeks = dict[str, list[MaskedWeek]]


@dataclass(frozen=True)
class Treated:
    """Cells of a column that a treatment replaced or left out, or identifiers of one kind in the texts of a column."""

    table: str
    column: str
    what: str
    cells: int


@dataclass(frozen=True)
class TableFacts:
    """The rows of one source.

    Attributes:
        to_come: rows of the source that became known on or after the newest date, and are not read.
        per_week: the fewest and the most rows of a week; the first week, with all that came before, left out.
        cells: with a word for nobody, and emptied ones, in words.
    """

    name: str
    read: int
    to_come: int
    per_week: tuple[int, int]
    kept: int
    quarantined: int
    suppressed: int
    cells: tuple[str, ...] = ()


@dataclass(frozen=True)
class DryRun:
    """What a dry run found.

    Attributes:
        rows_per_week: the population of the sampled dates and of the newest.
        seconds: that a full run will take, about.
    """

    tables: list[TableFacts]
    treated: list[Treated]
    rates: list[WeekRate]
    newest: tuple[date, int]
    facts: list[FeatureFacts]
    warnings: list[str]
    seconds: float


def dry_run(bench: Workbench, newest: date, *, on_table: Callable[[TableFacts], None]) -> DryRun:
    """Try the use case at the newest date and on some matured weeks.

    Args:
        on_table: told of each source once it is read, validated, masked and scanned.

    Raises:
        DsPipelineError: whatever would stop a run: a source, a treatment, tables that do not join, a leak, SQL,
            features that break features.yaml or have no value, or labels of one class only.
    """
    case = bench.use_case
    training_weeks = len(case.clock.training(newest))
    days = case.clock.dates_until(newest)
    began = time.perf_counter()
    weeks: Weeks = {}
    for name in case.sources.tables:
        weeks[name] = masked_weeks(bench, name, days)
        check_anonymity(bench, name, weeks[name])
        on_table(_facts(name, weeks[name]))
    masking = time.perf_counter() - began
    stored = {(name, week.day): week.kept for name, masked in weeks.items() for week in masked}
    unjoined = require_joins(find_overlaps(case.sources, lambda name, alias: _column(weeks[name], alias)))

    matured = case.clock.matured(newest)
    if matured is None:
        raise ClockError(f"No label has matured at {newest}: the horizon of the first date has not closed yet.")
    sampled = spread(case.clock.dates_until(matured), SAMPLED_WEEKS)
    began = time.perf_counter()
    with AsOfTables(case, lambda name, day: stored[name, day]) as tables:
        features = {day: build_features(tables, day) for day in dict.fromkeys([*sampled, newest])}
    features_seconds = time.perf_counter() - began
    frame = pa.concat_tables(features.values())
    require_valid(frame.to_pandas(), features_frame_schema(case), where="features")
    require_clean_table(bench, frame, where="features")
    require_blind_to_tokens(case, lambda name, day, _: stored[name, day], {newest: features[newest]})
    undivided = undivided_files(case, lambda name, day: stored[name, day], sampled[-1], features[sampled[-1]])
    began, entity = time.perf_counter(), case.problem.entity
    with AsOfTables(case, lambda name, day: stored[name, day]) as tables:  # features never share one with the future
        labels = {day: assign_labels(tables, day, features[day][entity]) for day in sampled}
    labels_seconds = time.perf_counter() - began
    rates = [week_rate(day, labels[day][LABEL].to_pandas()) for day in sampled]
    _require_both_classes(case, rates)

    rows = join_labels([features[day] for day in labels], list(labels.values()), entity=entity)
    require_values(rows, case.features, of=f"the {len(sampled)} sampled weeks")
    require_people(rows, case, of=f"the {len(sampled)} sampled weeks")
    # What an input tells of the weeks that a candidate is judged on is left to the judging, which is counted.
    before = rows[rows[SCORING_DATE] < case.clock.holdout(newest)[0]]
    facts = feature_facts(before, case.features)
    changed = _changed(case, weeks)
    per_week = features_seconds / len(features) + labels_seconds / len(labels)
    fits = _fit_seconds(case, rows, rates, training_weeks)
    return DryRun(
        tables=[_facts(name, masked) for name, masked in weeks.items()],
        treated=[treated for name, masked in weeks.items() for treated in _treated(case, name, masked)],
        rates=rates,
        newest=(newest, features[newest].num_rows),
        facts=facts,
        warnings=[
            *unjoined,
            *undivided,
            *(line for name in weeks for line in undeclared_nobody(bench, name, (week.kept for week in weeks[name]))),
            *(line for name in weeks for line in _spellings(case, name, weeks[name])),
            *_written_back(case, weeks, before),
            *_impossible(case, stored, days),
            *filter(None, [say_outside(features.values())]),
            *find_warnings(case, rates, facts, changed, training_weeks=training_weeks),
        ],
        seconds=run_seconds(
            masking=masking, per_week=per_week, fits=fits, weeks=len(days), tables=len(case.sources.tables)
        ),
    )


def _facts(name: str, weeks: list[MaskedWeek]) -> TableFacts:
    read = [week.read for week in weeks]
    return TableFacts(
        name=name,
        read=sum(read),
        to_come=max(0, weeks[-1].source_rows - sum(read)),
        per_week=(min(read[1:] or read), max(read[1:] or read)),
        kept=sum(week.kept.num_rows for week in weeks),
        quarantined=sum(week.quarantined.num_rows for week in weeks),
        suppressed=sum(week.suppressed for week in weeks),
        cells=tuple(say_cells(weeks)),
    )


def _require_both_classes(case: UseCase, rates: list[WeekRate]) -> None:
    """Raise TrainingError where label.sql sees no positive, or nothing else, in any sampled week."""
    rows, positives = sum(week.rows - week.undecided for week in rates), sum(week.positives for week in rates)
    where, window = f"configs/{case.name}/label.sql", f"the {case.problem.horizon_days} days from each scoring date on"
    span = f"{len(rates)} weeks from {rates[0].day} to {rates[-1].day}"
    if positives == 0:
        raise TrainingError(
            f"{where}: no positive among {rows:,} labels of {span}; a model needs both outcomes. Check the condition "
            f"against the values and the spelling in the data, and that future.* holds what decides within {window}."
        )
    if positives == rows:
        raise TrainingError(
            f"{where}: all {rows:,} labels of {span} are positive; a model needs both outcomes. Does the query count "
            f"future.* (the rows within {window}), and start from population?"
        )


def _treated(case: UseCase, name: str, weeks: list[MaskedWeek]) -> list[Treated]:
    """What the treatments did to each column, and the kinds of identifiers that were found in texts; counts only."""
    table = case.sources.tables[name]
    rows = sum(week.kept.num_rows for week in weeks)
    treated = []
    for column in table.columns.values():
        if column.treatment == "keep" or (column.treatment == "drop" and column.identifies == "no"):
            continue
        what = f"{column.treatment} {column.held.replace('_', ' ')}" if column.held else column.treatment
        if column.treatment == "drop":
            treated.append(Treated(name, column.alias, what, rows))
            continue
        values = _column(weeks, column.alias)
        treated.append(Treated(name, column.alias, what, len(values) - values.null_count))
        if column.treatment == "redact":
            texts = values.filter(pc.match_substring(values, "<")).to_pylist()  # a withheld one counts as that kind
            kinds = Counter(kind for text in texts for kind in PLACEHOLDER.findall(text))
            treated += [Treated(name, column.alias, f"found {kind}", n) for kind, n in total_by_kind(kinds).items()]
    return treated


def _column(weeks: list[MaskedWeek], alias: str) -> pa.ChunkedArray:
    """A column of text in all weeks."""
    return pa.chunked_array([week.kept[alias].combine_chunks() for week in weeks], pa.string())


def _spellings(case: UseCase, name: str, weeks: list[MaskedWeek]) -> list[str]:
    """Warnings about columns with values that differ in nothing but case or blanks: SQL takes them for different."""
    warnings = []
    for alias, column in case.sources.tables[name].kept.items():
        if column.type != "string" or column.treatment != "keep":
            continue
        counts = pc.value_counts(_column(weeks, alias)).to_pylist()
        values, rows = spelled_apart({one["values"]: one["counts"] for one in counts if one["values"] is not None})
        if values:
            warnings.append(
                f"{name}.{alias}: {counted(values, 'value')} written in more than one way, {counted(rows, 'row')} not "
                f"as most (capitals, blanks). SQL compares exactly: write lower(trim({alias})) where it is compared, "
                "or correct the source."
            )
    return warnings


def _impossible(case: UseCase, stored: Mapping[tuple[str, date], pa.Table], days: list[date]) -> list[str]:
    """Warnings about events that cannot have been, and about people of whom no limit is known."""
    until = {day: days[: number + 1] for number, day in enumerate(days)}
    warnings = []
    for name, table in case.sources.tables.items():
        weeks = {day: stored[name, day] for day in days}
        by_week = count_impossible(
            name,
            case.sources,
            weeks,
            read_week=lambda other, day: stored[other, day],
            until=until,
            begins=case.clock.instant,
        )
        limits = table.possible.limits if table.possible else {}
        total = total_of_weeks(by_week.values())
        for kind in (kind for kind in (*limits, NO_LIMIT) if total.get(kind)):
            limit = limits.get(kind) or limits["not_before"]
            what = f"{total[kind]:,} of {sum(week.num_rows for week in weeks.values()):,} rows of {name}"
            at = f"{limit.table}.{limit.column}"
            warnings.append(
                f"{what}: no {at} of their person was known by the end of their week, so that nothing tells whether "
                "they can have been."
                if kind == NO_LIMIT
                else f"{what} cannot have been: {kind.replace('_', ' ')} {at} of their person. They stay; see whether "
                "the times of both tables are in the declared time zones."
            )
    return warnings


def _written_back(case: UseCase, weeks: Weeks, rows: pd.DataFrame) -> list[str]:
    warnings = []
    for name, table in case.sources.tables.items():
        by_day = {week.day: week.kept for week in weeks[name]}
        if table.kind == "versions":
            versions = pa.concat_tables(by_day.values()).select(table.entity).to_pandas()
            warnings += single_versions(case, name, versions)
        else:
            warnings += deleted_rows(case, name, by_day, lambda register, alias: _column(weeks[register], alias))
    return [*warnings, *telling_gaps(rows, case.features)]


def _changed(case: UseCase, weeks: Weeks) -> list[Changed]:
    changed = []
    for name, table in case.sources.tables.items():
        entity = table.person(case.problem.entity)
        if table.kind == "versions" and entity is not None:
            rows = pa.concat_tables([week.kept for week in weeks[name]]).to_pandas()
            changed += changed_columns(name, table, rows, entity)
    return changed


def _fit_seconds(case: UseCase, rows: pd.DataFrame, rates: list[WeekRate], training_weeks: int) -> float:
    """The time of the search and of the calibrated fit, from one fit on some of the rows; it grows with the rows."""
    numbers = case.features.inputs_of("int64", "float64", "bool")
    known = rows[rows[LABEL].notna()].iloc[:: max(1, len(rows) // FIT_ROWS)]
    numbers = [name for name in numbers if known[name].notna().any()]  # a rare one may have no value in these rows
    if not numbers or known[LABEL].nunique() < 2:
        return 0.0
    space, training = case.training.search_space, case.training
    model = HistGradientBoostingClassifier(
        max_iter=int((space.max_iter.low + space.max_iter.high) / 2),
        max_leaf_nodes=int(math.sqrt(space.max_leaf_nodes.low * space.max_leaf_nodes.high)),
        learning_rate=math.sqrt(space.learning_rate.low * space.learning_rate.high),
        random_state=training.seed,
    )
    began = time.perf_counter()
    with threadpool_limits(limits=1):
        model.fit(known[numbers].astype(float), known[LABEL].astype(int))
    seconds = time.perf_counter() - began
    per_week = float(np.mean([rate.rows for rate in rates]))
    all_rows = per_week * training_weeks
    if training.max_train_rows is not None:
        all_rows = min(all_rows, training.max_train_rows)
    # A trial is fitted on the weeks before the validation and its embargo, a fold of the calibration on all but itself.
    searched = max(0.1, 1 - (training.validation_weeks + case.clock.lag_weeks - 1) / training_weeks)
    folds = training.calibration.folds
    return seconds * all_rows / len(known) * (searched * training.trials + folds - 1)
