"""Fit a candidate again, where evaluation and training meet: on folds, in fresh processes, with other seeds."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import TrainingError
from ds_pipeline.evaluation.checks.cross_validation import CrossValidated, cross_validate
from ds_pipeline.evaluation.checks.explanations import Explained, explain
from ds_pipeline.evaluation.checks.stability import (
    MAX_ROWS,
    Perturbed,
    Refits,
    SeedSpread,
    compare_refits,
    perturb,
    spread_of_seeds,
)
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.model.fresh import call_fresh
from ds_pipeline.model.predict import predict
from ds_pipeline.training.fit import fit_calibrated
from ds_pipeline.training.refit import as_table, average_precisions, fit_inner, inner_parts, refit
from ds_pipeline.training.rows import rows_to_train_on
from ds_pipeline.use_case.load import UseCase

FRESH_REFITS = 2


class Stable(NamedTuple):
    """What the questions of evaluation.stability were answered with; None where a question has no answer."""

    refits: Refits | None
    seeds: SeedSpread | None
    perturbed: Perturbed | None


def cross_validated(use_case: UseCase, labelled: pd.DataFrame, training: Mapping[str, Any]) -> CrossValidated | None:
    """The refits on folds, where the requirements ask for them because few rows were trained on; else None.

    Args:
        labelled: the labelled rows of the training weeks.
        training: what training.json of the candidate says: rows and parameters.
    """
    settings, entity = use_case.requirements.cross_validation, use_case.problem.entity
    if settings is None or training["rows"] >= settings.below_rows:
        return None
    return cross_validate(
        rows_to_train_on(labelled, use_case.training, entity=entity),
        settings=settings,
        entity=entity,
        fit_predict=refit_and_predict(use_case, training["parameters"]),
    )


def refit_and_predict(
    use_case: UseCase, parameters: Mapping[str, float | int]
) -> Callable[[pd.DataFrame, pd.DataFrame], np.ndarray]:
    """A function that fits on labelled rows as the candidate was, and gives the scores (0..1) of other rows.

    Args:
        parameters: the hyperparameters that the search chose.
    """
    entity, features, training = use_case.problem.entity, use_case.features, use_case.training

    def fit_predict(fitted: pd.DataFrame, left_out: pd.DataFrame) -> np.ndarray:
        model = fit_calibrated(fitted, parameters, entity=entity, features=features, training=training)
        return predict(model, left_out, features)

    return fit_predict


def stable(
    use_case: UseCase,
    trained_on: pd.DataFrame,
    holdout: pd.DataFrame,
    *,
    training: Mapping[str, Any],
    content: bytes,
    model: Any,
) -> tuple[Stable | None, dict[str, Measurement]]:
    """Make the candidate again and move its inputs, where the requirements ask for it; else None and no measurement.

    Two refits and the fits of the seeds run in fresh processes, two at a time. A fit that is impossible, or a process
    that was killed, is a problem of the gates that needed it.

    Args:
        trained_on: the rows that the candidate was trained on, from rows_to_train_on.
        holdout: the labelled rows of the holdout.
        training: training.json of the candidate.
        content, model: its model.joblib, and what was loaded from it.
    """
    asked, seed = use_case.requirements.stability, use_case.requirements.bootstrap.seed
    if asked is None:
        return None, {}
    refits, found = _refitted(use_case, trained_on, holdout, training["parameters"], content=content, model=model)
    seeds, spread = _seeded(use_case, trained_on, training["parameters"], count=asked.seeds)
    perturbed, moved = perturb(
        model, holdout, trained_on=trained_on, features=use_case.features, asked=asked, seed=seed
    )
    return Stable(refits, seeds, perturbed), found | spread | moved


def explained(use_case: UseCase, trained_on: pd.DataFrame, training: Mapping[str, Any]) -> Explained | None:
    """The importance of each input on the validation weeks, for the choice of the search fitted on the weeks before.

    Args:
        trained_on: the rows that the candidate was trained on, from rows_to_train_on.
        training: training.json of the candidate.
    """
    fit, validate = inner_parts(trained_on, clock=use_case.clock, training=use_case.training)
    model = fit_inner(fit, training["parameters"], features=use_case.features, seed=use_case.training.seed)
    return explain(model, validate, features=use_case.features, seed=use_case.requirements.bootstrap.seed)


def _refitted(
    use_case: UseCase,
    rows: pd.DataFrame,
    holdout: pd.DataFrame,
    parameters: Mapping[str, float | int],
    *,
    content: bytes,
    model: Any,
) -> tuple[Refits | None, dict[str, Measurement]]:
    entity, features = use_case.problem.entity, use_case.features
    sample = holdout.sample(min(len(holdout), MAX_ROWS), random_state=use_case.requirements.bootstrap.seed)
    fit, scored = (as_table(one, entity=entity, features=features) for one in (rows, sample))
    again = partial(refit, fit, dict(parameters), scored, entity=entity, features=features, training=use_case.training)
    try:
        made = call_fresh([again] * FRESH_REFITS)
    except (ChildProcessError, TrainingError) as error:
        return None, _problems(error, "distinct_refits", "reload_difference")
    return compare_refits(
        digest_bytes(content), [(one.digest, one.scores) for one in made], predict(model, sample, features)
    )


def _seeded(
    use_case: UseCase, rows: pd.DataFrame, parameters: Mapping[str, float | int], *, count: int
) -> tuple[SeedSpread | None, dict[str, Measurement]]:
    entity, features, first = use_case.problem.entity, use_case.features, use_case.training.seed
    seeds = [(first + number) % 2**32 for number in range(count)]
    half = (count + 1) // 2
    try:
        parts = inner_parts(rows, clock=use_case.clock, training=use_case.training)
        fit, validate = (as_table(one, entity=entity, features=features) for one in parts)
        score = partial(average_precisions, fit, validate, dict(parameters), features=features)
        halves = call_fresh([partial(score, seeds=part) for part in (seeds[:half], seeds[half:])])
    except (ChildProcessError, TrainingError) as error:
        return None, _problems(error, "seed_deviation")
    return spread_of_seeds(seeds, [value for values in halves for value in values])


def _problems(error: Exception, *names: str) -> dict[str, Measurement]:
    return {name: Measurement(metric=name, problem=f"the fit could not be made again: {error}") for name in names}
