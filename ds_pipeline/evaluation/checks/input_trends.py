"""Each input alone over time: what it tells of the holdout weeks beside what it told in training.

A column that is written back once the outcome is known tells most of the newest weeks, whose outcome came last before
the source was read. A replay cannot see it, because the source says the same whenever it is cut.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from ds_pipeline.evaluation.checks.leakage import AUC_INPUTS, auc_alone, folds_of
from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.evaluation.measure.measurement import gauge
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.figures import ratio
from ds_pipeline.use_case.features import LABEL, SCORING_DATE, FeatureSet

GATE = "single_feature_rise"
FEWEST = 20  # rows of each class, from which a week says anything
CHANCE = 0.025  # that any of all inputs and holdout weeks rises by chance beyond what is taken off


class InputTrend(Record):
    """One input alone in training and on the holdout, each week by itself.

    Attributes:
        training: mean AUC of the weeks of training; None where none can tell.
        holdout: of the same of the holdout.
        newest: AUC of the newest holdout week that can tell.
        week: the holdout week with the largest rise.
        rise: how far its AUC lies above that of training, once chance is taken off; 0 where chance explains it.
    """

    input: str
    training: float | None
    holdout: float | None
    newest: float | None
    week: date | None
    rise: float | None


def check_input_trends(of: Material) -> Checked:
    """The largest rise of an input alone from the weeks of training to a week of the holdout."""
    limits = of.requirements.leakage
    if limits is None or limits.max_single_feature_rise is None:
        return Checked()
    trends = input_trends(of.labelled, of.holdout, of.features, entity=of.entity)
    rises = [(one.rise, one) for one in trends if one.rise is not None]
    if not rises:
        problem = f"no input can be compared: training and holdout need {FEWEST} people of each label"
        return Checked({"input_trends": trends}, gauge(GATE, problem=problem))
    value, largest = max(rises, key=lambda pair: pair[0])
    note = (
        f"The largest is of {largest.input}: {ratio(largest.training)} in training, above it at {largest.week}, "
        f"{ratio(largest.newest)} in the newest week. See when its columns are written, and whether their past is kept."
    )
    return Checked({"input_trends": trends}, gauge(GATE, value=value, note=note if value else None))


def input_trends(
    training: pd.DataFrame, holdout: pd.DataFrame, features: FeatureSet, *, entity: str
) -> list[InputTrend]:
    """Each input, the largest rise first.

    Weeks are compared with weeks: over all of training together an input that moves with the season looks worse than
    in any week of it. An entity is once in a week, so that its rows are independent.

    Args:
        training, holdout: rows with the entity, the scoring date, the inputs and the label (0/1).

    Source: J. A. Hanley and B. J. McNeil, The meaning and use of the area under a ROC curve, Radiology 143 (1982),
    for the standard error; each of all comparisons at CHANCE / their number (Bonferroni).
    """
    from scipy.stats import norm

    inputs = features.inputs_of(*AUC_INPUTS)
    weeks = [_weeks(rows, entity) for rows in (training, holdout)]
    errors = norm.ppf(1 - CHANCE / max(1, len(inputs) * len(weeks[1])))
    found = [_trend(name, *weeks, entity=entity, errors=errors) for name in inputs]
    return sorted(found, key=lambda one: (-(one.rise or 0.0), one.input))


def _weeks(rows: pd.DataFrame, entity: str) -> list[tuple[date, pd.DataFrame]]:
    """The weeks that have enough of each label, oldest first; without any, the newest row of each entity as one."""
    by_week = [(day, rows[rows[SCORING_DATE] == day]) for day in sorted(set(rows[SCORING_DATE]))]
    enough = [(day, week) for day, week in by_week if _is_enough(week)]
    if enough or not by_week:
        return enough
    newest = rows.sort_values([SCORING_DATE, entity], kind="stable").drop_duplicates(entity, keep="last")
    return [(by_week[-1][0], newest)] if _is_enough(newest) else []


def _is_enough(rows: pd.DataFrame) -> bool:
    return bool(min(rows[LABEL].sum(), len(rows) - rows[LABEL].sum()) >= FEWEST)


def _trend(
    name: str,
    training: list[tuple[date, pd.DataFrame]],
    holdout: list[tuple[date, pd.DataFrame]],
    *,
    entity: str,
    errors: float,
) -> InputTrend:
    before = [_auc(week, name, entity) for _, week in training]
    after = [_auc(week, name, entity) for _, week in holdout]
    mean = float(np.mean(before)) if before else None
    rise, week = None, None
    if mean is not None and after:
        above = [
            auc - mean - errors * _standard_error(auc, rows[LABEL])
            for auc, (_, rows) in zip(after, holdout, strict=True)
        ]
        place = int(np.argmax(above))
        rise, week = max(0.0, above[place]), holdout[place][0]
    return InputTrend(
        input=name,
        training=mean,
        holdout=float(np.mean(after)) if after else None,
        newest=after[-1] if after else None,
        week=week,
        rise=rise,
    )


def _auc(week: pd.DataFrame, name: str, entity: str) -> float:
    return auc_alone(week[name], week[LABEL].to_numpy(dtype="int64"), folds_of(week[entity]))


def _standard_error(auc: float, label: pd.Series) -> float:
    up = float(label.sum())
    down = len(label) - up
    both_up, both_down = auc / (2 - auc), 2 * auc**2 / (1 + auc)
    spread = auc * (1 - auc) + (up - 1) * (both_up - auc**2) + (down - 1) * (both_down - auc**2)
    return float(np.sqrt(max(spread, 0.0) / (up * down)))
