"""Definitions of many use cases, of which some are broken."""

from __future__ import annotations

import shutil
from pathlib import Path

import dagster as dg
import pytest

from ds_pipeline.defs.assemble import build_definitions
from ds_pipeline.errors import ConfigError

CONFIGS = Path(__file__).resolve().parents[2] / "configs"


def keys(definitions: dg.Definitions) -> set[str]:
    return {spec.key.to_user_string() for spec in definitions.resolve_all_asset_specs()}


def test_a_broken_use_case_is_one_asset_that_says_why_and_stops_no_other(tmp_path: Path) -> None:
    for name in ("good", "Bad Name", ".hidden"):
        shutil.copytree(CONFIGS / "retail_lapse", tmp_path / name)
    (tmp_path / "lost").mkdir()
    (tmp_path / "README.md").write_text("no use case")

    made = build_definitions(tmp_path)

    assert {key.split("/")[0] for key in keys(made)} == {"good", "Bad_Name", "lost"}
    assert {key for key in keys(made) if not key.startswith("good/")} == {
        "Bad_Name/broken_use_case", "lost/broken_use_case",
    }  # fmt: skip
    assert "good/scores" in keys(made)
    with pytest.raises(ConfigError, match="configs/lost has"):
        dg.materialize([made.resolve_assets_def(dg.AssetKey(["lost", "broken_use_case"]))], raise_on_error=True)


def test_a_folder_without_use_cases_has_no_assets(tmp_path: Path) -> None:
    assert keys(build_definitions(tmp_path)) == set()
