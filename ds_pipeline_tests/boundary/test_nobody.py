"""Guests across the boundary: a word for nobody is no person, and one that is taken for a person is warned of."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from ds_pipeline.boundary.mask import mask_source
from ds_pipeline_tests.workbenches import Declare, write_sources


def test_guests_are_nobody_and_are_counted(declare: Declare, tmp_path: Path) -> None:
    """Orders of guests made a customer of their own of NULL, and nothing was said."""
    bench = declare(visits={"max_quarantine_share": 1.0})
    write_sources(tmp_path, customers=["Bo Ek", "NULL", "nan", "unknown"])

    done = mask_source(bench, "visits", [date(2011, 3, 7)])

    assert (done.kept, done.quarantined) == (2, 2)
    assert list(done.in_words())[1:] == [
        "cells with a word for nobody (null_words), taken for missing ones; customer_token: 2",
        "WARNING: visits.customer_token: a word for nobody is taken for a person there (unknown: 1 rows). If it is no "
        "one, list it in null_words of the column in sources.yaml, with the words that stand for it today.",
    ]
