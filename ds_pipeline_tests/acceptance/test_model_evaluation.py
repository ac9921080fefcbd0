"""Does the champion in force keep what was agreed? One test per threshold; failures show figures, never a customer.

    pytest ds_pipeline_tests/acceptance --use-case retail_lapse

It reads the signed bundle, its recorded evaluation and decision, and the newest delivered list; it trains and writes
nothing.
"""

from __future__ import annotations

import math
import stat
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest

from ds_pipeline.digests import digest_files
from ds_pipeline.evaluation.gates.specs import gates_of
from ds_pipeline.evaluation.gates.verdicts import apply_gates, still_passes
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.use_case.contract import Contract

ARROW_TYPES = {"string": pa.string(), "integer": pa.int64(), "double": pa.float64(), "date": pa.date32()}


def test_the_champion_is_signed_and_its_history_is_whole(champion: Any) -> None:
    states = {one.version: one.status for one in champion.bench.registry.verify()}

    assert states["history"] == "ok"
    assert states[champion.event.version] == "ok"


def test_the_model_of_the_champion_can_be_loaded(champion: Any) -> None:
    assert callable(champion.bundle.load_model().predict_proba)


def test_the_threshold_is_reached(champion: Any, threshold: str) -> None:
    """Judged anew, from the recorded figures against the requirements of today."""
    requirements = champion.bench.use_case.requirements
    result = next(one for one in apply_gates(champion.evaluation, requirements) if one.name == threshold)

    assert result.passed, f"{result.reason} Owner: {result.owner}."


def test_the_decision_says_what_the_gates_say(champion: Any) -> None:
    """The recorded verdicts, judged anew from their own figures."""
    asked = {gate.name: gate for gate in gates_of(champion.bench.use_case.requirements)}
    recorded = {gate.name: gate for gate in champion.decision.gates}

    assert recorded.keys() == asked.keys()
    again = {
        name: still_passes(asked[name], one, has_champion=champion.decision.bound_to.has_champion)
        for name, one in recorded.items()
    }
    assert again == {name: one.passed for name, one in recorded.items()}
    assert champion.decision.passed == all(again.values())
    assert champion.decision.passed


def test_the_decision_is_bound_to_the_champion_and_the_requirements(champion: Any) -> None:
    """It was taken on these very bytes: candidate, evaluation, requirements and every other file of the use case."""
    bound, use_case = champion.decision.bound_to, champion.bench.use_case
    inside = {
        name.removeprefix("use_case/"): content
        for name, content in champion.bundle.files.items()
        if name.startswith("use_case/")
    }

    assert champion.decision.use_case == use_case.name
    assert champion.decision.as_of == champion.event.as_of
    assert champion.decision_digest == champion.event.decision_digest
    assert bound.candidate == champion.event.candidate_digest
    assert bound.evaluation == champion.evaluation.digest
    assert bound.use_case == digest_files(inside)
    assert bound.requirements == digest_files({"requirements.yaml": inside["requirements.yaml"]})
    assert bound.requirements == use_case.requirements_digest, (
        f"configs/{use_case.name}/requirements.yaml has changed since {champion.event.version} was judged; train again"
    )


def test_the_delivered_list_fits_the_contract(champion: Any) -> None:
    contract = champion.bench.use_case.contract
    days = sorted(
        path.name for path in (champion.bench.project.deliveries / champion.bench.use_case.name).glob("*-*-*")
    )
    if not days:
        pytest.skip(f"no list was delivered yet. Deliver one with: ds-pipeline score {champion.bench.use_case.name}")
    day = pd.Timestamp(days[-1]).date()
    scored = champion.bench.datasets.store.get(SCORES, str(day))
    paths = champion.bench.delivery_paths(day)

    assert day == champion.bench.use_case.clock.require(day)
    assert day <= contract.sunset
    assert {path.suffix.removeprefix(".") for path in paths if path.is_file()} == set(contract.format)
    assert [stat.S_IMODE(path.stat().st_mode) for path in paths] == [0o600] * len(paths)
    lists = {path.suffix: read_list(path, contract) for path in paths}
    faults = {suffix: faults_of(table, contract, scored.rows, scored.info) for suffix, table in lists.items()}
    assert faults == {suffix: [] for suffix in faults}
    assert len({table.num_rows for table in lists.values()}) == 1


def read_list(path: Path, contract: Contract) -> pa.Table:
    """A delivered list in the types of the contract; a failure names the file and no value."""
    if path.suffix == ".parquet":
        return pyarrow.parquet.read_table(path)
    kinds = {name: ARROW_TYPES[column.type] for name, column in contract.columns.items()}
    try:
        return pyarrow.csv.read_csv(path, convert_options=pyarrow.csv.ConvertOptions(column_types=kinds))
    except pa.ArrowInvalid:  # its message quotes the cell
        pytest.fail(f"{path.name}: a value is not of the type that contract.yaml declares", pytrace=False)


def faults_of(table: pa.Table, contract: Contract, scored: int, info: dict[str, Any]) -> list[str]:
    """What of a list is not as agreed, in words and counts: columns, types, gaps, length, order, range."""
    if table.column_names != list(contract.columns):
        return [f"the columns are {', '.join(table.column_names)}"]
    found = [
        f"{name} is {table.schema.field(name).type}, not {column.type}"
        for name, column in contract.columns.items()
        if table.schema.field(name).type != ARROW_TYPES[column.type]
    ]
    found += [f"{name} is missing in {n} rows" for name in table.column_names if (n := table[name].null_count)]
    erased = int(info.get("erased", 0))  # people who were erased afterwards are on no list any more
    quota = math.ceil(contract.top_share * (scored + erased) - 1e-9)
    unknown = 0 if contract.identifier is None else math.ceil(contract.identifier.max_unknown_share * quota - 1e-9)
    if not quota - erased - unknown <= table.num_rows <= quota:
        found.append(f"{table.num_rows} rows, agreed are {quota}")
    by_origin = {column.origin: table[name].to_pandas() for name, column in contract.columns.items()}
    if "score" in by_origin:
        score = by_origin["score"]
        found += [] if score.between(0, 1).all() else ["a score is no probability"]
        found += [] if score.is_monotonic_decreasing else ["the highest score does not come first"]
    if "rank" in by_origin:
        found += [] if by_origin["rank"].is_monotonic_increasing else ["the ranks are not in order"]
    if "identifier" in by_origin:
        found += [] if by_origin["identifier"].is_unique else ["somebody is on the list twice"]
    if "model_version" in by_origin:
        found += [] if (by_origin["model_version"] == info["model_version"]).all() else ["scored by another version"]
    return found
