"""What is declared stands until the verdict; a look is written before anything is seen, and told for good."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ds_pipeline.boundary.erasures import Change, Erasure
from ds_pipeline.boundary.suppress import erasures_of
from ds_pipeline.digests import canonical_json, digest_bytes
from ds_pipeline.errors import ConfigError, EvaluationError, RegistryError
from ds_pipeline.evaluation.checks.holdout_budget import LedgerRecord
from ds_pipeline.promotion.holdout_ledger import (
    allow_holdout,
    overrides_of,
    read_ledger,
    record_backtest,
    record_look,
    record_rebuild,
)
from ds_pipeline.registry.documents import Document
from ds_pipeline.registry.ledger import Looked, Seen
from ds_pipeline.store.chain import next_link
from ds_pipeline.training.declare import declare, facts_of
from ds_pipeline.workbench import Workbench, known_entries
from ds_pipeline_tests.workbenches import lay_down

DAY = date(2011, 12, 5)
CANDIDATE = Document(digest_bytes(b"candidate"), {"model.joblib": b"model"})
LABELS = "labels/x"


@pytest.fixture
def bench(bench: Workbench) -> Workbench:
    return lay_down(bench)


def trained(bench: Workbench) -> dict[str, Any]:
    """What the lineage of a candidate says that is trained now."""
    return facts_of(declare(bench, DAY))


def rows(bench: Workbench, labels: str = "labels") -> Seen:
    """Store a holdout with these labels; its rows by digest."""
    weeks = bench.use_case.clock.holdout(DAY)
    made = {str(week): (pa.table({"label": [labels]}), {}) for week in weeks}
    stored = bench.datasets.store.put_all(made, dataset=LABELS)
    return {week: {f"{LABELS}/{week}": stored[str(week)].digest} for week in weeks}


def index(bench: Workbench) -> Path:
    return bench.datasets.store.root / LABELS / "index.json"


def look(bench: Workbench, trained_under: dict[str, Any], labels: str = "labels") -> LedgerRecord:
    seen = rows(bench, labels)
    return record_look(bench, DAY, candidate=CANDIDATE, trained_under=trained_under, seen=seen)[0]


def edit(bench: Workbench, name: str, content: bytes = b"# another\n") -> None:
    (bench.project.configs / bench.use_case.name / name).write_bytes(content)


def test_a_look_is_written_with_its_weeks_and_counts_itself(bench: Workbench) -> None:
    limit = bench.use_case.requirements.holdout.max_configurations
    found, measured = record_look(bench, DAY, candidate=CANDIDATE, trained_under=trained(bench), seen=rows(bench))
    entry = read_ledger(bench)[-1]
    assert isinstance(entry.says, Looked)
    assert entry.says.weeks == bench.use_case.clock.holdout(DAY)
    assert (entry.says.candidate, entry.says.model) == (CANDIDATE.digest, digest_bytes(b"model"))
    assert (found.entry, found.entry_digest) == (2, entry.digest)
    assert {one.configurations for one in found.weeks} == {1}
    assert [one.value for one in measured.values()] == ([] if limit is None else [1])


def test_an_edit_between_training_and_evaluation_costs_no_look_and_gives_no_verdict(bench: Workbench) -> None:
    trained_under = trained(bench)
    edit(bench, "requirements.yaml")
    with pytest.raises(EvaluationError, match=r"requirements.yaml changed"):
        look(bench, trained_under)
    assert len(read_ledger(bench)) == 1


def test_a_candidate_without_a_declaration_is_not_judged(bench: Workbench) -> None:
    with pytest.raises(EvaluationError, match="before declarations were recorded"):
        look(bench, {"requirements": bench.use_case.requirements_digest})


@pytest.mark.parametrize("number", [2, 3, 99], ids=["a look", "an override", "none"])
def test_a_declaration_that_is_none_is_refused(bench: Workbench, number: int) -> None:
    bench = with_limit(bench, 1)
    allow_it = trained(bench)
    look(bench, allow_it)
    allow_holdout(bench, DAY, more=1, reason="a fault was repaired", actor="ann")
    with pytest.raises((EvaluationError, RegistryError), match="declaration"):
        look(bench, allow_it | {"declared": number})


def test_labels_that_changed_are_another_look_under_the_same_files(bench: Workbench) -> None:
    trained_under = trained(bench)
    looks = [look(bench, trained_under, labels).looks for labels in ("labels", "labels", "flipped", "labels")]
    assert looks == [1, 1, 2, 2]


def test_rows_out_of_which_people_were_erased_are_no_further_look(bench: Workbench) -> None:
    trained_under = trained(bench)
    look(bench, trained_under, "whole")
    before, after = rows(bench, "whole"), rows(bench, "without one")
    changes = [
        Change(dataset=LABELS, partition=str(week), rows=1, old=before[week][name], new=after[week][name])
        for week, name in ((week, f"{LABELS}/{week}") for week in before)
    ]
    assert look(bench, trained_under, "without one").looks == 2  # until the erasure is recorded

    erased = {"request": "1", "people": 1, "found": 1, "listed": 1, "changes": changes, "affected": []}
    event = next_link(Erasure, [], use_case="shop", actor="ann", reason="asked", at=datetime.now(UTC), **erased)
    erasures_of(bench).append(event)

    assert look(bench, trained_under, "without one").looks == 1


def test_an_older_state_of_the_store_is_not_judged_on(bench: Workbench) -> None:
    """Its signature is genuine. The ledger has seen the state after it."""
    trained_under, before = trained(bench), rows(bench, "before they were corrected")
    older = index(bench).read_bytes()
    look(bench, trained_under, "corrected")
    entries = len(read_ledger(bench))
    index(bench).write_bytes(older)

    assert bench.datasets.store.get(LABELS, str(min(before))).digest in before[min(before)].values()
    with pytest.raises(
        EvaluationError, match=r"labels of \S+: ledger/000002.json has looked at other rows .* put back"
    ):
        record_look(bench, DAY, candidate=CANDIDATE, trained_under=trained_under, seen=before)
    assert len(read_ledger(bench)) == entries


def test_an_index_begun_anew_over_other_labels_needs_a_recorded_rebuild_and_is_another_look(bench: Workbench) -> None:
    trained_under = trained(bench)
    look(bench, trained_under)
    index(bench).unlink()

    with pytest.raises(EvaluationError, match=r"its index was removed.* ds-pipeline history shop --rebuild"):
        look(bench, trained_under, "flipped")

    record_rebuild(bench, DAY)
    assert look(bench, trained_under, "flipped").looks == 2


def test_a_rebuild_is_recorded_where_something_was_looked_at(bench: Workbench) -> None:
    record_rebuild(bench, DAY)
    assert read_ledger(bench) == []

    look(bench, trained(bench))
    record_rebuild(bench, DAY)
    entry = read_ledger(bench)[-1]
    assert (entry.says.kind, entry.actor) == ("rebuilt", bench.keys.holder())


def test_a_backtest_is_noted_once_and_counts_with_the_next_verdict_of_another_configuration(bench: Workbench) -> None:
    for _ in range(2):
        record_backtest(bench, DAY, seen=rows(bench))
    assert [entry.says.kind for entry in read_ledger(bench)] == ["backtested"]
    assert look(bench, trained(bench)).looks == 1
    other = lay_down(with_limit(bench, 7))
    assert look(other, trained(other)).looks == 2


def test_an_override_is_told_with_each_later_look(bench: Workbench) -> None:
    bench = with_limit(bench, 1)
    trained_under = trained(bench)
    assert look(bench, trained_under).overrides == []
    made = allow_holdout(bench, DAY, more=2, reason="a fault was repaired", actor="ann")
    assert look(bench, trained_under).overrides == [made]
    assert overrides_of(bench) == [made]
    assert (made.more, made.actor, made.weeks) == (2, "ann", bench.use_case.clock.holdout(DAY))


def test_an_identifier_in_a_reason_is_refused(bench: Workbench) -> None:
    with pytest.raises(ConfigError, match="an identifier was found"):
        allow_holdout(bench, DAY, more=1, reason="asked for by zarathea@example.org", actor="ann")
    assert read_ledger(bench) == []


@pytest.mark.parametrize(
    ("limit", "said"),
    [(10, "9 of 10 configurations are still free"), (None, "sets no holdout.max_configurations")],
    ids=["budget left", "no budget"],
)
def test_no_override_where_the_budget_is_not_used_up(bench: Workbench, limit: int | None, said: str) -> None:
    """It was recorded and shown for good as if it had been needed."""
    bench = with_limit(bench, limit)
    look(bench, trained(bench))
    with pytest.raises(EvaluationError, match=said):
        allow_holdout(bench, DAY, more=1, reason="to be on the safe side", actor="ann")
    assert overrides_of(bench) == []


def test_what_was_allowed_is_free_until_it_is_used(bench: Workbench) -> None:
    bench = with_limit(bench, 1)
    look(bench, trained(bench))
    allow_holdout(bench, DAY, more=1, reason="a fault was repaired", actor="ann")
    with pytest.raises(EvaluationError, match="1 of 1 configurations are still free"):
        allow_holdout(bench, DAY, more=1, reason="once more", actor="ann")


def put_evaluation(bench: Workbench, found: LedgerRecord) -> None:
    said = {"ledger": found.model_dump(mode="json")}
    bench.documents.put({"evaluation.json": canonical_json(said)}, kind="evaluation", day=DAY)


def test_a_ledger_is_missed_by_the_evaluation_that_refers_to_it(bench: Workbench) -> None:
    trained_under = trained(bench)
    put_evaluation(bench, look(bench, trained_under))
    assert known_entries(bench).keys() == {2}
    for path in [*bench.ledger.folder.glob("*.json"), bench.ledger.newest_path]:
        path.unlink()
    with pytest.raises(RegistryError, match="nothing is judged"):
        look(bench, trained_under)
    with pytest.raises(RegistryError, match="nothing is judged"):
        declare(bench, DAY)


def test_a_damaged_evaluation_does_not_stop_the_training_that_heals_it(bench: Workbench) -> None:
    put_evaluation(bench, look(bench, trained(bench)))
    (bench.documents.root / "evaluation" / str(DAY) / "current.json").write_bytes(b"{")
    assert known_entries(bench) == {}
    assert declare(bench, DAY).number == 3


def test_an_evaluation_from_before_there_was_a_ledger_refers_to_none(bench: Workbench) -> None:
    bench.documents.put({"evaluation.json": b"{}"}, kind="evaluation", day=DAY)
    assert declare(bench, DAY).number == 1


def with_limit(bench: Workbench, limit: int | None) -> Workbench:
    """The same use case under another budget."""
    holdout = bench.use_case.requirements.holdout.model_copy(update={"max_configurations": limit})
    requirements = bench.use_case.requirements.model_copy(update={"holdout": holdout})
    return replace(bench, use_case=replace(bench.use_case, requirements=requirements))


@pytest.mark.parametrize(("later", "said"), [(1000, "is 1000 now"), (None, "is gone now")])
def test_a_budget_is_not_raised_after_the_looking(bench: Workbench, later: int | None, said: str) -> None:
    agreed, raised = with_limit(bench, 1), with_limit(bench, later)
    look(agreed, trained(agreed))
    facts = trained(raised)

    with pytest.raises(EvaluationError, match=f"was 1 when these holdout weeks were looked at, and {said}"):
        look(raised, facts)


def test_a_smaller_budget_may_be_agreed_at_any_time(bench: Workbench) -> None:
    agreed, smaller = with_limit(bench, 9), with_limit(bench, 2)
    look(agreed, trained(agreed))
    assert look(smaller, trained(smaller)).entry == 4
