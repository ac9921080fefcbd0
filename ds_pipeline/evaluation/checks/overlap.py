"""What training and holdout share: entities, which may be in both, but neither a row nor a day of a label."""

from __future__ import annotations

from datetime import date, timedelta

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.use_case.features import SCORING_DATE


class Overlap(Record):
    """Entities in training and holdout, and the time between them.

    Attributes:
        both_entities: those in training and in the holdout.
        known_rows_share: of the holdout rows, those whose entity was trained on in earlier weeks (0..1).
        last_label_ends: the day on which the last label window of training has ended.
        embargo_days: from then to the first holdout date; no label of training looks into the holdout.
    """

    training_entities: int
    holdout_entities: int
    both_entities: int
    known_rows_share: float
    last_training_date: date
    last_label_ends: date
    first_holdout_date: date
    embargo_days: int


def check_overlap(of: Material) -> Checked:
    """What training and holdout have in common, once it is certain that they are apart.

    Raises:
        EvaluationError: one is empty, an entity and date are in both, a date of training does not come before those of
            the holdout, or the labels of training were not all known when the holdout begins.
    """
    training, holdout, entity, clock = of.trained_on, of.holdout, of.entity, of.use_case.clock
    if training.empty or holdout.empty:
        raise EvaluationError("Training or holdout has no rows, so it cannot be told that they are apart.")
    keys = [SCORING_DATE, entity]
    same_weeks = training.loc[training[SCORING_DATE].isin(set(holdout[SCORING_DATE])), keys]
    shared = len(holdout[keys].merge(same_weeks, on=keys, validate="one_to_one"))
    if shared:
        raise EvaluationError(
            f"{shared:,} of {len(holdout):,} holdout rows, by entity and date, are training rows too. Train again."
        )
    last, first = max(training[SCORING_DATE]), min(holdout[SCORING_DATE])
    window = clock.label_window(last)
    if last >= first or window.known_before > clock.instant(first):
        raise EvaluationError(
            f"The labels of the training date {last} are known on {last + clock.lag}, after the holdout has begun on "
            f"{first}: what happens in it was trained on. Train on weeks up to {first - clock.lag}."
        )
    trained_on, held_out = set(training[entity]), set(holdout[entity])
    ends = last + timedelta(days=clock.horizon_days)
    apart = Overlap(
        training_entities=len(trained_on),
        holdout_entities=len(held_out),
        both_entities=len(trained_on & held_out),
        known_rows_share=float(holdout[entity].isin(trained_on).mean()),
        last_training_date=last,
        last_label_ends=ends,
        first_holdout_date=first,
        embargo_days=(first - ends).days,
    )
    return Checked({"overlap": apart})
