"""Write a starter: all files or none, and only what `load_use_case` accepts."""

from __future__ import annotations

import json
import re
import tempfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml

from ds_pipeline.errors import ConfigError
from ds_pipeline.figures import counted, words
from ds_pipeline.masking.columns.spellings import spelled_apart
from ds_pipeline.starter.answers import alias_of
from ds_pipeline.starter.features import StarterFeature, baseline_of, features_of, sql_name
from ds_pipeline.starter.plan import ColumnPlan, Plan, text_literal
from ds_pipeline.starter.profile import spelled
from ds_pipeline.templates import environment
from ds_pipeline.use_case.load import YAML_FILES, UseCase, load_use_case
from ds_pipeline.use_case.sources import EARLY_SHARE, NULL_WORDS

EXAMPLES: dict[str, Any] = {"integer": 12345, "string": "C-12345"}
TOP_SHARE = "0.10"  # of the customers in scope that are delivered
SUNSET = timedelta(days=365)


def write_starter(plan: Plan, configs: Path) -> UseCase:
    """Make configs/<name> and return the use case that it is.

    Raises:
        ConfigError: the folder is there already, its name cannot be used, or the files would not be valid. Nothing is
            written then.
    """
    name = plan.answers.name
    require_free(name, configs)
    texts = render(plan)
    configs.mkdir(mode=0o755, exist_ok=True)
    # In the same folder, so that the rename is one step; a leading dot hides it from whoever lists the use cases.
    with tempfile.TemporaryDirectory(prefix=".new-", dir=configs) as scratch:
        made = Path(scratch) / name
        for file, text in texts.items():
            (made / file).parent.mkdir(parents=True, exist_ok=True)
            (made / file).write_text(text, encoding="utf-8")
        use_case = load_use_case(made)
        require_free(name, configs)
        made.rename(configs / name)
    return use_case


def require_free(name: str, configs: Path) -> None:
    """Raise ConfigError unless a use case of this name can be made."""
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ConfigError("USE_CASE: a name is lower-case letters, digits and _, and begins with a letter.")
    if (configs / name).exists():
        raise ConfigError(f"configs/{name} is there already, and is never overwritten. Choose another name or move it.")


def render(plan: Plan) -> dict[str, str]:
    """The text of every file, by its name in the folder.

    Raises:
        ConfigError: no feature can be made of the tables.
    """
    features = features_of(plan)
    baseline = baseline_of(plan, features)
    if baseline is None:
        raise ConfigError(
            "No feature can be made of these tables: expected a table of events, or a number that stays. "
            "Give a table of what customers do, such as orders or visits."
        )
    templates = environment("starter/templates", filters={"y": _scalar, "sql": sql_name, "entry": _entry})
    entity = next(one for one in plan.register.columns if one.alias == plan.entity)
    shared = {
        "plan": plan,
        "features": features,
        "baseline": baseline,
        "has_protected": any(one.role == "protected" for found in features.values() for one in found),
        "identifier": entity,
        "example": EXAMPLES[entity.type],
        "activity": plan.activity,
        "state": _state(plan),
        "day": _day(plan),
        "title": _title(plan),
        "top_share": TOP_SHARE,
        "precision": _precision(plan),
        "null_words": NULL_WORDS,
        "early_share": EARLY_SHARE,
        "sunset": (plan.weeks.last or plan.today) + SUNSET,
    }
    texts = {f"{file}.yaml": templates.get_template(f"{file}.yaml.j2").render(shared) for file in YAML_FILES}
    for file in ("population", "label"):
        texts[f"{file}.sql"] = templates.get_template(f"{file}.sql.j2").render(shared)
    for table in plan.tables:
        if made := features.get(table.name):
            template = templates.get_template(f"{table.kind}.sql.j2")
            texts[f"features/{table.name}.sql"] = template.render(shared, table=table, made=made)
    return texts


def reviews(plan: Plan) -> list[str]:
    """What a person should look at in sources.yaml: each column with the reason of its guess; never a value."""
    columns = [
        (f"{table.name}.{table.shown.by_name[one.source]}", one) for table in plan.tables for one in table.columns
    ]
    treated = [
        f"{name}: {_treated(one)}: {one.guess.review}"
        for name, one in columns
        if one.guess.treatment != "keep" or one.guess.identifies != "no"
    ]
    doubted = [f"{name}: {_written(one)}: {one.doubt}" for name, one in columns if one.doubt]
    return [*different_keys(plan), *treated, *doubted, *_spellings(plan)]


