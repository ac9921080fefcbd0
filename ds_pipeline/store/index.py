"""The signed index of a dataset: the snapshot each partition points at, and those it pointed at before.

One file per dataset, so that no pointer can be put back, added or taken out alone. It holds no time and no name: what
is hashed further on is the digests of snapshots. Bytes in, bytes out; where they lie is the store's business.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Protocol

from pydantic import Field, StrictInt, ValidationError

from ds_pipeline.digests import canonical_json
from ds_pipeline.errors import StoreError
from ds_pipeline.use_case.model import FileModel

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Signer(Protocol):
    """What is used of `registry.signing.SigningKeys`."""

    pin_path: Path  # the public key

    def sign(self, content: bytes) -> str: ...
    def verify(self, content: bytes, signature: str, *, what: str) -> None: ...


class Pointer(FileModel):
    """What a partition is.

    Attributes:
        before: the snapshots it pointed at earlier, oldest first: what was replaced is known, and by what.
        parts: the files it lies in, one for each bucket; none where it lies in one file, named by its digest.
    """

    digest: Digest
    rows: Annotated[StrictInt, Field(ge=0)]
    info: dict[str, Any]
    before: list[Digest] = Field(default_factory=list)
    parts: list[Digest] = Field(default_factory=list)

    @property
    def plain(self) -> dict[str, Any]:
        """As it is written and signed."""
        plain = {"digest": self.digest, "rows": self.rows, "info": self.info, "before": self.before}
        return plain | ({"parts": self.parts} if self.parts else {})

    @property
    def versions(self) -> list[str]:
        return [*self.before, self.digest]

    def follow(self, earlier: Pointer | None) -> Pointer:
        """This pointer in the place of an earlier one."""
        if earlier is None:
            return self
        before = earlier.before if earlier.digest == self.digest else earlier.versions
        return self.model_copy(update={"before": before})


class _File(FileModel):
    partitions: dict[str, Pointer]
    signature: str


def seal(partitions: Mapping[str, Pointer], keys: Signer, *, use_case: str, dataset: str) -> bytes:
    """The content of the file, signed together with the place it is for."""
    plain = {name: pointer.plain for name, pointer in partitions.items()}
    signature = keys.sign(_signed_text(plain, use_case, dataset))
    return canonical_json({"partitions": plain, "signature": signature})


def unseal(content: bytes, keys: Signer, *, use_case: str, dataset: str) -> dict[str, Pointer]:
    """The partitions of a dataset, after the signature was checked.

    Raises:
        StoreError: it is no index.
        RegistryError: it was changed after it was signed, is of another dataset, or of an unknown signer.
    """
    try:
        file = _File.model_validate_json(content)
    except ValidationError as error:
        raise StoreError(f"{dataset}: its index is damaged. Restore it from a backup.") from error
    plain = {name: pointer.plain for name, pointer in file.partitions.items()}
    keys.verify(_signed_text(plain, use_case, dataset), file.signature, what=f"{dataset}: its index")
    return file.partitions


def _signed_text(plain: Mapping[str, Any], use_case: str, dataset: str) -> bytes:
    return canonical_json({"use_case": use_case, "dataset": dataset, "partitions": plain})
