import shutil
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from ds_pipeline.digests import digest_bytes, digest_files
from ds_pipeline.errors import RegistryError
from ds_pipeline.registry.bundle import write_bundle
from ds_pipeline.registry.promotion import Promotion
from ds_pipeline.registry.registry import Registry, Verified
from ds_pipeline.registry.signing import SigningKeys

Promote = Callable[..., Promotion]
GoBack = Callable[..., str]
WEEK = timedelta(weeks=1)
D = date(2011, 12, 5)


def files_of(registry: Registry) -> dict[str, bytes]:
    """Every file below the root but the lock."""
    return {
        path.relative_to(registry.root).as_posix(): path.read_bytes()
        for path in registry.root.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def break_bundle(registry: Registry, version: str) -> None:
    (registry.root / "versions" / version / "bundle" / "metrics.json").write_bytes(b"{}")


def test_a_registry_in_which_nothing_was_promoted_has_no_champion(registry: Registry) -> None:
    assert registry.is_empty()
    assert registry.champion() is None
    assert registry.history() == []
    assert registry.verify() == [Verified("history", "ok")]


def test_a_promotion_puts_the_candidate_in_force(
    registry: Registry, promote: Promote, make_files: Callable[..., dict[str, bytes]]
) -> None:
    promotion = promote("a")
    assert promotion.outcome == "promoted"
    champion = registry.champion()
    assert champion == promotion.champion
    assert (champion.number, champion.kind, champion.version, champion.as_of) == (1, "promote", "v0001", D)
    assert (champion.actor, champion.reason, champion.previous) == ("weekly run", "all gates passed", None)
    assert champion.bundle_digest == digest_files(make_files("a"))
    assert registry.open("v0001").files == make_files("a")
    assert not registry.is_empty()


def test_the_instant_is_kept_in_utc(registry: Registry, make_files: Callable[..., dict[str, bytes]]) -> None:
    at = datetime(2011, 12, 5, 10, tzinfo=timezone(timedelta(hours=1)))
    registry.promote(
        make_files(), as_of=D, candidate_digest="c", decision_digest="d", actor="ann", reason="gates", at=at
    )
    assert registry.history()[0].at == datetime(2011, 12, 5, 9, tzinfo=UTC)
    assert b'"at":"2011-12-05T09:00:00Z"' in (registry.root / "history" / "000001.json").read_bytes()


@pytest.mark.parametrize(
    ("field", "value"),
    [("reason", " "), ("actor", ""), ("candidate_digest", ""), ("at", datetime(2011, 12, 5))],
    ids=["reason", "actor", "candidate_digest", "at"],
)
def test_a_promotion_with_an_empty_field_or_a_naive_instant_changes_nothing(
    registry: Registry, make_files: Callable[..., dict[str, bytes]], field: str, value: object
) -> None:
    arguments = {
        "as_of": D,
        "candidate_digest": "c",
        "decision_digest": "d",
        "actor": "ann",
        "reason": "gates",
        "at": datetime(2011, 12, 5, tzinfo=UTC),
    }
    with pytest.raises(RegistryError, match=f"not valid: {field}"):
        registry.promote(make_files(), **(arguments | {field: value}))
    assert registry.is_empty()


def test_a_newer_candidate_takes_over_and_the_old_version_stays(registry: Registry, promote: Promote) -> None:
    promote("a")
    assert promote("b", as_of=D + WEEK).champion.version == "v0002"
    assert [event.version for event in registry.history()] == ["v0001", "v0002"]
    assert registry.open("v0001").json("metrics.json") == {"candidate": "a"}
    assert [entry.status for entry in registry.verify()] == ["ok", "ok", "ok"]


def test_a_second_promotion_of_the_champion_writes_nothing(registry: Registry, promote: Promote) -> None:
    promote("a")
    before = files_of(registry)
    again = promote("a")
    assert (again.outcome, again.champion.version) == ("already champion", "v0001")
    assert files_of(registry) == before


def test_an_older_candidate_is_refused_and_writes_nothing(registry: Registry, promote: Promote) -> None:
    promote("a")
    before = files_of(registry)
    refused = promote("b", as_of=D - WEEK)
    assert refused.outcome == "refused"
    assert "A promotion never goes back" in refused.reason
    assert "rollback" in refused.reason
    assert refused.champion.version == "v0001"
    assert files_of(registry) == before


def test_another_candidate_of_the_same_date_is_promoted(promote: Promote) -> None:
    """A historical use case has one last date; it could never improve otherwise."""
    promote("a")
    assert promote("b").outcome == "promoted"


def test_a_candidate_that_was_rolled_back_from_comes_back_by_rollback_only(
    registry: Registry, promote: Promote, go_back: GoBack
) -> None:
    promote("a")
    promote("b")
    go_back()
    refused = promote("b")
    assert refused.outcome == "refused"
    assert "it was in force before v0001 and is not any more" in refused.reason
    assert "rollback --to v0002" in refused.reason
    assert go_back("v0002") == "v0002"
    assert registry.champion().version == "v0002"


def test_a_candidate_that_was_superseded_is_not_promoted_again(promote: Promote) -> None:
    promote("a")
    promote("b")
    refused = promote("a")
    assert refused.outcome == "refused"
    assert "it was in force before v0002 and is not any more" in refused.reason


def test_the_champion_of_a_date_is_the_newest_event_whose_version_is_not_younger(
    registry: Registry, promote: Promote, go_back: GoBack
) -> None:
    promote("a", as_of=D)
    promote("b", as_of=D + 2 * WEEK)
    assert registry.champion(D - WEEK) is None
    assert registry.champion(D).version == "v0001"
    assert registry.champion(D + WEEK).version == "v0001"
    assert registry.champion(D + 2 * WEEK).version == "v0002"
    go_back()
    assert registry.champion(D + 2 * WEEK).version == "v0001"


def test_a_rollback_goes_to_the_version_before_and_leaves_an_event(
    registry: Registry, promote: Promote, go_back: GoBack
) -> None:
    made = promote("a", refit_digest="r" * 64).champion
    promote("b")
    assert go_back() == "v0001"
    event = registry.champion()
    assert (event.number, event.kind, event.actor, event.reason) == (
        3,
        "rollback",
        "ann",
        "complaints from the branches",
    )
    assert event.refit_digest == "r" * 64
    assert (event.as_of, event.bundle_digest, event.candidate_digest, event.decision_digest) == (
        made.as_of,
        made.bundle_digest,
        made.candidate_digest,
        made.decision_digest,
    )


def test_rollbacks_walk_down_and_end_at_the_first_version(promote: Promote, go_back: GoBack) -> None:
    for candidate in "abc":
        promote(candidate)
    assert [go_back(), go_back()] == ["v0002", "v0001"]
    with pytest.raises(RegistryError, match="No version was in force before"):
        go_back()


def test_a_rollback_does_not_offer_a_version_that_was_rolled_back_from(promote: Promote, go_back: GoBack) -> None:
    for candidate in "abc":
        promote(candidate)
    go_back()  # from v0003 to v0002
    promote("d")
    assert go_back() == "v0002"


def test_after_a_rollback_forward_the_next_rollback_goes_below_it(promote: Promote, go_back: GoBack) -> None:
    for candidate in "abc":
        promote(candidate)
    assert [go_back("v0001"), go_back("v0003"), go_back()] == ["v0001", "v0003", "v0001"]


def test_a_rollback_before_any_promotion_is_an_error(go_back: GoBack) -> None:
    with pytest.raises(RegistryError, match="No version was in force"):
        go_back()
    with pytest.raises(RegistryError, match=r"v0001: no such version. Known: none"):
        go_back("v0001")


@pytest.mark.parametrize(
    ("to", "says"),
    [
        ("v0002", "in force already"),
        ("v0009", "Known: v0001, v0002"),
        ("../v0001", "no such version"),
    ],
)
def test_a_rollback_to_the_current_or_an_unknown_version_is_an_error(
    registry: Registry, promote: Promote, go_back: GoBack, to: str, says: str
) -> None:
    promote("a")
    promote("b")
    with pytest.raises(RegistryError, match=says):
        go_back(to)
    assert registry.champion().version == "v0002"


@pytest.mark.parametrize("reason", ["", "  "], ids=["empty", "blank"])
def test_a_rollback_without_a_reason_is_an_error(
    registry: Registry, promote: Promote, go_back: GoBack, reason: str
) -> None:
    promote("a")
    promote("b")
    with pytest.raises(RegistryError, match="not valid: reason"):
        go_back(reason=reason)
    assert len(registry.history()) == 2


def test_a_rollback_to_a_broken_version_is_an_error(registry: Registry, promote: Promote, go_back: GoBack) -> None:
    promote("a")
    promote("b")
    break_bundle(registry, "v0001")
    with pytest.raises(RegistryError, match=r"v0001: metrics\.json was changed"):
        go_back()
    assert registry.champion().version == "v0002"


def test_a_rollback_leads_away_from_a_broken_champion(registry: Registry, promote: Promote, go_back: GoBack) -> None:
    promote("a")
    promote("b")
    break_bundle(registry, "v0002")
    assert go_back() == "v0001"


@pytest.mark.parametrize("loss", ["broken", "lost"])
def test_a_lost_champion_is_an_error_until_it_is_replaced_on_purpose(
    registry: Registry, promote: Promote, go_back: GoBack, loss: str
) -> None:
    promote("a")
    promote("b")
    if loss == "broken":
        break_bundle(registry, "v0002")
    else:
        shutil.rmtree(registry.root / "versions" / "v0002")
    for candidate in ("b", "c"):
        with pytest.raises(RegistryError, match="promote USE_CASE --replace-lost --reason"):
            promote(candidate)
    with pytest.raises(RegistryError, match="v0002"):
        registry.open("v0002")

    replaced = promote("b", replace_lost=True)  # the same training gives the same candidate
    assert (replaced.outcome, replaced.champion.kind, replaced.champion.version) == (
        "promoted",
        "replace_lost",
        "v0003",
    )
    assert registry.open("v0003").json("metrics.json") == {"candidate": "b"}
    assert go_back() == "v0001", "the lost version is no version to go back to"


@pytest.mark.parametrize("promoted", [[], ["a"]], ids=["empty", "whole"])
def test_nothing_is_replaced_as_lost_while_nothing_is_lost(
    registry: Registry, promote: Promote, promoted: list[str]
) -> None:
    for candidate in promoted:
        promote(candidate)
    with pytest.raises(RegistryError, match="Promote without --replace-lost"):
        promote("z", replace_lost=True)


def test_verify_reports_every_broken_version_and_does_not_raise(registry: Registry, promote: Promote) -> None:
    for candidate in "abc":
        promote(candidate)
    break_bundle(registry, "v0001")
    shutil.rmtree(registry.root / "versions" / "v0003" / "bundle")
    found = {entry.version: entry.status for entry in registry.verify()}
    assert list(found) == ["history", "v0001", "v0002", "v0003"]
    assert found["history"] == found["v0002"] == "ok"
    assert "metrics.json was changed" in found["v0001"]
    assert "the bundle is missing" in found["v0003"]


@pytest.fixture
def three(registry: Registry, promote: Promote, go_back: GoBack) -> Registry:
    """v0001, v0002 and v0003, and a rollback; metrics.json of v0002 was changed."""
    for number, candidate in enumerate("abc"):
        promote(candidate, as_of=D + number * WEEK)
    go_back("v0001")
    break_bundle(registry, "v0002")
    return registry


def test_each_version_is_there_once_and_one_that_does_not_verify_without_its_bundle(
    three: Registry, make_files: Callable[..., dict[str, bytes]]
) -> None:
    found = {event.version: bundle and bundle.files for event, bundle in three.bundles()}

    assert list(found.items()) == [("v0001", make_files("a")), ("v0002", None), ("v0003", make_files("c"))]


def test_a_file_of_every_version_is_read_whatever_became_of_those_beside_it(
    three: Registry, make_files: Callable[..., dict[str, bytes]]
) -> None:
    (three.root / "versions" / "v0001" / "bundle" / "model.joblib").unlink()
    (three.root / "versions" / "v0003" / "bundle" / "manifest.json").unlink()
    made = {name: [make_files(one)[name] for one in "abc"] for name in ("lineage.json", "metrics.json")}

    assert list(three.in_every("lineage.json")) == made["lineage.json"][:2]
    assert list(three.in_every("metrics.json")) == made["metrics.json"][:1]
    assert list(three.in_every("evaluation.json")) == []


def test_the_bundle_of_one_version_in_the_place_of_another_is_refused(registry: Registry, promote: Promote) -> None:
    """Bundle, manifest and signature are all genuine; the history says that they are not this version."""
    promote("a")
    promote("b")
    versions = registry.root / "versions"
    shutil.rmtree(versions / "v0002" / "bundle")
    shutil.copytree(versions / "v0001" / "bundle", versions / "v0002" / "bundle")
    shutil.copy(versions / "v0001" / "bundle.sig", versions / "v0002" / "bundle.sig")
    with pytest.raises(RegistryError, match=r"v0002: manifest\.json is not the one that was promoted"):
        registry.open("v0002")


def test_the_number_of_a_version_whose_folder_is_gone_is_not_given_to_another(
    registry: Registry, promote: Promote, go_back: GoBack
) -> None:
    promote("a")
    promote("b")
    go_back()
    shutil.rmtree(registry.root / "versions" / "v0002")
    assert promote("c").champion.version == "v0003"


def test_a_version_that_was_not_written_as_given_does_not_come_into_force(
    registry: Registry, promote: Promote, monkeypatch: pytest.MonkeyPatch
) -> None:
    promote("a")

    def write_to_a_bad_disk(folder: Path, files: dict[str, bytes], keys: SigningKeys) -> None:
        write_bundle(folder, files, keys)
        (folder / "bundle" / "model.joblib").write_bytes(b"")

    monkeypatch.setattr("ds_pipeline.registry.versions.write_bundle", write_to_a_bad_disk)
    with pytest.raises(RegistryError, match=r"model\.joblib was changed"):
        promote("b")
    assert registry.champion().version == "v0001"


def test_what_someone_leaves_beside_the_versions_is_not_taken_for_one(registry: Registry, promote: Promote) -> None:
    promote("a")
    versions = registry.root / "versions"
    shutil.copytree(versions / "v0001", versions / "v0001.bak")
    (versions / "v0001" / "receipts" / "notes.json").write_bytes(b"")
    assert promote("b").champion.version == "v0002"
    assert [entry.version for entry in registry.verify()] == ["history", "v0001", "v0002"]


def test_nothing_in_the_registry_names_the_machine_or_the_key(registry: Registry, promote: Promote) -> None:
    promote("a")
    for name, content in files_of(registry).items():
        assert str(registry.root.parent).encode() not in content, name
        assert b"PRIVATE" not in content, name


def test_candidates_are_known_by_digest(promote: Promote) -> None:
    assert promote("a").champion.candidate_digest == digest_bytes(b"a")


def test_what_is_asked_for_while_nobody_else_can_promote_may_still_refuse(
    registry: Registry, promote: Callable[..., Promotion]
) -> None:
    promote("one")

    def refuse() -> None:
        assert registry.champion() is not None
        raise RegistryError("another version came into force")

    with pytest.raises(RegistryError, match="another version came into force"):
        promote("two", before=refuse)
    assert [event.version for event in registry.history()] == ["v0001"]
