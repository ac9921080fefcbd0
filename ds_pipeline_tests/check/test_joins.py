"""Tables that share a domain of tokens know the same people, or say that they do not."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from ds_pipeline.check.joins import Overlap, find_overlaps, require_joins
from ds_pipeline.errors import SourceError
from ds_pipeline.use_case.sources import Sources

PEOPLE = [f"t{number}" for number in range(40)]


def declare(*names: str, versions: str | None = None) -> Sources:
    kept = {"nullable": False, "identifies": "no", "treatment": "keep", "meaning": "made up"}
    token = {"type": "string", "identifies": "direct", "treatment": "token", "token_domain": "user"}
    columns: dict[str, Any] = {"at": kept | {"type": "timestamp"}, "user": kept | token}

    def table(name: str) -> dict[str, Any]:
        kind = {"kind": "versions", "entity": ["user"], "key": ["user", "at"]} if name == versions else {}
        return {
            "meaning": "made up", "kind": "events", "path": "data/x.csv", "format": "csv", "data_class": "public",
            "synthetic": True, "time_zone": "Europe/London", "event_time": "at", "known_at": "at", "key": [],
            "entity": [], "replayable": True, "max_quarantine_share": 0.0,
            "columns": {name: {"alias": name} | column for name, column in columns.items()},
        } | kind  # fmt: skip

    return Sources.model_validate({"tables": {name: table(name) for name in names}})


def overlaps(sources: Sources, **tokens: list[str | None]) -> list[Overlap]:
    return find_overlaps(sources, lambda name, _: pa.chunked_array([tokens[name]], pa.string()))


def test_each_table_is_compared_with_the_one_of_the_people() -> None:
    found = overlaps(
        declare("orders", "people", "visits", versions="people"),
        orders=["t0", "t0", "t1", "x", None], people=PEOPLE[:3], visits=PEOPLE,
    )  # fmt: skip

    assert found == [Overlap("orders", "user", "people", 2, 3), Overlap("visits", "user", "people", 3, 40)]
    (warning,) = require_joins(found)
    assert warning.startswith("8% of visits.user are in people (3 of 40 different ones). Are both the same key")


def test_without_a_table_of_the_people_the_one_with_the_most_tokens_stands_for_it() -> None:
    assert overlaps(declare("orders", "visits"), orders=["t0"], visits=PEOPLE) == [
        Overlap("orders", "user", "visits", 1, 1)
    ]
    assert overlaps(declare("orders"), orders=["t0"]) == []


def test_tables_that_do_not_meet_at_all_are_refused() -> None:
    """Every feature of the other table had no value, and the run ended in a message of scikit-learn."""
    people = declare("orders", "people", versions="people")
    others = [f"{number}.0" for number in range(40)]

    with pytest.raises(SourceError, match=r"0% of orders\.user are in people \(0 of 40 different ones\)"):
        require_joins(overlaps(people, orders=others, people=PEOPLE))
    assert len(require_joins(overlaps(people, orders=others[:3], people=PEOPLE))) == 1  # three may be an accident
    assert require_joins(overlaps(people, orders=[None], people=PEOPLE)) == []
