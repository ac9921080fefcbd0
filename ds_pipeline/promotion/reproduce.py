"""Train a version again from what is stored now, and say whether the very same bytes come out."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

import pandas as pd

from ds_pipeline.boundary.erasures import affecting
from ds_pipeline.boundary.suppress import erasures_of
from ds_pipeline.digests import SHORT, digest_bytes, digest_json
from ds_pipeline.errors import HistoryError, StoreError
from ds_pipeline.lineage import lineage
from ds_pipeline.model.estimator import Parameters
from ds_pipeline.model.predict import predict
from ds_pipeline.registry.bundle import MATURED_FIT, MODEL, Bundle
from ds_pipeline.registry.history import made_by
from ds_pipeline.registry.registry import OK, Verified
from ds_pipeline.scoring.serve import features_for, use_case_of
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.store.snapshots import Snapshot, encode
from ds_pipeline.training.fit import Candidate, fit_calibrated, to_bytes, train_candidate
from ds_pipeline.training.rows import join_labels, rows_to_train_on
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench


class Verdict(StrEnum):
    """What came of it."""

    SAME = "same bytes"
    DIFFERS = "differs"
    IMPOSSIBLE = "not reproducible"


@dataclass(frozen=True)
class Reproduction:
    """What became of the attempt to make a version again.

    Attributes:
        why: one sentence each; for people.
    """

    version: str
    verdict: Verdict
    why: list[str]


def reproduce(bench: Workbench, version: str | None) -> Reproduction:
    """Train a version again, under the use case that is in its bundle; writes nothing.

    Args:
        version: the one in force if None.

    Raises:
        HistoryError: no version was ever promoted.
        RegistryError: there is no such version, or its bundle does not verify.
    """
    events = bench.registry.history()
    if not events:
        raise HistoryError(f"{bench.use_case.name}: no version was ever promoted, so there is nothing to reproduce.")
    event = made_by(events, version or events[-1].version)
    bundle = bench.registry.open(event.version)
    erased = affecting(erasures_of(bench).read(), event.candidate_digest)
    if erased:
        return Reproduction(
            event.version,
            Verdict.IMPOSSIBLE,
            [
                f"erasure of {done.at:%Y-%m-%d}, {one.rows:,} rows"
                for done in erased
                for one in done.affected
                if one.candidate == event.candidate_digest
            ],
        )
    case, facts = use_case_of(bench, bundle), bundle.json("training.json")
    stored = _unchanged(bench, case, facts)
    if isinstance(stored, str):
        return Reproduction(event.version, Verdict.IMPOSSIBLE, [stored])
    made = _train(bench, case, stored)
    same, why = _compare(bundle, bundle.judged, made.content, f"{made.rows:,} rows of {len(made.weeks)} weeks")
    model = made.model
    if MATURED_FIT in bundle.files:
        facts = bundle.json(MATURED_FIT)
        stored = _unchanged(bench, case, facts)
        if isinstance(stored, str):
            return Reproduction(event.version, Verdict.IMPOSSIBLE, [f"of the model that serves, {stored}"])
        model = _fit_again(bench, case, stored, made.search.parameters)
        again, more = _compare(
            bundle, MODEL, to_bytes(model), f"serves: refit on {facts['rows']:,} rows of {len(facts['weeks'])} weeks"
        )
        same, why = same and again, [*why, *more]
    if not same:
        why += _environment(bench, bundle)
    scores_differ, said = _scores(bench, case, event.version, model)
    verdict = Verdict.SAME if same and not scores_differ else Verdict.DIFFERS
    return Reproduction(event.version, verdict, [*why, said])


def _compare(bundle: Bundle, name: str, content: bytes, made_of: str) -> tuple[bool, list[str]]:
    """Whether the bytes are those of a model of the version, and sentences."""
    made, there = digest_bytes(content), digest_bytes(bundle.read(name))
    why = [f"{made_of}, model {made[:SHORT]}"]
    return made == there, why if made == there else [*why, f"the version has model {there[:SHORT]}"]


def _unchanged(bench: Workbench, case: UseCase, facts: Mapping[str, Any]) -> list[Snapshot] | str:
    """The features and labels a model was made from, or why they are not there."""
    stored = _stored(bench, case, [date.fromisoformat(week) for week in facts["weeks"]])
    if isinstance(stored, str):
        return stored
    if digest_json([[one.dataset, one.partition, one.digest] for one in stored]) != facts["data"]:
        return "rebuilt history: features or labels of its weeks are not those it was trained on"
    return stored


def _train(bench: Workbench, case: UseCase, stored: list[Snapshot]) -> Candidate:
    return train_candidate(_labelled(bench, case, stored), case)


def _fit_again(bench: Workbench, case: UseCase, stored: list[Snapshot], parameters: Parameters) -> Any:
    return fit_calibrated(rows_to_train_on(_labelled(bench, case, stored), case), parameters, case)


def _labelled(bench: Workbench, case: UseCase, stored: list[Snapshot]) -> pd.DataFrame:
    tables = [bench.datasets.store.read(one) for one in stored]
    half = len(tables) // 2
    return join_labels(tables[:half], tables[half:], entity=case.problem.entity)


def _stored(bench: Workbench, case: UseCase, weeks: list[date]) -> list[Snapshot] | str:
    """The features and labels of its weeks as they are stored now, or which are missing."""
    store = bench.datasets.store
    features, labels = f"features/{case.features_digest[:SHORT]}", f"labels/{case.labels_digest[:SHORT]}"
    asked = [(features, week) for week in weeks] + [(labels, week + case.clock.lag) for week in weeks]
    found = [store.find(dataset, str(day)) for dataset, day in asked]
    missing = sorted({str(day) for (_, day), one in zip(asked, found, strict=True) if one is None})
    if missing:
        return f"missing weeks: features or labels of {len(missing)} are not stored any more, the first {missing[0]}"
    return [one for one in found if one is not None]


def _environment(bench: Workbench, bundle: Bundle) -> Iterator[str]:
    """What is different from the environment it was trained in."""
    here: dict[str, Any] = lineage(bench.project.root)
    there = bundle.json("lineage.json")
    for name in ("code", "lock", "python", "platform", "packages"):
        if here[name] != there.get(name):
            yield f"another {name} than it was trained under"


def _scores(bench: Workbench, case: UseCase, version: str, model: Any) -> tuple[bool, str]:
    """Whether the scores of the newest week it scored differ from those of the model made anew, and a sentence."""
    store = bench.datasets.store
    logged = [store.get(SCORES, day) for day in store.partitions(SCORES)]
    newest = next((one for one in reversed(logged) if one.info["model_version"] == version and one.rows), None)
    if newest is None:
        return False, "no scores of it are stored"
    scores = store.read(newest).to_pandas()
    try:
        features = features_for(bench, case, date.fromisoformat(newest.partition))
    except HistoryError:
        return False, f"scores of {newest.partition} not compared: their features have to be built again"
    if digest_bytes(encode(features)) != scores["features_snapshot"].iloc[0]:
        return False, f"scores of {newest.partition} not compared: their features were built again since"
    frame, entity = features.to_pandas(), case.problem.entity
    anew = pd.Series(predict(model, frame, case.features), index=frame[entity])
    differ = int((scores["score"].to_numpy() != anew.reindex(scores[entity]).to_numpy()).sum())
    return bool(differ), f"scores of {newest.partition}: {differ:,} of {len(scores):,} differ"


def verify_store(bench: Workbench) -> Verified:
    """The state of what is stored, every index and snapshot in force: 'ok', or what is wrong with the first."""
    try:
        bench.datasets.store.verify()
    except StoreError as error:
        return Verified("store", str(error))
    return Verified("store", OK)
