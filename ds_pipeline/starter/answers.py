"""What the user says of the own case: tables, key, dates, target. Each answer is read here, or its form explained."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ds_pipeline.errors import ConfigError

NAME = r"[a-z][a-z0-9_]*"
CLASSES = ("public", "internal", "confidential")
IN_STARTER = ("active", "later", "recent")  # what the SQL of a starter calls its own parts
HORIZON_DAYS = 30  # where no flag says and nobody can be asked
FORMS = (
    "event:<table> (it happens), no-event:<table> (it does not), date:<table>.<column> (a date of the customer comes), "
    "or state:<table>.<column>=<value> (at the end)"
)


@dataclass(frozen=True)
class Answers:
    """The flags of `ds-pipeline new`, as they were given.

    Attributes:
        tables: each a path, or name=path.
        entity: the column of the customer's number: one name for all tables, or table=column.
        event_time, known_at: table=column.
        target: one of FORMS.
        horizon_days: 0 where it is still to be asked.
        encoding, date_formats: how a CSV file and the dates in it are written, or table=...; see `written`.
        first, last: scoring dates; guessed from the data where they are None.
        synthetic: the people are invented: the tables are public and need no key of one's own.
    """

    name: str
    tables: list[str]
    entity: list[str]
    target: str
    horizon_days: int = HORIZON_DAYS
    event_time: list[str] = field(default_factory=list)
    known_at: list[str] = field(default_factory=list)
    first: date | None = None
    last: date | None = None
    time_zone: str = "UTC"
    encoding: list[str] = field(default_factory=list)
    date_formats: list[str] = field(default_factory=list)
    data_class: str = "confidential"
    synthetic: bool = False

    @classmethod
    def complete(
        cls,
        ask: Callable[[str], str] | None,
        *,
        name: str,
        tables: list[str] | None,
        entity: list[str] | None,
        target: str | None,
        horizon_days: int | None,
        **rest: Any,
    ) -> Answers:
        """The answers of the flags; where somebody can be asked, what no flag gave is left for `ask_missing`.

        Args:
            ask: puts a question; None where nobody can answer.

        Raises:
            ConfigError: an answer is missing and nobody can be asked, or a flag cannot be used; it is named.
        """
        _require_usable(rest)
        if ask is None:
            given = {"--table": tables, "--entity": entity, "--target": target}
            missing = [flag for flag, answer in given.items() if not answer]
            if missing:
                raise ConfigError(
                    f"{', '.join(missing)}: needed where nobody can be asked. For example: ds-pipeline new {name} "
                    "--table data/customers.csv --table data/orders.csv --entity customer_id --target no-event:orders"
                )
        return cls(
            name=name, tables=tables or [], entity=entity or [], target=target or "",
            horizon_days=horizon_days or (HORIZON_DAYS if ask is None else 0), **rest,
        )  # fmt: skip


def _require_usable(rest: dict[str, Any]) -> None:
    """Raise ConfigError if a flag has a value that no file of a use case could have."""
    if rest["data_class"] not in CLASSES:
        raise ConfigError(f"--data-class: expected {', '.join(CLASSES)}; a restricted table is read by a query only.")
    zone = rest.get("time_zone", "UTC")
    try:
        ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ConfigError(f"--time-zone: unknown time zone {zone!r}; expected a name such as Europe/London.") from None
    for flag in ("first", "last"):
        day = rest.get(flag)
        if day is not None and day.weekday() != 0:
            monday = day - timedelta(days=day.weekday())
            raise ConfigError(
                f"--{flag}: {day} is a {day:%A}; a scoring date is a Monday, such as {monday} or "
                f"{monday + timedelta(days=7)}."
            )
    if rest.get("first") and rest.get("last") and rest["first"] > rest["last"]:
        raise ConfigError(f"--first: {rest['first']} is after --last {rest['last']}.")


@dataclass(frozen=True)
class Target:
    """What is predicted, within the horizon: an event in a table, none there, a date of the customer, or a state."""

    kind: str
    table: str
    column: str | None = None
    value: str | None = None


def read_target(text: str, tables: list[str]) -> Target:
    """The target of an answer.

    Raises:
        ConfigError: it has another form, or names another table.
    """
    form = re.fullmatch(
        rf"(?P<kind>event|no-event):(?P<table>{NAME})|(?P<date>date):(?P<of>{NAME})\.(?P<day>.+)"
        rf"|(?P<state>state):(?P<versions>{NAME})\.(?P<column>[^=]+)=(?P<value>.+)",
        text.strip(),
    )
    if form is None:
        raise ConfigError(f"--target: expected {FORMS}.")
    table = form["table"] or form["of"] or form["versions"]
    if table not in tables:
        raise ConfigError(f"--target: no table {table}; known: {', '.join(tables)}.")
    kind = form["kind"] or form["date"] or form["state"]
    return Target(kind, table, form["day"] or form["column"], form["value"])


def read_tables(answers: list[str]) -> dict[str, str]:
    """Table names with their paths; the name of a file stands for its table where none is given.

    Raises:
        ConfigError: no table, a name that SQL cannot use, or one that is there twice.
    """
    tables: dict[str, str] = {}
    for answer in answers:
        name, equals, path = answer.partition("=")
        if not equals:
            name, path = alias_of(Path(answer).stem), answer
        if not re.fullmatch(NAME, name):
            raise ConfigError(
                f"--table {name}=...: a name is lower-case letters, digits and _, and begins with a letter."
            )
        if name in tables or name in ("population", "future", *IN_STARTER):
            raise ConfigError(f"--table: the name {name} is taken. Give another: --table other_name={Path(path).name}")
        tables[name] = path
    if not tables:
        raise ConfigError("--table: expected at least one file, such as --table data/orders.csv.")
    return tables


def read_columns(flag: str, answers: list[str], tables: list[str]) -> dict[str, str]:
    """The columns that were named per table; a column without a table counts for every table.

    Raises:
        ConfigError: an unknown table.
    """
    found: dict[str, str] = {}
    for answer in answers:
        table, equals, column = answer.partition("=")
        if not equals:
            found |= {name: answer for name in tables if name not in found}
        elif table not in tables:
            raise ConfigError(f"{flag} {table}=...: no table {table}; known: {', '.join(tables)}.")
        else:
            found[table] = column
    return found


def plain_letters(text: str) -> str:
    """The text with its letters as ASCII where they have a base letter."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    return "".join(char for char in plain if not unicodedata.combining(char))


def alias_of(text: str) -> str:
    """A name behind the boundary: lower case, words joined by _."""
    split = re.sub(r"([a-z\d])([A-Z])", r"\1_\2", plain_letters(text))
    alias = re.sub(r"[^a-z0-9]+", "_", split.lower()).strip("_")
    return alias if re.fullmatch(NAME, alias) else f"column_{alias}".rstrip("_")


def read_horizon(text: str) -> int:
    """The days of an answer.

    Raises:
        ConfigError: it is no whole number of days.
    """
    if not re.fullmatch(r"\d{1,3}", text.strip()) or not 1 <= int(text) <= 366:
        raise ConfigError("--horizon-days: expected a whole number of days, 1 to 366.")
    return int(text)
