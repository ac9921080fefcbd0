"""What some columns of a query mean, as one value: it stays when comments, layout or other columns change.

A column of a CTE or of a subquery counts where its name is used by what counts. Where names alone cannot tell, as with
PIVOT or a row taken as a whole, the whole query counts: another value then says that it may mean something else.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, NamedTuple

import duckdb

from ds_pipeline.digests import digest_json
from ds_pipeline.sql import sandbox

PLACES = ("query_location", "query_location_length")
ONE_ROW = {"if", "ifnull", "nullif"}  # macros, over nothing but the row
OF_QUERIES = ("SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE")


class Definition(NamedTuple):
    """What columns of a query are made of.

    Attributes:
        tables: that it reads, in lower case; a CTE counts as well.
        names: of columns that it uses, in lower case; None: of any.
        made: the names of all its columns, in lower case; None where a star or a set operation hides them.
    """

    digest: str
    tables: frozenset[str]
    names: frozenset[str] | None
    made: frozenset[str] | None


def definition_of(sql: str, columns: Iterable[str]) -> Definition:
    """What these columns of one SELECT are made of; of a text that DuckDB cannot read, the text."""
    tree = _syntax_tree(sql)
    if tree.get("error"):
        return Definition(digest_json(sql), frozenset(), None, None)
    root = tree["statements"][0]["node"]
    by_name = list(_selects(root))
    is_told = _is_told_by_names(root, by_name)
    removable = {id(item): name for select in by_name if is_told for item, name in _removable(select)}
    names = {column.lower() for column in columns}
    while (used := names | _used(root, _beside(removable, names))) != names:
        names = used
    kept = _without(root, _beside(removable, names))
    tables = frozenset(node["table_name"].lower() for node in _nodes(kept) if node.get("type") == "BASE_TABLE")
    return Definition(digest_json(kept), tables, frozenset(names) if is_told else None, _made(root))


def _beside(removable: Mapping[int, str], names: set[str]) -> set[int]:
    return {item for item, name in removable.items() if name not in names}


@lru_cache(maxsize=64)
def _syntax_tree(sql: str) -> dict[str, Any]:
    statement, _ = sandbox.split_head(sql)
    try:
        row = _parser().cursor().execute("SELECT json_serialize_sql(?)", [statement]).fetchone()
        tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    except (duckdb.Error, RecursionError):
        return {"error": True}
    return tree if len(tree.get("statements", [])) == 1 else {"error": True}


@cache
def _parser() -> duckdb.DuckDBPyConnection:
    return sandbox.connect("UTC")


@cache
def _of_many_rows() -> frozenset[str]:
    """The functions that may make one row of many: all but those that make one value of each."""
    found = (
        _parser()
        .cursor()
        .execute("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type <> 'scalar'")
    )
    return frozenset(name for (name,) in found.fetchall()) - ONE_ROW


def _children(node: Any) -> Iterator[Any]:
    if isinstance(node, dict):
        yield from node.values()
    elif isinstance(node, list):
        yield from node


def _nodes(tree: Any, without: frozenset[int] | set[int] = frozenset()) -> Iterator[dict[str, Any]]:
    """Every node of a syntax tree, but for some and what is below them."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if id(node) in without:
            continue
        if isinstance(node, dict):
            yield node
        waiting.extend(_children(node))


def _is_told_by_names(root: dict[str, Any], by_name: list[dict[str, Any]]) -> bool:
    """Whether a column that is used is named where it is used: no other name, no place and no row stands for it."""
    stars = {id(item) for select in by_name for item in select["select_list"]}
    for node in _nodes(root):
        kind, group = node.get("type"), node.get("class")
        if kind in ("PIVOT", "RECURSIVE_CTE_NODE") or group == "POSITIONAL_REFERENCE":
            return False
        if node.get("ref_type") == "NATURAL" or node.get("column_name_alias") or node.get("aliases"):
            return False
        if group == "STAR" and (id(node) not in stars or node.get("columns") or node.get("rename_list")):
            return False
        if kind == "SELECT_NODE" and _relations(node["from_table"]) & {
            one["column_names"][0].lower()
            for one in _nodes(node)
            if one.get("class") == "COLUMN_REF" and len(one["column_names"]) == 1
        }:
            return False
    return True


def _relations(from_table: dict[str, Any]) -> set[str]:
    """The names by which a row of what is joined may be taken as a whole, in lower case."""
    joined = [node for node in _nodes(from_table, _queries(from_table)) if not node.get("class")]
    return {node[key].lower() for node in joined for key in ("alias", "table_name") if node.get(key)}


def _queries(tree: dict[str, Any]) -> set[int]:
    """The queries within a part of a query."""
    return {id(node) for node in _nodes(tree) if node is not tree and node.get("type") in OF_QUERIES}


def _selects(root: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The SELECTs whose columns are used by name: the query itself, its CTEs, and subqueries that stand for a table."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if node.get("type") == "SELECT_NODE":
            yield node
        for below in _nodes(node, _queries(node)):
            waiting += [entry["value"]["query_node"] for entry in (below.get("cte_map") or {}).get("map", [])]
            if below.get("type") == "SUBQUERY" and not below.get("class"):
                waiting.append(below["subquery"]["node"])


def _removable(select: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """The columns of a SELECT without which it has the same rows, with their names."""
    modifiers, groups = select.get("modifiers") or [], select.get("group_expressions") or []
    orders = [order["expression"] for one in modifiers for order in one.get("orders") or []]
    if (
        any(one["type"] == "DISTINCT_MODIFIER" for one in modifiers)
        or any(one["class"] in ("CONSTANT", "STAR") for one in [*orders, *groups])  # by place, or by all
        or select["aggregate_handling"] != "STANDARD_HANDLING"
    ):
        return
    for item in select["select_list"]:
        name = _name(item)
        functions = {node["function_name"].lower() for node in _nodes(item) if node.get("class") == "FUNCTION"}
        decide_rows = {"unnest"} if groups else {"unnest"} | _of_many_rows()
        if name and not functions & decide_rows:
            yield item, name


def _name(item: dict[str, Any]) -> str | None:
    """The name of a column of a SELECT, in lower case; None where it has none of its own, as a star."""
    name = item.get("alias") or (item["column_names"][-1] if item["class"] == "COLUMN_REF" else "")
    return name.lower() or None


def _made(root: dict[str, Any]) -> frozenset[str] | None:
    names = [_name(item) for item in root["select_list"]] if root["type"] == "SELECT_NODE" else [None]
    return None if None in names else frozenset(name for name in names if name)


def _used(root: dict[str, Any], without: set[int]) -> set[str]:
    """The names by which columns are used."""
    used: set[str] = set()
    for node in _nodes(root, without):
        if node.get("class") == "COLUMN_REF":
            used |= {name.lower() for name in node["column_names"]}
        used |= {name.lower() for name in node.get("using_columns") or []}
    return used


def _without(node: Any, removed: set[int]) -> Any:
    """A copy of a tree without some nodes, and without what is empty and the places in the text."""
    if isinstance(node, list):
        return [_without(one, removed) for one in node if id(one) not in removed]
    if isinstance(node, dict):
        return {key: _without(value, removed) for key, value in node.items() if value and key not in PLACES}
    return node
