"""What the user says of the own case: tables, key, dates, target. Each answer is read here, or its form explained."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from ds_pipeline.errors import ConfigError

NAME = r"[a-z][a-z0-9_]*"
CLASSES = ("public", "internal", "confidential")
FORMS = "event:<table> (it happens), no-event:<table> (it does not), or state:<table>.<column>=<value> (at the end)"


@dataclass(frozen=True)
class Answers:
    """The flags of `ds-pipeline new`, as they were given.

    Attributes:
        tables: each a path, or name=path.
        entity: the column of the customer's number: one name for all tables, or table=column.
        event_time, known_at: table=column.
        target: one of FORMS.
        first, last: scoring dates; guessed from the data where they are None.
        synthetic: the people are invented: the tables are public and need no key of one's own.
    """

    name: str
    tables: list[str]
    entity: list[str]
    target: str
    horizon_days: int = 30
    event_time: list[str] = field(default_factory=list)
    known_at: list[str] = field(default_factory=list)
    first: date | None = None
    last: date | None = None
    time_zone: str = "UTC"
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
        """The answers, with those that no flag gave asked for.

        Args:
            ask: puts a question; None where nobody can answer.

        Raises:
            ConfigError: an answer is missing and nobody can be asked, or the class of the data is unknown.
        """
        if rest["data_class"] not in CLASSES:
            raise ConfigError(
                f"--data-class: expected {', '.join(CLASSES)}; a restricted table is read by a query only."
            )
        if ask is None:
            given = {"--table": tables, "--entity": entity, "--target": target}
            missing = [flag for flag, answer in given.items() if not answer]
            if missing:
                raise ConfigError(
                    f"{', '.join(missing)}: needed where nobody can be asked. For example: ds-pipeline new {name} "
                    "--table data/customers.csv --table data/orders.csv --entity customer_id --target no-event:orders"
                )
        if ask is not None:
            tables = tables or ask("Files of the tables, with a space between (below data/)").split()
            known = list(read_tables(tables))
            entity = entity or [ask("Column of the customer's number")]
            target = target or ask(f"What is predicted: {FORMS}; tables: {', '.join(known)}")
            horizon_days = horizon_days or _whole(ask("Within how many days (1 to 366)"))
        return cls(
            name=name, tables=tables or [], entity=entity or [], target=target or "", horizon_days=horizon_days or 30,
            **rest,
        )  # fmt: skip


@dataclass(frozen=True)
class Target:
    """What is predicted, within the horizon: an event in a table, none there, or a state at its end."""

    kind: str
    table: str
    column: str | None = None
    value: str | None = None


def read_target(text: str, tables: list[str]) -> Target:
    """The target of an answer.

    Raises:
        ConfigError: it has another form, or names another table.
    """
    form = re.fullmatch(rf"(event|no-event):({NAME})|(state):({NAME})\.([^=]+)=(.+)", text.strip())
    if form is None:
        raise ConfigError(f"--target: expected {FORMS}.")
    kind, table = form[1] or form[3], form[2] or form[4]
    if table not in tables:
        raise ConfigError(f"--target: no table {table}; known: {', '.join(tables)}.")
    return Target(kind, table, form[5], form[6])


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
        if name in tables or name in ("population", "future"):
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


def alias_of(text: str) -> str:
    """A name behind the boundary: lower case, words joined by _."""
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss"))
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    split = re.sub(r"([a-z\d])([A-Z])", r"\1_\2", letters)
    alias = re.sub(r"[^a-z0-9]+", "_", split.lower()).strip("_")
    return alias if re.fullmatch(NAME, alias) else f"column_{alias}".rstrip("_")


def _whole(text: str) -> int:
    if not re.fullmatch(r"\d{1,3}", text.strip()) or not 1 <= int(text) <= 366:
        raise ConfigError("--horizon-days: expected a whole number of days, 1 to 366.")
    return int(text)
