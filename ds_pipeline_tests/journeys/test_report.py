"""What a run leaves for people beside the report: the model card in the bundle, and the same tables in Dagster."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING
from unittest import mock

import dagster as dg

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Journey


def test_a_promoted_version_carries_its_model_card(journey: Journey) -> None:
    bundle = journey.store / "registry" / "versions" / "v0001" / "bundle"
    card = (bundle / "model_card.md").read_text()

    assert card.startswith("# Model card: Which regular customers are about to lapse?")
    assert "## Ethical considerations" in card
    assert "model_card.md" in json.loads((bundle / "manifest.json").read_text())
    (bundle / "model_card.md").write_text(card.replace("reaches all", "misses"))
    done = journey.cli("verify")
    assert done.code != 0
    assert "model_card.md was changed after it was promoted" in done.text


def test_the_tables_of_the_report_are_metadata_of_the_evaluation(journey: Journey) -> None:
    with (
        mock.patch.dict(os.environ, journey.env, clear=True),
        dg.DagsterInstance.from_config(str(journey.root / ".dagster")) as instance,
    ):
        event = instance.get_latest_materialization_event(dg.AssetKey([journey.name, "holdout_evaluation"]))
    assert event is not None
    assert event.asset_materialization is not None
    metadata = event.asset_materialization.metadata

    assert {"gates", "baselines", "worst_slices", "importance", "looks_at_the_holdout"} <= set(metadata)
    weeks = metadata["looks_at_the_holdout"]
    assert isinstance(weeks, dg.TableMetadataValue)
    assert [row.data["configurations"] for row in weeks.records] == [1, 1, 1]
    worst = metadata["worst_slices"]
    assert isinstance(worst, dg.TableMetadataValue)
    assert "average_precision" in [column.name for column in worst.schema.columns]
    assert 0 < metadata["average_precision"].value <= 1  # type: ignore[operator]
