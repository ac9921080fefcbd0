"""Folders from the environment, and a key that fits the class of the data and is never shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ds_pipeline.errors import ConfigError, KeyMissingError
from ds_pipeline.project import DEMO_KEY, Project, Settings, open_project
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.sources import Sources

OWN_KEY = "a-long-secret-of-ones-own-0123456789"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project, the only one that the environment knows."""
    for name in ("PROJECT", "STORE", "DELIVERIES", "REPORTS", "KEYS", "PSEUDONYM_KEY", "PSEUDONYM_KEY_FILE"):
        monkeypatch.delenv(f"DS_PIPELINE_{name}", raising=False)
    (tmp_path / "configs").mkdir()
    (tmp_path / "workspace.yaml").touch()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def sources(retail_lapse: UseCase) -> Callable[[str], Sources]:
    """The tables of retail_lapse, the customers in the given class."""

    def make(data_class: str) -> Sources:
        tables = retail_lapse.sources.model_dump(exclude_unset=True)
        tables["tables"]["customers"] |= {"data_class": data_class, "synthetic": False}
        return Sources.model_validate(tables)

    return make


def test_folders_lie_in_the_project(root: Path) -> None:
    project = Project(Settings())

    assert (project.root, project.configs) == (root, root / "configs")
    assert (project.store, project.deliveries) == (root / "data" / "store", root / "data" / "deliveries")
    assert (project.reports, project.keys) == (root / "data" / "reports", root / ".keys")


def test_the_project_is_found_from_a_folder_inside_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (root / "data" / "deep").mkdir(parents=True)
    monkeypatch.chdir(root / "data" / "deep")

    assert Project(Settings()).root == root


