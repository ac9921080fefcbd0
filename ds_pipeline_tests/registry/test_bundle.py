import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ds_pipeline.digests import canonical_json, digest_bytes, digest_files
from ds_pipeline.errors import RegistryError
from ds_pipeline.registry.bundle import Bundle, read_bundle, read_one, write_bundle
from ds_pipeline.registry.signing import SigningKeys

Files = dict[str, bytes]


@pytest.fixture
def files(make_files: Callable[..., Files]) -> Files:
    return make_files()


@pytest.fixture
def folder(tmp_path: Path, files: Files, keys: SigningKeys) -> Path:
    write_bundle(tmp_path / "v0001", files, keys)
    return tmp_path / "v0001"


def read(folder: Path, files: Files, keys: SigningKeys) -> Bundle:
    return read_bundle(folder, keys, version="v0001", digest=digest_files(files))


def test_what_was_written_is_what_is_read(folder: Path, files: Files, keys: SigningKeys) -> None:
    bundle = read(folder, files, keys)
    assert bundle.files == files
    assert bundle.json("metrics.json") == {"candidate": "first"}
    assert bundle.load_model().predict(np.array([[0.0], [3.0]])).tolist() == [0, 1]


def test_the_digest_of_the_files_is_the_digest_of_the_manifest(folder: Path, files: Files) -> None:
    assert digest_bytes((folder / "bundle" / "manifest.json").read_bytes()) == digest_files(files)


def test_files_and_folders_of_a_bundle_are_private(folder: Path) -> None:
    for path in folder.rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path.name


@pytest.mark.parametrize(
    "name", ["model.joblib", "lineage.json", "metrics.json", "use_case/features/recency.sql", "manifest.json"]
)
def test_one_changed_byte_in_any_file_is_refused_by_name(
    folder: Path, files: Files, keys: SigningKeys, name: str
) -> None:
    path = folder / "bundle" / name
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(RegistryError, match=rf"^v0001: {name} (was changed|is not the one)"):
        read(folder, files, keys)


@pytest.mark.parametrize("name", ["extra.json", "use_case/extra.sql", ".gitignore", ".git/config"])
def test_an_extra_file_is_refused_by_name(folder: Path, files: Files, keys: SigningKeys, name: str) -> None:
    """model_signing alone lets .git files pass."""
    path = folder / "bundle" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"{}")
    with pytest.raises(RegistryError, match=rf"{name} is not part of the bundle"):
        read(folder, files, keys)


@pytest.mark.parametrize("name", ["model.joblib", "manifest.json"])
def test_a_missing_file_is_refused_by_name(folder: Path, files: Files, keys: SigningKeys, name: str) -> None:
    (folder / "bundle" / name).unlink()
    with pytest.raises(RegistryError, match=rf"{name} is missing"):
        read(folder, files, keys)


@pytest.mark.parametrize("name", ["metrics.json", "use_case"])
def test_a_link_is_refused_even_to_the_same_content(
    folder: Path, files: Files, keys: SigningKeys, tmp_path: Path, name: str
) -> None:
    (folder / "bundle" / name).rename(tmp_path / "elsewhere")
    (folder / "bundle" / name).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(RegistryError, match=rf"{name} is a link"):
        read(folder, files, keys)


def test_a_pipe_is_refused_and_does_not_hang(folder: Path, files: Files, keys: SigningKeys) -> None:
    os.mkfifo(folder / "bundle" / "pipe")
    with pytest.raises(RegistryError, match="pipe is a link or a device"):
        read(folder, files, keys)


@pytest.mark.parametrize("gone", ["bundle", "bundle.sig"])
def test_a_lost_bundle_or_signature_is_refused(folder: Path, files: Files, keys: SigningKeys, gone: str) -> None:
    (folder / gone).rename(folder / "gone")
    with pytest.raises(RegistryError, match="missing"):
        read(folder, files, keys)


def test_a_bundle_signed_by_a_stranger_is_refused(
    folder: Path, files: Files, keys: SigningKeys, tmp_path: Path
) -> None:
    stranger = SigningKeys(tmp_path / "stranger")
    stranger.create_if_first(registry_is_empty=True)
    (folder / "bundle.sig").unlink()
    stranger.sign_folder(folder / "bundle", folder / "bundle.sig")
    with pytest.raises(RegistryError, match="unknown signer"):
        read(folder, files, keys)


def test_a_swapped_model_is_refused_even_with_a_manifest_and_signature_that_fit_it(
    folder: Path, files: Files, keys: SigningKeys, tmp_path: Path
) -> None:
    """The pinned key signed the other bundle too; only the digest in the history says that it is not this one."""
    write_bundle(tmp_path / "other", files | {"model.joblib": b"another model"}, keys)
    folder.rename(tmp_path / "gone")
    (tmp_path / "other").rename(folder)
    with pytest.raises(RegistryError, match=r"manifest\.json is not the one that was promoted"):
        read(folder, files, keys)


def test_a_model_swapped_after_the_check_is_not_loaded(folder: Path, files: Files, keys: SigningKeys) -> None:
    bundle = read(folder, files, keys)
    (folder / "bundle" / "model.joblib").write_bytes(b"evil")
    assert bundle.load_model().predict(np.array([[3.0]])).tolist() == [1]


