"""How many people share what is kept of them, and what a user is told to widen."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa
import pytest

from ds_pipeline.errors import AnonymityError
from ds_pipeline.masking.columns.k_anonymity import Anonymity, Groups, measure_anonymity, require_anonymity
from ds_pipeline.use_case.sources import KAnonymity, Table

DAY = date(2011, 12, 5)
WHERE = "configs/shop/sources.yaml: tables.people.k_anonymity"
KEPT = {"nullable": True, "treatment": "keep", "meaning": "made up"}
# (N, 30-39) is shared by a, b and c, (N, 40-49) by d and e; f is alone.
PEOPLE = pa.table(
    {
        "token": ["a", "b", "c", "d", "e", "f"],
        "area": ["N", "N", "N", "N", "N", "SW"],
        "age_band": ["30-39", "30-39", "30-39", "40-49", "40-49", "40-49"],
    }
)


def measure(view: pa.Table = PEOPLE, *, k: int = 2, quasi: tuple[str, ...] = ("area", "age_band"), **limit: int) -> Any:
    return measure_anonymity(view, quasi=quasi, person="token", limit=KAnonymity(k=k, **limit))


@pytest.fixture
def table(declare_people: Callable[..., Table]) -> Table:
    return declare_people()


@pytest.fixture
def declare_people() -> Callable[..., Table]:
    def declare(**area: Any) -> Table:
        columns = {
            "No": {"alias": "token", "type": "string", "identifies": "direct", "treatment": "token"}
            | {"token_domain": "person", "nullable": False, "meaning": "made up"},
            "Area": KEPT | {"alias": "area", "type": "string", "identifies": "quasi"} | area,
            "Born": KEPT | {"alias": "age_band", "type": "date", "identifies": "sensitive", "treatment": "band"},
            "At": KEPT | {"alias": "at", "type": "timestamp", "identifies": "no", "nullable": False},
        }
        return Table.model_validate(
            {
                "meaning": "a person", "kind": "events", "path": "data/p.csv", "format": "csv", "data_class": "public",
                "synthetic": True, "time_zone": "UTC", "event_time": "at", "known_at": "at", "key": [], "entity": [],
                "replayable": True, "max_quarantine_share": 0.0, "k_anonymity": {"k": 2}, "columns": columns,
            }
        )  # fmt: skip

    return declare


def test_the_smallest_group_and_the_people_below_k_are_counted() -> None:
    assert measure().groups == Groups(smallest=1, people_below=1)
    assert measure(k=3).groups == Groups(smallest=1, people_below=3)
    assert measure(k=4).groups == Groups(smallest=1, people_below=6)
    assert measure().people == 6


def test_a_person_with_many_rows_counts_once() -> None:
    many = pa.concat_tables([PEOPLE, PEOPLE.slice(5), PEOPLE.slice(5)])

    assert measure(many) == measure()


def test_a_person_with_two_combinations_counts_in_each() -> None:
    moved = pa.concat_tables([PEOPLE, pa.table({"token": ["a"], "area": ["SW"], "age_band": ["40-49"]})])

    assert measure(moved, k=3).groups == Groups(smallest=2, people_below=4)  # below 3: {d, e} and {f, a}


def test_a_missing_value_is_a_value_and_a_row_without_a_token_is_of_nobody() -> None:
    view = pa.table({"token": ["a", "b", None], "area": [None, None, "SW"], "age_band": ["30-39", "30-39", "30-39"]})

    assert measure(view).groups == Groups(smallest=2, people_below=0)
    assert measure(view).people == 2


def test_the_column_that_helps_most_comes_first() -> None:
    found = measure(k=3)

    assert found.without == {
        "area": Groups(smallest=3, people_below=0),  # a, b, c and d, e, f
        "age_band": Groups(smallest=1, people_below=1),  # f alone
    }
    assert list(found.without) == ["area", "age_band"]


def test_without_its_only_column_all_people_are_one_group() -> None:
    assert measure(quasi=("area",)).without == {"area": Groups(smallest=6, people_below=0)}


def test_a_table_of_nobody_is_not_judged() -> None:
    found = measure(PEOPLE.slice(0, 0))

    assert (found.people, found.groups, found.is_judged, found.is_broken) == (0, Groups(0, 0), False, False)


@pytest.mark.parametrize(
    ("k", "from_entities", "is_broken"),
    [
        pytest.param(1 + 1, 0, True, id="below"),
        pytest.param(2, 6, True, id="just-enough-people"),
        pytest.param(2, 7, False, id="too-few-people"),
    ],
)
def test_a_group_below_k_breaks_the_limit_where_enough_people_are_there(
    k: int, from_entities: int, is_broken: bool
) -> None:
    assert measure(k=k, from_entities=from_entities).is_broken is is_broken


def test_groups_of_exactly_k_keep_the_limit(table: Table) -> None:
    found = measure(PEOPLE.slice(0, 5), k=2)

    assert (found.groups.smallest, found.is_judged, found.is_broken) == (2, True, False)
    require_anonymity(found, table, where=WHERE, day=DAY)


def breach(found: Anonymity, table: Table) -> str:
    with pytest.raises(AnonymityError) as error:
        require_anonymity(found, table, where=WHERE, day=DAY)
    return str(error.value)


def test_a_breach_says_where_how_many_and_what_to_widen(table: Table) -> None:
    assert breach(measure(k=3), table) == (
        "configs/shop/sources.yaml: tables.people.k_anonymity: at least 3 people must share each combination of area, "
        "age_band. At 2011-12-05 the smallest group has 1, and 3 of 6 people are in groups below 3. Nothing was "
        "written. Widen a column in sources.yaml; the one that helps most is first:\n"
        "  - area (categories, prefix if it is a postcode, or drop): without it the smallest group has 3 and 0 are in "
        "groups below 3\n"
        "  - age_band (wider bands, or drop): without it the smallest group has 1 and 1 are in groups below 3"
    )


@pytest.mark.parametrize(
    ("treatment", "advice"),
    [
        pytest.param({"treatment": "categories", "categories": ["N"]}, "fewer categories, or drop", id="categories"),
        pytest.param({"treatment": "prefix"}, "categories instead, or drop", id="prefix"),
        pytest.param({"type": "date"}, "band, or drop", id="kept-date"),
        pytest.param({"type": "integer"}, "drop", id="kept-number"),
    ],
)
def test_the_advice_follows_the_treatment_a_column_has(
    declare_people: Callable[..., Table], treatment: dict[str, Any], advice: str
) -> None:
    assert f"- area ({advice}):" in breach(measure(k=3), declare_people(**treatment))


def test_a_breach_quotes_no_value(table: Table) -> None:
    text = breach(measure(k=3), table)

    assert not any(value in text for value in ("SW", "30-39", "40-49"))
