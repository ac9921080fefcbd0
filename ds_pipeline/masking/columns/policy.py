"""One table through the boundary: each declared column gets its treatment, and nothing undeclared passes."""

import pandas as pd

from ds_pipeline.errors import SourceError
from ds_pipeline.masking.columns.tokens import tokenize
from ds_pipeline.masking.columns.treatments import TEN_YEARS, age_band, categories, initial, keep, prefix
from ds_pipeline.masking.people.owners import RowOwners
from ds_pipeline.masking.text.text import TextRedactor
from ds_pipeline.use_case.sources import Column, Table


def mask_table(
    frame: pd.DataFrame, table: Table, *, key: bytes, redactor: TextRedactor, owners: RowOwners | None = None
) -> pd.DataFrame:
    """The table with every column treated as declared.

    Args:
        frame: one column per declared column under its alias, typed by ingestion; columns whose name starts
            with '_' are bookkeeping. A column that is dropped may be missing.
        table: its declaration; `known_at` names the column that ages are measured at.
        key: the pseudonym key.
        redactor: for columns of free text.
        owners: whose row each text is; their identifiers are masked in it even where nothing else finds them.

    Returns:
        A new frame on the same index: declared columns in declared order without the dropped, then bookkeeping.

    Raises:
        SourceError: a column is undeclared, missing or doubled, has an unknown treatment or cannot take its own.
        KeyMissingError: the key is not fit for tokens.
    """
    columns = list(table.columns.values())
    _require_declared(frame, columns)
    texts = [column.alias for column in columns if column.treatment == "redact"]
    redacted = redactor.redact_table(frame[texts], owners) if texts else frame[texts]
    masked = {
        column.alias: redacted[column.alias] if column.alias in texts else _mask(frame, column, table, key)
        for column in columns
        if column.treatment != "drop"
    }
    declared = {column.alias for column in columns}
    bookkeeping = {name: frame[name].copy() for name in frame.columns if name not in declared}
    return pd.DataFrame(masked | bookkeeping, index=frame.index.copy())


def _mask(frame: pd.DataFrame, column: Column, table: Table, key: bytes) -> pd.Series:
    values = frame[column.alias]
    match column.treatment:
        case "keep":
            return keep(values)
        case "token" if column.token_domain:
            return tokenize(values, key=key, domain=column.token_domain)
        case "initial":
            return initial(values)
        case "prefix":
            return prefix(values)
        case "categories" if column.categories:
            return categories(values, kept=column.categories)
        case "band" if table.known_at in frame:
            return age_band(values, at=frame[table.known_at], starts=column.bands or TEN_YEARS)
    raise SourceError(
        f"Column '{column.alias}': treatment '{column.treatment}' cannot be applied. Known: drop, keep, token (needs "
        f"token_domain), initial, prefix, categories (needs a list), redact, band (needs the column known_at, "
        f"'{table.known_at}'). Correct it in sources.yaml."
    )


def _require_declared(frame: pd.DataFrame, columns: list[Column]) -> None:
    aliases = [column.alias for column in columns]
    present = list(frame.columns)
    doubled = {name for names in (aliases, present) for name in names if names.count(name) > 1}
    undeclared = {name for name in present if name not in aliases and not _is_bookkeeping(name)}
    missing = {column.alias for column in columns if column.treatment != "drop"} - set(present)
    faults = {"not declared": undeclared, "declared but missing": missing, "there more than once": doubled}
    if any(faults.values()):
        found = "; ".join(f"{fault}: {', '.join(sorted(map(str, names)))}" for fault, names in faults.items() if names)
        raise SourceError(
            f"The columns of the table are not those of sources.yaml ({found}). Declare each column with a "
            "treatment, 'drop' included; what is not declared does not pass."
        )


def _is_bookkeeping(name: object) -> bool:
    return str(name).startswith("_")
