"""The list the consumer receives, in the contract's schema. The one place where an identifier comes back, in memory."""

from __future__ import annotations

import re

import pandas as pd
import pyarrow as pa

from ds_pipeline.errors import ScoringError
from ds_pipeline.model.top_share import top_count
from ds_pipeline.scoring.score import CAMPAIGN
from ds_pipeline.store.snapshots import encode
from ds_pipeline.use_case.contract import Contract

# What a spreadsheet takes for the start of a formula, look-alikes of other scripts included, also behind signs that
# nobody sees and behind a mark at which a spreadsheet of another language splits a line. A signed number, such as a
# phone number, is only that number to it.
_SIGNS = "=＝﹦⁼₌+＋﹢⁺₊@＠﹫－﹣−⁻₋-"
_START = r"(?:^(?![+-]\d+$)|(?<=[,;|])|(?<=.\t))"
_RUN = rf"(?=[\t\r]|[\s\u200b-\u200f\u2060\ufeff]*[{_SIGNS}])"
FORMULA = re.compile(f"{_START}{_RUN}")
PUT_THERE = re.compile(f"{_START}'{_RUN}")
# A line of the file is a customer: a line end inside a cell is shown as the picture of itself.
PICTURES = str.maketrans("\n\v\f\r", "␊␋␌␍")
FIRST = "none"  # a list that replaces no other
ARROW_TYPES = {"string": pa.string(), "integer": pa.int64(), "double": pa.float64(), "date": pa.date32()}


def campaign_list(
    scores: pd.DataFrame,
    contract: Contract,
    *,
    entity: str,
    identifiers: pd.Series | None,
    reasons: pd.DataFrame | None = None,
    replaces: str | None = None,
) -> pa.Table:
    """The chosen rows of a week's scores, in the columns the contract names.

    Args:
        scores: from score_week, or read back from the prediction log.
        identifiers: the consumer's own identifiers, indexed by token; None if the contract asks for none.
        reasons: from reasons.as_columns, at least of the chosen; None if the contract asks for none.
        replaces: the version whose list this one replaces; None where it is the first of its date.

    Returns:
        The chosen, the highest score first, without those who have no identifier; nobody takes their place.

    Raises:
        ScoringError: more of the chosen have no identifier than the contract allows, one has no reasons, or a value
            does not fit the contract's type.
    """
    chosen = scores[scores["decision"] == CAMPAIGN]
    own = pd.Series(dtype=object)
    if contract.identifier is not None:
        kinds = [ARROW_TYPES[column.type] for column in contract.columns.values() if column.origin == "identifier"]
        own = _re_attach(chosen[entity], identifiers, kinds, max_unknown_share=contract.identifier.max_unknown_share)
        chosen = chosen.loc[own.index]
    columns = {}
    for name, column in contract.columns.items():
        if column.origin == "identifier":
            values = own
        elif column.origin == "replaces":
            values = pd.Series(replaces or FIRST, index=chosen.index, dtype=object)
        elif column.place is not None:
            values = _reasons(chosen[entity], reasons, place=column.place)
        else:
            values = chosen[column.origin]
        try:
            columns[name] = pa.array(values.tolist()).cast(ARROW_TYPES[column.type])
        except (pa.ArrowException, TypeError, OverflowError):
            raise ScoringError(  # Arrow's own message quotes the value: it must not be chained
                f"contract.yaml: columns.{name}: the values are not of type {column.type}. Correct the type."
            ) from None
    return pa.table(columns)


def render(table: pa.Table, file_format: str) -> bytes:
    """The list as the bytes of a CSV or parquet file.

    In CSV texts and headers are harmless: see harmless. Parquet holds them as they are.
    """
    if file_format == "parquet":
        return encode(table)
    frame = table.to_pandas(date_as_object=True)
    for field in table.schema:
        if pa.types.is_string(field.type):
            frame[field.name] = frame[field.name].map(harmless)
    return frame.rename(columns=harmless).to_csv(index=False, lineterminator="\n").encode()


def harmless(text: str) -> str:
    """A cell of one line, with an apostrophe before what a spreadsheet would run as a formula."""
    return FORMULA.sub("'", text.translate(PICTURES))


def as_it_was(cell: str) -> str:
    """The text of which harmless made a cell, to compare it with an identifier."""
    return PUT_THERE.sub("", cell).translate({picture: sign for sign, picture in PICTURES.items()})


def _re_attach(
    tokens: pd.Series, identifiers: pd.Series | None, kinds: list[pa.DataType], *, max_unknown_share: float
) -> pd.Series:
    """The identifiers of the tokens that have one; where some may be left out, one of another type is none."""
    if identifiers is None:
        identifiers = pd.Series(dtype=object)
    # One token may stand for several spellings, such as one with a blank at its end: the newest is taken.
    attached = tokens.map(identifiers[~identifiers.index.duplicated(keep="last")])
    if max_unknown_share:
        attached = attached[[all(_is_of(value, kind) for kind in kinds) for value in attached]].reindex(tokens.index)
    unknown, allowed = int(attached.isna().sum()), int(top_count(max_unknown_share, len(tokens)))
    if unknown > allowed or (unknown and unknown == len(tokens)):
        raise ScoringError(
            f"{unknown:,} of {len(tokens):,} chosen customers have no identifier of the declared type in the source "
            f"that contract.yaml names; identifier.max_unknown_share there allows {allowed:,}. Nothing was delivered; "
            "check identifier, that the source has all its rows, and that the key has not changed."
        )
    return attached.dropna()


def _is_of(value: object, kind: pa.DataType) -> bool:
    try:
        pa.scalar(value).cast(kind)
    except (pa.ArrowException, TypeError, OverflowError):
        return False
    return True


def _reasons(tokens: pd.Series, reasons: pd.DataFrame | None, *, place: int) -> pd.Series:
    given = pd.Series(index=tokens.index, dtype=object) if reasons is None else tokens.map(reasons[place])
    if given.isna().any():
        raise ScoringError(
            f"{given.isna().sum():,} of {len(tokens):,} chosen customers have no reasons for their score, which "
            "contract.yaml promises. Nothing was delivered."
        )
    return given
