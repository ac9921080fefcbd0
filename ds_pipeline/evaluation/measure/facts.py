"""What was evaluated, in totals."""

from __future__ import annotations

from datetime import date

from ds_pipeline.evaluation.measure.record import Record


class Facts(Record):
    """What was evaluated, in totals; undecided_rows had no label, and are not among the rows.

    Attributes:
        looks: how often the weeks of the holdout were looked at, this time included; see intervals.confidence_at.
        champion: digest of the candidate that was in force for the date; None where none was.
    """

    rows: int
    undecided_rows: int = 0
    positives: int
    entities: int
    base_rate: float | None
    weeks: list[date]
    training_rows: int
    training_positives: int
    looks: int = 1  # evaluations that do not say it were made before it was asked
    champion: str | None = None

    @property
    def undecided_share(self) -> float | None:
        """Of all rows of the holdout (0..1); None where there is none."""
        total = self.rows + self.undecided_rows
        return self.undecided_rows / total if total else None
