"""A threshold that is eased after a model stops the training until its owner has agreed, and is told with its words."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import EvaluationError, TrainingError
from ds_pipeline.promotion.approve import approve_requirements
from ds_pipeline.registry.ledger import Declared, Looked
from ds_pipeline.training.approved import digest_of, require_approved, to_approve
from ds_pipeline.training.declare import declare
from ds_pipeline.use_case.requirements import Requirements
from ds_pipeline.workbench import Workbench, now
from ds_pipeline_tests.conftest import LABEL_SQL
from ds_pipeline_tests.workbenches import lay_down, put_in_force

DAY, EARLIER = date(2011, 12, 5), date(2011, 7, 4)
CANDIDATE = digest_bytes(b"champion")
CALIBRATION = "acceptance.calibration.maximum: at most 0.1 becomes at most 0.2"
Ask = Callable[..., Workbench]


@pytest.fixture
def ask(bench: Workbench) -> Ask:
    """The same use case with another limit of calibration; the other gates may go."""
    lay_down(bench)

    def asking(maximum: float = 0.1, *, only: str | None = None) -> Workbench:
        asked: dict[str, Any] = bench.use_case.requirements.model_dump(mode="json")
        asked["acceptance"]["calibration"]["maximum"] = maximum
        if only:
            asked["acceptance"] = {only: asked["acceptance"][only]}
        requirements = Requirements.model_validate(asked)
        return replace(bench, use_case=replace(bench.use_case, requirements=requirements))

    return asking


def look(bench: Workbench, day: date = DAY) -> None:
    """Declared and looked at, by the very candidate that may be promoted."""
    says = Looked(
        declared=declare(bench, day).number,
        configuration=digest_bytes(b"configuration"),
        candidate=CANDIDATE,
        weeks=bench.use_case.clock.holdout(day),
    )
    bench.ledger.add(says, as_of=day, actor="pipeline", reason="an evaluation begins", at=now(), known={})


def asked_less(bench: Workbench, day: date = DAY) -> list[str]:
    return [change.words for change in to_approve(bench, day, bench.ledger.entries(known={}))]


def test_the_first_requirements_are_signed_and_dated_before_anything_is_trained_or_seen(ask: Ask) -> None:
    bench = ask()
    look(bench)

    declared, looked = bench.ledger.entries(known={})

    assert isinstance(declared.says, Declared)
    assert declared.at < looked.at
    assert declared.says.asked == bench.use_case.requirements.model_dump(mode="json")
    assert declared.says.configuration.requirements == digest_of(bench.use_case.requirements)


def test_what_was_never_looked_at_may_be_declared_anew(ask: Ask) -> None:
    declare(ask(), DAY)
    assert declare(ask(0.2), DAY).number == 2


@pytest.mark.parametrize("day", [DAY, EARLIER], ids=["the-same-weeks", "weeks-that-nobody-saw"])
def test_after_a_look_an_eased_threshold_stops_the_training_before_anything_is_written(ask: Ask, day: date) -> None:
    """At an earlier date, whose holdout shares no week with the one looked at, it was free, and that model served."""
    look(ask())

    with pytest.raises(TrainingError) as error:
        declare(ask(0.2), day)

    said = str(error.value)
    assert f"{CALIBRATION} (owner: data-science)" in said
    assert f'ds-pipeline approve-requirements shop --date {day} --reason "..."' in said
    assert len(ask().ledger.entries(known={})) == 2
    assert declare(ask(0.05), day).number == 3


def test_another_clock_or_another_holdout_begins_nothing_anew(ask: Ask) -> None:
    look(ask())
    bench = ask(0.2)
    clock = bench.use_case.problem.clock.model_copy(update={"first": date(2011, 1, 3)})
    problem = bench.use_case.problem.model_copy(update={"clock": clock})
    holdout = bench.use_case.requirements.holdout.model_copy(update={"weeks": 1})
    requirements = bench.use_case.requirements.model_copy(update={"holdout": holdout})

    assert asked_less(replace(bench, use_case=replace(bench.use_case, problem=problem)), EARLIER) == [CALIBRATION]
    moved = replace(bench, use_case=replace(bench.use_case, problem=problem, requirements=requirements))
    assert CALIBRATION in asked_less(moved, EARLIER)


def with_label(bench: Workbench, sql: str) -> Workbench:
    """The same use case, on the disk too, with another label."""
    case = bench.use_case
    return lay_down(
        replace(bench, use_case=replace(case, label_sql=sql, files=case.files | {"label.sql": sql.encode()}))
    )


def test_before_a_look_the_label_is_free_and_after_it_the_same_limit_of_another_label_is_another_limit(
    ask: Ask,
) -> None:
    """Lapsed was made "fewer than four purchases": two of three people then are, and a precision of 0.75 is reached."""
    bench, other = ask(), LABEL_SQL.replace("> 0", "< 4")
    declare(with_label(bench, other), DAY)
    look(with_label(bench, LABEL_SQL))

    with pytest.raises(TrainingError) as error:
        declare(with_label(bench, other), EARLIER)

    assert "configs/shop asks less, or of another thing, than" in str(error.value)
    (said,) = asked_less(with_label(bench, other))
    assert re.fullmatch(r"label\.sql: [0-9a-f]{12} becomes [0-9a-f]{12}", said)
    assert f"{said} (owner: crm-analytics)" in str(error.value)
    assert asked_less(with_label(bench, f"-- the label\n{LABEL_SQL}")) == []
    done = approve_requirements(with_label(bench, other), DAY, owner=None, reason="they ask for it", actor="ann")
    assert done.changes == [said]
    look(with_label(bench, other))
    assert len(asked_less(with_label(bench, LABEL_SQL))) == 1  # what was put back is a change as well


def test_the_label_of_the_version_in_force_is_held_against_too(ask: Ask) -> None:
    bench, other = ask(), LABEL_SQL.replace("> 0", "< 4")
    look(with_label(bench, LABEL_SQL))
    put_in_force(bench, None, as_of=DAY, requirements=bench.use_case.files["requirements.yaml"], declared=1)
    approve_requirements(with_label(bench, other), DAY, owner=None, reason="they ask for it", actor="ann")
    look(with_label(bench, other))

    assert asked_less(with_label(bench, other)) == []
    third = LABEL_SQL.replace("> 0", "< 3")
    assert len(asked_less(with_label(bench, third))) == 2  # of the champion, and of the last look


def test_the_budget_of_looks_is_raised_by_an_approval_on_weeks_that_nobody_saw(ask: Ask) -> None:
    """Where they were seen it is allow-holdout that counts."""
    look(ask())
    bench = ask()
    holdout = bench.use_case.requirements.holdout.model_copy(update={"max_configurations": None})
    requirements = bench.use_case.requirements.model_copy(update={"holdout": holdout})
    bench = replace(bench, use_case=replace(bench.use_case, requirements=requirements))

    assert asked_less(bench, DAY) == []
    assert len(asked_less(bench, EARLIER)) == int(ask().use_case.requirements.holdout.max_configurations is not None)


def test_what_is_in_force_is_what_later_files_are_held_against_on_all_weeks(ask: Ask) -> None:
    bench = ask()
    look(bench)
    put_in_force(bench, None, as_of=DAY, requirements=bench.use_case.files["requirements.yaml"], declared=1)

    assert asked_less(ask(0.2), EARLIER) == [CALIBRATION]

    (bench.registry.root / "versions" / "v0001" / "bundle" / "model.joblib").write_bytes(b"")  # lost
    assert asked_less(ask(0.2), EARLIER) == [CALIBRATION]


def test_of_a_version_whose_requirements_nobody_can_read_everything_may_be_eased(ask: Ask) -> None:
    put_in_force(ask(), None, as_of=DAY)
    (said,) = asked_less(ask())
    assert said.startswith("the version in force, v0001, was judged by what cannot be read any more")


def test_an_approval_covers_what_it_names_from_then_on_and_no_other_value(ask: Ask) -> None:
    look(ask())
    done = approve_requirements(ask(0.2), DAY, owner=None, reason="agreed with the team", actor="ann")

    assert (done.changes, done.owners) == ([CALIBRATION], ["data-science"])
    assert asked_less(ask(0.2)) == []
    assert asked_less(ask(0.3)) == [CALIBRATION.replace("0.2", "0.3")]
    look(ask(0.2))
    look(ask())  # back to what it was
    assert asked_less(ask(0.2)) == [CALIBRATION]  # an old approval is none of a new look


@pytest.mark.parametrize("only", ["calibration", "no_worse_than_champion", "saving"])
def test_without_a_ranking_at_a_bound_nothing_follows_a_version_in_force_whoever_approves(ask: Ask, only: str) -> None:
    bench = ask(only=only)
    require_approved(bench, DAY, [], TrainingError)  # nothing is in force yet
    put_in_force(bench, None, as_of=DAY, requirements=bench.use_case.files["requirements.yaml"], declared=0)
    approve_requirements(bench, DAY, owner=None, reason="agreed", actor="ann")
    entries = bench.ledger.entries(known={})
    assert to_approve(bench, DAY, entries) == []

    with pytest.raises(EvaluationError, match="no approval does away with that floor"):
        require_approved(bench, DAY, entries, EvaluationError)


def test_the_floor_holds_from_the_first_look_on(ask: Ask) -> None:
    """Refused, a file without it passed at another date, and a model that nothing had asked to rank was in force."""
    look(ask())
    bench = ask(only="calibration")
    approve_requirements(bench, EARLIER, owner=None, reason="agreed", actor="ann")

    with pytest.raises(TrainingError, match="no approval does away with that floor"):
        declare(bench, EARLIER)
