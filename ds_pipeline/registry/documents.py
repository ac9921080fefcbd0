"""Signed sets of files of one scoring date: a candidate, an evaluation. What is read back is what was written, by us.

A candidate is a pickle, so it is as dangerous to load as a bundle; its signature is verified before anyone may try.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ds_pipeline.digests import SHORT, canonical_json, digest_files
from ds_pipeline.errors import RegistryError
from ds_pipeline.registry.signing import SigningKeys
from ds_pipeline.store.snapshots import write_file


@dataclass(frozen=True)
class Document:
    """A verified set of files, in memory, and its digest."""

    digest: str
    files: Mapping[str, bytes]


class Documents:
    """The signed documents of one use case below one folder: one current document per kind and scoring date."""

    def __init__(self, root: Path, keys: SigningKeys, *, use_case: str) -> None:
        self.root = root
        self._keys = keys
        self._use_case = use_case

    def put(self, files: Mapping[str, bytes], *, kind: str, day: date) -> Document:
        """Store and sign a set of files, and make it the current one of its kind and date."""
        digest = digest_files(files)
        folder = self.root / kind / str(day)
        for name, content in files.items():
            write_file(folder / digest[:SHORT] / name, content, replace=True)
        pointer = {
            "digest": digest,
            "signature": self._keys.sign(self._signed_text(kind, day, digest)),
        }
        write_file(folder / "current.json", canonical_json(pointer), replace=True)
        return Document(digest, dict(files))

    def find(self, *, kind: str, day: date) -> Document | None:
        """The current document, verified; None where there is none.

        Raises:
            RegistryError: a file is missing or changed, or the signer is unknown.
        """
        folder = self.root / kind / str(day)
        if not (folder / "current.json").is_file():
            return None
        try:
            pointer = json.loads((folder / "current.json").read_bytes())
            digest, signature = str(pointer["digest"]), str(pointer["signature"])
            self._keys.verify(self._signed_text(kind, day, digest), signature, what=f"the {kind} of {day}")
            paths = [path for path in (folder / digest[:SHORT]).iterdir() if not path.name.startswith(".")]
            files = {path.name: path.read_bytes() for path in paths}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise RegistryError(f"The {kind} of {day} is damaged or incomplete. Train again.") from error
        if digest_files(files) != digest:
            raise RegistryError(f"The {kind} of {day} was changed after it was written. Train again.")
        return Document(digest, files)

    def get(self, *, kind: str, day: date) -> Document:
        """The current document, verified; RegistryError where there is none."""
        document = self.find(kind=kind, day=day)
        if document is None:
            raise RegistryError(f"There is no {kind} of {day}. Train first.")
        return document

    def days(self, kind: str) -> list[date]:
        """The scoring dates a kind of document exists for, oldest first."""
        return sorted(date.fromisoformat(path.parent.name) for path in (self.root / kind).glob("*/current.json"))

    def _signed_text(self, kind: str, day: date, digest: str) -> bytes:
        """The place is signed with the content: a document cannot be moved to another date or use case."""
        return canonical_json({"use_case": self._use_case, "kind": kind, "day": str(day), "digest": digest})
