"""The same choice again: the same bytes in another process, the same figure for the seed of the search."""

from __future__ import annotations

from functools import partial

import pandas as pd
import pytest

from ds_pipeline.clock import Clock
from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import TrainingError
from ds_pipeline.model.fresh import call_fresh
from ds_pipeline.model.predict import predict
from ds_pipeline.training.fit import Candidate, train_candidate
from ds_pipeline.training.refit import as_table, average_precisions, refit
from ds_pipeline.training.split import inner_parts
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.training import Training

ENTITY = "customer_token"
TEXT = {"dtype": "text", "unit": "words", "nullable": True, "meaning": "made up", "role": "input", "topics": 2}


@pytest.fixture
def with_text(features: FeatureSet) -> FeatureSet:
    return FeatureSet.model_validate({"features": features.model_dump()["features"] | {"note": TEXT}})


@pytest.fixture
def noted(rows: pd.DataFrame) -> pd.DataFrame:
    """With a text, and with flags of which some are missing, so that the column holds objects."""
    flags = rows["is_new"].astype(object).where(rows["days_away"] > 5, None)
    notes = [f"word{number % 7} again" if number % 3 else None for number in range(len(rows))]
    return rows.assign(note=notes, is_new=flags)


@pytest.fixture
def candidate(noted: pd.DataFrame, clock: Clock, with_text: FeatureSet, training: Training) -> Candidate:
    return train_candidate(noted, entity=ENTITY, clock=clock, features=with_text, training=training)


def test_a_refit_in_a_fresh_process_has_the_bytes_and_the_scores_of_the_candidate(
    candidate: Candidate, noted: pd.DataFrame, with_text: FeatureSet, training: Training
) -> None:
    """Rows sent as a pickled frame gave other bytes: the label's dtype was another object than int64's own."""
    table = as_table(noted, entity=ENTITY, features=with_text)

    (made,) = call_fresh(
        [
            partial(
                refit, table, candidate.search.parameters, table.slice(0, 30),
                entity=ENTITY, features=with_text, training=training,
            )
        ]
    )  # fmt: skip

    assert made.digest == digest_bytes(candidate.content)
    assert made.scores.tolist() == predict(candidate.model, noted.head(30), with_text).tolist()


def test_the_seed_of_the_search_gives_its_figure_and_another_one_another(
    candidate: Candidate, noted: pd.DataFrame, clock: Clock, with_text: FeatureSet, training: Training
) -> None:
    fit, validate = inner_parts(noted, clock=clock, training=training)
    parameters = dict(candidate.search.parameters) | {"max_features": 0.5}
    tables = [as_table(one, entity=ENTITY, features=with_text) for one in (fit, validate)]

    (same,) = average_precisions(*tables, candidate.search.parameters, features=with_text, seeds=[training.seed])
    first, second = average_precisions(*tables, parameters, features=with_text, seeds=[1, 2])

    assert same == candidate.search.average_precision
    assert first != second


def test_the_inner_parts_are_those_of_the_search(rows: pd.DataFrame, clock: Clock, training: Training) -> None:
    """Ten weeks, two of them for validation, behind an embargo of one."""
    fit, validate = inner_parts(rows, clock=clock, training=training)

    weeks = sorted(set(rows["scoring_date"]))
    assert sorted(set(fit["scoring_date"])) == weeks[:8]
    assert sorted(set(validate["scoring_date"])) == weeks[8:]
    with pytest.raises(TrainingError, match="too few"):
        inner_parts(rows[rows["scoring_date"] == weeks[0]], clock=clock, training=training)


def test_nothing_but_what_a_fit_needs_is_sent(rows: pd.DataFrame, features: FeatureSet) -> None:
    table = as_table(rows, entity=ENTITY, features=features)

    assert table.column_names == [ENTITY, "label", "days_away", "plan", "is_new"]
