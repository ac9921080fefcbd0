"""How far the tables of a use case know the same people: tokens that never meet join to nothing, without an error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.errors import SourceError
from ds_pipeline.use_case.sources import Sources

MET_BY_FEW = 0.5  # of the tokens of a table; below it the join is worth a look
FEWEST = 20  # tokens from which none that meets is no accident
ReadTokens = Callable[[str, str], pa.ChunkedArray]  # table name and alias to the tokens of its rows


@dataclass(frozen=True)
class Overlap:
    """How many different tokens of a column are in the table that knows the people of their domain."""

    table: str
    column: str
    other: str
    met: int
    of: int

    def __str__(self) -> str:
        return (
            f"{self.met / self.of:.0%} of {self.table}.{self.column} are in {self.other} ({self.met:,} of {self.of:,} "
            "different ones)"
        )


def find_overlaps(sources: Sources, read: ReadTokens) -> list[Overlap]:
    """For each domain of tokens how far its columns meet the table of versions whose entity it is.

    Without such a table the one with the most tokens stands for it. A column without any token is left out.
    """
    columns: dict[str, list[tuple[str, str]]] = {}
    for name, table in sources.tables.items():
        for alias, domain in table.tokens.items():
            columns.setdefault(domain, []).append((name, alias))
    overlaps = []
    for places in columns.values():
        if len({name for name, _ in places}) < 2:
            continue
        tokens = {place: pc.drop_null(pc.unique(read(*place))) for place in places}
        owners = [(name, alias) for name, alias in places if sources.tables[name].entity == [alias]]
        owner = owners[0] if owners else max(places, key=lambda place: len(tokens[place]))
        for (name, alias), here in tokens.items():
            if name != owner[0] and len(here):
                met = pc.sum(pc.is_in(here, tokens[owner])).as_py() or 0
                overlaps.append(Overlap(name, alias, owner[0], met, len(here)))
    return overlaps


def require_joins(overlaps: list[Overlap]) -> list[str]:
    """Warnings about tables that hardly meet.

    Raises:
        SourceError: of some table no token is known where it should be.
    """
    apart = [str(overlap) for overlap in overlaps if overlap.met == 0 and overlap.of >= FEWEST]
    why = "Are both the same key, written the same way: type, leading zeros, prefixes, upper and lower case?"
    if apart:
        raise SourceError(f"sources.yaml: tables that share a token_domain do not join: {'; '.join(apart)}. {why}")
    return [f"{overlap}. {why}" for overlap in overlaps if overlap.met < MET_BY_FEW * overlap.of]
