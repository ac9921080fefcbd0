"""Evaluate a candidate on the holdout, as the requirements ask; what cannot be measured says why."""

from __future__ import annotations

from typing import Any

import numpy as np

from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.evaluation.measure.baselines import baseline_table, rival_problems
from ds_pipeline.evaluation.measure.cost import cost_table
from ds_pipeline.evaluation.measure.curves import campaigns, curves, operating_point, report_metrics, selections
from ds_pipeline.evaluation.measure.facts import Facts
from ds_pipeline.evaluation.measure.predictions import find_problems, require_truth, tidy
from ds_pipeline.evaluation.measure.resamples import ScoredRows
from ds_pipeline.evaluation.measure.slices import slice_table
from ds_pipeline.evaluation.measure.thresholds import compare_groups, measure_all, unmeasured
from ds_pipeline.evaluation.measure.truth import compare_with_truth
from ds_pipeline.evaluation.result import measured_as
from ds_pipeline.use_case.requirements import GroupDifference


def evaluate(of: Material, *, cut_off: float | None, truth: str | None = None, n_jobs: int = -1) -> Checked:
    """Everything the holdout says of a candidate, by the field of the evaluation.

    Args:
        of: its holdout has one row per entity and scoring date, as `predictions.py` describes.
        cut_off: the score from which on to act, from cost.choose_cut_off on validation weeks; None refuses cost_saving.
        truth: the column with the true probability, where a simulation knows it (0..1).
        n_jobs: of the bootstrap at a time, -1 for one per core; the numbers do not depend on it.

    Raises:
        EvaluationError: a column is missing or of another kind, or a true probability is none.
    """
    requirements, entity, features = of.requirements, of.entity, of.features
    slices = [*features.of_role("slice"), *features.of_role("protected")]
    automatic = features.inputs_of("int64", "float64", "bool", "string")
    training_rows, training_positives = of.training["rows"], of.training["positives"]
    attributes = [asked.attribute for asked in requirements.acceptance.values() if isinstance(asked, GroupDifference)]
    columns = list(dict.fromkeys([*slices, *attributes, *automatic]))
    frame = tidy(of.holdout, entity=entity, slices=columns, truth=truth)
    if truth is not None:
        require_truth(frame[truth])
    weeks = of.use_case.clock.holdout(of.day)
    problems = find_problems(frame, entity=entity, holdout=requirements.holdout, weeks=weeks)
    rivals = rival_problems(frame, of.champion)
    facts = Facts(
        rows=len(frame),
        undecided_rows=of.undecided_rows,
        positives=int((frame["label"] == 1).sum()),
        entities=int(frame[entity].nunique()),
        base_rate=float((frame["label"] == 1).mean()) if len(frame) else None,
        weeks=sorted(set(frame["scoring_date"].dropna())),
        training_rows=training_rows,
        training_positives=training_positives,
        looks=of.looks,
        champion=of.champion.candidate if of.champion else None,
    )
    known_entities = set(of.trained_on[entity])
    is_new = ~frame[entity].isin(known_entities)
    lacking = unmeasured(
        requirements, facts, problems=problems, rivals=rivals, cut_off=cut_off, has_new=bool(is_new.any())
    )
    figures: dict[str, Any] = {"measured_as": measured_as(requirements), "problems": problems, "facts": facts}
    if problems:
        return Checked(figures, lacking)
    usable = frame.drop(columns=[name for name in ("logistic_regression", "champion") if rivals[name]], errors="ignore")
    rows = ScoredRows.from_frame(usable, entity, cost=requirements.cost, cut_off=cut_off)
    new = ScoredRows.from_frame(usable[is_new], entity) if is_new.any() else None
    measured = measure_all(rows, requirements, facts, skip=lacking, n_jobs=n_jobs, new=new)
    groups, differences = compare_groups(frame, rows, requirements, facts, entity=entity)
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
