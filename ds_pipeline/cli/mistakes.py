"""Whom the judged candidate gets wrong, with examples by token: printed for a person, and written nowhere."""

import io
from collections.abc import Iterator
from datetime import date

import joblib
import numpy as np
import pandas as pd

from ds_pipeline.evaluation.checks.error_analysis import errors_with_rows
from ds_pipeline.model.predict import predict
from ds_pipeline.training.labelled import labelled_rows
from ds_pipeline.use_case.features import SCORING_DATE
from ds_pipeline.workbench import Workbench


def show_mistakes(bench: Workbench, day: date, *, examples: int) -> Iterator[str]:
    """The error groups of the newest evaluation of a date, the surest mistakes of each first.

    Raises:
        RegistryError: the date was not evaluated, or a document is broken.
        HistoryError: weeks of the holdout are missing.
    """
    use_case, requirements = bench.use_case, bench.use_case.requirements
    bench.documents.get(kind="evaluation", day=day)  # what nobody has judged yet is not looked at here either
    candidate = bench.documents.get(kind="candidate", day=day)
    rows = labelled_rows(bench, use_case.clock.holdout(day), until=day).rows
    model = joblib.load(io.BytesIO(candidate.files["model.joblib"]))
    rows = rows.assign(score=predict(model, rows, use_case.features))
    entity = use_case.problem.entity
    for analysis, groups in errors_with_rows(
        rows,
        entity=entity,
        features=use_case.features,
        share=use_case.contract.top_share,
        min_support=requirements.slices.min_support,
        seed=requirements.bootstrap.seed,
    ):
        yield f"{analysis.kind}: {analysis.errors:,} of {analysis.rows:,} rows"
        if analysis.problem:
            yield f"  not grouped: {analysis.problem}"
        for group, errors in zip(analysis.groups, groups, strict=True):
            yield f"  {group.error_rate:.1%} of {group.rows:,} rows: {'; '.join(group.traits) or 'all of them'}"
            yield from _examples(
                rows.iloc[errors], entity=entity, label=int("negatives" in analysis.kind), count=examples
            )


def _examples(errors: pd.DataFrame, *, entity: str, label: int, count: int) -> Iterator[str]:
    """Those whose score is farthest from what happened; one row per entity."""
    far = np.abs(errors["score"] - label)
    shown = errors.assign(far=far).sort_values(["far", SCORING_DATE, entity], ascending=[False, True, True])
    for one in shown.drop_duplicates(entity).head(count).itertuples():
        yield f"    {getattr(one, entity)}  {getattr(one, SCORING_DATE)}  score {one.score:.3f}"
