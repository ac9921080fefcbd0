"""What the evaluation stage writes down: frozen, complete, and with one canonical text that digests are taken of."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from ds_pipeline.digests import canonical_json, digest_bytes
from ds_pipeline.errors import EvaluationError


class Record(BaseModel):
    """A frozen record; unknown fields, NaN and infinity are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def to_json(self) -> bytes:
        """The one JSON text of the record: what is stored, digested and signed."""
        return canonical_json(self.model_dump(mode="json"))

    @property
    def digest(self) -> str:
        return digest_bytes(self.to_json())

    @classmethod
    def from_json(cls, content: bytes) -> Self:
        """The record that was written down.

        Raises:
            EvaluationError: the text is not one; names the fields, not their values.
        """
        try:
            return cls.model_validate_json(content)
        except ValidationError as error:
            fields = sorted({".".join(map(str, item["loc"])) or "the whole text" for item in error.errors()})
            raise EvaluationError(
                f"Not a valid {cls.__name__}: {', '.join(fields)}. Run the evaluation again."
            ) from None
