"""Someone who can write into the store, and has no key: nothing is judged, promoted or delivered on what was forged."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.store.snapshots import encode
from ds_pipeline_tests.journeys.conftest import copy, digests

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ds_pipeline_tests.journeys.conftest import Journey

DAY, MATURED = "2011-08-01", "2011-08-01"  # the labels of 2011-07-18 are in the partition in which they matured


def forge(journey: Journey, kind: str, partition: str, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Another table under its own digest, and the pointer at it."""
    (index,) = (journey.store / "datasets" / kind).glob("**/index.json")
    content = json.loads(index.read_bytes())
    pointer = content["partitions"][partition]
    old = index.parent / partition / f"{pointer['digest']}.parquet"
    table = pq.read_table(old)
    forged = encode(pa.Table.from_pandas(change(table.to_pandas()), schema=table.schema, preserve_index=False))
    pointer["digest"] = digest_bytes(forged)
    (old.parent / f"{pointer['digest']}.parquet").write_bytes(forged)
    index.write_text(json.dumps(content, sort_keys=True, separators=(",", ":")))


def inverted(scores: pd.DataFrame) -> pd.DataFrame:
    """The lowest scores first."""
    return scores.assign(score=1 - scores["score"], decision=scores["decision"].to_numpy()[::-1])


def flipped(labels: pd.DataFrame) -> pd.DataFrame:
    return labels.assign(label=1 - labels["label"])


def lists(journey: Journey) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (journey.root / "data" / "deliveries").rglob("*.*")}


def entries(journey: Journey) -> list[str]:
    return sorted(path.name for path in (journey.store / "ledger").glob("*.json"))


def test_inverted_scores_are_not_delivered(journey: Journey) -> None:
    """With a rewritten pointer they went out under the name of v0001."""
    before = lists(journey)
    forge(journey, "scores", DAY, inverted)

    for command in ("score", "run"):
        done = journey.cli(command)
        assert done.code == 2, done.text
        assert "scores: its index: the signature does not fit the content" in done.err
        assert f"It is never made anew: restore scores/ in the store of {journey.name} from a backup" in done.err
        assert "Traceback" not in done.text
    assert lists(journey) == before
    checked = journey.cli("verify")
    assert checked.code == 2
    assert "store      scores: its index: the signature does not fit the content" in checked.out


def test_scores_behind_a_pointer_as_it_was_before_there_were_signatures_are_not_delivered(journey: Journey) -> None:
    before, folder = lists(journey), journey.store / "datasets" / "scores"
    forge(journey, "scores", DAY, inverted)
    pointer = json.loads((folder / "index.json").read_text())["partitions"][DAY]
    (folder / DAY / "current.json").write_text(json.dumps({key: pointer[key] for key in ("digest", "rows", "info")}))
    (folder / "index.json").unlink()

    for command, code in ((("score",), 2), (("history", "--rebuild"), 0), (("score",), 2)):
        done = journey.cli(*command)
        assert done.code == code, done.text
    assert "scores: expected a signed index.json, found pointers of a version that signed nothing" in done.err
    assert f"Move scores/ out of the store of {journey.name}" in done.err
    assert lists(journey) == before


def test_flipped_labels_are_no_further_chance_and_a_rebuild_makes_them_right_again(journey: Journey) -> None:
    """188 flipped labels turned a candidate that was refused into a signed version, and no look was counted."""
    made, serving, looked = journey.made(), journey.serving(), entries(journey)
    forge(journey, "labels", MATURED, flipped)
    with journey.edit("training.yaml") as training:
        training["seed"] += 1

    for command in ("train", "backtest", "run"):
        done = journey.cli(command)
        assert done.code == 2, done.text
        assert "its index: the signature does not fit the content" in done.err
        assert f"Or rebuild it: ds-pipeline history {journey.name} --rebuild" in done.err
    assert (journey.serving(), entries(journey)) == (serving, looked)

    rebuilt = journey.cli("history", "--rebuild")

    assert rebuilt.code == 0, rebuilt.text
    assert {name: journey.made()[name] for name in made} == made
    assert [entry.says.kind for entry in journey.open().ledger.read()][len(looked) :] == ["rebuilt"]
    assert journey.cli("verify").code == 0


