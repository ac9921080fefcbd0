"""Digests: the same for the same content, whatever its order, and never of something that has no one text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ds_pipeline.digests import canonical_json, digest_bytes, digest_files, digest_json


def test_a_digest_is_sha_256() -> None:
    assert digest_bytes(b"abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_the_order_of_keys_and_files_does_not_matter_but_that_of_a_list_does() -> None:
    assert digest_json({"a": 1, "b": 2}) == digest_json({"b": 2, "a": 1})
    assert digest_files({"a": b"1", "b": b"2"}) == digest_files({"b": b"2", "a": b"1"})
    assert digest_json([1, 2]) != digest_json([2, 1])


def test_content_cannot_move_from_one_file_to_another_unseen() -> None:
    assert digest_files({"a": b"12", "b": b""}) != digest_files({"a": b"1", "b": b"2"})
    assert digest_files({"a": b"x"}) != digest_files({"b": b"x"})


def test_the_text_of_a_value_is_plain() -> None:
    value = {
        "day": date(2011, 3, 7),
        "at": datetime(2011, 3, 7, tzinfo=UTC),
        "n": np.int64(5),
        "price": Decimal("1.50"),
    }

    assert canonical_json(value) == (b'{"at":"2011-03-07 00:00:00+00:00","day":"2011-03-07","n":5,"price":"1.50"}')


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float64("nan")], ids=["nan", "inf", "numpy-nan"])
def test_a_number_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"not JSON compliant|Out of range"):
        canonical_json({"score": value})


@pytest.mark.parametrize("value", [{1, 2}, Path("a"), object(), b"x"], ids=["set", "path", "object", "bytes"])
def test_a_value_without_one_text_is_refused(value: Any) -> None:
    """Written with str(), a path of this machine and the address of an object went into digests."""
    with pytest.raises(TypeError, match="no canonical JSON"):
        digest_json([value])
