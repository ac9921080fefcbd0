"""The files of a synthetic use case: which of them are missing, and making all of them.

What makes them and how many is said in sources.yaml under simulation; they lie where its tables say.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from ds_pipeline.clock import WEEK
from ds_pipeline.errors import SourceError
from ds_pipeline.simulation.subscriptions.simulate import Simulated, simulate
from ds_pipeline.simulation.subscriptions.timeline import END, Timeline
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.sources import Simulation


def simulation_of(use_case: UseCase) -> Simulation:
    """What makes the files of a use case.

    Raises:
        SourceError: sources.yaml does not say.
    """
    declared = use_case.sources.simulation
    if declared is None:
        raise SourceError(
            f"configs/{use_case.name}/sources.yaml has no section simulation: its tables are not made here. "
            "Put its files where the tables say."
        )
    return declared


def missing_files(use_case: UseCase, root: Path) -> list[str]:
    """The tables of a synthetic use case whose file is not there; none of any other use case.

    Args:
        root: the folder of the project.

    Raises:
        SourceError: some are there and some are not; made anew they would replace those that are.
    """
    if use_case.sources.simulation is None:
        return []
    files = _files(use_case)
    missing = [name for name, path in files.items() if not (root / path).is_file()]
    if missing and len(missing) < len(files):
        raise SourceError(
            f"{use_case.name}: the files of {', '.join(missing)} are missing and others are there. They belong "
            f"together: make all of them with ds-pipeline simulate {use_case.name} --force"
        )
    return missing


def make_files(
    use_case: UseCase,
    root: Path,
    simulation: Simulation,
    *,
    replace: bool,
    on_users: Callable[[int], None] = lambda _: None,
) -> Simulated:
    """Make every file of a synthetic use case.

    Args:
        root: the folder of the project.
        simulation: how many users and weeks, and from which seed; that of sources.yaml or others.
        replace: whether files that are there may be replaced.
        on_users: told how many users are done, block by block.

    Raises:
        SourceError: files are there and may not be replaced, the tables do not lie together, a size is out of range, or
            the weeks begin after the first scoring date.
        StoreError: the files cannot be written.
    """
    simulation_of(use_case)
    files = _files(use_case)
    there = [name for name, path in files.items() if (root / path).exists()]
    if there and not replace:
        raise SourceError(
            f"{use_case.name}: the files of {', '.join(there)} are already there. Nothing was made; --force replaces "
            "them, and the next run then builds its history again."
        )
    _require_weeks(use_case, simulation)
    folder = root / next(iter(files.values())).parent
    return simulate(folder, simulation.users, simulation.weeks, simulation.seed, on_users=on_users)


def require_made(use_case: UseCase, root: Path) -> None:
    """Raise SourceError if files of a synthetic use case are missing; says what makes them."""
    if missing_files(use_case, root):
        raise SourceError(
            f"{use_case.name}: none of its files is there yet. They are simulated: make them with ds-pipeline simulate "
            f"{use_case.name}; ds-pipeline run {use_case.name} does it by itself."
        )


def _require_weeks(use_case: UseCase, simulation: Simulation) -> None:
    """Raise SourceError unless a whole week lies before the first scoring date: without any there is nothing to see."""
    first = use_case.clock.first
    fewest = (END - first) // WEEK + 1
    if 0 < simulation.weeks < fewest:
        begin = Timeline(simulation.weeks).start
        raise SourceError(
            f"{use_case.name}: nothing was simulated: {simulation.weeks} weeks begin on {begin}, and the first scoring "
            f"date is {first}. Ask for at least {fewest} weeks, with --weeks or in sources.yaml, or set "
            f"clock.first in configs/{use_case.name}/problem.yaml to {begin + WEEK} or a later Monday."
        )


def _files(use_case: UseCase) -> dict[str, PurePosixPath]:
    """The file of each table, relative to the project."""
    files = {name: PurePosixPath(str(table.path)) for name, table in use_case.sources.tables.items()}
    folder = next(iter(files.values())).parent
    apart = [name for name, path in files.items() if path != folder / f"{name}.parquet"]
    if apart:
        raise SourceError(
            f"configs/{use_case.name}/sources.yaml: simulation: expected the tables in one folder, each as its name "
            f"and .parquet; {', '.join(apart)} lie elsewhere. Correct their paths."
        )
    return files
