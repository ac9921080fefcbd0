"""The sandbox: closed to the outside, deterministic, silent about cells; and what analysts write works in it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ds_pipeline.errors import FeatureError
from ds_pipeline.sql import guard as sql_guard
from ds_pipeline.sql import sandbox

MONDAY = datetime(2011, 3, 28, tzinfo=UTC)
ROWS = pa.table(
    {
        "token": ["a", "b", "a"],
        "x": [1, 2, 3],
        "price": pa.array([1, 2, 3], pa.decimal128(18, 3)),
        "ts": pa.array([datetime(2011, 3, day, 12, tzinfo=UTC) for day in (1, 2, 3)], pa.timestamp("us", tz="UTC")),
        "items": [[1, 2], [3], []],
        "place": [{"city": "Bath"}] * 3,
        "country": ["UK", "FR", "UK"],
    }
)


@pytest.fixture(scope="module")
def connection() -> Iterator[duckdb.DuckDBPyConnection]:
    with sandbox.connect("Europe/London") as made:
        sandbox.create_table(made, "t", ROWS)
        yield made


def run(connection: duckdb.DuckDBPyConnection, sql: str) -> list[tuple]:
    sql_guard.require_safe(sql, where="x.sql", tables=frozenset({"t"}))
    table = sandbox.run_select(connection, sql, where="x.sql", scoring_at=MONDAY)
    return [tuple(row.values()) for row in table.to_pylist()]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("coalesce(null, x)", 1),
        ("nullif(x, 1)", None),
        ("if(x > 0, 'yes', 'no')", "yes"),
        ("ifnull(null, 7)", 7),
        ("case when x > 1 then 1 else 0 end", 0),
        ("case x when 1 then 'one' end", "one"),
        ("try_cast('abc' as int)", None),
        ("'5'::int", 5),
        ("date_trunc('week', ts)::date", date(2011, 2, 28)),
        ("date_diff('day', ts::date, $scoring_at::date)", 27),
        ("datediff('month', ts, $scoring_at)", 0),
        ("date_part('year', ts)", 2011),
        ("extract(month from ts)", 3),
        ("dayofweek(ts)", 2),
        ("isodow(ts)", 2),
        ("dayname(ts)", "Tuesday"),
        ("strftime(ts, '%Y-%m-%d')", "2011-03-01"),
        ("strptime('2011-01-02', '%Y-%m-%d')::date", date(2011, 1, 2)),
        ("(ts - interval 90 days)::date", date(2010, 12, 1)),
        ("(ts + interval (x) month)::date", date(2011, 4, 1)),
        ("(ts - to_days(2))::date", date(2011, 2, 27)),
        ("make_date(2011, 1, 2)", date(2011, 1, 2)),
        ("date '2011-01-01' + 3", date(2011, 1, 4)),
        ("last_day(ts)", date(2011, 3, 31)),
        ("time_bucket(interval '1 week', ts::date)", date(2011, 2, 28)),
        ("list_transform(items, lambda v: v + 1)", [2, 3]),
        ("list_filter(items, lambda v: v > 1)", [2]),
        ("[v * 10 for v in items if v > 1]", [20]),
        ("list_sum(items)", 3),
        ("list_max(items)", 2),
        ("list_avg(items)", 1.5),
        ("len(items)", 2),
        ("list_contains(items, 2)", True),
        ("items[1]", 1),
        ("list_append(items, 9)", [1, 2, 9]),
        ("array_to_string(items, '-')", "1-2"),
        ("list_sort([3, 1])", [1, 3]),
        ("list_distinct([1, 1])", [1]),
        ("place.city", "Bath"),
        ("place['city']", "Bath"),
        ("struct_pack(a := x).a", 1),
        ("map {'k': 5}['k']", 5),
        ("regexp_matches(country, '^U')", True),
        ("regexp_replace(country, 'U', 'V')", "VK"),
        ("regexp_extract(country, '(U)', 1)", "U"),
        ("country ~ 'U.'", True),
        ("country like 'U%' and country not ilike 'f%'", True),
        ("greatest(x, 2) - least(x, 2)", 1),
        ("round(2.25::double, 1) + floor(1.5) + abs(-1)", 4.3),
        ("fdiv(7, 2)", 3.0),
        ("split_part('a-b', '-', 2)", "b"),
        ("string_split('a-b', '-')", ["a", "b"]),
        ("starts_with(country, 'U')", True),
        ("lower(country) || '!'", "uk!"),
        ("country.lower().upper()", "UK"),
        ("md5('a')", "0cc175b9c0f1b6a831c399e269772661"),
        ("hash(1) = hash(1)", True),
        ("x between 0 and 1 and x in (1, 2) and x is not null", True),
        ("x is not distinct from 1", True),
        ("exists (select 1 from t u where u.x = t.x + 1)", True),
        ("x in (select x from t)", True),
        ("(select max(x) from t)", 3),
        ("json_extract_string('{\"a\": 1}', '$.a')", "1"),
        ("ln(exp(1)) + sqrt(4) + pow(2, 3) + 7 % 4 + 7 // 2", 17.0),
        ("$scoring_at::date", date(2011, 3, 28)),
    ],
)
def test_the_functions_of_analysts_work(
    connection: duckdb.DuckDBPyConnection, expression: str, expected: object
) -> None:
    found = run(connection, f"select {expression} as found from t where x = 1")

    assert found == [(pytest.approx(expected),)] if isinstance(expected, float) else found == [(expected,)]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("select string_agg(country, ',' order by country) from t", [("FR,UK,UK",)]),
        ("select quantile_cont(x, 0.5), median(x), mode(country) from t", [(2.0, 2.0, "UK")]),
        ("select percentile_cont(0.5) within group (order by x) from t", [(2.0,)]),
        ("select arg_max(token, x), max_by(token, x), arg_min(token, (x, token)) from t", [("a", "a", "a")]),
        ("select count(distinct token), count(*) filter (where x > 1), count_if(x > 1) from t", [(2, 2, 2)]),
        ("select any_value(x), first(x), list(x) from t", [(1, 1, [1, 2, 3])]),
        ("select stddev_samp(x), bool_or(x > 2), product(x), geomean(1), wavg(x, x) from t", [(1, True, 6, 1, 14 / 6)]),
        ("select country, sum(x)::int from t group by all order by all", [("FR", 2), ("UK", 4)]),
        ("select country, sum(x)::int from t group by rollup (country) order by 2", [("FR", 2), ("UK", 4), (None, 6)]),
        ("select sum(x)::int from t group by grouping sets ((country), ()) order by 1", [(2,), (4,), (6,)]),
        ("select x from t qualify row_number() over (partition by token order by x desc) = 1 order by x", [(2,), (3,)]),
        ("select lag(x) over w, sum(x) over w::int from t window w as (order by x)", [(None, 1), (1, 3), (2, 6)]),
        (
            "select count(*) over (order by ts range between interval 1 day preceding and current row) from t",
            [(1,), (2,), (2,)],
        ),
        ("select distinct on (token) token, x from t order by token, x", [("a", 1), ("b", 2)]),
        ("select * exclude (ts, items, place, price) replace (x + 1 as x) from t limit 1", [("a", 2, "UK")]),
        ("select columns('^x$') from t limit 1", [(1,)]),
        ("select u.v from t, unnest(items) as u(v)", [(1,), (2,), (3,)]),
        ("select unnest(items) from t", [(1,), (2,), (3,)]),
        ("select i from generate_series(1, 2) g(i)", [(1,), (2,)]),
        ("select count(*) from range(date '2011-01-01', date '2011-01-31', interval 1 week)", [(5,)]),
        ("from t select x where x = 3", [(3,)]),
        ("select * from (values (1, 'a')) v(n, s)", [(1, "a")]),
        (
            "select q.m from t, lateral (select max(b.x) as m from t b where b.x < t.x) q order by 1",
            [(1,), (2,), (None,)],
        ),
        ("select a.x from t a asof join t b on a.token = b.token and a.ts > b.ts", [(3,)]),
        ("select a.x from t a semi join t b on a.x = b.x + 2", [(3,)]),
        ("select x from t union all by name select x + 10 as x from t order by 1 limit 1", [(1,)]),
        ("select * from (pivot (select country from t) on country in ('FR', 'UK') using count(*))", [(1, 2)]),
        ("with recursive r(n) as (select 1 union all select n + 1 from r where n < 3) from r", [(1,), (2,), (3,)]),
    ],
)
def test_the_queries_of_analysts_work(connection: duckdb.DuckDBPyConnection, sql: str, expected: list[tuple]) -> None:
    assert run(connection, sql) == expected


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('/etc/hostname')",
        "copy (select 1) to 'out.csv'",
        "attach 'x.db'",
        "install httpfs",
        "load 'x.so'",
        "set threads = 4",
        "set enable_external_access = true",
        "reset lock_configuration",
        "set TimeZone = 'UTC'",
    ],
)
def test_even_without_the_guard_the_connection_is_closed(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    with pytest.raises(duckdb.Error, match=r"disabled|locked|Cannot access|configuration"):
        connection.execute(sql)


def test_a_python_variable_is_not_a_table(connection: duckdb.DuckDBPyConnection) -> None:
    secret = ROWS

    with pytest.raises(duckdb.CatalogException, match="secret does not exist"):
        connection.execute("select * from secret")
    assert secret is ROWS


def test_days_follow_the_time_zone() -> None:
    """The Monday after the clocks go forward begins at 23:00 UTC on Sunday."""
    begin = datetime(2011, 3, 27, 23, tzinfo=UTC)
    for zone, day in (("Europe/London", date(2011, 3, 28)), ("UTC", date(2011, 3, 27))):
        with sandbox.connect(zone) as connection:
            table = sandbox.run_select(connection, "select $scoring_at::date as d", where="x.sql", scoring_at=begin)
            assert table["d"].to_pylist() == [day]


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(FeatureError, match="time zone Europe/Londn is unknown"):
        sandbox.connect("Europe/Londn")


def test_one_thread_and_a_private_folder_for_what_does_not_fit_into_memory() -> None:
    """DuckDB wrote rows to .tmp in the current folder, readable by all."""
    with sandbox.connect("UTC") as connection:
        threads, spill = connection.execute(
            "SELECT current_setting('threads'), current_setting('temp_directory')"
        ).fetchall()[0]

    assert threads == 1
    assert Path(spill).parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize(
    "sql",
    [
        "select country::int from t",
        "select (select x from t)",
        "select date_trunc(country, ts) from t",
        "select ts at time zone country from t",
        "select json_extract(country, '$.a') from t",
        "select format(country || '{', x) from t",
        "select country::date from t",
    ],
)
def test_a_fault_of_the_data_shows_no_cell(connection: duckdb.DuckDBPyConnection, sql: str) -> None:
    with pytest.raises(FeatureError, match="fails on the data") as error:
        run(connection, sql)

    assert "UK" not in str(error.value)
    assert "FR" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


ENDLESS = "with recursive r as (select 1 as i union all select i + 1 from r) select max(i) as i from r"
DOUBLING = "with recursive r as (select 'aaaaaaaa' as a union all select a || a from r) select max(a) as a from r"


def test_a_query_without_an_end_is_stopped_and_the_connection_goes_on(
    connection: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A recursion that never ends hung a run, and whoever loaded the use case."""
    monkeypatch.setattr(sandbox, "CHECK_SECONDS", 0.3)
    monkeypatch.setattr(sandbox, "RUN_SECONDS", 0.2)

    with pytest.raises(FeatureError, match=r"^x\.sql: the query was stopped after 0\.2 seconds.*has to end") as error:
        run(connection, ENDLESS)
    with pytest.raises(FeatureError, match=r"^x\.sql: the query was stopped after 0\.3 seconds.*has to end"):
        sandbox.result_columns(connection, ENDLESS, where="x.sql", scoring_at=MONDAY)

    assert error.value.__suppress_context__
    assert run(connection, "select max(x) from t") == [(3,)]


