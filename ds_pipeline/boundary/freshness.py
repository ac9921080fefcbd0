"""Which stored weeks are stale: missing, or made from sources or by code that have changed since."""

from datetime import date

from ds_pipeline.clock import WEEK
from ds_pipeline.digests import digest_json
from ds_pipeline.ingestion import read
from ds_pipeline.lineage import history_digest
from ds_pipeline.workbench import Workbench


def missing_history(bench: Workbench, until: date) -> list[date]:
    """The scoring dates up to D that are not built, or were built from sources that have changed since.

    Raises:
        KeyChangedError: the tables are stored under another pseudonym key.
    """
    bench.datasets.require_key()
    tables, clock = bench.use_case.sources.tables, bench.use_case.clock
    days = clock.dates_until(until)
    live = [name for name in tables if _differs_by_week(bench, name)]
    stale = min((day for name in live for day in _stale_weeks(bench, name, days)), default=None)
    built = until if stale is None else stale - WEEK
    if built < clock.first:
        return days
    sources = {name: source_digest(bench, name) for name in tables if name not in live}
    later = [day for day in days if day > built]  # everything after a stale week is made from it too
    return bench.datasets.missing_history(built, sources) + later


def source_states(bench: Workbench, table: str, days: list[date]) -> tuple[dict[date, str], int | None]:
    """For each week one digest over what its rows are made from, and how many rows the source has in all.

    Of files it is the same for every week. Of a database it is that of the week, so that new rows make no earlier
    week stale; identifiers of owners count from the week on in which they became known. What it cannot see is said
    in `ingestion.database.read_state`. The number of rows is None where counting means reading.
    """
    if not _differs_by_week(bench, table):
        return dict.fromkeys(days, source_digest(bench, table)), None
    sources, clock = bench.use_case.sources.tables, bench.use_case.clock
    own, *owners = names = _made_from(bench, table)
    known = clock.dates_until(days[-1])
    starts = [clock.instant(day) for day in known]
    states = {
        name: read.source_state(sources[name], name=name, project=bench.project.root, starts=starts) for name in names
    }
    held = [sources[name].held for name in owners]
    digests, chain = {}, ""
    for number, day in enumerate(known):
        chain = digest_json([chain, [states[name].weeks[number] for name in owners]])
        digests[day] = digest_json([states[own].weeks[number], chain, held, history_digest()])
    return {day: digests[day] for day in days}, states[own].rows


def source_digest(bench: Workbench, table: str) -> str:
    """One digest over a source as it is now and the code that turns it into tables and features.

    Of files, every byte. Of a database, what `ingestion.database.read_state` sees of all its rows.
    """
    sources, names = bench.use_case.sources.tables, _made_from(bench, table)
    states = [read.source_digest(sources[name], name=name, project=bench.project.root) for name in names]
    return digest_json([states, [sources[name].held for name in names[1:]], history_digest()])


def _stale_weeks(bench: Workbench, table: str, days: list[date]) -> list[date]:
    """The weeks of a table from a database that are missing, or whose rows there have changed."""
    digests, _ = source_states(bench, table, days)
    stored = {day: bench.datasets.store.find(bench.datasets.masked(table), str(day)) for day in days}
    return [day for day, week in stored.items() if week is None or week.info.get("source") != digests[day]]


def _differs_by_week(bench: Workbench, table: str) -> bool:
    """Whether a table, or one whose people its texts are about, comes from a database."""
    return any(bench.use_case.sources.tables[name].format == "query" for name in _made_from(bench, table))


def _made_from(bench: Workbench, table: str) -> list[str]:
    """The table, then those whose people are masked in its texts."""
    return [table, *bench.use_case.sources.owner_tables(table, entity=bench.use_case.problem.entity)]
