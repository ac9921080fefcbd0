"""k-anonymity: how many people share each combination of the quasi-identifiers that a table keeps.

Whoever knows these columns of a person finds at least k people who fit. It says nothing of what all k have in common,
nor of what a person's events give away. Rows are never changed here: who declares the columns decides which to widen.

Source: L. Sweeney, k-anonymity: a model for protecting privacy, Int. J. Uncertainty, Fuzziness and Knowledge-Based
Systems 10 (2002), 557-570.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import pyarrow as pa

from ds_pipeline.errors import AnonymityError
from ds_pipeline.sql import sandbox
from ds_pipeline.use_case.sources import Column, KAnonymity, Table


@dataclass(frozen=True)
class Groups:
    """The people who share a combination, in groups.

    Attributes:
        smallest: people in the smallest group; 0 where there is nobody.
        people_below: people who are in a group of fewer than k.
    """

    smallest: int
    people_below: int


@dataclass(frozen=True)
class Anonymity:
    """What k-anonymity finds in one table.

    Attributes:
        columns: the quasi-identifiers.
        people: how many people there are.
        groups: by all columns together.
        without: by all but the named column; the column that helps most when it is widened comes first.
    """

    limit: KAnonymity
    columns: list[str]
    people: int
    groups: Groups
    without: dict[str, Groups]

    @property
    def is_judged(self) -> bool:
        """Whether there are enough people to judge; with fewer the figures are only reported."""
        return self.people >= max(1, self.limit.from_entities)

    @property
    def is_broken(self) -> bool:
        return self.is_judged and self.groups.smallest < self.limit.k

    def figures(self) -> dict[str, str | int]:
        """What a person or a check wants to know of it."""
        return {
            "columns": ", ".join(self.columns),
            "people": self.people,
            "smallest_group": self.groups.smallest,
            "people_in_groups_below_k": self.groups.people_below,
            "k": self.limit.k,
            "is_judged": self.is_judged,
        }


def measure_anonymity(view: pa.Table, *, quasi: Sequence[str], person: str, limit: KAnonymity) -> Anonymity:
    """Count the people behind each combination of values; a missing value is a value.

    Args:
        view: the table as SQL sees it at a scoring date, one row per entity for versions and all rows for events; it
            has the columns `quasi` and `person`.
        quasi: the quasi-identifiers, at least one.
        person: the token by which people are counted. Someone with several combinations counts in each; a row without
            a token is of nobody.
    """
    with sandbox.connect("UTC") as connection:
        sandbox.create_table(connection, "people", view.select([*quasi, person]))
        together = _count(connection, quasi, person=person, k=limit.k)
        rest = {column: [other for other in quasi if other != column] for column in quasi}
        without = {column: _count(connection, others, person=person, k=limit.k) for column, others in rest.items()}
        people = connection.execute(f"SELECT count(DISTINCT {sandbox.quoted(person)}) FROM people").fetchall()[0][0]
    best_first = sorted(without, key=lambda column: (without[column].people_below, -without[column].smallest, column))
    return Anonymity(limit, list(quasi), people, together, {column: without[column] for column in best_first})


def require_anonymity(found: Anonymity, table: Table, *, where: str, day: date) -> None:
    """Raise AnonymityError if a group is too small.

    Args:
        where: the limit as the user knows it, such as configs/retail_lapse/sources.yaml: tables.customers.k_anonymity.
        day: the scoring date at which it was measured.
    """
    if not found.is_broken:
        return
    k, by_alias = found.limit.k, table.kept
    advice = "\n".join(
        f"  - {column} ({_how_to_widen(by_alias[column])}): without it the smallest group has "
        f"{groups.smallest:,} and {groups.people_below:,} are in groups below {k}"
        for column, groups in found.without.items()
    )
    raise AnonymityError(
        f"{where}: at least {k} people must share each combination of {', '.join(found.columns)}. At {day} the "
        f"smallest group has {found.groups.smallest:,}, and {found.groups.people_below:,} of {found.people:,} people "
        f"are in groups below {k}. Nothing was written. Widen a column in sources.yaml; the one that helps most is "
        f"first:\n{advice}",
        found.figures(),
    )


def _count(connection: duckdb.DuckDBPyConnection, columns: Sequence[str], *, person: str, k: int) -> Groups:
    """The groups by the columns, all people being one where there is none; PARTITION BY takes nulls for one value."""
    token, names = sandbox.quoted(person), [sandbox.quoted(column) for column in columns]
    together = f"PARTITION BY {', '.join(names)}" if names else ""
    found = connection.execute(
        f"SELECT coalesce(min(size), 0), count(DISTINCT {token}) FILTER (size < $k) FROM ("
        f"SELECT {token}, count(*) OVER ({together}) AS size FROM ("
        f"SELECT DISTINCT {', '.join([*names, token])} FROM people WHERE {token} IS NOT NULL))",
        {"k": k},
    )
    return Groups(*found.fetchall()[0])


def _how_to_widen(column: Column) -> str:
    """The treatments that leave less of a column than the one it has."""
    match column.treatment, column.type:
        case "categories", _:
            return "fewer categories, or drop"
        case "prefix", _:
            return "categories instead, or drop"
        case "band", _:
            return "wider bands, or drop"
        case "keep", "string":
            return "categories, prefix if it is a postcode, or drop"
        case "keep", "date":
            return "band, or drop"
    return "drop"
