from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from ds_pipeline.evaluation.measure import intervals
from ds_pipeline.evaluation.measure.intervals import bootstrap, bootstrap_counts, confidence_at, lower_bound
from ds_pipeline.evaluation.measure.resamples import ScoredRows
from ds_pipeline.use_case.requirements import Bootstrap, Requirements

SETTINGS = Bootstrap(resamples=100, confidence=0.95, seed=1)


def test_every_resample_draws_as_many_entities_as_there_are() -> None:
    counts = bootstrap_counts(7, range(50), seed=1)
    assert counts.shape == (50, 7)
    assert (counts.sum(axis=1) == 7).all()
    assert counts.max() > 1


def test_a_resample_depends_on_the_seed_and_its_number_alone() -> None:
    whole = bootstrap_counts(20, range(10), seed=1)
    assert (whole[4:7] == bootstrap_counts(20, range(4, 7), seed=1)).all()
    assert (whole != bootstrap_counts(20, range(10), seed=2)).any()
    assert (whole[0] != whole[1]).any()


def test_the_lower_bound_leaves_the_asked_share_of_resamples_at_or_above_it() -> None:
    assert lower_bound(np.arange(1000.0), 0.95) == 49
    assert lower_bound(np.arange(1000.0)[::-1], 0.6) == 399


def test_whole_entities_are_drawn_never_rows(requirements: Requirements) -> None:
    """Two entities, one always positive: a resample holds both, or twice the one or the other."""
    label = np.repeat([0, 1], 50)
    rows = ScoredRows(week=0 * label, entity=label, label=label, score=np.linspace(0, 1, 100), baseline=label + 0.0)
    everyone = requirements.acceptance["at_top"].model_copy(update={"share": 0.999})
    values = bootstrap(rows, {"base_rate": everyone}, settings=SETTINGS, n_jobs=1)["base_rate"]
    assert set(values) == {0.0, 0.5, 1.0}


def test_weeks_are_drawn_as_well_where_asked(requirements: Requirements) -> None:
    """Everybody is positive in the second of two weeks: entities alone always give 1/2, weeks 0, 1/2 or 1."""
    week, entity = np.repeat([0, 1], 20), np.tile(np.arange(20), 2)
    rows = ScoredRows(week=week, entity=entity, label=week, score=np.linspace(0, 1, 40), baseline=week + 0.0)
    everyone = {"base_rate": requirements.acceptance["at_top"].model_copy(update={"share": 0.999})}
    found = [
        set(bootstrap(rows, everyone, settings=SETTINGS, n_jobs=1, with_weeks=weeks)["base_rate"])
        for weeks in (False, True)
    ]
    assert found == [{0.5}, {0.0, 0.5, 1.0}]


def test_a_row_is_there_as_often_as_its_entity_times_its_week(requirements: Requirements) -> None:
    """Held against rows that are really repeated."""
    rng = np.random.default_rng(4)
    week, entity = np.repeat(np.arange(3), 10), np.tile(np.arange(10), 3)
    label, score = rng.integers(0, 2, 30), rng.random(30)
    rows = ScoredRows(week=week, entity=entity, label=label, score=score, baseline=score)
    gain = requirements.acceptance["gain"].model_copy(update={"over": "prior"})
    found = bootstrap(rows, {"gain": gain}, settings=SETTINGS, n_jobs=1, with_weeks=True)["gain"]
    entities, weeks = bootstrap_counts(10, range(100), 1), bootstrap_counts(3, range(100), 1, intervals.WEEKS)
    for draw in (0, 1, 7, 99):
        times = entities[draw][entity] * weeks[draw][week]
        there, scored = np.repeat(label, times), np.repeat(score, times)
        assert found[draw] == pytest.approx(average_precision_score(there, scored) - there.mean())


@pytest.mark.parametrize("n_jobs", [1, 2, 3], ids=lambda jobs: f"{jobs} jobs")
def test_the_numbers_do_not_depend_on_how_the_work_is_split(
    requirements: Requirements, monkeypatch: pytest.MonkeyPatch, n_jobs: int
) -> None:
    rng = np.random.default_rng(1)
    rows = ScoredRows(
        week=np.repeat([0, 1], 30),
        entity=np.tile(np.arange(30), 2),
        label=rng.integers(0, 2, 60),
        score=rng.random(60),
        baseline=rng.random(60),
    )
    whole = bootstrap(rows, requirements.acceptance, settings=SETTINGS, n_jobs=1)
    monkeypatch.setattr(intervals, "CELLS_AT_ONCE", 7 * 60)
    split = bootstrap(rows, requirements.acceptance, settings=SETTINGS, n_jobs=n_jobs)
    assert list(split) == list(requirements.acceptance)
    assert all((whole[name] == split[name]).all() and len(whole[name]) == 100 for name in whole)


def test_the_chance_of_luck_is_shared_among_the_looks() -> None:
    assert confidence_at(0.95, looks=1) == 0.95
    assert confidence_at(0.95, looks=2) == pytest.approx(0.975)
    assert confidence_at(0.9, looks=4) == pytest.approx(0.975)


def test_of_ten_looks_at_a_model_that_is_worth_nothing_fewer_pass_than_uncorrected() -> None:
    """Each look is a number drawn anew, where 1 in 20 passes: 40 % of the series hold one, 14 % of the corrected."""
    chance = np.random.default_rng(1).random((20_000, 10))
    limits = np.array([1 - confidence_at(0.95, looks=look) for look in range(1, 11)])
    assert (chance < 0.05).any(axis=1).mean() == pytest.approx(1 - 0.95**10, abs=0.01)
    assert (chance < limits).any(axis=1).mean() == pytest.approx(1 - np.prod(1 - 0.05 / np.arange(1, 11)), abs=0.01)
    assert (chance < limits).any(axis=1).mean() < 0.05 * sum(1 / look for look in range(1, 11))
