"""What the interface shows of an evaluation, and of each gate."""

from __future__ import annotations

from typing import Any

import dagster as dg
import pandas as pd
import pytest

from ds_pipeline.defs.assets import evaluation as module
from ds_pipeline.defs.assets.evaluation import evaluation_asset
from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.gates.specs import gates_of
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.promotion.evaluate import Evaluated
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.requirements import Requirements
from ds_pipeline_tests.evaluation.conftest import DIGESTS, asked, decide_with, evaluate_with, predictions, requirements

__all__ = ["asked", "predictions", "requirements"]  # fixtures


@pytest.fixture
def made(predictions: pd.DataFrame, requirements: Requirements) -> Evaluated:
    evaluation = evaluate_with(predictions, requirements)
    return Evaluated(8, evaluation, decide_with(evaluation, requirements), [], "data/reports/x.html")


def shown(evaluation: Evaluation, decision: Decision) -> dict[str, list[dict[str, Any]]]:
    tables = module._tables(evaluation, decision)
    return {name: [dict(record.data) for record in table.records] for name, table in tables.items()}


def test_every_gate_is_a_blocking_check_of_the_asset(shop: UseCase) -> None:
    specs = {spec.name: spec.blocking for spec in evaluation_asset(shop).check_specs}

    assert specs == {gate.name: True for gate in gates_of(shop.requirements)}


def test_a_gate_is_told_with_what_was_asked_and_of_which_candidate(made: Evaluated) -> None:
    gate = made.decision.gates[0]

    check = module._check(gate, made.decision)

    assert (check.check_name, check.passed, check.severity) == (gate.name, gate.passed, dg.AssetCheckSeverity.ERROR)
    assert {name: value.value for name, value in check.metadata.items()} == {
        "threshold": 0.5, "compared": ">=", "owner": "crm", "candidate": DIGESTS["candidate"], "value": gate.value,
        "bound": gate.bound,
    }  # fmt: skip


def test_what_was_not_measured_has_no_figure(made: Evaluated) -> None:
    gate = made.decision.gates[0].model_copy(update={"value": None, "bound": None, "passed": False})

    assert not {"value", "bound"} & set(module._check(gate, made.decision).metadata)


def test_tables_hold_rows_that_dagster_can_show_and_empty_ones_are_left_out(made: Evaluated) -> None:
    tables = shown(made.evaluation, made.decision)

    assert set(tables) == {"gates", "baselines", "worst_slices"}
    assert [row["name"] for row in tables["gates"]] == [gate.name for gate in made.decision.gates]
    assert all(isinstance(value, str | int | float | bool | None) for rows in tables.values() for row in rows
               for value in row.values())  # fmt: skip


def test_the_facts_say_how_it_ended_and_where_to_read_about_it(made: Evaluated) -> None:
    facts = module._facts(made)

    assert (facts["dagster/row_count"], facts["report"], facts["undecided_rows"]) == (320, "data/reports/x.html", 0)
    assert facts["decision"] == ("passed" if made.decision.passed else "refused")
    assert facts.keys() >= made.evaluation.metrics.keys()
