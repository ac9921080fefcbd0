"""problem.yaml: the question, the decision it drives, and the clock."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import PurePosixPath
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from ds_pipeline.use_case.model import FileModel


def _as_date(value: Any) -> Any:
    """A date in quotes is a date as well."""
    try:
        return date.fromisoformat(value) if isinstance(value, str) else value
    except ValueError as error:
        raise ValueError(f"{value!r} is not a date; expected one such as 2011-03-07") from error


def _as_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # OSError: Europe alone is a folder
        raise ValueError(f"unknown time zone {value!r}; expected an IANA name such as Europe/London") from error
    return value


Text = Annotated[str, Field(pattern=r"\S")]
Day = Annotated[date, BeforeValidator(_as_date)]
ZoneName = Annotated[str, AfterValidator(_as_zone)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]  # becomes a column, a table or an asset


class Target(FileModel):
    """What is predicted: a yes or no within the horizon."""

    name: Text
    meaning: Text


class ClockDates(FileModel):
    """The scoring dates: Mondays in a time zone, from the first to the last (null for a live use case)."""

    time_zone: ZoneName
    first: Day
    last: Day | None

    @field_validator("first", "last")
    @classmethod
    def _is_monday(cls, value: date | None) -> date | None:
        if value is not None and value.weekday() != 0:
            monday = value - timedelta(days=value.weekday())
            raise ValueError(
                f"{value} is a {value:%A}; a scoring date is a Monday, such as {monday} or {monday + timedelta(days=7)}"
            )
        return value


class Truth(FileModel):
    """Where a simulation wrote down the true probability of the target; compared with the scores, never an input.

    Attributes:
        path: a parquet file, relative to the project.
        entity, scoring_date, probability: its columns; the entity as the sources name it, before the boundary.
    """

    path: Text
    entity: Text
    scoring_date: Text
    probability: Text

    @field_validator("path")
    @classmethod
    def _is_inside(cls, value: str) -> str:
        if PurePosixPath(value).is_absolute() or ".." in PurePosixPath(value).parts:
            raise ValueError("path must be relative to the project and stay inside it")
        return value


class Problem(FileModel):
    """The problem statement of a use case."""

    title: Text
    question: Text
    decision: Text
    owner: Text
    entity: Name  # the column that identifies who is scored, as it is called behind the PII boundary
    unit_of_analysis: Text
    target: Target
    horizon_days: Annotated[int, Field(ge=1, le=366)]
    settle_days: Annotated[int, Field(ge=0, le=366)]
    clock: ClockDates
    out_of_scope: list[Text]
    known_confounders: list[Text]
    truth: Truth | None = None  # of a simulated population alone
