"""Everything an asset of one use case works with, opened from the project: folders, key, datasets, registry."""

import json
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from ds_pipeline.clock import WEEK
from ds_pipeline.digests import digest_json
from ds_pipeline.errors import RegistryError
from ds_pipeline.ingestion.read import source_digest, source_state
from ds_pipeline.lineage import history_digest
from ds_pipeline.masking.columns.tokens import key_fingerprint
from ds_pipeline.project import Project
from ds_pipeline.registry.documents import Document, Documents
from ds_pipeline.registry.registry import Registry
from ds_pipeline.registry.signing import SigningKeys
from ds_pipeline.store.datasets import Datasets
from ds_pipeline.use_case.load import UseCase


@dataclass(frozen=True)
class Workbench:
    """One use case in one project."""

    project: Project
    use_case: UseCase
    key: bytes
    datasets: Datasets
    keys: SigningKeys
    documents: Documents
    registry: Registry

    def delivery_paths(self, day: date) -> list[Path]:
        """Where the list of a scoring date lies, in the contract's formats."""
        folder = self.project.deliveries / self.use_case.name / str(day)
        return [folder / f"campaign_list.{file_format}" for file_format in self.use_case.contract.format]

    def report_path(self, day: date) -> Path:
        return self.project.reports / self.use_case.name / str(day) / "evaluation.html"

    def missing_history(self, until: date) -> list[date]:
        """The scoring dates up to D that are not built, or were built from sources that have changed since."""
        self.datasets.require_key()
        tables, clock = self.use_case.sources.tables, self.use_case.clock
        days = clock.dates_until(until)
        live = [name for name in tables if self.has_states_by_week(name)]
        stale = min((day for name in live for day in self._stale_weeks(name, days)), default=None)
        built = until if stale is None else stale - WEEK
        if built < clock.first:
            return days
        sources = {name: self.source_digest(name) for name in tables if name not in live}
        later = [day for day in days if day > built]  # everything after a stale week is made from it too
        return self.datasets.missing_history(built, sources) + later

    def _stale_weeks(self, table: str, days: list[date]) -> list[date]:
        """The weeks of a table from a database that are missing, or whose rows there have changed."""
        digests, _ = self.source_states(table, days)
        stored = {day: self.datasets.store.find(self.datasets.masked(table), str(day)) for day in days}
        return [day for day, one in stored.items() if one is None or one.info.get("source") != digests[day]]

    def has_states_by_week(self, table: str) -> bool:
        """Whether a table, or one whose people its texts are about, comes from a database: its weeks differ."""
        sources = self.use_case.sources
        owners = sources.owner_tables(table, entity=self.use_case.problem.entity)
        return any(sources.tables[name].format == "query" for name in (table, *owners))

    def source_states(self, table: str, days: list[date]) -> tuple[dict[date, str], int | None]:
        """For each week one digest over what its rows are made from, and how many rows the source has in all.

        Of files it is the same for every week. Of a database it is that of the week, so that new rows make no earlier
        week stale; identifiers of owners count from the week on in which they became known. What it cannot see is said
        in `ingestion.database.read_state`. The number of rows is None where counting means reading.
        """
        if not self.has_states_by_week(table):
            return dict.fromkeys(days, self.source_digest(table)), None
        sources, clock = self.use_case.sources, self.use_case.clock
        owners = sources.owner_tables(table, entity=self.use_case.problem.entity)
        known = clock.dates_until(days[-1])
        starts = [clock.instant(day) for day in known]
        own, *others = (
            source_state(sources.tables[name], name=name, project=self.project.root, starts=starts)
            for name in (table, *owners)
        )
        held = [sources.tables[name].held for name in owners]
        digests, chain = {}, ""
        for number, day in enumerate(known):
            chain = digest_json([chain, [one.weeks[number] for one in others]])
            digests[day] = digest_json([own.weeks[number], chain, held, history_digest()])
        return {day: digests[day] for day in days}, own.rows

    def source_digest(self, table: str) -> str:
        """One digest over a source as it is now and the code that turns it into tables and features.

        Of files, every byte. Of a database, what `ingestion.database.read_state` sees of all its rows.
        """
        sources, entity = self.use_case.sources, self.use_case.problem.entity
        owners = sources.owner_tables(table, entity=entity)  # their people are masked in its texts
        states = [
            source_digest(sources.tables[name], name=name, project=self.project.root) for name in (table, *owners)
        ]
        return digest_json([states, [sources.tables[name].held for name in owners], history_digest()])

    def lineage_of(self, day: date, candidate: str) -> Document:
        """Under what the candidate of a date was trained: environment, requirements, use case.

        Raises:
            RegistryError: it is there for another candidate only.
        """
        made_by = self.documents.get(kind="lineage", day=day)
        if json.loads(made_by.files["lineage.json"])["candidate"] != candidate:
            raise RegistryError(
                f"The lineage of {day} is of another candidate: a training was interrupted. Train again."
            )
        return made_by

    def prepare_to_sign(self) -> None:
        """Make the signing key on the very first run of the project; all its use cases share it."""
        others = [folder.name for folder in self.project.store.iterdir() if folder.is_dir()]
        registries = [Registry(self.project.store / name / "registry", self.keys, use_case=name) for name in others]
        self.keys.create_if_first(all(registry.is_empty() for registry in registries))


def open_workbench(project: Project, use_case: UseCase) -> Workbench:
    """The workbench of a use case.

    Raises:
        KeyMissingError: a table is not public and there is no key of one's own.
    """
    key = project.pseudonym_key(use_case.sources)
    datasets = Datasets(use_case, project.store, key_fingerprint=key_fingerprint(key))
    keys = SigningKeys(project.keys)
    return Workbench(
        project=project,
        use_case=use_case,
        key=key,
        datasets=datasets,
        keys=keys,
        documents=Documents(datasets.root / "documents", keys, use_case=use_case.name),
        registry=Registry(datasets.root / "registry", keys, use_case=use_case.name),
    )


def now() -> datetime:
    """The instant of a promotion or a decision, in UTC; nothing that is computed depends on it."""
    return datetime.now().astimezone()