def test_an_older_signed_state_of_the_whole_store_is_not_judged_on(journey: Journey, tmp_path: Path) -> None:
    """A source was corrected, which is another look; then store and source were put back as they were."""
    source, datasets = journey.source["transactions"], journey.store / "datasets"
    shutil.copytree(datasets, tmp_path / "datasets")
    shutil.copy(source, tmp_path / source.name)
    last = pd.Timestamp("2011-07-25")
    journey.rewrite("transactions", lambda frame: frame[(frame["InvoiceDate"] < last) | (frame.index % 3 > 0)])
    corrected = journey.cli("run")
    assert corrected.code == 0, corrected.text
    page = (journey.root / "data" / "reports" / journey.name / DAY / "evaluation.html").read_text()
    assert "Look 2 at these weeks: the bound is at 97.5 %." in page
    looked, registry = entries(journey), digests(journey.store / "registry", journey.root)

    shutil.rmtree(datasets)
    shutil.copytree(tmp_path / "datasets", datasets)
    shutil.copy(tmp_path / source.name, source)
    done = journey.cli("train")

    assert done.code == 2, done.text
    assert "has looked at other rows" in done.err
    assert f"ds-pipeline history {journey.name} --rebuild" in done.err
    assert [entry.says.kind for entry in journey.open().ledger.read()][len(looked) :] == ["declared"]
    assert digests(journey.store / "registry", journey.root) == registry


@pytest.mark.parametrize("kind", ["masked/transactions", "features"])
def test_forged_rows_behind_features_stop_every_step_that_reads_them(journey: Journey, kind: str) -> None:
    serving = journey.serving()
    forge(journey, kind, DAY, lambda rows: rows.iloc[::-1])

    for command in ("train", "history"):
        done = journey.cli(command)
        assert done.code == 2, done.text
        assert "the signature does not fit the content" in done.err
    assert journey.serving() == serving


def test_nothing_that_was_replaced_or_rolled_back_returns_when_files_are_removed(
    promoted_twice: Journey, tmp_path: Path
) -> None:
    """No key was needed: old scores put back, the end of the ledger or all of it removed, and the next run served."""
    finished, older = promoted_twice, tmp_path / "older"
    shutil.copytree(finished.store / "datasets" / "scores", older)
    assert finished.cli("score", "--supersede", "--reason", "v0002 serves now").code == 0
    assert finished.cli("rollback", "--reason", "complaints from the campaign team").code == 0
    rolled_back, replaced = entries(finished)[-1], entries(finished)[-2]
    looked = "000007.json"  # the evaluation of v0002 names it

    def put_back_the_scores(store: Path) -> None:
        shutil.rmtree(store / "datasets" / "scores")
        shutil.copytree(older, store / "datasets" / "scores")

    def undo_the_rollback(store: Path) -> None:
        (store / "registry" / "history" / "000003.json").unlink()
        (store / "registry" / "versions" / "v0001" / "receipts" / "000003.json").unlink()

    def remove(store: Path, *names: str) -> None:
        for name in names:
            (store / "ledger" / name).unlink()

    def remove_all(store: Path) -> None:
        shutil.rmtree(store / "ledger")
        (store / "ledger.json").unlink()

    attacks: list[tuple[list[Callable[[Path], None]], str]] = [
        ([put_back_the_scores, lambda store: remove(store, replaced, rolled_back)], rolled_back),
        ([put_back_the_scores, remove_all], looked),
        ([undo_the_rollback, lambda store: remove(store, rolled_back)], rolled_back),
        ([undo_the_rollback, remove_all], looked),
    ]
    for number, (steps, missing) in enumerate(attacks):
        journey = copy(finished, tmp_path / f"attack-{number}")
        for step in steps:
            step(journey.store)
        shutil.rmtree(journey.root / "data" / "deliveries")
        serving = journey.serving()

        for command in ("score", "status"):
            done = journey.cli(command)
            assert f"ledger/: {missing} is missing, but was made" in done.text, (number, done.text)
            assert "Restore ledger/ and ledger.json from a backup" in done.text
            assert "Traceback" not in done.text
            assert command == "status" or done.code == 2
        assert (journey.serving(), lists(journey)) == (serving, {})
