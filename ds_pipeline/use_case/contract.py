"""contract.yaml: what the consumer of the scores receives, when, and what happens when something fails."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ds_pipeline.use_case.model import FileModel
from ds_pipeline.use_case.problem import Day, Text

# Where a delivered column can come from; identifier is re-attached in memory at the outward boundary.
Origin = Literal["identifier", "scoring_date", "score", "decile", "rank", "model_version", "reason", "replaces"]
TYPE_OF_ORIGIN = {
    "scoring_date": "date", "score": "double", "decile": "integer", "rank": "integer", "model_version": "string",
    "reason": "string", "replaces": "string",
}  # fmt: skip
REASONS = 3  # that a list can give for a score


class ContractColumn(FileModel):
    """One column of the delivered list; none has missing values.

    Attributes:
        place: of a reason: 1 for the input that moved the score most, up to 3.
    """

    origin: Origin
    place: Annotated[int, Field(ge=1, le=REASONS)] | None = None
    type: Literal["string", "integer", "double", "date"]
    is_pii: bool
    meaning: Text
    example: str | int | float | date

    @model_validator(mode="after")
    def _is_consistent(self) -> ContractColumn:
        expected = TYPE_OF_ORIGIN.get(self.origin, self.type)
        if self.type != expected:
            raise ValueError(f"a column of origin {self.origin} has the type {expected}, not {self.type}")
        if (self.place is not None) != (self.origin == "reason"):
            raise ValueError("place is for a column of origin reason, and is needed there")
        fitting = {"string": str, "integer": int, "double": int | float, "date": date}[self.type]
        if not isinstance(self.example, fitting):
            raise ValueError(f"the example {self.example!r} is not of the type {self.type}")
        return self


class IdentifierSource(FileModel):
    """Where the consumer's own identifier is found: a table and the source column behind the entity's token.

    Attributes:
        max_unknown_share: of the chosen, rounded up, who may have none there: they are left out of the list and
            counted. More stop the delivery.
    """

    table: Text
    column: Text
    max_unknown_share: Annotated[float, Field(ge=0, lt=1)] = 0.0


class Cadence(FileModel):
    """When the list is delivered."""

    day: Literal["Monday"]
    time: Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class Contract(FileModel):
    """The agreement with the consumer."""

    consumer: Text
    format: Annotated[list[Literal["csv", "parquet"]], Field(min_length=1)]
    selection: Text
    top_share: Annotated[float, Field(gt=0, le=1)]
    identifier: IdentifierSource | None
    columns: Annotated[dict[Text, ContractColumn], Field(min_length=1)]
    cadence: Cadence
    freshness_hours: Annotated[int, Field(ge=1)]
    failure_behaviour: Text
    sunset: Day

    @model_validator(mode="after")
    def _is_consistent(self) -> Contract:
        asked = [name for name, column in self.columns.items() if column.origin == "identifier"]
        if bool(asked) != (self.identifier is not None):
            raise ValueError("a column of origin identifier needs the key identifier (table and column), and only then")
        if any(not self.columns[name].is_pii for name in asked):
            raise ValueError("a column of origin identifier is PII; say is_pii: true")
        return self

    @property
    def asks_for_reasons(self) -> bool:
        """Whether a column of the list says why a score is what it is."""
        return any(column.origin == "reason" for column in self.columns.values())
