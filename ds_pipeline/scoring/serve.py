"""Score one week with the version that is in force for it, once, and deliver what was recorded."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd
import pyarrow as pa

from ds_pipeline.boundary.cross import identifiers_of
from ds_pipeline.boundary.leak_check import OWN_FILES, delivered_identifiers, guarded, require_clean_table
from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import HistoryError, ScoringError, StoreError
from ds_pipeline.features.schema import features_frame_schema, require_valid
from ds_pipeline.features.weeks import features_of_version
from ds_pipeline.model.predict import predict
from ds_pipeline.registry.bundle import Bundle
from ds_pipeline.registry.witnesses import delivered_versions
from ds_pipeline.scoring.delivery import campaign_list, render
from ds_pipeline.scoring.reasons import as_columns, only_of_logged, reasons
from ds_pipeline.scoring.score import CAMPAIGN, Origin, score_week, scores_schema
from ds_pipeline.store.datasets import KEY, SCORES
from ds_pipeline.store.snapshots import Snapshot, encode, write_file
from ds_pipeline.use_case.load import UseCase, use_case_of_files
from ds_pipeline.workbench import Workbench

ROUNDING = 1e-9  # of a score between 0 and 1: another build of the same packages may round otherwise


@dataclass(frozen=True)
class ScoredWeek:
    """The logged scores of one date; is_new is False where an earlier run had recorded them.

    Attributes:
        erased: rows removed since the scores were recorded, of people who were erased; ranks are as they were given.
        features_have_changed: since the scores were recorded; true after an erasure too.
    """

    day: date
    scores: pd.DataFrame
    model_version: str
    is_new: bool
    features_have_changed: bool = False
    erased: int = 0

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
        return f"{scored}; {self.chosen:,} for the campaign"


@dataclass(frozen=True)
class Delivery:
    """The files of a list, as they are called in the project, and the number of rows in each.

    Attributes:
        left_out: of the chosen, who have no identifier of the consumer's.
    """

    files: list[str]
    rows: int
    left_out: int

    @property
    def summary(self) -> str:
        left_out = f" ({self.left_out:,} of the chosen left out: no identifier)" if self.left_out else ""
        return f"{self.rows:,} rows{left_out}: {', '.join(self.files)}"


def score_day(bench: Workbench, day: date) -> ScoredWeek:
    """The scores of a date: those in the prediction log, else new ones by the version in force for the date.

    Raises:
        ScoringError: no version is in force for the date.
        RegistryError: the bundle of the version does not verify.
        HistoryError: the features of the date are missing or stale.
        LeakError: an identifier stands in the scores.
    """
    logged = bench.datasets.store.find(SCORES, str(day))
    if logged is not None:
        return _recorded(bench, logged, day)
    event, entity = bench.registry.champion(day), bench.use_case.problem.entity
    if event is None:
        raise _nothing_in_force(bench, day)
    _require_not_delivered(bench, day, event.version)
    bundle = bench.registry.open(event.version)
    model_case = use_case_of(bench, bundle)
    features = features_for(bench, model_case, day)
    frame = features.to_pandas()
    require_valid(frame, features_frame_schema(model_case), where=f"features of {day}")
    scores = score_week(
        frame,
        predict(bundle.load_model(), frame, model_case.features),
        entity=entity,
        top_share=bench.use_case.contract.top_share,
        origin=Origin(event.version, event.candidate_digest, digest_bytes(encode(features))),
    )
    guarded(bench).datasets.store.put(
        pa.Table.from_pandas(scores, schema=scores_schema(entity), preserve_index=False),
        dataset=SCORES,
        partition=str(day),
        info={"model_version": event.version, KEY: bench.datasets.key_fingerprint},
        once=True,
    )
    return ScoredWeek(day, scores, event.version, is_new=True)


def _require_not_delivered(bench: Workbench, day: date, version: str) -> None:
    """Raise ScoringError if a list of the date by another version went out, whose scores the log has lost."""
    delivered = delivered_versions(bench.project.deliveries / bench.use_case.name / str(day), bench.use_case.contract)
    others = sorted(delivered - {version})
    if others:
        raise ScoringError(
            f"{bench.use_case.name}: a list of {day} by {others[0]} was delivered, but the prediction log does not "
            f"hold its scores, and {version} is in force now. A date is never scored twice: restore {SCORES}/ in the "
            "store of the use case from a backup."
        )


def _recorded(bench: Workbench, logged: Snapshot, day: date) -> ScoredWeek:
    """What an earlier run scored."""
    scores, version = _read_log(bench, logged), str(logged.info["model_version"])
    erased = int(logged.info.get("erased", 0))
    if scores.empty and erased:
        raise ScoringError(
            f"{bench.use_case.name}: {erased} scores were recorded for {day} and all of them were erased since. A "
            "date is never scored twice, so there is nothing to deliver."
        )
    has_changed = _features_have_changed(bench, scores, version, day)
    return ScoredWeek(day, scores, version, is_new=False, features_have_changed=has_changed, erased=erased)


def _features_have_changed(bench: Workbench, scores: pd.DataFrame, version: str, day: date) -> bool:
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


def require_contract(bench: Workbench, day: date) -> None:
    """Raise ScoringError if the agreement with the consumer has ended before the date."""
    sunset = bench.use_case.contract.sunset
    if day > sunset:
        raise ScoringError(
            f"configs/{bench.use_case.name}/contract.yaml: sunset: the contract ended on {sunset}; nothing is "
            f"delivered for {day}. Agree on a new one and change the date."
        )


def require_version(bench: Workbench, day: date) -> None:
    """Raise ScoringError if the date has no scores and no version is in force for it."""
    if bench.datasets.store.find(SCORES, str(day)) is None and bench.registry.champion(day) is None:
        raise _nothing_in_force(bench, day)


def is_under_this_key(bench: Workbench, logged: Snapshot) -> bool:
    """Whether scores were recorded under the present pseudonym key; under another one their tokens fit nothing."""
    return logged.info.get(KEY, bench.datasets.key_fingerprint) == bench.datasets.key_fingerprint


def _read_log(bench: Workbench, logged: Snapshot) -> pd.DataFrame:
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


def deliver(bench: Workbench, day: date) -> Delivery:
    """Write the list of a scored date in the formats of the contract.

    Raises:
        ScoringError: the date is not scored, the contract has ended, or too many customers cannot be identified.
        LeakError: an identifier stands in a column that the contract does not flag.
    """
    require_contract(bench, day)
    contract, entity = bench.use_case.contract, bench.use_case.problem.entity
    logged = bench.datasets.store.find(SCORES, str(day))
    if logged is None:
        raise ScoringError(f"{bench.use_case.name}: {day} is not scored, so there is nothing to deliver.")
    scores = _read_log(bench, logged)
    with suppress(HistoryError):  # features that are being built again cannot be compared with; the log is signed
        _features_have_changed(bench, scores, str(logged.info["model_version"]), day)
    chosen = scores[scores["decision"] == CAMPAIGN]
    table = campaign_list(
        scores,
        contract,
        entity=entity,
        identifiers=identifiers_of(bench, set(chosen[entity]), day),
        reasons=_reasons_of(bench, chosen, day) if contract.asks_for_reasons else None,
    )
    listed = table.drop_columns(delivered_identifiers(bench))
    require_clean_table(bench, listed, where=f"campaign list of {day}, columns that contract.yaml does not flag")
    paths = bench.delivery_paths(day)
    for path in paths:
        write_file(path, render(table, path.suffix.removeprefix(".")), replace=True)
    return Delivery([bench.project.shown(path) for path in paths], table.num_rows, len(chosen) - table.num_rows)


def _reasons_of(bench: Workbench, chosen: pd.DataFrame, day: date) -> pd.DataFrame:
    """The reasons for logged scores, by token, from the verified version that made them; empty where none was chosen.

    Where its features are no longer what they were, such as after a week was built again, they are unknown.
    """
    entity = bench.use_case.problem.entity
    logged = chosen.set_index(entity)["score"]
    if chosen.empty:
        return as_columns([], chosen[entity])
    (version,) = set(chosen["model_version"])
    bundle = bench.registry.open(version)
    model_case, model = use_case_of(bench, bundle), bundle.load_model()
    frame = features_for(bench, model_case, day).to_pandas()
    frame = frame[frame[entity].isin(logged.index)]
    why = reasons(model, frame, model_case.features, reference=bundle.json("reference.json"))
    today = pd.Series(predict(model, frame, model_case.features), index=frame[entity])
    return only_of_logged(as_columns(why, frame[entity]), today, logged)
