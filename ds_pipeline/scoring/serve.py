"""Score one week with the version that is in force for it, once; what was recorded is read from then on."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from ds_pipeline.boundary.leak_check import OWN_FILES, guarded
from ds_pipeline.boundary.suppress import erasures_of
from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import ScoringError, StoreError
from ds_pipeline.features.schema import features_frame_schema, require_valid
from ds_pipeline.features.weeks import features_of_version
from ds_pipeline.model.predict import predict
from ds_pipeline.registry.bundle import Bundle
from ds_pipeline.registry.ledger import Entry, Scored, Superseded
from ds_pipeline.scoring.score import CAMPAIGN, Origin, score_week, scores_schema
from ds_pipeline.store.buckets import numbers_of
from ds_pipeline.store.chain import file_name
from ds_pipeline.store.datasets import KEY, SCORES
from ds_pipeline.store.snapshots import Snapshot, encode
from ds_pipeline.use_case.load import UseCase, use_case_of_files
from ds_pipeline.workbench import Workbench, known_entries, now

SUPERSEDES = "supersedes"  # in the info of scores that replace others: their version, and the entry of the ledger
ROUNDING = 1e-9  # of a score between 0 and 1: another build of the same packages may round otherwise


@dataclass(frozen=True)
class ScoredWeek:
    """The logged scores of one date; is_new is False where an earlier run had recorded them.

    Attributes:
        erased: rows removed since the scores were recorded, of people who were erased; ranks are as they were given.
        features_have_changed: since the scores were recorded; true after an erasure too.
        replaces: the version whose scores were recorded before; None where these are the first.
    """

    day: date
    scores: pd.DataFrame
    model_version: str
    is_new: bool
    features_have_changed: bool = False
    erased: int = 0
    replaces: str | None = None

    @property
    def chosen(self) -> int:
        return int((self.scores["decision"] == CAMPAIGN).sum())

    @property
    def summary(self) -> str:
        if self.scores.empty:
            return f"nobody was in scope for {self.day}: nobody scored, and an empty list"
        note = "" if self.is_new else " (recorded earlier, unchanged)"
        if self.features_have_changed:
            note = " (recorded earlier and final, although the features have changed since)"
        if self.erased:
            note = f" (recorded earlier; the rows of people who were erased since are removed: {self.erased:,})"
        scored = f"{len(self.scores):,} scored for {self.day} by {self.model_version}{note}"
        replaces = f"; they replace those of {self.replaces}" if self.replaces else ""
        return f"{scored}; {self.chosen:,} for the campaign{replaces}"


@dataclass(frozen=True)
class MadeScores:
    """Scores of a date by the version in force for it, not recorded yet."""

    day: date
    scores: pd.DataFrame
    table: pa.Table
    version: str

    @property
    def digest(self) -> str:
        return digest_bytes(encode(self.table))

    def record(self, bench: Workbench, *, supersedes: dict[str, Any] | None = None) -> ScoredWeek:
        """Put them into the prediction log: once, or in the place of others that they supersede."""
        info = {"model_version": self.version, KEY: bench.datasets.key_fingerprint}
        stored = guarded(bench).datasets.store.put(
            self.table,
            dataset=SCORES,
            partition=str(self.day),
            info=info | ({SUPERSEDES: supersedes} if supersedes else {}),
            once=supersedes is None,
        )
        if supersedes is None:
            _note(bench, self.day, version=self.version, scores=stored.digest)
        replaces = None if supersedes is None else str(supersedes["model_version"])
        return ScoredWeek(self.day, self.scores, self.version, is_new=True, replaces=replaces)


def score_day(bench: Workbench, day: date) -> ScoredWeek:
    """The scores of a date: those in the prediction log, else new ones by the version in force for the date.

    Raises:
        ScoringError: no version is in force for the date.
        RegistryError: the ledger, or the bundle of the version, does not verify; nothing was recorded.
        HistoryError: the features of the date are missing or stale.
        LeakError: an identifier stands in the scores.
    """
    logged, noted = bench.datasets.store.find(SCORES, str(day)), _newest_note(bench, day)
    if logged is not None:
        if noted is None:  # killed before its note
            _note(bench, day, version=str(logged.info["model_version"]), scores=logged.digest)
        return _recorded(bench, logged, day)
    if noted is not None:
        raise ScoringError(
            f"{bench.use_case.name}: ledger/{file_name(noted.number)} says that {day} was scored, and the prediction "
            f"log does not hold it. A date is never scored twice: restore {SCORES}/ in the store of the use case "
            "from a backup, or where there is none replace it on record: ds-pipeline score "
            f'{bench.use_case.name} --date {day} --supersede --reason "..."'
        )
    return make_scores(bench, day).record(bench)


def make_scores(bench: Workbench, day: date) -> MadeScores:
    """Scores of a date by the version in force for it; nothing is recorded.

    Raises:
        ScoringError: no version is in force for the date.
        RegistryError: the bundle of the version does not verify.
        HistoryError: the features of the date are missing or stale.
    """
    event, entity = bench.registry.champion(day), bench.use_case.problem.entity
    if event is None:
        raise _nothing_in_force(bench, day)
    bundle = bench.registry.open(event.version)
    model_case = use_case_of(bench, bundle)
    features = features_for(bench, model_case, day)
    frame = features.to_pandas()
    require_valid(frame, features_frame_schema(model_case), where=f"features of {day}")
    scores = score_week(
        frame,
        _probabilities(bench, bundle.load_model(), frame, model_case),
        entity=entity,
        top_share=bench.use_case.contract.top_share,
        origin=Origin(event.version, event.candidate_digest, digest_bytes(encode(features))),
    )
    table = pa.Table.from_pandas(scores, schema=scores_schema(entity), preserve_index=False)
    return MadeScores(day, scores, table, event.version)


def _probabilities(bench: Workbench, model: Any, frame: pd.DataFrame, model_case: UseCase) -> np.ndarray:
    """Of each row, bucket by bucket: what a model makes of a row before it answers takes far more room than the row."""
    number = bench.use_case.sources.buckets
    if number == 1:
        return predict(model, frame, model_case.features)
    answers = np.empty(len(frame))
    bucket = numbers_of(pa.array(frame[bench.use_case.problem.entity], pa.string()), number)
    for one in range(number):
        rows = bucket == one
        answers[rows] = predict(model, frame[rows], model_case.features)
    return answers


def _note(bench: Workbench, day: date, *, version: str, scores: str) -> None:
    """Write down that a date is scored, outside the prediction log."""
    bench.ledger.add(
        Scored(version=version, scores=scores),
        as_of=day,
        actor="pipeline",
        reason="a date is scored",
        at=now(),
        known=known_entries(bench),
    )


def _newest_note(bench: Workbench, day: date) -> Entry | None:
    """The last entry of the ledger by which scores of a date were recorded, or others put in their place.

    Raises:
        RegistryError: the ledger is broken, or lacks an entry that an evaluation refers to.
    """
    entries = bench.ledger.entries(known=known_entries(bench))
    notes = [one for one in entries if isinstance(one.says, Scored | Superseded) and one.as_of == day]
    return notes[-1] if notes else None


def noted_scores(bench: Workbench, day: date) -> Scored | None:
    """The version and the digest that a date was scored with, by the ledger's word, erasures since left out."""
    note = _newest_note(bench, day)
    says = note.says if note else None
    if isinstance(says, Superseded):
        return Scored(version=says.after, scores=says.scores_after)
    return says if isinstance(says, Scored) else None


