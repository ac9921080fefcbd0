"""What a notebook sees: masked data from the store, nothing of the sources, and no frame that is not there.

A project of its own with three customers, four built weeks and no source file at all.
"""

from __future__ import annotations

import runpy
import shutil
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import yaml

from ds_pipeline import explore
from ds_pipeline.errors import ConfigError, HistoryError, KeyChangedError, RegistryError
from ds_pipeline.evaluation.measure.curves import Bin, Curves
from ds_pipeline.evaluation.measure.facts import Facts
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.project import KEY_VARIABLE, Project, Settings
from ds_pipeline.training.labels import labels_schema
from ds_pipeline.use_case.load import load_use_case
from ds_pipeline.use_case.sql import masked_schema
from ds_pipeline.workbench import Workbench, open_workbench

ROOT = Path(__file__).resolve().parents[1]
CASE = "mini_lapse"
FIRST = date(2011, 4, 4)
DAYS = [FIRST + timedelta(weeks=week) for week in range(4)]
TOKENS = ["aaa", "bbb", "ccc"]
LAPSED = {DAYS[0]: [1, 0, 0], DAYS[1]: [1, 1, None]}  # with a lag of two weeks, these are known in the fourth
EXAMPLES: dict[Callable[[pa.DataType], bool], list[Any]] = {
    pa.types.is_string: ["a", "b", "c"],
    pa.types.is_timestamp: [datetime(2011, 4, 1, 12)] * 3,
    pa.types.is_decimal: [Decimal(1)] * 3,
    pa.types.is_boolean: [True, False, None],
}


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workbench:
    """The project with its four weeks; the environment points at it."""
    monkeypatch.setenv("DS_PIPELINE_PROJECT", str(tmp_path))
    folder = tmp_path / "configs" / CASE
    shutil.copytree(ROOT / "configs" / "retail_lapse", folder)
    (tmp_path / "workspace.yaml").touch()
    problem = yaml.safe_load((folder / "problem.yaml").read_text())
    problem |= {"horizon_days": 14, "clock": problem["clock"] | {"first": FIRST}}
    (folder / "problem.yaml").write_text(yaml.safe_dump(problem))
    bench = open_workbench(Project(Settings(project=tmp_path)), load_use_case(folder))
    for day in DAYS:
        for name, table in bench.use_case.sources.tables.items():
            put(bench, bench.datasets.masked(name), day, rows_of(masked_schema(table)))
    inputs = bench.datasets.inputs_digests(DAYS[-1])
    for day in DAYS:
        put(bench, bench.datasets.features, day, features_of(bench, day), inputs=inputs[day])
        scored = day - bench.use_case.clock.lag
        labels = labels_of(bench, scored) if scored in LAPSED else labels_of(bench, scored).slice(0, 0)
        put(bench, bench.datasets.labels, day, labels, inputs=inputs[day])
    return bench


def put(bench: Workbench, dataset: str, day: date, table: pa.Table, **info: str) -> None:
    bench.datasets.store.put(table, dataset=dataset, partition=str(day), info=info)


def rows_of(schema: pa.Schema) -> pa.Table:
    """Three rows; any value does where no test looks at it."""

    def values(kind: pa.DataType) -> pa.Array:
        found = next((example for is_kind, example in EXAMPLES.items() if is_kind(kind)), [1, 2, 3])
        return pa.array(found, kind)

    return pa.table({field.name: values(field.type) for field in schema}, schema=schema)


def features_of(bench: Workbench, day: date) -> pa.Table:
    kinds = {"int64": pa.int64(), "float64": pa.float64(), "bool": pa.bool_()}
    declared = bench.use_case.features.features
    schema = pa.schema([(name, kinds.get(one.dtype, pa.string())) for name, one in declared.items()])
    keys = {"scoring_date": pa.array([day] * 3, pa.date32()), bench.use_case.problem.entity: pa.array(TOKENS)}
    return pa.table(keys | dict(zip(schema.names, rows_of(schema).columns, strict=True)))


def labels_of(bench: Workbench, scored: date) -> pa.Table:
    schema = labels_schema(bench.use_case.problem.entity)
    known = {"scoring_date": [scored] * 3, "customer_token": TOKENS, "label": LAPSED.get(scored, [0, 0, 0])}
    return pa.table(
        {field.name: pa.array(known.get(field.name, [None] * 3), field.type) for field in schema}, schema=schema
    )


def promote(bench: Workbench) -> None:
    """A champion whose holdout had two bins."""
    evaluation = Evaluation(
        measured_as="x",
        problems=[],
        facts=Facts(
            rows=6, positives=3, entities=3, base_rate=0.5, weeks=DAYS[:2], training_rows=9, training_positives=4
        ),
        measurements={},
        curves=Curves(
            deciles=[],
            score=[],
            baseline=[],
            calibration=[Bin(rows=4, mean_score=0.2, rate=0.25), Bin(rows=2, mean_score=0.9, rate=1.0)],
        ),
    )
    bench.prepare_to_sign()
    bench.registry.promote(
        {"model.joblib": b"not looked at", "lineage.json": b"{}", "evaluation.json": evaluation.to_json()},
        as_of=DAYS[-1],
        candidate_digest="1" * 64,
        decision_digest="2" * 64,
        actor="somebody",
        reason="for the test",
        at=datetime.fromisoformat("2011-04-25T12:00:00+00:00"),
    )


