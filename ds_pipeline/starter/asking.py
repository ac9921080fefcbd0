"""The questions of `ds-pipeline new`: each answer is tried on the files as it is given, and asked for again."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar

from ds_pipeline.errors import ConfigError, SourceError
from ds_pipeline.starter.answers import FORMS, NAME, Answers, read_columns, read_horizon, read_tables, read_target
from ds_pipeline.starter.plan import require_target
from ds_pipeline.starter.profile import SourceFile

Answer = TypeVar("Answer")
Files = dict[str, SourceFile]


def ask_missing(answers: Answers, *, ask: Callable[[str], str], open_file: Callable[[str, str], SourceFile]) -> Answers:
    """The answers with what no flag gave, asked for until it fits the files.

    Args:
        ask: puts a question to whoever sits there.
        open_file: takes a path and a name.

    Raises:
        ConfigError, SourceError: a flag, which is not asked for again, does not fit.
    """

    def files_of(tables: list[str]) -> Files:
        files = {name: open_file(path, name) for name, path in read_tables(tables).items()}
        for file in files.values():
            file.profile()
        return files

    tables = answers.tables or _until_it_fits(
        ask, "Files of the tables, with a space between (below data/)", shlex.split, files_of
    )
    files = files_of(tables)
    entity = answers.entity or _until_it_fits(
        ask,
        f"Column of the customer's number, or table=column for each table ({_columns(files)})",
        _per_table,
        lambda given: _keys(files, given),
    )
    keys = read_columns("--entity", entity, list(files))
    target = answers.target or _until_it_fits(
        ask,
        f"What is predicted: {FORMS}; tables: {', '.join(files)}",
        str.strip,
        lambda text: _require_fitting(text, files, keys),
    )
    horizon_days = answers.horizon_days or _until_it_fits(
        ask, "Within how many days (1 to 366)", read_horizon, lambda days: days
    )
    return replace(answers, tables=tables, entity=entity, target=target, horizon_days=horizon_days)


def _until_it_fits(
    ask: Callable[[str], str], question: str, read: Callable[[str], Answer], try_it: Callable[[Answer], object]
) -> Answer:
    """The first answer that can be read and that nothing speaks against; what does is said with the next question."""
    said = question
    while True:
        try:
            answer = read(ask(said))
            try_it(answer)
        except (ConfigError, SourceError, ValueError) as error:  # ValueError: a quotation mark without its other half
            said = f"{error}\n{question}"
        else:
            return answer


def _per_table(text: str) -> list[str]:
    """A column for all tables, or table=column with a space between; a column may have spaces in its name."""
    return re.split(rf"\s+(?={NAME}=)", text.strip())


def _keys(files: Files, given: list[str]) -> dict[str, str]:
    keys = read_columns("--entity", given, list(files))
    for name, file in files.items():
        columns, shown = list(file.profile().columns), file.profile().shown
        if name not in keys or shown.meant(keys[name]) not in columns:
            asked = f"no column {keys[name]}" if name in keys else "no column is named"
            raise ConfigError(
                f"--entity {name}=...: {asked} in {name}; its columns: {shown.listed(columns)}.{shown.hint}"
            )
    return keys


def _require_fitting(text: str, files: Files, keys: dict[str, str]) -> None:
    """Raise ConfigError unless the target is one that the files can say."""
    target = read_target(text, list(files))
    file = files[target.table]
    key = file.profile().shown.meant(keys.get(target.table, ""))
    # Without a key it is asked for later, with the tables that have several columns to choose from.
    per_person = file.per_person(key) if key in file.profile().columns else 1
    require_target(target, file.profile(), per_person)


def _columns(files: Files) -> str:
    return "; ".join(
        f"{name}: {file.profile().shown.listed(list(file.profile().columns))}" for name, file in files.items()
    )
