"""Invented identities: drawn from the seed alone."""

import os
import random
import subprocess
import sys

from tools.ner.identities import Identities

_DRAW = """
import hashlib, random
from tools.ner.identities import Identities
who = Identities(random.Random(3))
drawn = [draw() for _ in range(400) for draw in (who.full, who.address, who.org, who.email, who.code, who.date)]
print(hashlib.sha256(repr(drawn).encode()).hexdigest())
"""


def test_the_same_seed_draws_the_same_whatever_the_hash_seed() -> None:
    """Italian addresses of faker followed the hash seed, and two trainings made two models."""
    digests = {
        subprocess.run(
            [sys.executable, "-c", _DRAW], env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True
        ).stdout
        for seed in ("0", "12345")
    }

    assert len(digests) == 1


def test_names_are_written_in_many_forms() -> None:
    who = Identities(random.Random(1))

    names = [who.full() for _ in range(600)]

    assert any(", " in name for name in names)
    assert any("-" in name for name in names)
    assert any(name.split(" ")[0].endswith(".") for name in names)
    assert all(name.strip() == name and name for name in names)
