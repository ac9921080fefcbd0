"""Digests: what binds a decision to the very bytes it was taken on."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date, time
from decimal import Decimal
from typing import Any

import numpy as np

SHORT = 12  # hex digits in folder names and on screens; 48 bits are ample within one use case


def digest_bytes(content: bytes) -> str:
    """The SHA-256 of the content, as 64 hex digits."""
    return hashlib.sha256(content).hexdigest()


def canonical_json(value: Any) -> bytes:
    """The one JSON text of a value: sorted keys, no blanks; dates and decimals as text.

    Raises:
        ValueError: NaN or infinity.
        TypeError: a value that has no one text, such as a set, a path or an object.
    """
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, default=_plain).encode()


def _plain(value: Any) -> Any:
    # str() of just anything would put memory addresses and paths of this machine into a digest.
    if isinstance(value, date | time | Decimal):
        return str(value)
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no canonical JSON")


def digest_json(value: Any) -> str:
    """The digest of a value's canonical JSON."""
    return digest_bytes(canonical_json(value))


def digest_files(files: Mapping[str, bytes]) -> str:
    """One digest over named contents, independent of their order."""
    return digest_json({name: digest_bytes(content) for name, content in files.items()})
