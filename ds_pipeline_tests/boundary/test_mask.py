"""The step of a masked table, called as from a REPL: what it stores, what it reports, and what it says of it."""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest

from ds_pipeline.boundary import cross, owners
from ds_pipeline.boundary.cross import MaskedWeek
from ds_pipeline.boundary.mask import MaskedSource, mask_source
from ds_pipeline.boundary.withhold import WITHHELD
from ds_pipeline.errors import AnonymityError
from ds_pipeline.ingestion.ingest import REASON
from ds_pipeline.ingestion.read import read_source
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import CUSTOMERS, Declare, write_sources

DAYS = [date(2011, 3, 7), date(2011, 3, 14)]


def test_each_week_is_stored_with_its_quarantine_and_the_state_of_its_source(bench: Workbench) -> None:
    done = mask_source(bench, "plans", DAYS)

    assert (done.read, done.kept, done.quarantined, done.suppressed) == (5, 5, 0, 0)
    assert [(week.day, week.kept.num_rows) for week in done.weeks] == [(DAYS[0], 5), (DAYS[1], 0)]
    assert done.changes == []
    assert list(done.in_words()) == ["5 rows read, 5 kept and masked, 0 quarantined; 2 weeks"]
    store, datasets = bench.datasets.store, bench.datasets
    for week in done.weeks:
        masked = store.get(datasets.masked("plans"), str(week.day))
        assert (masked.digest, masked.info["read"]) == (done.digests[week.day], week.read)
        assert store.get(datasets.quarantine("plans"), str(week.day)).info == masked.info


def test_a_source_that_rewrote_its_past_is_told(bench: Workbench) -> None:
    mask_source(bench, "plans", DAYS)
    write_sources(bench.project.root, customers=CUSTOMERS[:3])

    done = mask_source(bench, "plans", DAYS)

    assert done.changes == [-2]
    assert list(done.in_words())[1] == (
        "WARNING: 1 weeks differ from what was stored before (-2 rows): the source has rewritten its past. Scores that "
        "are recorded stay"
    )
    assert len(list(mask_source(bench, "plans", DAYS).in_words())) == 1


def test_everything_a_person_should_know_has_a_line() -> None:
    kept, aside = pa.table({"a": ["x", WITHHELD]}), pa.table({"a": pa.nulls(1, pa.string()), REASON: ["missing:a"]})
    drift = ("gone: phone (string)", "added: a (int64)")
    weeks = [MaskedWeek(day, "digest", 3, 3, kept, aside, suppressed=1, drift=drift, later=1) for day in DAYS]
    impossible = {
        DAYS[0]: {"no_limit_known": 4, "not_before": 2, "not_after": 0},
        DAYS[1]: {"no_limit_known": 0, "not_before": 1, "not_after": 5},
    }

    assert list(MaskedSource(weeks, None, impossible, {}, [0]).in_words()) == [
        "6 rows read, 4 kept and masked, 2 quarantined, 2 left out of people who were erased; 2 weeks",
        "2 texts withheld whole: the scan still found an identifier in them after the masking",
        "WARNING: 2 of them for what became known only after their week, which no replay sees",
        "WARNING: the shape of the source has changed; gone: phone (string); added: a (int64)",
        "4 rows of people of whom no limit was known by the end of their week",
        "WARNING: events that cannot have been, by the limit they break; not_before: 3, not_after: 5. They stay",
        "WARNING: 1 weeks differ from what was stored before (+0 rows): the source has rewritten its past. Scores that "
        "are recorded stay",
    ]


def test_a_breach_of_k_anonymity_writes_nothing_and_carries_its_figures(declare: Declare) -> None:
    bench = declare(plans={"k_anonymity": {"k": 6, "from_entities": 0}}, plan={"identifies": "quasi"})

    with pytest.raises(AnonymityError) as breach:
        mask_source(bench, "plans", DAYS)

    assert breach.value.figures == {
        "columns": "plan", "people": 5, "smallest_group": 5, "people_in_groups_below_k": 5, "k": 6, "is_judged": True,
    }  # fmt: skip
    assert not list(bench.datasets.store.files())


def test_the_people_of_texts_are_read_once_and_the_table_itself_not_again(
    declare: Declare, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = declare(plan={"identifies": "direct", "treatment": "redact", "nullable": True})
    read: list[str] = []

    def count(table, *, name, **options):
        read.append(name)
        return read_source(table, name=name, **options)

    for module in (cross, owners):
        monkeypatch.setattr(module, "read_source", count)
    mask_source(bench, "plans", DAYS)

    assert sorted(read) == ["plans", "visits"]
