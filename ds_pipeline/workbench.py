"""Everything an asset of one use case works with, opened from the project: folders, key, datasets, registry."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path

from ds_pipeline.errors import RegistryError
from ds_pipeline.masking.columns.tokens import key_fingerprint
from ds_pipeline.project import Project
from ds_pipeline.registry.documents import Document, Documents
from ds_pipeline.registry.ledger import Ledger
from ds_pipeline.registry.registry import Registry
from ds_pipeline.registry.signing import SigningKeys
from ds_pipeline.registry.witnesses import witnesses_of
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
    ledger: Ledger
    registry: Registry

    def delivery_paths(self, day: date) -> list[Path]:
        """Where the list of a scoring date lies, in the contract's formats."""
        folder = self.project.deliveries / self.use_case.name / str(day)
        return [folder / f"campaign_list.{file_format}" for file_format in self.use_case.contract.format]

    def report_path(self, day: date) -> Path:
        return self.project.reports / self.use_case.name / str(day) / "evaluation.html"

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
        _make_key(self.project, self.keys)


def _make_key(project: Project, keys: SigningKeys) -> None:
    others = [folder.name for folder in project.store.glob("*") if folder.is_dir()]
    registries = [Registry(project.store / name / "registry", keys, use_case=name) for name in others]
    keys.create_if_first(all(registry.is_empty() for registry in registries))


def open_workbench(project: Project, use_case: UseCase) -> Workbench:
    """The workbench of a use case.

    Raises:
        KeyMissingError: a table is not public and there is no key of one's own.
    """
    key = project.pseudonym_key(use_case.sources)
    keys = SigningKeys(project.keys)
    datasets = Datasets(
        use_case,
        project.store,
        keys,
        key_fingerprint=key_fingerprint(key),
        prepare=lambda: None if keys.are_made else _make_key(project, keys),
    )
    ledger = Ledger(datasets.root / "ledger", keys, use_case=use_case.name)
    return Workbench(
        project=project,
        use_case=use_case,
        key=key,
        datasets=datasets,
        keys=keys,
        documents=Documents(datasets.root / "documents", keys, use_case=use_case.name),
        ledger=ledger,
        registry=Registry(
            datasets.root / "registry",
            keys,
            use_case=use_case.name,
            witnesses=partial(
                witnesses_of,
                datasets,
                ledger,
                deliveries=project.deliveries / use_case.name,
                contract=use_case.contract,
            ),
        ),
    )


def known_entries(bench: Workbench) -> dict[int, str]:
    """The entries that signed evaluations refer to, number to digest: a ledger without them is not the one.

    Evaluations lie with their dates and, of each version, in its bundle.
    """
    known = {}
    for content in _signed_evaluations(bench):
        said = json.loads(content)
        if said.get("ledger"):  # none in one that was made before there was a ledger
            known[int(said["ledger"]["entry"])] = str(said["ledger"]["entry_digest"])
    return known


def _signed_evaluations(bench: Workbench) -> Iterator[bytes]:
    """What verifies; nobody may rely on what is damaged, and training again, which needs the ledger, heals it."""
    for day in bench.documents.days("evaluation"):
        with suppress(RegistryError):
            yield bench.documents.get(kind="evaluation", day=day).files["evaluation.json"]
    yield from bench.registry.in_every("evaluation.json")


def now() -> datetime:
    """The instant of a promotion or a decision, in UTC; nothing that is computed depends on it."""
    return datetime.now().astimezone()
