from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ds_pipeline.errors import ConfigError
from ds_pipeline.use_case.load import load_use_case

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of retail_lapse that a test may break."""
    return shutil.copytree(CONFIGS / "retail_lapse", tmp_path / "configs" / "retail_lapse")


@pytest.fixture
def change(folder: Path) -> Callable[[str, str, str], None]:
    """Replace a text that is there, once, in a file of the copy."""

    def replace(file: str, old: str, new: str) -> None:
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1))

    return replace


@pytest.fixture
def problems(folder: Path) -> Callable[[], list[str]]:
    """What is wrong with the copy, one text each, without the name of its folder."""

    def load() -> list[str]:
        with pytest.raises(ConfigError) as error:
            load_use_case(folder)
        first, *rest = str(error.value).splitlines()
        assert first.startswith(f"configs/retail_lapse has {len(rest)} problem")
        assert str(folder.parent) not in str(error.value)
        return [line.removeprefix("  - configs/retail_lapse/") for line in rest]

    return load
