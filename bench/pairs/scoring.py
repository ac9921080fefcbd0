"""One week scored: features read, validated, scored, ranked and logged, beside a bare loop over the same parquet file.

The loop asks the same model for batches of rows, and writes customer and score.
"""

from __future__ import annotations

import io
import platform
import shutil
from datetime import UTC, date, datetime
from importlib import metadata
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from comparing import Line, Runs, Side, Size, Work, times_as_long
from pairs.made_up import ENTITY, ROOT, project_of, retail

from ds_pipeline.digests import canonical_json, digest_bytes
from ds_pipeline.features.build import features_schema
from ds_pipeline.model.estimator import calibrate, make_estimator
from ds_pipeline.model.predict import inputs_of
from ds_pipeline.scoring.serve import ScoredWeek, score_day
from ds_pipeline.training.fit import to_bytes
from ds_pipeline.use_case.load import UseCase, use_case_of_files
from ds_pipeline.use_case.sql import masked_schema
from ds_pipeline.workbench import Workbench, open_workbench

SIZES = {
    "tiny": {"rows": 500, "rounds": 1},
    "default": {"rows": 100_000, "rounds": 2},
    "full": {"rows": 10_000_000, "rounds": 1},
}
EXACT = 1e-12
INPUTS, BATCH, TRAINED_ON = 40, 100_000, 4_000
PARAMETERS = {"max_iter": 150, "max_leaf_nodes": 16}
SOURCES = Path("data", "samples")


def prepare(folder: Path, size: Size) -> None:
    """A store with one week of features and a version in force for it."""
    bench = _workbench(folder)
    samples = bench.project.root / SOURCES
    if not samples.exists():  # whatever is logged is compared with the identifiers of the sources
        samples.parent.mkdir(exist_ok=True)
        samples.symlink_to(ROOT / SOURCES)
    bench.prepare_to_sign()
    day, datasets = _day(bench), bench.datasets
    for name, table in bench.use_case.sources.tables.items():
        datasets.put_masked(name, {day: (masked_schema(table).empty_table(), {})})
    week = _features(bench.use_case, size["rows"], day)
    datasets.put_weeks(datasets.features, {day: week}, inputs=datasets.inputs_digests(day))
    _promote(bench, day)


def _features(case: UseCase, rows: int, day: date) -> pa.Table:
    random = np.random.default_rng(1)
    letters = random.integers(97, 113, (rows, 32), dtype=np.uint8).tobytes().decode()
    columns = {
        "scoring_date": pa.repeat(pa.scalar(day), rows),
        ENTITY: pa.array(sorted(letters[place : place + 32] for place in range(0, len(letters), 32))),
        "region": pa.array(["United Kingdom", "elsewhere"]).take(pa.array(random.integers(0, 2, rows))),
        "age_band": pa.array(["30-39", "40-49", None]).take(pa.array(random.integers(0, 3, rows))),
    }
    columns |= {name: random.gamma(1, 10, rows).round(3) for name in case.features.of_role("input")}
    return pa.table([columns[field.name] for field in features_schema(case)], schema=features_schema(case))


def _promote(bench: Workbench, day: date) -> None:
    case, random = bench.use_case, np.random.default_rng(2)
    rows = _features(case, TRAINED_ON, day).to_pandas()
    label = (rows["x_01"] + random.gamma(1, 10, TRAINED_ON) > rows["x_02"] + 10).astype(int)
    estimator = make_estimator(case.features, PARAMETERS, seed=1)
    model = calibrate(estimator, method="sigmoid", folds=np.arange(TRAINED_ON) % 2)
    model.fit(inputs_of(rows, case.features), label)
    here = {"python": platform.python_version(), "packages": {"scikit-learn": metadata.version("scikit-learn")}}
    bench.registry.promote(
        {
            "model.joblib": to_bytes(model),
            "lineage.json": canonical_json(here),
            "evaluation.json": b"{}",
            **{f"use_case/{name}": content for name, content in case.files.items()},
        },
        as_of=day,
        candidate_digest=digest_bytes(b"candidate"),
        decision_digest=digest_bytes(b"decision"),
        actor="bench",
        reason="made up",
        at=datetime(day.year, day.month, day.day, tzinfo=UTC),
    )


