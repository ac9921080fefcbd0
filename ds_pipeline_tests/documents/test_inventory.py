"""data/README.md says what the sources.yaml files say, today."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from ds_pipeline.documents.inventory import data_readme
from ds_pipeline.use_case.load import UseCase, known_use_cases, load_use_case
from ds_pipeline.use_case.sources import Sources

ROOT = Path(__file__).resolve().parents[2]


def declared(use_case: UseCase, table: str, **changes: Any) -> UseCase:
    """The use case with other facts of a table."""
    tables = dict(use_case.sources.tables)
    tables[table] = tables[table].model_copy(update=changes)
    return replace(use_case, sources=Sources.model_construct(tables=tables))


def section(text: str, name: str) -> str:
    return text.partition(f"### {name}\n")[2].partition("\n##")[0]


def test_data_readme_is_current() -> None:
    """`ds-pipeline docs` writes it anew."""
    use_cases = [load_use_case(ROOT / "configs" / name) for name in known_use_cases(ROOT / "configs")]

    assert (ROOT / "data" / "README.md").read_text(encoding="utf-8") == data_readme(use_cases)


def test_every_table_and_column_of_every_use_case_is_listed(retail_lapse: UseCase, shop: UseCase) -> None:
    text = data_readme([retail_lapse, shop])

    assert re.findall(r"^## (\w+)$", text, re.MULTILINE) == ["retail_lapse", "shop"]
    for use_case in (retail_lapse, shop):
        for name, table in use_case.sources.tables.items():
            assert f"| {name} | `{table.lies_at}` | {table.data_class} |" in text
            assert [f"`{column}`" in section(text, name) for column in table.columns] == [True] * len(table.columns)


def test_the_facts_of_a_table_are_told(retail_lapse: UseCase) -> None:
    text = data_readme([retail_lapse])
    customers, transactions = section(text, "customers"), section(text, "transactions")

    assert "| customers | `data/samples/customers.parquet` | public | invented | a version of a customer |" in text
    assert "- licence: CC0, as stated by the package it was taken from\n" in transactions
    assert "> Chen, D., Sain, S. L. and Guo, K. (2012)." in transactions
    assert "Invented people for the 4,372 customer numbers" in customers
    assert "at least 5 share each combination of `age_band` and `country`, judged from 1,000 people on" in customers
    assert "| `full_name` | string | direct | dropped |" in customers
    assert "| `customer_id` | integer | direct | `customer_token`: a token (domain customer) |" in customers
    assert "`country`: United Kingdom; anything else is other" in customers
    assert "`age_band`: age in bands from 30, 40, 50, 60, 70" in customers


def test_an_exemption_from_the_scan_is_told_with_its_reason(retail_lapse: UseCase) -> None:
    table = retail_lapse.sources.tables["customers"]
    column = table.columns["updated_at"].model_copy(update={"scan_exempt": "a date like any other"})
    changed = declared(retail_lapse, "customers", columns={**table.columns, "updated_at": column})

    assert "- `updated_at`: a date like any other\n" in data_readme([changed])
    assert "a date like any other" not in data_readme([retail_lapse])


def test_what_is_not_stated_is_said_to_be_so(shop: UseCase) -> None:
    text = section(data_readme([shop]), "visits")

    assert "Origin: not stated." in text
    assert "- licence: not stated\n" in text
    assert "Please cite" not in text


def test_a_text_with_bars_and_breaks_stays_in_its_cell(retail_lapse: UseCase) -> None:
    changed = declared(retail_lapse, "customers", meaning="a version |\n of a customer")

    assert "| a version \\| of a customer |" in data_readme([changed])


def test_the_same_files_give_the_same_text(retail_lapse: UseCase) -> None:
    assert data_readme([retail_lapse]) == data_readme([retail_lapse])


@pytest.mark.parametrize("name", ["transactions", "customers"])
def test_the_counts_in_the_origin_of_a_sample_are_those_of_its_file(retail_lapse: UseCase, name: str) -> None:
    table = retail_lapse.sources.tables[name]
    rows = pq.read_metadata(ROOT / table.path).num_rows

    assert f"{rows:,} rows" in str(table.origin)