def test_the_environment_moves_folders(root: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A relative folder lay below wherever the command was started."""
    monkeypatch.setenv("DS_PIPELINE_PROJECT", str(root))
    monkeypatch.setenv("DS_PIPELINE_STORE", "/elsewhere/store")
    monkeypatch.setenv("DS_PIPELINE_KEYS", "private/keys")
    monkeypatch.setenv("DS_PIPELINE_REPORTS", "")
    monkeypatch.chdir("/")

    project = Project(Settings())

    assert project.store == Path("/elsewhere/store")
    assert project.keys == root / "private" / "keys"
    assert project.reports == root / "data" / "reports"


def test_without_a_project_anywhere_the_error_says_what_to_do(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ds_pipeline.project.__file__", "/site-packages/ds_pipeline/project.py")
    (root / "workspace.yaml").unlink()

    with pytest.raises(ConfigError, match="Change into the project, or set DS_PIPELINE_PROJECT") as error:
        Project(Settings())

    assert str(root) not in str(error.value)


@pytest.mark.parametrize("data_class", ["internal", "confidential"])
def test_the_demo_key_is_for_public_tables_only(root: Path, sources: Callable[[str], Sources], data_class: str) -> None:
    project = Project(Settings())

    assert len(project.pseudonym_key(sources("public"))) == 32
    with pytest.raises(
        KeyMissingError, match="demo key, which is accepted for public tables only; not public: customers"
    ) as error:
        project.pseudonym_key(sources(data_class))
    assert DEMO_KEY not in str(error.value)


def test_a_key_of_ones_own_is_for_every_class(
    root: Path, sources: Callable[[str], Sources], monkeypatch: pytest.MonkeyPatch
) -> None:
    public = Project(Settings()).pseudonym_key(sources("public"))
    monkeypatch.setenv("DS_PIPELINE_PSEUDONYM_KEY", OWN_KEY)

    assert Project(Settings()).pseudonym_key(sources("confidential")) != public


@pytest.mark.parametrize("data_class", ["public", "confidential"])
def test_a_short_key_is_refused_and_not_shown(
    root: Path, sources: Callable[[str], Sources], monkeypatch: pytest.MonkeyPatch, data_class: str
) -> None:
    monkeypatch.setenv("DS_PIPELINE_PSEUDONYM_KEY", "short-secret")

    with pytest.raises(KeyMissingError, match="has 12 characters; at least 24 are needed") as error:
        Project(Settings()).pseudonym_key(sources(data_class))

    assert "short-secret" not in str(error.value)


def test_an_empty_key_counts_as_absent(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DS_PIPELINE_PSEUDONYM_KEY", "")

    assert Settings().pseudonym_key.get_secret_value() == DEMO_KEY


def test_settings_never_print_the_key(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DS_PIPELINE_PSEUDONYM_KEY", OWN_KEY)
    settings = Settings()

    shown: list[Any] = [repr(settings), str(settings), settings.model_dump_json(), vars(Project(settings))]

    assert OWN_KEY not in str(shown)


def test_a_path_is_shown_relative_to_the_project_or_by_its_end(root: Path) -> None:
    project = Project(Settings())

    assert project.shown(root / "data" / "reports" / "x.html") == "data/reports/x.html"
    assert project.shown(Path("/elsewhere/reports/x.html")) == "reports/x.html"


def private_file(root: Path, text: str, *, mode: int = 0o600) -> None:
    (root / ".envrc.local").write_text(text)
    (root / ".envrc.local").chmod(mode)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620])
def test_an_envrc_local_that_others_can_open_stops_every_command(
    root: Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """A key file that others could open was refused; the same key in .envrc.local was taken."""
    monkeypatch.setenv("DS_PIPELINE_PROJECT", str(root))
    private_file(root, f"export DS_PIPELINE_PSEUDONYM_KEY={OWN_KEY}\n", mode=mode)

    with pytest.raises(KeyMissingError) as error:
        open_project()

    assert f".envrc.local can be opened by others (mode {mode:04o})" in str(error.value)
    assert "Run chmod 600 .envrc.local" in str(error.value)
    assert OWN_KEY not in str(error.value)
    assert str(root) not in str(error.value)


def test_the_key_in_envrc_local_is_read_where_direnv_is_absent(
    root: Path, sources: Callable[[str], Sources], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DS_PIPELINE_PSEUDONYM_KEY", raising=False)
    monkeypatch.setenv("DS_PIPELINE_PROJECT", str(root))
    private_file(root, f"export DS_PIPELINE_PSEUDONYM_KEY={OWN_KEY}\nexport OTHER=1\n")
    from_file = open_project().pseudonym_key(sources("confidential"))
    monkeypatch.setenv("DS_PIPELINE_PSEUDONYM_KEY", OWN_KEY)
    assert open_project().pseudonym_key(sources("confidential")) == from_file


@pytest.fixture
def key_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with a key of one's own, the only one that the environment names."""
    path = root / "secrets" / "pseudonym.txt"
    path.parent.mkdir()
    path.write_text(OWN_KEY + "\n")
    path.chmod(0o600)
    monkeypatch.setenv("DS_PIPELINE_PSEUDONYM_KEY_FILE", "secrets/pseudonym.txt")
    return path


def refusal(sources: Sources) -> str:
    """What is said of a key that cannot be used; neither the key nor where it lies."""
    with pytest.raises(KeyMissingError) as error:
        open_project().pseudonym_key(sources)
    shown = str(error.value) + str(error.value.__cause__)
    assert error.value.__suppress_context__ or error.value.__context__ is None
    assert OWN_KEY not in shown
    assert "secrets" not in shown
    return str(error.value)


@pytest.mark.parametrize("end", ["", "\n", "\r\n"])
def test_a_key_in_a_file_is_the_same_key(
    key_file: Path, sources: Callable[[str], Sources], monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    key_file.write_bytes((OWN_KEY + end).encode())
    from_file = open_project().pseudonym_key(sources("confidential"))
    monkeypatch.delenv("DS_PIPELINE_PSEUDONYM_KEY_FILE")
    monkeypatch.setenv("DS_PIPELINE_PSEUDONYM_KEY", OWN_KEY)

    assert open_project().pseudonym_key(sources("confidential")) == from_file


def test_the_file_may_be_named_in_envrc_local_and_the_demo_key_set_beside_it(
    key_file: Path, root: Path, sources: Callable[[str], Sources], monkeypatch: pytest.MonkeyPatch
) -> None:
    """.envrc sets the demo key for everybody, so it says nothing about which key is meant."""
    expected = open_project().pseudonym_key(sources("confidential"))
    monkeypatch.delenv("DS_PIPELINE_PSEUDONYM_KEY_FILE")
    monkeypatch.setenv("DS_PIPELINE_PSEUDONYM_KEY", DEMO_KEY)
    private_file(root, f"export DS_PIPELINE_PSEUDONYM_KEY_FILE={key_file}\n")

    assert open_project().pseudonym_key(sources("confidential")) == expected


@pytest.mark.parametrize("data_class", ["public", "confidential"])
def test_two_keys_are_refused(
    key_file: Path, sources: Callable[[str], Sources], monkeypatch: pytest.MonkeyPatch, data_class: str
) -> None:
    monkeypatch.setenv("DS_PIPELINE_PSEUDONYM_KEY", OWN_KEY[::-1])

    text = refusal(sources(data_class))

    assert "DS_PIPELINE_PSEUDONYM_KEY and DS_PIPELINE_PSEUDONYM_KEY_FILE are both set" in text
    assert OWN_KEY[::-1] not in text


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_file_that_others_can_open_is_refused(
    key_file: Path, sources: Callable[[str], Sources], mode: int
) -> None:
    key_file.chmod(mode)

    assert f"can be opened by others (mode {mode:04o})" in refusal(sources("public"))


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        pytest.param(Path.unlink, "cannot be read: No such file or directory", id="missing"),
        pytest.param(lambda path: path.write_bytes(b"\xff" * 40), "is not text", id="not-text"),
        pytest.param(lambda path: path.write_text("short\n"), "has 5 characters; at least 24", id="short"),
        pytest.param(lambda path: path.write_text("a" * 40), "1 different characters", id="one-character"),
        pytest.param(lambda path: path.write_text("0123456789abcdef\n" * 2), "without blanks", id="two-lines"),
        pytest.param(lambda path: path.write_text(""), "has 0 characters; at least 24", id="empty"),
    ],
)
def test_a_key_file_that_holds_no_key_is_refused(
    key_file: Path, sources: Callable[[str], Sources], break_it: Callable[[Path], Any], message: str
) -> None:
    break_it(key_file)

    assert message in refusal(sources("public"))


def test_the_demo_key_in_a_file_is_the_demo_key(key_file: Path, sources: Callable[[str], Sources]) -> None:
    key_file.write_text(DEMO_KEY)

    assert "is the demo key, which is accepted for public tables only" in refusal(sources("internal"))
