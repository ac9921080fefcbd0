"""The ledger counts configurations per week, and a removed, edited or foreign entry is found."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import RegistryError
from ds_pipeline.registry.ledger import (
    Allowed,
    Backtested,
    Configuration,
    Declared,
    Entry,
    Ledger,
    Looked,
    WeekCount,
    count_weeks,
    overrides,
)
from ds_pipeline.registry.signing import SigningKeys
from ds_pipeline_tests.registry.test_interruptions import killed_at

AT = datetime(2011, 12, 5, 9, 0, tzinfo=UTC)
DAY = date(2011, 12, 5)
W1, W2, W3 = (date(2011, 10, 17) + timedelta(weeks=week) for week in range(3))
FORK = get_context("fork")


@pytest.fixture
def ledger(tmp_path: Path, keys: SigningKeys) -> Ledger:
    return Ledger(tmp_path / "ledger", keys, use_case="mini")


def digest(name: str) -> str:
    return digest_bytes(name.encode())


def looked(configuration: str, *weeks: date, labels: str | None = None) -> Looked:
    """A look; at these labels, if they were noted."""
    return Looked(
        declared=1,
        configuration=digest(configuration),
        candidate=digest("any"),
        weeks=list(weeks),
        seen=rows(weeks, labels) if labels else None,
    )


def rows(weeks: Iterable[date], labels: str) -> dict[date, dict[str, str]]:
    return {week: {f"labels/x/{week}": digest(labels), f"features/x/{week}": digest("features")} for week in weeks}


def add(
    ledger: Ledger, says: Looked | Backtested | Allowed | Declared, *, reason: str = "an evaluation begins"
) -> list[Entry]:
    return ledger.add(says, as_of=DAY, actor="ann", reason=reason, at=AT, known={})


def three_looks(ledger: Ledger) -> list[Entry]:
    add(ledger, looked("a", W1, W2))
    add(ledger, looked("b", W1, W2))
    return add(ledger, looked("c", W1, W2))


def test_a_ledger_that_was_never_written_is_empty(ledger: Ledger) -> None:
    assert ledger.entries(known={}) == []
    assert not ledger.folder.exists()


def test_each_week_counts_its_distinct_configurations(ledger: Ledger) -> None:
    add(ledger, looked("a", W1, W2))
    add(ledger, looked("b", W1, W2))
    entries = add(ledger, looked("a", W2, W3))
    assert count_weeks(entries, [W1, W2, W3]) == [WeekCount(W1, 2, 0), WeekCount(W2, 2, 0), WeekCount(W3, 1, 0)]


def test_the_same_configuration_costs_nothing_however_often_it_is_judged(ledger: Ledger) -> None:
    for _ in range(4):
        entries = add(ledger, looked("a", W1))
    assert count_weeks(entries, [W1]) == [WeekCount(W1, 1, 0)]


def test_the_same_configuration_on_other_rows_of_a_week_is_another_look(ledger: Ledger) -> None:
    """188 flipped labels turned a refused candidate into a version, and no look was counted."""
    for labels in ("as they were", "flipped", "as they were"):
        entries = add(ledger, looked("a", W1, labels=labels))
    entries = add(ledger, looked("a", W2, labels="as they were"))
    assert count_weeks(entries, [W1, W2]) == [WeekCount(W1, 2, 0), WeekCount(W2, 1, 0)]


def test_rows_out_of_which_people_were_erased_are_no_other_rows(ledger: Ledger) -> None:
    for labels in ("whole", "without one", "without two"):
        entries = add(ledger, looked("a", W1, labels=labels))
    erased = {digest("without one"): digest("whole"), digest("without two"): digest("without one")}
    assert count_weeks(entries, [W1]) == [WeekCount(W1, 3, 0)]
    assert count_weeks(entries, [W1], erased=erased) == [WeekCount(W1, 1, 0)]


def test_erasures_that_lead_back_to_where_they_began_end(ledger: Ledger) -> None:
    entries = add(ledger, looked("a", W1, labels="one"))
    circle = {digest("one"): digest("other"), digest("other"): digest("one")}
    assert count_weeks(entries, [W1], erased=circle) == [WeekCount(W1, 1, 0)]


def test_a_look_from_before_rows_were_noted_is_one_with_the_next_of_its_configuration(ledger: Ledger) -> None:
    add(ledger, looked("a", W1))
    entries = add(ledger, looked("a", W1, labels="as they are"))
    assert b"seen" not in (ledger.folder / "000001.json").read_bytes()
    assert count_weeks(entries, [W1]) == [WeekCount(W1, 1, 0)]


def test_a_backtest_is_a_look_and_a_verdict_on_the_same_rows_is_no_second_one(ledger: Ledger) -> None:
    shown = Backtested(configuration=digest("a"), weeks=[W1, W2], seen=rows([W1, W2], "labels"))
    add(ledger, shown, reason="a backtest begins")
    add(ledger, looked("b", W2, labels="labels"))
    entries = add(ledger, looked("a", W2, labels="labels"))
    assert count_weeks(entries, [W1, W2]) == [WeekCount(W1, 1, 0), WeekCount(W2, 2, 0)]


def test_a_declaration_without_a_look_costs_nothing(ledger: Ledger) -> None:
    chosen = Configuration(
        features=digest("f"), labels=digest("l"), sources=digest("s"), training=digest("t"), requirements=digest("r")
    )
    declared = Declared(
        configuration=chosen,
        requirements=digest("r"),
        use_case=digest("u"),
        files={"training.yaml": digest("t")},
        inputs=["x"],
    )
    assert count_weeks(add(ledger, declared), [W1]) == [WeekCount(W1, 0, 0)]


def test_another_of_the_digests_is_another_configuration() -> None:
    one = Configuration(
        features=digest("f"), labels=digest("l"), sources=digest("s"), training=digest("t"), requirements=digest("r")
    )
    others = [one.model_copy(update={name: digest("other")}) for name in Configuration.model_fields]
    assert len({other.digest for other in [one, *others]}) == 6


def test_overrides_add_up_for_their_weeks_alone_and_stay(ledger: Ledger) -> None:
    add(ledger, Allowed(weeks=[W1, W2], more=2), reason="a fault in the source was repaired")
    entries = add(ledger, Allowed(weeks=[W2], more=1), reason="once more")
    assert [one.allowed for one in count_weeks(entries, [W1, W2, W3])] == [2, 3, 0]
    assert [one.reason for one in overrides(entries, [W1])] == ["a fault in the source was repaired"]
    assert [one.number for one in overrides(entries)] == [1, 2]


@pytest.mark.parametrize("more", [0, -1])
def test_an_override_that_takes_away_is_refused(more: int) -> None:
    with pytest.raises(ValueError, match="more"):
        Allowed(weeks=[W1], more=more)


def test_an_override_without_a_reason_writes_nothing(ledger: Ledger) -> None:
    with pytest.raises(RegistryError, match="reason"):
        add(ledger, Allowed(weeks=[W1], more=1), reason="  ")
    assert ledger.entries(known={}) == []


@pytest.mark.parametrize("number", [1, 2, 3], ids=["first", "middle", "last"])
def test_a_removed_entry_is_found_by_every_way_to_read(ledger: Ledger, number: int) -> None:
    three_looks(ledger)
    (ledger.folder / f"{number:06d}.json").unlink()
    for read in (ledger.read, lambda: ledger.entries(known={})):
        with pytest.raises(RegistryError, match=rf"{number:06d}.json.* Restore ledger/ .*from a backup"):
            read()


def test_nothing_is_added_to_a_broken_ledger(ledger: Ledger) -> None:
    three_looks(ledger)
    (ledger.folder / "000003.json").unlink()
    with pytest.raises(RegistryError, match="nothing is judged"):
        add(ledger, looked("d", W1))
    assert not (ledger.folder / "000003.json").exists()


def test_an_edited_entry_is_found(ledger: Ledger) -> None:
    three_looks(ledger)
    path = ledger.folder / "000002.json"
    path.write_text(path.read_text().replace(digest("b"), digest("a")))
    with pytest.raises(RegistryError, match=r"000002.json: the signature does not fit"):
        ledger.entries(known={})


def test_a_ledger_that_is_gone_is_no_fresh_start(ledger: Ledger) -> None:
    three_looks(ledger)
    shutil.rmtree(ledger.folder)
    with pytest.raises(RegistryError, match=r"000003.json is missing"):
        ledger.entries(known={})


def test_a_ledger_that_is_gone_with_its_note_is_missed_by_the_evaluations(ledger: Ledger) -> None:
    entries = three_looks(ledger)
    shutil.rmtree(ledger.folder)
    ledger.newest_path.unlink()
    with pytest.raises(RegistryError, match=r"000002.json is missing"):
        ledger.entries(known={2: entries[1].digest})


def test_a_ledger_begun_anew_is_not_the_one_that_evaluations_refer_to(ledger: Ledger) -> None:
    known = {1: three_looks(ledger)[0].digest}
    shutil.rmtree(ledger.folder)
    ledger.newest_path.unlink()
    add(ledger, looked("d", W1))
    with pytest.raises(RegistryError, match=r"000001.json is not the entry that was made"):
        ledger.entries(known=known)


def test_entries_without_the_note_of_the_newest_are_refused(ledger: Ledger) -> None:
    three_looks(ledger)
    ledger.newest_path.unlink()
    with pytest.raises(RegistryError, match=r"ledger.json is missing"):
        ledger.entries(known={})


def test_a_note_that_was_changed_is_refused(ledger: Ledger) -> None:
    three_looks(ledger)
    note = json.loads(ledger.newest_path.read_text())
    ledger.newest_path.write_text(json.dumps(note | {"number": 2}))
    with pytest.raises(RegistryError, match=r"ledger.json"):
        ledger.entries(known={})


def test_the_ledger_of_another_use_case_is_refused(ledger: Ledger, keys: SigningKeys) -> None:
    three_looks(ledger)
    with pytest.raises(RegistryError):
        Ledger(ledger.folder, keys, use_case="maxi").entries(known={})


def test_an_unknown_signer_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    three_looks(ledger)
    stranger = SigningKeys(tmp_path / "stranger")
    stranger.create_if_first(registry_is_empty=True)
    with pytest.raises(RegistryError, match="unknown signer"):
        Ledger(ledger.folder, stranger, use_case="mini").entries(known={})


@pytest.mark.parametrize("before", [0, 2])
def test_a_writer_killed_after_its_entry_has_made_it(ledger: Ledger, before: int) -> None:
    for number in range(before):
        add(ledger, looked(f"before {number}", W1))
    killed_at(Ledger, "_point", lambda: add(ledger, looked("killed", W1)))
    assert count_weeks(ledger.entries(known={}), [W1]) == [WeekCount(W1, before + 1, 0)]
    assert len(add(ledger, looked("next", W1))) == before + 2


def test_a_writer_killed_before_its_entry_has_made_none(ledger: Ledger) -> None:
    add(ledger, looked("a", W1))
    killed_at(Ledger, "append", lambda: add(ledger, looked("killed", W1)))
    assert count_weeks(ledger.entries(known={}), [W1]) == [WeekCount(W1, 1, 0)]


def test_two_processes_at_once_lose_no_look(ledger: Ledger) -> None:
    def work(name: str) -> None:
        for number in range(5):
            add(ledger, looked(f"{name}{number}", W1))

    processes = [FORK.Process(target=work, args=(name,)) for name in "ab"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert count_weeks(ledger.entries(known={}), [W1]) == [WeekCount(W1, 10, 0)]
