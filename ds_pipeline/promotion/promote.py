"""Put a candidate in force, after its decision was verified once more."""

import json
from datetime import date

from ds_pipeline.boundary.leak_check import require_clean_files, require_clean_reason
from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.gates.decision import Decision, require_in_force
from ds_pipeline.evaluation.report.model_card import FILE, render_model_card
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.lineage import code_digest
from ds_pipeline.promotion.holdout_ledger import record_promotions, require_recorded
from ds_pipeline.promotion.matured_fit import SERVED, models_of
from ds_pipeline.promotion.report import name_version
from ds_pipeline.registry.bundle import JUDGED, MODEL
from ds_pipeline.registry.history import Event
from ds_pipeline.registry.promotion import Promotion
from ds_pipeline.store.snapshots import write_file
from ds_pipeline.training.labelled import labelled_rows
from ds_pipeline.workbench import Workbench, now


def champion_of(bench: Workbench, day: date) -> str | None:
    """The digest of the candidate that is in force for a date; None where none was ever promoted for it."""
    event = bench.registry.champion(day)
    return event.candidate_digest if event else None


def _keep_report(bench: Workbench, day: date, version: str) -> None:
    """Keep the page of a version beside that of the date, which the next evaluation of the date replaces."""
    page = bench.report_path(day)
    write_file(page.with_name(f"{page.stem}-{version}{page.suffix}"), page.read_bytes(), replace=True)


def _require_champion(bench: Workbench, day: date, decision: Decision) -> None:
    """Raise EvaluationError if another champion came into force since the decision was verified."""
    if champion_of(bench, day) not in (decision.bound_to.champion, decision.bound_to.candidate):
        raise EvaluationError(f"Another version came into force for {day} just now. Evaluate the candidate again.")


def promote_candidate(bench: Workbench, day: date, *, actor: str, reason: str, replace_lost: bool = False) -> Promotion:
    """Put the candidate of a scoring date in force, if its decision stands.

    Raises:
        EvaluationError: the decision is missing, was taken on something else, or refuses.
        RegistryError: the champion or the history is broken.
        LeakError: an identifier stands in a file of the bundle.
    """
    use_case = bench.use_case
    candidate = bench.documents.get(kind="candidate", day=day)
    evaluated = bench.documents.get(kind="evaluation", day=day)
    made_by = bench.lineage_of(day, candidate.digest)
    decision = Decision.from_json(evaluated.files["decision.json"])
    evaluation = Evaluation.from_json(evaluated.files["evaluation.json"])
    holdout = labelled_rows(bench, use_case.clock.holdout(day), until=day).digest
    require_in_force(
        decision,
        candidate=candidate.digest,
        holdout=holdout,
        requirements_digest=use_case.requirements_digest,
        code=code_digest(),
        champion=champion_of(bench, day),
        champion_is_lost=replace_lost,
        requirements=use_case.requirements,
    )
    if (decision.bound_to.evaluation, decision.bound_to.use_case) != (evaluation.digest, use_case.digest):
        raise EvaluationError(f"The decision on {day} was taken on another evaluation or use case. Evaluate again.")
    require_recorded(bench, evaluation, decision, champion_is_lost=replace_lost)
    models = models_of(bench, day, candidate.files, evaluated.files, evaluation)
    card = render_model_card(evaluation, decision, use_case, training=json.loads(candidate.files["training.json"]))
    files = {
        **candidate.files,
        **{name: content for name, content in evaluated.files.items() if name != SERVED},
        **models,
        FILE: card.encode(),
        **{f"use_case/{name}": content for name, content in use_case.files.items()},
        **made_by.files,
    }
    require_clean_files(bench, files, where=f"bundle of {day}")
    outcome = bench.registry.promote(
        files,
        as_of=day,
        candidate_digest=candidate.digest,
        decision_digest=digest_bytes(evaluated.files["decision.json"]),
        refit_digest=digest_bytes(models[MODEL]) if JUDGED in models else None,
        actor=actor,
        reason=reason,
        at=now(),
        replace_lost=replace_lost,
        before=lambda: _require_champion(bench, day, decision),
    )
    record_promotions(bench)
    if outcome.outcome != "refused":
        name_version(bench, day, evaluation, decision, version=outcome.champion.version)
    if outcome.outcome == "promoted":
        _keep_report(bench, day, outcome.champion.version)
    return outcome


def roll_back(bench: Workbench, to: str | None, *, actor: str, reason: str) -> Event:
    """Put an earlier version back in force: `to`, or the one before.

    Raises:
        ConfigError: the reason holds an identifier.
        RegistryError: nothing to go back to, an unknown or the current version, no reason, or a broken target.
    """
    require_clean_reason(bench, reason)
    event = bench.registry.rollback(to, reason=reason, actor=actor, at=now())
    record_promotions(bench)
    return event
