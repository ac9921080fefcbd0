"""What it costs to look: how many configurations the weeks of a holdout have been judged by, against the budget.

Each configuration that is tried on the same weeks is one more chance to pass by luck; a routine retraining is none.
The counting is the ledger's.
"""

from __future__ import annotations

from datetime import date

from pydantic import AwareDatetime, Field

from ds_pipeline.evaluation.measure.measurement import Measurement, gauge
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.use_case.requirements import Holdout

GATE = "holdout_configurations"


class Override(Record):
    """A person let more configurations be judged on these weeks; kept and shown for good."""

    number: int
    at: AwareDatetime
    actor: str
    reason: str
    more: int
    weeks: list[date]


class Approval(Record):
    """The owners of thresholds agreed that less is asked, or that what was refused may be judged again; kept for good.

    Attributes:
        changes: in words; none where only a candidate that was refused is meant.
        candidates: those that were refused until then.
    """

    number: int
    at: AwareDatetime
    actor: str
    reason: str
    owners: list[str]
    changes: list[str]
    candidates: list[str]

    @property
    def words(self) -> str:
        """What was agreed to."""
        return "; ".join(self.changes) or "a candidate that was refused may be judged again"


class WeekLooks(Record):
    """A holdout week: how often it was looked at, this look included, and the looks allowed on top.

    Attributes:
        configurations: those that ever saw it, in an evaluation or a backtest; one counts again on other rows.
    """

    week: date
    configurations: int
    allowed: int

    @property
    def charged(self) -> int:
        """What counts against the budget: without those that were allowed, and never less than one."""
        return max(1, self.configurations - self.allowed)


class LedgerRecord(Record):
    """The look with which an evaluation began, and what the ledger said of its weeks then.

    Attributes:
        entry, entry_digest: of the ledger; it was written before any number was seen.
        configuration: digest of features, labels, training.yaml and requirements.yaml.
        weeks: of the holdout, oldest first.
        overrides: for any of these weeks, oldest first.
        approvals: all that were ever recorded for the use case, oldest first.
    """

    entry: int
    entry_digest: str
    configuration: str
    weeks: list[WeekLooks]
    overrides: list[Override]
    approvals: list[Approval] = Field(default_factory=list)

    @property
    def looks(self) -> int:
        """How often the week that was looked at most often was; what people have allowed was a look all the same."""
        return max((one.configurations for one in self.weeks), default=1)


def measure_ledger(record: LedgerRecord, holdout: Holdout) -> dict[str, Measurement]:
    """The gate `holdout_configurations`, if the requirements ask for it: the largest charge over the weeks."""
    if holdout.max_configurations is None:
        return {}
    if [len(record.weeks), len({one.week for one in record.weeks})] != [holdout.weeks] * 2:
        problem = f"the ledger counted {len(record.weeks)} weeks; the requirements ask for {holdout.weeks}"
        return gauge(GATE, problem=problem)
    if any(one.configurations == 0 for one in record.weeks):
        return gauge(GATE, problem="the ledger does not hold this look")
    most = max(record.weeks, key=lambda one: one.charged)
    return gauge(GATE, value=most.charged, note=_note(record, most, holdout.max_configurations))


def _note(record: LedgerRecord, most: WeekLooks, limit: int) -> str | None:
    said = []
    if record.overrides:
        count = "1 override" if len(record.overrides) == 1 else f"{len(record.overrides)} overrides"
        listed = "; ".join(
            f"{one.at:%Y-%m-%d}, {one.more} more, by {one.actor}: {one.reason}" for one in record.overrides
        )
        total = max(one.configurations for one in record.weeks)
        said.append(f"{total:,} were judged in all; {count} ({listed}).")
    if most.charged > limit:
        said.append(
            f"The week of {most.week} has been judged most often. Wait until newer weeks mature, or record why one "
            "more may be judged: ds-pipeline allow-holdout."
        )
    return " ".join(said) or None
