"""A bundle: every file that a version consists of, written once, and read back only as verified bytes.

All bytes are read into memory first and those very bytes are checked: the signed history names the digest of
manifest.json, and manifest.json the digest of every file. A file swapped on disk between check and use is never
read, because nothing is read twice. The OpenSSF signature is checked as well; it lets others verify the folder.
"""

from __future__ import annotations

import io
import json
import os
import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any

import joblib

from ds_pipeline.digests import canonical_json, digest_bytes, digest_files
from ds_pipeline.errors import RegistryError
from ds_pipeline.registry.signing import SigningKeys
from ds_pipeline.store.snapshots import flush_folder, make_folder, write_file

BUNDLE, SIGNATURE, MANIFEST = "bundle", "bundle.sig", "manifest.json"
MODEL, LINEAGE = "model.joblib", "lineage.json"
JUDGED, MATURED_FIT = "judged.joblib", "matured_fit.json"  # where what serves was fitted again after it was judged
# No leading dot: model_signing leaves .git files out of its signature.
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*")
WAY_OUT = (
    "Restore it from a backup, go back with `ds-pipeline rollback USE_CASE --reason ...`, "
    "or train and replace it with `ds-pipeline promote USE_CASE --replace-lost --reason ...`."
)


@dataclass(frozen=True)
class Bundle:
    """The verified content of one version.

    Attributes:
        version: v0001 and so on.
        files: relative name to bytes, without manifest.json.
    """

    version: str
    files: Mapping[str, bytes]

    def read(self, name: str) -> bytes:
        """The bytes of one file; RegistryError where the bundle has no such file."""
        if name not in self.files:
            raise RegistryError(f"{self.version}: the bundle has no {name}. Train and promote a new version.")
        return self.files[name]

    def json(self, name: str) -> Any:
        """One JSON file, parsed."""
        try:
            return json.loads(self.read(name))
        except ValueError as error:
            raise RegistryError(f"{self.version}: {name} is not JSON. Train and promote a new version.") from error

    @property
    def judged(self) -> str:
        """The file of the model that was judged: the one that serves, or the one that was fitted before it."""
        return JUDGED if JUDGED in self.files else MODEL

    def load_model(self, name: str = MODEL) -> Any:
        """The model that serves, or another file of the bundle, unpickled from the verified bytes in memory.

        Raises:
            RegistryError: it was saved under another minor version of Python or scikit-learn than runs here.
        """
        self._require_same_environment()
        return joblib.load(io.BytesIO(self.read(name)))

    def _require_same_environment(self) -> None:
        lineage = self.json(LINEAGE)
        try:
            saved = {"Python": lineage["python"], "scikit-learn": lineage["packages"]["scikit-learn"]}
        except (KeyError, TypeError) as error:
            raise RegistryError(
                f"{self.version}: {LINEAGE} does not say which Python and scikit-learn saved the model, "
                "so it is not loaded. Train and promote a new version."
            ) from error
        here = {"Python": platform.python_version(), "scikit-learn": metadata.version("scikit-learn")}
        for name, version in saved.items():
            if _minor(version) != _minor(here[name]):
                raise RegistryError(
                    f"{self.version}: the model was saved under {name} {version}, here runs {here[name]}; a model is "
                    f"only loaded under the same minor version. Install {name} {_minor(version)}, "
                    "or train and promote a new version here."
                )


def write_bundle(folder: Path, files: Mapping[str, bytes], keys: SigningKeys) -> str:
    """Write bundle/ with its manifest and bundle.sig into a folder; return the digest that the history records.

    Raises:
        RegistryError: a file that every bundle needs is missing, or a name is not allowed.
    """
    _require_names(files)
    bundle = make_folder(folder / BUNDLE)
    for name, content in files.items():
        for parent in reversed(PurePosixPath(name).parents):
            make_folder(bundle / parent)  # one by one: parents made in passing are open to others
        write_file(bundle / name, content, replace=False)
    write_file(bundle / MANIFEST, _manifest(files), replace=False)
    for path in bundle.rglob("*"):
        if path.is_dir():
            flush_folder(path)
    keys.sign_folder(bundle, folder / SIGNATURE)
    return digest_files(files)


