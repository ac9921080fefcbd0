"""Measure a candidate on the holdout, as the requirements ask; what cannot be measured says why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import numpy as np
import pandas as pd

from ds_pipeline.evaluation.curves import curves, operating_point, report_metrics, selections
from ds_pipeline.evaluation.intervals import bootstrap, lower_bound
from ds_pipeline.evaluation.metrics import Floats, ScoredRows, measure
from ds_pipeline.evaluation.outcome import Evaluation, Facts, Measurement, measured_as
from ds_pipeline.evaluation.predictions import baseline_problem, find_problems, tidy
from ds_pipeline.evaluation.slices import slice_table
from ds_pipeline.use_case.requirements import AveragePrecisionGain, Requirements, Threshold


def evaluate(
    predictions: pd.DataFrame,
    *,
    requirements: Requirements,
    entity: str,
    training_rows: int,
    training_positives: int,
    slices: Sequence[str],
    expected_weeks: Sequence[date],
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
        n_jobs: threads for the bootstrap; the numbers do not depend on it.

    Raises:
        EvaluationError: a column is missing or of another kind.
    """
    frame = tidy(predictions, entity=entity, slices=slices)
    problems = find_problems(frame, entity=entity, holdout=requirements.holdout, weeks=expected_weeks)
    no_baseline = baseline_problem(frame)
    facts = Facts(
        rows=len(frame),
        positives=int((frame["label"] == 1).sum()),
        entities=int(frame[entity].nunique()),
        base_rate=float((frame["label"] == 1).mean()) if len(frame) else None,
        weeks=sorted(set(frame["scoring_date"].dropna())),
        training_rows=training_rows,
        training_positives=training_positives,
    )
    reasons = {
        name: "; ".join(problems) or (no_baseline if isinstance(threshold, AveragePrecisionGain) else None)
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
    selected = selections(rows, requirements)
    acted_on = next(iter(selected.values()), np.zeros(len(frame)))
    return Evaluation(
        measured_as=measured_as(requirements),
        problems=[],
        facts=facts,
        measurements={name: (measured | unmeasured)[name] for name in requirements.acceptance},
        metrics=report_metrics(rows, with_baseline=no_baseline is None),
        operating_points=[operating_point(rows, name, chosen) for name, chosen in selected.items()],
        slices=slice_table(
            frame.assign(is_selected=acted_on > 0), slices=slices, min_support=requirements.slices.min_support
        ),
        curves=curves(rows, requirements, with_baseline=no_baseline is None),
    )


def _measure_all(
    rows: ScoredRows, requirements: Requirements, facts: Facts, *, skip: set[str], n_jobs: int
) -> dict[str, Measurement]:
    thresholds = {name: threshold for name, threshold in requirements.acceptance.items() if name not in skip}
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


def _conclude(
    threshold: Threshold, facts: Facts, *, value: float, samples: Floats | None, confidence: float
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
    threshold: Threshold,
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
    )
