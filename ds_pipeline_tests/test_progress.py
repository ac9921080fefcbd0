"""A line of progress for whoever listens."""

from __future__ import annotations

import logging

import pytest

from ds_pipeline.progress import log, say


def test_a_line_names_its_stage_and_is_no_template(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, logger=log.name):
        say("masked_visits", "100 % of 3 rows, {} %s")

    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("INFO", "masked_visits: 100 % of 3 rows, {} %s")
    ]
