"""Where things are and which secrets there are: settings from the environment, folders of the project.

DS_PIPELINE_PROJECT, DS_PIPELINE_STORE, _DELIVERIES, _REPORTS and _KEYS move the folders; relative ones lie in the
project. DS_PIPELINE_PSEUDONYM_KEY is the secret that tokens are made with; DS_PIPELINE_PSEUDONYM_KEY_FILE names a file
that holds it instead.
"""

from __future__ import annotations

import hashlib
import stat
from pathlib import Path

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from ds_pipeline.errors import ConfigError, KeyMissingError
from ds_pipeline.use_case.sources import Sources

# The value in .envrc, supplied where direnv is absent. It is no secret, so it is accepted for public tables only.
DEMO_KEY = "demo-key-for-public-data-only-0001"
KEY_VARIABLE = "DS_PIPELINE_PSEUDONYM_KEY"
KEY_FILE_VARIABLE = "DS_PIPELINE_PSEUDONYM_KEY_FILE"
MIN_KEY_LENGTH = 24  # characters; a shorter one could be guessed, and every token with it

FEWEST_SIGNS = 6  # different characters
OTHERS = 0o077  # the bits of a mode that let anyone but the owner in


class Settings(BaseSettings):
    """What the environment says; an empty variable counts as absent."""

    model_config = SettingsConfigDict(env_prefix="DS_PIPELINE_", frozen=True, env_ignore_empty=True, extra="ignore")

    project: Path | None = None
    store: Path | None = None
    deliveries: Path | None = None
    reports: Path | None = None
    keys: Path | None = None
    pseudonym_key: SecretStr = SecretStr(DEMO_KEY)
    pseudonym_key_file: Path | None = None


def open_project() -> Project:
    """The project one is in. Settings come from the environment, then from .envrc.local, then from the defaults."""
    settings = Settings()
    local = (settings.project or _find_root()) / ".envrc.local"
    mode = local.stat().st_mode if local.is_file() else 0
    if mode & OTHERS:
        raise KeyMissingError(
            f".envrc.local can be opened by others (mode {mode & 0o777:04o}), and holds keys and addresses. "
            "Run chmod 600 .envrc.local"
        )
    try:
        return Project(Settings(_env_file=local))  # type: ignore[call-arg]
    except UnicodeDecodeError:
        raise ConfigError(".envrc.local is not UTF-8 text. Write it again: one line, export NAME=value.") from None


class Project:
    """The folders and the pseudonym key of one project."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.root = (settings.project or _find_root()).resolve()
        self.configs = self.root / "configs"
        self.store = self.root / (settings.store or "data/store")
        self.deliveries = self.root / (settings.deliveries or "data/deliveries")
        self.reports = self.root / (settings.reports or "data/reports")
        self.keys = self.root / (settings.keys or ".keys")

    def pseudonym_key(self, sources: Sources) -> bytes:
        """The key for tokens, 32 bytes derived from the secret.

        Raises:
            KeyMissingError: the secret is too short, is set twice or lies in a file that cannot be used; or a table is
                not public and the secret is missing or the demo key.
        """
        source, secret = self._secret()
        guarded = sorted(name for name, table in sources.tables.items() if table.data_class != "public")
        if guarded and secret.strip() == DEMO_KEY:
            raise KeyMissingError(
                f"{source} is not set, or is the demo key, which is accepted for public tables only; "
                f"not public: {', '.join(guarded)}. Make a key of your own with: make key"
            )
        if len(secret) < MIN_KEY_LENGTH:
            raise KeyMissingError(
                f"{source} has {len(secret)} characters; at least {MIN_KEY_LENGTH} are needed. "
                "Make one with: openssl rand -hex 32"
            )
        if len(secret.split()) != 1:
            raise KeyMissingError(
                f"{source}: expected one word without blanks, such as openssl rand -hex 32 makes. A blank or a second "
                "line would silently be part of the key."
            )
        if len(set(secret)) < FEWEST_SIGNS:
            raise KeyMissingError(
                f"{source} is made of {len(set(secret))} different characters and can be guessed. "
                "Make one with: openssl rand -hex 32"
            )
        return hashlib.blake2b(secret.encode(), digest_size=32, person=b"pseudonym").digest()

    def _secret(self) -> tuple[str, str]:
        """What the secret is called where the user set it, and the secret."""
        secret, file = self.settings.pseudonym_key.get_secret_value(), self.settings.pseudonym_key_file
        if file is None:
            return KEY_VARIABLE, secret
        if secret != DEMO_KEY:  # .envrc sets that one for everybody
            raise KeyMissingError(
                f"{KEY_VARIABLE} and {KEY_FILE_VARIABLE} are both set; which of the two keys is meant cannot be known. "
                "Unset one: docs/runbooks/keys.md"
            )
        return f"The key in {KEY_FILE_VARIABLE}", _read_secret(self.root / file.expanduser())

    def shown(self, path: Path) -> str:
        """A path as messages may show it: relative to the project, else its last two parts."""
        try:
            return path.resolve().relative_to(self.root).as_posix()
        except ValueError:
            return Path(*path.parts[-2:]).as_posix()


def _read_secret(path: Path) -> str:
    """The one line of a file that only its owner can open. Messages do not say where it lies."""
    named = f"The file that {KEY_FILE_VARIABLE} names"
    try:
        mode, content = path.stat().st_mode, path.read_bytes()
        if stat.S_ISREG(mode) and mode & OTHERS:
            raise KeyMissingError(f"{named} can be opened by others (mode {mode & 0o777:04o}). Run chmod 600 on it.")
        return content.decode("utf-8-sig").rstrip("\r\n")
    except OSError as error:
        raise KeyMissingError(
            f"{named} cannot be read: {error.strerror}. Restore it from its backup, or correct the variable: "
            "docs/runbooks/keys.md"
        ) from None  # the error names the path
    except UnicodeDecodeError:
        raise KeyMissingError(f"{named} is not text. Expected one line, such as openssl rand -hex 32 makes.") from None


def _find_root() -> Path:
    """The nearest folder, from here upwards, that has configs and workspace.yaml; else the one this package lies in."""
    here = Path.cwd()
    for folder in [here, *here.parents, Path(__file__).resolve().parents[1]]:
        if (folder / "configs").is_dir() and (folder / "workspace.yaml").is_file():
            return folder
    raise ConfigError(
        "No project here: expected a folder with configs/ and workspace.yaml. "
        "Change into the project, or set DS_PIPELINE_PROJECT."
    )
