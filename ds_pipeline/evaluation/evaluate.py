"""Measure a candidate on the holdout, as the requirements ask; what cannot be measured says why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import numpy as np
import pandas as pd

from ds_pipeline.evaluation.curves import curves, operating_point, report_metrics, selections
from ds_pipeline.evaluation.fairness import count_cells, group_difference, group_problem, group_table
from ds_pipeline.evaluation.intervals import bootstrap, lower_bound
from ds_pipeline.evaluation.metrics import Floats, ScoredRows, measure, taken_at_top
from ds_pipeline.evaluation.outcome import Evaluation, Facts, GroupRow, Measurement, measured_as
from ds_pipeline.evaluation.predictions import baseline_problem, find_problems, require_truth, tidy
from ds_pipeline.evaluation.slices import slice_table
from ds_pipeline.evaluation.truth import compare_with_truth
from ds_pipeline.use_case.requirements import (
    AveragePrecisionGain,
    GroupDifference,
    HoldoutMetric,
    RecallAtPrecision,
    Requirements,
    Threshold,
)


def evaluate(
    predictions: pd.DataFrame,
    *,
    requirements: Requirements,
    entity: str,
    training_rows: int,
    training_positives: int,
    slices: Sequence[str],
    expected_weeks: Sequence[date],
    undecided_rows: int = 0,
    truth: str | None = None,
    n_jobs: int = 1,
) -> Evaluation:
    """Everything the holdout says of a candidate.

    Args:
        predictions: one row per entity and scoring date, as `predictions.py` describes.
        entity: name of the entity column.
        training_rows: rows the candidate was trained on.
        training_positives: positives among them.
        slices: columns to split the evaluation by.
        expected_weeks: the scoring dates of the holdout; all of them must be there and no other.
        undecided_rows: rows of the holdout that are not among the predictions, because their label is undecided.
        truth: the column with the true probability, where a simulation knows it (0..1).
        n_jobs: threads for the bootstrap; the numbers do not depend on it.

    Raises:
        EvaluationError: a column is missing or of another kind, or a true probability is none.
    """
    compared = {name: one for name, one in requirements.acceptance.items() if isinstance(one, GroupDifference)}
    columns = list(dict.fromkeys([*slices, *(one.attribute for one in compared.values())]))
    frame = tidy(predictions, entity=entity, slices=columns, truth=truth)
    if truth is not None:
        require_truth(frame[truth])
    problems = find_problems(frame, entity=entity, holdout=requirements.holdout, weeks=expected_weeks)
    no_baseline = baseline_problem(frame)
    facts = Facts(
        rows=len(frame),
        undecided_rows=undecided_rows,
        positives=int((frame["label"] == 1).sum()),
        entities=int(frame[entity].nunique()),
        base_rate=float((frame["label"] == 1).mean()) if len(frame) else None,
        weeks=sorted(set(frame["scoring_date"].dropna())),
        training_rows=training_rows,
        training_positives=training_positives,
    )
    reasons = {
        name: "; ".join(problems) or (no_baseline if _needs_baseline(threshold) else None)
        for name, threshold in requirements.acceptance.items()
    }
    unmeasured = {
        name: _measurement(requirements.acceptance[name], facts, problem=reason)
        for name, reason in reasons.items()
        if reason
    }
    if problems:
        return Evaluation(
            measured_as=measured_as(requirements), problems=problems, facts=facts, measurements=unmeasured
        )
    rows = ScoredRows.from_frame(frame, entity)
    measured = _measure_all(rows, requirements, facts, skip=set(unmeasured), n_jobs=n_jobs)
    groups, differences = _compare_groups(frame, rows, compared, facts, min_support=requirements.slices.min_support)
    selected = selections(rows, requirements)
    acted_on = next(iter(selected.values()), np.zeros(len(frame)))
    return Evaluation(
        measured_as=measured_as(requirements),
        problems=[],
        facts=facts,
        measurements={name: (measured | differences | unmeasured)[name] for name in requirements.acceptance},
        metrics=report_metrics(rows, with_baseline=no_baseline is None),
        operating_points=[operating_point(rows, name, chosen) for name, chosen in selected.items()],
        slices=slice_table(
            frame.assign(is_selected=acted_on > 0), slices=slices, min_support=requirements.slices.min_support
        ),
        groups=groups,
        truth=[] if truth is None else compare_with_truth(rows, frame[truth].to_numpy(), requirements),
        curves=curves(rows, requirements, with_baseline=no_baseline is None),
    )


def _measure_all(
    rows: ScoredRows, requirements: Requirements, facts: Facts, *, skip: set[str], n_jobs: int
) -> dict[str, Measurement]:
    thresholds: dict[str, HoldoutMetric] = {
        name: threshold
        for name, threshold in requirements.acceptance.items()
        if name not in skip and not isinstance(threshold, GroupDifference)
    }
    bounded = {name: threshold for name, threshold in thresholds.items() if threshold.bound == "lower"}
    samples = bootstrap(rows, bounded, settings=requirements.bootstrap, n_jobs=n_jobs) if bounded else {}
    return {
        name: _conclude(
            threshold,
            facts,
            value=float(measure(threshold, rows, rows.once)[0]),
            samples=samples.get(name),
            confidence=requirements.bootstrap.confidence,
        )
        for name, threshold in thresholds.items()
    }


def _compare_groups(
    frame: pd.DataFrame, rows: ScoredRows, thresholds: Mapping[str, GroupDifference], facts: Facts, *, min_support: int
) -> tuple[list[GroupRow], dict[str, Measurement]]:
    """The groups of each protected attribute, each attribute and share once, and the differences between them."""
    tables: dict[tuple[str, float], list[GroupRow]] = {}
    cells: dict[tuple[str, float], pd.DataFrame] = {}
    measured = {}
    for name, asked in thresholds.items():
        key = (asked.attribute, asked.share)
        if key not in tables:
            selected = frame.assign(is_selected=taken_at_top(rows, rows.once, share=asked.share)[0])
            cells[key] = count_cells(selected, attribute=asked.attribute, min_support=min_support)
            tables[key] = group_table(cells[key], attribute=asked.attribute, share=asked.share, min_support=min_support)
        problem = group_problem(asked, tables[key], min_support=min_support)
        value = None if problem else group_difference(asked, cells[key])
        measured[name] = _measurement(asked, facts, value=value, problem=problem)
    return [row for table in tables.values() for row in table], measured


def _needs_baseline(threshold: Threshold) -> bool:
    return isinstance(threshold, AveragePrecisionGain) and threshold.over == "baseline"


def _conclude(
    threshold: HoldoutMetric, facts: Facts, *, value: float, samples: Floats | None, confidence: float
) -> Measurement:
    """The measurement, unless the value or any resample is undefined: a bound over the rest would flatter."""
    if not np.isfinite(value):
        return _measurement(threshold, facts, problem="the metric is not defined on this holdout")
    if samples is None:
        return _measurement(threshold, facts, value=value)
    undefined = int((~np.isfinite(samples)).sum())
    if undefined:
        text = f"the metric is not defined in {undefined:,} of {len(samples):,} resamples, so there is no bound"
        return _measurement(threshold, facts, problem=text)
    return _measurement(threshold, facts, value=value, bound=lower_bound(samples, confidence))


def _measurement(
    threshold: HoldoutMetric | GroupDifference,
    facts: Facts,
    *,
    value: float | None = None,
    bound: float | None = None,
    problem: str | None = None,
) -> Measurement:
    return Measurement(
        metric=threshold.metric,
        value=value,
        bound=bound,
        rows=facts.rows,
        positives=facts.positives,
        problem=problem,
        note=_note(threshold, value),
    )


def _note(threshold: HoldoutMetric | GroupDifference, value: float | None) -> str | None:
    if isinstance(threshold, RecallAtPrecision) and value == 0:
        return f"No cut-off has a precision of {100 * threshold.precision:.4g} %, so the recall counts as 0."
    return None
