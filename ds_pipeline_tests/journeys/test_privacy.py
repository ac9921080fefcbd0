"""No identifier of a customer is anywhere but in the list that is delivered; not in Dagster's own files either."""

from __future__ import annotations

import re
import sqlite3
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow.parquet as pq
import pytest

from ds_pipeline_tests.journeys.conftest import CANARIES
from ds_pipeline_tests.journeys.contents import texts

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
    # A short pattern and then a look-up: 1,200 alternatives would take minutes, as would an address that may begin
    # anywhere within a picture.
    shapes = [*families, r"(?<![\w.])[\w.]+@example\.org", r"07700 ?900 ?\d{3}", r"71\d{8}", r"19\d\d-\d\d-\d\d"]
    pattern = re.compile("|".join(f"(?:{shape})" for shape in sorted(shapes)))

    def search(text: str) -> list[str]:
        found = {word.replace(" ", "") for word in pattern.findall(text.lower())}
        return sorted(word for word in found if word in known or word in families)

    return search


def files_with_identifiers(journey: Journey, search: Callable[[str], list[str]], *, at_least: int = 100) -> list[str]:
    """Each file that holds an identifier."""
    paths = [path for folder in SEARCHED for path in (journey.root / folder).rglob("*") if path.is_file()]
    assert len(paths) > at_least
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
        assert (str(people["customer_id"].iloc[5])[:3] in text) or path.stem == "manifest", path.name
        assert not re.search("|".join(re.escape(word) for word in [*people["full_name"], *people["email"]]), text)


def traces(text: str) -> list[str]:
    """The canaries' words in a text, also where something stands between the letters."""
    text = text.lower()
    letters = re.sub(r"[^a-z]", "", text)
    return [needle for one in CANARIES for needle in one.needles if needle in (letters if needle.isalpha() else text)]


def files_with_canaries(folder: Path) -> dict[str, set[str]]:
    """Each file below a folder that holds a trace of a canary, in any encoding and however it is packed."""
    found = {}
    for path in (path for path in sorted(folder.rglob("*")) if path.is_file()):
        wide = [path.read_bytes().decode(encoding, "ignore") for encoding in ("utf-16-le", "utf-32-le")]
        if hits := traces("\n".join([*texts(path), *wide])):
            found[path.relative_to(folder).as_posix()] = set(hits)
    return found


def test_no_trace_of_a_canary_is_in_any_file_that_a_run_writes(first_run: tuple[Journey, Done]) -> None:
    journey, done = first_run

    assert done.code == 0, done.text
    assert traces(done.text) == []
    found = files_with_canaries(journey.root)
    sources = {path.relative_to(journey.root).as_posix() for path in journey.source.values()}
    assert found.keys() >= sources  # the search does find them where they are
    lists = {file: hits for file, hits in found.items() if file.startswith("data/deliveries/")}
    assert found.keys() - sources - lists.keys() == set()
    assert set().union(*lists.values()) <= {str(one.number) for one in CANARIES}
    assert len([path for path in (journey.root / ".dagster").rglob("*") if path.is_file()]) > 10


def let_faulty_canaries_in(journey: Journey) -> None:
    """The canaries once more, in rows that are faulty: among people, and in texts of purchases that are dropped."""
    numbers = [one.number for one in CANARIES]

    def people(frame: pd.DataFrame) -> pd.DataFrame:
        theirs = frame[frame["customer_id"].isin(numbers)]
        later = theirs["updated_at"] + pd.Timedelta(days=30)
        return pd.concat([frame, theirs.assign(country=None, updated_at=later)], ignore_index=True)

    def purchases(frame: pd.DataFrame) -> pd.DataFrame:
        theirs = frame[frame["CustomerID"].isin(numbers)].head(20)
        return pd.concat([frame, theirs.assign(UnitPrice=0.0, Description=CANARIES[0].note)], ignore_index=True)

    journey.rewrite("customers", people)
    journey.rewrite("transactions", purchases)
    with journey.edit("sources.yaml") as sources:
        sources["tables"]["customers"]["max_quarantine_share"] = 0.5


