"""All checks in their order, each with the same material."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from ds_pipeline.evaluation.checks.material import Checked, Material, check_all
from ds_pipeline.evaluation.measure.measurement import Measurement

ONE = Measurement(metric="m", value=1.0)
TWO = Measurement(metric="m", value=2.0)


@pytest.fixture
def material() -> Material:
    names = Material.__dataclass_fields__
    case = SimpleNamespace(problem=SimpleNamespace(entity="token"), features="f", requirements="r")
    return Material(**{name: None for name in names} | {"use_case": case})


def test_what_the_use_case_says_is_said_by_the_material(material: Material) -> None:
    assert (material.entity, material.features, material.requirements) == ("token", "f", "r")


def test_findings_and_measurements_of_all_checks_come_together_in_their_order(material: Material) -> None:
    seen: list[Any] = []

    def first(of: Material) -> Checked:
        seen.append(of)
        return Checked({"overlap": 1, "errors": 2}, {"a": ONE})

    def silent(of: Material) -> Checked:
        return Checked()

    def last(of: Material) -> Checked:
        seen.append(of)
        return Checked({"labels": 3}, {"b": TWO})

    found = check_all((first, silent, last), material)

    assert seen == [material, material]
    assert list(found.findings.items()) == [("overlap", 1), ("errors", 2), ("labels", 3)]
    assert list(found.measurements.items()) == [("a", ONE), ("b", TWO)]


def test_no_check_finds_nothing(material: Material) -> None:
    assert check_all((), material) == Checked({}, {})


def test_a_check_that_cannot_be_made_stops_all(material: Material) -> None:
    def broken(of: Material) -> Checked:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        check_all((broken,), material)
