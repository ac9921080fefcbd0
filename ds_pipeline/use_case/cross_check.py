"""What no single file of a use case can know: whether the files fit each other. Files that are wrong come as None."""

from __future__ import annotations

from fnmatch import fnmatch
from pathlib import PurePosixPath

from ds_pipeline.clock import Clock
from ds_pipeline.errors import ClockError
from ds_pipeline.use_case.contract import Contract
from ds_pipeline.use_case.explain import suggest
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.problem import Problem
from ds_pipeline.use_case.requirements import (
    FIXED_GATES,
    CostSaving,
    GroupDifference,
    PrecisionAtTop,
    RecallAtTop,
    Requirements,
)
from ds_pipeline.use_case.sources import Sources
from ds_pipeline.use_case.sql import POPULATION, VERSIONS_SUFFIX


def cross_check(
    problem: Problem | None,
    requirements: Requirements | None,
    contract: Contract | None,
    sources: Sources | None,
    features: FeatureSet | None,
) -> list[str]:
    """Where the files contradict each other, each as 'file: message'."""
    problems: list[str] = []
    if sources:
        problems += _table_names(sources)
    if problem and sources:
        problems += _entity(problem, sources)
    if problem and features and problem.entity in features.features:
        problems.append(f"features.yaml: {problem.entity} is the entity; it cannot be a feature.")
    if requirements and features:
        problems += _baseline(requirements, features) + _attributes(requirements, features)
    if problem and sources:
        problems += _truth(problem, sources)
    if problem and sources and contract:
        problems += _identifier(problem, sources, contract)
    if requirements:
        problems += [
            f"requirements.yaml: acceptance.{name}: {section} has a gate of that name. Choose another."
            for name, section in FIXED_GATES.items()
            if name in requirements.acceptance
        ] + _cost(requirements)
    if requirements and contract:
        problems += _top_share(requirements, contract)
    if problem and requirements:
        problems += _clock(problem, requirements)
    return problems


def clock_of(problem: Problem, requirements: Requirements) -> Clock:
    """The clock that a use case declares."""
    return Clock(
        time_zone=problem.clock.time_zone,
        first=problem.clock.first,
        last=problem.clock.last,
        horizon_days=problem.horizon_days,
        settle_days=problem.settle_days,
        holdout_weeks=requirements.holdout.weeks,
    )


def _table_names(sources: Sources) -> list[str]:
    taken = {POPULATION: "the entities in scope"} | {
        name + VERSIONS_SUFFIX: f"all versions of {name}"
        for name, table in sources.tables.items()
        if table.kind == "versions"
    }
    return [
        f"sources.yaml: tables.{name}: SQL knows {taken[name]} under that name. Choose another."
        for name in sources.tables
        if name in taken
    ]


def _entity(problem: Problem, sources: Sources) -> list[str]:
    tokens = sorted({a for t in sources.tables.values() for a, c in t.kept.items() if c.treatment == "token"})
    if problem.entity in tokens:
        return []
    return [
        f"problem.yaml: entity: no table in sources.yaml has a token column with the alias {problem.entity}; "
        f"tokens there: {', '.join(tokens) or 'none'}."
    ]


def _baseline(requirements: Requirements, features: FeatureSet) -> list[str]:
    name = requirements.baseline.feature
    feature = features.features.get(name)
    if feature is None:
        near = suggest(name, features.features)
        return [f"requirements.yaml: baseline.feature: {name} is not in features.yaml. {near}".rstrip()]
    if feature.dtype not in ("int64", "float64"):
        return [f"requirements.yaml: baseline.feature: expected a number, {name} is a {feature.dtype}."]
    return []


def _cost(requirements: Requirements) -> list[str]:
    """A saving is counted in the costs that the file declares."""
    if requirements.cost is not None:
        return []
    return [
        f"requirements.yaml: acceptance.{name}: cost_saving needs the section cost: currency, campaign_cost, "
        "false_positive, false_negative, value_saved and owner."
        for name, threshold in requirements.acceptance.items()
        if isinstance(threshold, CostSaving)
    ]


