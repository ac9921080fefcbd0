"""No identifier of a customer is anywhere but in the list that is delivered; not in Dagster's own files either."""

from __future__ import annotations

import re
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Done, Journey

SEARCHED = ("data/store", "data/reports", ".dagster", ".keys")


def identifiers(journey: Journey) -> Callable[[str], list[str]]:
    """A search for every name, family name, address, number and birth date of the source, in any text."""
    people = pq.read_table(journey.source["customers"]).to_pandas()
    names = {word for name in people["full_name"] for word in (name, name.split()[-1])}
    phones = {phone.replace(" ", "") for phone in people["phone"]}
    numbers, births = {str(number) for number in people["customer_id"]}, {str(day) for day in people["birth_date"]}
    known = {word.lower() for word in names | phones | numbers | births | set(people["email"])}
    families = {family.lower()[:-2] for family in (name.split()[-1] for name in people["full_name"])}
    # A short pattern and then a look-up: 1,200 alternatives would take minutes.
    shapes = [*families, r"[\w.]+@example\.org", r"07700 ?900 ?\d{3}", r"71\d{8}", r"19\d\d-\d\d-\d\d"]
    pattern = re.compile("|".join(f"(?:{shape})" for shape in sorted(shapes)))

    def search(text: str) -> list[str]:
        found = {word.replace(" ", "") for word in pattern.findall(text.lower())}
        return sorted(word for word in found if word in known or word in families)

    return search


def texts(path: Path) -> Iterator[str]:
    """Everything in a file as text: the cells of tables, the values of databases, and the bytes themselves."""
    yield path.read_bytes().decode("utf-8", "replace")
    if path.suffix == ".parquet":
        for name, column in pq.read_table(path).to_pydict().items():
            yield from (f"{name} {cell}" for cell in column)
    elif path.suffix == ".db":
        with sqlite3.connect(path) as database:
            tables = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
            for table in tables:
                for row in database.execute(f'select * from "{table}"'):
                    yield from (_value(value) for value in row)


def _value(value: object) -> str:
    if isinstance(value, bytes):
        try:
            value = zlib.decompress(value)
        except zlib.error:
            return value.decode("utf-8", "replace")
        return value.decode("utf-8", "replace")
    return str(value)


def files_with_identifiers(journey: Journey, search: Callable[[str], list[str]]) -> list[str]:
    """Each file that holds an identifier."""
    paths = [path for folder in SEARCHED for path in (journey.root / folder).rglob("*") if path.is_file()]
    assert len(paths) > 100
    found = [path for path in paths if search("\n".join(texts(path)))]
    return sorted(path.relative_to(journey.root).as_posix() for path in found)


def test_no_identifier_is_written_except_into_the_list(journey: Journey, first_run: tuple[Journey, Done]) -> None:
    search = identifiers(journey)

    assert files_with_identifiers(journey, search) == []
    assert search(first_run[1].text) == []


def test_the_search_would_find_one(journey: Journey) -> None:
    """The list is full of them, and one in a compressed column or in a database does not hide either."""
    delivered = journey.root / "data" / "deliveries" / journey.name / "2011-08-01"
    people = pd.read_parquet(journey.source["customers"])
    (journey.root / ".keys" / "list.parquet").write_bytes((delivered / "campaign_list.parquet").read_bytes())
    with sqlite3.connect(journey.root / ".keys" / "log.db") as database:
        database.execute("create table events (body)")
        database.execute("insert into events values (?)", [zlib.compress(people["email"][7].encode())])

    assert files_with_identifiers(journey, identifiers(journey)) == [".keys/list.parquet", ".keys/log.db"]


def test_the_list_holds_the_number_and_nothing_else_of_a_person(journey: Journey) -> None:
    people = pd.read_parquet(journey.source["customers"])
    for path in (journey.root / "data" / "deliveries").rglob("*.*"):
        text = "\n".join(texts(path))
        assert str(people["customer_id"].iloc[0])[:3] in text
        assert not re.search("|".join(re.escape(word) for word in [*people["full_name"], *people["email"]]), text)


def text_dates(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(birth_date=frame["full_name"])


def words_for_amounts(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(country=frame["email"])


def late_births(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(birth_date=pd.Timestamp("2011-12-30").date())


def doubled(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.assign(postcode="E1 1DT")], ignore_index=True)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(text_dates, id="names-where-dates-belong"),
        pytest.param(words_for_amounts, id="addresses-in-a-column-that-is-kept"),
        pytest.param(late_births, id="births-after-the-row"),
        pytest.param(doubled, id="clashing-keys"),
    ],
)
def test_a_run_that_fails_on_identifiers_does_not_log_them(
    journey: Journey, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    search = identifiers(journey)
    journey.rewrite("customers", change)

    done = journey.cli("run")

    assert done.code == 2, done.text
    assert search(done.text) == []
    assert files_with_identifiers(journey, search) == []


def test_sql_that_fails_on_a_cell_does_not_log_it(journey: Journey) -> None:
    """DuckDB quotes the cell that cannot be cast; notes and areas are masked, and even so they stay out of the log."""
    journey.replace("features/profile.sql", "age_band\n", "cast(service_note as int)::varchar as age_band\n")

    done = journey.cli("run")

    assert done.code == 2, done.text
    assert "the values are not shown" in done.err
    assert "Asked us to call" not in done.text
    logs = [path for path in (journey.root / ".dagster").rglob("*") if path.is_file()]
    assert [path for path in logs if "Asked us" in "\n".join(texts(path))] == []


def test_redact_masks_line_by_line(journey: Journey) -> None:
    lines = ["Please call 07700 900123", "", "or write to zarathea@example.org today", "nothing here"]

    done = journey.shell("ds-pipeline", "redact", stdin="\n".join(lines) + "\n")

    assert done.code == 0, done.text
    assert done.err == ""
    assert done.out.count("\n") == 4
    masked = done.out.removesuffix("\n").split("\n")
    assert masked[0].startswith("Please call <")
    assert masked[1] == ""
    assert masked[2].startswith("or write to <")
    assert masked[3] == "nothing here"
    assert "900123" not in done.out
    assert "zarathea" not in done.out


def test_redact_of_nothing_is_nothing(journey: Journey) -> None:
    done = journey.shell("ds-pipeline", "redact", stdin="")

    assert (done.code, done.out, done.err) == (0, "", "")
