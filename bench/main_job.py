"""Time and peak memory of the main job on the sample, in a store of its own: python bench/main_job.py"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main() -> None:
    """Run `ds-pipeline run retail_lapse` twice: from nothing, and again on what is there."""
    with tempfile.TemporaryDirectory() as folder:
        names = {"STORE": "store", "DELIVERIES": "deliveries", "REPORTS": "reports", "KEYS": "keys"}
        places = {f"DS_PIPELINE_{name}": f"{folder}/{part}" for name, part in names.items()}
        environment = {**os.environ, **places, "DAGSTER_HOME": f"{folder}/dagster"}
        Path(folder, "dagster").mkdir()
        Path(folder, "dagster", "dagster.yaml").write_bytes((ROOT / ".dagster" / "dagster.yaml").read_bytes())
        for title in ("from nothing", "again"):
            started = time.perf_counter()
            command = [str(Path(sys.executable).parent / "ds-pipeline"), "run", "retail_lapse"]
            done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
            seconds = time.perf_counter() - started
            print("\n".join(line for line in done.stdout.splitlines() if " s  " in line))
            print(f"{title}: exit code {done.returncode}, {seconds:.1f} s wall clock, start-up included")
        peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        print(f"peak memory of the larger of the two: {peak:,.0f} MB")


if __name__ == "__main__":
    main()
