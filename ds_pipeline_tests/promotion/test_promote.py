"""What a promotion relies on; whole promotions are in the journeys."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import ConfigError, EvaluationError, RegistryError
from ds_pipeline.promotion import promote
from ds_pipeline.promotion.holdout_ledger import record_promotions
from ds_pipeline.promotion.promote import champion_of, promote_candidate, roll_back
from ds_pipeline.registry.ledger import Promoted
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import lay_down, put_in_force

DAY = date(2011, 12, 5)
CHAMPION = digest_bytes(b"champion")


def bound_to(champion: str | None, candidate: str = "c") -> Any:
    return SimpleNamespace(bound_to=SimpleNamespace(champion=champion, candidate=candidate))


def test_before_the_first_promotion_nothing_is_in_force(bench: Workbench) -> None:
    assert champion_of(bench, DAY) is None
    promote._require_champion(bench, DAY, bound_to(None))


def test_the_champion_of_a_date_is_no_younger_than_it(bench: Workbench) -> None:
    put_in_force(bench, None, as_of=DAY)

    assert champion_of(bench, DAY) == CHAMPION
    assert champion_of(bench, date(2011, 11, 28)) is None


@pytest.mark.parametrize(
    ("champion", "candidate", "stands"),
    [
        pytest.param(CHAMPION, "c", True, id="compared-with-what-is-in-force"),
        pytest.param("earlier", CHAMPION, True, id="in-force-itself-by-now"),
        pytest.param("earlier", "c", False, id="another-came-in-between"),
        pytest.param(None, "c", False, id="a-first-one-came-in-between"),
    ],
)
def test_a_decision_stands_for_the_champion_it_was_taken_against(
    bench: Workbench, champion: str | None, candidate: str, stands: bool
) -> None:
    put_in_force(bench, None, as_of=DAY)

    if stands:
        promote._require_champion(bench, DAY, bound_to(champion, candidate))
        return
    with pytest.raises(EvaluationError, match="Another version came into force for 2011-12-05 just now"):
        promote._require_champion(bench, DAY, bound_to(champion, candidate))


def test_the_page_of_a_version_is_kept_beside_that_of_the_date(bench: Workbench) -> None:
    page = bench.report_path(DAY)
    page.parent.mkdir(parents=True)
    for text, version in (("first", "v0001"), ("second", "v0002")):
        page.write_text(text)
        promote._keep_report(bench, DAY, version)

    assert {path.name: path.read_text() for path in page.parent.iterdir()} == {
        "evaluation.html": "second", "evaluation-v0001.html": "first", "evaluation-v0002.html": "second",
    }  # fmt: skip


def test_without_a_candidate_nothing_is_promoted(bench: Workbench) -> None:
    with pytest.raises(RegistryError, match="candidate"):
        promote_candidate(bench, DAY, actor="ann", reason="we need it")

    assert champion_of(bench, DAY) is None


def test_each_change_of_what_is_in_force_is_in_the_ledger_once_also_after_a_kill(bench: Workbench) -> None:
    put_in_force(lay_down(bench), None, as_of=DAY)  # as if killed before the note
    (event,) = bench.registry.history()

    record_promotions(bench)
    record_promotions(bench)

    (entry,) = bench.ledger.entries(known={})
    assert entry.says == Promoted(event=1, digest=event.digest, version="v0001")
    assert (entry.as_of, entry.actor, entry.reason) == (DAY, event.actor, event.reason)


def test_a_rollback_without_a_version_to_go_back_to_is_not_recorded(bench: Workbench) -> None:
    put_in_force(lay_down(bench), None, as_of=DAY)

    with pytest.raises(RegistryError, match="No version was in force before this one"):
        roll_back(bench, None, actor="ann", reason="complaints")
    with pytest.raises(ConfigError, match="an identifier was found"):
        roll_back(bench, None, actor="ann", reason="asked for by zarathea@example.org")

    assert bench.ledger.entries(known={}) == []
