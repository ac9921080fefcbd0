"""What was refused stays refused until the owners say otherwise, and what they say is signed and told."""

from __future__ import annotations

from datetime import date

import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import ConfigError, EvaluationError, RegistryError
from ds_pipeline.promotion.approve import approvals_of, approve_requirements, require_not_refused
from ds_pipeline.registry.ledger import Allowed, Approved, Entry, Figure, Judged, Looked, Says
from ds_pipeline.training.declare import declare
from ds_pipeline.workbench import Workbench, now
from ds_pipeline_tests.workbenches import lay_down

DAY = date(2011, 12, 5)
NOISE = digest_bytes(b"noise")
BUDGET = "holdout_configurations"


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    declare(lay_down(bench), DAY)
    return bench


def add(bench: Workbench, says: Says) -> list[Entry]:
    return bench.ledger.add(says, as_of=DAY, actor="ann", reason="a test", at=now(), known={})


def look(bench: Workbench, candidate: str = NOISE, *, model: str | None = None, weeks: list[date] | None = None) -> int:
    """An evaluation begins; the number of its entry."""
    weeks = weeks or bench.use_case.clock.holdout(DAY)
    digest = digest_bytes(b"configuration")
    looked = Looked(declared=1, configuration=digest, candidate=candidate, model=model, weeks=weeks)
    return add(bench, looked)[-1].number


def refuse(bench: Workbench, looked: int, *gates: str, value: float | None = 0.1) -> None:
    """It ends, with these gates missed."""
    figures = [
        Figure(name=gate, value=value, bound=None, comparison=">=", threshold=1, passed=False, is_acceptance=True)
        for gate in gates
    ]
    digest = digest_bytes(b"evaluation")
    add(
        bench,
        Judged(looked=looked, evaluation=digest, passed=not gates, parameters={}, figures=figures, metrics={}),
    )


def stands(bench: Workbench, looked: int) -> bool:
    try:
        require_not_refused(bench, bench.ledger.entries(known={}), looked)
    except EvaluationError:
        return False
    return True


def approve(bench: Workbench, owner: str | None = None) -> None:
    approve_requirements(bench, DAY, owner=owner, reason="agreed with the team", actor="ann")


def test_a_candidate_that_was_refused_is_refused_again_whatever_is_asked_since(bench: Workbench) -> None:
    refuse(bench, look(bench), "precision_in_top_decile", "saving")
    again = look(bench)

    with pytest.raises(EvaluationError) as error:
        require_not_refused(bench, bench.ledger.entries(known={}), again)

    said = str(error.value)
    assert f"The model of the candidate {NOISE[:12]} was refused on these holdout weeks" in said
    assert "(precision_in_top_decile, saving; ledger/000003.json)" in said
    assert 'ds-pipeline approve-requirements shop --date 2011-12-05 --reason "..."' in said


def test_another_candidate_and_other_weeks_are_no_refusal_of_it(bench: Workbench) -> None:
    refuse(bench, look(bench), "saving")
    first, last = bench.use_case.clock.holdout(DAY)[0], bench.use_case.clock.holdout(DAY)[-1]

    assert stands(bench, look(bench, digest_bytes(b"another")))
    assert stands(bench, look(bench, weeks=[date(2011, 4, 4)]))
    assert not stands(bench, look(bench, weeks=[date(2011, 4, 4), first]))  # one week is enough
    assert not stands(bench, look(bench, weeks=[last]))


def test_the_same_model_beside_other_files_is_refused_with_it(bench: Workbench) -> None:
    """A comment in an SQL file, or another slice, made another candidate of the same bytes, and that one passed."""
    model, beside = digest_bytes(b"model"), digest_bytes(b"noise beside another slice")
    refuse(bench, look(bench, model=model), "saving")

    assert not stands(bench, look(bench, beside, model=model))
    assert stands(bench, look(bench, beside, model=digest_bytes(b"another model")))
    assert stands(bench, look(bench, beside, model=model, weeks=[date(2011, 4, 4)]))
    approve(bench)
    assert stands(bench, look(bench, beside, model=model))


def test_an_old_look_that_does_not_say_its_model_refuses_its_candidate_alone(bench: Workbench) -> None:
    refuse(bench, look(bench), "saving")

    assert not stands(bench, look(bench, model=digest_bytes(b"model")))
    assert stands(bench, look(bench, digest_bytes(b"another"), model=digest_bytes(b"model")))


def test_an_approval_counts_for_the_looks_that_tell_of_it(bench: Workbench) -> None:
    refuse(bench, look(bench), "saving")
    before = look(bench)
    approve(bench)
    after = look(bench)

    assert stands(bench, after)
    assert not stands(bench, before)  # its page would not tell
    refuse(bench, after, "saving")
    assert not stands(bench, look(bench))  # refused once more


def test_more_looks_that_were_allowed_let_come_again_what_was_refused_for_the_budget_alone(bench: Workbench) -> None:
    weeks = bench.use_case.clock.holdout(DAY)
    refuse(bench, look(bench), BUDGET)
    refuse(bench, look(bench, digest_bytes(b"worse")), BUDGET, "saving")
    add(bench, Allowed(weeks=weeks, more=2))

    assert stands(bench, look(bench))
    assert not stands(bench, look(bench, digest_bytes(b"worse")))


def test_that_a_champion_could_not_be_scored_says_nothing_of_the_candidate(bench: Workbench) -> None:
    refuse(bench, look(bench), "no_worse_than_champion", value=None)
    assert stands(bench, look(bench))
    refuse(bench, look(bench), "no_worse_than_champion", value=-0.5)
    assert not stands(bench, look(bench))


def test_an_approval_says_for_whom_and_of_what(bench: Workbench) -> None:
    refuse(bench, look(bench), "saving")
    approve(bench, "crm-analytics")

    entry = bench.ledger.entries(known={})[-1]
    assert isinstance(entry.says, Approved)
    assert (entry.says.owners, entry.says.candidates, entry.says.changes) == (["crm-analytics"], [NOISE], [])
    (told,) = approvals_of([entry])
    assert (told.number, told.actor, told.reason) == (4, "ann", "agreed with the team")
    assert told.words == "a candidate that was refused may be judged again"


def test_nothing_is_approved_without_need_reason_or_owner(bench: Workbench) -> None:
    with pytest.raises(EvaluationError, match=r"asks no less than before, of the same things, .* Nothing was recorded"):
        approve(bench)
    refuse(bench, look(bench), "saving")
    with pytest.raises(EvaluationError, match=r"is of 'nobody'\. Owners: crm-analytics, data-science"):
        approve(bench, "nobody")
    with pytest.raises(ConfigError, match="an identifier was found"):
        approve_requirements(bench, DAY, owner=None, reason="as zarathea@example.org said", actor="ann")
    with pytest.raises(RegistryError, match="missing, empty or not valid: reason"):
        approve_requirements(bench, DAY, owner=None, reason=" ", actor="ann")
    assert len(bench.ledger.entries(known={})) == 3
