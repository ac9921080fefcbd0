"""How the user says that a file is written: its encoding, and the form of its dates."""

from __future__ import annotations

import codecs
import re

from ds_pipeline.errors import ConfigError
from ds_pipeline.starter.answers import Answers
from ds_pipeline.use_case.sources import FORMAT_PARTS, ISO


def encoding_of(answers: Answers, table: str) -> str:
    """The encoding of a table's file; UTF-8 where none was said.

    Raises:
        ConfigError: nobody knows such an encoding.
    """
    said = _of_table(answers.encoding, table)
    if not said:
        return "utf-8"
    try:
        return codecs.lookup(said[-1]).name
    except LookupError:
        raise ConfigError(
            f"--encoding {said[-1]}: unknown encoding; expected one such as utf-8, cp1252 or utf-16."
        ) from None


def date_formats_of(answers: Answers, table: str) -> tuple[str, ...]:
    """The forms of a table's dates as the user says them; empty where they are to be guessed.

    Raises:
        ConfigError: one is no form of a date.
    """
    said = _of_table(answers.date_formats, table)
    for one in said:
        parts = set(re.findall(r"%(.)", one))
        if one != ISO and not (parts <= FORMAT_PARTS and parts & set("Yy") and parts & set("mbB") and "d" in parts):
            raise ConfigError(
                f"--date-format {one}: expected iso, or day, month and year such as %d/%m/%Y or %d.%m.%y %H:%M."
            )
    return tuple(dict.fromkeys(said))


def require_tables(answers: Answers, tables: list[str]) -> None:
    """Raise ConfigError if an encoding or a form of dates is said of a table that is not there."""
    for flag, said in (("--encoding", answers.encoding), ("--date-format", answers.date_formats)):
        for one in said:
            table, equals, _ = one.partition("=")
            if equals and table not in tables:
                raise ConfigError(f"{flag} {table}=...: no table {table}; known: {', '.join(tables)}.")


def _of_table(said: list[str], table: str) -> list[str]:
    """What is said of a table: for it alone if there is any, else for all."""
    own = [one.partition("=")[2] for one in said if one.startswith(f"{table}=")]
    return own or [one for one in said if "=" not in one]
