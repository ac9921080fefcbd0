"""What text can be read as: nothing is guessed where two readings are possible."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pytest

from ds_pipeline.starter import cells
from ds_pipeline.starter.cells import Reading, instant, read_cells


def reading(*values: str, given: tuple[str, ...] = ()) -> Reading:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE sample AS SELECT unnest(?) AS x", [list(values)])
        return read_cells(connection, '"x"', given)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param(["8,205", "4,812", "950"], Reading("string", doubt=cells.COMMA), id="comma-unclear"),
        pytest.param(["8,205", "0,812"], Reading("decimal", 3, decimal_mark=",", doubt=cells.HALF), id="comma-clear"),
        pytest.param(["8,205", "4,81"], Reading("decimal", 3, decimal_mark=",", doubt=cells.HALF), id="comma-lengths"),
        pytest.param(["8.205", "950"], Reading("decimal", 3, doubt=cells.POINT), id="point-unclear"),
        pytest.param(["8.205", "4.81"], Reading("decimal", 3), id="point-clear"),
        pytest.param(["1,234,567", "950"], Reading("string", doubt=cells.GROUPS), id="two-groups"),
        pytest.param(["1.234,50", "950"], Reading("string", doubt=cells.GROUPS), id="both-marks"),
    ],
)
def test_marks_between_thousands_are_not_read_as_fractions(values: list[str], expected: Reading) -> None:
    """8,205 became 8.205, and every amount a thousandth of itself."""
    assert reading(*values) == expected


def test_a_number_of_more_digits_than_a_double_holds_is_a_text() -> None:
    """Two customers of 17 digits became one."""
    assert reading("12345678901234567", "12345678901234568").type == "string"
    assert reading("123456789012345").type == "integer"


def test_each_form_of_an_instant_has_its_format() -> None:
    found = reading("2024-03-04T10:00:00Z", "2024-03-04T10:00:00.250Z", "2024-03-04 10:00+02:00")

    assert found.type == "timestamp"
    assert set(found.formats) == {"%Y-%m-%dT%H:%M:%S%z", "%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%d %H:%M%z"}


def test_a_date_that_two_formats_read_names_both() -> None:
    found = reading("03/04/2024", "05/06/2024")

    assert (found.type, found.may_be, found.is_mixed) == ("string", ("%d/%m/%Y", "%m/%d/%Y"), False)


def test_dates_of_which_each_format_reads_a_part_are_mixed() -> None:
    found = reading("31/01/2024", "01/31/2024")

    assert (found.type, found.may_be, found.is_mixed) == ("string", ("%d/%m/%Y", "%m/%d/%Y"), True)


def test_a_year_of_two_digits_is_not_the_year_24() -> None:
    assert reading("31/01/24", "01/02/24") == Reading("date", formats=("%d/%m/%y",))


def test_dates_with_and_without_a_time_have_two_formats() -> None:
    assert reading("31/01/2024", "01/02/2024 09:30").formats == ("%d/%m/%Y", "%d/%m/%Y %H:%M")


def test_a_format_that_is_given_decides_where_it_reads_all() -> None:
    assert reading("03/04/2024", given=("%m/%d/%Y",)) == Reading("date", formats=("%m/%d/%Y",))
    assert reading("20240131", given=("%Y%m%d",)).type == "date"
    assert reading("12", given=("%m/%d/%Y",)).type == "integer"


def test_an_instant_is_read_by_whichever_format_fits() -> None:
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        sql = f"SELECT {instant('x', ('iso', '%d.%m.%Y'))} FROM (VALUES ('2024-01-31'), ('01.02.2024'), ('?')) AS t(x)"

        assert connection.execute(sql).fetchall() == [(datetime(2024, 1, 31),), (datetime(2024, 2, 1),), (None,)]
