"""Ann is erased from a small store: whatever else lies there stays, and a kill changes nothing about the end."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

import pandas as pd
import pyarrow as pa
import pytest
from pydantic import SecretStr

from ds_pipeline.boundary.erasures import Erasure
from ds_pipeline.boundary.suppress import (
    alone,
    at_work,
    erasures_of,
    pending_file,
    require_finished,
    suppression_of,
    without_suppressed,
)
from ds_pipeline.erasure.erase import erase, people_of, resume, survey
from ds_pipeline.errors import ErasureError, ErasureRefused
from ds_pipeline.ingestion.ingest import REASON, REASONS, Week
from ds_pipeline.masking.columns.tokens import tokenize
from ds_pipeline.project import Project, Settings
from ds_pipeline.registry import registry as registry_module
from ds_pipeline.scoring.delivery import render
from ds_pipeline.store import snapshots as store_module
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.store.snapshots import WRITING, StoredFile
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench, open_workbench

AT = datetime(2011, 3, 15, 9, 0, tzinfo=UTC)
WEEK, NEXT = "2011-03-07", "2011-03-14"
SECRET, OLD_SECRET = "a-pseudonym-key-for-the-tests-1", "an-older-pseudonym-key-for-tests"
ANN, BOB, CAT, DAN = "1001", "1002", "1003", "1004"


def open_shop(root: Path, shop: UseCase, secret: str = SECRET) -> Workbench:
    return open_workbench(Project(Settings(project=root, pseudonym_key=SecretStr(secret))), shop)


def token(bench: Workbench, one: str) -> str:
    return str(tokenize(pd.Series([one]), key=bench.key, domain="customer")[0])


def put(bench: Workbench, dataset: str, partition: str, people: list[str], **info: object) -> str:
    """A table of these people; its digest."""
    rows = {"customer_token": [token(bench, one) for one in people], "n": list(range(len(people)))}
    if dataset.startswith("quarantine/"):
        rows |= {REASON: ["missing:spend"] * len(people), REASONS: ["missing:spend"] * len(people)}
    table = pa.table({name: pa.array(cells) if cells else pa.array([], pa.string()) for name, cells in rows.items()})
    return bench.datasets.store.put(table, dataset=dataset, partition=partition, info=dict(info)).digest


def put_source(bench: Workbench, partition: str, kept: list[str], aside: list[str]) -> None:
    quarantined = {"missing:spend": len(aside)} if aside else {}
    info = {"source": "s", "read": len(kept) + len(aside), "quarantined": quarantined, "suppressed": 0}
    put(bench, bench.datasets.masked("visits"), partition, kept, **info)
    put(bench, bench.datasets.quarantine("visits"), partition, aside, **info)


def fill(bench: Workbench) -> None:
    put(bench, bench.datasets.features, WEEK, [ANN, BOB, DAN], inputs="earlier")  # superseded by the next
    put_source(bench, WEEK, [ANN, BOB, ANN, CAT], [])
    put_source(bench, NEXT, [BOB], [ANN, BOB])
    put(bench, bench.datasets.features, WEEK, [ANN, BOB, CAT], inputs="i")
    put(bench, bench.datasets.labels, NEXT, [ANN, BOB, CAT], inputs="i")
    put(bench, SCORES, WEEK, [CAT, ANN, BOB], model_version="v0001")
    delivered = pa.table({"customer_id": [1003, 1001], "rank": [1, 2], "score": [0.9, 0.8]})
    folder = bench.project.deliveries / bench.use_case.name / WEEK
    folder.mkdir(parents=True)
    for kind in ("csv", "parquet"):
        (folder / f"campaign_list.{kind}").write_bytes(render(delivered, kind))


@pytest.fixture(autouse=True)
def without_promotions(monkeypatch: pytest.MonkeyPatch) -> None:
    """The scores are of a version that was never promoted here, which is no claim of these tests."""
    monkeypatch.setattr(registry_module, "require_witnessed", lambda events, witnesses: None)


@pytest.fixture
def bench(tmp_path: Path, shop: UseCase) -> Workbench:
    made = open_shop(tmp_path / "project", shop)
    fill(made)
    return made


def ask(bench: Workbench, *people: str, drop_other_keys: bool = False, old_keys: tuple[bytes, ...] = ()) -> Erasure:
    asked = people_of(bench, people, old_keys=old_keys)
    return erase(bench, asked, actor="ann", reason="asked for", at=AT, drop_other_keys=drop_other_keys)


def stored(bench: Workbench) -> dict[tuple[str, str], list[str]]:
    """Who is in each snapshot file, by dataset and partition; superseded files included."""
    names = {token(bench, one): one for one in (ANN, BOB, CAT, DAN)}
    found: dict[tuple[str, str], list[str]] = {}
    for file in bench.datasets.store.files():
        table = bench.datasets.store.read_file(file)
        assert table is not None
        people = [names.get(one, "?") for one in table["customer_token"].to_pylist()]
        found[file.dataset.split("/")[0], file.partition] = people
    return found


def everything(bench: Workbench) -> dict[str, str]:
    """Digests of all that an erasure must leave the same however it came to its end."""
    folders = (bench.datasets.store.root, bench.project.deliveries)
    return {
        path.relative_to(bench.project.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_she_is_gone_from_every_file_and_nobody_else_is(bench: Workbench) -> None:
    done = ask(bench, ANN)

    assert stored(bench) == {
        ("masked", WEEK): [BOB, CAT],
        ("masked", NEXT): [BOB],
        ("quarantine", WEEK): [],
        ("quarantine", NEXT): [BOB],
        ("features", WEEK): [BOB, CAT],
        ("labels", NEXT): [BOB, CAT],
        ("scores", WEEK): [CAT, BOB],
    }
    folder = bench.project.deliveries / "shop" / WEEK
    assert (folder / "campaign_list.csv").read_text() == "customer_id,rank,score\n1003,1,0.9\n"
    assert pd.read_parquet(folder / "campaign_list.parquet")["customer_id"].tolist() == [1003]
    assert done.rows == 2 + 1 + 1 + 1 + 1 + 1 + 1 + 1  # masked, quarantine, features, labels, scores, superseded, lists


def test_the_record_says_how_many_rows_where_and_no_identity(bench: Workbench) -> None:
    current = bench.datasets.store.get(SCORES, WEEK).digest

    done = ask(bench, ANN)

    assert (done.number, done.actor, done.reason, done.people, done.found, done.listed) == (
        1, "ann", "asked for", 1, 1, 1,
    )  # fmt: skip
    scores = next(one for one in done.changes if one.dataset == SCORES)
    assert (scores.rows, scores.old, scores.new) == (1, current, bench.datasets.store.get(SCORES, WEEK).digest)
    superseded = [one for one in done.changes if one.new is None]
    assert [(one.dataset.split("/")[0], one.rows) for one in superseded] == [("features", 1)]
    text = (bench.datasets.root / "erasures" / "000001.json").read_text()
    assert token(bench, ANN) not in text
    assert ANN not in text
    assert erasures_of(bench).read() == [done]


def test_the_counts_of_a_week_add_up_again_where_only_the_quarantine_had_her(bench: Workbench) -> None:
    ask(bench, ANN)

    for partition, expected in ((WEEK, (4, {}, 2)), (NEXT, (3, {"missing:spend": 1}, 1))):
        for name in (bench.datasets.masked("visits"), bench.datasets.quarantine("visits")):
            info = bench.datasets.store.get(name, partition).info
            assert (info["read"], info["quarantined"], info["suppressed"]) == expected


def test_the_scores_tell_that_a_row_was_erased_and_keep_their_version(bench: Workbench) -> None:
    ask(bench, ANN)

    assert bench.datasets.store.get(SCORES, WEEK).info == {"model_version": "v0001", "erased": 1}


def test_someone_of_whom_nothing_is_stored_is_suppressed_all_the_same(bench: Workbench) -> None:
    before = everything(bench)

    done = ask(bench, "4242")

    assert (done.people, done.found, done.changes) == (1, 0, [])
    assert everything(bench) == before
    assert done.listed == 1


def test_an_erasure_of_the_same_person_again_lists_her_once(bench: Workbench) -> None:
    ask(bench, ANN)
    again = ask(bench, f" {ANN} ", ANN, "")

    assert (again.number, again.people, again.found, again.listed, again.changes) == (2, 1, 0, 1, [])


def test_a_survey_changes_nothing(bench: Workbench) -> None:
    before = everything(bench)

    found = survey(bench, people_of(bench, [ANN, "4242"]), drop_other_keys=False)

    assert (sum(one.rows for one in found.changes), found.unknown) == (9, 1)
    assert everything(bench) == before
    assert not (bench.datasets.root / "suppression").exists()


def test_a_reason_that_names_her_is_not_kept_for_good(bench: Workbench) -> None:
    with pytest.raises(ErasureError, match="--reason names an identifier") as error:
        erase(bench, people_of(bench, [ANN]), actor="a", reason=f"asked by {ANN}.", at=AT, drop_other_keys=False)
    assert ANN not in str(error.value)


def test_nobody_at_all_is_an_error(bench: Workbench) -> None:
    with pytest.raises(ErasureError, match="No identifier was given"):
        people_of(bench, ["", "  "])


def test_an_identifier_of_the_wrong_kind_is_not_shown(bench: Workbench, make_shop: Callable[..., UseCase]) -> None:
    tables = bench.use_case.sources.model_dump(mode="json")["tables"]
    for table in tables.values():
        table["columns"]["customer_token"]["type"] = "integer"
    numbers = open_shop(bench.project.root, make_shop(tables=tables))

    with pytest.raises(ErasureError, match="1 of 2 identifiers are not whole numbers") as error:
        people_of(numbers, ["17850", "Jane Doe"])
    assert "Jane" not in str(error.value)
    assert people_of(numbers, ["017850", "17850"]).ids == ["17850"]


class Killed(BaseException):
    """What kill -9 looks like from inside: nothing of ours catches it."""


def kill_at(step: int, work: Callable[[], object]) -> bool:
    """Do the work and die just before its nth change of the disk; whether it came to that."""
    steps = 0
    write, unlink = store_module._write_whole, Path.unlink

    def count() -> None:
        nonlocal steps
        steps += 1
        if steps == step:
            raise Killed

    def written(path: Path, content: bytes, *, replace: bool) -> None:
        count()
        write(path, content, replace=replace)

    def deleted(path: Path, missing_ok: bool = False) -> None:
        if not path.name.startswith(WRITING):  # the temporary file of a write; a kill leaves it: see the tests of store
            count()
        unlink(path, missing_ok=missing_ok)

    with mock.patch.object(store_module, "_write_whole", written), mock.patch.object(Path, "unlink", deleted):
        try:
            work()
        except Killed:
            return True
    return False


def test_killed_before_any_step_the_next_call_comes_to_the_same_end(bench: Workbench, tmp_path: Path) -> None:
    prepared = tmp_path / "prepared"
    shutil.copytree(bench.project.root, prepared)
    expected = ask(bench, ANN)
    end, step, was_killed = everything(bench), 0, True
    while was_killed:
        step += 1
        shutil.rmtree(bench.project.root)
        shutil.copytree(prepared, bench.project.root)
        was_killed = kill_at(step, lambda: ask(bench, ANN))
        is_noted = pending_file(bench).find() is not None
        if step % 2 and is_noted:
            resume(bench)
        elif is_noted or not erasures_of(bench).read():
            ask(bench, ANN)
        assert everything(bench) == end, step
        done = erasures_of(bench).read()
        assert [(one.changes, one.people, one.found) for one in done] == [(expected.changes, 1, 1)], step
        assert pending_file(bench).find() is None
        assert suppression_of(bench) is not None
    assert step > 25  # every file and pointer, the list, the note, the record


def test_while_an_erasure_is_unfinished_nothing_runs_and_status_can_tell(bench: Workbench) -> None:
    assert kill_at(12, lambda: ask(bench, ANN))

    with pytest.raises(ErasureError, match="Finish it with: ds-pipeline erase shop --resume"):
        require_finished(bench)
    with pytest.raises(ErasureError, match="an erasure was interrupted"):
        suppression_of(bench)
    resume(bench)
    require_finished(bench)
    assert resume(bench) is None


def test_what_a_killed_run_was_writing_is_removed_too(bench: Workbench) -> None:
    left = bench.datasets.store.root / SCORES / WEEK / f"{WRITING}abc"
    left.write_text(token(bench, ANN))

    ask(bench, ANN)

    assert not left.exists()


def test_a_token_in_a_file_that_nobody_knows_keeps_the_erasure_unfinished(bench: Workbench) -> None:
    note = bench.datasets.root / "notes" / "mine.txt"
    note.parent.mkdir()
    note.write_text(f"look at {token(bench, ANN)}")

    with pytest.raises(ErasureError, match=r"still in 1 files: data/store/shop/notes/mine\.txt"):
        ask(bench, ANN)
    note.unlink()
    assert resume(bench) is not None


def test_a_superseded_file_that_cannot_be_read_is_deleted(bench: Workbench) -> None:
    superseded = next(file for file in bench.datasets.store.files() if not file.is_current)
    path = bench.datasets.store.root / superseded.dataset / superseded.partition / f"{superseded.digest}.parquet"
    path.write_bytes(b"damaged")

    ask(bench, ANN)

    assert not path.exists()


def test_a_run_and_an_erasure_exclude_each_other(bench: Workbench) -> None:
    with at_work(bench), at_work(bench), pytest.raises(ErasureRefused, match="a run or another erasure is at work"):
        ask(bench, ANN)
    with alone(bench), pytest.raises(ErasureRefused):
        ask(bench, ANN)
    assert ask(bench, ANN).rows


@pytest.fixture
def rotated(bench: Workbench, shop: UseCase) -> Workbench:
    """The same shop under a new key: tables, features and labels were built again; scores are those of the old one."""
    now = open_shop(bench.project.root, shop, OLD_SECRET)
    put_source(now, WEEK, [ANN, BOB, CAT], [])
    put(now, now.datasets.features, WEEK, [ANN, BOB, CAT], inputs="n")
    put(now, now.datasets.labels, NEXT, [ANN, BOB, CAT], inputs="n")
    return now


def test_what_was_made_under_another_key_refuses_and_nothing_is_changed(rotated: Workbench) -> None:
    before = everything(rotated)

    with pytest.raises(ErasureRefused, match="made under another pseudonym key") as error:
        ask(rotated, ANN)

    assert "scores: 1 files" in str(error.value)
    assert "DS_PIPELINE_OLD_PSEUDONYM_KEY" in str(error.value)
    assert "--drop-other-keys" in str(error.value)
    assert everything(rotated) == before
    assert pending_file(rotated).find() is None


def test_with_the_old_key_given_she_is_found_under_both(rotated: Workbench, bench: Workbench) -> None:
    ask(rotated, ANN, old_keys=(bench.key,))

    files = [rotated.datasets.store.read_file(file) for file in rotated.datasets.store.files()]
    tokens = {one for table in files if table is not None for one in table["customer_token"].to_pylist()}
    assert tokens == {token(one, who) for one in (rotated, bench) for who in (BOB, CAT)}


def test_what_was_made_under_a_lost_key_is_dropped_and_its_scores_stay_recorded_without_rows(
    rotated: Workbench,
) -> None:
    done = ask(rotated, ANN, drop_other_keys=True)

    assert stored(rotated) == {
        ("masked", WEEK): [BOB, CAT],
        ("quarantine", WEEK): [],
        ("features", WEEK): [BOB, CAT],
        ("labels", NEXT): [BOB, CAT],
        ("scores", WEEK): [],
    }
    assert rotated.datasets.store.get(SCORES, WEEK).info == {"model_version": "v0001", "erased": 3}
    assert done.found == 1


def test_an_old_policy_under_the_same_key_is_searched_like_the_rest(
    bench: Workbench, make_shop: Callable[..., UseCase]
) -> None:
    tables = bench.use_case.sources.model_dump(mode="json")["tables"]
    tables["visits"]["max_quarantine_share"] = 0.5
    now = open_shop(bench.project.root, make_shop(tables=tables))
    assert now.datasets.masked("visits") != bench.datasets.masked("visits")
    put_source(now, WEEK, [ANN, BOB], [])

    ask(now, ANN)

    assert bench.datasets.read_week("visits", datetime(2011, 3, 7).date())["customer_token"].to_pylist() == [
        token(bench, BOB), token(bench, CAT),
    ]  # fmt: skip


def test_a_list_of_an_earlier_contract_refuses_before_anything_is_changed(bench: Workbench) -> None:
    folder = bench.project.deliveries / "shop" / NEXT
    folder.mkdir()
    (folder / "campaign_list.csv").write_text("client,place\n1001,1\n")
    before = everything(bench)

    with pytest.raises(ErasureRefused, match=r"2011-03-14/campaign_list\.csv: its columns are not those") as error:
        ask(bench, ANN)

    assert "client" not in str(error.value)
    assert everything(bench) == before


def week(bench: Workbench, people: list[str | None]) -> Week:
    frame = pd.DataFrame({"customer_token": pd.array(people, dtype="string"), "n": range(len(people))})
    return Week(bench.use_case.clock.first, len(people), frame, frame.iloc[:0])


def test_at_the_next_ingestion_she_is_left_out_and_counted(bench: Workbench) -> None:
    table = bench.use_case.sources.tables["visits"]
    weeks = [week(bench, [ANN, BOB]), week(bench, [None, CAT, ANN, f" {ANN}"]), week(bench, [])]
    assert without_suppressed(bench, table, weeks) == (weeks, [0, 0, 0])

    ask(bench, ANN)

    cleaned, left_out = without_suppressed(bench, table, weeks)
    assert left_out == [1, 2, 0]
    assert [one.kept["n"].tolist() for one in cleaned] == [[1], [0, 1], []]
    assert cleaned[1].kept.index.tolist() == [0, 1]
    assert [one.read for one in cleaned] == [2, 4, 0]


def test_a_new_pseudonym_key_does_not_bring_her_back(bench: Workbench, shop: UseCase) -> None:
    ask(bench, ANN)
    now = open_shop(bench.project.root, shop, OLD_SECRET)

    _, left_out = without_suppressed(now, shop.sources.tables["visits"], [week(now, [ANN, BOB])])

    assert left_out == [1]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        pytest.param(
            lambda b: (b.project.keys / "suppression.key").unlink(), "suppression.key: the key", id="lost-key"
        ),
        pytest.param(
            lambda b: (b.project.keys / "suppression.key").write_text("ab" * 32), "another one", id="another-key"
        ),
        pytest.param(
            lambda b: (b.datasets.root / "suppression" / "list.json").unlink(), "list is missing", id="lost-list"
        ),
    ],
)
def test_ingestion_stops_where_list_or_key_cannot_be_relied_on(
    bench: Workbench, spoil: Callable[[Workbench], None], said: str
) -> None:
    ask(bench, ANN)
    spoil(bench)

    with pytest.raises(ErasureError, match=said):
        without_suppressed(bench, bench.use_case.sources.tables["visits"], [week(bench, [ANN])])


def test_a_list_that_is_shorter_than_the_record_says_is_refused(bench: Workbench) -> None:
    ask(bench, ANN, BOB)
    path = bench.datasets.root / "suppression" / "list.json"
    content = json.loads(path.read_text())
    content["of"]["customer"].pop()
    path.write_text(json.dumps(content))

    with pytest.raises(ErasureError, match="the suppression list has 1 entries; the record of erasures says 2"):
        suppression_of(bench)


def test_the_list_holds_neither_identifier_nor_token(bench: Workbench) -> None:
    ask(bench, ANN)

    text = (bench.datasets.root / "suppression" / "list.json").read_text()
    assert ANN not in text
    assert token(bench, ANN) not in text


def test_a_pointer_never_names_a_file_that_is_gone(bench: Workbench) -> None:
    """A dropped file takes its pointer with it, and first."""
    store = bench.datasets.store
    current = next(file for file in store.files() if file.dataset == SCORES)
    store.remove_file(StoredFile(current.dataset, current.partition, current.digest, is_current=True))

    assert store.find(SCORES, WEEK) is None
