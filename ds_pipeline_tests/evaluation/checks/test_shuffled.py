"""Fits on shuffled labels: an honest pipeline is at chance, one that looks at the validation rows is not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import KBinsDiscretizer, TargetEncoder

from ds_pipeline.errors import TrainingError
from ds_pipeline.evaluation.checks import fits as refits
from ds_pipeline.evaluation.checks.fits import FitPredict
from ds_pipeline.evaluation.checks.shuffled import ShuffledFits, check_shuffled_labels, permuted
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.use_case.requirements import Leakage, ShuffledLabels
from ds_pipeline_tests.evaluation.checks.made_up import material

SETTINGS = ShuffledLabels(permutations=10, max_deviations=4, seed=7)
X = ["a", "b", "c"]


def frame(weeks: range, *, rows: int = 150) -> pd.DataFrame:
    """Three inputs, of which the first tells a good deal of the label; every second week has twice the positives."""
    rng = np.random.default_rng(weeks.start)
    days = np.repeat([date(2024, 1, 1) + timedelta(weeks=week) for week in weeks], rows)
    values = rng.normal(size=(len(days), 3))
    shift = np.repeat([0.7 * (week % 2) for week in weeks], rows)
    label = (rng.random(len(days)) < 1 / (1 + np.exp(1.5 - 2 * values[:, 0] - shift))).astype(int)
    return pd.DataFrame(values, columns=X).assign(scoring_date=days, label=label)


FIT, VALIDATE = frame(range(6)), frame(range(11, 14))


def shuffled_labels(
    fit: pd.DataFrame, validate: pd.DataFrame, *, settings: ShuffledLabels, fit_predict: FitPredict
) -> tuple[ShuffledFits, Mapping[str, Measurement]]:
    leakage = Leakage(max_single_feature_auc=0.9, shuffled_labels=settings, owner="ds")
    use_case = SimpleNamespace(requirements=SimpleNamespace(leakage=leakage))
    of = material(use_case=use_case, fit=fit, validate=validate, quick_fit=fit_predict)
    findings, measured = check_shuffled_labels(of)
    return findings["shuffled"], measured


def honest(fit: pd.DataFrame, validate: pd.DataFrame) -> np.ndarray:
    return LogisticRegression().fit(fit[X], fit["label"]).predict_proba(validate[X])[:, 1]


def rows_of_validation_in_fit(fit: pd.DataFrame, validate: pd.DataFrame) -> np.ndarray:
    return honest(pd.concat([fit, validate]), validate)


def encoder_fitted_on_all(fit: pd.DataFrame, validate: pd.DataFrame) -> np.ndarray:
    """A target encoding that has seen the labels of the validation rows."""
    both = pd.concat([fit, validate])
    bins = KBinsDiscretizer(60, encode="ordinal", quantile_method="averaged_inverted_cdf").fit(both[X])
    encoder = TargetEncoder(target_type="binary", smooth=1.0).fit(bins.transform(both[X]), both["label"])
    encoded = [encoder.transform(bins.transform(part[X])) for part in (fit, validate)]
    return LogisticRegression().fit(encoded[0], fit["label"]).predict_proba(encoded[1])[:, 1]


def test_an_honest_pipeline_is_at_chance() -> None:
    found, measured = shuffled_labels(FIT, VALIDATE, settings=SETTINGS, fit_predict=honest)

    assert found.deviations is not None
    assert found.deviations < 1.5
    assert measured["shuffled_labels"].value == found.deviations
    assert (found.permutations, found.fit_rows, found.validation_rows) == (10, 900, 450)


@pytest.mark.parametrize("pipeline", [rows_of_validation_in_fit, encoder_fitted_on_all])
def test_a_pipeline_that_looks_at_the_validation_labels_is_found_out(pipeline: refits.FitPredict) -> None:
    found, measured = shuffled_labels(FIT, VALIDATE, settings=SETTINGS, fit_predict=pipeline)

    assert found.mean_auc is not None
    assert found.mean_auc > 0.6
    assert measured["shuffled_labels"].value is not None
    assert measured["shuffled_labels"].value > SETTINGS.max_deviations


def test_an_input_that_knows_the_outcome_is_not_found_by_labels_that_know_nothing_of_it() -> None:
    knowing = [rows.assign(a=rows["label"] + 0.01 * rows["a"]) for rows in (FIT, VALIDATE)]
    _, measured = shuffled_labels(*knowing, settings=SETTINGS, fit_predict=honest)
    assert measured["shuffled_labels"].value < 3


def test_deviations_by_hand() -> None:
    """Areas 1, 1, 1, 0.5 and 0.5: mean 0.8, sample variance (3 * 0.04 + 2 * 0.09) / 4, above that of random ranks."""
    validate = VALIDATE.head(200).sort_values("label", ignore_index=True)
    right, none = validate["label"].to_numpy(dtype=float), np.zeros(200)
    answers = iter([right, right, right, none, none])
    settings = SETTINGS.model_copy(update={"permutations": 5})

    found, _ = shuffled_labels(FIT, validate, settings=settings, fit_predict=lambda fit, rows: next(answers))

    assert (found.mean_auc, found.standard_deviation) == (pytest.approx(0.8), pytest.approx(0.075**0.5))
    assert found.deviations == pytest.approx(0.3 / 0.075**0.5)


def test_areas_without_spread_are_held_against_a_random_ranking() -> None:
    """2 positives of 4: its variance is (4 + 1) / (12 * 2 * 2). Always right deviates; a constant does not."""
    validate = VALIDATE.head(4).assign(label=[0, 1, 0, 1])

    def deviations(scores: list[float]) -> float | None:
        return shuffled_labels(
            FIT, validate, settings=SETTINGS, fit_predict=lambda fit, rows: np.array(scores)
        )[0].deviations  # fmt: skip

    assert deviations([0, 1, 0, 1]) == pytest.approx(0.5 / (5 / 48) ** 0.5)
    assert deviations([1, 1, 1, 1]) == 0.0


def test_labels_stay_in_their_week() -> None:
    shuffled = permuted(FIT["label"].to_numpy(), FIT["scoring_date"], np.random.default_rng(1))

    def by_week(label: object) -> list[int]:
        return list(pd.Series(label).groupby(FIT["scoring_date"]).sum())

    assert by_week(shuffled) == by_week(FIT["label"].to_numpy())
    assert (shuffled != FIT["label"]).mean() > 0.2


def test_each_permutation_is_another_and_the_seed_decides_them() -> None:
    def seen(seed: int) -> list[bytes]:
        labels: list[bytes] = []

        def watch(fit: pd.DataFrame, validate: pd.DataFrame) -> np.ndarray:
            labels.append(fit["label"].to_numpy().tobytes())
            return np.arange(len(validate), dtype=float)

        settings = SETTINGS.model_copy(update={"seed": seed})
        shuffled_labels(FIT, VALIDATE, settings=settings, fit_predict=watch)
        return labels

    assert len(set(seen(7))) == 10
    assert seen(7) == seen(7) != seen(8)


def test_the_frames_are_left_as_they_are_and_the_validation_labels_are_true() -> None:
    before = FIT.copy()

    def watch(fit: pd.DataFrame, validate: pd.DataFrame) -> np.ndarray:
        assert validate.equals(VALIDATE)
        return np.arange(len(validate), dtype=float)

    shuffled_labels(FIT, VALIDATE, settings=SETTINGS, fit_predict=watch)
    assert before.equals(FIT)


def test_many_rows_are_drawn_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refits, "MOST_ROWS", 300)
    found, _ = shuffled_labels(FIT, VALIDATE, settings=SETTINGS, fit_predict=honest)
    assert (found.fit_rows, found.validation_rows) == (300, 450)


def fails(fit: pd.DataFrame, validate: pd.DataFrame) -> np.ndarray:
    raise TrainingError("no.")


@pytest.mark.parametrize(
    ("fit", "validate", "pipeline", "problem"),
    [
        pytest.param(FIT.assign(label=0), VALIDATE, honest, "the fit weeks hold one class", id="fit"),
        pytest.param(FIT, VALIDATE.assign(label=1), honest, "the validation weeks hold one class", id="validation"),
        pytest.param(FIT.iloc[:0], VALIDATE, honest, "one class of label only (0 rows)", id="empty"),
        pytest.param(FIT, VALIDATE, fails, "cannot be fitted: no.", id="training-error"),
        pytest.param(FIT, VALIDATE, lambda fit, rows: np.full(len(rows), np.nan), "one number for each", id="nan"),
        pytest.param(FIT, VALIDATE, lambda fit, rows: np.zeros(3), "one number for each row", id="other-length"),
    ],
)
def test_what_cannot_be_measured_is_a_problem(
    fit: pd.DataFrame, validate: pd.DataFrame, pipeline: refits.FitPredict, problem: str
) -> None:
    found, measured = shuffled_labels(fit, validate, settings=SETTINGS, fit_predict=pipeline)

    assert measured["shuffled_labels"].value is None
    assert problem in (measured["shuffled_labels"].problem or "")
    assert found.problem == measured["shuffled_labels"].problem
    assert found.deviations is None
