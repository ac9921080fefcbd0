"""What the candidate is compared with: the prior, the declared rule, a logistic regression, the champion in force."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.measure.predictions import rival_problem
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.evaluation.measure.resamples import Floats, Ints, ScoredRows, ScoreName

NO_CHAMPION = "there is no champion yet, so the baseline is the bar"
IS_CHAMPION = "the candidate is the champion"


class ChampionFacts(Record):
    """The champion in force for the date.

    Attributes:
        candidate: digest of the candidate it was.
        problem: why it could not be scored on the holdout; None where the predictions have its scores.
        is_candidate: it is the very candidate that is evaluated, so that the predictions have no scores of it.
    """

    version: str
    candidate: str
    problem: str | None = None
    is_candidate: bool = False


class BaselineRow(Record):
    """The usual metrics of one score on the holdout; None where not defined: a rule is no probability.

    Attributes:
        name: candidate, prior, baseline, logistic_regression or champion.
        problem: why nothing was measured.
    """

    name: str
    average_precision: float | None = None
    roc_auc: float | None = None
    brier_score: float | None = None
    log_loss: float | None = None
    problem: str | None = None


def rival_problems(frame: pd.DataFrame, champion: ChampionFacts | None) -> dict[ScoreName, str | None]:
    """Why a tidy frame cannot be compared with each other score; None where it can.

    Raises:
        EvaluationError: there are scores of a champion, and nobody said which, or the other way round.
    """
    is_scored = "champion" in frame.columns
    is_expected = champion is not None and champion.problem is None and not champion.is_candidate
    if is_scored != is_expected:
        raise EvaluationError(
            "predictions: a column champion must be there exactly where there is a champion that could be scored; "
            f"found {'the column and no' if is_scored else 'no column and a'} such champion."
        )
    problems: dict[ScoreName, str | None] = {
        name: rival_problem(frame, name) for name in ("baseline", "logistic_regression")
    }
    if champion is None:
        problems["champion"] = NO_CHAMPION
    elif champion.is_candidate:
        problems["champion"] = champion.problem or IS_CHAMPION
    else:
        problems["champion"] = champion.problem or rival_problem(frame, "champion")
    return problems


def baseline_table(
    rows: ScoredRows, *, prior: float | None, problems: Mapping[ScoreName, str | None]
) -> list[BaselineRow]:
    """One row for the candidate and one for each thing it is compared with.

    Args:
        prior: the share of positives in training, which is the prior's score for everybody (0..1); None if unknown.
        problems: from rival_problems.
    """
    table = [_described("candidate", rows.label, rows.score)]
    if prior is None:
        table.append(BaselineRow(name="prior", problem="nothing was trained on"))
    else:
        table.append(_described("prior", rows.label, np.full(len(rows.label), prior)))
    for name, problem in problems.items():
        score = getattr(rows, name)
        if problem:
            table.append(BaselineRow(name=name, problem=problem))
        else:
            table.append(_described(name, rows.label, score, is_probability=name != "baseline"))
    return table


def _described(name: str, label: Ints, score: Floats, *, is_probability: bool = True) -> BaselineRow:
    from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

    return BaselineRow(
        name=name,
        average_precision=float(average_precision_score(label, score)),
        roc_auc=float(roc_auc_score(label, score)),
        brier_score=float(brier_score_loss(label, score)) if is_probability else None,
        log_loss=float(log_loss(label, score)) if is_probability else None,
    )
