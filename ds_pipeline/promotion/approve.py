"""The recorded approval of the owners of thresholds, and the candidates that need one: those that were refused."""

from collections.abc import Sequence
from datetime import date

from ds_pipeline.boundary.leak_check import require_clean_reason
from ds_pipeline.digests import SHORT
from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.checks.holdout_budget import GATE, Approval
from ds_pipeline.evaluation.gates.specs import gates_of
from ds_pipeline.registry.ledger import Allowed, Approved, Entry, Judged, Looked
from ds_pipeline.store.snapshots import make_folder
from ds_pipeline.training.approved import asked_before, digest_of, to_approve
from ds_pipeline.use_case.requirements import Requirements
from ds_pipeline.workbench import Workbench, known_entries, now


def approve_requirements(bench: Workbench, day: date, *, owner: str | None, reason: str, actor: str) -> Approval:
    """Record that less may be asked than before, and that whom this concerns may be judged again; shown for good.

    Args:
        owner: approve the thresholds of this owner alone; None: those of all owners.

    Raises:
        ConfigError: the reason holds an identifier.
        EvaluationError: there is nothing to approve, or nothing of this owner.
        RegistryError: the ledger or the history is broken, or there is no reason.
    """
    reason = " ".join(reason.split())  # one line, wherever it is shown
    require_clean_reason(bench, reason)
    bench.use_case.clock.training(day)  # a date that nothing can be judged at
    make_folder(bench.datasets.root)  # nothing may have run yet
    bench.prepare_to_sign()
    known, requirements = known_entries(bench), bench.use_case.requirements
    entries, weeks = bench.ledger.entries(known=known), bench.use_case.clock.holdout(day)
    changes = to_approve(bench, day, entries)
    candidates = _refused(entries, weeks, requirements)
    if not changes and not candidates:
        raise EvaluationError(
            f"configs/{bench.use_case.name} asks no less than before, of the same things, and no candidate was "
            f"refused on the holdout weeks {weeks[0]} to {weeks[-1]}. Nothing was recorded."
        )
    owners = {change.owner for change in changes} or {gate.owner for gate in gates_of(requirements)}
    if owner is not None and owner not in owners:
        raise EvaluationError(f"Nothing to approve is of {owner!r}. Owners: {', '.join(sorted(owners))}.")
    before = asked_before(bench, day, entries)
    said = Approved(
        before=next((digest_of(one.requirements) for one in before if one.requirements), None),
        after=digest_of(requirements),
        changes=[change for change in changes if owner in (None, change.owner)],
        owners=[owner] if owner else sorted(owners),
        weeks=weeks,
        candidates=candidates,
    )
    return approvals_of(bench.ledger.add(said, as_of=day, actor=actor, reason=reason, at=now(), known=known))[-1]


def approvals_of(entries: Sequence[Entry]) -> list[Approval]:
    """Every approval that was ever recorded for the use case, oldest first."""
    return [
        Approval(
            **entry.model_dump(include={"number", "at", "actor", "reason"}),
            owners=list(entry.says.owners),
            changes=[change.words for change in entry.says.changes],
            candidates=list(entry.says.candidates),
        )
        for entry in entries
        if isinstance(entry.says, Approved)
    ]


def require_not_refused(bench: Workbench, entries: Sequence[Entry], look: int) -> None:
    """Raise EvaluationError if the candidate of a look was refused on one of its weeks, and nobody let it come again.

    A model that was refused stays refused, whatever files are beside it: the same bytes under another verdict mean that
    something else was changed.
    What was recorded after the look does not count: its page would not tell of it.

    Args:
        look: the number of its entry.
    """
    says = entries[look - 1].says
    assert isinstance(says, Looked)
    same = {one.candidate for one in _looks_of(entries) if one.is_of_same_model(says)}
    for refusal, gates in _refusals(entries, says, bench.use_case.requirements).items():
        since = [entry.says for entry in entries[refusal : look - 1]]
        is_approved = any(isinstance(one, Approved) and same & set(one.candidates) for one in since)
        # The budget is of the weeks and not of the candidate; who allows more there lets it come again.
        is_allowed = gates == {GATE} and any(
            isinstance(one, Allowed) and set(one.weeks) & set(says.weeks) for one in since
        )
        if not is_approved and not is_allowed:
            raise EvaluationError(
                f"The model of the candidate {says.candidate[:SHORT]} was refused on these holdout weeks "
                f"({', '.join(sorted(gates))}; ledger/{refusal:06d}.json), and what was refused stays refused, "
                "whatever is asked since. Train another candidate, or let the owners agree and record it, then train "
                f"again: ds-pipeline approve-requirements {bench.use_case.name} --date {entries[look - 1].as_of} "
                '--reason "..."'
            )


def _looks_of(entries: Sequence[Entry]) -> list[Looked]:
    return [entry.says for entry in entries if isinstance(entry.says, Looked)]


def _refused(entries: Sequence[Entry], weeks: Sequence[date], requirements: Requirements) -> list[str]:
    """The candidates that were refused on any of the weeks."""
    looks = [look for look in _looks_of(entries) if set(weeks) & set(look.weeks)]
    return sorted({look.candidate for look in looks if _refusals(entries, look, requirements)})


def _refusals(entries: Sequence[Entry], look: Looked, requirements: Requirements) -> dict[int, set[str]]:
    """The entries that refused the model of a look on one of its weeks, and the gates it missed.

    That a champion could not be scored says nothing of the candidate.
    """
    compared = {gate.name for gate in gates_of(requirements) if gate.may_not_apply}
    looks = {
        entry.number
        for entry in entries
        if isinstance(entry.says, Looked)
        and entry.says.is_of_same_model(look)
        and set(entry.says.weeks) & set(look.weeks)
    }
    missed = {
        entry.number: {
            figure.name
            for figure in entry.says.figures
            if not figure.passed and not (figure.name in compared and figure.value is None)
        }
        for entry in entries
        if isinstance(entry.says, Judged) and entry.says.looked in looks and not entry.says.passed
    }
    return {number: gates for number, gates in missed.items() if gates}
