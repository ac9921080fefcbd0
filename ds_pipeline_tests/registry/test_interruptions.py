"""What a killed process leaves, and what two processes at once do: real processes, really killed."""

import os
import signal
from collections.abc import Callable
from datetime import date, timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest

from ds_pipeline.errors import RegistryError
from ds_pipeline.registry.promotion import Promotion
from ds_pipeline.registry.registry import Registry
from ds_pipeline.registry.signing import SigningKeys
from ds_pipeline.registry.versions import Versions
from ds_pipeline.store.chain import Chain

Promote = Callable[..., Promotion]
D = date(2011, 12, 5)
FORK = get_context("fork")


def killed_at(owner: type, method: str, work: Callable[[], object]) -> None:
    """Run work in another process that kills itself where it would call the method."""

    def run() -> None:
        setattr(owner, method, lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL))
        work()

    process = FORK.Process(target=run)
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize(
    ("owner", "method"),
    [
        pytest.param(SigningKeys, "sign_folder", id="during_assembly"),
        pytest.param(Path, "rename", id="before_the_move"),
        pytest.param(Chain, "append", id="between_bundle_and_event"),
    ],
)
@pytest.mark.parametrize("promoted_before", [False, True], ids=["first", "second"])
def test_a_promotion_killed_before_its_event_changes_nothing(
    registry: Registry, promote: Promote, owner: type, method: str, promoted_before: bool
) -> None:
    before = promote("a").champion if promoted_before else None
    killed_at(owner, method, lambda: promote("b"))
    assert registry.champion() == before

    again = promote("b")
    assert again.outcome == "promoted"
    assert registry.champion() == again.champion
    assert {entry.status for entry in registry.verify()} == {"ok"}
    assert not any(name.startswith(".") for name in names(registry.root / "versions"))


def test_a_version_without_an_event_is_reported_and_its_number_is_not_given_to_another(
    registry: Registry, promote: Promote
) -> None:
    promote("a")
    killed_at(Chain, "append", lambda: promote("b"))
    assert "never in force" in {entry.version: entry.status for entry in registry.verify()}["v0002"]
    assert promote("c").champion.version == "v0003"
    assert [entry.version for entry in registry.verify()] == ["history", "v0001", "v0003"]
    assert names(registry.root / "versions" / "v0002") == []
    assert promote("d").champion.version == "v0004"


def test_a_promotion_killed_after_its_event_is_in_force_and_gets_its_receipt_later(
    registry: Registry, promote: Promote
) -> None:
    promote("a")
    killed_at(Versions, "leave_receipt", lambda: _without_tidy(promote, "b"))
    assert registry.champion().version == "v0002"
    assert not (registry.root / "versions" / "v0002" / "receipts").exists()
    assert promote("b").outcome == "already champion"
    assert names(registry.root / "versions" / "v0002" / "receipts") == ["000002.json"]


def _without_tidy(promote: Promote, candidate: str) -> None:
    Versions.tidy = lambda *_: None  # type: ignore[method-assign]  # only in the process that is killed
    promote(candidate)


def test_a_rollback_killed_before_its_event_changes_nothing(registry: Registry, promote: Promote) -> None:
    promote("a")
    at = promote("b").champion.at
    killed_at(Chain, "append", lambda: registry.rollback(None, reason="complaints", actor="ann", at=at))
    assert registry.champion().version == "v0002"


def test_a_key_that_is_lost_in_between_leaves_the_old_champion(
    registry: Registry, promote: Promote, keys: SigningKeys
) -> None:
    promote("a")
    keys.private_path.rename(keys.private_path.with_suffix(".backup"))
    with pytest.raises(RegistryError, match="the signing key is missing"):
        promote("b")
    assert registry.champion().version == "v0001"
    assert {entry.status for entry in registry.verify()} == {"ok"}
    assert names(registry.root / "versions") == ["v0001"]


def at_once(works: list[Callable[[], Promotion]]) -> list[str]:
    """The outcomes of all works, each in a process of its own, started together."""
    barrier, outcomes = FORK.Barrier(len(works)), FORK.Queue()

    def run(work: Callable[[], Promotion]) -> None:
        barrier.wait()
        outcomes.put(work().outcome)

    processes = [FORK.Process(target=run, args=(work,)) for work in works]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * len(works)
    return sorted(outcomes.get(timeout=5) for _ in works)


def test_processes_that_promote_at_once_do_so_one_after_another(registry: Registry, promote: Promote) -> None:
    found = at_once([lambda name=name: promote(name) for name in "abcd"])
    assert found == ["promoted"] * 4
    assert [event.number for event in registry.history()] == [1, 2, 3, 4]
    assert [event.version for event in registry.history()] == ["v0001", "v0002", "v0003", "v0004"]
    assert {entry.status for entry in registry.verify()} == {"ok"}


def test_processes_that_promote_the_same_candidate_at_once_make_one_version(
    registry: Registry, promote: Promote
) -> None:
    assert at_once([lambda: promote("a")] * 4) == ["already champion"] * 3 + ["promoted"]
    assert len(registry.history()) == 1


def test_an_older_candidate_does_not_win_by_being_slower(registry: Registry, promote: Promote) -> None:
    at_once([lambda week=week: promote(f"week {week}", as_of=D + timedelta(weeks=week)) for week in range(4)])
    assert registry.champion().as_of == D + timedelta(weeks=3)


def test_a_reader_never_sees_half_a_promotion(registry: Registry, promote: Promote) -> None:
    """Readers take no lock: a receipt must never be visible before its event, nor an event before its version."""
    process = FORK.Process(target=lambda: [promote(str(number)) for number in range(8)])
    process.start()
    seen = []
    while process.is_alive():
        champion = registry.champion()
        if champion is not None:
            registry.open(champion.version)
            seen.append(champion.number)
    process.join()
    assert process.exitcode == 0
    assert seen == sorted(seen)
    assert registry.champion().number == 8


def test_a_promotion_while_the_history_is_read_is_not_taken_for_a_deleted_event(
    registry: Registry, promote: Promote, keys: SigningKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote("a")
    reader = Registry(registry.root, keys, use_case="mini")
    read = reader._history.read

    def read_just_before_a_promotion() -> object:
        events = read()
        promote("b")
        return events

    monkeypatch.setattr(reader._history, "read", read_just_before_a_promotion)
    assert [event.version for event in reader.history()] == ["v0001"]
