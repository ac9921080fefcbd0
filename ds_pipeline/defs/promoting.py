"""Put a candidate in force, after its decision was verified once more."""

from datetime import date

from ds_pipeline.defs.leaks import require_clean_files
from ds_pipeline.defs.report import write_report
from ds_pipeline.defs.rows import labelled_rows
from ds_pipeline.defs.workbench import Workbench, now
from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.decision import Decision, require_in_force
from ds_pipeline.evaluation.outcome import Evaluation
from ds_pipeline.lineage import code_digest
from ds_pipeline.registry.promotion import Promotion


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
        requirements=use_case.requirements,
    )
    if (decision.bound_to.evaluation, decision.bound_to.use_case) != (evaluation.digest, use_case.digest):
        raise EvaluationError(f"The decision on {day} was taken on another evaluation or use case. Evaluate again.")
    files = {
        **candidate.files,
        **evaluated.files,
        **{f"use_case/{name}": content for name, content in use_case.files.items()},
        **made_by.files,
    }
    require_clean_files(bench, files, where=f"bundle of {day}")
    outcome = bench.registry.promote(
        files,
        as_of=day,
        candidate_digest=candidate.digest,
        decision_digest=digest_bytes(evaluated.files["decision.json"]),
        actor=actor,
        reason=reason,
        at=now(),
        replace_lost=replace_lost,
    )
    if outcome.outcome != "refused":
        write_report(bench, day, evaluation, decision, version=outcome.champion.version)
    return outcome
