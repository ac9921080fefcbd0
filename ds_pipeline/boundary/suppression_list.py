"""The suppression list: who was erased, as keyed hashes that mean nothing without a key of their own.

It is the one place that remembers. Its key is not the pseudonym key: a new one of those must not bring anyone back.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ds_pipeline.digests import canonical_json
from ds_pipeline.errors import ErasureError
from ds_pipeline.store.snapshots import write_file

KEY_BYTES = 32
OTHERS_CAN_READ = 0o077
LIST = "list.json"
FROM_A_BACKUP = "Restore it from a backup: without it people who were erased would come back, so nothing is ingested."
Hashes = Mapping[str, frozenset[str]]  # by token domain


class SuppressionKey:
    """The key of every suppression list of a project: suppression.key (0600), beside the signing key."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "suppression.key"

    def read(self) -> bytes:
        """The key.

        Raises:
            ErasureError: it is missing, damaged, or others can read it.
        """
        name = f"{self.path.parent.name}/{self.path.name}"
        if not self.path.is_file():
            raise ErasureError(f"{name}: the key of the suppression list is missing. {FROM_A_BACKUP}")
        if self.path.stat().st_mode & OTHERS_CAN_READ:
            raise ErasureError(f"{name}: others can read the key of the suppression list. Run chmod 600 on it.")
        text = self.path.read_text(encoding="ascii", errors="replace").strip()
        if not re.fullmatch(rf"[0-9a-f]{{{2 * KEY_BYTES}}}", text):
            raise ErasureError(f"{name}: expected {2 * KEY_BYTES} hex digits. {FROM_A_BACKUP}")
        return bytes.fromhex(text)

    def read_or_make(self, *, is_first: bool) -> bytes:
        """The key; made if there is none and no list of the project was ever made with one."""
        if is_first and not self.path.exists():
            with suppress(FileExistsError):  # another first erasure made it
                write_file(self.path, secrets.token_hex(KEY_BYTES).encode(), replace=False)
        return self.read()


class SuppressionList:
    """The hashes of one use case, by token domain, in one file."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / LIST

    def exists(self) -> bool:
        return self.path.is_file()

    def read(self, *, fingerprint: str) -> Hashes:
        """The hashes.

        Args:
            fingerprint: of the key they must have been made with.

        Raises:
            ErasureError: the list is missing, damaged, or was made with another key.
        """
        if not self.exists():
            raise ErasureError(f"suppression/{LIST}: the suppression list is missing. {FROM_A_BACKUP}")
        try:
            content = json.loads(self.path.read_bytes())
            made_with, hashes = str(content["key"]), {str(k): frozenset(map(str, v)) for k, v in content["of"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ErasureError(f"suppression/{LIST}: damaged. {FROM_A_BACKUP}") from error
        if made_with != fingerprint:
            raise ErasureError(
                f"suppression/{LIST}: it was made with the key {made_with}, here is {fingerprint} (these are "
                f"fingerprints): suppression.key is another one. {FROM_A_BACKUP}"
            )
        return hashes

    def add(self, hashes: Hashes, *, fingerprint: str) -> None:
        """Add to the list; what is there already stays once. Sorted: the order says nothing about when."""
        there = self.read(fingerprint=fingerprint) if self.exists() else {}
        merged = {domain: sorted(there.get(domain, frozenset()) | hashes.get(domain, frozenset()))
                  for domain in there.keys() | hashes.keys()}  # fmt: skip
        write_file(self.path, canonical_json({"key": fingerprint, "of": merged}), replace=True)


def count(hashes: Hashes) -> int:
    """The number of hashes over all domains."""
    return sum(map(len, hashes.values()))
