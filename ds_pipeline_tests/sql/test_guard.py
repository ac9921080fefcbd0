"""Which user SQL may run. Each refused text here ran, or was once a way around the check."""

from __future__ import annotations

import re

import duckdb
import pytest

from ds_pipeline.digests import digest_json
from ds_pipeline.errors import FeatureError
from ds_pipeline.sql import guard as sql_guard
from ds_pipeline.sql import sandbox

TABLES = frozenset({"t", "future.t"})


def require_safe(sql: str) -> None:
    sql_guard.require_safe(sql, where="features/x.sql", tables=TABLES)


def refusal(sql: str) -> str:
    with pytest.raises(FeatureError) as error:
        require_safe(sql)
    return str(error.value)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from secret",
        "from secret",
        "table secret",
        "select * from main.secret",
        "select * from memory.main.t",
        'select * from "future.t"',
        "select (select max(x) from secret) from t",
        "select * from t where x in (table secret)",
        "select * from t where exists (from secret)",
        "select * from t, lateral (select * from secret) q",
        "select * from t positional join secret",
        "select * from t asof join secret using (ts)",
        "select x from t union all select x from secret",
        "select x from t limit (select max(x) from secret)",
        "select list_filter(l, lambda v: exists(from secret)) from t",
        "from secret pivot (sum(x) for country in ('UK'))",
        "select * from (unpivot secret on x)",
        "select * from t semi join secret using (x)",
    ],
)
def test_a_table_that_was_not_given_cannot_be_read(sql: str) -> None:
    assert re.fullmatch(r"features/x\.sql:1: table .* is not there; known: future\.t, t\.", refusal(sql))


@pytest.mark.parametrize(
    "sql",
    [
        pytest.param("with secret as (select * from secret) select * from secret", id="itself"),
        pytest.param("with a as (with secret as (select 1) from secret) select * from secret", id="inner-scope"),
        pytest.param("select * from (with secret as (select 1) select 1) u, secret", id="sibling"),
        pytest.param("with a as (from secret), secret as (select 1) from a", id="declared-later"),
        pytest.param('with "future.u" as (select 1) from future.u', id="dotted-name"),
        pytest.param("with secret as (select 1) from main.secret", id="qualified"),
        pytest.param("with recursive secret as (select x from secret union all from secret) from secret", id="anchor"),
        pytest.param("with recursive secret as (select * from secret) from secret", id="recursive-in-name-only"),
        pytest.param(
            "select 1 from t where x in (with secret as (select 1) from secret) union from secret", id="union"
        ),
    ],
)
def test_a_cte_does_not_open_the_table_whose_name_it_takes(sql: str) -> None:
    assert "is not there" in refusal(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "with a as (from t), b as (from a) from b",
        "with a as (with b as (from t) from b) from a",
        "with t as (select * from t where x > 1) from t",
        "with A as (from t) from a",
        "with recursive r(n) as (select 1 union all select n + 1 from r where n < 5) from r",
        "with recursive r(n) as (select min(x) from t union select n + 1 from r, t where n < t.x) from r",
        "with a as (from t) select * from t where x in (select x from a where exists (from a))",
        "with a as materialized (from t) from a union all from a",
    ],
)
def test_ctes_are_allowed(sql: str) -> None:
    require_safe(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select * from 'file.parquet'",
        "from 'a.csv'",
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from glob('/*')",
        "select * from query('from secret')",
        "select * from query_table('secret')",
        "select * from histogram('secret', 'x')",
        "select * from seq_scan('secret')",
        "select * from json_execute_serialized_sql('x')",
        "from duckdb_tables()",
        "from duckdb_settings()",
        "from duckdb_views",
        "select * from information_schema.tables",
        "select * from pg_catalog.pg_tables",
        "select * from sqlite_master",
        "with duc\u212adb_tables as (select 1 as a) select * from duckdb_tables",
        "select * from pragma_table_info('secret')",
        "select current_setting('TimeZone')",
        "select getvariable('a')",
        "select getenv('HOME')",
        "select json_serialize_plan('from secret')",
        "describe secret",
        "summarize t",
        "show tables",
        "select * from (describe secret)",
        "select * from (show all tables)",
        "select current_schema()",
        "select write_log('x')",
        "select pg_sleep(1)",
    ],
)
def test_files_settings_and_the_catalogue_cannot_be_read(sql: str) -> None:
    assert refusal(sql).startswith("features/x.sql")


