"""The step of the training: declare, look for leaks, train, and sign the candidate with what it was made from."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from ds_pipeline.boundary.leak_check import guarded
from ds_pipeline.digests import SHORT, canonical_json
from ds_pipeline.errors import TrainingError
from ds_pipeline.evaluation.checks.leakage import require_no_leak, single_feature_aucs
from ds_pipeline.lineage import lineage
from ds_pipeline.progress import say
from ds_pipeline.training.declare import declare, facts_of, require_as_on_disk
from ds_pipeline.training.fit import Candidate, train_candidate
from ds_pipeline.training.labelled import LabelledRows, labelled_rows
from ds_pipeline.training.rows import rows_to_train_on
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench

TRIALS_PER_LINE = 10


@dataclass(frozen=True)
class SignedCandidate:
    """A candidate that was trained and signed.

    Attributes:
        digest: of its model and training.json.
        undecided: rows of its weeks whose label nobody can tell.
    """

    trained: Candidate
    digest: str
    undecided: int

    @property
    def summary(self) -> str:
        trained = self.trained
        of_all = f" (of {trained.rows_there:,})" if trained.rows < trained.rows_there else ""
        return (
            f"{trained.rows:,} rows{of_all} of {len(trained.weeks)} weeks, {trained.positives:,} positives; "
            f"candidate {self.digest[:SHORT]}"
        )


def sign_candidate(bench: Workbench, day: date) -> SignedCandidate:
    """Train the candidate of a scoring date under what its files declare, and sign both.

    Raises:
        HistoryError: weeks are missing, or were made from other masked tables.
        TrainingError: an input leaks, the rows cannot be trained on, or a file was edited since this run began.
        RegistryError: the ledger is broken.
        LeakError: an identifier stands in a document.
    """
    bench, use_case = guarded(bench), bench.use_case
    labelled = labelled_rows(bench, use_case.clock.training(day), until=day)
    bench.prepare_to_sign()
    declared = declare(bench, day)
    _require_no_leaking_input(use_case, labelled.rows)
    trials = use_case.training.trials
    trained = train_candidate(labelled.rows, use_case, on_trial=lambda done: _say_trial(done, of=trials))
    require_as_on_disk(bench, TrainingError)
    facts = canonical_json(_facts(use_case, day, labelled, trained))
    document = bench.documents.put({"model.joblib": trained.content, "training.json": facts}, kind="candidate", day=day)
    # The environment that pickled the model, whatever runs when it is promoted. Not in the candidate itself: its
    # digest is of what the inputs make, and must not change with a commit or a comment in contract.yaml.
    made_by = lineage(bench.project.root) | {"candidate": document.digest, **facts_of(declared)}
    bench.documents.put({"lineage.json": canonical_json(made_by)}, kind="lineage", day=day)
    return SignedCandidate(trained, document.digest, labelled.undecided)


def _require_no_leaking_input(use_case: UseCase, rows: pd.DataFrame) -> None:
    """Raise TrainingError before the search if one input alone tells the outcome, where the requirements ask."""
    leakage = use_case.requirements.leakage
    if leakage is not None:
        trained_on = rows_to_train_on(rows, use_case)
        aucs = single_feature_aucs(trained_on, use_case.features, entity=use_case.problem.entity)
        require_no_leak(aucs, leakage)


def _say_trial(done: int, *, of: int) -> None:
    if done % TRIALS_PER_LINE == 0 or done == of:
        say("candidate", f"search: trial {done} of {of}")


def _facts(use_case: UseCase, day: date, labelled: LabelledRows, trained: Candidate) -> dict[str, Any]:
    """training.json."""
    return {
        "as_of": str(day),
        "weeks": [str(week) for week in use_case.clock.training(day)],
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
