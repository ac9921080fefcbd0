"""What sources.yaml may say of where a table lies: each format has its keys, and no address or secret is among them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from ds_pipeline.use_case.sources import Table

AT = {"alias": "at", "type": "timestamp", "nullable": False, "identifies": "no", "treatment": "keep", "meaning": "x"}
QUERY = {"path": "", "format": "query", "query": "SELECT * FROM t", "connection_env": "SHOP_DATABASE"}


def declare(**changes: Any) -> Table:
    table = {
        "meaning": "a person", "kind": "events", "path": "data/p.csv", "format": "csv", "data_class": "internal",
        "synthetic": False, "time_zone": "UTC", "event_time": "at", "known_at": "at", "key": [], "entity": [],
        "replayable": True, "max_quarantine_share": 0.0, "columns": {"at": AT},
    }  # fmt: skip
    return Table.model_validate(table | changes)


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"path": "data/events/*.csv"}, id="pattern"),
        pytest.param({"path": "data/events", "format": "jsonl"}, id="folder"),
        pytest.param({"path": "s3://bucket/events/*.parquet", "format": "parquet"}, id="url"),
        pytest.param({"path": "file:///srv/events"}, id="file-url"),
        pytest.param(QUERY, id="query"),
        pytest.param(QUERY | {"query": "with a as (select 1) select * from a", "data_class": "restricted"}, id="with"),
        pytest.param({"encoding": "latin1", "delimiter": ";"}, id="text"),
    ],
)
def test_a_table_may_lie_in_files_behind_a_url_or_in_a_database(changes: dict[str, Any]) -> None:
    where = "query on SHOP_DATABASE" if "query" in changes else changes.get("path", "data/p.csv")
    assert declare(**changes).lies_at == where


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"path": "/srv/p.csv"}, "stay inside it", id="absolute"),
        pytest.param({"path": "data/../../p.csv"}, "stay inside it", id="upwards"),
        pytest.param({"path": "file:///srv/../p.csv"}, "stay inside it", id="upwards-in-a-url"),
        pytest.param({"path": "ftp://me@host/p.csv"}, "no user or password", id="password"),
        pytest.param({"path": "simplecache::s3://b/p.csv"}, "no chain", id="a-copy-on-disk"),
        pytest.param({"path": "http://host/p.csv"}, "unencrypted", id="plain-transfer"),
        pytest.param({"path": ""}, "needs path", id="nowhere"),
        pytest.param({"query": "SELECT 1"}, "for format: query", id="query-of-a-file"),
        pytest.param(QUERY | {"path": "data/p.csv"}, "no path", id="path-of-a-query"),
        pytest.param(QUERY | {"connection_env": None}, "needs query and connection_env", id="no-address"),
        pytest.param(QUERY | {"connection_env": "postgresql://u:p@h/d"}, "match pattern", id="the-address-itself"),
        pytest.param(QUERY | {"query": "DELETE FROM t"}, "one SELECT", id="no-select"),
        pytest.param(QUERY | {"columns": {"at": AT | {"formats": ["%d/%m/%Y"]}}}, "cast it in the query", id="format"),
        pytest.param(QUERY | {"encoding": "cp1252"}, "encoding is for", id="encoding-of-a-query"),
        pytest.param({"encoding": "klingon"}, "unknown encoding", id="no-encoding"),
        pytest.param({"format": "jsonl", "delimiter": ";"}, "delimiter is for", id="delimiter-of-json"),
        pytest.param(
            {"possible": {"not_before": {"table": "a", "column": "b"}}}, "no token stays", id="nobody-to-join"
        ),
    ],
)
def test_keys_that_do_not_fit_together_are_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        declare(**changes)


def test_a_restricted_table_is_read_by_query_alone() -> None:
    assert declare(**QUERY, data_class="restricted")
    with pytest.raises(ValidationError, match="only be read by a database query"):
        declare(data_class="restricted")
