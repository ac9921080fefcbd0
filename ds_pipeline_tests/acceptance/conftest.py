"""Which champion the acceptance tests judge: pytest ds_pipeline_tests/acceptance --use-case retail_lapse.

Without --use-case every use case of the project is judged, but only where the folder was asked for: an ordinary run of
all tests does not depend on what happens to lie in the store. Where there is nothing to judge, the command fails; it
names every gate it judges.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from ds_pipeline.digests import digest_bytes
from ds_pipeline.errors import DsPipelineError
from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.gates.specs import gates_of
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.project import open_project
from ds_pipeline.registry.bundle import Bundle
from ds_pipeline.registry.history import Event
from ds_pipeline.use_case.load import known_use_cases, load_use_case
from ds_pipeline.workbench import Workbench, open_workbench

FOLDER = Path(__file__).resolve().parent
ORDINARY = "an ordinary test run judges no champion; run: pytest ds_pipeline_tests/acceptance --use-case NAME"


@dataclass(frozen=True)
class Champion:
    """The version in force with what was recorded of it; the signature of its bundle was verified."""

    bench: Workbench
    event: Event
    bundle: Bundle
    evaluation: Evaluation
    decision: Decision
    decision_digest: str


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--use-case", default=None, help="the use case whose champion is judged; all of them if left out")


def pytest_configure(config: pytest.Config) -> None:
    """Each gate on a line of its own, and no success where a champion was asked for and there is none.

    Raises:
        UsageError: an asked use case is wrong, is not there or has no champion.
    """
    asked = _asked(config)
    if asked:
        config.option.verbose = max(config.option.verbose, 1)  # -q of pyproject.toml would hide the names
        config.option.reportchars += "s"  # and why something was skipped
    try:
        missing = [name for name in asked if _open(name).registry.champion() is None]
    except DsPipelineError as error:
        raise pytest.UsageError(str(error)) from None
    if missing:
        commands = "; ".join(f"ds-pipeline run {name}" for name in missing)
        raise pytest.UsageError(f"no champion to judge yet: {', '.join(missing)}. Make one with: {commands}")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per use case, and per threshold of its requirements.yaml where a test asks for one."""
    asked = _asked(metafunc.config)
    if "threshold" in metafunc.fixturenames:
        pairs = [(name, gate.name) for name in asked for gate in gates_of(_open(name).use_case.requirements)]
        rows = [pytest.param(name, gate, id=f"{name}-{gate}") for name, gate in pairs]
        metafunc.parametrize(("case", "threshold"), rows or [_skipped(2)])
    elif "case" in metafunc.fixturenames:
        metafunc.parametrize("case", asked or [_skipped(1)])


@pytest.fixture(scope="session")
def champion_of() -> Callable[[str], Champion]:
    """Loads the champion of a use case once."""
    return cache(_load)


@pytest.fixture
def champion(case: str, champion_of: Callable[[str], Champion]) -> Champion:
    return champion_of(case)


def _asked(config: pytest.Config) -> list[str]:
    """The use cases to judge; none in an ordinary run of all tests."""
    named: str | None = config.getoption("--use-case", default=None)
    if named is not None:
        return [named]
    places = [(config.invocation_params.dir / one.partition("::")[0]).resolve() for one in config.args]
    is_asked = any(place.is_relative_to(FOLDER) for place in places)
    return known_use_cases(open_project().configs) if is_asked else []


def _open(name: str) -> Workbench:
    project = open_project()
    return open_workbench(project, load_use_case(project.configs / name))


def _skipped(arguments: int) -> Any:
    return pytest.param(*["none"] * arguments, marks=pytest.mark.skip(reason=ORDINARY), id="none")


def _load(name: str) -> Champion:
    bench = _open(name)
    event = bench.registry.champion()
    assert event is not None, f"{name} had a champion when the tests began"
    bundle = bench.registry.open(event.version)  # verifies every byte and the signature
    recorded = bundle.read("decision.json")
    return Champion(
        bench=bench,
        event=event,
        bundle=bundle,
        evaluation=Evaluation.from_json(bundle.read("evaluation.json")),
        decision=Decision.from_json(recorded),
        decision_digest=digest_bytes(recorded),
    )
