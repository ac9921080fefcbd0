"""The step of the evaluation: what was judged is signed, its page is written, and its report says it in a line."""

from __future__ import annotations

from datetime import date
from unittest import mock

import pandas as pd
import pytest

from ds_pipeline.digests import canonical_json
from ds_pipeline.errors import LeakError
from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.lineage import lineage
from ds_pipeline.promotion import evaluate
from ds_pipeline.promotion.evaluate import evaluate_candidate
from ds_pipeline.promotion.judge import Judgement
from ds_pipeline.store.snapshots import make_folder
from ds_pipeline.use_case.requirements import Requirements
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.evaluation.conftest import DIGESTS, asked, decide_with, evaluate_with, predictions, requirements
from ds_pipeline_tests.workbenches import CUSTOMERS

DAY = date(2024, 4, 1)
__all__ = ["asked", "predictions", "requirements"]  # fixtures


@pytest.fixture
def ready(bench: Workbench) -> Workbench:
    """A workbench that knows under what the candidate was trained."""
    make_folder(bench.datasets.root)
    bench.prepare_to_sign()
    made_by = lineage(bench.project.root) | {"candidate": DIGESTS["candidate"]}
    bench.documents.put({"lineage.json": canonical_json(made_by)}, kind="lineage", day=DAY)
    return bench


@pytest.fixture
def judgement(predictions: pd.DataFrame, requirements: Requirements) -> Judgement:
    evaluation = evaluate_with(predictions, requirements)
    return Judgement(evaluation, decide_with(evaluation, requirements), {"score": {"edges": [], "shares": [1.0]}}, {})


def test_what_was_judged_is_signed_and_shown(ready: Workbench, judgement: Judgement) -> None:
    with mock.patch.object(evaluate, "judge_candidate", return_value=judgement):
        made = evaluate_candidate(ready, DAY)

    files = ready.documents.get(kind="evaluation", day=DAY).files  # raises where the signature is not ours
    assert Evaluation.from_json(files["evaluation.json"]) == judgement.evaluation
    assert Decision.from_json(files["decision.json"]) == judgement.decision
    assert set(files) == {"evaluation.json", "decision.json", "reference.json"}
    assert made.page == f"data/reports/shop/{DAY}/evaluation.html"
    page = (ready.project.root / made.page).read_text()
    assert made.pictures
    assert all(picture.words in page for picture in made.pictures)
    assert made.summary == "320 rows of 8 weeks; 6 of 6 gates passed"


def test_an_identifier_in_what_was_found_is_not_signed(ready: Workbench, judgement: Judgement) -> None:
    named = judgement._replace(reference={"plan": {"categories": [CUSTOMERS[0]]}})

    with (
        mock.patch.object(evaluate, "judge_candidate", return_value=named),
        pytest.raises(LeakError, match=r"reference\.json"),
    ):
        evaluate_candidate(ready, DAY)
    assert not ready.documents.days("evaluation")
    assert not ready.report_path(DAY).exists()
