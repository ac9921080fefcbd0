"""holdout_evaluation: the candidate on weeks it never saw, and one gate per acceptance threshold."""

import base64
import io
import json
from collections.abc import Sequence

import dagster as dg
import joblib

from ds_pipeline.defs.leaks import guarded
from ds_pipeline.defs.partitions import check_spec, days_of, weekly_asset
from ds_pipeline.defs.progress import say
from ds_pipeline.defs.refitting import cross_validated
from ds_pipeline.defs.report import write_report
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.defs.rows import labelled_rows
from ds_pipeline.defs.truth import PROBABILITY, true_probability
from ds_pipeline.defs.workbench import now
from ds_pipeline.digests import canonical_json
from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.decision import Decision, decide
from ds_pipeline.evaluation.evaluate import evaluate
from ds_pipeline.evaluation.gates import GateResult, gates_of
from ds_pipeline.evaluation.outcome import Evaluation
from ds_pipeline.evaluation.pictures import pictures
from ds_pipeline.evaluation.predictions import baseline_score
from ds_pipeline.evaluation.proxies import find_proxies
from ds_pipeline.evaluation.record import Record
from ds_pipeline.lineage import code_digest
from ds_pipeline.monitoring.drift import make_reference
from ds_pipeline.prediction import predict
from ds_pipeline.use_case.load import UseCase


def evaluation_asset(use_case: UseCase) -> dg.AssetsDefinition:
    """The evaluation of a use case, with its gates inline: no job can run it without them."""
    key = dg.AssetKey([use_case.name, "holdout_evaluation"])

    @dg.asset(
        name="holdout_evaluation",
        deps=[dg.AssetKey([use_case.name, name]) for name in ("candidate", "features", "matured_labels")],
        description=(
            f"The candidate on the {use_case.requirements.holdout.weeks} newest matured weeks, never trained on. "
            "Each threshold of requirements.yaml is a gate; one that is missed refuses the promotion."
        ),
        check_specs=[
            check_spec(
                gate.name,
                key,
                use_case,
                blocking=True,
                description=f"{gate.meaning}: {gate.comparison} {gate.threshold:g} ({gate.compares}).",
            )
            for gate in gates_of(use_case.requirements)
        ],
        **weekly_asset(use_case, group="evaluation", kinds={"scikitlearn", "matplotlib"}, owner=use_case.problem.owner),
    )
    def holdout_evaluation(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        bench = guarded(project.open(use_case))
        day = days_of(context)[0]
        candidate = bench.documents.get(kind="candidate", day=day)  # verifies the signature
        trained_under = json.loads(bench.lineage_of(day, candidate.digest).files["lineage.json"])
        _require_unchanged(trained_under, use_case)
        training = json.loads(candidate.files["training.json"])
        rows, holdout, undecided_rows = labelled_rows(bench, use_case.clock.holdout(day), until=day)
        model = joblib.load(io.BytesIO(candidate.files["model.joblib"]))
        scored = rows.assign(
            score=predict(model, rows, use_case.features),
            baseline=baseline_score(rows, use_case.requirements.baseline),
        )
        truth = true_probability(bench, rows)
        if truth is not None:
            scored = scored.assign(**{PROBABILITY: truth})
        evaluation = evaluate(
            scored,
            requirements=use_case.requirements,
            entity=use_case.problem.entity,
            training_rows=training["rows"],
            training_positives=training["positives"],
            slices=[*use_case.features.of_role("slice"), *use_case.features.of_role("protected")],
            expected_weeks=use_case.clock.holdout(day),
            undecided_rows=undecided_rows,
            truth=None if truth is None else PROBABILITY,
        )
        trained_on = labelled_rows(bench, use_case.clock.training(day), until=day).rows
        proxies = find_proxies(
            trained_on,
            entity=use_case.problem.entity,
            inputs=use_case.features.inputs_of("int64", "float64", "bool", "string"),
            protected=use_case.features.of_role("protected"),
        )
        refitted = cross_validated(use_case, trained_on, training)
        evaluation = evaluation.model_copy(update={"proxies": proxies, "cross_validation": refitted})
        decision = decide(
            evaluation,
            use_case.requirements,
            use_case=use_case.name,
            as_of=day,
            made_at=now(),
            candidate=candidate.digest,
            holdout=holdout,
            requirements_digest=use_case.requirements_digest,
            code=code_digest(),
            use_case_digest=use_case.digest,
        )
        reference = make_reference(trained_on, scored["score"].to_numpy(), use_case.features)
        bench.documents.put(
            {
                "evaluation.json": evaluation.to_json(),
                "decision.json": decision.to_json(),
                "reference.json": canonical_json(reference),
            },
            kind="evaluation",
            day=day,
        )
        write_report(bench, day, evaluation, decision, version=None)
        passed = sum(gate.passed for gate in decision.gates)
        say(
            "holdout_evaluation",
            f"{len(rows):,} rows of {use_case.requirements.holdout.weeks} weeks; "
            f"{passed} of {len(decision.gates)} gates passed",
        )
        shown = {name: _picture(name, png) for name, png in pictures(evaluation).items()}
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": len(rows),
                "decision": "passed" if decision.passed else "refused",
                "report": bench.project.shown(bench.report_path(day)),
                **{name: value for name, value in evaluation.metrics.items() if value is not None},
                "undecided_rows": undecided_rows,
                **{f"{row.name}_to_truth": row.ratio for row in evaluation.truth if row.ratio is not None},
                **_tables(evaluation),
                **shown,
            },
            check_results=[_check(gate, decision) for gate in decision.gates],
        )

    return holdout_evaluation


def _require_unchanged(trained_under: dict, use_case: UseCase) -> None:
    """Raise EvaluationError if the use case has changed since the training: thresholds come before a model."""
    if trained_under["requirements"] != use_case.requirements_digest:
        raise EvaluationError(
            f"configs/{use_case.name}/requirements.yaml has changed since the candidate was trained. Thresholds are "
            "declared before a model, not after: train again under the new ones."
        )
    if trained_under["use_case"] != use_case.digest:
        raise EvaluationError(f"configs/{use_case.name} has changed since the candidate was trained. Train again.")


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
        },
    )


def _tables(evaluation: Evaluation) -> dict[str, dg.TableMetadataValue]:
    """What the report shows as tables beside the gates, as far as it was measured."""
    refits = evaluation.cross_validation
    tables: dict[str, Sequence[Record]] = {
        "protected_groups": evaluation.groups,
        "model_beside_the_truth": evaluation.truth,
        "proxies_of_protected_attributes": evaluation.proxies,
    }
    shown = {name: [row.model_dump() for row in rows] for name, rows in tables.items()}
    shown["cross_validation"] = [one.model_dump(exclude={"folds"}) for one in (refits.metrics if refits else [])]
    return {name: dg.MetadataValue.table([dg.TableRecord(row) for row in rows]) for name, rows in shown.items() if rows}


def _picture(name: str, png: bytes) -> dg.MarkdownMetadataValue:
    return dg.MetadataValue.md(f"![{name}](data:image/png;base64,{base64.b64encode(png).decode()})")
