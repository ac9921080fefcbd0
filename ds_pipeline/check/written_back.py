"""Signs in the sources and features that a past was written back: rows and cells that tell what came later.

No replay sees it: the source says the same wherever it is cut. Frames in, warnings out; never a value of a cell.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from ds_pipeline.check.findings import STATIC_WORDS
from ds_pipeline.check.joins import ReadTokens
from ds_pipeline.figures import counted
from ds_pipeline.use_case.features import LABEL, FeatureSet
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.sources import Table

SECOND_VERSIONS = 0.01  # of those a table has versions of; below it nothing says when they change
FEWEST = 20  # people, or rows, of each kind from which a difference says something
ERRORS = 4.0  # standard errors
TELLS = 0.4  # difference of shares of positives (0..1); that there is one pause alone tells 0.28 in retail_lapse


def single_versions(case: UseCase, name: str, rows: pd.DataFrame) -> list[str]:
    """A warning where a table of versions has one of each, and inputs are made of what can change in it.

    Args:
        rows: all masked rows of the table.
    """
    table = case.sources.tables[name]
    if table.kind != "versions" or rows.empty:
        return []
    versions = rows.groupby(table.entity, observed=True).size()
    columns = _changeable(table)
    made = {column: files for column in columns if (files := list(_inputs_of(case, name, column)))}
    if len(versions) < FEWEST or (versions > 1).mean() > SECOND_VERSIONS or not made:
        return []
    files = sorted({file for found in made.values() for file in found})
    return [
        f"{name}: hardly any {', '.join(table.entity)} has more than one version, so nothing says when "
        f"{', '.join(made)} changed, and {', '.join(files)} makes inputs of it. If the source overwrites its rows, "
        "past weeks know what came later, and no replay sees it. Take a history of the changes, or leave them out."
    ]


def deleted_rows(case: UseCase, name: str, weeks: Mapping[date, pa.Table], read: ReadTokens) -> list[str]:
    """Warnings about registers that have no row of people who had events, more often of those who are gone since.

    Args:
        name: a table of events.
        weeks: its masked rows by scoring date.
        read: the tokens of a column of a table, in all weeks.
    """
    warnings = []
    sources, horizon = case.sources, timedelta(days=case.problem.horizon_days)
    for register, table in sources.tables.items():
        shared = sources.shared_token(name, register)
        if table.kind != "versions" or register == name or shared is None or table.entity != [shared[1]]:
            continue
        last: dict[str, date] = {}
        for day in sorted(weeks):
            last.update(dict.fromkeys(pc.unique(weeks[day][shared[0]]).to_pylist(), day))
        last.pop(None, None)  # type: ignore[call-overload]
        known = set(pc.unique(read(register, shared[1])).to_pylist())
        gone = {token for token, day in last.items() if day < max(weeks) - horizon}
        here = last.keys() - gone
        missing = [len(people - known) for people in (gone, here)]
        if _is_more(missing[0], len(gone), missing[1], len(here)):
            warnings.append(
                f"{register} has no row of {missing[0]:,} of the {len(gone):,} people whose last row in {name} is more "
                f"than {case.problem.horizon_days} days back, and of {missing[1]:,} of the {len(here):,} others: rows "
                "of those who left seem to be deleted. In every past week their gaps tell that they will leave, and no "
                "replay sees it. Take a source that keeps them, or make no input of it."
            )
    return warnings


def telling_gaps(rows: pd.DataFrame, features: FeatureSet) -> list[str]:
    """A warning for each input whose missing values tell the outcome.

    Args:
        rows: labelled rows of some weeks; label 0, 1 or missing.
    """
    decided = rows[rows[LABEL].notna()]
    positive = decided[LABEL].astype(int)
    warnings = []
    for name in features.of_role("input"):
        gap = decided[name].isna()
        if min(gap.sum(), (~gap).sum()) < FEWEST:
            continue
        rates = positive[gap].mean(), positive[~gap].mean()
        if abs(rates[0] - rates[1]) >= TELLS:
            warnings.append(
                f"{name}: {rates[0]:.0%} are positive where it is missing and {rates[1]:.0%} where it is not "
                f"({counted(int(gap.sum()), 'row')} without it): whether it is missing tells the outcome. Is it "
                "filled, or are rows deleted, once the outcome is known?"
            )
    return warnings


def _is_more(some: int, of: int, others: int, of_others: int) -> bool:
    """Whether one share is larger than another, beyond chance."""
    if min(of, of_others) < FEWEST or not some:
        return False
    pooled = (some + others) / (of + of_others)
    error = math.sqrt(pooled * (1 - pooled) * (1 / of + 1 / of_others))
    return some / of - others / of_others > ERRORS * error


def _changeable(table: Table) -> list[str]:
    """The columns that stay and may be overwritten: neither what a row is told by, nor what was fixed once."""
    fixed = {table.event_time, table.known_at, *table.entity, *table.key, *table.tokens}
    return [
        alias
        for alias, column in table.kept.items()
        if alias not in fixed and column.treatment != "band" and not set(alias.split("_")) & STATIC_WORDS
    ]


def _inputs_of(case: UseCase, name: str, column: str) -> Iterator[str]:
    """The files that read a column of a table and make inputs, as far as their words say it."""
    feature = case.features.features.get(column)
    if feature is not None and feature.role != "input":
        return  # a slice of the same name: the model does not see it
    for file, sql in case.feature_sql.items():
        words = set(re.findall(r"\w+", re.sub(r"--.*", "", sql).lower()))
        if {name.lower(), column.lower()} <= words and words & {one.lower() for one in case.features.of_role("input")}:
            yield file
