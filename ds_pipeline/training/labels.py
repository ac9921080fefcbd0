"""Labels: what happened to the population of a scoring date within the horizon, once that is known.

A label is 1, 0, or null where the data cannot tell: undecided. Beside it stands how it was decided, and whether the
entity was treated by a campaign within the horizon, whose effect the label then shows as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.errors import TrainingError
from ds_pipeline.store.asof import AsOfTables
from ds_pipeline.use_case.features import DECIDED_BY, IS_TREATED, LABEL, SCORING_DATE

LABEL_SQL = "label.sql"
MOST_WAYS = 20  # that a label can be decided; more are no ways but cells of a table
NOT_SAID = "not said"


def labels_schema(entity: str) -> pa.Schema:
    """scoring_date, the entity, the label (1: the target happened; null: undecided), decided_by and is_treated."""
    return pa.schema(
        [
            (SCORING_DATE, pa.date32()),
            (entity, pa.string()),
            (LABEL, pa.int8()),
            (DECIDED_BY, pa.string()),
            (IS_TREATED, pa.bool_()),
        ]
    )


def assign_labels(tables: AsOfTables, day: date, population: pa.ChunkedArray) -> pa.Table:
    """The labels of one scoring date.

    Args:
        tables: advanced to the day by this call; it also opens the label window.
        population: the entities of the day's features partition.

    Returns:
        One row per member of the population, sorted by entity. A label.sql that gives no decided_by leaves it null;
        one that gives no is_treated knows of no campaign: false.

    Raises:
        TrainingError: label.sql gives a member no row, two, a label that is not 0, 1 or null, an is_treated that is
            null, or more ways to decide than anyone can read.
    """
    use_case = tables.use_case
    entity = use_case.problem.entity
    tables.advance_to(day)
    tables.open_future(use_case.label_sql)
    tables.set_population(population)
    answers = tables.select(use_case.label_sql, where="label.sql")
    labels = answers[LABEL].cast(pa.int64())
    faults = _faults(labels, answers[entity], population)
    if faults:
        raise TrainingError(
            f"label.sql at {day}: expected one label, 0, 1 or null, for each of the {len(population):,} members of the "
            f"population; found {'; '.join(faults)}."
        )
    columns = {
        SCORING_DATE: pa.array([day] * len(labels), pa.date32()),
        entity: answers[entity],
        LABEL: labels,
        DECIDED_BY: _ways(answers, day),
        IS_TREATED: _treated(answers, day),
    }
    return pa.table(columns).cast(labels_schema(entity)).sort_by(entity)


def join_parts(day: date, parts: Sequence[pa.Table], *, entity: str) -> pa.Table:
    """The labels of one scoring date from those of each bucket, as assign_labels returns them."""
    if len(parts) == 1:
        return parts[0]
    labels = pa.concat_tables(parts).sort_by(entity)
    _require_few_ways(labels[DECIDED_BY], day)
    return labels


def _faults(labels: pa.ChunkedArray, members: pa.ChunkedArray, population: pa.ChunkedArray) -> list[str]:
    """What is wrong with the labels of a population, each with what to do; empty if nothing is."""
    rows, expected = Counter(members.to_pylist()), set(population.to_pylist())
    counts = {
        "labels that are neither 0, 1 nor null (1 where the target happened, such as (count(*) > 0)::int)": (
            pc.sum(pc.invert(pc.is_in(labels, pa.array([0, 1, None], pa.int64())))).as_py() or 0
        ),
        "members with more than one row (a join repeats them: group by the entity)": sum(n > 1 for n in rows.values()),
        "members without a row (start from population, and LEFT JOIN future.*)": len(expected - rows.keys()),
        "entities that are not of the population (start from population)": len(rows.keys() - expected),
    }
    return [f"{count:,} {fault}" for fault, count in counts.items() if count]


def undecided(labels: pa.Table) -> int:
    """How many labels are null."""
    return labels[LABEL].null_count


def positives(labels: pa.Table) -> int:
    """How many labels are 1."""
    return pc.sum(labels[LABEL]).as_py() or 0


def treated(labels: pa.Table) -> int:
    """How many entities a campaign treated within the horizon."""
    return pc.sum(labels[IS_TREATED]).as_py() or 0


def count_ways(labels: pa.Table) -> dict[str, int]:
    """Rows by how they were decided, the most frequent first."""
    counts = Counter(NOT_SAID if way is None else way for way in labels[DECIDED_BY].to_pylist())
    return dict(sorted(counts.items(), key=lambda counted: (-counted[1], counted[0])))


def _ways(answers: pa.Table, day: date) -> pa.Array | pa.ChunkedArray:
    if DECIDED_BY not in answers.column_names:
        return pa.nulls(answers.num_rows, pa.string())
    _require_few_ways(answers[DECIDED_BY], day)
    return answers[DECIDED_BY]


def _require_few_ways(ways: pa.ChunkedArray, day: date) -> None:
    different = pc.count_distinct(ways).as_py()
    if different > MOST_WAYS:  # they are shown in the UI, so that cells of a table must not get in
        raise TrainingError(
            f"label.sql at {day}: expected at most {MOST_WAYS} different values of {DECIDED_BY}, found {different:,}. "
            "Name the rule that decided, such as 'cancellation on record', not a value of the data."
        )


def _treated(answers: pa.Table, day: date) -> pa.Array | pa.ChunkedArray:
    if IS_TREATED not in answers.column_names:
        return pa.repeat(pa.scalar(False), answers.num_rows)
    flags = answers[IS_TREATED]
    if flags.null_count:
        raise TrainingError(
            f"label.sql at {day}: {IS_TREATED} is null in {flags.null_count:,} of {answers.num_rows:,} rows; expected "
            "true or false. Use coalesce: who is on no list of a campaign was not treated."
        )
    return flags
