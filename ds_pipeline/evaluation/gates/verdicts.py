"""The verdict on each gate; whatever is not known for certain is refused."""

from __future__ import annotations

import math

from ds_pipeline.evaluation.gates.specs import Gate, gates_of
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.evaluation.measure.predictions import support_problems
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.evaluation.result import Evaluation, measured_as
from ds_pipeline.figures import beside, short
from ds_pipeline.registry.verdicts import Verdict, verdict_of
from ds_pipeline.use_case.readers import Comparison
from ds_pipeline.use_case.requirements import Requirements


class GateResult(Record):
    """A gate with what was measured and the verdict; one that does not apply has passed, and says why.

    Attributes:
        chance: what chance alone gives, at most, beside a limit on a difference; no verdict reads it.
    """

    name: str
    metric: str
    value: float | None
    bound: float | None
    chance: float | None = None
    threshold: float
    comparison: Comparison
    passed: bool
    reason: str
    owner: str
    applies: bool = True

    @property
    def verdict(self) -> Verdict:
        return verdict_of(passed=self.passed, applies=self.applies)


def apply_gates(
    evaluation: Evaluation, requirements: Requirements, *, candidate: str | None = None
) -> list[GateResult]:
    """One result per gate the requirements ask for.

    A measurement that is missing refuses its gate; one that nobody asked for, or an evaluation made for other
    requirements, refuses all of them.

    Args:
        candidate: its digest; None: it is not known to be the champion, so a champion must be compared with.
    """
    whole = _whole_problem(evaluation, requirements)
    return [
        judge(gate, _measured(gate, evaluation, requirements, candidate), problem=whole)
        for gate in gates_of(requirements)
    ]


def judge(gate: Gate, found: Measurement, *, problem: str | None = None) -> GateResult:
    """The verdict on one gate; without a finite number to compare it is refused.

    Args:
        problem: why nothing of the evaluation counts.
    """
    problem = problem or found.problem
    value, bound = _finite(found.value), _finite(found.bound)
    reason, passed = _compare(gate, value, bound if gate.compares == "lower" else value)
    if problem:
        reason, passed = f"{gate.meaning}: refused, because {problem}. Asked for {_asked(gate)}.", False
    elif found.not_applicable and gate.may_not_apply:
        reason, passed = f"{gate.meaning}: not applicable, because {found.not_applicable}.", True
    reason = " ".join(filter(None, (reason, found.note, _within_chance(gate, found))))
    return GateResult(
        **gate.model_dump(include={"name", "metric", "threshold", "comparison", "owner"}),
        value=value,
        bound=bound,
        chance=_finite(found.chance),
        passed=passed,
        reason=reason[0].upper() + reason[1:],
        applies=not (passed and value is None),
    )


def still_passes(gate: Gate, result: GateResult, *, has_champion: bool) -> bool:
    """Whether what a decision recorded passes the gate as it is asked for today.

    Args:
        has_champion: there was one to compare with: another candidate than the one decided on.
    """
    if not result.passed or result.metric != gate.metric:
        return False
    if not result.applies:
        return gate.may_not_apply and not has_champion and result.value is None
    if result.value is None:
        return False
    return judge(gate, Measurement(metric=gate.metric, value=result.value, bound=result.bound)).passed


def _compare(gate: Gate, value: float | None, compared: float | None) -> tuple[str, bool]:
    if value is None or compared is None:
        lacking = "value" if value is None else "confidence bound"
        return f"{gate.meaning}: refused, because there is no {lacking}. Asked for {_asked(gate)}.", False
    miss = gate.threshold - compared if gate.comparison == ">=" else compared - gate.threshold
    measured = f"{beside(value, gate.threshold)} measured"
    if gate.compares == "lower":
        measured += f", {beside(compared, gate.threshold)} at the lower confidence bound"
    verdict = f"misses by {short(miss, digits=2)}" if miss > 0 else "reached"
    return f"{gate.meaning}: {measured}; asked for {_asked(gate)}: {verdict}.", miss <= 0


def _within_chance(gate: Gate, found: Measurement) -> str | None:
    """That a limit lies inside what chance gives; its owner should know, and the verdict stays what it is."""
    if found.chance is None or gate.threshold >= found.chance:
        return None
    return (
        "The limit lies below that, so that a model that treats all groups alike would be refused too often. A wider "
        f"limit, or more weeks or people, is for {gate.owner} to decide before the next model."
    )


def _whole_problem(evaluation: Evaluation, requirements: Requirements) -> str | None:
    unasked = sorted(set(evaluation.measurements) - {gate.name for gate in gates_of(requirements)})
    if unasked:
        return f"the evaluation measured what nobody asked for ({', '.join(unasked)}); evaluate again"
    if evaluation.measured_as != measured_as(requirements):
        return "the evaluation was made for other requirements; evaluate again"
    return None


def _measured(gate: Gate, evaluation: Evaluation, requirements: Requirements, candidate: str | None) -> Measurement:
    """What the evaluation says of a gate, or the problem that it says nothing that counts."""
    if gate.fact:
        count = getattr(evaluation.facts, gate.fact)
        problem = "the holdout has no rows" if count is None else None
        return Measurement(metric=gate.metric, value=count, problem=problem)
    found = evaluation.measurements.get(gate.name)
    if found is None:
        return Measurement(metric=gate.metric, problem="the evaluation did not measure it")
    problem = None
    if found.metric != gate.metric:
        problem = f"the evaluation measured {found.metric} under this name"
    elif found.not_applicable and not (gate.may_not_apply and evaluation.facts.champion in (None, candidate)):
        problem = "the evaluation left it out, which it may not"
    elif found.value is not None and gate.is_of_holdout:
        problem = "; ".join(support_problems(found.rows or 0, found.positives or 0, requirements.holdout)) or None
    return Measurement(metric=gate.metric, problem=problem, note=found.note) if problem else found


def _finite(number: float | None) -> float | None:
    return float(number) if number is not None and math.isfinite(number) else None


def _asked(gate: Gate) -> str:
    return f"{'at least' if gate.comparison == '>=' else 'at most'} {short(gate.threshold)}"
