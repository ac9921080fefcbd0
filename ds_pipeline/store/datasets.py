"""The stored datasets of one use case: what they are called, what they need, and which weeks are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from ds_pipeline.digests import SHORT, digest_json
from ds_pipeline.errors import HistoryError, KeyChangedError
from ds_pipeline.store.buckets import Bucket, cut, rows_of_bucket
from ds_pipeline.store.index import Signer
from ds_pipeline.store.snapshots import INDEX, Cut, Snapshot, Store
from ds_pipeline.use_case.load import UseCase

SCORES = "scores"
KEY = "key"  # in the info of a partition: the fingerprint of the pseudonym key it was made with
# What is said of a table and changes nothing in it; where it lies changes its rows only through their digest.
SAID_ONLY: dict[str, Any] = {
    **dict.fromkeys(("path", "connection_env", "meaning", "origin", "licence", "citation"), True),
    "columns": {"__all__": {"meaning"}},
}


class Datasets:
    """Names, snapshots and completeness of the datasets of a use case.

    A dataset lies under the digest of what makes it: a changed treatment, key, SQL or schema begins a new history
    instead of mixing with the old one.
    """

    def __init__(
        self,
        use_case: UseCase,
        store_root: Path,
        keys: Signer,
        *,
        key_fingerprint: str,
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        self.use_case = use_case
        self.root = store_root / use_case.name
        self.store = Store(
            self.root / "datasets", keys, use_case=use_case.name, prepare=prepare, final=frozenset({SCORES})
        )
        self.key_fingerprint = key_fingerprint

    def policy_digest(self, table: str) -> str:
        """What a masked table lies under: columns, rules, treatments, the key of its tokens, and where weeks begin.

        The limit of k_anonymity is part of it: under another limit every week is judged anew.
        """
        sources, clock = self.use_case.sources, self.use_case.problem.clock
        declared = sources.tables[table].model_dump(mode="json", exclude=SAID_ONLY)
        engine = sources.text_engine if sources.tables[table].texts else None
        return digest_json([declared, engine, self.key_fingerprint, clock.time_zone, clock.first])

    def masked(self, table: str) -> str:
        return f"masked/{table}/{self.policy_digest(table)[:SHORT]}"

    def quarantine(self, table: str) -> str:
        return f"quarantine/{table}/{self.policy_digest(table)[:SHORT]}"

    @property
    def features(self) -> str:
        return f"features/{self.use_case.features_digest[:SHORT]}"

    @property
    def labels(self) -> str:
        return f"labels/{self.use_case.labels_digest[:SHORT]}"

    def read_week(self, table: str, day: date, bucket: Bucket | None = None) -> pa.Table:
        """The masked rows that became known in the week before D.

        Args:
            bucket: only the rows of its people; of a table that is not divided, all of them.
        """
        snapshot = self.store.get(self.masked(table), str(day))
        if bucket is None or self._cut(table) is None:
            return self.store.read(snapshot)
        if len(snapshot.parts) != bucket.of:  # not cut anew yet: right all the same, and slower
            return rows_of_bucket(self.store.read(snapshot), self.use_case.problem.entity, bucket)
        return self.store.read_part(snapshot, bucket.number)

    def tell_tales(self) -> list[Path]:
        """The files by which another machine can tell that it sees these masked tables, as they are now."""
        indexes = [self.store.root / self.masked(table) / INDEX for table in self.use_case.sources.tables]
        return [path for path in (self.store.keys.pin_path, *indexes) if path.exists()]

    def put_masked(self, table: str, made: Mapping[date, tuple[pa.Table, dict[str, Any]]]) -> dict[date, Snapshot]:
        """Store masked weeks with what is known of them, in as many parts as sources.yaml says."""
        weeks = {str(day): week for day, week in made.items()}
        stored = self.store.put_all(weeks, dataset=self.masked(table), cut=self._cut(table))
        return {date.fromisoformat(day): snapshot for day, snapshot in stored.items()}

    def cut_anew(self, until: date) -> None:
        """Store the masked weeks up to D that lie in another number of parts than sources.yaml says now once more.

        Their rows and digests stay, so that nothing that was made from them is stale.
        """
        for table in self.use_case.sources.tables:
            parts = self.use_case.sources.buckets if self._cut(table) else 0
            weeks = [self.store.get(self.masked(table), str(day)) for day in self.use_case.clock.dates_until(until)]
            for week in weeks:
                if len(week.parts) != parts:
                    self.put_masked(table, {date.fromisoformat(week.partition): (self.store.read(week), week.info)})

    def _cut(self, table: str) -> Cut | None:
        """What makes the parts of a masked table; None where it lies in one."""
        sources, entity = self.use_case.sources, self.use_case.problem.entity
        return partial(cut, column=entity, number=sources.buckets) if sources.divides(table, entity=entity) else None

    def inputs_digests(self, until: date) -> dict[date, str]:
        """For each scoring date one digest over every masked partition up to it: what its features are made from."""
        self.require_masked(until)
        names = [self.masked(table) for table in self.use_case.sources.tables]
        digests, chain = {}, ""
        for day in self.use_case.clock.dates_until(until):
            chain = digest_json([chain, [self.store.get(name, str(day)).digest for name in names]])
            digests[day] = chain
        return digests

    def put_weeks(
        self, dataset: str, made: Mapping[date, pa.Table], *, inputs: Mapping[date, str]
    ) -> dict[date, Snapshot]:
        """Store weeks of features or labels.

        Args:
            inputs: from inputs_digests, as they were before the masked tables were read.
        """
        weeks = {str(day): (table, {"inputs": inputs[day]}) for day, table in made.items()}
        return {
            date.fromisoformat(day): snapshot for day, snapshot in self.store.put_all(weeks, dataset=dataset).items()
        }

    def require_key(self) -> None:
        """Raise KeyChangedError if a table is stored under another pseudonym key and not under the present one.

        Nothing but an explicit rebuild begins a history under another key: its tokens fit none that is stored.
        """
        for table in self.use_case.sources.tables:
            stored = self._keys_of(table)
            if stored and self.key_fingerprint not in stored:
                name = self.use_case.name
                raise KeyChangedError(
                    f"{name}: the pseudonym key has changed: masked_{table} is stored under the key "
                    f"{', '.join(sorted(stored))} and not under the present one, {self.key_fingerprint} (these are "
                    "fingerprints). Under another key every token changes: nothing that is stored can be continued, "
                    "and scores logged under the old key can no longer be joined with new labels. If that was not "
                    "meant, set the old key again: docs/runbooks/keys.md. To accept the new one and build the "
                    f"history from the sources again: ds-pipeline history {name} --rebuild"
                )

    def _keys_of(self, table: str) -> set[str]:
        """The fingerprints of the keys under which a table is stored, whatever its treatments were then."""
        datasets = [f"masked/{table}/{folder.name}" for folder in (self.store.root / "masked" / table).glob("*")]
        newest = [self.store.get(name, days[-1]) for name in datasets if (days := self.store.partitions(name))]
        return {str(snapshot.info[KEY]) for snapshot in newest if KEY in snapshot.info}

    def require_masked(self, day: date) -> None:
        """Raise HistoryError unless every table has every partition up to D: a gap would give wrong features."""
        self.require_key()
        days = self.use_case.clock.dates_until(day)
        self._require({self.masked(table): table for table in self.use_case.sources.tables}, days, until=day)

    def require_features(self, days: Iterable[date], *, until: date) -> list[Snapshot]:
        """The features partitions of the days; HistoryError names those that are missing or stale."""
        return self._require_current(self.features, "features", list(days), until=until)

    def require_labels(self, days: Iterable[date], *, until: date) -> list[Snapshot]:
        """The labels of the scoring dates; they lie in the partition in which they matured."""
        days = [day + self.use_case.clock.lag for day in days]
        return self._require_current(self.labels, "matured_labels", days, until=until)

    def missing_history(self, until: date, sources: Mapping[str, str]) -> list[date]:
        """The scoring dates up to D for which a masked table, the features or the labels are missing or stale.

        Args:
            sources: the digest of each source as it is now, by table.

        Raises:
            KeyChangedError: the tables are stored under another pseudonym key.
        """
        self.require_key()
        days = self.use_case.clock.dates_until(until)
        for number, day in enumerate(days):
            weeks = {name: self.store.find(self.masked(name), str(day)) for name in sources}
            if any(week is None or week.info.get("source") != sources[name] for name, week in weeks.items()):
                return days[number:]  # everything later is made from this week too
        inputs = self.inputs_digests(until)
        stale = {
            day for dataset in (self.features, self.labels) for day in days if self._inputs(dataset, day) != inputs[day]
        }
        return sorted(stale)

    def _inputs(self, dataset: str, day: date) -> str | None:
        """What a features or labels partition was made from, or None where there is none."""
        snapshot = self.store.find(dataset, str(day))
        return snapshot.info.get("inputs") if snapshot else None

    def _require_current(self, dataset: str, shown: str, days: list[date], *, until: date) -> list[Snapshot]:
        self._require({dataset: shown}, days, until=until)
        inputs = self.inputs_digests(max([*days, until]))
        stale = [str(day) for day in days if self._inputs(dataset, day) != inputs[day]]
        if stale:
            name = self.use_case.name
            raise HistoryError(
                f"{name}: {shown} of {', '.join(stale[:6])}{' and more' if len(stale) > 6 else ''} were made from "
                "other masked tables than those that are there now. "
                f"Rebuild them with: ds-pipeline history {name} --date {until}"
            )
        return [self.store.get(dataset, str(day)) for day in days]

    def _require(self, names: dict[str, str], days: list[date], *, until: date) -> None:
        lines = []
        for dataset, shown in names.items():
            there = set(self.store.partitions(dataset))
            missing = [str(day) for day in days if str(day) not in there]
            if missing:
                listed = ", ".join(missing[:6]) + (f" and {len(missing) - 6} more" if len(missing) > 6 else "")
                lines.append(f"  - {shown}: {len(missing)} of {len(days)} weeks: {listed}")
        if lines:
            name = self.use_case.name
            raise HistoryError(
                f"{name}: {until} needs weeks that have not been built:\n" + "\n".join(lines) + "\n"
                f"Build them with: ds-pipeline history {name} --date {until}"
            )
