"""Fit a candidate again, where evaluation and training meet: on folds, in fresh processes, with other seeds."""

from collections.abc import Mapping
from functools import partial

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import TrainingError
from ds_pipeline.evaluation.checks.cross_validation import cross_validate
from ds_pipeline.evaluation.checks.explanations import explain
from ds_pipeline.evaluation.checks.fits import FitPredict
from ds_pipeline.evaluation.checks.material import Checked, Material, check_all
from ds_pipeline.evaluation.checks.stability import MAX_ROWS, check_perturbation, compare_refits, spread_of_seeds
from ds_pipeline.evaluation.measure.measurement import gauge
from ds_pipeline.model.fresh import call_fresh
from ds_pipeline.model.predict import predict
from ds_pipeline.progress import say
from ds_pipeline.training.fit import fit_calibrated
from ds_pipeline.training.refit import as_table, average_precisions, fit_inner, refit
from ds_pipeline.use_case.load import UseCase

FRESH_REFITS = 2


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


def check_stability(of: Material) -> Checked:
    """Make the candidate again and move its inputs, where the requirements ask for it.

    Two refits and the fits of the seeds run in fresh processes, two at a time. A fit that is impossible, or a process
    that was killed, is a problem of the gates that needed it.
    """
    if of.requirements.stability is None:
        return Checked()
    say("holdout_evaluation", "fitting the same model again, and with other seeds")
    return check_all([_refitted, _seeded, check_perturbation], of)


def check_explanation(of: Material) -> Checked:
    """The importance of each input on the validation weeks, for the choice of the search fitted on the weeks before."""
    model = fit_inner(of.fit, of.training["parameters"], features=of.features, seed=of.use_case.training.seed)
    importance = explain(model, of.validate, features=of.features, seed=of.requirements.bootstrap.seed)
    return Checked({"explained": importance})


def _refitted(of: Material) -> Checked:
    sample = of.holdout.sample(min(len(of.holdout), MAX_ROWS), random_state=of.requirements.bootstrap.seed)
    fit, scored = (as_table(rows, of.use_case) for rows in (of.trained_on, sample))
    again = partial(refit, fit, dict(of.training["parameters"]), scored, of.use_case)
    try:
        refits = call_fresh([again] * FRESH_REFITS)
    except (ChildProcessError, TrainingError) as error:
        return _not_made(error, "distinct_refits", "reload_difference")
    loaded = predict(of.model, sample, of.features)
    made = [(refitted.digest, refitted.scores) for refitted in refits]
    return compare_refits(digest_bytes(of.files["model.joblib"]), made, loaded)


def _seeded(of: Material) -> Checked:
    assert of.requirements.stability is not None
    first, count = of.use_case.training.seed, of.requirements.stability.seeds
    seeds = [(first + number) % 2**32 for number in range(count)]
    half = (count + 1) // 2
    fit, validate = (as_table(rows, of.use_case) for rows in (of.fit, of.validate))
    score = partial(average_precisions, fit, validate, dict(of.training["parameters"]), features=of.features)
    try:
        halves = call_fresh([partial(score, seeds=part) for part in (seeds[:half], seeds[half:])])
    except (ChildProcessError, TrainingError) as error:
        return _not_made(error, "seed_deviation")
    return spread_of_seeds(seeds, [value for values in halves for value in values])


def _not_made(error: Exception, *gates: str) -> Checked:
    return Checked(measurements=gauge(*gates, problem=f"the fit could not be made again: {error}"))
