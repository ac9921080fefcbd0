"""Every training and evaluation, read from the ledger and the history of promotions, and what differs between two."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from ds_pipeline.digests import SHORT
from ds_pipeline.errors import RegistryError
from ds_pipeline.registry.history import Event
from ds_pipeline.registry.ledger import Declared, Entry, Figure, Judged, Looked

What = Literal["run", "file", "input", "parameter", "gate", "metric"]
Verdict = Literal["passed", "refused", "evaluation not finished", "not evaluated"]


@dataclass(frozen=True)
class Run:
    """A training with its evaluation, or a further evaluation of the same candidate.

    Attributes:
        number: 1, 2, 3 and so on, in the order in which they began.
        at: when it began, UTC.
        candidate, looked_at: None where it was never evaluated; then nothing of the holdout was seen.
        judged: None where the evaluation did not end.
        promoted_as: the version it became; None for all others, also of the same bytes.
    """

    number: int
    as_of: date
    at: datetime
    declared: Declared
    candidate: str | None = None
    looked_at: datetime | None = None
    judged: Judged | None = None
    promoted_as: str | None = None

    @property
    def configuration(self) -> str:
        return self.declared.configuration.digest

    @property
    def parameters(self) -> dict[str, float | int]:
        return dict(self.judged.parameters) if self.judged else {}

    @property
    def figures(self) -> list[Figure]:
        return list(self.judged.figures) if self.judged else []

    @property
    def metrics(self) -> dict[str, float]:
        return dict(self.judged.metrics) if self.judged else {}

    @property
    def verdict(self) -> Verdict:
        if self.judged is not None:
            return "passed" if self.judged.passed else "refused"
        return "evaluation not finished" if self.candidate else "not evaluated"


@dataclass(frozen=True)
class Difference:
    """One thing that differs between two runs; what a run does not have is None."""

    what: What
    name: str
    first: Any
    second: Any


def runs_of(entries: Sequence[Entry], events: Sequence[Event]) -> list[Run]:
    """All runs, oldest first.

    Args:
        entries: the ledger.
        events: the history of promotions.
    """
    declared = {entry.number: entry for entry in entries if isinstance(entry.says, Declared)}
    verdicts = {entry.says.looked: entry.says for entry in entries if isinstance(entry.says, Judged)}
    looks: dict[int, list[Entry]] = {number: [] for number in declared}
    for entry in entries:
        if isinstance(entry.says, Looked):
            looks[entry.says.declared].append(entry)
    promotions = [event for event in events if event.kind != "rollback"]
    begun: list[tuple[int, Entry, Entry | None]] = []
    for number, entry in declared.items():
        found = looks[number]
        begun.append((number, entry, found[0] if found else None))
        begun += [(look.number, entry, look) for look in found[1:]]  # another evaluation of the same candidate
    return [
        _run(place, entry, look, verdicts, promotions)
        for place, (_, entry, look) in enumerate(sorted(begun, key=lambda one: one[0]), start=1)
    ]


def _run(
    number: int, declared: Entry, look: Entry | None, verdicts: Mapping[int, Judged], promotions: Sequence[Event]
) -> Run:
    assert isinstance(declared.says, Declared)
    if look is None or not isinstance(look.says, Looked):
        return Run(number, declared.as_of, declared.at, declared.says)
    return Run(
        number,
        declared.as_of,
        declared.at,
        declared.says,
        candidate=look.says.candidate,
        looked_at=look.at,
        judged=verdicts.get(look.number),
        promoted_as=_promoted_as(look.says.candidate, verdicts.get(look.number), promotions),
    )


def _promoted_as(candidate: str, judged: Judged | None, promotions: Sequence[Event]) -> str | None:
    """The version that carries the decision of a run; where the entry names none, that of a candidate that passed."""
    if judged is None:
        return None
    for event in promotions:
        is_its = event.decision_digest == judged.decision if judged.decision else judged.passed
        if is_its and event.candidate_digest == candidate:
            return event.version
    return None


def run_number(runs: Sequence[Run], number: int) -> Run:
    """The run of a number; RegistryError where there is none."""
    if not 1 <= number <= len(runs):
        raise RegistryError(f"There is no run {number}. Known: {f'1 to {len(runs)}' if runs else 'none'}.")
    return runs[number - 1]


def differences(first: Run, second: Run) -> list[Difference]:
    """Everything in which two runs differ: date, files, inputs, parameters, gates and metrics."""
    return [
        Difference(what, name, known.get(name), other.get(name))
        for (what, known), other in zip(_facts(first).items(), _facts(second).values(), strict=True)
        for name in dict.fromkeys([*known, *other])
        if known.get(name) != other.get(name)
    ]


def _facts(run: Run) -> dict[What, dict[str, Any]]:
    """All that is compared, by what it is and by its name."""
    return {
        "run": {
            "date": str(run.as_of),
            "configuration": run.configuration[:SHORT],
            "candidate": run.candidate and run.candidate[:SHORT],
            "verdict": run.verdict,
            "promoted as": run.promoted_as,
        },
        "file": {name: digest[:SHORT] for name, digest in run.declared.files.items()},
        "input": dict.fromkeys(run.declared.inputs, "there"),
        "parameter": run.parameters,
        "gate": {
            gate.name: (gate.value, gate.bound, gate.comparison, gate.threshold, gate.verdict) for gate in run.figures
        },
        "metric": run.metrics,
    }
