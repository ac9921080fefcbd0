"""The decision on a candidate, bound by digest to what it was taken on, and the check that it still holds."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.gates.specs import gates_of
from ds_pipeline.evaluation.gates.verdicts import GateResult, apply_gates, still_passes
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.use_case.requirements import AveragePrecisionGain, Requirements

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class BoundTo(Record):
    """The very bytes a decision was taken on; a decision says nothing about any others.

    Attributes:
        champion: the candidate that was in force, which it was compared with; None where none was.
    """

    candidate: Digest
    holdout: Digest
    requirements: Digest
    code: Digest
    use_case: Digest
    evaluation: Digest
    champion: Digest | None = None

    @property
    def has_champion(self) -> bool:
        """There was another candidate in force to compare with; one that is in force itself has none."""
        return self.champion not in (None, self.candidate)


class Decision(Record):
    """May this candidate serve? With every gate, and what it is bound to. `to_json()` is what is signed."""

    use_case: str
    as_of: date
    passed: bool
    gates: list[GateResult]
    bound_to: BoundTo
    made_at: AwareDatetime


def decide(
    evaluation: Evaluation,
    requirements: Requirements,
    *,
    use_case: str,
    as_of: date,
    made_at: datetime,
    candidate: str,
    holdout: str,
    requirements_digest: str,
    code: str,
    use_case_digest: str,
) -> Decision:
    """Apply every gate and write down the verdict; a refusal is a decision, not an error.

    Args:
        candidate: digest of the candidate's bundle.
        holdout: digest of the predictions that were evaluated.
        requirements_digest: digest of requirements.yaml.
        code: digest of the code that ran.
        use_case_digest: digest of every file of the use case.
    """
    gates = apply_gates(evaluation, requirements, candidate=candidate)
    return Decision(
        use_case=use_case,
        as_of=as_of,
        passed=all(gate.passed for gate in gates),
        gates=gates,
        bound_to=BoundTo(
            candidate=candidate,
            holdout=holdout,
            requirements=requirements_digest,
            code=code,
            use_case=use_case_digest,
            evaluation=evaluation.digest,
            champion=evaluation.facts.champion,
        ),
        made_at=made_at,
    )


def what_to_change(decision: Decision, evaluation: Evaluation, requirements: Requirements) -> str:
    """What a refused candidate calls for, as the start of a sentence: no model beats a baseline that ranks nothing.

    Args:
        evaluation: the one that was decided on.
    """
    missed = [requirements.acceptance.get(gate.name) for gate in decision.gates if not gate.passed]
    gains = [isinstance(one, AveragePrecisionGain) and one.over == "baseline" for one in missed]
    is_measured = evaluation.curves is None or bool(evaluation.curves.baseline)
    if is_measured or not any(gains):
        return "Change features or training.yaml"
    other_baseline = "Name another feature in requirements.yaml: baseline"
    return other_baseline if all(gains) else f"{other_baseline}, change features or training.yaml"


def require_in_force(
    decision: Decision,
    *,
    candidate: str,
    holdout: str,
    requirements_digest: str,
    code: str,
    champion: str | None,
    requirements: Requirements,
    champion_is_lost: bool = False,
) -> None:
    """Nothing, if the decision lets this very candidate serve under the requirements of today.

    Args:
        champion: the candidate in force now. One that took the place of the champion it was compared with calls for
            another comparison, unless it is this very candidate.
        champion_is_lost: a person says so, with a reason, and the registry has found it so: what could not be compared
            with it is excused, and nothing else.

    Raises:
        EvaluationError: it was taken on something else, is incomplete, contradicts itself, or refuses.
    """
    now = {"candidate": candidate, "holdout": holdout, "requirements": requirements_digest, "code": code}
    then = decision.bound_to.model_dump()
    changed = [name for name, digest in now.items() if digest != then[name]]
    if champion not in (candidate, decision.bound_to.champion):
        changed.append("champion")
    if changed:
        raise EvaluationError(
            f"The decision on {decision.as_of} was taken on another {' and another '.join(changed)}. "
            "Evaluate the candidate again."
        )
    _require_complete(decision.gates, requirements)
    failed = _failed(decision, requirements)
    if decision.passed != (not failed):
        raise EvaluationError(
            f"The decision on {decision.as_of} says {'passed' if decision.passed else 'refused'}, its gates say "
            f"otherwise ({', '.join(failed) or 'all pass'}). Evaluate the candidate again."
        )
    if champion_is_lost:
        failed = [name for name in failed if name not in _not_compared(decision, requirements)]
    if failed:
        raise EvaluationError(f"The candidate of {decision.as_of} is refused: {', '.join(failed)} not reached.")


def _require_complete(gates: Sequence[GateResult], requirements: Requirements) -> None:
    found, asked = sorted(gate.name for gate in gates), sorted(gate.name for gate in gates_of(requirements))
    if found != asked:
        missing, extra = sorted(set(asked) - set(found)), sorted(set(found) - set(asked))
        raise EvaluationError(
            f"The decision does not hold exactly the gates that requirements.yaml asks for: missing "
            f"{', '.join(missing) or 'none'}, unknown {', '.join(extra) or 'none'}. Evaluate the candidate again."
        )


def _not_compared(decision: Decision, requirements: Requirements) -> set[str]:
    """The gates that were refused because the champion could not be scored."""
    asked = {gate.name for gate in gates_of(requirements) if gate.may_not_apply}
    return {result.name for result in decision.gates if result.name in asked and result.value is None}


def _failed(decision: Decision, requirements: Requirements) -> list[str]:
    """Gates that were refused, or whose recorded numbers do not reach the thresholds of today."""
    asked = {gate.name: gate for gate in gates_of(requirements)}
    return [
        result.name
        for result in decision.gates
        if not still_passes(asked[result.name], result, has_champion=decision.bound_to.has_champion)
    ]
