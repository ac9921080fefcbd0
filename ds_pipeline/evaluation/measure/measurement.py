"""What a gate is judged on: a value, why there is none, or why the question does not arise."""

from __future__ import annotations

from typing import Self

from pydantic import model_validator

from ds_pipeline.evaluation.measure.record import Record


class Measurement(Record):
    """One figure for one gate; exactly one of value, problem and not_applicable.

    Attributes:
        bound: the one-sided lower confidence bound; None where the requirements compare the point value.
        chance: what chance alone gives, at most, at the confidence of the bounds; of differences between groups.
        rows, positives: of the holdout, where the figure is of it; None where it is of something else.
        not_applicable: why there is nothing to compare with; only the gates that name it accept it.
        note: what the value alone does not say.
    """

    metric: str
    value: float | None = None
    bound: float | None = None
    chance: float | None = None
    rows: int | None = None
    positives: int | None = None
    problem: str | None = None
    not_applicable: str | None = None
    note: str | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        said = [one for one in (self.value, self.problem, self.not_applicable) if one is not None]
        if len(said) != 1 or (self.value is None and self.bound is not None):
            raise ValueError("a measurement has either a value, or a problem, or a reason why it does not apply")
        return self


def gauge(
    *gates: str, value: float | None = None, problem: str | None = None, note: str | None = None
) -> dict[str, Measurement]:
    """The same figure, or the same problem, for each of some gates, by their names."""
    return {gate: Measurement(metric=gate, value=value, problem=problem, note=note) for gate in gates}
