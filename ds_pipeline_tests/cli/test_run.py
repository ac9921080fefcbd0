"""A command at work: its progress lines, its exit code and its last words."""

from __future__ import annotations

import logging
from datetime import date
from pathlib import Path

import pytest

from ds_pipeline.check.dry_run import DryRun
from ds_pipeline.check.findings import WeekRate
from ds_pipeline.cli import run
from ds_pipeline.cli.run import DONE, REFUSED, WRONG, Session
from ds_pipeline.defs.launch import Outcome
from ds_pipeline.workbench import Workbench

DAY = date(2011, 12, 5)


@pytest.fixture
def session(bench: Workbench) -> Session:
    return Session(bench, DAY)


def test_a_session_that_nothing_befell_ends_well_and_says_nothing(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    assert session.end() == DONE
    assert capsys.readouterr() == ("", "")


def test_a_refusal_is_said_at_the_end_and_is_an_exit_code_of_its_own(
    session: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    session.refuse("[bold red]Refused.[/] First.")
    session.refuse("Second.")

    assert session.end() == REFUSED
    assert capsys.readouterr() == ("\nRefused. First.\n\nSecond.\n", "")


@pytest.mark.parametrize("refused_first", [True, False])
def test_what_went_wrong_outweighs_a_refusal_and_is_said_last_as_it_is(
    session: Session, capsys: pytest.CaptureFixture[str], refused_first: bool
) -> None:
    if refused_first:
        session.refuse("Refused.")
    session.fail("history stopped. Column [bold] is missing.")
    if not refused_first:
        session.refuse("Refused.")

    assert session.end() == WRONG
    assert capsys.readouterr().err == "ds-pipeline: history stopped. Column [bold] is missing.\n"


def test_progress_stands_in_columns_and_brackets_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    handler = run._ProgressLines(0.0, stage_width=12)
    for stage, text in (("features", "3 rows [of: 4]"), ("labels", "none")):
        handler.emit(logging.LogRecord("x", logging.INFO, "", 0, "%s: %s", (stage, text), None))

    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith(" s  features     3 rows [of: 4]")
    assert second.endswith(" s  labels       none")


def test_the_column_of_stages_holds_the_longest_name_of_a_table(bench: Workbench) -> None:
    assert run._stage_width(bench) == 20
    tables = bench.use_case.sources.tables
    wide = bench.use_case.sources.model_copy(update={"tables": {"a" * 30: tables["visits"]}})
    object.__setattr__(bench.use_case, "sources", wide)
    assert run._stage_width(bench) == len("masked_") + 30


def test_only_files_that_are_there_are_named(
    bench: Workbench, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, missing = bench.project.root / "evaluation.html", bench.project.root / "list.parquet"
    delivered = bench.project.root / "list.csv"
    report.write_text("x")
    delivered.write_text("x")

    run._show_files(bench, [delivered, missing, report])

    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["List", "list.csv"], ["Report", "evaluation.html"],
    ]  # fmt: skip


def test_before_the_first_champion_nothing_serves_and_features_are_to_change(bench: Workbench) -> None:
    assert run._what_serves(bench) == "no version is in force yet"
    assert run._way_on(bench, DAY) == "Change features or training.yaml"


def test_rates_are_told_for_each_week_and_those_without_a_label_are_left_out_of_the_range(
    capsys: pytest.CaptureFixture[str],
) -> None:
    rates = [
        WeekRate(date(2011, 8, 1), rows=10, positives=2, undecided=2),
        WeekRate(date(2011, 8, 8), rows=4, positives=0, undecided=4),
        WeekRate(date(2011, 8, 15), rows=1_000, positives=500, undecided=0),
    ]
    run._show_rates(DryRun([], [], rates, (DAY, 7), [], [], 1.0))

    lines = capsys.readouterr().out.splitlines()
    assert "2011-08-15 1,000 500 0 50.0%" in [" ".join(line.split()) for line in lines]
    assert " ".join(lines[-2].split()) == "2011-12-05 7 to come"
    assert lines[-1] == "Base rate: first 25.0%, last 50.0%, lowest 25.0%, highest 50.0%."


@pytest.mark.parametrize(
    ("severe", "strict", "code", "said"),
    [
        pytest.param([], True, DONE, "", id="all-well"),
        pytest.param(["population_stability"], False, DONE, "", id="not-strict"),
        pytest.param(["population_stability"], True, REFUSED, "drift fails. See above", id="drift"),
        pytest.param(
            ["population_stability", "realized_precision_at_top"],
            True,
            REFUSED,
            "drift and realized_quality fail. See above, and: ds-pipeline status shop.",
            id="both",
        ),
    ],
)
def test_a_monitor_that_fails_is_an_exit_code_where_it_is_strict(
    bench: Workbench,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    severe: list[str],
    strict: bool,
    code: int,
    said: str,
) -> None:
    """From cron a week whose model had long drifted ended like any other."""
    ended = Outcome(succeeded=True, failed_checks=["a_warning", *severe], severe=severe)
    monkeypatch.setattr(run, "_scoring", lambda *_, **__: ended)

    assert run.score_week(bench, DAY, strict=strict) == code
    assert said in capsys.readouterr().out