@pytest.mark.parametrize(
    "sql",
    [
        "select now()",
        "select today()",
        "select NoW ( )",
        "select now/**/()",
        "select main.now()",
        "select system.pg_catalog.now()",
        "select 'x'.now()",
        "select current_date",
        "select current_date()",
        'select "current_timestamp"',
        "select current_timestamp at time zone 'UTC'",
        "select current_date.year()",
        "select localtimestamp.strftime('%Y').upper()",
        "select current_user.upper()",
        "select user",
        "select localtime",
        "select current_localtimestamp()",
        "select get_current_timestamp()",
        "select transaction_timestamp()",
        "select age(ts) from t",
        "select ts.age() from t",
        "select ago(interval 1 day)",
        "select pg_conf_load_time()",
        "select x from t order by current_date",
        "select sum(x) over (order by current_date) from t",
        "select list_transform(l, lambda v: v + current_date) from t",
    ],
)
def test_the_clock_and_the_session_cannot_be_read(sql: str) -> None:
    assert "allowed" in refusal(sql) or "answered by the clock" in refusal(sql) or "reads the clock" in refusal(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select timetz '10:00'",
        "select '10:00'::TimeTZ",
        "select try_cast('10:00' as time with time zone)",
        "select ['10:00']::timetz[]",
        "select {'a': '10:00'}::struct(a timetz)",
        """select json_transform('"10:00"', '"TIMETZ"')""",
    ],
)
def test_a_time_of_day_with_a_zone_is_refused(sql: str) -> None:
    """DuckDB takes its offset from the clock: the same text gave +00 in November and +01 in July."""
    assert "read from the clock" in refusal(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "select random()",
        'select "random"()',
        "select main.random()",
        "select x.random() from t",
        "select uuid()",
        "select gen_random_uuid()",
        "select nextval('s')",
        "select x from t order by random()",
        "select x from t limit (random() * 3)::int",
        "select [random() for v in l] from t",
        "select list_transform(l, lambda v: v + random()) from t",
        "select arg_max(x, random()) from t",
        "select sum(x) filter (where random() > 0.5) from t",
        "select row_number() over w from t window w as (order by random())",
        "select x from t qualify row_number() over (order by random()) = 1",
        "select columns(lambda c: random() > 0.5) from t",
        "select * replace (random() as x) from t",
        "select * from (values (random()))",
        "from t pivot (sum(random()) for country in ('UK'))",
        "with a as materialized (select random()) from a",
        "select * from unnest([random()])",
        "select * from t using sample 10%",
        "select * from t tablesample reservoir(2 rows)",
        "select * from (from t) tablesample reservoir(50%)",
        "select x from t union all (select x from t using sample 1)",
        "select setseed(0.5)",
    ],
)
def test_randomness_is_refused(sql: str) -> None:
    assert "allowed" in refusal(sql) or "sample" in refusal(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "with a as (delete from t returning *) select * from a",
        "with a as (insert into t from t returning *) select * from a",
        "with a as (update t set x = 1 returning *) select * from a",
    ],
)
def test_a_cte_cannot_change_data(sql: str) -> None:
    """DuckDB counts these as SELECT, and they emptied the table that the next query read."""
    assert re.search(r"expected a plain SELECT, found (delete|insert|update) query", refusal(sql))


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "-- nothing",
        "select 1; select 2",
        "select 1; drop table t",
        "insert into t from t",
        "copy t to 'x.csv'",
        "export database 'x'",
        "attach 'x.db'",
        "install httpfs",
        "set threads = 4",
        "pragma version",
        "create or replace macro date_trunc(a, b) as random()",
        "explain analyze select 1",
        "call duckdb_tables()",
        "prepare p as select 1",
        "begin",
        "merge into t using t u on false when not matched then insert",
    ],
)
def test_only_one_select_is_a_query(sql: str) -> None:
    assert re.search(r"expected exactly one SELECT statement, found (nothing|[A-Z_]+(, [A-Z_]+)*)\.", refusal(sql))