def _workbench(folder: Path) -> Workbench:
    """All data in one project, so that what a process knows of its sources it knows for all of them."""
    return open_workbench(project_of(folder.parent, f"{folder.name}/store"), _use_case())


def _use_case() -> UseCase:
    """The retail use case with 40 inputs; its slices stay."""
    files = {name: content for name, content in retail().files.items() if not name.startswith("features/")}
    declared = yaml.safe_load(files["features.yaml"])
    kept = {name: one for name, one in declared["features"].items() if one["role"] != "input"}
    number = {"dtype": "float64", "unit": "made up", "nullable": False, "role": "input", "meaning": "made up"}
    names = ["days_since_last_purchase", *(f"x_{place:02d}" for place in range(1, INPUTS))]
    declared["features"] = {name: number | {"minimum": 0, "maximum": 1_000_000} for name in names} | kept
    zeros = ", ".join(f"0::double as {name}" for name in names)
    return use_case_of_files(
        "retail_lapse",
        files
        | {
            "features.yaml": yaml.safe_dump(declared, sort_keys=False).encode(),
            "features/profile.sql": retail().files["features/profile.sql"],
            "features/inputs.sql": f"select {ENTITY}, {zeros} from customers".encode(),
        },
    )


def _day(bench: Workbench) -> date:
    return bench.use_case.clock.first


def ours(folder: Path, size: Size) -> Work:
    bench = _workbench(folder)
    root = bench.datasets.root  # what another run left, since a date is scored once
    for made in (bench.datasets.store.root / "scores", root / "ledger"):
        shutil.rmtree(made, ignore_errors=True)
    (root / "ledger.json").unlink(missing_ok=True)
    return lambda: score_day(bench, _day(bench))


def bare_loop(folder: Path, size: Size) -> Work:
    bench = _workbench(folder)
    model = joblib.load(io.BytesIO(bench.registry.open("v0001").read("model.joblib")))
    inputs = bench.use_case.features.of_role("input")
    (path,) = (bench.datasets.store.root / bench.datasets.features / str(_day(bench))).glob("*.parquet")

    def work() -> Path:
        scored = folder / "scored.parquet"
        with pq.ParquetWriter(scored, pa.schema([(ENTITY, pa.string()), ("score", pa.float64())])) as writer:
            for batch in pq.ParquetFile(path).iter_batches(BATCH):
                frame = batch.to_pandas()
                scores = model.predict_proba(frame[inputs])[:, 1]
                writer.write_table(pa.table({ENTITY: batch[ENTITY], "score": scores}, schema=writer.schema))
        return scored

    return work


def answer(made: ScoredWeek | Path) -> pa.Table:
    """The score of each customer."""
    if isinstance(made, Path):
        return pq.read_table(made).sort_by(ENTITY)
    columns: pd.DataFrame = made.scores[[ENTITY, "score"]]
    schema = pa.schema([(ENTITY, pa.string()), ("score", pa.float64())])
    return pa.Table.from_pandas(columns, schema=schema, preserve_index=False).sort_by(ENTITY)


OURS, LOOP = "ours", "predict_proba loop"
SIDES: dict[str, Side] = {OURS: ours, LOOP: bare_loop}
ALONE: set[str] = set()


def lines(runs: Runs, size: Size) -> list[Line]:
    per_row = (runs[OURS].mb - runs[LOOP].mb) * 1024**2 / size["rows"]
    return [
        *times_as_long("a week against a bare loop", runs, OURS, [LOOP], at_most=1.3),
        Line("memory beyond that of the loop", str(runs[OURS]), str(runs[LOOP]), per_row, form="{:,.0f} bytes a row"),
        Line(
            "10 million rows, at this rate",
            str(runs[OURS]),
            "",
            runs[OURS].seconds * 1e7 / size["rows"],
            120,
            form="{:.0f} s",
        ),
    ]
