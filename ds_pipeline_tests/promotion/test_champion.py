"""The champion on the rows of its challenger: the very scores it would give, or a problem that says why not."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import InconsistentVersionWarning
from sklearn.linear_model import LogisticRegression

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import RegistryError
from ds_pipeline.evaluation.measure.baselines import ChampionFacts
from ds_pipeline.model.predict import predict
from ds_pipeline.promotion import champion as challenging
from ds_pipeline.promotion.champion import score_champion
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import put_in_force

DAY, HOLDOUT = date(2011, 12, 5), date(2011, 10, 31)
MODEL = LogisticRegression().fit(pd.DataFrame({"visits_seen": [0.0, 1.0, 2.0, 3.0]}), [0, 0, 1, 1])
ROWS = pd.DataFrame(
    {"scoring_date": [HOLDOUT] * 3, "customer_token": ["a", "b", "c"], "visits_seen": [3, 0, 1], "plan": "gold"},
    index=[7, 3, 5],
)


class Silent:
    """A model that answers with something that is no probability."""

    def predict_proba(self, rows: pd.DataFrame) -> np.ndarray:
        return np.full((len(rows), 2), np.nan)


@pytest.fixture
def promote(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts a model in force; the use case of its bundle is that of the workbench."""
    monkeypatch.setattr(challenging, "use_case_of", lambda *_: bench.use_case)

    def put(model: Any = MODEL, **lineage: Any) -> None:
        put_in_force(bench, model, as_of=DAY, **lineage)

    return put


def problem(bench: Workbench) -> str:
    champion = score_champion(bench, DAY, ROWS)
    assert champion is not None
    assert champion.scores is None
    assert champion.facts.problem is not None
    assert champion.facts.problem.startswith("the champion v0001 cannot be compared: ")
    return champion.facts.problem


def test_before_the_first_promotion_there_is_none(bench: Workbench) -> None:
    assert score_champion(bench, DAY, ROWS) is None


def test_a_champion_of_a_later_date_is_not_the_one_in_force(bench: Workbench, promote: Callable[..., None]) -> None:
    promote()
    assert score_champion(bench, date(2011, 11, 28), ROWS) is None


def test_the_scores_stand_beside_the_rows(bench: Workbench, promote: Callable[..., None]) -> None:
    promote()
    champion = score_champion(bench, DAY, ROWS)
    assert champion is not None
    assert champion.facts == ChampionFacts(version="v0001", candidate=digest_bytes(b"champion"))
    assert champion.scores is not None
    assert champion.scores.index.tolist() == [7, 3, 5]
    assert champion.scores.tolist() == predict(MODEL, ROWS, bench.use_case.features).tolist()
    assert champion.scores[7] > champion.scores[5] > champion.scores[3]


def test_a_bundle_that_is_gone_is_a_problem(bench: Workbench, promote: Callable[..., None]) -> None:
    promote()
    for path in (bench.registry.root / "versions" / "v0001" / "bundle").iterdir():
        path.unlink()
    assert "manifest.json is missing" in problem(bench)


def test_a_changed_model_is_a_problem_and_never_loaded(bench: Workbench, promote: Callable[..., None]) -> None:
    promote()
    (bench.registry.root / "versions" / "v0001" / "bundle" / "model.joblib").write_bytes(b"not a model at all")
    assert "model.joblib was changed after it was promoted" in problem(bench)


@pytest.mark.parametrize(
    ("lineage", "said"),
    [
        pytest.param({"packages": {"scikit-learn": "1.2.0"}}, "saved under scikit-learn 1.2.0", id="scikit-learn"),
        pytest.param({"python": "3.8.1"}, "saved under Python 3.8.1", id="python"),
        pytest.param({"packages": {}}, "does not say which", id="unknown"),
    ],
)
def test_a_model_of_another_minor_version_is_a_problem(
    bench: Workbench, promote: Callable[..., None], lineage: dict[str, Any], said: str
) -> None:
    promote(**lineage)
    assert said in problem(bench)
    assert "take the threshold over the champion out of requirements.yaml" in problem(bench)


def test_a_model_that_warns_of_another_scikit_learn_is_a_problem(
    bench: Workbench, promote: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(_: object) -> LogisticRegression:
        warnings.warn(
            InconsistentVersionWarning(
                estimator_name="Tree", current_sklearn_version="1.9.1", original_sklearn_version="1.9.0"
            ),
            stacklevel=1,
        )
        return MODEL

    promote()
    monkeypatch.setattr("ds_pipeline.registry.bundle.joblib.load", load)
    assert "saved under scikit-learn 1.9.0, here runs 1.9.1" in problem(bench)


def test_a_score_that_is_no_probability_is_a_problem(bench: Workbench, promote: Callable[..., None]) -> None:
    promote(Silent())
    assert "3 of its 3 scores are no probabilities" in problem(bench)


def test_a_broken_history_is_an_error_and_not_a_first_model(bench: Workbench, promote: Callable[..., None]) -> None:
    promote()
    (bench.registry.root / "history" / "000001.json").unlink()
    with pytest.raises(RegistryError, match=r"000001.json"):
        score_champion(bench, DAY, ROWS)


def test_a_champion_that_was_fitted_on_the_holdout_is_compared_as_it_was_judged(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What serves has seen these weeks: its scores on them would be in its favour."""
    monkeypatch.setattr(challenging, "use_case_of", lambda *_: bench.use_case)
    put_in_force(bench, "what serves and is not to be asked", as_of=DAY, judged=MODEL)

    champion = score_champion(bench, DAY, ROWS)

    assert champion is not None
    assert champion.scores is not None
    assert champion.scores.tolist() == predict(MODEL, ROWS, bench.use_case.features).tolist()
