"""A text that still holds an identifier after the masking is withheld; many of them stop the run."""

from __future__ import annotations

from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.boundary.withhold import FEW, WITHHELD, with_texts_withheld
from ds_pipeline.errors import LeakError
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import CUSTOMERS, Declare


def notes(*texts: str | None) -> pd.DataFrame:
    return pd.DataFrame({"note": texts, "kept": "as it is"})


def test_a_text_with_another_customers_name_is_withheld_and_the_others_stay(bench: Workbench) -> None:
    masked = notes("call <PHONE>", f"ask {CUSTOMERS[1].lower()} instead", None, f"ask {CUSTOMERS[1].lower()} instead")

    result, later = with_texts_withheld(bench, masked, ["note"], where="notes", weeks=np.zeros(4, dtype=int))

    assert later.tolist() == [0, 0, 0, 0]
    assert result["note"].fillna("null").tolist() == ["call <PHONE>", WITHHELD, "null", WITHHELD]
    assert result["kept"].tolist() == ["as it is"] * 4


def test_a_text_with_a_pattern_that_the_masking_left_is_withheld(bench: Workbench) -> None:
    masked = notes("write to a@b.org", "thanks")

    result, _ = with_texts_withheld(bench, masked, ["note"], where="notes", weeks=np.zeros(2, dtype=int))

    assert result["note"].tolist() == [WITHHELD, "thanks"]


def test_many_texts_with_identifiers_stop_the_run_without_showing_one(bench: Workbench) -> None:
    masked = notes(*[f"{number} ask {CUSTOMERS[1]}" for number in range(FEW + 1)])

    with pytest.raises(LeakError, match=f"notes: column 'note': .* left in {FEW + 1} of {FEW + 1}") as leak:
        with_texts_withheld(bench, masked, ["note"], where="notes", weeks=None)

    assert "Quillon" not in str(leak.value)


def test_other_columns_are_not_withheld_but_left_to_the_scan(bench: Workbench) -> None:
    masked = notes("thanks").assign(kept=CUSTOMERS[1])

    result, _ = with_texts_withheld(bench, masked, ["note"], where="notes", weeks=None)
    assert result["kept"].tolist() == [CUSTOMERS[1]]


@pytest.fixture
def two_weeks_later(declare: Declare) -> Workbench:
    """Customers who come only with the third week."""
    bench = declare(visits={"allow_silent_weeks": True})
    for name in bench.use_case.sources.tables:
        path = bench.project.root / "data" / f"{name}.parquet"
        rows = pq.read_table(path).to_pandas().assign(known_at=datetime(2011, 3, 15), customer_token=CUSTOMERS)
        pq.write_table(pa.Table.from_pandas(rows, preserve_index=False), path)
    return bench


def test_a_text_withheld_for_what_became_known_later_stops_the_run(two_weeks_later: Workbench) -> None:
    """Codes of those who left, known later, were in old notes of theirs: their past was withheld, and told of it."""
    masked = notes(*["thanks"] * 998, f"ask {CUSTOMERS[1]}", f"ask {CUSTOMERS[2]}")

    with pytest.raises(LeakError) as leak:
        with_texts_withheld(two_weeks_later, masked, ["note"], where="notes", weeks=np.ones(1000, dtype=int))

    said = str(leak.value)
    assert "notes: column 'note': 2 of 1,000 masked texts hold a value of visits.customer_token" in said
    assert "known only after the week of the text; at most 1 in 1,000 may" in said
    assert "Quillon" not in said


def test_one_in_a_thousand_is_withheld_for_what_became_known_later_and_counted(two_weeks_later: Workbench) -> None:
    masked = notes(*["thanks"] * 999, f"ask {CUSTOMERS[1]}")
    weeks = np.ones(1000, dtype=int)

    result, later = with_texts_withheld(two_weeks_later, masked, ["note"], where="notes", weeks=weeks)

    assert result["note"].tolist() == ["thanks"] * 999 + [WITHHELD]
    assert later.nonzero()[0].tolist() == [999]
    _, later = with_texts_withheld(two_weeks_later, masked, ["note"], where="notes", weeks=weeks + 1)
    assert not later.any()  # in their own week they are known
    many = notes(*[f"{number} ask {CUSTOMERS[1]}" for number in range(FEW)])
    with_texts_withheld(two_weeks_later, many, ["note"], where="quarantine of notes", weeks=None)  # which no SQL sees