def _attributes(requirements: Requirements, features: FeatureSet) -> list[str]:
    """The groups that a fairness gate compares are those of a protected feature."""
    problems = []
    for name, threshold in requirements.acceptance.items():
        if not isinstance(threshold, GroupDifference):
            continue
        where, feature = f"requirements.yaml: acceptance.{name}.attribute", features.features.get(threshold.attribute)
        if feature is None:
            near = suggest(threshold.attribute, features.features)
            problems.append(f"{where}: {threshold.attribute} is not in features.yaml. {near}".rstrip())
        elif feature.role != "protected":
            protected = ", ".join(features.of_role("protected")) or "none"
            problems.append(
                f"{where}: expected a feature with the role protected, {threshold.attribute} has the role "
                f"{feature.role}; protected: {protected}."
            )
    return problems


def _truth(problem: Problem, sources: Sources) -> list[str]:
    """A truth is known of people who were made up, and no SQL may read it."""
    if problem.truth is None:
        return []
    real = sorted(name for name, table in sources.tables.items() if not table.synthetic)
    problems = []
    if real:
        problems.append(
            "problem.yaml: truth: only a simulated population has a known truth; not synthetic in sources.yaml: "
            f"{', '.join(real)}. Remove truth."
        )
    path = PurePosixPath(problem.truth.path)
    read = sorted(name for name, table in sources.tables.items() if _reads(table.path, path))
    if read:
        problems.append(
            f"problem.yaml: truth.path: sources.yaml reads this file for {', '.join(read)}; the truth is never an "
            "input. Put it elsewhere."
        )
    return problems


def _reads(source: str | None, path: PurePosixPath) -> bool:
    """Whether a source, which may be a file, a folder or a glob of the project, covers a path."""
    if source is None:
        return False
    if "**" in source:  # rather too much than too little: here a * stands for folders as well
        return fnmatch(str(path), source.replace("**/", ""))
    return path.is_relative_to(source) or PurePosixPath("/", path).match(f"/{source}")


def _identifier(problem: Problem, sources: Sources, contract: Contract) -> list[str]:
    asked = contract.identifier
    if asked is None:
        return []
    table = sources.tables.get(asked.table)
    column = table.columns.get(asked.column) if table else None
    if column is None or column.alias != problem.entity:
        return [
            f"contract.yaml: identifier: {asked.table}.{asked.column} is not the source column behind {problem.entity}."
        ]
    if table is not None and table.data_class == "restricted":
        return [
            f"contract.yaml: identifier: {asked.table} is restricted, and its identifiers are never written to a list. "
            "Take the identifier from another table, or deliver none (identifier: null)."
        ]
    return [
        f"contract.yaml: columns.{name}.type: {asked.table}.{asked.column} has the type {column.type}, "
        f"not {delivered.type}."
        for name, delivered in contract.columns.items()
        if delivered.origin == "identifier" and delivered.type != column.type
    ]


def _top_share(requirements: Requirements, contract: Contract) -> list[str]:
    """The gate has to judge the list that is delivered, not another one."""
    return [
        f"requirements.yaml: acceptance.{name}.share: the gate judges the highest {threshold.share:g}, contract.yaml "
        f"delivers the highest {contract.top_share:g} (top_share). Make them equal."
        for name, threshold in requirements.acceptance.items()
        if isinstance(threshold, PrecisionAtTop | RecallAtTop | GroupDifference | CostSaving)
        and threshold.share not in (None, contract.top_share)
    ]


def _clock(problem: Problem, requirements: Requirements) -> list[str]:
    dates = problem.clock
    if dates.last is None:
        return []
    if dates.last < dates.first:
        return [f"problem.yaml: clock: last ({dates.last}) lies before first ({dates.first})."]
    try:
        clock_of(problem, requirements).training(dates.last)
    except ClockError as error:
        return [f"problem.yaml: clock.last: {error} Move last, or shorten horizon_days or holdout.weeks."]
    return []
