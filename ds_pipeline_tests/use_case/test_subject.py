"""What gates are about is told from what only inputs are made of, by its name, and the owner of the problem has it."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.use_case.load import UseCase, use_case_of_files
from ds_pipeline.use_case.subject import changed_subject, subject_of

PROFILE = "features/profile.sql"
Told = Callable[..., list[str]]


def edited(case: UseCase, *edits: tuple[str, str, str]) -> UseCase:
    files = dict(case.files)
    for file, part, other in edits:
        assert files[file].count(part.encode()) == 1, (file, part)
        files[file] = files[file].replace(part.encode(), other.encode())
    return use_case_of_files(case.name, files)


@pytest.fixture
def told(retail_lapse: UseCase) -> Told:
    """What is told of edits of files, each as a file, a part of its text and what stands there instead."""
    before = subject_of(retail_lapse)

    def tell(*edits: tuple[str, str, str]) -> list[str]:
        changes = changed_subject(before, {}, edited(retail_lapse, *edits))
        assert {change.owner for change in changes} <= {"crm-analytics"}
        assert all(change.words.startswith(change.key) for change in changes)
        return [re.sub(r"[0-9a-f]{12}", "...", change.words) for change in changes]

    return tell


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("label.sql", "= 0", "< 4"), ["label.sql: ... becomes ..."]),
        (("population.sql", ">= 2", ">= 3"), ["population.sql: ... becomes ..."]),
        (("problem.yaml", "horizon_days: 30", "horizon_days: 29"), ["horizon_days (problem.yaml): 30 becomes 29"]),
        (("problem.yaml", "settle_days: 0", "settle_days: 7"), ["settle_days (problem.yaml): 0 becomes 7"]),
        (
            (PROFILE, "    age_band\n", "    if(customer_token > 'x', '70+', '30-39') as age_band\n"),
            [f"groups of age_band ({PROFILE}, features.yaml): ... becomes ..."],
        ),
        (
            (PROFILE, "country = 'United Kingdom'", "country > 'M'"),
            [f"groups of region ({PROFILE}, features.yaml): ... becomes ..."],
        ),
        (
            ("features/rhythm.sql", "    min(days_ago) as", "    max(days_ago) as"),
            ["rule by days_since_last_purchase (features/rhythm.sql, features.yaml): ... becomes ..."],
        ),
        (
            ("features.yaml", '"60-69", "70+"]', '"60-69", "70+", "80+"]'),
            [f"groups of age_band ({PROFILE}, features.yaml): ... becomes ..."],
        ),
    ],
    ids=lambda one: one[0] if isinstance(one, tuple) else None,
)
def test_what_a_gate_is_of_is_told(told: Told, edit: tuple[str, str, str], said: list[str]) -> None:
    assert told(edit) == said


def test_a_group_that_no_gate_compares_any_more_is_told(told: Told) -> None:
    region = "if(country = 'United Kingdom', 'United Kingdom', 'elsewhere') as region,"
    line = "  region:\n    {dtype: string, unit: category, nullable: true, role: slice, categories: [United Kingdom, elsewhere], meaning: where the customer resides}\n"  # noqa: E501
    assert told((PROFILE, region, ""), ("features.yaml", line, "")) == [
        "groups of region (features.yaml): ... becomes gone"
    ]


@pytest.mark.parametrize(
    "edit",
    [
        ("label.sql", "select customer_token, (count", "-- whoever\nselect  customer_token, (count"),
        ("training.yaml", "seed: 20111205", "seed: 1"),
        ("features/rhythm.sql", "max(gap_days) as", "min(gap_days) as"),
        ("features/rhythm.sql", "days_ago <= 30", "days_ago <= 29"),
        ("features/basket.sql", "days_ago <= 30", "days_ago <= 29"),
        ("problem.yaml", "title: Which", "title: Who, of all, which"),
        ("contract.yaml", "freshness_hours: 24", "freshness_hours: 48"),
    ],
    ids=lambda one: one[0],
)
def test_inputs_words_and_layout_are_free(told: Told, edit: tuple[str, str, str]) -> None:
    assert told(edit) == []


def test_a_new_group_is_free(told: Told) -> None:
    declared = "  is_new: {dtype: bool, unit: flag, nullable: false, role: slice, meaning: x}\n  region:"

    assert (
        told((PROFILE, "    age_band\n", "    age_band, 1 = 1 as is_new\n"), ("features.yaml", "  region:", declared))
        == []
    )


@pytest.mark.parametrize(
    ("part", "other", "said"),
    [
        ("bands: [30, 40, 50, 60, 70]", "bands: [70]", ["column customers.age_band (sources.yaml): ... becomes ..."]),
        (
            "alias: quantity",
            "minimum: 1\n        alias: quantity",
            [
                "rows of transactions (sources.yaml): ... becomes ...",
                "column transactions.quantity (sources.yaml): ... becomes ...",
            ],
        ),
        (
            "alias: unit_price_gbp",
            "maximum: 9\n        alias: unit_price_gbp",
            ["rows of transactions (sources.yaml): ... becomes ..."],
        ),
        ("alias: product", "null_words: [x]\n        alias: product", []),
        ("meaning: age in bands", "meaning: bands", []),
    ],
    ids=["bands-of-a-group", "cells-of-the-label", "rows-by-cells-of-inputs", "cells-of-inputs", "words"],
)
def test_the_cells_that_a_label_or_a_group_is_made_of_are_part_of_it(
    told: Told, part: str, other: str, said: list[str]
) -> None:
    assert told(("sources.yaml", part, other)) == said


def test_of_an_old_declaration_the_files_of_label_and_population_have_to_tell(retail_lapse: UseCase) -> None:
    files = {name: digest_bytes(content) for name, content in retail_lapse.files.items()}
    commented = edited(retail_lapse, ("label.sql", "-- 1: no", "-- One: no"), ("training.yaml", "seed: 2", "seed: 1"))

    assert changed_subject(None, files, retail_lapse) == []
    assert changed_subject(dict.fromkeys(subject_of(retail_lapse), "x"), files, retail_lapse) == []  # of another DuckDB
    assert changed_subject(None, {}, retail_lapse) == []
    assert [change.key for change in changed_subject(None, files, commented)] == ["label.sql"]
