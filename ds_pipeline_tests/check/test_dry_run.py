"""The dry run says what would go wrong or mislead in a run, before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.check import dry_run as module
from ds_pipeline.check.dry_run import DryRun, dry_run
from ds_pipeline.errors import FeatureError, SourceError, TrainingError
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.workbench import Workbench

NEWEST, START = date(2011, 7, 11), datetime(2011, 3, 1, 12)
NAMES = [f"Wexcombe-{number:02d}" for number in range(30)]  # the first fifteen stop after eight weeks


def write(root: Path, *, visitors: list[str] = NAMES, planned: int = 0) -> None:
    """A visit of each customer in each week, and their plans, `planned` weeks after the first visit."""
    visits = [
        (name, START + timedelta(weeks=week))
        for week in range(19) for number, name in enumerate(visitors) if week < 8 or number >= 15
    ]  # fmt: skip
    times = [at for _, at in visits]
    pq.write_table(
        pa.table({"customer_token": [name for name, _ in visits], "spend_gbp": [1.5] * len(visits),
                  "visited_at": times, "known_at": times}),
        root / "data" / "visits.parquet",
    )  # fmt: skip
    since = [START + timedelta(weeks=planned)] * len(NAMES)
    plans = {"customer_token": NAMES, "plan": ["gold"] * len(NAMES), "changed_at": since, "known_at": since}
    pq.write_table(pa.table(plans), root / "data" / "plans.parquet")


def tried(bench: Workbench) -> DryRun:
    return dry_run(bench, NEWEST, on_table=lambda _: None)


def test_events_before_a_sign_up_that_became_known_later_are_a_warning(
    declare: Callable[..., Workbench], tmp_path: Path
) -> None:
    """check did not look at `possible` at all."""
    bench = declare(visits={"possible": {"not_before": {"table": "plans", "column": "changed_at"}}})

    write(tmp_path)
    assert not [one for one in tried(bench).warnings if "cannot have been" in one]

    write(tmp_path, planned=2)
    warnings = tried(bench).warnings
    assert any(
        one.startswith("60 of 405 rows of visits cannot have been: not before plans.changed_at") for one in warnings
    )
    assert any(one.startswith("60 of 405 rows of visits: no plans.changed_at of their person") for one in warnings)


def test_tables_that_do_not_join_stop_the_dry_run(bench: Workbench, tmp_path: Path) -> None:
    write(tmp_path, visitors=[name.upper() for name in NAMES])

    with pytest.raises(SourceError, match=r"0% of visits\.customer_token are in plans \(0 of 30 different ones\)"):
        tried(bench)


def test_positives_of_one_person_stop_the_dry_run(bench: Workbench, tmp_path: Path) -> None:
    """The calibration, which keeps a person in one fold, ended in a ValueError of scikit-learn."""
    write(tmp_path)
    first = "(customer_token = (select min(customer_token) from visits))::int as label"
    rare = bench.use_case.label_sql.replace("(count(f.visited_at) > 0)::int as label", first)
    case = replace(bench.use_case, label_sql=rare)

    with pytest.raises(TrainingError, match=r"All \d+ positive rows of the 12 sampled weeks are of one customer_token"):
        tried(replace(bench, use_case=case))


def test_a_guest_who_is_taken_for_a_person_is_a_warning(bench: Workbench, tmp_path: Path) -> None:
    write(tmp_path, visitors=["unknown", *NAMES[1:]])

    assert any(
        "visits.customer_token: a word for nobody" in one and "unknown: 8 rows" in one for one in tried(bench).warnings
    )


def test_a_value_that_is_written_in_two_ways_is_a_warning(bench: Workbench, tmp_path: Path) -> None:
    """`gold` and `Gold ` were two plans, of which SQL that asks for one missed the other."""
    write(tmp_path)
    path = tmp_path / "data" / "plans.parquet"
    plans = ["Gold ", "GOLD"] + ["gold"] * (len(NAMES) - 2)
    rows = pq.read_table(path)
    pq.write_table(rows.set_column(rows.column_names.index("plan"), "plan", pa.array(plans)), path)
    trimmed = {"features/plans.sql": "select customer_token, lower(trim(plan)) as plan from plans"}
    case = replace(bench.use_case, feature_sql=bench.use_case.feature_sql | trimmed)

    assert any(
        one.startswith("plans.plan: 1 value written in more than one way, 2 rows not as most")
        for one in tried(replace(bench, use_case=case)).warnings
    )


def test_inputs_of_a_table_that_may_be_overwritten_are_a_warning(bench: Workbench, tmp_path: Path) -> None:
    """A plan as of the day of the extract passed check with "No warning"."""
    write(tmp_path)
    declared = bench.use_case.features.model_dump(mode="json", exclude_none=True)
    declared["features"]["plan"]["role"] = "input"
    case = replace(bench.use_case, features=FeatureSet.model_validate(declared))

    assert not [one for one in tried(bench).warnings if "more than one version" in one]
    (found,) = [one for one in tried(replace(bench, use_case=case)).warnings if "more than one version" in one]
    assert found.startswith("plans: hardly any customer_token has more than one version, so nothing says when plan")


def test_inputs_are_not_tried_on_the_weeks_that_a_candidate_is_judged_on(
    bench: Workbench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their ROC AUC on the holdout was a look that nobody counted."""
    seen: list[date] = []
    monkeypatch.setattr(module, "feature_facts", lambda rows, _: seen.extend(rows["scoring_date"]) or [])
    write(tmp_path)

    rates = tried(bench).rates

    judged = bench.use_case.clock.holdout(NEWEST)
    assert (min(seen), max(seen)) == (bench.use_case.clock.first, max(one.day for one in rates if one.day < judged[0]))
    assert rates[-1].day == judged[-1]


def test_a_feature_without_any_value_stops_the_dry_run_by_name(bench: Workbench, tmp_path: Path) -> None:
    """It ended in a traceback of scikit-learn."""
    write(tmp_path)
    made = with_visits(bench, "select customer_token, null::bigint as visits_seen from visits group by all")

    with pytest.raises(TrainingError, match=r"^visits_seen has no value in any of the \d+ rows of the \d+ sampled"):
        tried(made)


def test_an_input_made_of_tokens_stops_the_dry_run_by_name(bench: Workbench, tmp_path: Path) -> None:
    write(tmp_path)
    made = with_visits(bench, "select customer_token, hash(customer_token) % 9 as visits_seen from visits group by 1")

    with pytest.raises(FeatureError, match=r"expected inputs and .* the tokens themselves.*: visits_seen\. A hash"):
        tried(made)


def with_visits(bench: Workbench, sql: str) -> Workbench:
    """Another query for the features of visits."""
    queries = {"features/visits.sql": sql}
    files: dict[str, Any] = {name: text.encode() for name, text in queries.items()}
    case = replace(bench.use_case, feature_sql=bench.use_case.feature_sql | queries, files=bench.use_case.files | files)
    return replace(bench, use_case=case)
