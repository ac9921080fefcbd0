"""Weeks, and what is set aside in each: nothing is lost, nothing is decided by what came later."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from ds_pipeline.clock import Clock
from ds_pipeline.errors import SourceError
from ds_pipeline.ingestion.ingest import REASON, REASONS, Week, known_before, known_values, split_weeks
from ds_pipeline.ingestion.read import FILE, ROW_NUMBER
from ds_pipeline.use_case.sources import Table

FIRST, SECOND, THIRD = (date(2011, 3, 7) + timedelta(weeks=week) for week in range(3))
EARLY = datetime(2011, 3, 1, 9)
Declare = Callable[..., Table]
Split = Callable[..., list[Week]]


def source(*rows: tuple[Any, Any, Any, Any]) -> pa.Table:
    """payment, amount, note, paid_at (local time)."""
    payment, amount, note, paid_at = zip(*rows, strict=True)
    columns = {
        "payment": pa.array(payment, pa.float64()), "amount": pa.array(amount, pa.float64()),
        "note": pa.array(note, pa.string()), "paid_at": pa.array(paid_at, pa.timestamp("us")),
        ROW_NUMBER: pa.array(range(len(rows))),
    }  # fmt: skip
    return pa.table(columns)


@pytest.fixture
def split(declare: Declare, clock: Clock) -> Split:
    """The asked weeks of a source; the first one alone unless more are asked."""

    def run(raw: pa.Table, *days: date, **changes: Any) -> list[Week]:
        table = changes.pop("table", None) or declare(**changes)
        return split_weeks(raw, table, name="payments", clock=clock, days=list(days) or [FIRST])

    return run


def reasons(week: Week) -> list[tuple[int, str, str]]:
    found = week.quarantined[[ROW_NUMBER, REASON, REASONS]]
    return list(found.itertuples(index=False, name=None))


def test_sound_rows_are_kept_in_source_order(split: Split) -> None:
    (week,) = split(source((2, 5.0, "b", EARLY), (1, 100.0, None, EARLY), (3, 0.0, "a", EARLY)))

    assert week.kept["payment"].tolist() == [2, 1, 3]
    assert (week.read, len(week.quarantined)) == (3, 0)
    assert list(week.kept.columns) == ["payment", "amount", "note", "paid_at"]


@pytest.mark.parametrize(
    ("row", "reason", "cleared"),
    [
        pytest.param((1.5, 5.0, "x", EARLY), "unreadable:payment", "payment", id="unreadable"),
        pytest.param((1, float("inf"), "x", EARLY), "unreadable:amount", "amount", id="unreadable-double"),
        pytest.param((None, 5.0, "x", EARLY), "missing:payment", "payment", id="missing"),
        pytest.param((1, -0.5, "x", EARLY), "out_of_range:amount", "amount", id="below"),
        pytest.param((1, 100.5, "x", EARLY), "out_of_range:amount", "amount", id="beyond"),
    ],
)
def test_a_faulty_row_is_set_aside_without_the_faulty_cell(
    split: Split, row: tuple[Any, Any, Any, Any], reason: str, cleared: str
) -> None:
    (week,) = split(source(row, (7, 5.0, "y", EARLY)))

    assert week.kept["payment"].tolist() == [7]
    assert reasons(week) == [(0, reason, reason)]
    names = ["payment", "amount", "note"]
    assert week.quarantined[names].isna().iloc[0].tolist() == [name == cleared for name in names]


def test_the_second_of_two_equal_rows_is_set_aside(split: Split) -> None:
    (week,) = split(source((1, 5.0, "x", EARLY), (1, 5.0, "x", EARLY), (1, 5.0, None, EARLY)))

    assert len(week.kept) == 2
    assert reasons(week) == [(1, "exact_duplicate", "exact_duplicate")]


def test_of_two_rows_with_one_key_neither_is_kept(split: Split) -> None:
    rows = source((1, 5.0, "x", EARLY), (2, 5.0, "x", EARLY), (1, 6.0, "x", EARLY), (1, 5.0, "x", EARLY))

    (week,) = split(rows, key=["payment"])

    assert week.kept["payment"].tolist() == [2]
    assert reasons(week) == [
        (0, "duplicate_key", "duplicate_key"),
        (2, "duplicate_key", "duplicate_key"),
        (3, "exact_duplicate", "exact_duplicate"),
    ]


def test_an_equal_row_alone_does_not_break_a_key(split: Split) -> None:
    (week,) = split(source((1, 5.0, "x", EARLY), (1, 5.0, "x", EARLY)), key=["payment"])

    assert week.kept["payment"].tolist() == [1]


def test_a_later_row_with_the_same_key_does_not_take_back_an_earlier_week(split: Split) -> None:
    """Asked together, the two weeks lost both rows; asked one by one, as on Mondays, they kept both."""
    rows = source((1, 5.0, "x", EARLY), (1, 6.0, "x", EARLY + timedelta(weeks=1)))

    together = split(rows, FIRST, SECOND, key=["payment"])
    alone = [split(rows, day, key=["payment"])[0] for day in (FIRST, SECOND)]

    for one, other in zip(together, alone, strict=True):
        pd.testing.assert_frame_equal(one.kept, other.kept)
    assert [len(week.kept) for week in together] == [1, 0]


def test_a_row_that_becomes_known_in_9999_is_one_of_the_future(split: Split, declare: Declare) -> None:
    """One open end of 840 rows stopped everything with an OverflowError."""
    table = declare()
    paid_at = table.columns["paid_at"].model_copy(update={"maximum": None})
    table = table.model_copy(update={"columns": table.columns | {"paid_at": paid_at}})
    rows = source((1, 5.0, "x", EARLY), (2, 5.0, "x", datetime(9999, 12, 31, 23, 59, 59)))

    weeks = split(rows, FIRST, SECOND, THIRD, table=table)

    assert [(week.read, len(week.kept)) for week in weeks] == [(1, 1), (0, 0), (0, 0)]


HOUR, ONE_WEEK = timedelta(hours=1), timedelta(weeks=1)


@pytest.mark.parametrize(
    ("rows", "kept", "aside"),
    [
        pytest.param([(1, EARLY), (1, EARLY + ONE_WEEK)], [0], [(1, "repeated_key")], id="another-week"),
        pytest.param([(1, EARLY), (1, EARLY + HOUR)], [0], [(1, "repeated_key")], id="the-same-week"),
        pytest.param([(1, EARLY + 2 * ONE_WEEK), (1, EARLY)], [1], [(0, "repeated_key")], id="the-repetition-first"),
        pytest.param(
            [(1, EARLY), (1, EARLY), (1, EARLY + ONE_WEEK), (1, EARLY + 2 * ONE_WEEK)],
            [2],
            [(0, "duplicate_key"), (1, "duplicate_key"), (3, "repeated_key")],
            id="none-of-two-at-one-instant-but-the-next",
        ),
        pytest.param([(None, EARLY), (None, EARLY + ONE_WEEK)], [0, 1], [], id="without-a-key"),
    ],
)
def test_a_key_counts_once_whatever_week_it_is_delivered_in(
    split: Split, declare: Declare, rows: list[Any], kept: list[int], aside: list[tuple[int, str]]
) -> None:
    """An order that was delivered again in another week counted twice, and in the first partition not at all.

    Whichever way the weeks are built, one by one, together, or from the source as it stood then.
    """
    columns = {"payment": {"type": "integer", "nullable": True}, "amount": {"type": "double"}}
    table = declare(columns, key=["payment"])
    raw = pa.table(
        {
            "payment": pa.array([row[0] for row in rows], pa.int64()),
            "amount": [float(number) for number in range(len(rows))],
            "paid_at": [row[1] for row in rows],
            ROW_NUMBER: range(len(rows)),
        }
    )
    days = [FIRST, SECOND, THIRD]

    together = split(raw, *days, table=table)

    assert sorted(int(one) for week in together for one in week.kept["amount"]) == kept
    assert sorted((row, why) for week in together for row, why, _ in reasons(week)) == aside
    for day, week in zip(days, together, strict=True):
        (alone,) = split(raw, day, table=table)
        cut = known_before(raw, table, moment=datetime(day.year, day.month, day.day, tzinfo=UTC))
        (then,) = split(cut, day, table=table)
        for other in (alone, then):
            pd.testing.assert_frame_equal(week.kept, other.kept)
            assert reasons(week) == reasons(other)
            assert len(other.kept) + len(other.quarantined) == other.read


def test_a_faulty_delivery_is_none(split: Split) -> None:
    rows = source((1, -1.0, "x", EARLY), (1, 5.0, "x", EARLY + ONE_WEEK), (1, 5.0, "x", EARLY + 2 * ONE_WEEK))

    weeks = split(rows, FIRST, SECOND, THIRD, key=["payment"])

    assert [len(week.kept) for week in weeks] == [0, 1, 0]
    assert [reasons(week)[0][1] for week in weeks if len(week.quarantined)] == ["out_of_range:amount", "repeated_key"]


def test_several_reasons_are_all_listed_and_the_first_in_precedence_leads(split: Split) -> None:
    rows = source((1.5, -1.0, "x", EARLY), (1.5, -1.0, "x", EARLY), (None, -1.0, "x", EARLY), (3, -1.0, "x", EARLY))

    (week,) = split(rows, key=["amount"])

    assert reasons(week) == [
        (0, "unreadable:payment", "unreadable:payment;out_of_range:amount"),
        (1, "unreadable:payment", "unreadable:payment;out_of_range:amount;exact_duplicate"),
        (2, "missing:payment", "missing:payment;out_of_range:amount;exact_duplicate"),
        (3, "out_of_range:amount", "out_of_range:amount"),
    ]


def test_a_cell_that_cannot_be_read_leads_before_one_that_is_missing(split: Split) -> None:
    (week,) = split(source((None, float("inf"), "x", EARLY)))

    assert reasons(week) == [(0, "unreadable:amount", "unreadable:amount;missing:payment")]


def test_every_row_read_is_kept_or_set_aside_in_its_week(split: Split) -> None:
    """Weeks begin on Monday 00:00 London; the first holds all before it, and a row at D belongs to the next."""
    at = [
        datetime(2011, 1, 1), datetime(2011, 3, 6, 23, 59, 59), datetime(2011, 3, 7), datetime(2011, 3, 13, 23, 59),
        datetime(2011, 3, 14), datetime(2011, 3, 22),
    ]  # fmt: skip
    rows = source(*[(number, -1.0 if number % 2 else 1.0, "x", moment) for number, moment in enumerate(at)])

    weeks = split(rows, FIRST, SECOND, THIRD)

    assert [week.kept["payment"].tolist() for week in weeks] == [[0], [2], [4]]
    assert [week.quarantined["payment"].tolist() for week in weeks] == [[1], [3], []]
    assert [week.read for week in weeks] == [2, 2, 1]


def test_a_week_begins_at_local_midnight(split: Split) -> None:
    """From 27 March on London is an hour ahead of UTC: Monday 28 March begins on Sunday at 23:00 UTC."""
    rows = source((1, 1.0, None, datetime(2011, 3, 27, 23, 59)), (2, 1.0, None, datetime(2011, 3, 28)))

    weeks = split(rows, date(2011, 3, 28), date(2011, 4, 4))

    assert [week.kept["payment"].tolist() for week in weeks] == [[1], [2]]
    assert weeks[1].kept["paid_at"].tolist() == [datetime(2011, 3, 27, 23, tzinfo=UTC)]


def test_a_week_without_rows_is_empty_and_typed(split: Split) -> None:
    (week,) = split(source((1, 1.0, "x", EARLY)), THIRD)

    assert (week.read, len(week.kept), len(week.quarantined)) == (0, 0, 0)
    assert list(week.quarantined.columns) == ["payment", "amount", "note", "paid_at", ROW_NUMBER, REASON, REASONS]


def test_a_week_without_events_stops_the_run_unless_it_is_declared_normal(declare: Declare, clock: Clock) -> None:
    """A source that is late or has ended made everyone look lapsed, and the list was delivered."""
    table = declare(allow_silent_weeks=False)
    with pytest.raises(SourceError, match=r"payments .* no row became known in the week before 2011-03-21"):
        split_weeks(source((1, 1.0, "x", EARLY)), table, name="payments", clock=clock, days=[THIRD])


def test_a_week_before_all_data_names_the_first_date_that_has_some(declare: Declare, clock: Clock) -> None:
    """The advice to declare silent weeks built a history of nothing; the clock begins too early."""
    raw = source((1, 1.0, "x", datetime(2011, 4, 4, 0, 30)), (2, 1.0, "x", datetime(2011, 4, 9)))

    with pytest.raises(SourceError) as refused:
        split_weeks(raw, declare(allow_silent_weeks=False), name="payments", clock=clock, days=[FIRST, SECOND])
    assert "before 2011-03-07; the data begin on 2011-04-04. Set clock.first in problem.yaml to 2011-04-11" in str(
        refused.value
    )
    assert "allow_silent_weeks" not in str(refused.value)


def test_of_a_database_a_week_says_nothing_of_what_lies_before_it(declare: Declare, clock: Clock) -> None:
    """Only the rows of the asked weeks are fetched."""
    query = {"path": "", "format": "query", "connection_env": "SHOP_DB", "query": "select * from payments"}
    raw = source((1, 1.0, "x", datetime(2011, 3, 15)))

    with pytest.raises(SourceError, match="allow_silent_weeks"):
        split_weeks(raw, declare(allow_silent_weeks=False, **query), name="payments", clock=clock, days=[SECOND, THIRD])


@pytest.mark.parametrize(
    "moment",
    [
        pytest.param(None, id="missing"),
        pytest.param(datetime(2010, 12, 31, 23), id="too-early"),
        pytest.param(datetime(2013, 1, 1), id="too-late"),
    ],
)
def test_a_row_that_belongs_to_no_week_stops_the_run(split: Split, moment: datetime | None) -> None:
    with pytest.raises(
        SourceError, match=r"payments \(data/payments.parquet\): 1 rows have no date in paid_at"
    ) as error:
        split(source((1, 1.0, "x", EARLY), (2, 1.0, "x", moment)))

    assert "2011-01-01 to 2012-12-31" in str(error.value)
    assert "2010-12-31" not in str(error.value)
    assert "2013" not in str(error.value)


def test_rows_without_a_date_are_told_with_their_place_and_what_was_expected(split: Split, declare: Declare) -> None:
    """The message ended in `lies in ... to ....`, and said neither which rows nor what to set."""
    raw = source((1, 1.0, "x", EARLY), *[(2, 1.0, "x", None)] * 4)

    def dated(**said: Any) -> Table:
        table = declare(format="csv")
        column = table.columns["paid_at"].model_copy(update=said)
        return table.model_copy(update={"columns": table.columns | {"paid_at": column}})

    with pytest.raises(SourceError) as plain:
        split(raw, table=dated(minimum=None, maximum=None))
    assert str(plain.value).endswith(
        ": 4 rows have no date in paid_at that can be used; expected a date written as iso (2024-03-07 or 2024-03-07 "
        "09:30). The first, counted from 0: 1, 2, 3. Such a row belongs to no week. Correct the source or formats."
    )

    with pytest.raises(SourceError) as formatted:
        split(raw.append_column(FILE, pa.array(["a.csv", *["b.csv"] * 4])), table=dated(formats=["%d/%m/%Y"]))
    assert str(formatted.value).endswith(
        "expected a date written as %d/%m/%Y, from 2011-01-01 to 2012-12-31. The first, counted from 0: 1 of b.csv, "
        "2 of b.csv, 3 of b.csv. Such a row belongs to no week. Correct the source or formats or minimum and maximum."
    )


def test_a_limit_of_a_time_is_a_day_in_the_tables_time_zone(split: Split, declare: Declare) -> None:
    """It was a day in UTC: the last evening of a New York table lay beyond its maximum and stopped the run."""
    table = declare(time_zone="America/New_York")

    (week,) = split(source((1, 1.0, None, datetime(2012, 12, 31, 23))), date(2013, 1, 7), table=table)

    assert len(week.kept) == 1
    with pytest.raises(SourceError, match="no date in paid_at"):
        split(source((1, 1.0, None, datetime(2010, 12, 31, 23, 30))), table=table)


@pytest.mark.parametrize(
    ("column", "values", "kept"),
    [
        pytest.param({"type": "decimal", "scale": 3, "above": 0}, [-1.0, 0.0, 0.001], [Decimal("0.001")], id="above"),
        pytest.param({"type": "decimal", "scale": 1, "maximum": 0.3}, [0.3, 0.4], [Decimal("0.3")], id="decimal"),
        pytest.param({"type": "decimal", "scale": 2, "maximum": 1e18}, [0.3], [Decimal("0.30")], id="wide-limit"),
        pytest.param({"type": "integer", "minimum": 0.5}, [0.0, 1.0], [1], id="fraction-for-integers"),
    ],
)
def test_limits_hold_for_every_kind_of_number(
    split: Split, declare: Declare, column: dict[str, Any], values: list[float], kept: list[Any]
) -> None:
    """A limit was cast to the column's type: 0.5 for integers stopped the run with Arrow's message."""
    raw = pa.table({"it": values, "paid_at": [EARLY] * len(values), ROW_NUMBER: range(len(values))})

    (week,) = split(raw, table=declare({"it": column}))

    assert week.kept["it"].tolist() == kept


def test_a_date_out_of_range_is_set_aside(split: Split, declare: Declare) -> None:
    table = declare({"born": {"type": "date", "minimum": "1890-01-01", "maximum": "2011-12-31"}})
    born = [date(1889, 12, 31), date(1890, 1, 1), date(2011, 12, 31), date(2012, 1, 1)]

    (week,) = split(pa.table({"born": born, "paid_at": [EARLY] * 4, ROW_NUMBER: range(4)}), table=table)

    assert week.kept["born"].tolist() == born[1:3]


@pytest.mark.parametrize(("born", "is_kept"), [
    pytest.param(date(2011, 3, 1), True, id="the same day"),
    pytest.param(date(2011, 3, 2), False, id="not born yet"),
    pytest.param(date(1891, 6, 1), True, id="very old"),
    pytest.param(date(1890, 12, 31), False, id="more than 120 years"),
    pytest.param(None, True, id="unknown"),
])  # fmt: skip
def test_a_birth_date_that_gives_no_age_is_emptied_or_set_aside_where_it_must_be_there(
    split: Split, declare: Declare, born: date | None, is_kept: bool
) -> None:
    """A birth date of 1890 set the whole customer aside, in a column that nobody needs."""
    column = {"type": "date", "nullable": True, "identifies": "sensitive", "treatment": "band"}
    raw = pa.table(
        {
            "born": pa.array([born], pa.date32()),
            "paid_at": pa.array([EARLY], pa.timestamp("us")),
            ROW_NUMBER: [0],
        }
    )
    (week,) = split(raw, table=declare({"born": column}))
    assert week.kept["born"].notna().tolist() == [is_kept and born is not None]
    assert (len(week.quarantined), week.emptied) == (0, {} if is_kept else {"out_of_range:born": 1})
    if born is None:
        return

    (week,) = split(raw, table=declare({"born": column | {"nullable": False}}))
    assert (len(week.kept) == 1) is is_kept
    assert week.quarantined[REASON].tolist() == ([] if is_kept else ["out_of_range:born"])


def test_the_values_of_faulty_rows_are_known_too_with_the_week_they_came_in(declare: Declare, clock: Clock) -> None:
    raw = source((1, -5.0, "faulty", EARLY), (2, 5.0, "sound", EARLY + timedelta(weeks=2)))

    known = known_values(raw, declare(), ["note", "payment"], name="payments", clock=clock)

    assert known.to_dict("list") == {"note": ["faulty", "sound"], "payment": [1, 2], "week": [0, 2]}


def test_a_faulty_cell_costs_the_row_only_where_it_must_be_there(split: Split, declare: Declare) -> None:
    count = {"type": "integer", "nullable": True, "maximum": 9}
    table = declare({"payment": {"type": "string", "nullable": True}, "count": count}, key=["payment"], format="csv")
    raw = pa.table({
        "payment": ["a", "b", "c"], "count": ["x", "10", "9"], "paid_at": ["2011-03-01"] * 3, ROW_NUMBER: range(3),
    })  # fmt: skip

    (week,) = split(raw, table=table)

    assert week.kept["count"].isna().tolist() == [True, True, False]
    assert (len(week.kept), week.emptied) == (3, {"unreadable:count": 1, "out_of_range:count": 1})


def test_a_column_most_of_whose_cells_are_faulty_stops_the_run(split: Split, declare: Declare) -> None:
    """Else a source that changes how it writes a date would lose the whole column without a word."""
    table = declare({"count": {"type": "integer", "nullable": True}}, format="csv", max_quarantine_share=0.5)
    raw = pa.table({"count": ["1x", "2x", "3"], "paid_at": ["2011-03-01"] * 3, ROW_NUMBER: range(3)})

    with pytest.raises(SourceError, match=r"2 of 3 cells of a column are faulty .*unreadable:count: 2\.") as error:
        split(raw, table=table)
    assert "2x" not in str(error.value)


def test_more_faults_than_declared_stop_the_run_and_no_value_is_shown(split: Split) -> None:
    rows = [(1, 1.0, "x", EARLY)] * 1 + [(2, -77.25, "secret", EARLY), (3, 5.0, None, EARLY), (4, 6.0, None, EARLY)]

    assert len(split(source(*rows), max_quarantine_share=0.25)[0].quarantined) == 1
    with pytest.raises(SourceError) as error:
        split(source(*rows), max_quarantine_share=0.24)

    message = str(error.value)
    assert "week before 2011-03-07: 1 of 4 rows are faulty (25.0%); at most 24% may be" in message
    assert "out_of_range:amount: 1" in message
    assert "77" not in message
    assert "secret" not in message


def test_a_faulty_week_that_is_not_asked_for_does_not_matter(split: Split) -> None:
    rows = source((1, 1.0, "x", EARLY), (2, -1.0, "x", EARLY + timedelta(weeks=1)))

    assert len(split(rows, FIRST, max_quarantine_share=0.0)[0].kept) == 1


def test_the_source_before_an_instant_has_the_rows_known_strictly_before_it(declare: Declare, clock: Clock) -> None:
    raw = source((1, 1.0, None, datetime(2011, 3, 27, 23, 59)), (2, 1.0, None, datetime(2011, 3, 28)))

    cut = known_before(raw, declare(), moment=clock.instant(date(2011, 3, 28)))

    assert cut["payment"].to_pylist() == [1.0]


def test_a_source_that_had_no_row_yet_gives_empty_weeks(split: Split, declare: Declare, clock: Clock) -> None:
    """A replay of the first weeks of a table that begins later crashed."""
    raw = known_before(source((1, 1.0, None, EARLY)), declare(), moment=datetime(2011, 1, 1, tzinfo=UTC))

    (week,) = split(raw)

    assert (week.read, len(week.kept)) == (0, 0)


@pytest.mark.parametrize(
    ("share", "early", "stops"),
    [
        pytest.param(0.01, 1, False, id="one-of-a-hundred"),
        pytest.param(0.01, 2, True, id="two-are-too-many"),
        pytest.param(0.001, 1, False, id="one-never-stops-it"),
        pytest.param(0.0, 1, True, id="unless-none-may-be"),
        pytest.param(1.0, 100, False, id="plans"),
    ],
)
def test_rows_known_before_they_happened_are_counted_and_limited(
    split: Split, share: float, early: int, *, stops: bool
) -> None:
    """A time zone that was forgotten made every order known an hour before it was placed, and nothing said so."""
    raw = source(*[(number, 5.0, None, EARLY) for number in range(100)])
    made_at = [EARLY + timedelta(hours=1 if number < early else -1) for number in range(100)]
    raw = raw.append_column("made_at", pa.array(made_at, pa.timestamp("us")))
    columns = {"payment": {"type": "integer"}, "made_at": {"type": "timestamp"}}
    asked = {"columns": columns, "event_time": "made_at", "max_early_share": share}

    if not stops:
        (week,) = split(raw, **asked)
        assert (week.early, len(week.kept)) == (early, 100)
        return
    with pytest.raises(
        SourceError, match=rf"{early} of 100 rows were known before they happened \(made_at after paid_at"
    ):
        split(raw, **asked)


def test_a_row_known_the_instant_it_happened_is_not_early(split: Split) -> None:
    (week,) = split(source((1, 5.0, None, EARLY)))

    assert week.early == 0
