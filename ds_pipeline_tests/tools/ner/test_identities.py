"""Invented identities: drawn from the seed alone."""

import random

from tools.ner.identities import Identities


def test_names_are_written_in_many_forms() -> None:
    who = Identities(random.Random(1))

    names = [who.full() for _ in range(600)]

    assert any(", " in name for name in names)
    assert any("-" in name for name in names)
    assert any(name.split(" ")[0].endswith(".") for name in names)
    assert all(name.strip() == name and name for name in names)
