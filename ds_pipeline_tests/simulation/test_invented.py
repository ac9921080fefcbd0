"""Invented people where faker is installed, and a message where it is not."""

from __future__ import annotations

import sys

import pytest

from ds_pipeline.errors import SourceError
from ds_pipeline.simulation.invented import make_faker


def test_a_faker_of_a_locale_invents_people_of_it() -> None:
    fake = make_faker("en_GB")
    fake.seed_instance(1)

    assert fake.locales == ["en_GB"]
    assert fake.postcode()


def test_without_faker_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "faker", None)

    with pytest.raises(SourceError, match=r"pip install 'ds-pipeline\[demo\]'"):
        make_faker("en_GB")
