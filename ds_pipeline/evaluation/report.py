"""One HTML page on a candidate that a person can read, print and send on; it loads nothing from anywhere."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TypedDict

from jinja2 import Environment, PackageLoader, StrictUndefined

from ds_pipeline.evaluation.decision import Decision
from ds_pipeline.evaluation.gates import plain_number
from ds_pipeline.evaluation.outcome import Evaluation, GroupRow, Proxy
from ds_pipeline.evaluation.pictures import alt_texts, pictures
from ds_pipeline.use_case.problem import Problem
from ds_pipeline.use_case.requirements import Requirements

NOT_MEASURED = "not measured"
SHOWN_PROXIES = 5  # the rest is weaker, and stands in the evaluation


class TableCount(TypedDict):
    """Rows of one source table over all ingested weeks; suppressed ones are of people who were erased."""

    table: str
    read: int
    kept: int
    suppressed: int


class QuarantineCount(TypedDict):
    """Rows of one table that were set aside for one primary reason; share is of the rows read."""

    table: str
    reason: str
    rows: int
    share: float


class AnonymityCount(TypedDict):
    """How many people share a combination of the quasi-identifiers that a table keeps, against the declared k."""

    table: str
    columns: list[str]
    people: int
    smallest_group: int
    k: int
    is_judged: bool


def render_report(
    evaluation: Evaluation,
    decision: Decision,
    *,
    problem: Problem,
    requirements: Requirements,
    tables: Sequence[TableCount],
    quarantine: Sequence[QuarantineCount],
    anonymity: Sequence[AnonymityCount],
    lineage: Mapping[str, object],
    version: str | None,
) -> str:
    """The page as text.

    Args:
        tables: rows read and kept per source table.
        quarantine: rows set aside, by table and reason.
        anonymity: the tables that declare a limit, as SQL sees them at the date.
        lineage: what it was made from: versions, digests, seeds, git SHA, dirty or not.
        version: the version the candidate was promoted as; None while it is not promoted.
    """
    words = alt_texts(evaluation)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            evaluation=evaluation,
            decision=decision,
            problem=problem,
            requirements=requirements,
            headline=headline(decision, version),
            failed=[gate for gate in decision.gates if not gate.passed],
            pictures=[(words[name], _data_uri(png)) for name, png in pictures(evaluation).items()],
            tables=tables,
            quarantine=quarantine,
            anonymity=anonymity,
            group_tables=group_tables(evaluation),
            proxies=proxy_groups(evaluation),
            lineage=lineage,
        )
    )


def group_tables(evaluation: Evaluation) -> list[tuple[str, float, list[GroupRow]]]:
    """The groups of each protected attribute at each selection that a fairness gate judges: attribute, share, rows."""
    return [
        (attribute, share, list(rows))
        for (attribute, share), rows in groupby(evaluation.groups, lambda row: (row.attribute, row.share))
    ]


def proxy_groups(evaluation: Evaluation) -> list[tuple[str, Proxy, list[Proxy]]]:
    """For each protected attribute: all inputs together, and the inputs that tell most of it, strongest first."""
    return [
        (name, together, alone[:SHOWN_PROXIES])
        for name, (together, *alone) in (
            (name, list(proxies)) for name, proxies in groupby(evaluation.proxies, lambda proxy: proxy.protected)
        )
    ]


def headline(decision: Decision, version: str | None) -> str:
    """The verdict in one sentence."""
    count = f"{len(decision.gates)} gates"
    if decision.passed:
        promoted = f"Promoted as {version}" if version else "Passed, and may be promoted"
        return f"{promoted}: it reaches all {count}."
    failed = [gate.name for gate in decision.gates if not gate.passed]
    return f"Refused because it misses {len(failed)} of {count}: {', '.join(failed) or 'none was applied'}."


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("ds_pipeline", "evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": _number, "share": _share, "yes_no": _yes_no}
    return environment


def _number(value: float | None) -> str:
    return NOT_MEASURED if value is None else plain_number(value)


def _share(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{100 * value:.1f} %"


def _yes_no(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"
