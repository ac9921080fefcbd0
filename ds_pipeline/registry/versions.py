"""The folders of the versions: assembled beside, moved into place whole, tidied after an interruption.

Which version is in force is not decided here; that is the history's business.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from ds_pipeline.registry.bundle import BUNDLE, SIGNATURE, Bundle, read_bundle, read_one, write_bundle
from ds_pipeline.registry.history import Event
from ds_pipeline.registry.signing import SigningKeys
from ds_pipeline.store.chain import file_name
from ds_pipeline.store.snapshots import flush_folder, make_folder, write_file

ASSEMBLING = ".assembling-"
RECEIPTS = "receipts"
VERSION = re.compile(r"v\d{4,}")


def number_of(version: str) -> int:
    """12 for v0012; as text, v10000 would sort before v9999."""
    return int(version[1:])


class Versions:
    """All versions below one folder."""

    def __init__(self, folder: Path, keys: SigningKeys) -> None:
        self.folder = folder
        self.keys = keys

    def names(self) -> list[str]:
        """Every version that has a folder, oldest first."""
        return sorted((path.name for path in self.folder.glob("v*") if VERSION.fullmatch(path.name)), key=number_of)

    def next_name(self, events: Iterable[Event]) -> str:
        """A version that neither has a folder nor ever had an event."""
        taken = [*self.names(), *(event.version for event in events)]
        return f"v{max(map(number_of, taken), default=0) + 1:04d}"

    def open(self, version: str, *, digest: str) -> Bundle:
        """The verified content; RegistryError if it is not, byte for byte, the bundle with this digest."""
        return read_bundle(self.folder / version, self.keys, version=version, digest=digest)

    def read_one(self, version: str, name: str, *, digest: str) -> bytes:
        """One file of it; RegistryError if it is not, byte for byte, that of the bundle with this digest."""
        return read_one(self.folder / version, name, version=version, digest=digest)

    def add(self, version: str, files: Mapping[str, bytes], *, digest: str) -> None:
        """Assemble the version beside its place, verify what was written, and move it there whole."""
        assembled = Path(tempfile.mkdtemp(dir=make_folder(self.folder), prefix=ASSEMBLING))
        try:
            write_bundle(assembled, files, self.keys)
            read_bundle(assembled, self.keys, version=version, digest=digest)
            assembled.rename(self.folder / version)
            flush_folder(self.folder)
        finally:
            shutil.rmtree(assembled, ignore_errors=True)  # nothing is there after the move

    def leave_receipt(self, event: Event) -> None:
        """Note beside the version that the event was made; never read to find what is in force."""
        with suppress(FileExistsError):
            write_file(self.folder / event.version / RECEIPTS / file_name(event.number), b"", replace=False)

    def receipts(self) -> dict[int, str]:
        """The numbers of the events that were made, each with the version it put in force."""
        found = self.folder.glob(f"v*/{RECEIPTS}/*.json")
        return {int(path.stem): path.parent.parent.name for path in found if path.stem.isdigit()}

    def orphans(self, events: Iterable[Event]) -> list[str]:
        """Versions that have a bundle but no event: their promotion was interrupted, and they were never in force."""
        promoted = {event.version for event in events}
        return [name for name in self.names() if name not in promoted and (self.folder / name / BUNDLE).exists()]

    def tidy(self, events: list[Event]) -> None:
        """Complete or remove what an interrupted run left: a receipt, half a version, a version without an event.

        The emptied folder of an orphan stays, so that its number is never given to another candidate.
        """
        if events:
            self.leave_receipt(events[-1])
        for assembled in self.folder.glob(f"{ASSEMBLING}*"):
            shutil.rmtree(assembled)
        for name in self.orphans(events):
            (self.folder / name / SIGNATURE).unlink(missing_ok=True)
            shutil.rmtree(self.folder / name / BUNDLE)
