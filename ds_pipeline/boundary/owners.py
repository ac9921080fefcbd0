"""Whom the texts of a table are about: the identifiers of each customer, read in memory, to be masked in their texts.

A text's row names its customer by number; name, address and the rest stand in another row, often of another table.
They are used from the week on in which they became known, so that a past week comes out the same when it is rebuilt.
"""

from collections.abc import Callable
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa

from ds_pipeline.ingestion.ingest import known_before, known_values
from ds_pipeline.ingestion.read import read_source
from ds_pipeline.masking.columns.tokens import canonical_text
from ds_pipeline.masking.people.owners import OwnerIndex, RowOwners
from ds_pipeline.workbench import Workbench

# From rows, identities included, and the number of the week in which each became known, to the owner of each.
OwnersOf = Callable[[pd.DataFrame, np.ndarray], RowOwners]


def owners_in(bench: Workbench, name: str, raw: pa.Table, *, before: datetime | None) -> OwnersOf | None:
    """How the owner of each row of a table with texts is found; None where it has no text or no person.

    What the sources know of its people is read here, once for all of its rows.

    Args:
        raw: the table as it was read: of a file all of its rows, which then need not be read again.
        before: use nothing that became known at this instant or later.
    """
    sources, entity = bench.use_case.sources, bench.use_case.problem.entity
    table = sources.tables[name]
    tables, person = sources.owner_tables(name, entity=entity), table.person(entity)
    if not tables or person is None:
        return None
    domain, own = table.tokens[person], None if table.format == "query" else raw
    known = pd.concat(
        [_identifiers(bench, other, domain, before=before, raw=own if other == name else None) for other in tables]
    )

    def owners_of(frame: pd.DataFrame, weeks: np.ndarray) -> RowOwners:
        ids = canonical_text(frame[person])
        return OwnerIndex.from_frame(known[known["id"].isin(ids)]).rows(ids, pd.Series(weeks, index=ids.index))

    return owners_of


def _identifiers(
    bench: Workbench, name: str, domain: str, *, before: datetime | None, raw: pa.Table | None
) -> pd.DataFrame:
    """One row per identifier that a table has of a person: id, kind, value, and the week from which it is known."""
    table = bench.use_case.sources.tables[name]
    person = next(alias for alias, other in table.tokens.items() if other == domain)
    if raw is None:
        raw = read_source(table, name=name, project=bench.project.root)
    if before is not None:
        raw = known_before(raw, table, moment=before)
    values = known_values(raw, table, list(table.held), name=name, clock=bench.use_case.clock)
    ids = canonical_text(values[person])
    known = [
        pd.DataFrame({"id": ids, "kind": kind, "value": values[alias].astype(object), "known_from": values["week"]})
        .dropna(subset=["id", "value"])
        .groupby(["id", "kind", "value"], as_index=False, sort=False)["known_from"]
        .min()
        for alias, kind in table.held.items()
    ]
    return pd.concat(known, ignore_index=True)
