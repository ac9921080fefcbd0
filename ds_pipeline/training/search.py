"""The search for hyperparameters: seeded, one trial after another, judged on later weeks behind an embargo."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import optuna
import pandas as pd
from sklearn.metrics import average_precision_score

from ds_pipeline.model.estimator import make_estimator
from ds_pipeline.model.predict import inputs_of, predict
from ds_pipeline.use_case.features import LABEL, FeatureSet
from ds_pipeline.use_case.training import SearchSpace, Training

WHOLE_NUMBERS = frozenset({"max_iter", "max_leaf_nodes", "min_samples_leaf"})


@dataclass(frozen=True)
class SearchResult:
    """The parameters of the best trial, and every trial's average precision on the validation weeks."""

    parameters: dict[str, float | int]
    average_precision: float
    trials: list[float]


def search_parameters(
    fit: pd.DataFrame,
    validate: pd.DataFrame,
    *,
    features: FeatureSet,
    training: Training,
    on_trial: Callable[[int], None] = lambda _: None,
) -> SearchResult:
    """The hyperparameters with the highest average precision on the validation weeks.

    Args:
        fit, validate: features and label, from inner_split.
        on_trial: told the number of trials that are done.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=training.seed))
    inputs = inputs_of(fit, features)
    trials: list[float] = []

    def average_precision(trial: optuna.Trial) -> float:
        estimator = make_estimator(features, _suggest(trial, training.search_space), seed=training.seed)
        estimator.fit(inputs, fit[LABEL])
        trials.append(float(average_precision_score(validate[LABEL], predict(estimator, validate, features))))
        return trials[-1]

    study.optimize(average_precision, n_trials=training.trials, callbacks=[lambda _, trial: on_trial(trial.number + 1)])
    return SearchResult(parameters=study.best_params, average_precision=study.best_value, trials=trials)


def _suggest(trial: optuna.Trial, space: SearchSpace) -> dict[str, float | int]:
    chosen: dict[str, float | int] = {}
    for name, interval in space:
        if name in WHOLE_NUMBERS:
            chosen[name] = trial.suggest_int(name, int(interval.low), int(interval.high), log=interval.log)
        else:
            chosen[name] = trial.suggest_float(name, interval.low, interval.high, log=interval.log)
    return chosen
