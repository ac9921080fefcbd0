"""One gate per acceptance threshold, data minimum and label limit; whatever is not known for certain is refused."""

from __future__ import annotations

import math
import re
from typing import Literal, assert_never

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.outcome import Evaluation, Measurement, measured_as
from ds_pipeline.evaluation.predictions import support_problems
from ds_pipeline.evaluation.record import Record
from ds_pipeline.use_case.requirements import (
    AveragePrecisionGain,
    CalibrationDifference,
    DemographicParityDifference,
    EqualizedOddsDifference,
    ExpectedCalibrationError,
    FalsePositiveRateDifference,
    GroupDifference,
    PrecisionAtRecall,
    PrecisionAtTop,
    RecallAtPrecision,
    RecallAtTop,
    Requirements,
    Threshold,
)

Comparison = Literal[">=", "<="]
UNDECIDED = "undecided_labels"
RESERVED = ("training_rows", "training_positives", UNDECIDED)


class Gate(Record):
    """What the requirements ask, before any data.

    Attributes:
        compares: lower: the lower confidence bound; point: the value itself.
    """

    name: str
    metric: str
    meaning: str
    threshold: float
    comparison: Comparison
    compares: Literal["lower", "point"]
    owner: str


class GateResult(Record):
    """A gate with what was measured and the verdict."""

    name: str
    metric: str
    value: float | None
    bound: float | None
    threshold: float
    comparison: Comparison
    passed: bool
    reason: str
    owner: str


def gates_of(requirements: Requirements) -> list[Gate]:
    """Every gate the requirements ask for, in their order, data minimums and label quality last.

    Raises:
        EvaluationError: a name is taken or cannot be the name of a check.
    """
    minimums = requirements.data_minimums
    gates = [_gate(name, threshold) for name, threshold in requirements.acceptance.items()]
    for name, meaning, least in (
        ("training_rows", "rows to train on", minimums.training_rows),
        ("training_positives", "positives to train on", minimums.training_positives),
    ):
        gates.append(
            Gate(name=name, metric=name, meaning=meaning, threshold=least, comparison=">=", compares="point",
                 owner=minimums.owner)
        )  # fmt: skip
    if requirements.label_quality is not None:
        quality = requirements.label_quality
        gates.append(
            Gate(name=UNDECIDED, metric="undecided_share", meaning="share of holdout rows whose label is undecided",
                 threshold=quality.max_undecided_share, comparison="<=", compares="point", owner=quality.owner)
        )  # fmt: skip
    bad = sorted(
        name for name in requirements.acceptance if name in RESERVED or not re.fullmatch(r"[A-Za-z0-9_]+", name)
    )
    if bad:
        raise EvaluationError(
            f"requirements.yaml: acceptance: {', '.join(map(repr, bad))} cannot name a gate. "
            f"Use letters, digits and underscores, and none of {', '.join(RESERVED)}."
        )
    return gates


def gate_names(requirements: Requirements) -> list[str]:
    """The names of all gates, without any data."""
    return [gate.name for gate in gates_of(requirements)]


def apply_gates(evaluation: Evaluation, requirements: Requirements) -> list[GateResult]:
    """One result per gate the requirements ask for.

    A measurement that is missing refuses its gate; one that nobody asked for, or an evaluation made for other
    requirements, refuses all of them.
    """
    whole = _whole_problem(evaluation, requirements)
    facts = evaluation.facts
    counts = {
        "training_rows": facts.training_rows,
        "training_positives": facts.training_positives,
        UNDECIDED: facts.undecided_share,
    }
    results = []
    for gate in gates_of(requirements):
        if gate.name in counts:
            results.append(judge(gate, value=counts[gate.name], bound=None, problem=whole))
            continue
        found = evaluation.measurements.get(gate.name)
        problem = whole or _measurement_problem(gate, found, requirements)
        value, bound, note = (found.value, found.bound, found.note) if found else (None, None, None)
        results.append(judge(gate, value=value, bound=bound, problem=problem, note=note))
    return results


def judge(
    gate: Gate, *, value: float | None, bound: float | None, problem: str | None, note: str | None = None
) -> GateResult:
    """The verdict on one gate; without a finite number to compare it is refused."""
    value, bound = _finite(value), _finite(bound)
    compared = bound if gate.compares == "lower" else value
    reason, passed = _compare(gate, value, compared)
    if problem:
        reason, passed = f"{gate.meaning}: refused, because {problem}. Asked for {_asked(gate)}.", False
    reason = f"{reason} {note}" if note else reason
    return GateResult(
        name=gate.name,
        metric=gate.metric,
        value=value,
        bound=bound,
        threshold=gate.threshold,
        comparison=gate.comparison,
        passed=passed,
        reason=reason[0].upper() + reason[1:],
        owner=gate.owner,
    )


