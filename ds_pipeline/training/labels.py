"""Labels: what happened to the population of a scoring date within the horizon, once that is known."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.asof import AsOfTables
from ds_pipeline.errors import TrainingError

LABEL = "label"
SCORING_DATE = "scoring_date"


def labels_schema(entity: str) -> pa.Schema:
    """scoring_date, the entity and the label (1: the target happened)."""
    return pa.schema([(SCORING_DATE, pa.date32()), (entity, pa.string()), (LABEL, pa.int8())])


def assign_labels(tables: AsOfTables, day: date, population: pa.ChunkedArray) -> pa.Table:
    """The labels of one scoring date.

    Args:
        tables: advanced to the day by this call; it also opens the label window.
        population: the entities of the day's features partition.

    Returns:
        One row per member of the population, sorted by entity.

    Raises:
        TrainingError: label.sql gives a member no label, two, or one that is not 0 or 1.
    """
    use_case = tables.use_case
    entity = use_case.problem.entity
    tables.advance_to(day)
    tables.open_future()
    tables.set_population(population)
    found = tables.select(use_case.label_sql, where="label.sql")
    labels = found[LABEL].cast(pa.int64())
    usable = pc.all(pc.is_in(labels, pa.array([0, 1]))).as_py()  # a null is not in it
    same_members = set(found[entity].to_pylist()) == set(population.to_pylist())
    if not (usable and same_members and found.num_rows == len(population)):
        raise TrainingError(
            f"label.sql at {day}: expected one label, 0 or 1, for each of the {len(population):,} members of the "
            f"population; found {found.num_rows:,} rows. Start from population and count what future.* holds."
        )
    table = pa.table({SCORING_DATE: pa.array([day] * len(labels), pa.date32()), entity: found[entity], LABEL: labels})
    return table.cast(labels_schema(entity)).sort_by(entity)
