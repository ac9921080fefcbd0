"""Fit a candidate again, where evaluation and training meet: on folds, in fresh processes, with other seeds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import pandas as pd

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import TrainingError
from ds_pipeline.evaluation.checks.cross_validation import cross_validate
from ds_pipeline.evaluation.checks.explanations import explain
from ds_pipeline.evaluation.checks.fits import FitPredict
from ds_pipeline.evaluation.checks.material import Checked, Material, check_all
from ds_pipeline.evaluation.checks.stability import MAX_ROWS, check_perturbation, compare_refits, spread_of_seeds
from ds_pipeline.evaluation.measure.measurement import gauge
from ds_pipeline.model.fresh import begin_fresh, in_turn
from ds_pipeline.model.predict import predict
from ds_pipeline.progress import say
from ds_pipeline.training.fit import fit_calibrated
from ds_pipeline.training.refit import as_table, average_precisions, fit_inner, refit
from ds_pipeline.use_case.load import UseCase


def check_folds(of: Material) -> Checked:
    """The refits on folds, where the requirements ask for them because few rows were trained on."""
    settings = of.requirements.cross_validation
    if settings is None or of.training["rows"] >= settings.below_rows:
        return Checked()
    again = refit_and_predict(of.use_case, of.training["parameters"])
    folds = cross_validate(of.trained_on, settings=settings, entity=of.entity, fit_predict=again)
    return Checked({"cross_validation": folds})


def refit_and_predict(use_case: UseCase, parameters: Mapping[str, float | int]) -> FitPredict:
    """A function that fits on labelled rows as the candidate was, and gives the scores (0..1) of other rows.

    Args:
        parameters: the hyperparameters that the search chose.
    """
    features = use_case.features
    return lambda fitted, left_out: predict(fit_calibrated(fitted, parameters, use_case), left_out, features)


@contextmanager
def making_again(of: Material) -> Iterator[Material]:
    """Meanwhile the candidate is fitted again in two fresh processes, where the requirements ask for it.

    Each makes a refit, the first thing it does, and then the fits of half of the seeds.

    Yields:
        The material, with what they make.
    """
    if of.requirements.stability is None:
        yield of
        return
    say("holdout_evaluation", "fitting the same model again, and with other seeds")
    seeds = _seeds(of)
    half = (len(seeds) + 1) // 2
    with begin_fresh([_again(of, part) for part in (seeds[:half], seeds[half:])]) as made:
        yield replace(of, made_again=made)


def check_stability(of: Material) -> Checked:
    """Compare the candidate with what making_again has made, and move its inputs, where the requirements ask for it.

    A fit that is impossible, or a process that was killed, is a problem of the gates that needed it.
    """
    if of.requirements.stability is None:
        return Checked()
    return check_all([_compared, check_perturbation], of)


def check_explanation(of: Material) -> Checked:
    """The importance of each input on the validation weeks, for the choice of the search fitted on the weeks before."""
    model = fit_inner(of.fit, of.training["parameters"], features=of.features, seed=of.use_case.training.seed)
    importance = explain(model, of.validate, features=of.features, seed=of.requirements.bootstrap.seed)
    return Checked({"explained": importance})


def _again(of: Material, seeds: Sequence[int]) -> Callable[[], Any]:
    """A call that fits the candidate again, and its choice on the inner weeks with each of the seeds."""
    parameters = dict(of.training["parameters"])
    trained_on, sample, fit, validate = (
        as_table(rows, of.use_case) for rows in (of.trained_on, _sample(of), of.fit, of.validate)
    )
    return partial(
        in_turn,
        partial(refit, trained_on, parameters, sample, of.use_case),
        partial(average_precisions, fit, validate, parameters, features=of.features, seeds=seeds),
    )


def _compared(of: Material) -> Checked:
    try:
        made = of.made_again()
    except (ChildProcessError, TrainingError) as error:
        return _not_made(error, "distinct_refits", "reload_difference", "seed_deviation")
    loaded = predict(of.model, _sample(of), of.features)
    refits = [(refitted.digest, refitted.scores) for refitted, _ in made]
    again = compare_refits(digest_bytes(of.files["model.joblib"]), refits, loaded)
    spread = spread_of_seeds(_seeds(of), [value for _, values in made for value in values])
    return Checked({**again.findings, **spread.findings}, {**again.measurements, **spread.measurements})


def _sample(of: Material) -> pd.DataFrame:
    return of.holdout.sample(min(len(of.holdout), MAX_ROWS), random_state=of.requirements.bootstrap.seed)


def _seeds(of: Material) -> list[int]:
    assert of.requirements.stability is not None
    first = of.use_case.training.seed
    return [(first + number) % 2**32 for number in range(of.requirements.stability.seeds)]


def _not_made(error: Exception, *gates: str) -> Checked:
    return Checked(measurements=gauge(*gates, problem=f"the fit could not be made again: {error}"))
