"""The files of a synthetic use case: made whole, where its tables say, and never over others unasked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from ds_pipeline.errors import SourceError
from ds_pipeline.simulation.files import make_files, missing_files, require_made, simulation_of
from ds_pipeline.use_case.load import UseCase, load_use_case
from ds_pipeline.use_case.sources import Simulation, Sources

CONFIGS = Path(__file__).resolve().parents[2] / "configs"
SMALL = Simulation(simulator="subscriptions", users=30, weeks=14, seed=3)
FOLDER = Path("data/simulated/subscription_churn")


@pytest.fixture(scope="module")
def subscriptions() -> UseCase:
    """The use case with a clock that begins within the few weeks of a small sample."""
    return beginning(load_use_case(CONFIGS / "subscription_churn"), date(2025, 12, 1))


def beginning(use_case: UseCase, first: date) -> UseCase:
    clock = use_case.problem.clock.model_copy(update={"first": first})
    return replace(use_case, problem=use_case.problem.model_copy(update={"clock": clock}))


@pytest.fixture
def with_sources(subscriptions: UseCase) -> Callable[[Callable[[dict[str, Any]], None]], UseCase]:
    def make(change: Callable[[dict[str, Any]], None]) -> UseCase:
        declared = subscriptions.sources.model_dump()
        change(declared)
        return replace(subscriptions, sources=Sources.model_validate(declared))

    return make


def test_files_are_made_where_the_tables_say(subscriptions: UseCase, tmp_path: Path) -> None:
    said: list[int] = []
    assert set(missing_files(subscriptions, tmp_path)) == set(subscriptions.sources.tables)

    made = make_files(subscriptions, tmp_path, SMALL, replace=False, on_users=said.append)

    assert missing_files(subscriptions, tmp_path) == []
    assert (made.users, made.weeks, made.seed) == (30, 14, 3)
    assert (tmp_path / FOLDER / "truth" / "hazard.parquet").is_file()
    assert said == [30]


def test_files_that_are_there_are_replaced_only_when_asked(subscriptions: UseCase, tmp_path: Path) -> None:
    make_files(subscriptions, tmp_path, SMALL, replace=False)
    before = (tmp_path / FOLDER / "users.parquet").read_bytes()

    with pytest.raises(SourceError, match=r"already there\. Nothing was made; --force replaces"):
        make_files(subscriptions, tmp_path, SMALL.model_copy(update={"seed": 4}), replace=False)
    assert (tmp_path / FOLDER / "users.parquet").read_bytes() == before

    make_files(subscriptions, tmp_path, SMALL.model_copy(update={"seed": 4}), replace=True)
    assert (tmp_path / FOLDER / "users.parquet").read_bytes() != before


@pytest.mark.parametrize(
    ("weeks", "is_enough"), [pytest.param(14, False, id="no-week-before"), pytest.param(15, True, id="one-week-before")]
)
def test_weeks_that_do_not_reach_the_first_scoring_date_are_refused(
    subscriptions: UseCase, tmp_path: Path, weeks: int, is_enough: bool
) -> None:
    """A sample of 46 weeks was made without a word, and the run then asked to declare silent weeks."""
    use_case = beginning(subscriptions, date(2025, 11, 10))  # 14 weeks before the end of the simulation
    sizes = SMALL.model_copy(update={"weeks": weeks})

    if is_enough:
        assert make_files(use_case, tmp_path, sizes, replace=False).weeks == weeks
        return
    with pytest.raises(
        SourceError,
        match=r"14 weeks begin on 2025-11-10, .* at least 15 weeks, .* or set clock\.first .* to 2025-11-17",
    ):
        make_files(use_case, tmp_path, sizes, replace=False)
    assert not list(tmp_path.iterdir())


def test_missing_files_are_told_with_the_command_that_makes_them(
    subscriptions: UseCase, retail_lapse: UseCase, tmp_path: Path
) -> None:
    with pytest.raises(SourceError, match=r"make them with ds-pipeline simulate subscription_churn; ds-pipeline run"):
        require_made(subscriptions, tmp_path)

    require_made(retail_lapse, tmp_path)  # its files are nobody's to make
    make_files(subscriptions, tmp_path, SMALL, replace=False)
    require_made(subscriptions, tmp_path)


def test_one_missing_file_is_not_made_beside_others(subscriptions: UseCase, tmp_path: Path) -> None:
    """The others may come from other sizes or another seed."""
    make_files(subscriptions, tmp_path, SMALL, replace=False)
    (tmp_path / FOLDER / "payments.parquet").unlink()

    with pytest.raises(SourceError, match="the files of payments are missing and others are there"):
        missing_files(subscriptions, tmp_path)


def test_a_use_case_with_files_of_its_own_is_never_simulated(retail_lapse: UseCase, tmp_path: Path) -> None:
    assert missing_files(retail_lapse, tmp_path) == []
    with pytest.raises(SourceError, match=r"configs/retail_lapse/sources\.yaml has no section simulation"):
        simulation_of(retail_lapse)


def test_tables_that_do_not_lie_together_are_refused(
    with_sources: Callable[[Callable[[dict[str, Any]], None]], UseCase], tmp_path: Path
) -> None:
    apart = with_sources(lambda declared: declared["tables"]["payments"].update(path="data/elsewhere/payments.parquet"))

    with pytest.raises(SourceError, match="payments lie elsewhere"):
        missing_files(apart, tmp_path)


def test_real_tables_cannot_be_declared_as_simulated(retail_lapse: UseCase) -> None:
    declared = retail_lapse.sources.model_dump() | {"simulation": SMALL.model_dump()}

    with pytest.raises(ValidationError, match="simulation is for synthetic tables; transactions would be replaced"):
        Sources.model_validate(declared)
