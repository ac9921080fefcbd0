"""Runs as the ledger tells them, and what differs between two."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import RegistryError
from ds_pipeline.promotion.runs import Difference, Run, differences, run_number, runs_of
from ds_pipeline.registry.history import Event
from ds_pipeline.registry.ledger import Allowed, Configuration, Declared, Entry, Figure, Judged, Looked, Says

DAY = date(2011, 12, 5)
AT = datetime(2011, 12, 5, 9, 0, tzinfo=UTC)


def digest(name: str) -> str:
    return digest_bytes(name.encode())


def entry(number: int, says: Says, *, as_of: date = DAY) -> Entry:
    at = AT + timedelta(minutes=number)
    return Entry(use_case="mini", number=number, actor="a", reason="r", at=at, previous=None, as_of=as_of, says=says)


def declared(training: str = "t", *, inputs: list[str] | None = None) -> Declared:
    chosen = Configuration(
        features=digest("f"),
        labels=digest("l"),
        sources=digest("s"),
        training=digest(training),
        requirements=digest("r"),
    )
    files = {"training.yaml": digest(training), "label.sql": digest("l")}
    return Declared(
        configuration=chosen, requirements=digest("r"), use_case=digest("u"), files=files, inputs=inputs or ["recency"]
    )


def looked(by: int, candidate: str = "one") -> Looked:
    return Looked(declared=by, configuration=digest("c"), candidate=digest(candidate), weeks=[DAY])


def judged(
    looked: int, *, passed: bool = True, value: float = 0.5, trees: int = 100, decision: str | None = None
) -> Judged:
    figure = Figure(
        name="precision", value=value, bound=None, comparison=">=", threshold=0.4, passed=passed, is_acceptance=True
    )
    return Judged(
        looked=looked,
        evaluation=digest("e"),
        passed=passed,
        parameters={"max_iter": trees},
        figures=[figure],
        metrics={"roc_auc": value},
        decision=digest(decision) if decision else None,
    )


def promoted(candidate: str, version: str = "v0001", kind: str = "promote") -> Event:
    fields = {"use_case": "mini", "number": 1, "actor": "a", "reason": "r", "at": AT, "previous": None}
    digests = dict.fromkeys(("bundle_digest", "decision_digest"), digest("x"))
    return Event.model_validate(
        fields | digests | {"kind": kind, "version": version, "as_of": DAY, "candidate_digest": digest(candidate)}
    )


def verdicts(runs: list[Run]) -> list[tuple[int, str, str | None]]:
    return [(run.number, run.verdict, run.promoted_as) for run in runs]


def test_every_run_is_told_with_its_end() -> None:
    entries = [
        entry(1, declared()),
        entry(2, looked(1)),
        entry(3, judged(2)),
        entry(4, declared()),
        entry(5, looked(4, "two")),
        entry(6, judged(5, passed=False)),
        entry(7, declared()),
        entry(8, looked(7, "three")),
        entry(9, declared()),
        entry(10, Allowed(weeks=[DAY], more=1)),
    ]
    assert verdicts(runs_of(entries, [promoted("one")])) == [
        (1, "passed", "v0001"),
        (2, "refused", None),
        (3, "evaluation not finished", None),
        (4, "not evaluated", None),
    ]


def test_a_candidate_that_is_judged_again_is_another_run_of_the_same_declaration() -> None:
    entries = [entry(1, declared()), entry(2, looked(1)), entry(3, judged(2)), entry(4, looked(1)), entry(5, judged(4))]
    first, second = runs_of(entries, [])
    assert (first.number, second.number) == (1, 2)
    assert first.declared == second.declared
    assert (first.looked_at, second.looked_at) == (AT + timedelta(minutes=2), AT + timedelta(minutes=4))


def test_trainings_of_two_dates_at_once_are_told_apart() -> None:
    entries = [
        entry(1, declared("a")),
        entry(2, declared("b"), as_of=DAY + timedelta(weeks=1)),
        entry(3, looked(2, "b")),
        entry(4, looked(1, "a")),
        entry(5, judged(4, passed=False)),
        entry(6, judged(3)),
    ]
    assert [(run.as_of, run.verdict) for run in runs_of(entries, [])] == [
        (DAY, "refused"),
        (DAY + timedelta(weeks=1), "passed"),
    ]


@pytest.mark.parametrize("passed", [True, False], ids=["passed", "refused"])
def test_a_run_of_the_same_bytes_is_not_the_version(passed: bool) -> None:
    """A refused run under other requirements was listed as the version in force: its candidate had the same bytes."""
    entries = [
        entry(1, declared()),
        entry(2, looked(1)),
        entry(3, judged(2, decision="x")),
        entry(4, declared()),
        entry(5, looked(4)),
        entry(6, judged(5, passed=passed, decision="y")),
    ]
    assert [run.promoted_as for run in runs_of(entries, [promoted("one")])] == ["v0001", None]


def test_a_refused_run_from_before_decisions_were_noted_is_no_version() -> None:
    entries = [entry(1, declared()), entry(2, looked(1)), entry(3, judged(2, passed=False))]
    assert verdicts(runs_of(entries, [promoted("one")])) == [(1, "refused", None)]


def test_a_gate_that_does_not_apply_is_not_called_passed() -> None:
    (figure,) = judged(2).figures
    assert figure.verdict == "pass"
    assert figure.model_copy(update={"value": None}).verdict == "not_applicable"
    assert figure.model_copy(update={"value": None, "passed": False}).verdict == "refused"


def test_an_entry_from_before_decisions_were_noted_keeps_its_digest() -> None:
    says = judged(2)
    assert "decision" not in entry(3, says).model_dump(mode="json")["says"]
    assert "decision" not in json.loads(entry(3, says).content)["says"]
    noted = entry(3, judged(2, decision="x"))
    assert json.loads(noted.content)["says"]["decision"] == digest("x")
    assert Entry.model_validate_json(noted.content) == noted


def test_a_rollback_promotes_nothing_anew() -> None:
    entries = [entry(1, declared()), entry(2, looked(1)), entry(3, judged(2))]
    (run,) = runs_of(entries, [promoted("one"), promoted("two", "v0002"), promoted("one", "v0001", "rollback")])
    assert run.promoted_as == "v0001"


def test_the_same_run_differs_in_nothing() -> None:
    entries = [entry(1, declared()), entry(2, looked(1)), entry(3, judged(2))]
    (run,) = runs_of(entries, [])
    assert differences(run, run) == []


def test_files_inputs_parameters_gates_and_metrics_are_compared() -> None:
    entries = [
        entry(1, declared("t")),
        entry(2, looked(1)),
        entry(3, judged(2)),
        entry(4, declared("other", inputs=["recency", "spend"])),
        entry(5, looked(4)),
        entry(6, judged(5, value=0.25, passed=False, trees=50)),
    ]
    found = differences(*runs_of(entries, []))
    assert [(one.what, one.name) for one in found] == [
        ("run", "configuration"),
        ("run", "verdict"),
        ("file", "training.yaml"),
        ("input", "spend"),
        ("parameter", "max_iter"),
        ("gate", "precision"),
        ("metric", "roc_auc"),
    ]
    assert Difference("parameter", "max_iter", 100, 50) in found
    assert Difference("input", "spend", None, "there") in found
    assert Difference("gate", "precision", (0.5, None, ">=", 0.4, "pass"), (0.25, None, ">=", 0.4, "refused")) in found


@pytest.mark.parametrize("number", [0, 2, -1])
def test_a_run_that_there_is_not_is_named(number: int) -> None:
    runs = runs_of([entry(1, declared())], [])
    assert run_number(runs, 1) == runs[0]
    with pytest.raises(RegistryError, match="Known: 1 to 1"):
        run_number(runs, number)