def _recorded(bench: Workbench, logged: Snapshot, day: date) -> ScoredWeek:
    """What an earlier run scored."""
    require_settled(bench, logged)
    scores, version = read_log(bench, logged), str(logged.info["model_version"])
    erased = int(logged.info.get("erased", 0))
    if scores.empty and erased:
        raise ScoringError(
            f"{bench.use_case.name}: {erased} scores were recorded for {day} and all of them were erased since. A "
            "date is never scored twice, so there is nothing to deliver."
        )
    has_changed = features_have_changed(bench, scores, version, day)
    return ScoredWeek(
        day,
        scores,
        version,
        is_new=False,
        features_have_changed=has_changed,
        erased=erased,
        replaces=logged.info.get(SUPERSEDES, {}).get("model_version"),
    )


def require_settled(bench: Workbench, logged: Snapshot) -> Entry | None:
    """The entry by which scores replaced others; None where they are the first.

    Raises:
        ScoringError: the ledger says that they were to be replaced, and they were not; or that there were others.
        RegistryError: the ledger is broken, or lacks an entry that an evaluation refers to.
    """
    newest = _newest_note(bench, date.fromisoformat(logged.partition))
    if newest is None or not isinstance(newest.says, Scored | Superseded):
        return None
    says, entry = newest.says, f"ledger/{file_name(newest.number)}"
    if isinstance(says, Superseded) and newest.number != logged.info.get(SUPERSEDES, {}).get("entry"):
        raise ScoringError(
            f"{bench.use_case.name}: {entry} replaces the scores of {logged.partition}, but "
            "was interrupted before it did, so nothing is delivered. Do it again: ds-pipeline score "
            f'{bench.use_case.name} --date {logged.partition} --supersede --reason "..."'
        )
    noted = says.scores if isinstance(says, Scored) else says.scores_after
    if logged.digest != _after_erasures(bench, noted, logged.partition):
        raise ScoringError(
            f"{bench.use_case.name}: the scores recorded for {logged.partition} are not those of {entry}, also after "
            f"the erasures since: an older state of the prediction log was put back. Restore {SCORES}/ in the store of "
            "the use case from a backup."
        )
    return newest if isinstance(says, Superseded) else None


