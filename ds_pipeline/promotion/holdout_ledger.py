"""Every evaluation in the holdout ledger: the look before its numbers are seen, the verdict after."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from ds_pipeline.boundary.leak_check import require_clean_reason
from ds_pipeline.boundary.suppress import erasures_of
from ds_pipeline.digests import SHORT, digest_bytes
from ds_pipeline.errors import EvaluationError, RegistryError
from ds_pipeline.evaluation.checks.holdout_budget import LedgerRecord, Override, WeekLooks, measure_ledger
from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.gates.specs import gates_of
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.promotion.approve import approvals_of, require_not_refused
from ds_pipeline.registry.bundle import MODEL
from ds_pipeline.registry.documents import Document
from ds_pipeline.registry.ledger import (
    Allowed,
    Backtested,
    Declared,
    Entry,
    Figure,
    Judged,
    Looked,
    Promoted,
    Rebuilt,
    Seen,
    WeekCount,
    count_weeks,
    looks_of,
    overrides,
)
from ds_pipeline.registry.registry import OK, Verified
from ds_pipeline.store.chain import file_name, not_before
from ds_pipeline.store.snapshots import make_folder
from ds_pipeline.training.approved import require_approved
from ds_pipeline.training.declare import configuration_of, require_as_on_disk
from ds_pipeline.workbench import Workbench, known_entries, now


def read_ledger(bench: Workbench) -> list[Entry]:
    """All entries, verified against each other and against the evaluations that refer to them.

    Raises:
        RegistryError: an entry is missing or changed.
    """
    return bench.ledger.entries(known=known_entries(bench))


def verify_ledger(bench: Workbench) -> Verified:
    """The state of the ledger: 'ok', or what is wrong with it."""
    try:
        read_ledger(bench)
    except RegistryError as error:
        return Verified("ledger", str(error))
    return Verified("ledger", OK)


def record_promotions(bench: Workbench) -> None:
    """Write down each change of what is in force that the ledger lacks: the newest, and what a kill has left out."""
    entries = bench.ledger.read()
    noted = {entry.says.event for entry in entries if isinstance(entry.says, Promoted)}
    for event in bench.registry.history():
        if event.number not in noted:
            bench.ledger.add(
                Promoted(event=event.number, digest=event.digest, version=event.version),
                as_of=event.as_of,
                actor=event.actor,
                reason=event.reason,
                at=not_before(entries, now()),  # what has happened is noted, whatever the clock says
                known=known_entries(bench),
            )


def record_look(
    bench: Workbench, day: date, *, candidate: Document, trained_under: Mapping[str, Any], seen: Seen
) -> tuple[LedgerRecord, dict[str, Measurement]]:
    """Write down that the candidate is about to be judged on its holdout, then say what that costs.

    To be called before any row of the holdout is scored: an evaluation that is killed later has cost its look.

    Args:
        candidate: what was trained for the date, and signed.
        trained_under: lineage.json of the candidate.
        seen: the rows of the holdout, from training.labelled.rows_seen.

    Returns:
        The record for the evaluation, and the measurement of the gate where the requirements ask for it.

    Raises:
        EvaluationError: the candidate was not declared, or under other files than those of this run or of the disk, or
            they ask less than before without an approval; or rows that were looked at are others, and nothing says why.
        RegistryError: the ledger is broken, or lacks an entry that an evaluation refers to.
    """
    require_as_on_disk(bench, EvaluationError)
    known = known_entries(bench)
    before = bench.ledger.entries(known=known)
    declared = _declaration(before, day, trained_under)
    _require_limit_kept(bench, before, day)
    require_approved(bench, day, before, EvaluationError)
    _require_known_rows(bench, before, seen)
    configuration = configuration_of(bench.use_case)
    if declared.configuration != configuration:
        raise EvaluationError(
            f"configs/{bench.use_case.name} is not what was declared when the training of {day} began. Train again."
        )
    weeks = bench.use_case.clock.holdout(day)
    entries = bench.ledger.add(
        Looked(
            limit=bench.use_case.requirements.holdout.max_configurations,
            declared=trained_under["declared"],
            configuration=configuration.digest,
            candidate=candidate.digest,
            model=digest_bytes(candidate.files[MODEL]),
            weeks=weeks,
            seen=seen,
        ),
        as_of=day,
        actor="pipeline",
        reason="an evaluation begins",
        at=now(),
        known=known,
    )
    record = LedgerRecord(
        entry=entries[-1].number,
        entry_digest=entries[-1].digest,
        configuration=configuration.digest,
        weeks=[WeekLooks(**vars(count)) for count in _count(bench, entries, weeks)],
        overrides=_shown(overrides(entries, weeks)),
        approvals=approvals_of(entries),
    )
    return record, measure_ledger(record, bench.use_case.requirements.holdout)


def record_rebuild(bench: Workbench, day: date) -> None:
    """Forget what nobody can vouch for before every week is made anew, and write that down if weeks were looked at.

    Raises:
        RegistryError: the ledger is broken, or lacks an entry that an evaluation refers to; nothing was forgotten.
    """
    known = known_entries(bench)
    if looks_of(bench.ledger.entries(known=known)):
        bench.ledger.add(
            Rebuilt(),
            as_of=day,
            actor=bench.keys.holder(),
            reason="every week is made anew",
            at=now(),
            known=known,
        )
    bench.datasets.store.begin_again()


def _require_known_rows(bench: Workbench, entries: Sequence[Entry], seen: Seen) -> None:
    """Raise EvaluationError if rows that were looked at are others now, without a record of what replaced them.

    The signed index of a dataset knows all it ever pointed at. A look that it does not know of was at a later state, or
    the index was begun anew; a recorded rebuild explains both.
    """
    rebuilt = max((entry.number for entry in entries if isinstance(entry.says, Rebuilt)), default=0)
    for entry in entries[rebuilt:]:
        for week, rows in (entry.says.seen or {} if isinstance(entry.says, Looked | Backtested) else {}).items():
            for name, digest in rows.items():
                dataset, _, partition = name.rpartition("/")
                is_same = digest == seen.get(week, {}).get(name, digest)
                if not is_same and digest not in bench.datasets.store.versions(dataset, partition):
                    raise EvaluationError(
                        f"{dataset.partition('/')[0]} of {partition}: ledger/{file_name(entry.number)} has looked at "
                        f"other rows ({digest[:SHORT]}), and the store does not know that they were ever replaced: an "
                        "older state of it was put back, or its index was removed. Nothing was looked at. Restore "
                        f"datasets/ of {bench.use_case.name} from a backup, or make every week anew from the sources, "
                        f"which is recorded: ds-pipeline history {bench.use_case.name} --rebuild"
                    )


def record_backtest(bench: Workbench, day: date, *, seen: Seen) -> None:
    """Write down that a backtest is about to show weeks, unless the present configuration has seen these very rows.

    Args:
        seen: the rows of the weeks that it will score, from training.labelled.rows_seen.

    Raises:
        RegistryError: the ledger is broken, or lacks an entry that an evaluation refers to.
    """
    bench.prepare_to_sign()
    known, configuration = known_entries(bench), configuration_of(bench.use_case).digest
    looks = [one for one in looks_of(bench.ledger.entries(known=known)) if one.configuration == configuration]
    told = [(one.seen or {}) for one in looks]
    if all(any(one.get(week) == rows for one in told) for week, rows in seen.items()):
        return
    bench.ledger.add(
        Backtested(configuration=configuration, weeks=sorted(seen), seen=seen),
        as_of=day,
        actor="pipeline",
        reason="a backtest begins",
        at=now(),
        known=known,
    )


def _count(bench: Workbench, entries: Sequence[Entry], weeks: Sequence[date]) -> list[WeekCount]:
    """The looks at the weeks; rows out of which people were erased are the rows that they were."""
    changes = [change for erasure in erasures_of(bench).read() for change in erasure.changes]
    return count_weeks(entries, weeks, erased={one.new: one.old for one in changes if one.new is not None})


def record_verdict(
    bench: Workbench,
    look: LedgerRecord,
    *,
    evaluation: Evaluation,
    decision: Decision,
    parameters: Mapping[str, float | int],
) -> None:
    """Write down what came of a look, for good: a later evaluation of the same date replaces the documents, not this.

    Args:
        parameters: the hyperparameters of the candidate, from its training.json.
    """
    acceptance, noted = bench.use_case.requirements.acceptance, set(Figure.model_fields)
    figures = [
        Figure(**gate.model_dump(include=noted), is_acceptance=gate.name in acceptance) for gate in decision.gates
    ]
    judged = Judged(
        looked=look.entry,
        evaluation=evaluation.digest,
        decision=decision.digest,
        passed=decision.passed,
        parameters=dict(parameters),
        figures=figures,
        metrics={name: value for name, value in evaluation.metrics.items() if value is not None},
    )
    bench.ledger.add(
        judged,
        as_of=decision.as_of,
        actor="pipeline",
        reason="an evaluation has ended",
        at=now(),
        known={look.entry: look.entry_digest},
    )


def require_recorded(bench: Workbench, evaluation: Evaluation, decision: Decision, *, champion_is_lost: bool) -> None:
    """Nothing, if the ledger holds the look and the verdict of a decision that is about to be relied on.

    Args:
        champion_is_lost: the comparison with it is to be excused, which it is not where it was measured and lost.

    Raises:
        EvaluationError: it does not, or it holds that the candidate was refused on these weeks.
        RegistryError: the ledger is broken.
    """
    entries, look = read_ledger(bench), evaluation.ledger
    began = entries[look.entry - 1] if look is not None and look.entry <= len(entries) else None
    verdicts = [one.says for one in entries if isinstance(one.says, Judged)]
    if (
        look is None
        or began is None
        or began.digest != look.entry_digest
        or not isinstance(began.says, Looked)
        or began.says.candidate != decision.bound_to.candidate
        or not any(
            (one.looked, one.evaluation, one.passed) == (look.entry, evaluation.digest, decision.passed)
            for one in verdicts
        )
    ):
        raise EvaluationError(
            f"The holdout ledger does not hold the evaluation of {decision.as_of}. Evaluate the candidate again."
        )
    require_not_refused(bench, entries, look.entry)
    if champion_is_lost and _lost_to_champion(bench, entries, began.says):
        raise EvaluationError(
            f"The candidate of {decision.as_of} was compared with the champion while it was there, and missed. That "
            "the champion is lost since does not undo it: train another candidate."
        )


def _lost_to_champion(bench: Workbench, entries: list[Entry], look: Looked) -> bool:
    compared = {gate.name for gate in gates_of(bench.use_case.requirements) if gate.may_not_apply}
    looks = {one.number for one in entries if isinstance(one.says, Looked) and one.says.is_of_same_model(look)}
    return any(
        figure.name in compared and figure.value is not None and not figure.passed
        for one in entries
        if isinstance(one.says, Judged) and one.says.looked in looks
        for figure in one.says.figures
    )


def _require_limit_kept(bench: Workbench, entries: list[Entry], day: date) -> None:
    """Raise EvaluationError if the budget of a week was raised after somebody had looked at it."""
    weeks, limit = set(bench.use_case.clock.holdout(day)), bench.use_case.requirements.holdout.max_configurations
    looks = [one.says for one in entries if isinstance(one.says, Looked) and weeks & set(one.says.weeks)]
    agreed = min((one.limit for one in looks if one.limit is not None), default=None)
    if agreed is not None and (limit is None or limit > agreed):
        raise EvaluationError(
            f"configs/{bench.use_case.name}/requirements.yaml: holdout.max_configurations was {agreed} when these "
            f"holdout weeks were looked at, and is {'gone' if limit is None else limit} now. A budget is not raised "
            f"after the looking: put {agreed} back, and where more is agreed say so, with a reason: ds-pipeline "
            f"allow-holdout {bench.use_case.name} --reason ..."
        )


def allow_holdout(bench: Workbench, day: date, *, more: int, reason: str, actor: str) -> Override:
    """Let so many more configurations be judged on the holdout weeks of a date; shown with every verdict on them.

    Raises:
        ConfigError: the reason holds an identifier.
        EvaluationError: the budget is not used up.
        RegistryError: the ledger is broken, or there is no reason.
    """
    reason = " ".join(reason.split())  # one line, wherever it is shown
    require_clean_reason(bench, reason)
    bench.use_case.clock.training(day)  # a date that nothing can be judged at
    make_folder(bench.datasets.root)  # nothing may have run yet
    bench.prepare_to_sign()
    weeks, known = bench.use_case.clock.holdout(day), known_entries(bench)
    _require_used_up(bench, bench.ledger.entries(known=known), weeks)
    entries = bench.ledger.add(
        Allowed(weeks=weeks, more=more), as_of=day, actor=actor, reason=reason, at=now(), known=known
    )
    return _shown(entries[-1:])[0]


def _require_used_up(bench: Workbench, entries: list[Entry], weeks: list[date]) -> None:
    """Raise EvaluationError if every week may be judged by another configuration as it is."""
    limit = bench.use_case.requirements.holdout.max_configurations
    which = f"the holdout weeks {weeks[0]} to {weeks[-1]}"
    if limit is None:
        raise EvaluationError(
            f"configs/{bench.use_case.name}/requirements.yaml sets no holdout.max_configurations, so {which} have no "
            "budget. Nothing was recorded."
        )
    used = max(max(0, one.configurations - one.allowed) for one in _count(bench, entries, weeks))
    if used < limit:
        raise EvaluationError(
            f"{limit - used} of {limit} configurations are still free for {which}. Nothing was recorded; allow more "
            "when they are used up."
        )


def overrides_of(bench: Workbench) -> list[Override]:
    """Every override that was ever recorded for the use case, oldest first."""
    return _shown(overrides(read_ledger(bench)))


def _declaration(entries: list[Entry], day: date, trained_under: Mapping[str, Any]) -> Declared:
    number = trained_under.get("declared")
    if number is None:
        raise EvaluationError(f"The candidate of {day} was trained before declarations were recorded. Train again.")
    if not 1 <= number <= len(entries):
        raise RegistryError(f"ledger/: the declaration of the candidate of {day} is missing. Restore it from a backup.")
    entry = entries[number - 1]
    if not isinstance(entry.says, Declared) or entry.as_of != day:
        raise EvaluationError(f"The lineage of {day} refers to an entry that is no declaration of it. Train again.")
    return entry.says


def _shown(entries: list[Entry]) -> list[Override]:
    return [
        Override(
            **entry.model_dump(include={"number", "at", "actor", "reason"}),
            more=entry.says.more,
            weeks=list(entry.says.weeks),
        )
        for entry in entries
        if isinstance(entry.says, Allowed)
    ]