def test_no_trace_of_a_canary_is_in_what_is_written_of_its_faulty_rows(new_recorded_journey: Journey) -> None:
    journey = new_recorded_journey
    journey.begin(date(2011, 6, 20))
    let_faulty_canaries_in(journey)

    done = journey.cli("history")

    assert done.code == 0, done.text
    assert traces(done.text) == []
    aside = journey.status()["quarantine"]
    assert {"table": "customers", "reason": "missing:country", "rows": 3} in aside
    assert {"table": "transactions", "reason": "out_of_range:unit_price_gbp", "rows": 20} in aside
    sources = {path.relative_to(journey.root).as_posix() for path in journey.source.values()}
    assert files_with_canaries(journey.root).keys() == sources


def test_a_raw_value_in_a_column_that_is_kept_stops_the_run_before_anything_is_written(
    new_recorded_journey: Journey,
) -> None:
    journey = new_recorded_journey
    name = pd.read_parquet(journey.source["customers"])["full_name"][3]
    journey.rewrite(
        "transactions", lambda frame: frame.assign(InvoiceNo=frame["InvoiceNo"].mask(frame.index == 7, name))
    )

    done = journey.cli("run")

    assert done.code == 2, done.text
    assert "column 'invoice_no', raw identifier: 1 cells. Nothing was written." in done.err
    assert name not in done.text
    assert not list(journey.store.rglob("transactions/**/*.parquet"))
    assert files_with_identifiers(journey, identifiers(journey), at_least=5) == []


def test_the_scan_of_a_finished_project_is_clean(journey: Journey) -> None:
    done = journey.cli("scan")

    assert done.code == 0, done.text
    assert done.out.rstrip().endswith("No identifier was found.")
    for place in ("masked customers", "quarantine transactions", "features", "labels", "scores", "documents", "bundles",
                  "reports", "deliveries", "Dagster databases", "Dagster logs"):  # fmt: skip
        assert re.search(rf"^{place} +\d+ +[\d,]+ +0 +0$", done.out, re.MULTILINE), place
    assert "deliveries: customer_id: the contract delivers it" in done.out
    assert "masked transactions: stock_code: " in done.out


def test_the_scan_of_a_finished_project_finds_what_is_planted_in_it(journey: Journey) -> None:
    person = pd.read_parquet(journey.source["customers"]).iloc[5]
    with sqlite3.connect(journey.root / ".dagster" / "history" / "runs" / "index.db") as database:
        database.execute("update event_logs set event = event || ? where id = 3", [f"failed on {person['full_name']}"])
    report = next((journey.root / "data" / "reports").rglob("evaluation.html"))
    report.write_text(report.read_text().replace("</body>", f"<i>{person['email']}</i></body>"))
    report.chmod(0o644)

    done = journey.cli("scan")

    assert done.code == 2, done.text
    assert re.search(r"^Dagster databases +\d+ +[\d,]+ +1 +0$", done.out, re.MULTILINE), done.out
    assert "evaluation.html: evaluation.html raw identifier" in done.out
    assert "evaluation.html: evaluation.html email" in done.out
    assert "Open to others than their owner: 1 files or folders" in done.out
    assert identifiers(journey)(done.text) == []


def text_dates(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(birth_date=frame["full_name"])


def late_births(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(birth_date=pd.Timestamp("2011-12-30").date())


def doubled(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([frame, frame.assign(postcode="E1 1DT")], ignore_index=True)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(text_dates, id="names-where-dates-belong"),
        pytest.param(late_births, id="births-after-the-row"),
        pytest.param(doubled, id="clashing-keys"),
    ],
)
def test_a_run_that_fails_on_identifiers_does_not_log_them(
    recorded_journey: Journey, change: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    journey = recorded_journey
    search = identifiers(journey)
    journey.rewrite("customers", change)

    done = journey.cli("run")

    assert done.code == 2, done.text
    assert search(done.text) == []
    assert files_with_identifiers(journey, search) == []


def test_sql_that_fails_on_a_cell_does_not_log_it(recorded_journey: Journey) -> None:
    """DuckDB quotes the cell that cannot be cast; notes and areas are masked, and even so they stay out of the log."""
    journey = recorded_journey
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
