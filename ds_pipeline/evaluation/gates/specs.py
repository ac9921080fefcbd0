"""The gates that the requirements ask for, before any data: one per threshold and limit, each with its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Literal, assert_never

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.use_case.requirements import (
    FIXED_GATES,
    AveragePrecisionGain,
    CalibrationDifference,
    CostSaving,
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


class Gate(Record):
    """What the requirements ask, before any data.

    Attributes:
        compares: lower: the lower confidence bound; point: the value itself.
        is_of_holdout: measured on the holdout rows, which must then be enough to assess.
        may_not_apply: passes where there is nothing to compare with: a first model has no champion.
    """

    name: str
    metric: str
    meaning: str
    threshold: float
    comparison: Comparison
    compares: Literal["lower", "point"]
    owner: str
    is_of_holdout: bool = False
    may_not_apply: bool = False


def gates_of(requirements: Requirements) -> list[Gate]:
    """Every gate the requirements ask for: the thresholds in their order, then those of each other part of the file.

    Raises:
        EvaluationError: a name is taken or cannot be the name of a check.
    """
    bad = sorted(
        name for name in requirements.acceptance if name in FIXED_GATES or not re.fullmatch(r"[A-Za-z0-9_]+", name)
    )
    if bad:
        raise EvaluationError(
            f"requirements.yaml: acceptance: {', '.join(map(repr, bad))} cannot name a gate. "
            f"Use letters, digits and underscores, and none of {', '.join(FIXED_GATES)}."
        )
    thresholds = [_gate(name, threshold) for name, threshold in requirements.acceptance.items()]
    return [*thresholds, *_fixed_gates(requirements)]


def gate_names(requirements: Requirements) -> list[str]:
    """The names of all gates, without any data."""
    return [gate.name for gate in gates_of(requirements)]


def _fixed_gates(requirements: Requirements) -> Iterator[Gate]:
    """The gates of the other parts of the file; what is not declared has none."""
    minimums = requirements.data_minimums
    yield _at_least("training_rows", minimums.training_rows, "rows to train on", minimums.owner)
    yield _at_least("training_positives", minimums.training_positives, "positives to train on", minimums.owner)
    if requirements.holdout.max_configurations is not None:
        yield _at_most(
            "holdout_configurations", requirements.holdout.max_configurations,
            "configurations that were ever judged on one of the holdout weeks", minimums.owner,
        )  # fmt: skip
    yield from _gates_of_leakage(requirements)
    yield from _gates_of_labels(requirements)
    yield from _gates_of_stability(requirements)
    yield from _gates_of_operations(requirements)


def _gates_of_leakage(requirements: Requirements) -> Iterator[Gate]:
    asked = requirements.leakage
    if asked is None:
        return
    yield _at_most(
        "single_feature_auc", asked.max_single_feature_auc, "AUC of the strongest single input on the training weeks",
        asked.owner,
    )  # fmt: skip
    if asked.shuffled_labels is not None:
        yield _at_most(
            "shuffled_labels", asked.shuffled_labels.max_deviations,
            "permutation standard deviations between fits on shuffled labels and chance, on the validation weeks",
            asked.owner,
        )  # fmt: skip


def _gates_of_labels(requirements: Requirements) -> Iterator[Gate]:
    asked = requirements.label_quality
    if asked is None:
        return
    limits = {
        "undecided_labels": (asked.max_undecided_share, "share of holdout rows whose label is undecided"),
        "label_rate_shift": (
            asked.max_rate_shift, "largest shift of the share of positives of a holdout week or segment"
        ),
        "conflicting_duplicates": (
            asked.max_conflicting_duplicates, "share of training rows nearly the same as one with the opposite label"
        ),
        "rare_value_share": (
            asked.max_rare_value_share, "largest share of a label's training rows that hang on one rare value"
        ),
        "estimated_label_errors": (
            asked.max_estimated_errors, "share of training rows whose label out-of-fold scores contradict"
        ),
    }  # fmt: skip
    for name, (limit, meaning) in limits.items():
        if limit is not None:
            yield _at_most(name, limit, meaning, asked.owner)


def _gates_of_stability(requirements: Requirements) -> Iterator[Gate]:
    asked = requirements.stability
    if asked is None:
        return
    yield _at_most("distinct_refits", 1, "different models from the same fit in fresh processes", asked.owner)
    yield _at_most("reload_difference", 0, "largest change of a score by saving and loading the model", asked.owner)
    yield _at_most(
        "seed_deviation", asked.max_standard_deviation,
        f"standard deviation of the average precision over {asked.seeds} seeds", asked.owner,
    )  # fmt: skip
    yield _at_most(
        "score_change", asked.max_score_change,
        f"change of the score when an input moves by {asked.perturbation:g} standard deviations", asked.owner,
    )  # fmt: skip


def _gates_of_operations(requirements: Requirements) -> Iterator[Gate]:
    asked = requirements.operations
    if asked is None:
        return
    yield _at_least("rows_per_second", asked.min_rows_per_second, "rows scored per second", asked.owner)
    yield _at_most("memory_mb", asked.max_memory_mb, "MB at the peak of loading the model and scoring", asked.owner)
    yield _at_most("bundle_mb", asked.max_bundle_mb, "MB of the files of the candidate", asked.owner)
    yield _at_most("load_seconds", asked.max_load_seconds, "seconds to verify and load the model", asked.owner)
    yield _at_most(
        "contract_differences", 0, "columns of the scores that differ from what contract.yaml promises", asked.owner
    )


def _fixed(comparison: Comparison, name: str, limit: float, meaning: str, owner: str) -> Gate:
    return Gate(
        name=name, metric=name, meaning=meaning, threshold=limit, comparison=comparison, compares="point", owner=owner
    )


_at_least, _at_most = partial(_fixed, ">="), partial(_fixed, "<=")


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
        case AveragePrecisionGain(over="champion"):
            meaning = "average precision above that of the champion in force"
        case AveragePrecisionGain(over="logistic_regression"):
            meaning = "average precision above that of a logistic regression on the same inputs"
        case AveragePrecisionGain():
            meaning = "average precision above that of the baseline rule"
        case CostSaving():
            meaning = "saved per 1,000 rows against the better of acting on all and on nobody"
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
        is_of_holdout=True,
        may_not_apply=isinstance(threshold, AveragePrecisionGain) and threshold.over == "champion",
    )


def _between_groups(threshold: GroupDifference) -> str:
    return f"between groups of {threshold.attribute}, at the highest-scored {100 * threshold.share:.4g} % of each week"
