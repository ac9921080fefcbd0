"""One HTML page on a candidate that a person can read, print and send on; it loads nothing from anywhere."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, TypedDict

import pandas as pd
from markupsafe import escape

from ds_pipeline.evaluation.checks.label_rates import RateShift
from ds_pipeline.evaluation.checks.proxies import Proxy
from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.measure.fairness import GroupRow
from ds_pipeline.evaluation.measure.slices import SliceRow
from ds_pipeline.evaluation.report.backtest_page import alt_text, picture
from ds_pipeline.evaluation.report.gallery import Picture
from ds_pipeline.evaluation.report.pictures import data_uri
from ds_pipeline.evaluation.report.wording import headline, told_of, verdict, yes_no
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.masking.columns.k_anonymity import Anonymity
from ds_pipeline.templates import environment
from ds_pipeline.use_case.load import UseCase

SHOWN_PROXIES = 5  # the rest is weaker, and stands in the evaluation
SHOWN_SLICES = 10  # of those that were found without being asked for
SHOWN_SHIFTS = 10
SHOWN_DIRECTIONS = 3
NOT_PROMOTED = "not promoted"
VERDICT = re.compile("(?<=<strong>[✓✕] ).*(?=</strong>)")  # the two places of a page that a promotion fills again
VERSION = re.compile("(?<=<td>version</td><td><code>).*(?=</code></td>)")


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


def render_report(
    evaluation: Evaluation,
    decision: Decision,
    use_case: UseCase,
    *,
    pictures: Sequence[Picture],
    tables: Sequence[TableCount],
    quarantine: Sequence[QuarantineCount],
    anonymity: Mapping[str, Anonymity],
    lineage: Mapping[str, object],
    backtest: pd.DataFrame | None = None,
) -> str:
    """The page as text, of a candidate that is not promoted; `promoted_as` says so when it is.

    Args:
        pictures: of the evaluation, from `gallery.pictures_of`.
        tables: rows read and kept per source table.
        quarantine: rows set aside, by table and reason.
        anonymity: by table that declares a limit, as SQL sees it at the date.
        lineage: what it was made from: digests, seeds, git SHA, dirty or not.
        backtest: the weeks of a backtest of the date, from `backtest.measure_weeks`, if one was made.
    """
    found = [row for row in evaluation.slices if not row.is_declared]
    return (
        environment("evaluation/report", is_html=True, filters={"verdict": verdict, "yes_no": yes_no})
        .get_template("report.html.j2")
        .render(
            **told_of(evaluation, decision, use_case),
            failed=[gate for gate in decision.gates if not gate.passed],
            overrides=evaluation.ledger.overrides if evaluation.ledger else [],
            pictures=[(picture.words, data_uri(picture.png)) for picture in pictures],
            found=len(found),
            weakest=[row for row in found if row.is_assessable][:SHOWN_SLICES],
            group_tables=group_tables(evaluation),
            proxies=proxy_groups(evaluation),
            alone={one.input: one.auc for one in evaluation.checks.input_aucs} if evaluation.checks else {},
            directions=directions(evaluation),
            shifted=shifted_rates(evaluation),
            backtest=None if backtest is None else _shown_backtest(backtest),
            tables=tables,
            quarantine=quarantine,
            anonymity=anonymity,
            lineage={"version": NOT_PROMOTED, **lineage},
        )
    )


def promoted_as(page: str, decision: Decision, version: str) -> str:
    """The page of a decision with the version that the candidate has; all else stays as it was rendered."""
    page = VERDICT.sub(lambda _: escape(headline(decision, version)), page, count=1)
    return VERSION.sub(lambda _: escape(version), page, count=1)


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


def directions(evaluation: Evaluation) -> list[tuple[str, list[SliceRow]]]:
    """The inputs that matter most, each with its groups from low to high: their shares of positives tell which way."""
    explained = evaluation.checks.explained if evaluation.checks else None
    first = [row.input for row in explained.inputs[:SHOWN_DIRECTIONS]] if explained else []
    found = [(name, sorted((row for row in evaluation.slices if row.slice == name), key=_from_low)) for name in first]
    return [(name, rows) for name, rows in found if rows]


def _from_low(row: SliceRow) -> tuple[int, float, str]:
    """Quarters by their limits, as slices.in_quarters names them; what has no limit comes behind them."""
    words = row.group.split()
    if words[:2] == ["up", "to"]:
        return 0, 0.0, row.group
    if words[:1] == ["above"]:
        return 1, float(words[1].rstrip(",")), row.group
    return 2, 0.0, row.group


def shifted_rates(evaluation: Evaluation) -> list[RateShift]:
    """The weeks and segments whose share of positives differs by more than chance, the largest shift first."""
    labels = evaluation.checks.labels if evaluation.checks else None
    found = [row for row in labels.rate_shifts if row.shift] if labels else []
    return sorted(found, key=lambda row: -(row.shift or 0))[:SHOWN_SHIFTS]


def _shown_backtest(weeks: pd.DataFrame) -> dict[str, Any]:
    return {
        "weeks": weeks.to_dict("records"),
        "means": weeks.mean(numeric_only=True).to_dict(),
        "picture": data_uri(picture(weeks, "precision")),
        "words": alt_text(weeks, "precision"),
    }