def test_a_pivot_over_values_in_the_data_says_what_to_write() -> None:
    message = "PIVOT without its values would make columns out of data. List them: PIVOT t ON x IN ('a', 'b')."

    assert refusal("pivot t on country using sum(x)") == f"features/x.sql: {message}"
    assert message in refusal("select * from (pivot t on country using sum(x))")


@pytest.mark.parametrize(
    "sql",
    [
        "select 1; -- a; b",
        "select ';' from t /* ; */ ;",
        "-- Who; what.\n\nselect x from t",
        "/* ; */ select x from t",
        "(select 1)",
        "from t select x",
        "select x, from t,",
        "values (1)",
        "select * from (pivot t on country in ('UK') using sum(x) group by x)",
        "select * from (unpivot t on x)",
        "from t unpivot (v for n in (x))",
        "select t.current_date from t",
        "select x as user from t",
        "select * from future.t",
        'select "X" from T',
    ],
)
def test_ordinary_forms_are_allowed(sql: str) -> None:
    require_safe(sql)


@pytest.mark.parametrize(
    ("sql", "line", "message"),
    [
        ("select x,\n now() from t", 2, "the function now is not allowed"),
        ("-- above\n\n-- and more\nselect x,\n now() from t", 5, "the function now is not allowed"),
        ("select 'é', 'ü',\n\n now() from t", 3, "the function now is not allowed"),
        ("select now(),\n random()", 1, "the function now is not allowed"),
        ("select x\nfrom secret", 2, "table secret is not there"),
        ("-- above\nselect x\nform t z", 3, "Parser Error: syntax error"),
        ("select dat_trunc('day', ts) from t", 1, "the function dat_trunc is unknown. Did you mean date_trunc?"),
        ("select current_date", 1, "for a column of that name, put its table in front: t.current_date"),
    ],
)
def test_a_message_names_the_file_the_line_and_the_fault(sql: str, line: int, message: str) -> None:
    assert refusal(sql).startswith(f"features/x.sql:{line}: ")
    assert message in refusal(sql)


def test_text_nested_too_deeply_is_refused_without_a_crash() -> None:
    for terms in (950, 5000):
        assert re.search("nested too deeply|expression depth", refusal("select " + "+".join(["1"] * terms)))


def test_every_session_word_of_duckdb_is_known() -> None:
    connection = sandbox.connect("UTC")
    connection.execute("CREATE TABLE t AS SELECT 1 AS x")
    words = connection.execute(
        "SELECT DISTINCT function_name FROM duckdb_functions() UNION SELECT keyword_name FROM duckdb_keywords()"
    ).fetchall()
    answered = set()
    for (word,) in words:
        if re.fullmatch(r"\w+", word):
            try:
                connection.execute(f"SELECT {word} FROM t")
                answered.add(word)
            except duckdb.Error:
                pass

    assert answered - {"true", "false", "null"} <= sql_guard.SESSION_WORDS


def test_no_allowed_function_sounds_like_the_clock_or_a_die() -> None:
    allowed, _ = sql_guard._functions()
    suspect = re.compile(r"now$|today|current_|random|^uuid(v\d)?$|gen_|seed|getenv|setting|sleep|^read_|duckdb_|_log")

    assert not {name for name in allowed if suspect.search(name)}


def test_the_functions_of_this_duckdb_were_reviewed() -> None:
    """A new DuckDB may bring functions that read the clock and are marked CONSISTENT, as two of 2.0.0 are.

    Read what is new in sql_guard._functions(), add what must be refused, and put the new digest here.
    """
    allowed, _ = sql_guard._functions()

    assert (duckdb.__version__, digest_json(sorted(allowed))[:12]) == ("2.0.0", "4ddfc392d568")