def read_one(folder: Path, name: str, *, version: str, digest: str) -> bytes:
    """One file of the bundle with this digest, the others left alone: what says that it is the one is the digest.

    Raises:
        RegistryError: the bundle never had it, or it is missing, a link or changed.
    """
    manifest = _read_file(folder / BUNDLE, MANIFEST, version)
    if digest_bytes(manifest) != digest:
        raise RegistryError(f"{version}: {MANIFEST} is not the one that was promoted. {WAY_OUT}")
    content = _read_file(folder / BUNDLE, name, version)
    if digest_bytes(content) != json.loads(manifest).get(name):
        raise RegistryError(f"{version}: {name} was changed after it was promoted. {WAY_OUT}")
    return content


def read_bundle(folder: Path, keys: SigningKeys, *, version: str, digest: str) -> Bundle:
    """The bundle in a version's folder, if it is, byte for byte, the one with this digest.

    Raises:
        RegistryError: a file is missing, extra, changed or a link, or the signature fails; names the file.
    """
    found = _read_files(folder / BUNDLE, version)
    manifest = found.pop(MANIFEST, None)
    if manifest is None or digest_bytes(manifest) != digest:
        fault = "is missing" if manifest is None else "is not the one that was promoted"
        raise RegistryError(f"{version}: {MANIFEST} {fault}. {WAY_OUT}")
    expected: dict[str, str] = json.loads(manifest)
    faults = {name: "is missing" for name in expected.keys() - found.keys()}
    faults |= {name: "is not part of the bundle" for name in found.keys() - expected.keys()}
    faults |= {
        name: "was changed after it was promoted"
        for name in expected.keys() & found.keys()
        if digest_bytes(found[name]) != expected[name]
    }
    if faults:
        listed = ", ".join(f"{name} {fault}" for name, fault in sorted(faults.items()))
        raise RegistryError(f"{version}: {listed}. {WAY_OUT}")
    keys.verify_folder(folder / BUNDLE, folder / SIGNATURE, what=version)
    return Bundle(version, found)


def _read_files(bundle: Path, version: str) -> dict[str, bytes]:
    if bundle.is_symlink() or not bundle.is_dir():
        raise RegistryError(f"{version}: the bundle is missing. {WAY_OUT}")
    names = sorted(path.relative_to(bundle).as_posix() for path in bundle.rglob("*") if not _is_folder(path))
    return {name: _read_file(bundle, name, version) for name in names}


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()


def _read_file(bundle: Path, name: str, version: str) -> bytes:
    path = bundle / name
    if path.is_symlink() or not path.is_file():
        fault = "is a link or a device; only plain files are allowed" if os.path.lexists(path) else "is missing"
        raise RegistryError(f"{version}: {name} {fault}. {WAY_OUT}")
    try:
        return path.read_bytes()
    except OSError as error:
        raise RegistryError(f"{version}: {name} cannot be read ({error.strerror}). {WAY_OUT}") from error


def _manifest(files: Mapping[str, bytes]) -> bytes:
    """Name to SHA-256; its own digest is digest_files(files)."""
    return canonical_json({name: digest_bytes(content) for name, content in files.items()})


def _require_names(files: Mapping[str, bytes]) -> None:
    for name in (MODEL, LINEAGE):
        if name not in files:
            raise RegistryError(f"A bundle needs {name}; found: {', '.join(sorted(files)) or 'no file'}.")
    wrong = [name for name in files if not FILE_NAME.fullmatch(name) or name == MANIFEST]
    if wrong:
        raise RegistryError(f"A bundle cannot hold a file named {wrong[0]!r}. Use letters, digits, '_', '-', '.', '/'.")


def _minor(version: Any) -> str:
    return ".".join(str(version).split(".")[:2])
