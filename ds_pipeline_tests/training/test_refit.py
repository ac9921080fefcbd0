"""The same choice again: the same bytes in another process, the same figure for the seed of the search."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pandas as pd
import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.model.fresh import call_fresh
from ds_pipeline.model.predict import predict
from ds_pipeline.training.fit import Candidate, train_candidate
from ds_pipeline.training.refit import as_table, average_precisions, refit
from ds_pipeline.training.split import inner_parts
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.load import UseCase

TEXT = {"dtype": "text", "unit": "words", "nullable": True, "meaning": "made up", "role": "input", "topics": 2}


@pytest.fixture
def with_text(case: UseCase) -> UseCase:
    declared = case.features.model_dump()["features"] | {"note": TEXT}
    return replace(case, features=FeatureSet.model_validate({"features": declared}))


@pytest.fixture
def noted(rows: pd.DataFrame) -> pd.DataFrame:
    """With a text, and with flags of which some are missing, so that the column holds objects."""
    flags = rows["is_new"].astype(object).where(rows["days_away"] > 5, None)
    notes = [f"word{number % 7} again" if number % 3 else None for number in range(len(rows))]
    return rows.assign(note=notes, is_new=flags)


@pytest.fixture
def candidate(noted: pd.DataFrame, with_text: UseCase) -> Candidate:
    return train_candidate(noted, with_text)


def test_a_refit_in_a_fresh_process_has_the_bytes_and_the_scores_of_the_candidate(
    candidate: Candidate, noted: pd.DataFrame, with_text: UseCase
) -> None:
    """Rows sent as a pickled frame gave other bytes: the label's dtype was another object than int64's own."""
    table = as_table(noted, with_text)

    (made,) = call_fresh([partial(refit, table, candidate.search.parameters, table.slice(0, 30), with_text)])

    assert made.digest == digest_bytes(candidate.content)
    assert made.scores.tolist() == predict(candidate.model, noted.head(30), with_text.features).tolist()


def test_the_seed_of_the_search_gives_its_figure_and_another_one_another(
    candidate: Candidate, noted: pd.DataFrame, with_text: UseCase
) -> None:
    fit, validate = inner_parts(noted, with_text)
    features, seed = with_text.features, with_text.training.seed
    parameters = dict(candidate.search.parameters) | {"max_features": 0.5}
    tables = [as_table(part, with_text) for part in (fit, validate)]

    (same,) = average_precisions(*tables, candidate.search.parameters, features=features, seeds=[seed])
    first, second = average_precisions(*tables, parameters, features=features, seeds=[1, 2])

    assert same == candidate.search.average_precision
    assert first != second


def test_nothing_but_what_a_fit_needs_is_sent(rows: pd.DataFrame, case: UseCase) -> None:
    assert as_table(rows, case).column_names == ["customer_token", "label", "days_away", "plan", "is_new"]