def test_a_query_gets_no_more_memory_and_disk_than_it_may_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "SPILL", "8.0 MiB")
    with sandbox.connect("UTC", memory="32 MiB") as small:
        for ask in (sandbox.run_select, sandbox.result_columns):
            with pytest.raises(
                FeatureError, match=r"^x\.sql: .* than the 32\.0 MiB of memory and the 8\.0 MiB of disk"
            ):
                ask(small, DOUBLING, where="x.sql", scoring_at=MONDAY)


UNSTOPPABLE = """
from datetime import UTC, datetime
from ds_pipeline.sql import sandbox
sandbox.{name} = {value}
with sandbox.connect("UTC", memory="{memory}") as made:
    sql = "select sum(len({call})) as n from range(1, 1000) as t(i)"
    sandbox.{ask}(made, sql, where="x.sql", scoring_at=datetime(2011, 3, 28, tzinfo=UTC))
"""


@pytest.mark.parametrize(
    ("call", "ask"),
    [
        pytest.param("repeat('x', 1000000000 + i)", "run_select", id="text"),
        pytest.param("range(1000000000)", "result_columns", id="list"),
    ],
)
@pytest.mark.parametrize(
    ("memory", "name", "value", "said"),
    [
        pytest.param("32 MiB", "PATIENCE", 60, "more than 2 times the 32.0 MiB of memory that it may", id="memory"),
        pytest.param("16 GiB", "CHECK_SECONDS = sandbox.RUN_SECONDS = sandbox.PATIENCE", 0.1,
                     "was told to end after 0.1 seconds and did not", id="time"),
    ],
)  # fmt: skip
def test_a_query_that_cannot_be_stopped_ends_its_process(
    call: str, ask: str, memory: str, name: str, value: float, said: str
) -> None:
    """One call that made one huge value took 158 seconds and 14.7 GB, whatever the limits were."""
    code = UNSTOPPABLE.format(call=call, ask=ask, memory=memory, name=name, value=value)

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)

    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("ds-pipeline: x.sql: the query ")
    assert said in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_a_limit_of_its_own_a_database_takes_half_of_what_duckdb_would() -> None:
    with duckdb.connect() as plain, sandbox.connect("UTC") as ours:
        shown = [sandbox._memory_of(one).split() for one in (plain, ours)]

    usual, half = (float(amount) * {"MiB": 1, "GiB": 1024, "TiB": 1024**2}[unit] for amount, unit in shown)
    assert half == pytest.approx(usual / 2, rel=0.05)  # they are rounded for the eye


