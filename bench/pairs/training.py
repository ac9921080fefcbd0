"""A candidate trained, beside a plain script with scikit-learn and optuna that makes the same trials.

The script searches with the same seeded sampler on the same split, fits the best parameters once more and calibrates
them on the same folds; it leaves the number of threads to scikit-learn, as a script does.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import optuna
import pandas as pd
import pyarrow as pa
from comparing import Line, Runs, Side, Size, Work, times_as_long
from pairs.made_up import ENTITY, retail
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import average_precision_score
from sklearn.model_selection import PredefinedSplit

from ds_pipeline.model.predict import predict
from ds_pipeline.training.fit import entity_folds, train_candidate
from ds_pipeline.use_case.load import UseCase

SIZES = {
    "tiny": {"entities": 60, "trials": 2, "rounds": 1},
    "default": {"entities": 600, "trials": 5, "rounds": 2},
    "full": {"entities": 20_000, "trials": 20, "rounds": 1},
}
EXACT = 1e-9
AS_OF, ROWS = date(2011, 12, 5), "rows.parquet"


def prepare(folder: Path, size: Size) -> None:
    """Labelled rows of every training week."""
    case, random = _use_case(size), np.random.default_rng(1)
    weeks, inputs = case.clock.training(AS_OF), case.features.of_role("input")
    count = size["entities"] * len(weeks)
    frame = pd.DataFrame(
        {
            "scoring_date": np.repeat(weeks, size["entities"]),
            ENTITY: np.tile([f"customer{number:06d}" for number in range(size["entities"])], len(weeks)),
            **{name: random.gamma(1, 10, count).round(2) for name in inputs},
        }
    )
    signal = frame[inputs[0]] - frame[inputs[1]] + random.normal(0, 10, count)
    frame.assign(label=(signal > 0).astype("int64"), is_treated=False).to_parquet(folder / ROWS, index=False)


def _use_case(size: Size) -> UseCase:
    case = retail()
    return replace(case, training=case.training.model_copy(update={"trials": size["trials"]}))


class Trained(NamedTuple):
    """What both sides make: the trials' average precision, and the model's answer on the rows."""

    trials: list[float]
    scores: np.ndarray


def ours(folder: Path, size: Size) -> Work:
    case, rows = _use_case(size), pd.read_parquet(folder / ROWS)

    def work() -> Trained:
        candidate = train_candidate(rows, case)
        return Trained(candidate.search.trials, predict(candidate.model, rows, case.features))

    return work


def by_hand(folder: Path, size: Size) -> Work:
    case, rows = _use_case(size), pd.read_parquet(folder / ROWS)
    training, inputs = case.training, case.features.of_role("input")
    weeks = sorted(rows["scoring_date"].unique())
    begins = weeks[-training.validation_weeks]
    fit = rows[rows["scoring_date"] + case.clock.lag <= begins]
    validate = rows[rows["scoring_date"] >= begins]
    folds = entity_folds(rows["label"], rows[ENTITY], count=training.calibration.folds, seed=training.seed)

    def boosting(parameters: dict[str, Any]) -> HistGradientBoostingClassifier:
        return HistGradientBoostingClassifier(**parameters, early_stopping=False, random_state=training.seed)

    def work() -> Trained:
        trials = []

        def objective(trial: optuna.Trial) -> float:
            parameters: dict[str, Any] = {}
            for name, space in training.search_space:
                whole = name in ("max_iter", "max_leaf_nodes", "min_samples_leaf")
                suggest = trial.suggest_int if whole else trial.suggest_float
                low, high = (int(space.low), int(space.high)) if whole else (space.low, space.high)
                parameters[name] = suggest(name, low, high, log=space.log)
            model = boosting(parameters).fit(fit[inputs].astype(float), fit["label"])
            scores = model.predict_proba(validate[inputs].astype(float))[:, 1]
            trials.append(float(average_precision_score(validate["label"], scores)))
            return trials[-1]

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=training.seed))
        study.optimize(objective, n_trials=training.trials)
        splits, method = PredefinedSplit(folds), training.calibration.method
        model = CalibratedClassifierCV(boosting(study.best_params), method=method, cv=splits, ensemble=False)
        model.fit(rows[inputs].astype(float), rows["label"])
        return Trained(trials, model.predict_proba(rows[inputs].astype(float))[:, 1])

    return work


def answer(made: Trained) -> pa.Table:
    """The trials and then the scores."""
    return pa.table({"value": np.concatenate([made.trials, made.scores])})


OURS, BARE = "ours", "scikit-learn and optuna"
SIDES: dict[str, Side] = {OURS: ours, BARE: by_hand}
ALONE: set[str] = set()


def lines(runs: Runs, size: Size) -> list[Line]:
    return times_as_long(f"{size['trials']} trials and the calibrated fit", runs, OURS, [BARE], at_most=1.1)
