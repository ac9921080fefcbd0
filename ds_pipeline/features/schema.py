"""The pandera schema of a features partition, made from features.yaml; applied when written and before scoring."""

from __future__ import annotations

import pandas as pd
import pandera.errors
import pandera.pandas as pa

from ds_pipeline.errors import FeatureError
from ds_pipeline.use_case.features import SCORING_DATE, Feature, names_identifier
from ds_pipeline.use_case.load import UseCase

ABOUT_COLUMNS = ["column_in_schema", "column_in_dataframe", "column_ordered"]  # of these the case is a column's name


def features_frame_schema(use_case: UseCase) -> pa.DataFrameSchema:
    """Strict: exactly these columns in this order, with type, nulls, range and categories as declared."""
    entity = use_case.problem.entity
    columns = {
        SCORING_DATE: pa.Column(nullable=False),
        entity: pa.Column(nullable=False, checks=pa.Check.str_length(min_value=1)),
    }
    columns |= {name: _column(feature) for name, feature in use_case.features.features.items()}
    return pa.DataFrameSchema(columns, strict=True, ordered=True, unique=[SCORING_DATE, entity])


def require_valid(frame: pd.DataFrame, schema: pa.DataFrameSchema, *, where: str) -> None:
    """Raise FeatureError, with every column, check and count that fails, unless the frame fits the schema.

    Args:
        frame: one or more features partitions.
        where: what the message calls the frame.
    """
    identifiers = sorted(name for name in frame.columns if names_identifier(name) and name not in schema.columns)
    if identifiers:
        raise FeatureError(f"{where}: identifier columns found: {', '.join(identifiers)}. Remove them from the SQL.")
    try:
        schema.validate(frame, lazy=True)
    except pandera.errors.SchemaErrors as errors:
        # failure_cases holds the values themselves: only columns, checks and counts may leave.
        cases = errors.failure_cases
        about_columns = cases["check"].isin(ABOUT_COLUMNS)
        cases = cases.assign(column=cases["column"].mask(about_columns, cases["failure_case"]))
        counts = cases.groupby(["column", "check"], dropna=False, sort=True).size()
        lines = "\n".join(f"  - {column}: {check}: {count:,} rows" for (column, check), count in counts.items())
        raise FeatureError(
            f"{where}: the features break features.yaml:\n{lines}\nCorrect the SQL, or the declared range."
        ) from None


def _column(feature: Feature) -> pa.Column:
    checks = []
    if feature.minimum is not None and feature.maximum is not None:
        checks.append(pa.Check.in_range(feature.minimum, feature.maximum))
    if feature.categories is not None:
        checks.append(pa.Check.isin(feature.categories))
    # With a null among them pandas turns integers into floats and booleans into objects; without, it does not.
    if feature.nullable and feature.dtype == "int64":
        checks.append(pa.Check(lambda values: values % 1 == 0, name="is_whole"))
    elif feature.nullable and feature.dtype == "bool":
        checks.append(pa.Check.isin([True, False]))
    is_fixed = feature.dtype == "float64" or not (feature.holds_text or feature.nullable)
    return pa.Column(feature.dtype if is_fixed else None, checks=checks, nullable=feature.nullable)
