"""The folders of the versions, without a history that is read from disk."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from ds_pipeline.digests import digest_files
from ds_pipeline.errors import RegistryError
from ds_pipeline.registry.history import Event
from ds_pipeline.registry.signing import SigningKeys
from ds_pipeline.registry.versions import Versions, number_of
from ds_pipeline.store.chain import next_link

Files = Callable[..., dict[str, bytes]]


@pytest.fixture
def versions(tmp_path: Path, keys: SigningKeys) -> Versions:
    return Versions(tmp_path / "versions", keys)


def event(version: str, *, number: int = 1) -> Event:
    made = next_link(
 Event,
        [], at=datetime(2011, 12, 5, tzinfo=UTC), use_case="mini", kind="promote", version=version,
        as_of=date(2011, 12, 5), bundle_digest="b", candidate_digest="c", decision_digest="d", actor="a", reason="r",
    )  # fmt: skip
    return made.model_copy(update={"number": number})


def folders(versions: Versions, *names: str) -> None:
    for name in names:
        (versions.folder / name / "bundle").mkdir(parents=True)


def test_versions_are_ordered_by_their_number_and_strangers_are_none(versions: Versions) -> None:
    folders(versions, "v10000", "v9999", "v0002", "v2", "v0001x", "notes")

    assert versions.names() == ["v0002", "v9999", "v10000"]
    assert number_of("v0012") == 12


@pytest.mark.parametrize(
    ("there", "events", "following"),
    [
        pytest.param([], [], "v0001", id="first"),
        pytest.param(["v0003"], ["v0001"], "v0004", id="a-folder-counts"),
        pytest.param(["v0001"], ["v0007"], "v0008", id="an-event-counts"),
        pytest.param(["v9999"], [], "v10000", id="fifth-digit"),
    ],
)
def test_the_next_version_never_had_a_folder_or_an_event(
    versions: Versions, there: list[str], events: list[str], following: str
) -> None:
    folders(versions, *there)

    assert versions.next_name(map(event, events)) == following


def test_a_version_is_there_whole_or_not_at_all(versions: Versions, make_files: Files) -> None:
    files = make_files("first")

    with pytest.raises(RegistryError, match="v0001"):
        versions.add("v0001", files, digest="another")
    assert list(versions.folder.iterdir()) == []

    versions.add("v0001", files, digest=digest_files(files))
    assert versions.names() == ["v0001"]
    assert versions.open("v0001", digest=digest_files(files)).files == files


def test_a_receipt_tells_the_number_of_its_event_and_is_left_once(versions: Versions) -> None:
    folders(versions, "v0001", "v0002")
    for number, version in ((1, "v0001"), (2, "v0002"), (3, "v0001"), (3, "v0001")):
        versions.leave_receipt(event(version, number=number))
    (versions.folder / "v0002" / "receipts" / "notes.json").write_text("x")

    assert versions.receipts() == {1: "v0001", 2: "v0002", 3: "v0001"}


def test_a_version_without_an_event_is_an_orphan_and_is_emptied(versions: Versions) -> None:
    folders(versions, "v0001", "v0002", ".assembling-abc")
    (versions.folder / "v0003").mkdir()
    (versions.folder / "v0002" / "bundle.sig").write_text("x")
    promoted = [event("v0001")]

    assert versions.orphans(promoted) == ["v0002"]
    versions.tidy(promoted)

    assert versions.orphans(promoted) == []
    assert sorted(path.name for path in versions.folder.iterdir()) == ["v0001", "v0002", "v0003"]
    assert list((versions.folder / "v0002").iterdir()) == []
    assert versions.receipts() == {1: "v0001"}


def test_with_no_event_at_all_no_receipt_is_left(versions: Versions) -> None:
    folders(versions, "v0001")

    versions.tidy([])

    assert versions.receipts() == {}
    assert versions.next_name([]) == "v0002"
