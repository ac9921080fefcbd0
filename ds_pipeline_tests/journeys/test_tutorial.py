"""The tutorial, command by command as it stands in the document, in a project of its own; then likely mistakes."""

from __future__ import annotations

import csv
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from ds_pipeline_tests.journeys.conftest import BIN, REPOSITORY, Done, Journey

TUTORIAL = REPOSITORY / "docs" / "tutorial.md"
CASE = "my_case"


def blocks() -> list[str]:
    """The commands of the document, block by block."""
    return re.findall(r"```sh\n(.*?)```", TUTORIAL.read_text(), flags=re.S)


def search_less(journey: Journey) -> None:
    """What the starter has written takes a minute; its commands work with fewer trials and draws as well."""
    with journey.edit("training.yaml") as training:
        training["trials"] = 1
        training["search_space"]["max_iter"] = {"low": 50, "high": 60}
    with journey.edit("requirements.yaml") as requirements:
        requirements["bootstrap"]["resamples"] = 100


@pytest.fixture(scope="module")
def tutorial(tmp_path_factory: pytest.TempPathFactory) -> tuple[Journey, dict[str, Done]]:
    """An empty project after the tutorial, and what each of its blocks printed, by its first three words."""
    journey = Journey(tmp_path_factory.mktemp("tutorial"), CASE)
    (journey.root / "configs").mkdir()
    (journey.root / ".dagster").mkdir(mode=0o700)
    for name in ("workspace.yaml", ".dagster/dagster.yaml"):
        shutil.copy(REPOSITORY / name, journey.root / name)
    env = journey.env | {"PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    printed = {}
    for block in blocks():
        if block.startswith("ds-pipeline check"):
            search_less(journey)
        name, *arguments = shlex.split(block.replace("\\\n", " "))
        if name == "ds-pipeline":
            printed[" ".join(block.split()[:3])] = journey.type(*arguments)
            continue
        done = subprocess.run(
            ["sh", "-e", "-c", block],
            cwd=journey.root,
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=600,
        )
        printed[" ".join(block.split()[:3])] = Done(done.returncode, done.stdout, done.stderr)
    return journey, printed


@pytest.fixture
def case(tutorial: tuple[Journey, dict[str, Done]], tmp_path: Path) -> Journey:
    """The use case and its sources, for a test to break; without what was made of them."""
    root = tutorial[0].root
    shutil.copytree(
        root, tmp_path / "project", ignore=shutil.ignore_patterns("store", "deliveries", "reports", ".keys")
    )
    return Journey(tmp_path / "project", CASE)


def identities(root: Path) -> set[str]:
    """Names, e-mails and phones of the tutorial's customers."""
    with (root / "data" / "tutorial" / "customers.csv").open() as file:
        return {row[name] for row in csv.DictReader(file) for name in ("full_name", "email", "phone")}


def test_every_command_of_the_tutorial_works(tutorial: tuple[Journey, dict[str, Done]]) -> None:
    printed = tutorial[1]

    assert list(printed) == [
        "python -m ds_pipeline.simulation.two_files",
        "ds-pipeline new my_case",
        "ds-pipeline check my_case",
        "ds-pipeline run my_case",
        "head -n 4",
        "ds-pipeline status my_case",
    ]
    assert {name: done.text for name, done in printed.items() if done.code} == {}


def test_it_ends_with_a_list_of_the_tenth_with_the_highest_scores(tutorial: tuple[Journey, dict[str, Done]]) -> None:
    root = tutorial[0].root
    with next(root.glob("data/deliveries/my_case/*/campaign_list.csv")).open() as file:
        rows = list(csv.DictReader(file))
    with (root / "data" / "tutorial" / "customers.csv").open() as file:
        known = {row["customer_id"] for row in csv.DictReader(file)}

    scores = [float(row["score"]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert {row["customer_id"] for row in rows} <= known
    assert 100 <= len(rows) <= 120  # a tenth of those in scope of 1,200
    assert {row["scoring_date"] for row in rows} == {"2024-11-04"}


def test_no_command_and_no_file_of_the_use_case_shows_an_identity(tutorial: tuple[Journey, dict[str, Done]]) -> None:
    journey, printed = tutorial
    texts = [done.text for done in printed.values()] + [path.read_text() for path in journey.case.rglob("*.*")]
    secrets = identities(journey.root)

    assert len(secrets) > 3000
    assert not [text[:80] for text in texts if any(secret in text for secret in secrets)]


def test_the_check_shows_rates_pii_features_and_time_and_writes_nothing(case: Journey) -> None:
    before = case.everything()

    done = case.cli("check")

    assert done.code == 0, done.err
    for expected in ("base rate", "lowest", "found EMAIL", "drop name", "ROC AUC alone", "A full run will take about"):
        assert expected in done.out
    assert "No warning. Nothing was written." in done.out
    assert {key: value for key, value in case.everything().items() if not key.startswith(".dagster")} == {
        key: value for key, value in before.items() if not key.startswith(".dagster")
    }


def test_a_feature_that_knows_the_outcome_is_warned_of_and_the_exit_code_is_0(case: Journey) -> None:
    """Each order says when the customer's next one was: a column that is filled in later."""
    path = case.root / "data/tutorial/orders.csv"
    with path.open() as file:
        rows = list(csv.DictReader(file))
    later: dict[str, str] = {}
    for row in reversed(rows):
        row["next_at"] = later.get(row["customer_id"], "")
        later[row["customer_id"]] = row["ordered_at"]
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    kept = {"type": "timestamp", "nullable": True, "identifies": "no", "treatment": "keep", "meaning": "made up"}
    with case.edit("sources.yaml") as sources:
        sources["tables"]["orders"]["columns"]["next_at"] = {"alias": "next_at"} | kept
    (case.case / "features" / "leak.sql").write_text(
        "with newest as (select customer_token, arg_max_null(next_at, ordered_at)::date as day from orders "
        "group by all) select customer_token, least(coalesce(day - $scoring_at::date, 400), 400) as seen_after "
        "from newest"
    )
    with case.edit("features.yaml") as features:
        features["features"]["seen_after"] = {
            "dtype": "int64", "unit": "days", "nullable": True, "role": "input", "minimum": -400, "maximum": 400,
            "meaning": "made up",
        }  # fmt: skip

    done = case.cli("check")

    assert done.code == 0, done.err
    assert "WARNING seen_after alone tells who is positive" in " ".join(done.out.split())


@pytest.mark.parametrize(
    ("file", "old", "new", "messages"),
    [
        pytest.param(
            "label.sql",
            "(count(f.ordered_at) = 0)::int",
            "(count(f.ordered_at) < 0)::int",
            ["configs/my_case/label.sql: no positive among", "Check the condition"],
            id="no-positive",
        ),
        pytest.param(
            "label.sql",
            "(count(f.ordered_at) = 0)::int",
            "(count(f.ordered_at) >= 0)::int",
            ["configs/my_case/label.sql: all", "are positive"],
            id="no-negative",
        ),
        pytest.param(
            "features/orders.sql",
            "from population",
            "form population",
            ["configs/my_case/features/orders.sql:19: Parser Error: syntax error"],
            id="syntax",
        ),
        pytest.param(
            "features/orders.sql",
            "sum(items)",
            "sum(itmes)",
            ["configs/my_case/features/orders.sql:15:", '"itmes"', '"items"', "orders has order_token, customer_token"],
            id="unknown-column",
        ),
        pytest.param(
            "features/orders.sql",
            "from orders",
            "from order_lines",
            ["configs/my_case/features/orders.sql:4: table order_lines is not there; known: customers"],
            id="unknown-table",
        ),
        pytest.param(
            "features/orders.sql",
            "from orders",
            "from 'data/tutorial/orders.csv'",
            ["configs/my_case/features/orders.sql:4: data/tutorial/orders.csv is a file, and SQL opens none"],
            id="a-file",
        ),
        pytest.param(
            "features/orders.sql",
            "from orders",
            "from read_csv('data/tutorial/orders.csv')",
            ["configs/my_case/features/orders.sql:4: read_csv cannot be read like a table; SQL opens no file"],
            id="a-function-that-reads-files",
        ),
        pytest.param(
            "features/orders.sql",
            "from orders",
            "from future.orders",
            ["features/orders.sql:4: table future.orders is not there: only label.sql sees what comes after"],
            id="the-future",
        ),
    ],
)
def test_a_mistake_in_the_sql_is_answered_with_its_place(
    case: Journey, file: str, old: str, new: str, messages: list[str]
) -> None:
    case.replace(file, old, new)

    done = case.cli("check")

    assert done.code == 2
    assert not [message for message in messages if message not in " ".join(done.err.split())], done.err


def test_a_use_case_is_never_overwritten_and_a_missing_answer_is_named(case: Journey) -> None:
    before = case.everything()
    orders = ("--table", "data/tutorial/orders.csv")

    again = case.type("new", CASE, *orders, "--entity", "customer_id", "--target", "no-event:orders")
    silent = case.type("new", "other_case", *orders)

    assert (again.code, silent.code) == (2, 2)
    assert "configs/my_case is there already, and is never overwritten" in again.err
    assert "--entity, --target: needed where nobody can be asked" in silent.err
    assert case.everything() == before


def test_what_is_not_public_asks_for_a_key_and_for_files_that_are_private(case: Journey) -> None:
    (case.root / "data/tutorial/orders.csv").chmod(0o644)
    orders = ("--table", "data/tutorial/orders.csv")

    done = case.type("new", "real_case", *orders, "--entity", "customer_id", "--target", "event:orders")

    assert done.code == 0, done.err
    assert "a pseudonym key of your own is needed: make key" in done.out
    assert "chmod 600 data/tutorial/orders.csv" in done.out
    made = yaml.safe_load((case.root / "configs/real_case/sources.yaml").read_text())
    assert made["tables"]["orders"]["data_class"] == "confidential"