def run_notebook(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    """As `python notebooks/explore.py arguments`, inside this process."""
    monkeypatch.setattr(sys, "argv", ["explore.py", *arguments])
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    runpy.run_path(str(ROOT / "notebooks" / "explore.py"), run_name="__main__")


def test_a_masked_table_holds_every_week_up_to_the_date(bench: Workbench) -> None:
    """The project has no source file, so nothing else can have been read."""
    assert len(explore.masked_table(CASE, "customers", until=DAYS[1])) == 6
    rows = explore.masked_table(CASE, "transactions", until=DAYS[3])
    assert len(rows) == 12
    assert list(rows.columns) == masked_schema(bench.use_case.sources.tables["transactions"]).names
    assert not {"full_name", "email", "phone"} & set(explore.masked_table(CASE, "customers", until=DAYS[3]).columns)


def test_a_table_that_does_not_exist_is_named_with_those_that_do(bench: Workbench) -> None:
    with pytest.raises(ConfigError, match=r"Known: .*customers"):
        explore.masked_table(CASE, "customer", until=DAYS[3])


def test_a_week_that_is_not_built_is_refused_with_the_command_that_builds_it(bench: Workbench) -> None:
    shutil.rmtree(bench.datasets.store.root / "masked" / "customers")
    command = f"ds-pipeline history {CASE} --date {DAYS[3]}"

    with pytest.raises(HistoryError, match=command):
        explore.masked_table(CASE, "customers", until=DAYS[3])
    with pytest.raises(HistoryError, match=command):
        explore.features(CASE, DAYS[3])


def test_nothing_built_at_all_names_the_command(bench: Workbench) -> None:
    shutil.rmtree(bench.datasets.store.root)

    with pytest.raises(HistoryError, match=f"ds-pipeline history {CASE}"):
        explore.newest(CASE)


def test_another_pseudonym_key_is_refused(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, table in bench.use_case.sources.tables.items():
        key = {"key": bench.datasets.key_fingerprint}
        put(bench, bench.datasets.masked(name), DAYS[3], rows_of(masked_schema(table)), **key)
    monkeypatch.setenv(KEY_VARIABLE, "another-key-made-up-for-this-test")

    with pytest.raises(KeyChangedError):
        explore.masked_table(CASE, "customers", until=DAYS[3])


def test_features_and_the_labels_that_belong_to_them(bench: Workbench) -> None:
    assert explore.newest(CASE) == DAYS[3]
    assert len(explore.features(CASE, DAYS[3])) == 3
    rows = explore.labelled(CASE, DAYS[1])
    assert rows["customer_token"].tolist() == TOKENS
    assert rows["label"].tolist()[:2] == [1.0, 1.0]
    assert rows["label"].isna().tolist() == [False, False, True]


def test_an_outcome_that_is_not_known_yet_is_refused(bench: Workbench) -> None:
    with pytest.raises(HistoryError, match="2011-05-09"):  # the partition in which it would mature
        explore.labelled(CASE, DAYS[3])


def test_the_base_rate_by_scoring_date_leaves_out_the_undecided(bench: Workbench) -> None:
    rates = explore.base_rates(CASE, until=DAYS[3])

    assert rates["scoring_date"].tolist() == DAYS[:2]
    assert rates[["rows", "undecided", "positives"]].to_numpy().tolist() == [[3, 0, 1], [3, 1, 2]]
    assert rates["base_rate"].tolist() == pytest.approx([1 / 3, 1.0])
    assert explore.base_rates(CASE, until=DAYS[1]).empty


def test_calibration_is_that_of_the_champion(bench: Workbench) -> None:
    assert explore.champion(CASE) is None
    with pytest.raises(RegistryError, match=f"ds-pipeline run {CASE}"):
        explore.calibration(CASE)

    promote(bench)

    assert explore.champion(CASE) == "v0001"
    expected = pd.DataFrame({"mean_score": [0.2, 0.9], "rate": [0.25, 1.0], "rows": [4, 2]})
    pd.testing.assert_frame_equal(explore.calibration(CASE), expected)


def test_a_champion_that_was_changed_on_disk_is_not_shown(bench: Workbench) -> None:
    promote(bench)
    path = bench.registry.root / "versions" / "v0001" / "bundle" / "evaluation.json"
    path.write_text(path.read_text().replace("0.25", "0.35"))

    with pytest.raises(RegistryError, match=r"evaluation\.json was changed"):
        explore.calibration(CASE)


def test_exploring_writes_nothing(bench: Workbench) -> None:
    promote(bench)

    def files() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in bench.project.root.rglob("*")}

    before = files()
    explore.masked_table(CASE, "customers", until=DAYS[3])
    explore.labelled(CASE, DAYS[1])
    explore.base_rates(CASE, until=DAYS[3])
    explore.calibration(CASE)

    assert files() == before


@pytest.mark.parametrize("feature", ["days_since_last_purchase", "age_band"])  # a number and a text
def test_the_notebook_runs_without_a_browser(bench: Workbench, monkeypatch: pytest.MonkeyPatch, feature: str) -> None:
    promote(bench)

    run_notebook(monkeypatch, "--use-case", CASE, "--feature", feature)


def test_no_source_is_named_in_the_notebook() -> None:
    text = (ROOT / "notebooks" / "explore.py").read_text()

    assert not [word for word in ("read_parquet", "read_csv", "data/", "ingestion", "open(") if word in text]
    assert "explore.masked_table(" in text
