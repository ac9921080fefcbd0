"""matured_labels and candidate: what happened, and a model trained on it."""

import dagster as dg

from ds_pipeline.boundary.leak_check import guarded
from ds_pipeline.defs.partitions import days_of, report_weeks, weekly_asset
from ds_pipeline.defs.resources import ProjectResource
from ds_pipeline.digests import SHORT, canonical_json
from ds_pipeline.errors import TrainingError
from ds_pipeline.evaluation.checks.leakage import require_no_leak, single_feature_aucs
from ds_pipeline.lineage import lineage
from ds_pipeline.progress import say
from ds_pipeline.training.declare import declare, facts_of, require_as_on_disk
from ds_pipeline.training.fit import train_candidate
from ds_pipeline.training.labelled import labelled_rows
from ds_pipeline.training.labels import count_ways, labels_schema, positives, treated, undecided
from ds_pipeline.training.rows import rows_to_train_on
from ds_pipeline.training.weeks import labels_of_days
from ds_pipeline.use_case.load import UseCase

TRIALS_PER_LINE = 10


def training_assets(use_case: UseCase) -> list[dg.AssetsDefinition]:
    """Labels and candidate of a use case."""
    return [_matured_labels(use_case), _candidate(use_case)]


def _matured_labels(use_case: UseCase) -> dg.AssetsDefinition:
    lag = use_case.clock.lag_weeks

    @dg.asset(
        name="matured_labels",
        deps=[dg.AssetKey([use_case.name, "features"])],
        description=(
            f"What happened to the population of the scoring date {lag} weeks earlier, the newest whose horizon of "
            f"{use_case.problem.horizon_days} days has closed. Empty in the first {lag} weeks."
        ),
        **weekly_asset(use_case, group="training", kinds={"duckdb"}, owner=use_case.problem.owner, ranged=True),
    )
    def matured_labels(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        bench = guarded(project.open(use_case))
        days = days_of(context)
        inputs = bench.datasets.inputs_digests(days[-1])
        metadata = {}
        rows = happened = unknown = marked = 0
        for day, table in labels_of_days(bench, days).items():
            bench.datasets.store.put(
                table, dataset=bench.datasets.labels, partition=str(day), info={"inputs": inputs[day]}
            )
            metadata[day] = {
                "dagster/row_count": table.num_rows,
                "of_scoring_date": str(use_case.clock.matured(day) or "none yet"),
                "base_rate": _share(positives(table), table.num_rows - undecided(table)),
                "undecided": undecided(table),
                "treated": treated(table),
                "decided_by": count_ways(table),
            }
            rows, happened = rows + table.num_rows, happened + positives(table)
            unknown, marked = unknown + undecided(table), marked + treated(table)
        rate = f", base rate {happened / (rows - unknown):.1%}" if rows > unknown else ""
        beside = f"; {unknown:,} undecided, {marked:,} treated by a campaign" if unknown or marked else ""
        say("matured_labels", f"{rows:,} labels{rate}{beside}")
        return report_weeks(context, metadata, [], schema=labels_schema(use_case.problem.entity))

    return matured_labels


def _candidate(use_case: UseCase) -> dg.AssetsDefinition:
    @dg.asset(
        name="candidate",
        deps=[dg.AssetKey([use_case.name, name]) for name in ("features", "matured_labels")],
        description=(
            "A model trained on the weeks before the holdout and its embargo, hyperparameters chosen on inner weeks. "
            "The same inputs give the same bytes. Signed; it serves nobody until its evaluation lets it."
        ),
        **weekly_asset(use_case, group="training", kinds={"scikitlearn", "optuna"}, owner=use_case.problem.owner),
    )
    def candidate(context: dg.AssetExecutionContext, project: ProjectResource) -> dg.MaterializeResult:
        bench = guarded(project.open(use_case))
        day = days_of(context)[0]
        weeks = use_case.clock.training(day)
        labelled = labelled_rows(bench, weeks, until=day)
        trials = use_case.training.trials
        bench.prepare_to_sign()
        declared = declare(bench, day)
        leakage = use_case.requirements.leakage
        if leakage is not None:
            there = rows_to_train_on(labelled.rows, use_case.training, entity=use_case.problem.entity)
            require_no_leak(single_feature_aucs(there, use_case.features, entity=use_case.problem.entity), leakage)

        def on_trial(done: int) -> None:
            if done % TRIALS_PER_LINE == 0 or done == trials:
                say("candidate", f"search: trial {done} of {trials}")

        trained = train_candidate(
            labelled.rows,
            entity=use_case.problem.entity,
            clock=use_case.clock,
            features=use_case.features,
            training=use_case.training,
            on_trial=on_trial,
        )
        facts = {
            "as_of": str(day),
            "weeks": [str(week) for week in weeks],
            "rows": trained.rows,
            "rows_there": trained.rows_there,
            "max_train_rows": use_case.training.max_train_rows,
            "treated": use_case.training.treated,
            "undecided": labelled.undecided,
            "positives": trained.positives,
            "seed": use_case.training.seed,
            "parameters": trained.search.parameters,
            "validation_average_precision": trained.search.average_precision,
            "trials": trained.search.trials,
            "data": labelled.digest,
            "features": use_case.features_digest,
        }
        require_as_on_disk(bench, TrainingError)
        document = bench.documents.put(
            {"model.joblib": trained.content, "training.json": canonical_json(facts)}, kind="candidate", day=day
        )
        # The environment that pickled the model, whatever runs when it is promoted. Not in the candidate itself: its
        # digest is of what the inputs make, and must not change with a commit or a comment in contract.yaml.
        made_by = lineage(bench.project.root) | {"candidate": document.digest, **facts_of(declared)}
        bench.documents.put({"lineage.json": canonical_json(made_by)}, kind="lineage", day=day)
        of_all = f" (of {trained.rows_there:,})" if trained.rows < trained.rows_there else ""
        say(
            "candidate",
            f"{trained.rows:,} rows{of_all} of {len(trained.weeks)} weeks, {trained.positives:,} positives; "
            f"candidate {document.digest[:SHORT]}",
        )
        return dg.MaterializeResult(
            metadata={
                "dagster/row_count": trained.rows,
                "rows_there": trained.rows_there,
                "undecided": labelled.undecided,
                "positives": trained.positives,
                "first_week": str(trained.weeks[0]),
                "last_week": str(trained.weeks[-1]),
                "parameters": trained.search.parameters,
                "validation_average_precision": trained.search.average_precision,
                "digest": document.digest,
            }
        )

    return candidate


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
