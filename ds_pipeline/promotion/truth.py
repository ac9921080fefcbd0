"""The true probability of a simulated population, joined to the holdout behind the PII boundary; never an input."""

from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from ds_pipeline.errors import EvaluationError
from ds_pipeline.masking.columns.tokens import tokenize
from ds_pipeline.use_case.features import SCORING_DATE
from ds_pipeline.use_case.problem import Truth
from ds_pipeline.workbench import Workbench

PROBABILITY = "true_probability"


def true_probability(bench: Workbench, rows: pd.DataFrame) -> pd.Series | None:
    """The true probability of each row (0..1), with the index of the rows; None where the use case knows of none.

    The entity in the file is an identifier; it becomes a token here, in memory, as it does at the boundary.

    Args:
        rows: scoring_date and the entity, each pair once.

    Raises:
        EvaluationError: the file is missing, is another, or does not hold every row exactly once.
    """
    truth = bench.use_case.problem.truth
    if truth is None:
        return None
    entity = bench.use_case.problem.entity
    known = _read(bench, truth, sorted(set(rows[SCORING_DATE])))
    known[entity] = tokenize(known[entity], key=bench.key, domain=_domain(bench, entity))
    key = [SCORING_DATE, entity]
    known = known[pd.MultiIndex.from_frame(known[key]).isin(pd.MultiIndex.from_frame(rows[key]))]
    twice = int(known.duplicated(key).sum())
    if twice:
        raise EvaluationError(f"{_where(truth)}: {twice:,} rows of the holdout are there twice. {_again(bench)}")
    found = rows[key].merge(known, on=key, how="left", validate="one_to_one")[PROBABILITY]
    missing = int(found.isna().sum())
    if missing:
        raise EvaluationError(
            f"{_where(truth)}: {missing:,} of {len(rows):,} rows of the holdout have no probability there, so it is "
            f"the truth of other tables. {_again(bench)}"
        )
    return found.set_axis(rows.index)


def _read(bench: Workbench, truth: Truth, days: list[date]) -> pd.DataFrame:
    """scoring_date, the entity as it is in the file, and the probability, of some dates."""
    path = bench.project.root / truth.path
    if not path.is_file():
        raise EvaluationError(f"{_where(truth)}: the file is not there. {_again(bench)}")
    names = {
        SCORING_DATE: truth.scoring_date,
        bench.use_case.problem.entity: truth.entity,
        PROBABILITY: truth.probability,
    }
    try:
        dataset = ds.dataset(path, format="parquet")
        missing = sorted(set(names.values()) - set(dataset.schema.names))
        if missing:
            raise EvaluationError(f"{_where(truth)}: there is no column {', '.join(missing)}. Correct problem.yaml.")
        is_asked = pc.field(truth.scoring_date).cast(pa.date32()).isin(pa.array(days, pa.date32()))
        found = dataset.to_table(columns={name: pc.field(column) for name, column in names.items()}, filter=is_asked)
        dates, probabilities = found[SCORING_DATE].cast(pa.date32()), found[PROBABILITY].cast(pa.float64())
    except pa.ArrowException:  # its message may quote a cell, or name a folder of this machine
        raise EvaluationError(
            f"{_where(truth)}: expected a parquet file in which {truth.scoring_date} holds dates and "
            f"{truth.probability} numbers; it cannot be read as one. {_again(bench)}"
        ) from None
    entities = found[bench.use_case.problem.entity].to_pandas()
    return pd.DataFrame(
        {
            SCORING_DATE: dates.to_pandas(date_as_object=True),
            bench.use_case.problem.entity: entities,
            PROBABILITY: probabilities.to_pandas(),
        }
    )


def _domain(bench: Workbench, entity: str) -> str:
    return next(table.tokens[entity] for table in bench.use_case.sources.tables.values() if entity in table.tokens)


def _where(truth: Truth) -> str:
    return f"problem.yaml: truth ({truth.path})"


def _again(bench: Workbench) -> str:
    return f"Make it anew, with its tables: ds-pipeline simulate {bench.use_case.name} --force"
