"""Evaluate a candidate on the holdout, as the requirements ask; what cannot be measured says why."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from ds_pipeline.evaluation.checks.material import Checked
from ds_pipeline.evaluation.measure.baselines import ChampionFacts, baseline_table, rival_problems
from ds_pipeline.evaluation.measure.cost import cost_table
from ds_pipeline.evaluation.measure.curves import campaigns, curves, operating_point, report_metrics, selections
from ds_pipeline.evaluation.measure.facts import Facts
from ds_pipeline.evaluation.measure.predictions import find_problems, require_truth, tidy
from ds_pipeline.evaluation.measure.resamples import ScoredRows
from ds_pipeline.evaluation.measure.slices import slice_table
from ds_pipeline.evaluation.measure.thresholds import compare_groups, measure_all, unmeasured
from ds_pipeline.evaluation.measure.truth import compare_with_truth
from ds_pipeline.evaluation.result import measured_as
from ds_pipeline.use_case.requirements import GroupDifference, Requirements


def evaluate(
    predictions: pd.DataFrame,
    *,
    requirements: Requirements,
    entity: str,
    training_rows: int,
    training_positives: int,
    slices: Sequence[str],
    expected_weeks: Sequence[date],
    champion: ChampionFacts | None,
    cut_off: float | None = None,
    undecided_rows: int = 0,
    truth: str | None = None,
    automatic: Sequence[str] = (),
    known_entities: Collection[str] | None = None,
    n_jobs: int = -1,
) -> Checked:
    """Everything the holdout says of a candidate, by the field of the evaluation.

    Args:
        predictions: one row per entity and scoring date, as `predictions.py` describes.
        entity: name of the entity column.
        training_rows: rows the candidate was trained on.
        training_positives: positives among them.
        slices: columns to split the evaluation by.
        expected_weeks: the scoring dates of the holdout; all of them must be there and no other.
        champion: what is in force for the date; None only where nothing is, so that the comparison does not apply.
        cut_off: the score from which on to act, from cost.choose_cut_off on validation weeks; None refuses cost_saving.
        undecided_rows: rows of the holdout that are not among the predictions, because their label is undecided.
        truth: the column with the true probability, where a simulation knows it (0..1).
        automatic: columns to look for weak groups in: numbers, flags and categories, no free text.
        known_entities: those of the training rows; None leaves the comparison with new ones out.
        n_jobs: threads for the bootstrap, -1 for one per core; the numbers do not depend on it.

    Raises:
        EvaluationError: a column is missing or of another kind, or a true probability is none.
    """
    attributes = [one.attribute for one in requirements.acceptance.values() if isinstance(one, GroupDifference)]
    columns = list(dict.fromkeys([*slices, *attributes, *automatic]))
    frame = tidy(predictions, entity=entity, slices=columns, truth=truth)
    if truth is not None:
        require_truth(frame[truth])
    problems = find_problems(frame, entity=entity, holdout=requirements.holdout, weeks=expected_weeks)
    rivals = rival_problems(frame, champion)
    facts = Facts(
        rows=len(frame),
        undecided_rows=undecided_rows,
        positives=int((frame["label"] == 1).sum()),
        entities=int(frame[entity].nunique()),
        base_rate=float((frame["label"] == 1).mean()) if len(frame) else None,
        weeks=sorted(set(frame["scoring_date"].dropna())),
        training_rows=training_rows,
        training_positives=training_positives,
        champion=None if champion is None else champion.candidate,
    )
    lacking = unmeasured(requirements, facts, problems=problems, rivals=rivals, cut_off=cut_off)
    figures: dict[str, Any] = {"measured_as": measured_as(requirements), "problems": problems, "facts": facts}
    if problems:
        return Checked(figures, lacking)
    usable = frame.drop(columns=[name for name in ("logistic_regression", "champion") if rivals[name]], errors="ignore")
    rows = ScoredRows.from_frame(usable, entity, cost=requirements.cost, cut_off=cut_off)
    measured = measure_all(rows, requirements, facts, skip=lacking, n_jobs=n_jobs)
    groups, differences = compare_groups(frame, rows, requirements, facts)
    selected = selections(rows, requirements)
    acted_on = next(iter(selected.values()), np.zeros(len(frame)))
    with_baseline = rivals["baseline"] is None
    figures |= {
        "metrics": report_metrics(rows, requirements, with_baseline=with_baseline),
        "operating_points": [operating_point(rows, name, chosen) for name, chosen in selected.items()],
        "baselines": baseline_table(rows, prior=_share(training_positives, training_rows), problems=rivals),
        "costs": cost_table(rows, campaigns=campaigns(selected, requirements), with_baseline=with_baseline),
        "slices": slice_table(
            frame.assign(is_selected=acted_on > 0),
            entity=entity,
            slices=slices,
            min_support=requirements.slices.min_support,
            seed=requirements.bootstrap.seed,
            automatic=automatic,
            known_entities=known_entities,
        ),
        "groups": groups,
        "truth": [] if truth is None else compare_with_truth(rows, frame[truth].to_numpy(), requirements),
        "curves": curves(rows, requirements, with_baseline=with_baseline),
    }
    measured |= differences | lacking
    return Checked(figures, {name: measured[name] for name in requirements.acceptance})


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
