"""An incident ends: what is out is named, replaced by the version in force, and on record for good."""

from __future__ import annotations

import json
import shutil
import stat
from datetime import timedelta
from pathlib import Path

import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression

from ds_pipeline.errors import ConfigError, RegistryError, ScoringError
from ds_pipeline.promotion import supersede as superseding
from ds_pipeline.promotion.promote import roll_back
from ds_pipeline.promotion.supersede import say_still_out, still_out, supersede
from ds_pipeline.registry.ledger import Superseded
from ds_pipeline.scoring.lists import deliver
from ds_pipeline.scoring.serve import score_day
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import CUSTOMERS, SERVED, put_in_force

DAY = SERVED[0]
INVERTED = LogisticRegression().fit(pd.DataFrame({"visits_seen": [0.0, 1.0, 2.0, 3.0]}), [1, 1, 0, 0])
BECAUSE = "the scores were upside down"


@pytest.fixture
def incident(ready: Workbench) -> Workbench:
    """A second version whose scores are upside down was in force, has scored and delivered, and was rolled back."""
    put_in_force(ready, INVERTED, as_of=DAY, candidate="second")
    score_day(ready, DAY)
    deliver(ready, DAY)
    roll_back(ready, None, actor="me", reason=BECAUSE)
    return ready


def log(bench: Workbench) -> pd.DataFrame:
    return bench.datasets.store.read(bench.datasets.store.get(SCORES, str(DAY))).to_pandas()


def test_a_rollback_says_what_is_still_out_and_how_to_end_it(incident: Workbench) -> None:
    """The list of a version that was taken out of force stayed in force with the campaign, and nothing said so."""
    assert still_out(incident) == {DAY: "v0002"}
    assert say_still_out(incident) == [
        "Still out: the list of 2011-03-07 by v0002. Replace it: ds-pipeline score shop --date 2011-03-07 --supersede "
        '--reason "..."'
    ]
    assert set(score_day(incident, DAY).scores["model_version"]) == {"v0002"}  # a plain run changes nothing


def test_scores_and_list_are_replaced_by_those_of_the_version_in_force(incident: Workbench) -> None:
    before, store = incident.datasets.store.get(SCORES, str(DAY)), incident.datasets.store
    old_list = incident.delivery_paths(DAY)[0].read_bytes()

    week = supersede(incident, DAY, actor="me", reason=BECAUSE)
    delivery = deliver(incident, DAY)

    after = store.get(SCORES, str(DAY))
    entry = incident.ledger.read()[-1]
    assert entry.says == Superseded(
        before="v0002", after="v0001", scores_before=before.digest, scores_after=after.digest
    )
    assert (entry.as_of, entry.actor, entry.reason) == (DAY, "me", BECAUSE)
    assert week.summary.endswith("for the campaign; they replace those of v0002")
    assert set(log(incident)["model_version"]) == {"v0001"}
    assert store.read(before)["model_version"].unique().to_pylist() == ["v0002"]  # the earlier log is kept
    assert store.versions(SCORES, str(DAY)) == [before.digest, after.digest]
    folder = incident.delivery_paths(DAY)[0].parent
    kept = folder / f"campaign_list.replaced-{entry.number:06d}.csv"
    assert kept.read_bytes() == old_list
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    listed = pd.read_csv(incident.delivery_paths(DAY)[0])
    assert (listed["model_version"].tolist(), listed["replaces"].tolist()) == (["v0001"], ["v0002"])
    assert len(listed) == delivery.rows
    replaces = json.loads((folder / "manifest.json").read_text())["replaces"]
    assert (replaces["model_version"], replaces["reason"], replaces["by"]) == ("v0002", BECAUSE, "me")
    assert replaces["lists"] == [kept.name, kept.with_suffix(".parquet").name]
    assert replaces["recorded_as"] == f"ledger/{entry.number:06d}.json"
    assert still_out(incident) == {}
    assert score_day(incident, DAY).replaces == "v0002"


