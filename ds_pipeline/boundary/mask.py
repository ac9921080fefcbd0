"""The step of a masked table: its source across the boundary, judged, counted, and stored with its quarantine."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from ds_pipeline.boundary.anonymity import check_anonymity
from ds_pipeline.boundary.cross import SHAPE, MaskedWeek, masked_weeks, say_cells
from ds_pipeline.boundary.nobody import undeclared_nobody
from ds_pipeline.ingestion.possible import NO_LIMIT, count_impossible, total_of_weeks
from ds_pipeline.masking.columns.k_anonymity import Anonymity
from ds_pipeline.store.datasets import KEY
from ds_pipeline.store.snapshots import Snapshot
from ds_pipeline.workbench import Workbench


@dataclass(frozen=True)
class MaskedSource:
    """What the step did, oldest week first.

    Attributes:
        weeks: as they were stored, rows included.
        anonymity: of the newest week; None where no limit is declared.
        impossible: for each week the rows that break a limit, by its name; under NO_LIMIT those of which nothing can
            be said yet.
        digests: of the masked rows of each week.
        changes: rows more or fewer, of each week that differs from what was stored before.
        undeclared: where a word for nobody is taken for a person, a line each.
    """

    weeks: list[MaskedWeek]
    anonymity: Anonymity | None
    impossible: dict[date, dict[str, int]]
    digests: dict[date, str]
    changes: list[int]
    undeclared: list[str] = field(default_factory=list)

    @property
    def read(self) -> int:
        return sum(week.read for week in self.weeks)

    @property
    def kept(self) -> int:
        return sum(week.kept.num_rows for week in self.weeks)

    @property
    def quarantined(self) -> int:
        return sum(week.quarantined.num_rows for week in self.weeks)

    @property
    def suppressed(self) -> int:
        return sum(week.suppressed for week in self.weeks)

    @property
    def drift(self) -> tuple[str, ...]:
        """What changed in the shape of the source since it was ingested before."""
        return next((week.drift for week in self.weeks), ())

    def in_words(self) -> Iterator[str]:
        """What a person should know of it, a line each."""
        left_out = f", {self.suppressed:,} left out of people who were erased" if self.suppressed else ""
        yield (
            f"{self.read:,} rows read, {self.kept:,} kept and masked, {self.quarantined:,} quarantined{left_out}; "
            f"{len(self.weeks)} weeks"
        )
        yield from say_cells(self.weeks)
        yield from (f"WARNING: {line}" for line in self.undeclared)
        if withheld := sum(week.withheld for week in self.weeks):
            yield f"{withheld:,} texts withheld whole: the scan still found an identifier in them after the masking"
        if later := sum(week.later for week in self.weeks):
            yield f"WARNING: {later:,} of them for what became known only after their week, which no replay sees"
        if self.drift:
            yield f"WARNING: the shape of the source has changed; {'; '.join(self.drift)}"
        broken = total_of_weeks(self.impossible.values())
        if unknown := broken.pop(NO_LIMIT, 0):
            yield f"{unknown:,} rows of people of whom no limit was known by the end of their week"
        if any(broken.values()):
            counts = ", ".join(f"{kind}: {rows:,}" for kind, rows in broken.items())
            yield f"WARNING: events that cannot have been, by the limit they break; {counts}. They stay"
        if self.changes:
            yield (
                f"WARNING: {len(self.changes)} weeks differ from what was stored before ({sum(self.changes):+,} rows): "
                "the source has rewritten its past. Scores that are recorded stay"
            )


def mask_source(bench: Workbench, name: str, days: list[date], *, accepts_new_key: bool = False) -> MaskedSource:
    """Store the asked weeks of a source, masked, and what was set aside of them.

    Args:
        accepts_new_key: tables that are stored under another pseudonym key do not stop it.

    Raises:
        KeyChangedError: a table is stored under another pseudonym key.
        SourceError, LeakError: see `masked_weeks`.
        AnonymityError: a group is too small; nothing was written.
    """
    if not accepts_new_key:
        bench.datasets.require_key()
    weeks = masked_weeks(bench, name, days)
    anonymity = check_anonymity(bench, name, weeks)
    until = {week.day: bench.use_case.clock.dates_until(week.day) for week in weeks}
    rows = {week.day: week.kept for week in weeks}
    impossible = count_impossible(
        name,
        bench.use_case.sources,
        rows,
        read_week=bench.datasets.read_week,
        until=until,
        begins=bench.use_case.clock.instant,
    )
    masked = bench.datasets.masked(name)
    earlier = {week.day: bench.datasets.store.find(masked, str(week.day)) for week in weeks}
    stored = _store(bench, name, weeks, impossible)
    changes = [
        now.rows - before.rows
        for day, now in stored.items()
        if (before := earlier[day]) is not None and before.digest != now.digest
    ]
    digests = {day: now.digest for day, now in stored.items()}
    undeclared = undeclared_nobody(bench, name, rows.values())
    return MaskedSource(weeks, anonymity, impossible, digests, changes, undeclared)


def _store(
    bench: Workbench, name: str, weeks: Sequence[MaskedWeek], impossible: Mapping[date, dict[str, int]]
) -> dict[date, Snapshot]:
    """The masked rows as they are stored now; what was set aside is stored before them."""
    datasets = bench.datasets
    info = {
        week.day: {
            "source": week.source,
            "source_rows": week.source_rows,
            "read": week.read,
            "quarantined": week.by_reason,
            "suppressed": week.suppressed,
            SHAPE: week.shape,
            "impossible": impossible[week.day],
            KEY: datasets.key_fingerprint,
        }
        for week in weeks
    }
    aside = {str(week.day): (week.quarantined, info[week.day]) for week in weeks}
    datasets.store.put_all(aside, dataset=datasets.quarantine(name))
    return datasets.put_masked(name, {week.day: (week.kept, info[week.day]) for week in weeks})
