"""Whatever is wrong, the user reads one message that says where, what and what to do, and what serves is untouched."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

import pandas as pd
import pytest

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Done, Journey

REAL_KEY = "a-key-of-our-own-which-nobody-may-print"
IDENTITIES = ("@example.org", "07700 900", "71000")


@dataclass(frozen=True)
class Case:
    """One thing that is wrong.

    Attributes:
        breaks: what happens to the finished project.
        says: texts that the message must contain.
        command: the command that meets it, without the use case.
        shell: run it in a process of its own, where nothing that a library prints is caught either; one error inside a
            job and one outside.
    """

    id: str
    breaks: Callable[[Journey], object]
    says: tuple[str, ...]
    command: tuple[str, ...] = ("run",)
    shell: bool = False
    env: tuple[tuple[str, str], ...] = ()
    code: int = 2


def _cell(column: str, value: object, row: int = 5) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        frame.loc[row, column] = value
        return frame

    return change


def _source(table: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> Callable[[Journey], None]:
    return lambda journey: journey.rewrite(table, change)


def _clash(frame: pd.DataFrame) -> pd.DataFrame:
    """One customer twice at the same instant, with two postcodes."""
    return pd.concat([frame, frame.iloc[[5]].assign(postcode="E1 1DT")], ignore_index=True)


def _yaml(file: str, change: Callable[[dict], object]) -> Callable[[Journey], None]:
    def edit(journey: Journey) -> None:
        with journey.edit(file) as values:
            change(values)

    return edit


def _truncate(journey: Journey) -> None:
    path = journey.source["transactions"]
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _flip(pattern: str) -> Callable[[Journey], None]:
    """One byte in the middle of the newest file that matches below the store of the use case."""

    def flip(journey: Journey) -> None:
        path = max(journey.store.glob(pattern))
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)

    return flip


def _judge_mildly(journey: Journey) -> None:
    path = next(journey.store.glob("documents/evaluation/2011-08-01/*/decision.json"))
    text = path.read_text()
    assert '"threshold":0.01' in text
    path.write_text(text.replace('"threshold":0.01', '"threshold":0.00'))


def _remove_week(pattern: str) -> Callable[[Journey], None]:
    return lambda journey: shutil.rmtree(next(journey.store.glob(pattern)))


def _sql(old: str, new: str) -> Callable[[Journey], None]:
    return lambda journey: journey.replace("features/basket.sql", old, new)


def _keys_for_all(journey: Journey) -> None:
    path = journey.root / ".envrc.local"
    path.write_text(f"export DS_PIPELINE_PSEUDONYM_KEY={REAL_KEY}\n")
    path.chmod(0o644)


def nothing(_: Journey) -> None:
    """The project is fine; the command is not."""


CASES = [
    Case(
        "a-missing-file",
        lambda journey: journey.source["transactions"].unlink(),
        ("transactions (data/samples/transactions.parquet)", "missing"),
        shell=True,
    ),
    Case(
        "a-missing-column",
        _source("transactions", lambda frame: frame.drop(columns="Country")),
        ("transactions (data/samples/transactions.parquet)", "missing: Country"),
    ),
    Case(
        "an-extra-column",
        _source("customers", lambda frame: frame.assign(loyalty_card="x")),
        ("customers (data/samples/customers.parquet)", "not declared: loyalty_card", "PII treatment"),
    ),
    Case(
        "a-wrong-type",
        _source("transactions", lambda frame: frame.assign(Quantity=frame["Quantity"].astype(str))),
        ("transactions", "Quantity: expected integer, found"),
    ),
    Case(
        "an-event-out-of-range",
        _source("transactions", _cell("InvoiceDate", datetime(1999, 12, 31))),
        ("transactions", "1 rows have no date in InvoiceDate", "2010-12-01 to 2011-12-31"),
    ),
    Case(
        "a-birth-date-out-of-range",
        _source("customers", _cell("birth_date", date(1870, 1, 1))),
        ("customers", "out_of_range:age_band: 1", "max_quarantine_share"),
    ),
    Case(
        "an-empty-table",
        _source("transactions", lambda frame: frame.iloc[:0]),
        ("transactions", "expected rows, found none"),
    ),
    Case("a-duplicate-key", _source("customers", _clash), ("customers", "duplicate_key: 2", "at most 0")),
    Case("a-truncated-file", _truncate, ("transactions", "not a readable parquet file", "Fetch")),
    Case("an-unknown-use-case", nothing, ("configs/nobody", "Known: mini_lapse"), ("run", "nobody")),
    Case("a-misspelt-use-case", nothing, ("configs/mini_laps", "mini_lapse"), ("score", "mini_laps")),
    Case(
        "no-key-for-an-internal-table",
        _yaml(
            "sources.yaml", lambda values: values["tables"]["customers"].update(data_class="internal", synthetic=False)
        ),
        ("DS_PIPELINE_PSEUDONYM_KEY is not set", "customers", "make key"),
    ),
    Case(
        "a-key-that-is-too-short",
        nothing,
        ("DS_PIPELINE_PSEUDONYM_KEY has 9 characters", "24"),
        env=(("DS_PIPELINE_PSEUDONYM_KEY", REAL_KEY[:9]),),
    ),
    Case(
        "a-restricted-file",
        _yaml("sources.yaml", lambda values: values["tables"]["customers"].update(data_class="restricted")),
        ("sources.yaml", "restricted", "database query"),
    ),
    Case(
        "a-bundle-with-one-byte-changed-scored",
        _flip("registry/versions/v0001/bundle/model.joblib"),
        ("v0001", "model.joblib was changed", "rollback"),
        ("score",),
    ),
    Case(
        "a-bundle-with-one-byte-changed-run",
        _flip("registry/versions/v0001/bundle/model.joblib"),
        ("v0001", "model.joblib was changed", "replace-lost"),
    ),
    Case(
        "a-candidate-with-one-byte-changed",
        _flip("documents/candidate/2011-08-01/*/model.joblib"),
        ("candidate of 2011-08-01 was changed", "Train again"),
        ("promote", "--reason", "it is good"),
    ),
    Case(
        "an-edited-decision",
        _judge_mildly,
        ("evaluation of 2011-08-01 was changed", "Train again"),
        ("promote", "--reason", "it is good"),
    ),
    Case(
        "an-event-of-the-history-edited",
        _flip("registry/history/*.json"),
        ("history/000001.json",),
        ("score",),
    ),
    Case(
        "the-history-deleted",
        _remove_week("registry/history"),
        ("history/000001.json: missing", "backup"),
    ),
    Case(
        "the-signing-key-deleted",
        lambda journey: (journey.root / ".keys" / "signing.pem").unlink(),
        (".keys/signing.pem", "backup"),
    ),
    Case(
        "an-unknown-key",
        _yaml("training.yaml", lambda values: values.update(trails=5)),
        ("configs/mini_lapse/training.yaml", "trails", "trials"),
    ),
    Case(
        "a-misspelt-metric",
        _yaml(
            "requirements.yaml", lambda values: values["acceptance"]["calibration"].update(metric="expected_calibation")
        ),
        ("configs/mini_lapse/requirements.yaml", "expected_calibation", "expected_calibration_error"),
    ),
    Case("invalid-yaml", lambda journey: journey.replace("problem.yaml", "title:", "title: ["), ("problem.yaml",)),
    Case(
        "sql-that-does-not-parse",
        _sql("group by customer_token", "group bye customer_token"),
        ("configs/mini_lapse/features/basket.sql", "syntax error"),
    ),
    Case(
        "sql-that-reads-a-file",
        _sql("from transactions\n", "from read_parquet('data/samples/customers.parquet')\n"),
        ("configs/mini_lapse/features/basket.sql", "read_parquet"),
    ),
    Case(
        "sql-that-is-not-deterministic",
        _sql("count(*) as invoices_90d", "count(*) + random() as invoices_90d"),
        ("configs/mini_lapse/features/basket.sql", "random"),
    ),
    Case(
        "an-input-that-remembers-people",
        _sql("count(*) as invoices_90d", "(hash(lines.customer_token) % 100)::bigint as invoices_90d"),
        ("invoices_90d", "customer_token"),
        ("check",),
    ),
    Case(
        "keys-that-others-can-read",
        _keys_for_all,
        (".envrc.local can be opened by others (mode 0644)", "chmod 600 .envrc.local"),
        ("score",),
    ),
    Case(
        "a-date-that-is-not-a-monday",
        nothing,
        ("2011-08-02", "Tuesday", "2011-08-01"),
        ("score", "--date", "2011-08-02"),
    ),
    Case("a-date-before-the-history", nothing, ("2011-05-02", "2011-05-09"), ("run", "--date", "2011-05-02")),
    Case("a-date-after-the-end", nothing, ("2011-08-08", "2011-08-01"), ("run", "--date", "2011-08-08")),
    Case("a-date-that-is-none", nothing, ("--date soon", "2011-12-05"), ("score", "--date", "soon"), shell=True),
    Case("a-date-too-early-to-train", nothing, ("2011-05-16", "2011-06-20"), ("train", "--date", "2011-05-16")),
    Case(
        "a-date-that-is-not-built",
        _remove_week("datasets/masked/transactions/*/2011-08-01"),
        ("2011-08-01", "transactions: 1 of 13 weeks", "ds-pipeline history mini_lapse --date 2011-08-01"),
        ("score",),
    ),
    Case(
        "a-week-removed-by-hand",
        _remove_week("datasets/features/*/2011-06-20"),
        ("features: 1 of", "2011-06-20", "ds-pipeline history mini_lapse"),
        ("train",),
    ),
    Case(
        "a-masked-week-removed-by-hand",
        _remove_week("datasets/masked/customers/*/2011-06-20"),
        ("customers: 1 of 13 weeks: 2011-06-20", "ds-pipeline history mini_lapse"),
        ("train",),
    ),
    Case(
        "features-edited",
        _flip("datasets/features/*/2011-06-20/*.parquet"),
        ("features/", "2011-06-20", "was changed after it was written"),
        ("train",),
    ),
    Case(
        "scores-edited",
        _flip("datasets/scores/2011-08-01/*.parquet"),
        ("scores recorded for 2011-08-01", "changed after", "backup"),
        ("score",),
    ),
    Case(
        "no-version-for-so-early-a-date",
        nothing,
        ("2011-06-06", "2011-08-01", "never scored"),
        ("score", "--date", "2011-06-06"),
    ),
    Case("a-rollback-with-nothing-before", nothing, ("No version was in force before",), ("rollback", "--reason", "x")),
    Case(
        "a-rollback-to-an-unknown-version",
        nothing,
        ("v0009",),
        ("rollback", "--reason", "x", "--to", "v0009"),
    ),
    Case("a-rollback-without-a-reason", nothing, ("--reason",), ("rollback",)),
    Case("a-rollback-with-an-empty-reason", nothing, ("reason",), ("rollback", "--reason", " ")),
    Case(
        "replacing-what-is-not-lost", nothing, ("No champion is lost",), ("promote", "--replace-lost", "--reason", "x")
    ),
]


def outcome(journey: Journey, case: Case) -> Done:
    """What the command printed; the use case is put behind the command unless the case names another."""
    command, *rest = case.command
    named = rest if rest and not rest[0].startswith("-") else [journey.name, *rest]
    if case.shell:
        return journey.shell("ds-pipeline", command, *named, **dict(case.env))
    return journey.type(command, *named, **dict(case.env))


@pytest.mark.parametrize("case", [pytest.param(case, id=case.id) for case in CASES])
def test_it_is_one_message_and_changes_nothing(case: Case, journey: Journey) -> None:
    case.breaks(journey)
    before = journey.serving()

    done = outcome(journey, case)

    assert done.code == case.code, done.text
    for text in case.says:
        assert text in done.text
    assert messages(done) == 1, done.text
    for secret in ("Traceback", str(journey.root), "/tmp", REAL_KEY[:9], *IDENTITIES):
        assert secret not in done.text
    assert journey.serving() == before


def messages(done: Done) -> int:
    """How many errors the user reads; all of them on standard error."""
    return done.err.count("ds-pipeline: ") + done.err.count("Usage: ")
