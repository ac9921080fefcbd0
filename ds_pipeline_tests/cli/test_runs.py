"""Runs as lines for people and as values for programs."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta

import pytest

from ds_pipeline.cli.runs import HEAD, plain_run, read_runs, show_comparison, show_other_looks, show_runs
from ds_pipeline.digests import digest_bytes
from ds_pipeline.evaluation.checks.holdout_budget import Override
from ds_pipeline.promotion.runs import Difference, Run
from ds_pipeline.registry.ledger import Backtested, Configuration, Declared, Entry, Figure, Judged, Rebuilt
from ds_pipeline.workbench import Workbench

AT = datetime(2011, 12, 5, 9, 30, tzinfo=UTC)
DAY = date(2011, 12, 5)


def digest(name: str) -> str:
    return digest_bytes(name.encode())


DECLARED = Declared(
    configuration=Configuration(
        features=digest("f"), labels=digest("l"), sources=digest("s"), training=digest("t"), requirements=digest("r")
    ),
    requirements=digest("r"), use_case=digest("u"), files={"label.sql": digest("l")}, inputs=["recency"],
)  # fmt: skip


def figure(name: str, *, passed: bool, value: float | None, bound: float | None = None, asked: bool = True) -> Figure:
    return Figure(
        name=name, value=value, bound=bound, comparison=">=", threshold=0.4, passed=passed, is_acceptance=asked
    )


FIGURES = [
    figure("precision", passed=True, value=0.5, bound=0.45),
    figure("gain", passed=False, value=None),
    figure("champion_gain", passed=True, value=None),
    figure("memory_mb", passed=True, value=300, asked=False),
    figure("load_seconds", passed=False, value=12.5, asked=False),
]
JUDGED = Judged(
    looked=2, evaluation=digest("e"), passed=False, parameters={"max_iter": 9}, figures=FIGURES, metrics={"auc": 0.7}
)
BEGUN = Run(number=1, as_of=DAY, at=AT, declared=DECLARED)
REFUSED = Run(number=2, as_of=DAY, at=AT, declared=DECLARED, candidate=digest("c"), looked_at=AT, judged=JUDGED)


def test_without_a_run_that_is_said(bench: Workbench) -> None:
    assert read_runs(bench) == []
    assert list(show_runs([], of=0, overrides=[], approvals=[])) == ["No training has begun yet."]


def test_a_run_is_a_line_below_its_head_and_what_it_lacks_is_a_dash() -> None:
    head, line = show_runs([BEGUN], of=1, overrides=[], approvals=[])

    assert head == HEAD
    assert line.split() == [
        "1", "2011-12-05", "2011-12-05", "09:30", BEGUN.configuration[:12], "-", "not", "evaluated", "-",
    ]  # fmt: skip
    assert line.index("not evaluated") == head.index("verdict")
    assert line.index(BEGUN.configuration[:12]) == head.index("configuration")


def test_below_a_run_stand_its_thresholds_and_whatever_else_refused() -> None:
    _, line, *below = show_runs([REFUSED], of=1, overrides=[], approvals=[])

    assert "refused" in line
    assert [row.split(maxsplit=1) for row in below] == [
        ["precision", "0.5 (bound 0.45), asked >= 0.4"],
        ["gain", "not measured, asked >= 0.4: refused"],
        ["champion_gain", "n/a"],
        ["load_seconds", "12.5, asked >= 0.4: refused"],
    ]


def test_older_runs_and_overrides_are_told_at_the_end() -> None:
    override = Override(number=3, at=AT, actor="ann", reason="a new law", more=2, weeks=[DAY, date(2011, 12, 12)])

    *_, older, told = show_runs([BEGUN], of=7, overrides=[override], approvals=[])

    assert older == "The newest 1 of 7 runs; more with --last."
    assert told == "Override of 2011-12-05 by ann: 2 more for 2011-12-05 to 2011-12-12: a new law"


def test_a_run_for_programs_is_plain_json() -> None:
    plain = json.loads(json.dumps(plain_run(REFUSED)))

    assert (plain["run"], plain["verdict"], plain["promoted_as"]) == (2, "refused", None)
    assert (plain["as_of"], plain["began_at"]) == ("2011-12-05", "2011-12-05T09:30:00+00:00")
    assert plain["configuration"]["digest"] == REFUSED.configuration
    assert [gate["verdict"] for gate in plain["gates"]] == ["pass", "refused", "not_applicable", "pass", "refused"]


def test_a_run_that_was_not_judged_has_neither_gates_nor_metrics() -> None:
    plain = plain_run(BEGUN)

    assert (plain["looked_at"], plain["candidate"]) == (None, None)
    assert (plain["gates"], plain["metrics"], plain["parameters"]) == ([], {}, {})


def test_two_runs_stand_side_by_side_with_what_differs() -> None:
    lines = list(
        show_comparison(
            BEGUN,
            REFUSED,
            [
                Difference("run", "verdict", "not evaluated", "refused"),
                Difference("parameter", "max_iter", None, 1200),
                Difference("gate", "precision", (0.5, 0.45, ">=", 0.4, "pass"), (0.25, None, ">=", 0.4, "refused")),
            ],
        )
    )

    assert [line.split() for line in lines] == [
        ["run", "1", "run", "2"],
        ["verdict", "not", "evaluated", "refused"],
        ["parameter", "max_iter", "-", "1,200"],
        ["gate", "precision", "0.5", "(0.45)", ">=", "0.4", "pass", "0.25", ">=", "0.4", "refused"],
    ]
    assert len({line.index(word) for line, word in zip(lines, ("run 2", "refused", "1,200", "0.25"), strict=True)}) == 1


def test_equal_runs_are_said_to_be_equal() -> None:
    assert list(show_comparison(BEGUN, REFUSED, [])) == ["Run 1 and run 2 differ in nothing that is recorded."]


@pytest.mark.parametrize("value", [0.5, None, "a", (0.5, None, ">=", 0.4, "pass")], ids=str)
def test_a_difference_for_programs_keeps_its_values(value: object) -> None:
    assert asdict(Difference("gate", "x", value, None)) == {
        "what": "gate", "name": "x", "first": value, "second": None,
    }  # fmt: skip


def test_backtests_and_rebuilds_are_told() -> None:
    week = DAY - timedelta(weeks=9)
    shown = Backtested(configuration=digest("c"), weeks=[week, DAY], seen={week: {}, DAY: {}})
    entries = [
        Entry(
            use_case="mini",
            number=number,
            actor="ann, key 1f2e",
            reason="one",
            at=AT,
            previous=None,
            as_of=DAY,
            says=says,
        )
        for number, says in enumerate((DECLARED, shown, Rebuilt()), start=1)
    ]

    assert list(show_other_looks(entries)) == [
        f"Backtest of 2011-12-05: configuration {digest('c')[:12]} has seen 2011-10-03 to 2011-12-05",
        "Rebuilt on 2011-12-05 by ann, key 1f2e: every week up to 2011-12-05 was made anew",
    ]