def _after_erasures(bench: Workbench, digest: str, day: str) -> str:
    """The digest that scores have after every erasure that took people out of them."""
    for erasure in erasures_of(bench).read():
        for change in erasure.changes:
            if (change.dataset, change.partition, change.old) == (SCORES, day, digest) and change.new is not None:
                digest = change.new
    return digest


def features_have_changed(bench: Workbench, scores: pd.DataFrame, version: str, day: date) -> bool:
    """Whether the features of a date are others since it was scored; if not, they must give the same scores again.

    Raises:
        ScoringError: they give others, or the ranks and the decisions do not follow from the scores.
        RegistryError: the bundle of the version does not verify.
        HistoryError: the features of the date are missing or stale.
    """
    bundle, entity = bench.registry.open(version), bench.use_case.problem.entity
    model_case = use_case_of(bench, bundle)
    features = features_for(bench, model_case, day)
    if scores.empty:
        return features.num_rows > 0
    if digest_bytes(encode(features)) != scores["features_snapshot"].iloc[0]:
        return True
    frame = features.to_pandas()
    again = pd.Series(predict(bundle.load_model(), frame, model_case.features), index=frame[entity])
    difference = np.abs(again.reindex(scores[entity]).to_numpy() - scores["score"].to_numpy())
    differ = abs(len(again) - len(scores)) + int((~(difference <= ROUNDING)).sum())  # NaN differs
    ranked = scores.sort_values(["score", entity], ascending=[False, True])
    is_chosen = ranked["decision"].eq(CAMPAIGN).to_numpy()
    is_in_order = (ranked["rank"].to_numpy() == np.arange(1, len(ranked) + 1)).all() and is_chosen[
        : is_chosen.sum()
    ].all()
    if differ or not is_in_order:
        what = f"{differ:,} of {len(scores):,} scores" if differ else "the ranks or decisions"
        raise ScoringError(
            f"{bench.use_case.name}: {what} recorded for {day} are not what {version} gives for the same features, so "
            f"nothing is delivered. Restore {SCORES}/ in the store of {bench.use_case.name} from a backup, or install "
            "the packages that its lineage.json names."
        )
    return False


def require_version(bench: Workbench, day: date) -> None:
    """Raise ScoringError if the date has no scores and no version is in force for it."""
    if bench.datasets.store.find(SCORES, str(day)) is None and bench.registry.champion(day) is None:
        raise _nothing_in_force(bench, day)


def is_under_this_key(bench: Workbench, logged: Snapshot) -> bool:
    """Whether scores were recorded under the present pseudonym key; under another one their tokens fit nothing."""
    return logged.info.get(KEY, bench.datasets.key_fingerprint) == bench.datasets.key_fingerprint


def read_log(bench: Workbench, logged: Snapshot) -> pd.DataFrame:
    if not is_under_this_key(bench, logged):
        raise ScoringError(
            f"{bench.use_case.name}: the scores of {logged.partition} were recorded under the pseudonym key "
            f"{logged.info[KEY]}, the present one is {bench.datasets.key_fingerprint} (these are fingerprints). Their "
            "tokens fit nothing that is stored now, and a date is never scored twice. Set the old key to use them: "
            "docs/runbooks/keys.md"
        )
    try:
        return bench.datasets.store.read(logged).to_pandas()
    except StoreError as error:
        raise ScoringError(
            f"The scores recorded for {logged.partition} are missing or were changed after they were written. They are "
            f"never made anew: restore {SCORES}/{logged.partition} in the store of {bench.use_case.name} from a backup."
        ) from error


def _nothing_in_force(bench: Workbench, day: date) -> ScoringError:
    name, events = bench.use_case.name, bench.registry.history()
    if events:
        first = min(event.as_of for event in events)
        return ScoringError(
            f"{name}: {day} was not scored: the oldest version is of {first}, and a date is never scored by a version "
            f"that was trained later. Score {first} or a later Monday."
        )
    return ScoringError(
        f"{name}: no version is in force for {day}, so it was not scored. Train one first: "
        f"ds-pipeline train {name} --date {day}"
    )


def features_for(bench: Workbench, model_case: UseCase, day: date) -> pa.Table:
    """The features of a date in the SQL and schema of a version; changing the SQL never breaks what serves.

    Args:
        model_case: from use_case_of the bundle of the version.
    """
    if model_case.features_digest == bench.use_case.features_digest:
        return bench.datasets.store.read(bench.datasets.require_features([day], until=day)[0])
    return features_of_version(bench, model_case, [day])[day]


def use_case_of(bench: Workbench, bundle: Bundle) -> UseCase:
    """The use case as it was when the bundle was made."""
    files = {name: content for name, content in bundle.files.items() if name.startswith(OWN_FILES)}
    return use_case_of_files(
        bench.use_case.name, {name.removeprefix(OWN_FILES): content for name, content in files.items()}
    )
