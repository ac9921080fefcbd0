"""The gates that the requirements ask for, before any data: one per limit that they declare, each with its name."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from pydantic import BaseModel

from ds_pipeline.errors import EvaluationError
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.use_case.readers import Comparison, Limit, in_words, reads
from ds_pipeline.use_case.requirements import FIXED_GATES, Requirements


class Gate(Record):
    """What the requirements ask, before any data.

    Attributes:
        compares: lower: the lower confidence bound; point: the value itself.
        is_of_holdout: measured on the holdout rows, which must then be enough to assess.
        may_not_apply: passes where there is nothing to compare with: a first model has no champion.
        fact: the name of what is counted, where nothing is measured.
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
    fact: str = ""


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
    return list(_gates_below(requirements, owner=requirements.data_minimums.owner))


def _gates_below(part: BaseModel, *, owner: str, threshold: str = "") -> Iterator[Gate]:
    """The gates of a part of the file and of what lies below it, in their order; what is not declared has none.

    Args:
        owner: where the part names none.
        threshold: the name that the use case gives the part.
    """
    owner = getattr(part, "owner", owner)
    for key, declared in reads(type(part)):
        value = getattr(part, key)
        for name, below in value.items() if isinstance(value, dict) else [("", value)]:
            if isinstance(below, BaseModel):
                yield from _gates_below(below, owner=owner, threshold=name)
        for limit in declared:
            if isinstance(limit, Limit) and value is not None:
                yield _gate(part, limit, value if limit.limit is None else limit.limit, owner, threshold)


def _gate(part: BaseModel, limit: Limit, value: float, owner: str, threshold: str) -> Gate:
    return Gate(
        name=limit.name or threshold,
        metric=getattr(part, "metric", limit.name),
        meaning=in_words(limit.meaning, part),
        threshold=value,
        comparison=limit.comparison,
        compares=getattr(part, "bound", "point"),
        owner=owner,
        is_of_holdout=bool(threshold),
        may_not_apply=getattr(part, "over", None) == "champion",
        fact=limit.fact,
    )
