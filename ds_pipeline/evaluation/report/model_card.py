"""The model card: what a model is, for whom, how it was judged and where it ends, as Markdown beside the model.

Source: M. Mitchell et al., Model cards for model reporting, FAT* 2019, whose headings it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.gates.verdicts import GateResult
from ds_pipeline.evaluation.report.wording import told_of, verdict
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.markdown import cell
from ds_pipeline.templates import environment
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.requirements import GroupDifference, Requirements

FILE = "model_card.md"
SHOWN_SLICES, SHOWN_INPUTS = 10, 10


def render_model_card(
    evaluation: Evaluation, decision: Decision, use_case: UseCase, *, training: Mapping[str, Any]
) -> str:
    """The card as Markdown; aggregates only, never a token or a person's value. The same inputs give the same text.

    Args:
        training: training.json of the candidate: rows, positives, weeks, parameters, seed.
    """
    return (
        environment("evaluation/report", filters={"verdict": verdict}, finalize=cell)
        .get_template("model_card.md.j2")
        .render(
            **told_of(evaluation, decision, use_case),
            features=use_case.features,
            training=training,
            fairness=fairness_gates(decision, use_case.requirements),
            declared=[row for row in evaluation.slices if row.is_declared],
            weakest=[row for row in evaluation.slices if not row.is_declared and row.is_assessable][:SHOWN_SLICES],
            inputs=_most_important(evaluation),
        )
    )


def fairness_gates(decision: Decision, requirements: Requirements) -> list[GateResult]:
    """The gates that compare groups of a protected attribute."""
    asked = {name for name, one in requirements.acceptance.items() if isinstance(one, GroupDifference)}
    return [gate for gate in decision.gates if gate.name in asked]


def _most_important(evaluation: Evaluation) -> list[Any]:
    explained = evaluation.checks.explained if evaluation.checks else None
    return explained.inputs[:SHOWN_INPUTS] if explained else []
