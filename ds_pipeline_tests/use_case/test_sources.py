"""What sources.yaml may declare of a table: its class, and what could single people out."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from ds_pipeline.use_case.cross_check import cross_check
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.sources import Sources, Table

SAID = {"nullable": True, "meaning": "made up"}
TOKEN = {"type": "string", "identifies": "direct", "treatment": "token", "token_domain": "person"}
AT = {"alias": "at", "type": "timestamp", "nullable": False, "identifies": "no", "treatment": "keep", "meaning": "x"}


def declare(columns: dict[str, Any] | None = None, **changes: Any) -> Table:
    declared = {name: {"alias": name} | SAID | column for name, column in (columns or {}).items()}
    table = {
        "meaning": "a person", "kind": "events", "path": "data/p.csv", "format": "csv", "data_class": "public",
        "synthetic": False, "time_zone": "UTC", "event_time": "at", "known_at": "at", "key": [], "entity": [],
        "replayable": True, "max_quarantine_share": 0.0, "columns": declared | {"at": AT},
    }  # fmt: skip
    return Table.model_validate(table | changes)


def problem(columns: dict[str, Any] | None = None, **changes: Any) -> str:
    with pytest.raises(ValidationError) as error:
        declare(columns, **changes)
    return str(error.value.errors()[0]["msg"])


@pytest.mark.parametrize("data_class", ["internal", "confidential", "restricted"])
def test_a_synthetic_table_is_public(data_class: str) -> None:
    assert declare(synthetic=True).data_class == "public"
    assert f"a synthetic table is public, not {data_class}" in problem(synthetic=True, data_class=data_class)


def test_a_restricted_table_is_not_read_from_a_file() -> None:
    assert "only be read by a database query, not from a file" in problem(data_class="restricted")


@pytest.mark.parametrize(
    ("column", "message"),
    [
        pytest.param(
            {"type": "string", "identifies": "direct", "treatment": "initial"},
            "dropped or become tokens; x would leave an initial",
            id="initial",
        ),
        pytest.param({"type": "string", "identifies": "quasi", "treatment": "keep"}, "stays as it is", id="quasi"),
        pytest.param({"type": "string", "identifies": "sensitive", "treatment": "keep"}, "x would", id="sensitive"),
    ],
)
def test_what_identifies_in_a_restricted_table_does_not_stay(column: dict[str, Any], message: str) -> None:
    changes = {"k_anonymity": {"k": 5}}
    columns = {"token": TOKEN, "x": column}

    assert message in problem(columns, data_class="restricted", **changes)
    assert declare(columns, data_class="confidential", **changes)


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(TOKEN, id="token"),
        pytest.param({"type": "string", "identifies": "direct", "treatment": "drop", "holds": "email"}, id="drop"),
        pytest.param({"type": "string", "identifies": "direct", "treatment": "redact"}, id="text"),
        pytest.param({"type": "date", "identifies": "sensitive", "treatment": "band"}, id="band"),
        pytest.param({"type": "string", "identifies": "no", "treatment": "keep"}, id="no-identifier"),
    ],
)
def test_what_a_restricted_table_may_keep_is_refused_for_its_file_alone(column: dict[str, Any]) -> None:
    assert problem({"x": column}, data_class="restricted") == (
        "Value error, a restricted table may only be read by a database query, not from a file"
    )


def test_what_began_one_day_is_missing_before() -> None:
    begun = {"type": "string", "identifies": "no", "treatment": "keep", "since": "2024-03-01"}

    assert "it needs nullable: true" in problem({"x": begun | {"nullable": False}})
    assert declare({"x": begun}).columns["x"].since == date(2024, 3, 1)


def test_quasi_identifiers_of_people_need_a_limit() -> None:
    columns = {"token": TOKEN, "area": {"type": "string", "identifies": "quasi", "treatment": "prefix"}}

    assert "area can single people out together; declare k_anonymity" in problem(columns)
    assert declare(columns, k_anonymity={"k": 5}).quasi_identifiers == ["area"]


def test_an_initial_is_a_quasi_identifier_and_a_text_or_token_is_none() -> None:
    columns = {
        "token": TOKEN,
        "name_initial": {"type": "string", "identifies": "direct", "treatment": "initial"},
        "note": {"type": "string", "identifies": "direct", "treatment": "redact"},
        "postcode": {"type": "string", "identifies": "quasi", "treatment": "drop"},
    }

    assert "name_initial can single people out" in problem(columns)
    assert declare(columns, k_anonymity={"k": 5}).quasi_identifiers == ["name_initial"]


@pytest.mark.parametrize(
    "columns",
    [
        pytest.param({"token": TOKEN}, id="nothing-to-judge"),
        pytest.param({"area": {"type": "string", "identifies": "quasi", "treatment": "keep"}}, id="nobody-to-count"),
    ],
)
def test_a_limit_that_can_judge_nothing_is_refused(columns: dict[str, Any]) -> None:
    assert "k_anonymity: no quasi-identifier stays" in problem(columns, k_anonymity={"k": 5})
    assert declare(columns)


def test_people_are_counted_by_the_entity_of_the_use_case_or_else_the_first_token() -> None:
    two = declare({"household": TOKEN, "customer_token": TOKEN})

    assert two.person("customer_token") == "customer_token"
    assert two.person("somebody") == "household"
    assert declare().person("customer_token") is None


@pytest.mark.parametrize("bands", [[30, 30], [50, 30], [0], [121], []])
def test_bands_are_ages_in_ascending_order(bands: list[int]) -> None:
    born = {"type": "date", "identifies": "sensitive", "treatment": "band"}

    assert declare({"born": born | {"bands": [30, 50]}}).kept["born"].bands == [30, 50]
    assert problem({"born": born | {"bands": bands}})
    assert "bands is for treatment: band" in problem({"born": born | {"treatment": "drop", "bands": [30]}})


def test_a_table_says_what_a_row_is() -> None:
    assert problem(meaning=" ")


def test_the_identifiers_of_a_restricted_table_are_not_delivered(retail_lapse: UseCase) -> None:
    """No file may be declared as restricted, so the class is put into a copy."""

    def problems(data_class: str) -> list[str]:
        tables = dict(retail_lapse.sources.tables)
        tables["customers"] = tables["customers"].model_copy(update={"data_class": data_class})
        sources = Sources.model_construct(tables=tables)
        case = retail_lapse
        return cross_check(case.problem, case.requirements, case.contract, sources, case.features)

    assert retail_lapse.contract.identifier is not None
    assert retail_lapse.contract.identifier.table == "customers"
    assert problems("confidential") == []
    assert problems("restricted") == [
        "contract.yaml: identifier: customers is restricted, and its identifiers are never written to a list. Take the "
        "identifier from another table, or deliver none (identifier: null)."
    ]


def test_a_table_is_divided_by_the_entity_where_each_of_its_rows_stays_with_one_person() -> None:
    columns, person = {"person": TOKEN, "contract": TOKEN | {"token_domain": "contract"}}, "person"
    tables = {
        "events": declare(columns),
        "people": declare(columns, kind="versions", entity=[person], key=[person, "at"]),
        "contracts": declare(columns, kind="versions", entity=["contract"], key=["contract", "at"]),
        "prices": declare(),
    }

    def divided(number: int) -> list[str]:
        sources = Sources(tables=tables, buckets=number)
        return [name for name in tables if sources.divides(name, entity=person)]

    assert divided(1) == []
    assert divided(2) == ["events", "people"]
