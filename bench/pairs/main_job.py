"""`ds-pipeline run retail_lapse` from nothing, beside one plain script that calls the same steps: what Dagster costs.

Each side is a process with folders of its own, start-up included. There is no tiny size: tiny does nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from comparing import Line, Runs, Side, Size, Work, times_as_long
from pairs.made_up import ROOT

from ds_pipeline.digests import digest_bytes

SIZES = {"tiny": {"runs": 0, "rounds": 1}, "default": {"runs": 1, "rounds": 1}, "full": {"runs": 1, "rounds": 3}}
EXACT = 0.0
CASE = "retail_lapse"
PLACES = ("STORE", "DELIVERIES", "REPORTS", "KEYS")
COMMANDS = {
    "ours": [str(Path(sys.executable).with_name("ds-pipeline")), "run", CASE],
    "plain script": [str(Path(__file__).with_name("main_job_script.py"))],
}


def prepare(folder: Path, size: Size) -> None:
    """Nothing: the sample is there."""


def command(name: str) -> Side:
    def side(folder: Path, size: Size) -> Work:
        home = folder / f"{name}-{os.getpid()}"
        (home / "dagster").mkdir(parents=True)
        (home / "dagster" / "dagster.yaml").write_bytes((ROOT / ".dagster" / "dagster.yaml").read_bytes())
        places = {f"DS_PIPELINE_{part}": str(home / part.lower()) for part in PLACES}
        environment = {**os.environ, **places, "DAGSTER_HOME": str(home / "dagster"), "PYTHONHASHSEED": "0"}
        environment["PYTHONPATH"] = f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"

        def work() -> Path:
            for _ in range(size["runs"]):
                done = subprocess.run([sys.executable, *COMMANDS[name]], cwd=ROOT, env=environment, capture_output=True)
                assert done.returncode == 0, done.stdout.decode() + done.stderr.decode()
            return home

        return work

    return side


def answer(made: Path) -> pa.Table:
    """The file of each list, model and week that was made, and its digest."""
    found = dict(_files(made))
    return pa.table({"file": list(found), "digest": list(found.values())})


def _files(home: Path) -> Iterator[tuple[str, str]]:
    for path in sorted([*home.rglob("*.parquet"), *home.rglob("model.joblib")]):
        yield path.relative_to(home).as_posix(), digest_bytes(path.read_bytes())


OURS, SCRIPT = COMMANDS
SIDES: dict[str, Side] = {name: command(name) for name in COMMANDS}
ALONE: set[str] = set()


def lines(runs: Runs, size: Size) -> list[Line]:
    return times_as_long("the main job from nothing", runs, OURS, [SCRIPT], at_most=1.3)
