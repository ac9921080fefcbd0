"""Everything that `ds-pipeline docs` writes: the list of sources, and the documents of every use case."""

from pathlib import Path

import numpy as np

from ds_pipeline.boundary.scan import TextColumn, scan_columns
from ds_pipeline.documents.inventory import data_readme
from ds_pipeline.documents.stakeholder import use_case_documents
from ds_pipeline.errors import LeakError
from ds_pipeline.evaluation.gates.specs import gates_of
from ds_pipeline.markdown import cell
from ds_pipeline.project import Project
from ds_pipeline.use_case.load import UseCase, known_use_cases, load_use_case

FOLDER = Path("docs") / "use_cases"


def generated_documents(project: Project) -> dict[str, str]:
    """Every generated document by its path in the project, as the files of the use cases say today.

    Raises:
        ConfigError: a use case is wrong; nothing can be said of it then.
        LeakError: a text of its files holds an identifier, which a document would publish.
    """
    use_cases = [load_use_case(project.configs / name) for name in known_use_cases(project.configs)]
    documents = {"data/README.md": data_readme(use_cases)}
    for use_case in use_cases:
        meanings = {gate.name: gate.meaning for gate in gates_of(use_case.requirements)}
        for name, text in use_case_documents(use_case, meanings).items():
            documents[(FOLDER / use_case.name / name).as_posix()] = text
    _require_clean(documents, contacts=[text for one in use_cases for text in _contacts(one)])
    return documents


def _require_clean(documents: dict[str, str], *, contacts: list[str]) -> None:
    """Raise LeakError if a document holds what the leak scan knows by its pattern; names document and kind.

    Args:
        contacts: texts that may name someone who answers or receives, as the files of a use case may.
    """
    found = []
    for name, text in documents.items():
        for contact in contacts:
            text = text.replace(cell(contact), "")
        found += scan_columns([TextColumn(name, [text], np.ones(1, dtype=int))])
    if found:
        where = "; ".join(f"{one.column}: {one.kind}" for one in found)
        raise LeakError(
            f"No identifier may stand in a document; found {where}. Nothing was written. It comes from the YAML files "
            "of the use case, such as categories of a column or a feature, a meaning or an example: take it out there. "
            "A column whose values hold identifiers is no category: declare identifies: direct, treatment: redact or "
            "drop."
        )


def _contacts(use_case: UseCase) -> set[str]:
    """Who receives the list, and who answers for the use case and its thresholds."""
    owners = {one.owner for one in use_case.requirements.acceptance.values()}
    return {use_case.contract.consumer, use_case.problem.owner, *owners}


def stale_documents(project: Project, documents: dict[str, str]) -> list[str]:
    """The documents that are missing or say something else, and the folders of use cases that are gone."""
    stale = [name for name, text in documents.items() if not _is_current(project.root / name, text)]
    written = {Path(name).parent.name for name in documents}
    folder = project.root / FOLDER
    gone = [path.name for path in folder.iterdir() if path.name not in written] if folder.is_dir() else []
    return stale + [f"{(FOLDER / name).as_posix()} (there is no such use case; remove it)" for name in sorted(gone)]


def write_documents(project: Project, documents: dict[str, str]) -> list[str]:
    """Write the documents that are not current; returns their names."""
    stale = [name for name, text in documents.items() if not _is_current(project.root / name, text)]
    for name in stale:
        path = project.root / name
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.write_bytes(documents[name].encode())
    return stale


def _is_current(path: Path, text: str) -> bool:
    return path.is_file() and path.read_bytes() == text.encode()
