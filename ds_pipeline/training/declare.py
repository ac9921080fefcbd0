"""Thresholds before models: what the files say is signed when a training begins and must stand until the verdict."""

from datetime import date
from pathlib import Path
from typing import Any

from ds_pipeline.digests import digest_bytes, digest_json
from ds_pipeline.errors import EvaluationError, TrainingError
from ds_pipeline.registry.ledger import Configuration, Declared, Entry
from ds_pipeline.training.approved import digest_of, require_approved
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.subject import subject_of
from ds_pipeline.workbench import Workbench, known_entries, now


def configuration_of(use_case: UseCase) -> Configuration:
    """What people chose for a candidate of this use case; a comment or another order of keys is no other choice."""
    sources = use_case.sources.model_dump(mode="json", exclude={"buckets"})  # no byte depends on them
    return Configuration(
        features=use_case.features_digest,
        labels=use_case.labels_digest,
        sources=digest_json([sources, str(use_case.clock.first), use_case.clock.time_zone]),
        training=digest_json(use_case.training.model_dump(mode="json")),
        requirements=digest_of(use_case.requirements),
    )


def require_as_on_disk(bench: Workbench, error: type[TrainingError | EvaluationError]) -> None:
    """Raise the error if a file of the use case is not what it was when this run began: the run knows the old one."""
    case = bench.use_case
    folder = bench.project.configs / case.name
    names = {*case.files, *(f"features/{path.name}" for path in (folder / "features").glob("*.sql"))}
    changed = sorted(name for name in names if _content(folder / name) != case.files.get(name))
    if changed:
        raise error(
            f"configs/{case.name}: {', '.join(changed)} changed while this run was at work, which began under the "
            "files as they were. What is declared must stand from the training to the verdict: run it again."
        )


def declare(bench: Workbench, day: date) -> Entry:
    """Sign what the files say now, before anything is trained; the entry of the ledger.

    Raises:
        TrainingError: a file was edited since this run began, or asks less or of another thing without an approval.
        RegistryError: the ledger is broken.
    """
    require_as_on_disk(bench, TrainingError)
    known = known_entries(bench)
    require_approved(bench, day, bench.ledger.entries(known=known), TrainingError)
    case = bench.use_case
    declared = Declared(
        configuration=configuration_of(case),
        requirements=case.requirements_digest,
        use_case=case.digest,
        files={name: digest_bytes(content) for name, content in case.files.items()},
        inputs=case.features.of_role("input"),
        asked=case.requirements.model_dump(mode="json"),
        subject=subject_of(case),
    )
    return bench.ledger.add(declared, as_of=day, actor="pipeline", reason="a training begins", at=now(), known=known)[
        -1
    ]


def facts_of(declared: Entry) -> dict[str, Any]:
    """What the lineage of a candidate repeats of its declaration."""
    says = declared.says
    assert isinstance(says, Declared)
    return {
        "declared": declared.number,
        "requirements": says.requirements,
        "use_case": says.use_case,
    }


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
