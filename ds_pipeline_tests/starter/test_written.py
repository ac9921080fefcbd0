"""The encoding and the dates of a file, as the user says them."""

from __future__ import annotations

import pytest

from ds_pipeline.errors import ConfigError
from ds_pipeline.starter.answers import Answers
from ds_pipeline.starter.written import date_formats_of, encoding_of, require_tables


def answers(encoding: list[str], date_formats: list[str]) -> Answers:
    return Answers("x", [], [], "", encoding=encoding, date_formats=date_formats)


def test_what_is_said_of_one_table_goes_before_what_is_said_of_all() -> None:
    said = answers(["cp1252", "orders=utf-16"], ["%d/%m/%Y", "orders=%m/%d/%Y", "orders=iso"])

    assert (encoding_of(said, "orders"), encoding_of(said, "people")) == ("utf-16", "cp1252")
    assert date_formats_of(said, "orders") == ("%m/%d/%Y", "iso")
    assert date_formats_of(said, "people") == ("%d/%m/%Y",)


def test_what_nobody_knows_is_refused() -> None:
    with pytest.raises(ConfigError, match="--encoding nope: unknown"):
        encoding_of(answers(["nope"], []), "orders")
    with pytest.raises(ConfigError, match="--date-format %d/%m: expected"):
        date_formats_of(answers([], ["%d/%m"]), "orders")
    with pytest.raises(ConfigError, match="no table people"):
        require_tables(answers(["people=cp1252"], []), ["orders"])
