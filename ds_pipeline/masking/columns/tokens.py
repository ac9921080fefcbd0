"""Pseudonyms: the same identifier gives the same token under one key and domain, and no way back without the key.

The key is passed in; nothing here reads an environment variable or writes a mapping of tokens to identifiers.
"""

import unicodedata
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import Any
from uuid import UUID

import numpy as np
import pandas as pd

from ds_pipeline.errors import KeyMissingError, SourceError
from ds_pipeline.masking.columns.uniques import map_uniques

_TOKEN_BYTES = 16
_KEY_BYTES = range(16, blake2b.MAX_KEY_SIZE + 1)
_DOMAIN_BYTES = range(1, blake2b.PERSON_SIZE + 1)
# Hex has digits, and some of its digit runs pass for a phone or card number. One letter a..p a nibble never
# does, so the leak scan can look at every column, tokens included.
_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_EXACT_FLOAT = 2**53  # beyond it neighbouring integers share one float: two customers would share one token


def key_fingerprint(key: bytes) -> str:
    """16 letters that tell two keys apart and reveal neither; safe to store beside what the key made."""
    return _letters(blake2b(digest_size=8, key=_checked_key(key), person=b"key-fingerprint").digest())


def tokenize(values: pd.Series, *, key: bytes, domain: str) -> pd.Series:
    """Replace each identifier with its token of 32 letters a..p; null stays null.

    Args:
        values: identifiers; what they are taken as is said by `canonical_text`.
        key: the pseudonym key, 16 to 64 bytes.
        domain: what kind of identifier it is, 1 to 16 bytes; the same value in two domains gives two tokens.

    Returns:
        dtype string, the index and name of `values`.

    Raises:
        KeyMissingError: the key is empty, too short or too long.
        SourceError: the domain does not fit, or a value is not an identifier.
    """
    person = domain.encode()
    if len(person) not in _DOMAIN_BYTES:
        raise SourceError(
            f"Column '{values.name}': token_domain '{domain}' takes {len(person)} bytes; expected 1 to "
            f"{blake2b.PERSON_SIZE}. Shorten it in sources.yaml."
        )
    keyed = blake2b(digest_size=_TOKEN_BYTES, key=_checked_key(key), person=person)

    def tokens(uniques: Any) -> Sequence[str | None]:
        texts = _canonical_texts(uniques, column=values.name)
        digests = []
        for text in texts:
            digest = keyed.copy()
            digest.update(text.encode("utf-8", "surrogatepass") if text else b"")
            digests.append(digest.digest())
        letters, width = _letters(b"".join(digests)), 2 * _TOKEN_BYTES
        return [letters[width * row : width * row + width] if text else None for row, text in enumerate(texts)]

    return map_uniques(values, tokens)


def canonical_text(values: pd.Series) -> pd.Series:
    """The one text an identifier is known by, however a source typed it: 17850, 17850.0 and ' 17850 ' are '17850'.

    Whole numbers become decimal digits; text is NFC-normalised and stripped, and keeps its case. A blank names
    nobody and becomes null: one token for all blanks would join strangers.

    Returns:
        dtype string, the index and name of `values`.

    Raises:
        SourceError: a value is a fraction, a whole number too large for its float, or not an identifier at all.
    """
    return map_uniques(values, lambda uniques: [text or None for text in _canonical_texts(uniques, column=values.name)])


def _canonical_texts(uniques: Any, *, column: object) -> list[str]:
    """The text of each distinct value, '' for a blank; columns of one plain type take a short way to the same text."""
    array = np.asarray(uniques)
    if array.dtype.kind == "f" and ((np.abs(array) <= _EXACT_FLOAT) & (array == np.trunc(array))).all():
        array = array.astype(np.int64)
    if array.dtype.kind in "iu":
        return list(map(str, array.tolist()))
    values = array.tolist() if array.dtype.kind == "O" else list(uniques)
    if set(map(type, values)) == {str}:
        return [text.strip() if text.isascii() else unicodedata.normalize("NFC", text).strip() for text in values]
    texts = list(map(_canonical, values))
    wrong = sum(text is None for text in texts)
    if wrong:
        raise SourceError(
            f"Column '{column}': expected identifiers (text, whole numbers, dates), found {wrong} distinct values "
            "that are fractions, floats beyond 2**53 or other objects. Declare the type of the column in sources.yaml."
        )
    return [text or "" for text in texts]


def _canonical(value: Any) -> str | None:
    match value:
        case str():
            return unicodedata.normalize("NFC", value).strip()
        case bool() | np.bool_() | int() | np.integer():
            return str(int(value))
        case float() | np.floating() if abs(float(value)) <= _EXACT_FLOAT and float(value).is_integer():
            return str(int(value))
        case Decimal() if value.is_finite() and value == value.to_integral_value():
            return str(int(value))
        case date():  # and datetime, Timestamp
            return value.isoformat()
        case UUID():
            return str(value)
    return None


def _checked_key(key: bytes) -> bytes:
    if len(key) not in _KEY_BYTES:
        raise KeyMissingError(
            f"The pseudonym key has {len(key)} bytes; expected {_KEY_BYTES.start} to {_KEY_BYTES.stop - 1}. "
            "Set a random one in the environment."
        )
    return key


def _letters(digest: bytes) -> str:
    return digest.hex().translate(_LETTERS)
