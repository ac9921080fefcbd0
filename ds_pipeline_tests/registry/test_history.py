import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ds_pipeline.digests import canonical_json
from ds_pipeline.errors import RegistryError
from ds_pipeline.registry.history import Event
from ds_pipeline.registry.promotion import Promotion
from ds_pipeline.registry.registry import Registry
from ds_pipeline.registry.signing import SigningKeys
from ds_pipeline.store.chain import Chain, Signed


@pytest.fixture
def folder(registry: Registry, promote: Callable[..., Promotion]) -> Path:
    """A history of three promotions."""
    for candidate in "abc":
        promote(candidate)
    return registry.root / "history"


def edit(path: Path, field: str, value: object) -> None:
    content = json.loads(path.read_bytes())
    content["event"][field] = value
    path.write_bytes(canonical_json(content))


def test_events_are_numbered_and_chained(registry: Registry, folder: Path) -> None:
    events = registry.history()
    assert [event.number for event in events] == [1, 2, 3]
    assert [event.previous for event in events] == [None, events[0].digest, events[1].digest]


@pytest.mark.parametrize("number", [1, 3], ids=["oldest", "newest"])
@pytest.mark.parametrize(
    ("field", "value"),
    [("version", "v0001"), ("as_of", "2030-01-07"), ("reason", "x"), ("bundle_digest", "0" * 64), ("number", 7)],
)
def test_an_edited_event_is_found_and_named(
    registry: Registry, folder: Path, number: int, field: str, value: object
) -> None:
    edit(folder / f"{number:06d}.json", field, value if (number, field) != (1, "version") else "v0002")
    with pytest.raises(RegistryError, match=rf"^history/{number:06d}\.json: the signature does not fit"):
        registry.history()


def test_one_changed_byte_anywhere_in_an_event_is_found(registry: Registry, folder: Path) -> None:
    path = folder / "000003.json"
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        with pytest.raises(RegistryError, match=r"^history/000003\.json: "):
            registry.history()


@pytest.mark.parametrize(
    ("old", "new"), [(b"{", b"{ "), (b'{"event":', b'{"event":{},"event":')], ids=["blank", "hidden_second_event"]
)
def test_an_event_has_one_spelling(registry: Registry, folder: Path, old: bytes, new: bytes) -> None:
    """Another JSON reader could take the first of two equal keys, and see another event than the one verified."""
    path = folder / "000003.json"
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    with pytest.raises(RegistryError, match=r"^history/000003\.json: changed after it was made"):
        registry.history()


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b"\xff\xfe"], ids=repr)
def test_a_damaged_event_is_named(registry: Registry, folder: Path, content: bytes) -> None:
    (folder / "000002.json").write_bytes(content)
    with pytest.raises(RegistryError, match=r"^history/000002\.json: damaged"):
        registry.history()


def test_an_event_signed_by_a_stranger_is_refused(registry: Registry, folder: Path, tmp_path: Path) -> None:
    stranger = SigningKeys(tmp_path / "stranger")
    stranger.create_if_first(registry_is_empty=True)
    path = folder / "000003.json"
    event = Signed[Event].model_validate_json(path.read_bytes()).event
    forged = Signed[Event](event=event, signature=stranger.sign(event.content))
    path.write_bytes(canonical_json(forged.model_dump(mode="json")))
    with pytest.raises(RegistryError, match=r"^history/000003\.json: unknown signer"):
        registry.history()


def test_a_deleted_event_in_the_middle_is_a_gap(registry: Registry, folder: Path) -> None:
    (folder / "000002.json").unlink()
    with pytest.raises(RegistryError, match=r"history/000002\.json: expected this event, found 000003\.json"):
        registry.history()


@pytest.mark.parametrize("name", ["000001 copy.json", "000005.json", "1.json"])
def test_a_file_that_is_no_event_of_this_history_is_refused(registry: Registry, folder: Path, name: str) -> None:
    shutil.copy(folder / "000001.json", folder / name)
    with pytest.raises(RegistryError, match="expected this event, found"):
        registry.history()


def test_a_genuine_event_at_another_number_is_refused(registry: Registry, folder: Path) -> None:
    shutil.copy(folder / "000001.json", folder / "000003.json")
    with pytest.raises(RegistryError, match=r"history/000003\.json: it does not follow"):
        registry.history()


