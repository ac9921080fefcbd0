"""holdout_evaluation: the candidate on weeks it never saw, and one gate per acceptance threshold."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import dagster as dg

from ds_pipeline.defs.partitions import Check, days_of, weekly_asset
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.gates.specs import gates_of
from ds_pipeline.evaluation.gates.verdicts import GateResult
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.evaluation.report.gallery import SHOWN_SLICES, Picture, worst_slices
from ds_pipeline.evaluation.report.pictures import data_uri
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.progress import say
from ds_pipeline.promotion.evaluate import Evaluated, evaluate_candidate
from ds_pipeline.use_case.load import UseCase


def evaluation_asset(use_case: UseCase) -> dg.AssetsDefinition:
    """The evaluation of a use case, with its gates inline: no job can run it without them."""

    @weekly_asset(
        use_case,
        "holdout_evaluation",
        after=["candidate", "features", "matured_labels"],
        description=(
            f"The candidate on the {use_case.requirements.holdout.weeks} newest matured weeks, never trained on. "
            "Each threshold of requirements.yaml is a gate; one that is missed refuses the promotion."
        ),
        group="evaluation",
        kinds={"scikitlearn", "matplotlib"},
        checks=[
            Check(gate.name, f"{gate.meaning}: {gate.comparison} {gate.threshold:g} ({gate.compares}).")
            for gate in gates_of(use_case.requirements)
        ],
    )
    def holdout_evaluation(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        made = evaluate_candidate(project.open(use_case), days_of(context)[0])
        say("holdout_evaluation", made.summary)
        checks = [_check(gate, made.decision) for gate in made.decision.gates]
        return dg.MaterializeResult(metadata=_facts(made), check_results=checks)

    return holdout_evaluation


def _facts(made: Evaluated) -> dict[str, Any]:
    evaluation = made.evaluation
    return {
        "dagster/row_count": evaluation.facts.rows,
        "decision": "passed" if made.decision.passed else "refused",
        "report": made.page,
        **{name: value for name, value in evaluation.metrics.items() if value is not None},
        "undecided_rows": evaluation.facts.undecided_rows,
        **{f"{row.name}_to_truth": row.ratio for row in evaluation.truth if row.ratio is not None},
        **_tables(evaluation, made.decision),
        **{picture.name: _shown(picture) for picture in made.pictures},
    }


def _check(gate: GateResult, decision: Decision) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        check_name=gate.name,
        passed=gate.passed,
        severity=dg.AssetCheckSeverity.ERROR,
        description=gate.reason,
        metadata={
            "threshold": gate.threshold,
            "compared": gate.comparison,
            "owner": gate.owner,
            "candidate": decision.bound_to.candidate,
            **({"value": gate.value} if gate.value is not None else {}),
            **({"bound": gate.bound} if gate.bound is not None else {}),
            **({"chance": gate.chance} if gate.chance is not None else {}),
        },
    )


def _tables(evaluation: Evaluation, decision: Decision) -> dict[str, dg.TableMetadataValue]:
    """What the report shows as tables, as far as it was measured."""
    refits, checks, ledger = evaluation.cross_validation, evaluation.checks, evaluation.ledger
    tables: dict[str, Sequence[Record]] = {
        "gates": decision.gates,
        "baselines": evaluation.baselines,
        "policies": evaluation.costs.policies if evaluation.costs else [],
        "worst_slices": worst_slices(evaluation, most=SHOWN_SLICES),
        "protected_groups": evaluation.groups,
        "importance": checks.explained.inputs if checks and checks.explained else [],
        "inputs_alone": checks.input_aucs if checks else [],
        "inputs_over_time": checks.input_trends if checks else [],
        "model_beside_the_truth": evaluation.truth,
        "proxies_of_protected_attributes": evaluation.proxies,
        "looks_at_the_holdout": ledger.weeks if ledger else [],
    }
    shown = {name: [_plain(row) for row in rows] for name, rows in tables.items()}
    shown["cross_validation"] = [refit.model_dump(exclude={"folds"}) for refit in (refits.metrics if refits else [])]
    return {name: dg.MetadataValue.table([dg.TableRecord(row) for row in rows]) for name, rows in shown.items() if rows}


def _plain(row: Record) -> dict[str, Any]:
    """A row of a table: Dagster takes no dates."""
    return {name: str(value) if isinstance(value, date) else value for name, value in row.model_dump().items()}


def _shown(picture: Picture) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(f"![{picture.words}]({data_uri(picture.png)})")
