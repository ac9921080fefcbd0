"""Which user SQL may run: exactly one SELECT over given tables, of functions that give the same answer every time.

The text is parsed by DuckDB itself and its syntax tree is checked part by part; nothing is run.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import duckdb

from ds_pipeline.errors import FeatureError
from ds_pipeline.sql import sandbox

# The parts of a syntax tree that a SELECT over given tables is made of. What is not listed is refused: DuckDB also
# counts a statement as SELECT when a CTE inserts or deletes, and a newer version may count more.
EXPRESSIONS = frozenset(
    {"BETWEEN", "CASE", "CAST", "COLLATE", "COLUMN_REF", "COMPARISON", "CONJUNCTION", "CONSTANT", "FUNCTION", "LAMBDA",
     "OPERATOR", "PARAMETER", "POSITIONAL_REFERENCE", "STAR", "SUBQUERY", "TYPE", "WINDOW"}
)  # fmt: skip
QUERY_PARTS = frozenset(
    {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE", "BASE_TABLE", "EMPTY", "EXPRESSION_LIST",
     "JOIN", "PIVOT", "SUBQUERY", "TABLE_FUNCTION", "DISTINCT_MODIFIER", "LIMIT_MODIFIER", "LIMIT_PERCENT_MODIFIER",
     "ORDER_MODIFIER", "ORDER_DEFAULT", "ASCENDING", "DESCENDING"}
)  # fmt: skip
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})
# Words that DuckDB parses as column names and answers from the clock or the session.
SESSION_WORDS = frozenset(
    {"current_date", "current_time", "current_timestamp", "localtime", "localtimestamp", "current_user", "user",
     "current_role", "session_user", "current_schema", "current_catalog"}
)  # fmt: skip
# DuckDB calls these CONSISTENT as well; tried in a process whose clock was moved, or on tables that were not given.
REFUSED_FUNCTIONS = {
    "age": "with one date it reads the clock. Write date_diff('day', x, $scoring_at)",
    "current_localtime": "it reads the clock",
    "current_localtimestamp": "it reads the clock",
    "timetz_byte_comparable": "the offset of a time of day with a time zone is read from the clock",
    "json_transform": "it can make a time of day with a time zone, whose offset is read from the clock",
    "json_transform_strict": "it can make a time of day with a time zone, whose offset is read from the clock",
    "from_json": "it can make a time of day with a time zone, whose offset is read from the clock",
    "from_json_strict": "it can make a time of day with a time zone, whose offset is read from the clock",
    "cast_to_type": "write a cast",
    "get_type": "write a cast",
    "make_type": "write a cast",
    "replace_type": "write a cast",
    "json_serialize_plan": "it reads the catalogue",
    "json_serialize_sql": "it handles SQL, not data",
    "json_deserialize_sql": "it handles SQL, not data",
    "parse_duckdb_log_message": "it handles logs, not data",
    "index_key": "it reads the catalogue",
    "version": "it changes with the software, not with the data",
}
REFUSED_TYPES = frozenset({"timetz", "time with time zone"})

# first, any_value, list, rowid and row_number() over () depend on the order of rows; so does LIMIT without ORDER BY.
# They are allowed: with one thread and the rows of each week in an order of their own content, which no source
# decides, it is the same every time.


def folded(name: str) -> str:
    """A name as DuckDB compares it, which folds the letters of ASCII alone; to Python the Kelvin sign is a k, too."""
    return "".join(letter.lower() if letter.isascii() else letter for letter in name)


def require_safe(sql: str, *, where: str, tables: frozenset[str]) -> None:
    """Raise FeatureError unless the SQL is one deterministic SELECT over the given tables.

    Args:
        sql: the user's text.
        where: file name for the message.
        tables: names it may read, in lower case; schema-qualified where they are (future.transactions).
    """
    statement, above = sandbox.split_head(sql)
    try:
        tree = _syntax_tree(statement, where=where, above=above)
    except RecursionError:
        raise FeatureError(f"{where}: nested too deeply. Split it with WITH.") from None
    refusals = [
        (node.get("query_location", 0), reason)
        for node, ctes in _walk(tree)
        if (reason := _reason_to_refuse(node, ctes, tables))
    ]
    if refusals:
        offset, reason = min(refusals)
        text = statement.encode()
        line = text[:offset].count(b"\n") if offset < len(text) else 0  # what has no position has a huge one
        raise FeatureError(f"{where}:{above + line + 1}: {reason}")


def _syntax_tree(sql: str, *, where: str, above: int) -> dict[str, Any]:
    parser = _parser().cursor()  # the connection is shared by all threads, a cursor is not
    try:
        statements = parser.extract_statements(sql)
    except duckdb.Error as error:
        raise sandbox.explained(error, where, above) from error
    kinds = [statement.type for statement in statements]
    if kinds == [duckdb.StatementType.MULTI]:
        raise FeatureError(
            f"{where}: PIVOT without its values would make columns out of data. List them: PIVOT t ON x IN ('a', 'b')."
        )
    if kinds != [duckdb.StatementType.SELECT]:
        found = ", ".join(kind.name for kind in kinds) or "nothing"
        raise FeatureError(f"{where}: expected exactly one SELECT statement, found {found}.")
    row = parser.execute("SELECT json_serialize_sql(?)", [sql]).fetchone()
    tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if tree.get("error"):
        raise FeatureError(
            f"{where}: expected a plain SELECT; DuckDB cannot describe this one ({tree.get('error_message')})."
        )
    return tree


def _walk(tree: dict[str, Any]) -> Iterator[tuple[dict[str, Any], frozenset[str]]]:
    """Every node of a syntax tree, with the names of the CTEs that it sees."""
    waiting: list[tuple[Any, frozenset[str]]] = [(tree, frozenset())]
    while waiting:
        node, ctes = waiting.pop()
        if isinstance(node, list):
            waiting.extend((value, ctes) for value in node)
        elif isinstance(node, dict):
            for entry in (node.get("cte_map") or {}).get("map", []):
                # It sees the CTEs above it; its own name, in its own text, is that of a table.
                waiting.append((entry["value"], ctes))
                ctes |= {folded(entry["key"])}
            yield node, ctes
            for key, value in node.items():
                is_recursion = key == "right" and node.get("type") == "RECURSIVE_CTE_NODE"
                if key != "cte_map":
                    waiting.append((value, ctes | {folded(node["cte_name"])} if is_recursion else ctes))


def _reason_to_refuse(node: dict[str, Any], ctes: frozenset[str], tables: frozenset[str]) -> str | None:
    """Why a node of the syntax tree is not allowed, or None."""
    kind, group = node.get("type"), node.get("class")
    known = ", ".join(sorted(tables | ctes)) or "none"
    if kind == "SHOW_REF":
        return f"DESCRIBE, SUMMARIZE and SHOW read the catalogue. Select from: {known}."
    if isinstance(kind, str) and (group not in EXPRESSIONS if group else kind not in QUERY_PARTS):
        return f"expected a plain SELECT, found {kind.removesuffix('_NODE').replace('_', ' ').lower()}. Remove it."
    if node.get("sample"):
        return "a sample gives other rows each time. Remove SAMPLE."
    if kind == "BASE_TABLE":
        path = [folded(part) for part in node["qualified_name"]["path"]]
        is_cte = len(path) == 1 and path[0] in ctes
        is_given = ".".join(path) in tables and not any("." in part for part in path)
        return None if is_cte or is_given else _table_reason(path, known)
    if kind == "TABLE_FUNCTION":
        name = folded(node["function"].get("function_name", ""))
        if name not in TABLE_FUNCTIONS:
            return f"{name} cannot be read like a table; SQL opens no file. Select from: {known}."
    if group in ("FUNCTION", "WINDOW"):
        return _function_reason(node)
    if group == "TYPE" and folded(node["type_name"]) in REFUSED_TYPES:
        return "the offset of a time of day with a time zone is read from the clock. Cast to time or timestamptz."
    if group == "COLUMN_REF" and len(node["column_names"]) == 1:  # t.current_date is always a column
        return _session_reason(node["column_names"][0])
    return None


def _table_reason(path: list[str], known: str) -> str:
    name = ".".join(path)
    if path[0] == "future" and "future." not in known:
        return f"table {name} is not there: only label.sql sees what comes after the scoring date; known: {known}."
    if any(mark in name for mark in "/\\*:") or name.endswith((".csv", ".parquet", ".json")):
        return f"{name} is a file, and SQL opens none: declare it as a table in sources.yaml; known: {known}."
    return f"table {name} is not there; known: {known}."


def _session_reason(word: str) -> str | None:
    word = folded(word)
    if word not in SESSION_WORDS:
        return None
    return (
        f"{word} is answered by the clock or the session. Use $scoring_at for the present; "
        f"for a column of that name, put its table in front: t.{word}."
    )


def _function_reason(node: dict[str, Any]) -> str | None:
    name, path = folded(node["function_name"]), node["qualified_name"]["path"]
    if len(path) > 1 and (reason := _session_reason(path[0])):  # current_date.year() is year(current_date)
        return reason
    if name in REFUSED_FUNCTIONS:
        return f"the function {name} is not allowed: {REFUSED_FUNCTIONS[name]}."
    allowed, every = _functions()
    if name in allowed:
        return None
    if name not in every:
        near = difflib.get_close_matches(name, allowed, n=1)
        return f"the function {name} is unknown." + (f" Did you mean {near[0]}?" if near else "")
    return (
        f"the function {name} is not allowed: it does not give the same answer every time, or it reads outside the "
        "tables. Use $scoring_at for the present."
    )


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return sandbox.connect("UTC")


@cache
def _functions() -> tuple[frozenset[str], frozenset[str]]:
    """The names of the functions user SQL may call, and of all functions that DuckDB has.

    Allowed is a name of which every overload is CONSISTENT or a macro over allowed functions alone.
    """
    rows = (
        _parser()
        .cursor()
        .execute(
            "SELECT function_name, stability, macro_definition IS NOT NULL, "
            "json_serialize_sql('SELECT ' || macro_definition) FROM duckdb_functions() "
            "WHERE function_type IN ('scalar', 'aggregate', 'window', 'macro')"
        )
        .fetchall()
    )
    allowed, unstable, macros, every = {"unnest", "ifnull"}, {*REFUSED_FUNCTIONS, *SESSION_WORDS}, [], set()
    for name, stability, is_macro, body in rows:
        every.add(name)
        if is_macro:
            macros.append((name, _needs(json.loads(body))))
        elif stability == "CONSISTENT" and not name.startswith("__"):
            allowed.add(name)
        else:
            unstable.add(name)
    allowed -= unstable
    candidates = allowed | {name for name, _ in macros} - unstable
    while unmet := {name for name, needs in macros if name in candidates and not needs <= candidates}:
        candidates -= unmet
    return frozenset(candidates), frozenset(every)


def _needs(body: dict[str, Any]) -> set[str]:
    """What a macro calls: functions, session words, and tables as *table*, which is never allowed."""
    needs = set()
    for node, _ in _walk(body):
        if node.get("class") in ("FUNCTION", "WINDOW"):
            needs.add(folded(node["function_name"]))
        elif node.get("class") == "COLUMN_REF" and folded(node["column_names"][0]) in SESSION_WORDS:
            needs.add(folded(node["column_names"][0]))
        elif node.get("type") in ("BASE_TABLE", "TABLE_FUNCTION") or node.get("error"):
            needs.add("*table*")
    return needs
