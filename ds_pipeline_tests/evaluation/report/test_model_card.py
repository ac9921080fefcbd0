from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from ds_pipeline.evaluation.checks.holdout_budget import Approval, LedgerRecord, Override, WeekLooks
from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.report.model_card import render_model_card
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.problem import Problem
from ds_pipeline.use_case.requirements import Requirements

PROBLEM = Problem.model_validate(
    {
        "title": "Who will leave?",
        "question": "Who will not come back?",
        "decision": "They get a letter.",
        "owner": "crm",
        "entity": "customer_token",
        "unit_of_analysis": "customer x week",
        "target": {"name": "left", "meaning": "No visit in 30 days."},
        "horizon_days": 30,
        "settle_days": 0,
        "clock": {"time_zone": "UTC", "first": "2023-01-02", "last": None},
        "out_of_scope": ["people of <other> shops | branches"],
        "known_confounders": ["Christmas"],
    }
)
FEATURES = FeatureSet.model_validate(
    {
        "features": {
            "visits": {"dtype": "int64", "unit": "visits", "nullable": False, "role": "input", "minimum": 0,
                       "maximum": 99, "meaning": "visits so far"},
            "age_band": {"dtype": "string", "unit": "category", "nullable": True, "role": "protected",
                         "categories": ["young", "old"], "meaning": "age"},
        }
    }
)  # fmt: skip
TRAINING = {
    "rows": 1234, "positives": 400, "undecided": 3, "seed": 7, "weeks": ["2023-01-02", "2023-01-09"],
    "parameters": {"max_iter": 200, "learning_rate": 0.0207},
}  # fmt: skip
HEADINGS = [
    "Model details", "Intended use", "Out of scope", "Factors", "Metrics", "Evaluation data", "Training data",
    "Quantitative analyses", "Ethical considerations", "Caveats and recommendations", "Overrides",
]  # fmt: skip


@pytest.fixture
def card(requirements: Requirements) -> Callable[..., str]:
    def card(evaluation: Evaluation, decision: Decision, **changes: Any) -> str:
        files = {"problem": PROBLEM, "requirements": requirements, "features": FEATURES,
                 "sources": SimpleNamespace(tables={})}  # fmt: skip
        use_case: Any = SimpleNamespace(**files | changes)
        return render_model_card(evaluation, decision, use_case, training=TRAINING)

    return card


def test_the_card_has_the_headings_of_the_paper(evaluated: Evaluation, decision: Decision, card: Any) -> None:
    text = card(evaluated, decision)
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == HEADINGS


def test_the_card_says_what_it_was_made_from_and_how_it_was_judged(
    evaluated: Evaluation, decision: Decision, card: Any
) -> None:
    text = card(evaluated, decision)
    for words in ("1,234 rows, 400 of them positive, of 2 weeks, 2023-01-02 to 2023-01-09", "max_iter 200",
                  "They get a letter.", "Protected attributes, never an input: age_band", "Christmas",
                  "| training rows (`training_rows`) | 1,000 | – | at least 500 | ✓ passed | ds |", "`aaaaaaaaaaaa`",
                  "No limit on differences between groups", "None was recorded"):  # fmt: skip
        assert words in text


def test_invented_people_are_told_beside_the_data_and_the_groups(
    evaluated: Evaluation, decision: Decision, card: Any
) -> None:
    told = "Synthetic tables: customers."
    customers = SimpleNamespace(synthetic=True, columns={})
    text = card(evaluated, decision, sources=SimpleNamespace(tables={"customers": customers}))
    for title in ("Factors", "Evaluation data", "Training data", "Ethical considerations"):
        assert told in text.split(f"## {title}\n")[1].split("\n## ")[0]
    assert told not in card(evaluated, decision)


def test_every_table_has_as_many_cells_in_each_row(evaluated: Evaluation, decision: Decision, card: Any) -> None:
    tables: list[list[str]] = [[]]
    for line in card(evaluated, decision).splitlines():
        if line.startswith("|"):
            tables[-1].append(line)
        elif tables[-1]:
            tables.append([])
    found = [table for table in tables if table]
    assert len(found) >= 4
    for table in found:
        assert len({line.replace("\\|", "").count("|") for line in table}) == 1
        assert len(table) > 2


def test_no_entity_and_no_markup_of_a_file_is_on_the_card(evaluated: Evaluation, decision: Decision, card: Any) -> None:
    text = card(evaluated, decision)
    assert "token-" not in text
    assert "people of &lt;other> shops \\| branches" in text


def test_overrides_are_never_left_out(evaluated: Evaluation, decision: Decision, card: Any) -> None:
    override = Override(
        number=4, at=datetime(2024, 3, 5, tzinfo=UTC), actor="ada", reason="A join was wrong.", more=3,
        weeks=[date(2024, 1, 1), date(2024, 2, 19)],
    )  # fmt: skip
    looked = LedgerRecord(
        entry=5, entry_digest="f" * 64, configuration="a" * 64,
        weeks=[WeekLooks(week=date(2024, 1, 1), configurations=12, allowed=3)], overrides=[override],
    )  # fmt: skip
    text = card(evaluated.model_copy(update={"ledger": looked}), decision)
    assert "| 2024-03-05 | ada | 3 | 2024-01-01 to 2024-02-19 | A join was wrong. |" in text
    assert "at most 12." in text


def test_approvals_are_never_left_out(evaluated: Evaluation, decision: Decision, card: Any) -> None:
    approval = Approval(
        number=6, at=datetime(2024, 3, 6, tzinfo=UTC), actor="ada", reason="A pilot.", owners=["crm", "ds"],
        changes=[], candidates=["a" * 64],
    )  # fmt: skip
    looked = LedgerRecord(
        entry=5, entry_digest="f" * 64, configuration="a" * 64,
        weeks=[WeekLooks(week=date(2024, 1, 1), configurations=12, allowed=3)], overrides=[], approvals=[approval],
    )  # fmt: skip
    text = card(evaluated.model_copy(update={"ledger": looked}), decision)
    assert "| 2024-03-06 | ada | crm, ds | a candidate that was refused may be judged again | A pilot. |" in text


def test_the_same_inputs_give_the_same_card(evaluated: Evaluation, decision: Decision, card: Any) -> None:
    assert card(evaluated, decision) == card(evaluated, decision)


def test_a_holdout_that_was_not_assessed_still_gives_a_card(
    predictions: pd.DataFrame, requirements: Requirements, run: Any, conclude: Any, card: Any
) -> None:
    evaluation = run(predictions[:0], requirements)
    text = card(evaluation, conclude(evaluation, requirements))
    assert "not measured" in text
    assert "✕ refused" in text