def test_a_second_delivery_is_the_same_list(incident: Workbench) -> None:
    supersede(incident, DAY, actor="me", reason=BECAUSE)
    deliver(incident, DAY)
    files = {path.name: path.read_bytes() for path in incident.delivery_paths(DAY)[0].parent.iterdir()}

    deliver(incident, DAY)

    assert {path.name: path.read_bytes() for path in incident.delivery_paths(DAY)[0].parent.iterdir()} == files


def test_what_is_killed_after_it_was_written_down_is_refused_until_it_is_done_again(
    incident: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(superseding, "_keep_lists", lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            supersede(incident, DAY, actor="me", reason=BECAUSE)

    for step in (score_day, deliver):
        with pytest.raises(ScoringError, match=r"interrupted before it did, so nothing is delivered.*--supersede"):
            step(incident, DAY)
    supersede(incident, DAY, actor="me", reason=BECAUSE)
    deliver(incident, DAY)
    assert set(log(incident)["model_version"]) == {"v0001"}


def test_a_replacement_is_not_undone_by_putting_the_older_log_back(incident: Workbench, tmp_path: Path) -> None:
    """With the last entry of the ledger removed, nothing said that the list was replaced, and it went out again."""
    scores = incident.datasets.store.root / SCORES
    shutil.copytree(scores, tmp_path / "older")
    supersede(incident, DAY, actor="me", reason=BECAUSE)
    deliver(incident, DAY)

    shutil.rmtree(scores)
    shutil.copytree(tmp_path / "older", scores)
    shutil.rmtree(incident.delivery_paths(DAY)[0].parent)
    entry = max(incident.ledger.folder.glob("*.json"))
    entry.unlink()

    for step in (score_day, deliver):
        with pytest.raises(RegistryError, match=rf"ledger/: {entry.name} is missing, but was made\. .*from a backup"):
            step(incident, DAY)
    assert not any(path.exists() for path in incident.delivery_paths(DAY))
    assert not entry.exists()


def test_the_same_scores_replace_nothing(ready: Workbench) -> None:
    score_day(ready, DAY)

    with pytest.raises(ScoringError, match=r"v0001 is in force for 2011-03-07 and gives the scores that are recorded"):
        supersede(ready, DAY, actor="me", reason=BECAUSE)
    assert not [entry for entry in ready.ledger.read() if isinstance(entry.says, Superseded)]


def test_what_is_not_scored_or_has_no_clean_reason_is_refused(ready: Workbench) -> None:
    with pytest.raises(ScoringError, match="2011-03-07 is not scored, so there is nothing to replace"):
        supersede(ready, DAY, actor="me", reason=BECAUSE)
    score_day(ready, DAY)
    with pytest.raises(ConfigError, match="an identifier was found in it"):
        supersede(ready, DAY, actor="me", reason=f"{CUSTOMERS[0]} complained")


def test_a_version_that_was_followed_by_a_newer_one_is_not_out(ready: Workbench) -> None:
    score_day(ready, DAY)
    put_in_force(ready, INVERTED, as_of=DAY + timedelta(weeks=1), candidate="second")

    assert still_out(ready) == {}


def test_scores_that_the_log_has_lost_are_replaced_on_record(ready: Workbench) -> None:
    """Without a backup of the log the date could never be delivered again."""
    lost = score_day(ready, DAY)
    deliver(ready, DAY)
    digest = ready.datasets.store.get(SCORES, str(DAY)).digest
    (ready.datasets.store.root / SCORES / "index.json").unlink()
    with pytest.raises(ScoringError, match=r"where there is none replace it on record: .* --supersede --reason"):
        score_day(ready, DAY)

    supersede(ready, DAY, actor="me", reason="the disk broke")

    says = ready.ledger.read()[-1].says
    assert isinstance(says, Superseded)
    assert (says.before, says.scores_before) == ("v0001", digest)
    assert score_day(ready, DAY).scores["score"].tolist() == lost.scores["score"].tolist()
    assert deliver(ready, DAY).rows == 1