def _compare(gate: Gate, value: float | None, compared: float | None) -> tuple[str, bool]:
    if value is None or compared is None:
        lacking = "value" if value is None else "confidence bound"
        return f"{gate.meaning}: refused, because there is no {lacking}. Asked for {_asked(gate)}.", False
    miss = gate.threshold - compared if gate.comparison == ">=" else compared - gate.threshold
    measured = f"{plain_number(value)} measured"
    if gate.compares == "lower":
        measured += f", {plain_number(compared)} at the lower confidence bound"
    verdict = f"misses by {plain_number(miss, digits=2)}" if miss > 0 else "reached"
    return f"{gate.meaning}: {measured}; asked for {_asked(gate)}: {verdict}.", miss <= 0


def _whole_problem(evaluation: Evaluation, requirements: Requirements) -> str | None:
    unasked = sorted(set(evaluation.measurements) - set(requirements.acceptance))
    if unasked:
        return f"the evaluation measured what nobody asked for ({', '.join(unasked)}); evaluate again"
    if evaluation.measured_as != measured_as(requirements):
        return "the evaluation was made for other requirements; evaluate again"
    return None


def _measurement_problem(gate: Gate, found: Measurement | None, requirements: Requirements) -> str | None:
    if found is None:
        return "the evaluation did not measure it"
    if found.metric != gate.metric:
        return f"the evaluation measured {found.metric} under this name"
    return found.problem or "; ".join(support_problems(found.rows, found.positives, requirements.holdout)) or None


def _gate(name: str, threshold: Threshold) -> Gate:
    """A threshold as a gate; the match is complete, so a new metric needs its line here."""
    match threshold:
        case PrecisionAtRecall():
            meaning = f"precision at the cut-off that finds {100 * threshold.recall:.4g} % of all positives"
        case PrecisionAtTop():
            meaning = f"precision among the highest-scored {100 * threshold.share:.4g} % of each week"
        case RecallAtPrecision():
            meaning = f"largest recall of a cut-off with a precision of at least {100 * threshold.precision:.4g} %"
        case RecallAtTop():
            meaning = f"recall of the highest-scored {100 * threshold.share:.4g} % of each week"
        case AveragePrecisionGain(over="prior"):
            meaning = "average precision above the share of positives, which is that of the prior"
        case AveragePrecisionGain():
            meaning = "average precision above that of the baseline rule"
        case ExpectedCalibrationError():
            meaning = f"mean distance of score and outcome over {threshold.bins} bins"
        case FalsePositiveRateDifference():
            meaning = f"largest difference of the false positive rate {_between_groups(threshold)}"
        case DemographicParityDifference():
            meaning = f"largest difference of the share selected {_between_groups(threshold)}"
        case EqualizedOddsDifference():
            meaning = f"largest difference of the false or the true positive rate {_between_groups(threshold)}"
        case CalibrationDifference():
            meaning = (
                f"largest difference of mean score minus share of positives between groups of {threshold.attribute}"
            )
        case _:
            assert_never(threshold)
    limit: float
    comparison: Comparison
    if isinstance(threshold, ExpectedCalibrationError | GroupDifference):
        limit, comparison = threshold.maximum, "<="
    else:
        limit, comparison = threshold.minimum, ">="
    return Gate(
        name=name,
        metric=threshold.metric,
        meaning=meaning,
        threshold=limit,
        comparison=comparison,
        compares=threshold.bound,
        owner=threshold.owner,
    )


def _between_groups(threshold: GroupDifference) -> str:
    return f"between groups of {threshold.attribute}, at the highest-scored {100 * threshold.share:.4g} % of each week"


def _finite(number: float | None) -> float | None:
    return float(number) if number is not None and math.isfinite(number) else None


def _asked(gate: Gate) -> str:
    return f"{'at least' if gate.comparison == '>=' else 'at most'} {plain_number(gate.threshold)}"


def plain_number(value: float, *, digits: int = 4) -> str:
    """A count as a count, anything else with a few digits."""
    return f"{value:,.0f}" if value == int(value) and abs(value) >= 1 else f"{value:.{digits}g}"
