"""Which weeks are stale: a changed file makes all of them so, a row that comes to a database those from its week on."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest

from ds_pipeline import lineage
from ds_pipeline.boundary import freshness
from ds_pipeline.boundary.freshness import missing_history, source_digest, source_states
from ds_pipeline.errors import KeyChangedError
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.test_architecture import ORDER
from ds_pipeline_tests.workbenches import CUSTOMERS, Declare, write_sources

ENV = "SHOP_DATABASE"
CODE = lineage._code()
MAKES_WEEKS = ("boundary", "clock", "features", "ingestion", "masking", "sql", "store")
MAKES_THEM_IN_PART = ("training", "use_case")
MAKES_NONE = (
    "check", "cli", "cluster", "definitions", "defs", "digests", "documents", "engine", "erasure", "errors",
    "evaluation", "explore", "figures", "lineage", "markdown", "model", "monitoring", "progress", "project",
    "promotion", "registry", "scoring", "simulation", "starter", "templates", "workbench",
)  # fmt: skip
DAYS = [date(2011, 3, 7), date(2011, 3, 14), date(2011, 3, 21), date(2011, 3, 28)]
NOTE = {
    "alias": "note",
    "type": "string",
    "nullable": True,
    "identifies": "direct",
    "treatment": "redact",
    "meaning": "x",
}
Execute = Callable[..., None]


@pytest.fixture
def execute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Execute:
    """Runs statements in a SQLite database with one plan in each of the first two weeks."""
    monkeypatch.setenv(ENV, "sqlite:///shop.db")

    def run(*statements: str) -> None:
        with contextlib.closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
            for statement in statements:
                connection.execute(statement)
            connection.commit()

    run("CREATE TABLE plans (customer_token, plan, changed_at, known_at)", plan_of("2011-03-01"), plan_of("2011-03-08"))
    return run


@pytest.fixture
def live(declare: Declare, execute: Execute) -> Workbench:
    """The shop with its plans in a database, built in full."""
    return built(in_database(declare))


def in_database(declare: Declare, query: str = "SELECT * FROM plans") -> Workbench:
    return declare(plans={"path": "", "format": "query", "query": query, "connection_env": ENV})


def plan_of(day: str) -> str:
    return f"INSERT INTO plans VALUES ('{CUSTOMERS[0]}', 'gold', '{day} 12:00:00', '{day} 12:00:00')"


def built(bench: Workbench) -> Workbench:
    """Stores every week, masked, with features and labels, as a run would; the rows do not matter."""
    datasets, rows = bench.datasets, pa.table({"rows": [1]})
    for name in bench.use_case.sources.tables:
        states, _ = source_states(bench, name, DAYS)
        for day in DAYS:
            info = {"source": states[day], "key": datasets.key_fingerprint}
            datasets.store.put(rows, dataset=datasets.masked(name), partition=str(day), info=info)
    inputs = datasets.inputs_digests(DAYS[-1])
    for dataset in (datasets.features, datasets.labels):
        for day in DAYS:
            datasets.store.put(rows, dataset=dataset, partition=str(day), info={"inputs": inputs[day]})
    return bench


@pytest.fixture
def edit(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], None]]:
    """Another comment in a file of the package, as lineage reads it."""

    def change(file: str) -> None:
        edited = {name: content + b"# edited" if name == file else content for name, content in CODE.items()}
        monkeypatch.setattr(lineage, "_code", lambda: edited)
        lineage.history_digest.cache_clear()

    yield change
    lineage.history_digest.cache_clear()


def one_file_of(room: str) -> str:
    return min(name for name in CODE if name in (f"{room}.py", f"{room}/__init__.py") or name.startswith(f"{room}/"))


def test_every_room_either_makes_stored_weeks_or_does_not() -> None:
    rooms = {stage for row in ORDER for stage in row}

    assert rooms == {*MAKES_WEEKS, *MAKES_NONE, *MAKES_THEM_IN_PART}


@pytest.mark.parametrize("room", MAKES_WEEKS)
def test_an_edit_in_a_room_that_makes_stored_weeks_makes_them_stale(
    bench: Workbench, edit: Callable[[str], None], room: str
) -> None:
    """Four modules that decide the bytes of masked tables were missed, because they lay in another room."""
    built(bench)
    edit(one_file_of(room))

    assert missing_history(bench, DAYS[-1]) == DAYS


@pytest.mark.parametrize("room", MAKES_NONE)
def test_an_edit_in_another_room_leaves_them(bench: Workbench, edit: Callable[[str], None], room: str) -> None:
    built(bench)
    edit(one_file_of(room))

    assert missing_history(bench, DAYS[-1]) == []


@pytest.mark.parametrize(
    ("file", "stale"),
    [
        pytest.param("use_case/sources.py", DAYS, id="types-and-treatments"),
        pytest.param("use_case/requirements.py", [], id="thresholds"),
        pytest.param("training/labels.py", DAYS, id="labels"),
        pytest.param("training/fit.py", [], id="fits"),
    ],
)
def test_of_two_rooms_only_what_decides_bytes_counts(
    bench: Workbench, edit: Callable[[str], None], file: str, stale: list[date]
) -> None:
    built(bench)
    edit(file)

    assert missing_history(bench, DAYS[-1]) == stale


def test_nothing_is_stale_while_the_sources_stay(bench: Workbench) -> None:
    assert missing_history(bench, DAYS[-1]) == DAYS

    assert missing_history(built(bench), DAYS[-1]) == []


def test_a_changed_file_makes_all_its_weeks_stale(bench: Workbench) -> None:
    built(bench)

    write_sources(bench.project.root, plan="basic")

    assert missing_history(bench, DAYS[-1]) == DAYS
    assert len(set(source_states(bench, "plans", DAYS)[0].values())) == 1


def test_other_code_makes_every_week_stale(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    built(bench)

    monkeypatch.setattr(freshness, "history_digest", lambda: "of other code")

    assert missing_history(bench, DAYS[-1]) == DAYS


def test_a_row_that_comes_to_a_database_leaves_earlier_weeks(live: Workbench, execute: Execute) -> None:
    assert missing_history(live, DAYS[-1]) == []

    execute(plan_of("2011-03-16"))

    assert missing_history(live, DAYS[-1]) == DAYS[2:]
    assert missing_history(live, DAYS[1]) == []


def test_a_row_of_the_past_makes_everything_after_it_stale(live: Workbench, execute: Execute) -> None:
    execute(plan_of("2011-03-02"))

    assert missing_history(live, DAYS[-1]) == DAYS


def test_a_changed_file_makes_the_weeks_of_a_database_beside_it_stale(live: Workbench) -> None:
    write_sources(live.project.root, customers=CUSTOMERS[:3])

    assert missing_history(live, DAYS[-1]) == DAYS


def test_another_query_makes_all_its_weeks_stale(declare: Declare, live: Workbench) -> None:
    bench = in_database(declare, "SELECT * FROM plans WHERE plan <> 'none'")

    assert missing_history(bench, DAYS[-1]) == DAYS
    assert source_digest(bench, "plans") != source_digest(live, "plans")


def test_a_database_counts_its_rows_and_a_file_does_not(live: Workbench) -> None:
    states, rows = source_states(live, "plans", DAYS[:2])

    assert list(states) == DAYS[:2]
    assert rows == 2
    assert source_states(live, "visits", DAYS)[1] is None


def test_texts_are_as_old_as_the_people_they_are_about(declare: Declare, execute: Execute) -> None:
    """A name that comes to another table is looked for in the texts from its week on."""
    plain = declare().use_case.sources.tables["visits"].model_dump(mode="json", exclude_none=True)["columns"]
    owners = {"path": "", "format": "query", "query": "SELECT * FROM plans", "connection_env": ENV}
    bench = declare(plans=owners, visits={"columns": plain | {"note": NOTE}})
    before, _ = source_states(bench, "visits", DAYS)

    execute(plan_of("2011-03-09"))
    after, _ = source_states(bench, "visits", DAYS)

    assert [after[day] == before[day] for day in DAYS] == [True, False, False, False]


def test_what_is_stored_under_another_key_is_not_taken_for_stale(bench: Workbench) -> None:
    built(bench)
    other = replace(
        bench, datasets=type(bench.datasets)(bench.use_case, bench.project.store, bench.keys, key_fingerprint="other")
    )

    with pytest.raises(KeyChangedError, match="the pseudonym key has changed"):
        missing_history(other, DAYS[-1])