def test_an_event_that_says_another_number_than_its_file_is_refused(
    registry: Registry, folder: Path, keys: SigningKeys
) -> None:
    last = registry.history()[-1]
    event = last.model_copy(update={"number": 7, "previous": last.digest})
    signed = Signed[Event](event=event, signature=keys.sign(event.content))
    (folder / "000004.json").write_bytes(canonical_json(signed.model_dump(mode="json")))
    with pytest.raises(RegistryError, match=r"history/000004\.json: it does not follow"):
        registry.history()


def test_a_genuine_event_after_another_past_is_refused(
    registry: Registry, folder: Path, promote: Callable[..., Promotion], keys: SigningKeys, tmp_path: Path
) -> None:
    """An older copy of the registry was continued differently; its events do not fit behind these."""
    shutil.copytree(registry.root, tmp_path / "copy")
    promote("d")
    other = Registry(tmp_path / "copy", keys, use_case="mini")
    event = other.history()[-1]
    other.rollback(None, reason="another past", actor="ann", at=event.at)
    promote("e")
    shutil.copy(tmp_path / "copy" / "history" / "000004.json", folder / "000004.json")
    with pytest.raises(RegistryError, match=r"history/000005\.json: it does not follow"):
        registry.history()


def test_a_deleted_newest_event_is_found_by_its_receipt(registry: Registry, folder: Path) -> None:
    (folder / "000003.json").unlink()
    with pytest.raises(RegistryError, match=r"history/000003\.json: missing, but v0003 has the receipt"):
        registry.champion()


def test_a_deleted_rollback_is_found_by_its_receipt(registry: Registry, folder: Path) -> None:
    """No version is left over after it, so only the receipt can tell."""
    registry.rollback(None, reason="complaints", actor="ann", at=registry.history()[-1].at)
    (folder / "000004.json").unlink()
    with pytest.raises(RegistryError, match=r"history/000004\.json: missing, but v0002 has the receipt"):
        registry.champion()


def test_a_deleted_history_is_not_a_first_run(
    registry: Registry, folder: Path, promote: Callable[..., Promotion]
) -> None:
    shutil.rmtree(folder)
    for attempt in (registry.champion, registry.history, lambda: registry.open("v0001"), lambda: promote("z")):
        with pytest.raises(RegistryError, match=r"history/000001\.json: missing"):
            attempt()
    found = registry.verify()
    assert found[0].status.startswith("history/000001.json: missing")
    assert [(entry.version, entry.status[:11]) for entry in found[1:]] == [
        (version, "not checked") for version in ("v0001", "v0002", "v0003")
    ]
    assert not registry.is_empty()


def test_a_registry_whose_versions_are_deleted_is_not_empty(registry: Registry, folder: Path) -> None:
    """Otherwise a lost key would be made anew."""
    shutil.rmtree(registry.root / "versions")
    assert not registry.is_empty()


def test_a_deleted_event_and_receipt_leave_an_orphan_that_verify_reports(registry: Registry, folder: Path) -> None:
    """The limit of what the registry can know of itself: event and receipt deleted look like a killed promotion."""
    (folder / "000003.json").unlink()
    shutil.rmtree(registry.root / "versions" / "v0003" / "receipts")
    assert registry.champion().version == "v0002"
    status = {entry.version: entry.status for entry in registry.verify()}["v0003"]
    assert "its event and its receipt were deleted" in status


def test_two_writers_cannot_take_the_same_number(registry: Registry, folder: Path, keys: SigningKeys) -> None:
    event = registry.history()[-1]
    before = (folder / "000003.json").read_bytes()
    with pytest.raises(RegistryError, match=r"history/000003\.json: another process made this event first"):
        Chain(folder, keys, use_case="mini", kind=Event).append(event)
    assert (folder / "000003.json").read_bytes() == before


def test_a_file_that_is_being_written_is_not_an_event(registry: Registry, folder: Path) -> None:
    (folder / ".writing-abc").write_bytes(b"half")
    assert len(registry.history()) == 3


def test_the_history_of_another_use_case_is_refused_although_the_signer_is_trusted(
    registry: Registry, folder: Path, keys: SigningKeys
) -> None:
    assert (folder / "000001.json").is_file()
    other = Registry(registry.root, keys, use_case="maxi")
    with pytest.raises(RegistryError, match="an event of mini, in the registry of maxi"):
        other.history()


def test_an_event_without_a_refit_is_signed_as_old_ones_were(registry: Registry, folder: Path) -> None:
    said = json.loads((folder / "000001.json").read_bytes())["event"]
    assert "refit_digest" not in said
    assert registry.history()[0].refit_digest is None
