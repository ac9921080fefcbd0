"""The texts of a customer are searched for what other rows and tables know of the customer, from that week on."""

from __future__ import annotations

from datetime import date, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.boundary.cross import masked_weeks
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import Declare

FIRST, SECOND = date(2011, 3, 7), date(2011, 3, 14)
EARLY, LATER = datetime(2011, 3, 1, 12), datetime(2011, 3, 8, 12)


@pytest.fixture
def shop_with_notes(declare: Declare) -> Workbench:
    """The plans hold a text; a visit knows the nickname of its customer."""
    return declare(
        plan={"identifies": "direct", "treatment": "redact", "nullable": True},
        visits={"allow_silent_weeks": True},
        spend_gbp={"type": "string", "scale": None, "identifies": "direct", "treatment": "drop", "holds": "name"},
    )


def write(bench: Workbench, *, nicknames: list[str], plans: list[tuple[str, str, datetime]]) -> None:
    times = [EARLY, LATER][: len(nicknames)]
    visits = {"customer_token": ["k-77-1900"] * len(nicknames), "spend_gbp": nicknames}
    pq.write_table(
        pa.table(visits | {"visited_at": times, "known_at": times}), bench.project.root / "data/visits.parquet"
    )
    tokens, texts, moments = zip(*plans, strict=True)
    rows = {"customer_token": tokens, "plan": texts, "changed_at": moments, "known_at": moments}
    pq.write_table(
        pa.table({name: list(values) for name, values in rows.items()}), bench.project.root / "data/plans.parquet"
    )


def texts(bench: Workbench) -> list[str]:
    weeks = masked_weeks(bench, "plans", [FIRST, SECOND])
    return [text for week in weeks for text in week.kept["plan"].to_pylist()]


def test_a_name_that_only_another_table_knows_is_masked_in_the_customers_text(shop_with_notes: Workbench) -> None:
    write(shop_with_notes, nicknames=["Xqzvorb"], plans=[("k-77-1900", "so xqzvorb wants the gold plan", EARLY)])

    assert texts(shop_with_notes) == ["so <PERSON_1> wants the gold plan"]


def test_it_is_not_looked_for_in_the_text_of_another_customer(shop_with_notes: Workbench) -> None:
    write(shop_with_notes, nicknames=["Xqzvorb"], plans=[("k-78-2011", "the xqzvorb tariff", EARLY)])

    assert texts(shop_with_notes) == ["the xqzvorb tariff"]


def test_a_past_week_does_not_depend_on_what_became_known_later(shop_with_notes: Workbench) -> None:
    write(
        shop_with_notes,
        nicknames=["Abc", "Xqzvorb"],
        plans=[("k-77-1900", "xqzvorb one", EARLY), ("k-77-1900", "xqzvorb two", LATER)],
    )

    assert texts(shop_with_notes) == ["xqzvorb one", "<PERSON_1> two"]
