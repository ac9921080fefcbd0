"""Signed documents: what is read back is what was written, here, by us."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from ds_pipeline.digests import digest_files
from ds_pipeline.errors import RegistryError
from ds_pipeline.registry.documents import Documents
from ds_pipeline.registry.signing import SigningKeys

DAY, OTHER_DAY = date(2011, 12, 5), date(2011, 11, 28)
FILES = {"model.joblib": b"a model", "training.json": b"{}"}


@pytest.fixture
def documents(tmp_path: Path, keys: SigningKeys) -> Documents:
    made = Documents(tmp_path / "documents", keys, use_case="mini")
    made.put(FILES, kind="candidate", day=DAY)
    return made


def content(documents: Documents, day: date = DAY) -> Path:
    return next(path for path in (documents.root / "candidate" / str(day)).iterdir() if path.is_dir())


def test_a_document_comes_back_with_its_digest(documents: Documents) -> None:
    found = documents.get(kind="candidate", day=DAY)
    assert found.files == FILES
    assert found.digest == digest_files(FILES)


def test_the_newest_document_of_a_date_is_the_current_one(documents: Documents) -> None:
    documents.put({"model.joblib": b"another"}, kind="candidate", day=DAY)
    assert documents.get(kind="candidate", day=DAY).files == {"model.joblib": b"another"}


def test_none_is_found_where_none_was_written(documents: Documents) -> None:
    assert documents.find(kind="evaluation", day=DAY) is None
    with pytest.raises(RegistryError, match=r"There is no evaluation of 2011-12-05\. Train first"):
        documents.get(kind="evaluation", day=DAY)


def test_a_changed_file_is_refused(documents: Documents) -> None:
    (content(documents) / "model.joblib").write_bytes(b"a Model")
    with pytest.raises(RegistryError, match="changed after it was written"):
        documents.get(kind="candidate", day=DAY)


def test_an_added_file_is_refused(documents: Documents) -> None:
    (content(documents) / "more.txt").write_bytes(b"")
    with pytest.raises(RegistryError, match="changed after it was written"):
        documents.get(kind="candidate", day=DAY)


def test_a_missing_file_is_refused(documents: Documents) -> None:
    (content(documents) / "training.json").unlink()
    with pytest.raises(RegistryError, match="changed after it was written"):
        documents.get(kind="candidate", day=DAY)


def test_the_leftover_of_a_killed_write_is_not_part_of_a_document(documents: Documents) -> None:
    (content(documents) / ".writing-x").write_bytes(b"half")
    assert documents.get(kind="candidate", day=DAY).files == FILES


def test_a_document_moved_to_another_date_is_refused(documents: Documents) -> None:
    shutil.copytree(documents.root / "candidate" / str(DAY), documents.root / "candidate" / str(OTHER_DAY))
    with pytest.raises(RegistryError, match="the candidate of 2011-11-28"):
        documents.get(kind="candidate", day=OTHER_DAY)


def test_a_document_of_another_use_case_is_refused(documents: Documents, keys: SigningKeys) -> None:
    with pytest.raises(RegistryError):
        Documents(documents.root, keys, use_case="maxi").get(kind="candidate", day=DAY)


def test_a_document_of_another_signer_is_refused(documents: Documents, tmp_path: Path) -> None:
    stranger = SigningKeys(tmp_path / "stranger")
    stranger.create_if_first(registry_is_empty=True)
    with pytest.raises(RegistryError):
        Documents(documents.root, stranger, use_case="mini").get(kind="candidate", day=DAY)


def test_a_damaged_pointer_is_refused(documents: Documents) -> None:
    (documents.root / "candidate" / str(DAY) / "current.json").write_bytes(b"{")
    with pytest.raises(RegistryError, match="damaged"):
        documents.get(kind="candidate", day=DAY)
