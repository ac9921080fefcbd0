"""The list the consumer receives, in the contract's schema. The one place where an identifier comes back, in memory."""

from __future__ import annotations

import pandas as pd
import pyarrow as pa

from ds_pipeline.errors import ScoringError
from ds_pipeline.scoring.score import CAMPAIGN
from ds_pipeline.store import encode
from ds_pipeline.use_case.contract import Contract

ARROW_TYPES = {"string": pa.string(), "integer": pa.int64(), "double": pa.float64(), "date": pa.date32()}


def campaign_list(scores: pd.DataFrame, contract: Contract, *, entity: str, identifiers: pd.Series | None) -> pa.Table:
    """The chosen rows of a week's scores, in the columns the contract names.

    Args:
        scores: from score_week, or read back from the prediction log.
        identifiers: the consumer's own identifiers, indexed by token; None if the contract asks for none.

    Raises:
        ScoringError: a chosen token has no identifier, or a value does not fit the contract's type.
    """
    chosen = scores[scores["decision"] == CAMPAIGN]
    columns = {}
    for name, column in contract.columns.items():
        values = _re_attach(chosen[entity], identifiers) if column.origin == "identifier" else chosen[column.origin]
        try:
            columns[name] = pa.array(values.tolist()).cast(ARROW_TYPES[column.type])
        except (pa.ArrowException, TypeError) as error:
            raise ScoringError(
                f"contract.yaml: columns.{name}: the values are not of type {column.type}. Correct the type."
            ) from error
    return pa.table(columns)


def render(table: pa.Table, file_format: str) -> bytes:
    """The list as the bytes of a CSV or parquet file."""
    if file_format == "parquet":
        return encode(table)
    return table.to_pandas(date_as_object=True).to_csv(index=False, lineterminator="\n").encode()


def _re_attach(tokens: pd.Series, identifiers: pd.Series | None) -> pd.Series:
    found = tokens.map(identifiers) if identifiers is not None else pd.Series(index=tokens.index, dtype=object)
    if found.isna().any():
        raise ScoringError(
            f"{found.isna().sum():,} of {len(tokens):,} chosen customers have no identifier in the source that "
            "contract.yaml names. Nothing was delivered; check identifier there, and that the key has not changed."
        )
    return found