def _spellings(plan: Plan) -> list[str]:
    """Columns with values that differ in nothing but case or blanks, and what the files make of them; never a value."""
    lines = []
    for table in plan.tables:
        for column in table.kept:
            values, _ = spelled_apart(dict.fromkeys(column.profile.sample, 1))
            if not values or column.type != "string" or column.guess.treatment not in ("keep", "categories"):
                continue
            is_state = table.name == plan.target.table and column.source == plan.target.column
            what = (
                "population.sql and label.sql take them for one"
                if is_state
                else "its categories take them for one"
                if column.guess.treatment == "categories"
                else f"SQL compares exactly: write {spelled(column.alias)}, or correct the source"
            )
            lines.append(
                f"{table.name}.{table.shown.by_name[column.source]}: {counted(values, 'value')} written in more than "
                f"one way (capitals, blanks): {what}"
            )
    return lines


def different_keys(plan: Plan) -> list[str]:
    """Where the customer's number is written in one way in one table and in another way in another."""
    written = {
        f"{table.name}.{table.shown.by_name[one.source]}": _key_form(one)
        for table in plan.tables for one in table.columns if one.alias == plan.entity
    }  # fmt: skip
    if len(set(written.values())) < 2:
        return []
    said = ", ".join(f"{name} has {form}" for name, form in written.items())
    return [f"the customer's number: {said}: rows of the same customer may not meet; write it the same way everywhere"]


def _key_form(column: ColumnPlan) -> str:
    if column.type == "integer":
        return "whole numbers"
    return "leading zeros" if any(re.fullmatch(r"0\d+", one) for one in column.profile.sample) else "texts"


def _written(column: ColumnPlan) -> str:
    mark = column.profile.decimal_mark
    return f"type {column.type}" if mark == "." else f'decimal_mark "{mark}"'


def _treated(column: ColumnPlan) -> str:
    held = f" ({column.guess.holds})" if column.guess.holds else ""
    return f"{column.guess.treatment}{held}"


def _day(plan: Plan) -> str | None:
    """The column whose date is predicted."""
    if plan.target.kind != "date" or plan.target.column is None:
        return None
    return plan.target_table.column(plan.target.column).alias


def _title(plan: Plan) -> str:
    """What is predicted, in the words of the files; a title of its own is the stakeholder's."""
    target, days = plan.target, plan.answers.horizon_days
    table = words(target.table)
    if target.kind == "state":
        what = f"{words(alias_of(target.column or ''))} {target.value}"
    elif target.kind == "date":
        what = words(alias_of(target.column or ""))
    else:
        what = table if target.kind == "event" else f"no {table}"
    return f"{what[0].upper()}{what[1:]} within {days} days"


def _precision(plan: Plan) -> float:
    """What the list must hold of positives at least: half as many again as all in scope, but not out of reach.

    Where no base rate was seen, one in ten.
    """
    rate = plan.base_rate
    if not rate or rate >= 1:
        return 0.1
    return max(0.001, round(min(1.5 * rate, rate + (1 - rate) / 3), 2 if rate >= 0.05 else 3))


def _state(plan: Plan) -> dict[str, str] | None:
    if plan.target.kind != "state" or plan.target.column is None or plan.target.value is None:
        return None
    column, value = plan.target_table.column(plan.target.column), plan.target.value
    literal, left, right = text_literal(value.strip().lower()), *spelled("|").split("|")
    if column.type != "string":
        left = right = ""
    if column.type == "boolean":
        if value.lower() not in ("true", "false"):
            raise ConfigError(f"--target state:...{column.source}=...: expected true or false, as the column is.")
        literal = value.lower()
    elif column.type in ("integer", "decimal", "double"):
        if not re.fullmatch(r"-?\d+(\.\d+)?", value):
            raise ConfigError(f"--target state:...{column.source}=...: expected a number, as the column is.")
        literal = value
    return {"column": column.alias, "literal": literal, "left": left, "right": right}


def _scalar(value: Any) -> str:
    """A value as YAML reads it back: in quotes where it would become something else."""
    if isinstance(value, date) or not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    plain = re.fullmatch(r"[A-Za-z_][\w ./()$-]*", value) and not value.endswith(" ")
    return value if plain and yaml.safe_load(value) == value else json.dumps(value, ensure_ascii=False)


def _number(value: float) -> str:
    return f"{value:.0f}" if value == int(value) else repr(value)


def _entry(feature: StarterFeature) -> str:
    """The entry of a feature in features.yaml, on one line."""
    parts = [
        f"dtype: {feature.dtype}", f"unit: {_scalar(feature.unit)}", f"nullable: {_scalar(feature.nullable)}",
        f"role: {feature.role}",
    ]  # fmt: skip
    if feature.minimum is not None and feature.maximum is not None:
        parts.append(f"minimum: {_number(feature.minimum)}, maximum: {_number(feature.maximum)}")
    if feature.categories:
        parts.append(f"categories: [{', '.join(json.dumps(one, ensure_ascii=False) for one in feature.categories)}]")
    return "{" + ", ".join([*parts, f"meaning: {json.dumps(feature.meaning, ensure_ascii=False)}"]) + "}"