def test_an_unknown_column_is_named_with_the_columns_there_are(connection: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(FeatureError, match=r'x\.sql: .*"prise" not found.*"price"'):
        run(connection, "select prise from t")


def test_an_unknown_parameter_is_refused(connection: duckdb.DuckDBPyConnection) -> None:
    for sql in ("select $today", "select ?"):
        with pytest.raises(FeatureError, match=r"unknown parameter .*; known: \$scoring_at"):
            run(connection, sql)


def test_the_columns_of_a_query_come_with_their_types(connection: duckdb.DuckDBPyConnection) -> None:
    sql = "select token, sum(x) as n, sum(price) as spend, $scoring_at > ts as is_old, x as n from t group by all"

    assert sandbox.result_columns(connection, sql, where="x.sql", scoring_at=MONDAY) == [
        ("token", "VARCHAR"),
        ("n", "HUGEINT"),
        ("spend", "DECIMAL(38,3)"),
        ("is_old", "BOOLEAN"),
        ("n", "BIGINT"),
    ]


@pytest.mark.parametrize(
    ("sql", "line"),
    [
        ("select x,\n  prise\nfrom t", 2),
        ("-- What the customer buys.\n-- And how often.\nselect x,\n  prise\nfrom t", 4),
        ("-- one\n\nselect x from t\nwhere x = 1\n  and prise > 2", 5),
    ],
)
def test_a_fault_of_the_text_names_its_line(connection: duckdb.DuckDBPyConnection, sql: str, line: int) -> None:
    """DuckDB loses count over comment lines above the statement, and every file begins with one."""
    with pytest.raises(FeatureError, match=rf'^x\.sql:{line}: Binder Error: Referenced column "prise"'):
        sandbox.result_columns(connection, sql, where="x.sql", scoring_at=MONDAY)


def test_tables_are_created_and_grow_and_nothing_else_stays() -> None:
    with sandbox.connect("UTC") as connection:
        connection.execute("CREATE SCHEMA future")
        sandbox.create_table(connection, "future.t", ROWS)
        sandbox.append(connection, "future.t", ROWS)
        with pytest.raises(duckdb.Error):
            sandbox.append(connection, "future.t", ROWS.select(["x"]))

        assert connection.execute("SELECT count(*) FROM future.t").fetchall() == [(6,)]
        assert connection.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("t",)]
        assert connection.execute("SELECT count(*) FROM duckdb_views() WHERE NOT internal").fetchall() == [(0,)]
