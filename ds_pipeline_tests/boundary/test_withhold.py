"""A text that still holds an identifier after the masking is withheld; many of them stop the run."""

from __future__ import annotations

import pandas as pd
import pytest

from ds_pipeline.boundary.withhold import FEW, WITHHELD, with_texts_withheld
from ds_pipeline.errors import LeakError
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import CUSTOMERS


def notes(*texts: str | None) -> pd.DataFrame:
    return pd.DataFrame({"note": texts, "kept": "as it is"})


def test_a_text_with_another_customers_name_is_withheld_and_the_others_stay(bench: Workbench) -> None:
    masked = notes("call <PHONE>", f"ask {CUSTOMERS[1].lower()} instead", None, f"ask {CUSTOMERS[1].lower()} instead")

    result = with_texts_withheld(bench, masked, ["note"], where="notes")

    assert result["note"].fillna("null").tolist() == ["call <PHONE>", WITHHELD, "null", WITHHELD]
    assert result["kept"].tolist() == ["as it is"] * 4


def test_a_text_with_a_pattern_that_the_masking_left_is_withheld(bench: Workbench) -> None:
    result = with_texts_withheld(bench, notes("write to a@b.org", "thanks"), ["note"], where="notes")

    assert result["note"].tolist() == [WITHHELD, "thanks"]


def test_many_texts_with_identifiers_stop_the_run_without_showing_one(bench: Workbench) -> None:
    masked = notes(*[f"{number} ask {CUSTOMERS[1]}" for number in range(FEW + 1)])

    with pytest.raises(LeakError, match=f"notes: column 'note': .* left in {FEW + 1} of {FEW + 1}") as leak:
        with_texts_withheld(bench, masked, ["note"], where="notes")

    assert "Quillon" not in str(leak.value)


def test_other_columns_are_not_withheld_but_left_to_the_scan(bench: Workbench) -> None:
    masked = notes("thanks").assign(kept=CUSTOMERS[1])

    assert with_texts_withheld(bench, masked, ["note"], where="notes")["kept"].tolist() == [CUSTOMERS[1]]
