"""A measurement for every threshold on the holdout: a value with its bound, or why there is none."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd

from ds_pipeline.evaluation.measure.baselines import IS_CHAMPION, NO_CHAMPION
from ds_pipeline.evaluation.measure.cost import cost_table
from ds_pipeline.evaluation.measure.curves import campaigns, selections
from ds_pipeline.evaluation.measure.facts import Facts
from ds_pipeline.evaluation.measure.fairness import GroupRow, count_cells, group_table
from ds_pipeline.evaluation.measure.group_differences import compare
from ds_pipeline.evaluation.measure.intervals import bootstrap, confidence_at, lower_bound
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.evaluation.measure.metrics import measure, taken_at_top
from ds_pipeline.evaluation.measure.resamples import Floats, ScoredRows, ScoreName
from ds_pipeline.figures import beside, declared_percent, significant
from ds_pipeline.use_case.requirements import (
    AveragePrecisionGain,
    CostSaving,
    GroupDifference,
    HoldoutMetric,
    RecallAtPrecision,
    Requirements,
    Threshold,
)

POWER = 0.9  # the chance to pass that a gate is told for: nine times in ten


def unmeasured(
    requirements: Requirements,
    facts: Facts,
    *,
    problems: Sequence[str],
    rivals: Mapping[ScoreName, str | None],
    cut_off: float | None,
    has_new: bool,
) -> dict[str, Measurement]:
    """The thresholds that cannot be measured, or of which the question does not arise.

    Args:
        problems: why nothing can be measured.
        rivals: why the candidate cannot be compared with another score, from baselines.rival_problems.
        has_new: the holdout has entities that training did not know.
    """
    found = {}
    for name, threshold in requirements.acceptance.items():
        problem = "; ".join(problems) or _problem(threshold, requirements, rivals, cut_off, has_new)
        if problem in (NO_CHAMPION, IS_CHAMPION):
            found[name] = _measurement(threshold, facts, not_applicable=problem)
        elif problem:
            found[name] = _measurement(threshold, facts, problem=problem)
    return found


def measure_all(
    rows: ScoredRows,
    requirements: Requirements,
    facts: Facts,
    *,
    skip: Collection[str],
    n_jobs: int,
    new: ScoredRows | None = None,
) -> dict[str, Measurement]:
    """The thresholds on the whole holdout, but those to skip.

    Args:
        new: the rows of entities that training did not know, on which some thresholds are measured instead.
    """
    thresholds: dict[str, HoldoutMetric] = {
        name: threshold
        for name, threshold in requirements.acceptance.items()
        if name not in skip and not isinstance(threshold, GroupDifference)
    }
    of_new = {name: threshold for name, threshold in thresholds.items() if _is_of_new(threshold)}
    of_all = {name: threshold for name, threshold in thresholds.items() if name not in of_new}
    measured = _measure(rows, of_all, requirements, facts, n_jobs=n_jobs)
    if new and of_new:
        counted = {"rows": len(new.label), "positives": int(new.label.sum())}
        measured |= _measure(new, of_new, requirements, facts.model_copy(update=counted), n_jobs=n_jobs)
    return measured


def _measure(
    rows: ScoredRows, thresholds: Mapping[str, HoldoutMetric], requirements: Requirements, facts: Facts, *, n_jobs: int
) -> dict[str, Measurement]:
    bounded = {name: threshold for name, threshold in thresholds.items() if threshold.bound == "lower"}
    how: dict[str, Any] = {"settings": requirements.bootstrap, "n_jobs": n_jobs}
    drawn = [bootstrap(rows, bounded, with_weeks=with_weeks, **how) for with_weeks in (False, True) if bounded]
    return {
        name: _conclude(
            threshold,
            rows,
            facts,
            requirements,
            value=float(measure(threshold, rows.once)[0]),
            samples=[samples[name] for samples in drawn if name in samples],
        )
        for name, threshold in thresholds.items()
    }


def _is_of_new(threshold: Threshold) -> bool:
    return isinstance(threshold, AveragePrecisionGain) and threshold.entities == "new"


def compare_groups(
    frame: pd.DataFrame, rows: ScoredRows, requirements: Requirements, facts: Facts, *, entity: str
) -> tuple[list[GroupRow], dict[str, Measurement]]:
    """The groups of each protected attribute, each attribute and share once, and the differences between them."""
    min_support = requirements.slices.min_support
    tables: dict[tuple[str, float], list[GroupRow]] = {}
    measured = {}
    for name, asked in requirements.acceptance.items():
        if not isinstance(asked, GroupDifference):
            continue
        selected = frame.assign(is_selected=taken_at_top(rows.once, share=asked.share)[0])
        if (asked.attribute, asked.share) not in tables:
            cells = count_cells(selected, attribute=asked.attribute, min_support=min_support)
            table = group_table(cells, attribute=asked.attribute, share=asked.share, min_support=min_support)
            tables[asked.attribute, asked.share] = table
        found = compare(asked, selected, entity=entity, min_support=min_support, settings=requirements.bootstrap)
        measured[name] = _measurement(asked, facts, **asdict(found))
    return [row for table in tables.values() for row in table], measured


def _problem(
    threshold: Threshold,
    requirements: Requirements,
    rivals: Mapping[ScoreName, str | None],
    cut_off: float | None,
    has_new: bool,
) -> str | None:
    """Why one threshold cannot be measured on a holdout that can; None if it can."""
    if _is_of_new(threshold) and not has_new:
        return "training knew every entity of the holdout"
    if isinstance(threshold, AveragePrecisionGain) and threshold.over != "prior":
        return rivals[threshold.over]
    if not isinstance(threshold, CostSaving):
        return None
    if requirements.cost is None:
        return "the requirements do not say what a decision costs"
    if threshold.share is not None:
        return None
    if cut_off is None:
        return "no score from which on to act was chosen on the validation weeks"
    return "the score from which on to act is not a number" if math.isnan(cut_off) else None


def _conclude(
    threshold: HoldoutMetric,
    rows: ScoredRows,
    facts: Facts,
    requirements: Requirements,
    *,
    value: float,
    samples: Sequence[Floats],
) -> Measurement:
    """The measurement, unless the value or any resample is undefined: a bound over the rest would flatter.

    Args:
        samples: over entities, then over entities and weeks; the lower bound of the two counts. None where there is no
            bound to be.
    """
    if not np.isfinite(value):
        return _measurement(threshold, facts, problem="the metric is not defined on this holdout")
    note = _note(threshold, value, rows, requirements)
    if not samples:
        return _measurement(threshold, facts, value=value, note=note)
    undefined = max(int((~np.isfinite(drawn)).sum()) for drawn in samples)
    if undefined:
        text = f"the metric is not defined in {undefined:,} of {len(samples[0]):,} resamples, so there is no bound"
        return _measurement(threshold, facts, problem=text)
    confidence = confidence_at(requirements.bootstrap.confidence, looks=facts.looks)
    bounds = [lower_bound(drawn, confidence) for drawn in samples]
    bound, widest = min(zip(bounds, samples, strict=True), key=lambda one: one[0])
    notes = [
        note,
        _note_on_looks(facts.looks, confidence),
        _note_on_bounds(bounds, value, margin(value, bound, widest)),
    ]
    return _measurement(threshold, facts, value=value, bound=bound, note=" ".join(filter(None, notes)))


def margin(value: float, bound: float, samples: Floats) -> float:
    """How much better than asked a model must truly be to pass with so high a chance (POWER).

    It passes where its bound does. The bound lies value - bound below the value, and the value one standard deviation
    of the resamples about the truth (J. Cohen, Statistical power analysis, 1988, ch. 1, for one-sided tests).
    """
    return value - bound + NormalDist().inv_cdf(POWER) * float(samples.std())


def _measurement(threshold: Threshold, facts: Facts, **said: Any) -> Measurement:
    return Measurement(metric=threshold.metric, rows=facts.rows, positives=facts.positives, **said)


def _note(threshold: HoldoutMetric, value: float, rows: ScoredRows, requirements: Requirements) -> str | None:
    if isinstance(threshold, RecallAtPrecision) and value == 0:
        return f"No cut-off has a precision of {declared_percent(threshold.precision)}, so the recall counts as 0."
    return _note_on_saving(threshold, rows, requirements) if isinstance(threshold, CostSaving) else None


def _note_on_looks(looks: int, confidence: float) -> str | None:
    return f"Look {looks} at these weeks: the bound is at {100 * confidence:.4g} %." if looks > 1 else None


def _note_on_bounds(bounds: Sequence[float], value: float, needed: float) -> str:
    over_entities, with_weeks = (beside(bound, value) for bound in bounds)
    return (
        f"The bound is {over_entities} over entities and {with_weeks} over entities and weeks. A model that is truly "
        f"{significant(needed, digits=2)} better than asked passes nine times in ten."
    )


def _note_on_saving(threshold: CostSaving, rows: ScoredRows, requirements: Requirements) -> str | None:
    """The currency, whom the cut-off acts on, and what the list that is delivered saves, which is a shorter one."""
    if rows.cost is None:
        return None
    if threshold.share is not None or rows.cut_off is None:
        return f"In {rows.cost.currency}."
    if rows.cut_off == math.inf:
        said = f"In {rows.cost.currency}. On the validation weeks acting never paid, so nobody is acted on."
    else:
        acted_on = 100 * float((rows.score >= rows.cut_off).mean())
        said = (
            f"In {rows.cost.currency}, acting on a score of {rows.cut_off:.6g} or more: {acted_on:.3g} % of the rows."
        )
    delivered = campaigns(selections(rows, requirements), requirements)
    table = cost_table(rows, campaigns=delivered, with_baseline=False)
    if table is not None:
        for row in [row for row in table.policies if row.policy in delivered]:
            said += f" Acting on {row.policy} of each week saves {table.saved_per_1000(row):,.0f} per 1,000 rows."
    return said
