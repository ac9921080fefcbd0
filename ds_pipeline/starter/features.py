"""The starter's features: recency, frequency, amounts and tenure, each with its SQL and its entry in features.yaml."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import cache

from ds_pipeline.sql import sandbox
from ds_pipeline.starter.plan import ColumnPlan, Plan, TablePlan
from ds_pipeline.use_case.features import names_identifier

MOST_AMOUNTS = 5  # columns of a table that are summed
MANY_ROWS = 100_000  # of one person in one window; more is a fault
NUMERIC = ("int64", "float64")  # what the rule without a model can be made of
OTHER = "other"
RECENCY = "days_since_last_"


@dataclass(frozen=True)
class StarterFeature:
    """One feature: the expression that makes it, and what features.yaml says of it."""

    name: str
    sql: str
    dtype: str
    unit: str
    nullable: bool
    role: str
    meaning: str
    minimum: float | None = None
    maximum: float | None = None
    categories: tuple[str, ...] = ()


def features_of(plan: Plan) -> dict[str, list[StarterFeature]]:
    """The features by table; a table of which nothing can be made is left out."""
    taken: set[str] = {plan.entity}
    made = {}
    for table in plan.tables:
        if plan.leaves_target_out and table.name == plan.target.table:
            continue  # nobody in scope has a row there: each feature of it would be the same for all
        found = _of_events(plan, table, taken) if table.kind == "events" else _of_versions(plan, table, taken)
        if found:
            made[table.name] = found
    return made


def baseline_of(plan: Plan, features: dict[str, list[StarterFeature]]) -> tuple[str, bool] | None:
    """The feature that serves as the naive rule, and whether more of it makes the target more likely.

    Who has not been there for long is likelier not to come, and likelier to leave: the single event or the date of a
    customer. Who has just done something is likelier to do it again.
    """
    inputs = [one for found in features.values() for one in found if one.role == "input" and one.dtype in NUMERIC]
    own = [one for one in features.get(plan.target.table, []) if one in inputs]
    recency = [one for one in [*own, *inputs] if one.name.startswith(RECENCY)]
    best = next(iter([*recency, *own, *inputs]), None)
    stays_away = plan.target.kind in ("no-event", "date") or plan.leaves_target_out
    return (best.name, stays_away) if best else None


def _of_events(plan: Plan, table: TablePlan, taken: set[str]) -> list[StarterFeature]:
    longest, short = plan.weeks.window_days, plan.weeks.short_days
    stem, at, ago = _safe(table.name), sql_name(table.event_time), table.days_ago
    never = longest + 2  # a window of 90 days touches 91 calendar days
    made = [
        _count(
            f"{RECENCY}{stem}_{longest}d",
            f"coalesce(min({ago}), {never})",
            maximum=never,
            meaning=f"days since the last row of {table.name}; {never} if there is none in {longest} days",
            unit="days",
        ),
        _count(
            f"days_since_first_{stem}_{longest}d",
            f"coalesce(max({ago}), 0)",
            maximum=never,
            meaning=f"days since the first row of {table.name} within {longest} days; 0 if there is none",
            unit="days",
        ),
    ]
    for window in (short, longest):
        inside = f" filter (where {ago} <= {window})" if window < longest else ""
        made += [
            _count(
                f"{stem}_{window}d",
                f"count({ago}){inside}",
                maximum=MANY_ROWS,
                meaning=f"rows of {table.name} in the last {window} days",
                unit="rows",
            ),
            _count(
                f"{stem}_active_days_{window}d",
                f"count(distinct {at}::date){inside}",
                maximum=never,
                meaning=f"days with a row of {table.name} in the last {window}",
                unit="days",
            ),
        ]
    for column in table.numbers[:MOST_AMOUNTS]:
        top = _generous(column)
        low = 0 if (column.profile.lowest or 0) >= 0 else -top
        for window in (short, longest):
            inside = f" filter (where {ago} <= {window})" if window < longest else ""
            made.append(
                StarterFeature(
                    f"{stem}_{_safe(column.alias)}_sum_{window}d",
                    f"coalesce(sum({sql_name(column.alias)}){inside}, 0)::double",
                    "float64",
                    f"sum of {column.alias}",
                    False,
                    "input",
                    f"{column.alias} of {table.name}, summed over the last {window} days",
                    low,
                    top,
                )
            )
    return _named(made, taken)


def _count(name: str, sql: str, *, maximum: int, meaning: str, unit: str) -> StarterFeature:
    """A whole number that is never missing."""
    return StarterFeature(name, sql, "int64", unit, False, "input", meaning, 0, maximum)


def _of_versions(plan: Plan, table: TablePlan, taken: set[str]) -> list[StarterFeature]:
    made = []
    cap = plan.weeks.window_days  # tenure without a limit would grow with the history, and drift
    if table.name != plan.target.table or plan.target.kind != "state":
        made.append(
            StarterFeature(
                f"days_since_{_safe(table.event_time)}_{cap}d",
                f"least(greatest(date_diff('day', {sql_name(table.event_time)}::date, $scoring_at::date), 0), {cap})",
                "int64",
                "days",
                True,
                "input",
                f"days since {table.event_time}, at most {cap}",
                0,
                cap,
            )
        )
    for column in table.kept:
        name, alias, unit = _safe(column.alias), sql_name(column.alias), f"as in {table.name}"
        if column.guess.is_quasi:
            role = "protected" if column.guess.identifies == "sensitive" else "slice"
            listed = tuple(dict.fromkeys([*column.guess.categories, OTHER])) if column.guess.categories else ()
            made.append(_category(name, alias, role, column, listed))
        elif column in table.numbers:
            top = _generous(column)
            low = 0 if (column.profile.lowest or 0) >= 0 else -top
            made.append(
                StarterFeature(name, f"{alias}::double", "float64", unit, True, "input", column.meaning, low, top)
            )
        elif column.type == "boolean":
            made.append(StarterFeature(name, alias, "bool", unit, True, "input", column.meaning))
        elif column.type == "string" and column.guess.identifies == "no" and column.guess.treatment == "keep":
            made.append(_category(name, alias, "slice", column, ()))
    return _named(made, taken)


def _category(name: str, sql: str, role: str, column: ColumnPlan, categories: tuple[str, ...]) -> StarterFeature:
    meaning = f"{column.meaning}; the model does not see it"
    return StarterFeature(name, sql, "string", "category", True, role, meaning, categories=categories)


def _named(features: list[StarterFeature], taken: set[str]) -> list[StarterFeature]:
    """Those whose name is free: a second table with a column of the same name makes no second feature of it."""
    made = []
    for one in features:
        if one.name not in taken:
            taken.add(one.name)
            made.append(one)
    return made


def _safe(stem: str) -> str:
    """The stem without words that would make a feature look like an identifier."""
    words = [word for word in stem.split("_") if not names_identifier(word)]
    return stem if not names_identifier(stem) else "_".join(words) or "rows"


def _generous(column: ColumnPlan) -> float:
    """A power of ten far above any sum of the column: a limit for faults, which tells nothing of its values."""
    largest = max(abs(column.profile.lowest or 0), abs(column.profile.highest or 0), 1)
    return float(10 ** (math.ceil(math.log10(largest)) + 5))


@cache
def _keywords() -> frozenset[str]:
    with sandbox.connect("UTC") as connection:
        rows = connection.execute(
            "SELECT keyword_name FROM duckdb_keywords() WHERE keyword_category <> 'unreserved'"
        ).fetchall()
    return frozenset(name for (name,) in rows)


def sql_name(name: str) -> str:
    """A name as SQL reads it: in quotes where it is a word of the language."""
    parts = name.split(".")
    return ".".join(
        sandbox.quoted(part) if part in _keywords() or not re.fullmatch(r"[a-z_]\w*", part) else part for part in parts
    )