def test_files_that_are_put_right_only_while_the_signature_is_checked_are_refused(
    folder: Path, files: Files, keys: SigningKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever shows one folder to the reader and another to model_signing fails on the digest of the history."""
    write_bundle(tmp_path / "evil", files | {"model.joblib": b"evil"}, keys)
    folder.rename(tmp_path / "good")
    (tmp_path / "evil").rename(folder)
    verify_folder = keys.verify_folder
    monkeypatch.setattr(keys, "verify_folder", lambda _, __, what: verify_folder(*_paths(tmp_path / "good"), what=what))
    with pytest.raises(RegistryError, match=r"manifest\.json"):
        read(folder, files, keys)


def _paths(folder: Path) -> tuple[Path, Path]:
    return folder / "bundle", folder / "bundle.sig"


@pytest.mark.parametrize(
    ("lineage", "says"),
    [
        pytest.param({"packages": {"scikit-learn": "1.2.3"}}, r"scikit-learn 1\.2\.3, here runs", id="scikit_learn"),
        pytest.param({"python": "3.8.1"}, r"Python 3\.8\.1, here runs", id="python"),
        pytest.param({"packages": {}}, "does not say which", id="unknown_scikit_learn"),
        pytest.param({"python": None}, "Python None", id="unknown_python"),
    ],
)
def test_a_model_of_another_environment_is_refused_before_it_is_unpickled(
    make_files: Callable[..., Files], lineage: dict[str, Any], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("joblib.load", lambda _: pytest.fail("it was unpickled"))
    with pytest.raises(RegistryError, match=says):
        Bundle("v0001", make_files(**lineage)).load_model()


def test_another_patch_version_is_no_obstacle(make_files: Callable[..., Files]) -> None:
    here = Bundle("v0001", make_files()).json("lineage.json")
    patched = {name: ".".join([*version.split(".")[:2], "99"]) for name, version in here["packages"].items()}
    Bundle("v0001", make_files(packages=patched)).load_model()


@pytest.mark.parametrize(
    "name", ["../up.txt", "/etc/x", "a//b", "a/../b", "", ".git/config", "manifest.json", "a b", "a\n"], ids=repr
)
def test_a_name_that_could_leave_or_hide_in_the_folder_is_refused(
    files: Files, keys: SigningKeys, tmp_path: Path, name: str
) -> None:
    with pytest.raises(RegistryError, match="cannot hold a file named"):
        write_bundle(tmp_path / "v0001", files | {name: b""}, keys)
    assert not (tmp_path / "v0001").exists()


@pytest.mark.parametrize("name", ["model.joblib", "lineage.json"])
def test_a_bundle_without_model_or_lineage_is_not_written(
    files: Files, keys: SigningKeys, tmp_path: Path, name: str
) -> None:
    with pytest.raises(RegistryError, match=f"A bundle needs {name}"):
        write_bundle(tmp_path / "v0001", {key: files[key] for key in files.keys() - {name}}, keys)


def test_a_file_the_bundle_does_not_have_is_named(files: Files) -> None:
    with pytest.raises(RegistryError, match=r"the bundle has no decision\.json"):
        Bundle("v0001", files).json("decision.json")


def _through_a_link(path: Path) -> None:
    path.symlink_to(path.rename(path.parent.parent / "elsewhere.json"))


def _with_its_manifest(path: Path) -> None:
    path.write_bytes(b"{}")
    manifest = path.with_name("manifest.json")
    said = json.loads(manifest.read_bytes()) | {"lineage.json": digest_bytes(b"{}")}
    manifest.write_bytes(canonical_json(said))


def test_one_file_is_read_where_others_are_broken(folder: Path, files: Files) -> None:
    """What it is, the digest of the manifest says alone: neither the others nor the signature are looked at."""
    (folder / "bundle" / "model.joblib").write_bytes(b"other")
    (folder / "bundle.sig").unlink()

    assert read_one(folder, "lineage.json", version="v0001", digest=digest_files(files)) == files["lineage.json"]


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        pytest.param(lambda path: path.write_bytes(b"{}"), "lineage.json was changed", id="changed"),
        pytest.param(lambda path: path.unlink(), "lineage.json is missing", id="missing"),
        pytest.param(_through_a_link, "lineage.json is a link", id="link"),
        pytest.param(_with_its_manifest, "manifest.json is not the one", id="with-a-manifest"),
        pytest.param(lambda path: (path.parent / "manifest.json").unlink(), "manifest.json is missing", id="no-list"),
    ],
)  # fmt: skip
def test_one_file_that_is_not_as_it_was_promoted_is_refused(
    folder: Path, files: Files, broken: Callable[[Path], Any], said: str
) -> None:
    broken(folder / "bundle" / "lineage.json")

    with pytest.raises(RegistryError, match=f"v0001: {said}"):
        read_one(folder, "lineage.json", version="v0001", digest=digest_files(files))


def test_one_file_that_was_put_in_beside_is_refused(folder: Path, files: Files) -> None:
    (folder / "bundle" / "evaluation.json").write_bytes(b"{}")

    with pytest.raises(RegistryError, match=r"v0001: evaluation\.json was changed"):
        read_one(folder, "evaluation.json", version="v0001", digest=digest_files(files))
