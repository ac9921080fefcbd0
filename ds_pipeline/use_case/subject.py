"""What the gates of a use case are about: the question behind its thresholds, read off the files beside them.

A limit says nothing without the label it is of, the people it is asked about and the groups it compares. Inputs of the
model and training.yaml are no part of it: they are free to change, and each change is a look that counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ds_pipeline.digests import SHORT, digest_bytes, digest_json
from ds_pipeline.sql.definition import Definition, definition_of
from ds_pipeline.use_case.eased import Eased
from ds_pipeline.use_case.features import LABEL
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.requirements import AveragePrecisionGain, GroupDifference
from ds_pipeline.use_case.sources import Table
from ds_pipeline.use_case.sql import VERSIONS_SUFFIX

GROUPS = "groups of"
WORDS = {"meaning", "unit", "scan_exempt"}  # for people
LONG = 64  # characters of a digest
OF_TABLES = {"kind", "time_zone", "event_time", "known_at", "key", "entity"}
OF_CELLS = {"type", "scale", "formats", "decimal_mark", "time_zone", "null_words", "minimum", "above", "maximum"}
OF_MODELS = ("requirements.yaml", "training.yaml")
QUERIES = ("label.sql", "population.sql")


class Part(NamedTuple):
    """One thing that gates are about.

    Attributes:
        value: as it is said, or a digest.
        files: that say it.
    """

    value: str
    files: str


def subject_of(use_case: UseCase) -> dict[str, str]:
    """What the gates are about, by name; equal values mean the same, whatever the layout and the rest of a file."""
    return {name: part.value for name, part in _parts(use_case)}


def changed_subject(before: Mapping[str, str] | None, files: Mapping[str, str], use_case: UseCase) -> list[Eased]:
    """Each thing that the gates of a use case are about and that was another one before.

    Args:
        before: what it was, from subject_of; None: it was not noted, and whole files have to tell.
        files: the digests of all files then, by name.
    """
    now = {name: digest_bytes(content) for name, content in use_case.files.items() if name not in OF_MODELS}
    if now.items() <= files.items():
        return []  # whatever another version of this code or of DuckDB makes of them
    if before is None:
        before = {name: digest for name, digest in files.items() if name in QUERIES}
        parts = {name: Part(now[name], name) for name in QUERIES}
    else:
        parts = dict(_parts(use_case))
        left = {*use_case.features.of_role("slice"), *use_case.features.of_role("protected")}
        gone = {name: "features.yaml" for name in before if name.startswith(GROUPS) and name.split()[-1] not in left}
        parts |= {name: Part("gone", file) for name, file in gone.items()}
    return [
        Eased(key=name, owner=use_case.problem.owner, words=_in_words(name, part.files, was, part.value))
        for name, was in before.items()
        if (part := parts.get(name)) is not None and part.value != was
    ]


def _in_words(name: str, files: str, was: str, now: str) -> str:
    where = "" if files == name else f" ({files})"
    return f"{name}{where}: {_short(was)} becomes {_short(now)}"


def _short(value: str) -> str:
    return value[:SHORT] if len(value) == LONG else value


def _parts(use_case: UseCase) -> Iterator[tuple[str, Part]]:
    problem, entity = use_case.problem, use_case.problem.entity
    for name in ("entity", "horizon_days", "settle_days"):
        yield name, Part(str(getattr(problem, name)), "problem.yaml")
    yield "time_zone", Part(problem.clock.time_zone, "problem.yaml")
    yield "top_share", Part(str(use_case.contract.top_share), "contract.yaml")
    queries = {
        "label.sql": definition_of(use_case.label_sql, [entity, LABEL]),
        "population.sql": definition_of(use_case.population_sql, [entity]),
    }
    for name, definition in queries.items():
        yield name, Part(definition.digest, name)
    read = list(queries.values())
    for name, feature in _judged_by(use_case):
        made = _made(use_case, feature)
        said = [use_case.features.features[feature].model_dump(mode="json", exclude=WORDS, exclude_defaults=True)]
        scope = sorted(made.keys() & use_case.features.scope)
        digest = digest_json([sorted(one.digest for one in made.values()), said, scope])
        yield name, Part(digest, ", ".join([*made, "features.yaml"]))
        read += made.values()
    for name, table in use_case.sources.tables.items():
        yield from _of_table(name, table, read)


def _judged_by(use_case: UseCase) -> Iterator[tuple[str, str]]:
    """The features, inputs or not, that gates compare people by; each with its name here."""
    features, asked = use_case.features, use_case.requirements
    groups = [one.attribute for one in asked.acceptance.values() if isinstance(one, GroupDifference)]
    if asked.label_quality is not None and asked.label_quality.max_rate_shift is not None:
        groups += [*features.of_role("protected"), *features.of_role("slice")]
    yield from ((f"{GROUPS} {name}", name) for name in dict.fromkeys(groups) if name in features.features)
    rivals = [one.over for one in asked.acceptance.values() if isinstance(one, AveragePrecisionGain)]
    if "baseline" in rivals and asked.baseline.feature in features.features:
        yield f"rule by {asked.baseline.feature}", asked.baseline.feature


def _made(use_case: UseCase, feature: str) -> dict[str, Definition]:
    """The file that makes a feature, with what it means there; several where stars do not let it be told."""
    found = {file: definition_of(sql, [use_case.problem.entity, feature]) for file, sql in use_case.feature_sql.items()}
    named = {file: one for file, one in found.items() if one.made is not None and feature.lower() in one.made}
    return named or {file: one for file, one in found.items() if one.made is None}


def _of_table(name: str, table: Table, read: list[Definition]) -> Iterator[tuple[str, Part]]:
    """What decides the rows and the cells of a table that some queries use.

    A column that only inputs need is free, but for what sets a whole row aside: a cell that must be there and cannot be
    used.
    """
    queries = [one for one in read if one.tables & {name, name + VERSIONS_SUFFIX}]
    if not queries:
        return
    used = {table.event_time, table.known_at, *table.key, *table.entity}
    for one in queries:
        used |= table.kept.keys() if one.names is None else table.kept.keys() & one.names
    names = {alias: table.source_name(alias) for alias in sorted(used)}
    query = definition_of(table.query, names.values()).digest if table.query else None
    yield f"table {name}", Part(digest_json([table.model_dump(include=OF_TABLES), query]), "sources.yaml")
    strict = {source: one for source, one in table.columns.items() if not one.nullable}
    faults = {source: one.model_dump(mode="json", include=OF_CELLS) for source, one in strict.items()}
    yield f"rows of {name}", Part(digest_json(faults), "sources.yaml")
    for alias, source in names.items():
        said = table.kept[alias].model_dump(mode="json", exclude=WORDS, exclude_defaults=True)
        yield f"column {name}.{alias}", Part(digest_json([source, said]), "sources.yaml")
