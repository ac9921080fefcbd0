"""The steps of the weekly monitors: what they report of a week, and why where there is nothing to report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial

import pandas as pd
import pyarrow as pa
import pytest

from ds_pipeline.monitoring import week
from ds_pipeline.monitoring.week import Drift, read_monitors, watch_drift, watch_outcomes
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.use_case.requirements import PsiLimits, RealizedQualityLimits
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.workbenches import matured_week

LIMITS = RealizedQualityLimits.model_validate(
    {"metric": "precision_at_top", "share": 0.5, "warn": 0.6, "critical": 0.3}
)
PSI = PsiLimits(warn=0.1, act=0.2)


def limited(bench: Workbench, limits: RealizedQualityLimits | None) -> Workbench:
    monitoring = bench.use_case.requirements.monitoring.model_copy(update={"realized_quality": limits})
    requirements = bench.use_case.requirements.model_copy(update={"monitoring": monitoring})
    return replace(bench, use_case=replace(bench.use_case, requirements=requirements))


def drift(psi: dict[str, tuple[float, str]], *, due: datetime | None = None, erased: str | None = None) -> Drift:
    rows = [(name, value, status) for name, (value, status) in psi.items()]
    return Drift(pd.DataFrame(rows, columns=["name", "psi", "status"]), 60, PSI, due, erased)


def test_a_matured_week_is_judged_with_its_figures(bench: Workbench) -> None:
    limited_bench = limited(bench, LIMITS)
    day = matured_week(limited_bench, labels=[1, 0, 0, None], treated=[False, False, True, False])

    realized = watch_outcomes(limited_bench, day)

    assert realized.scored == bench.use_case.clock.first
    assert realized.quality is not None
    assert realized.quality.figures()["undecided"] == 1
    assert realized.verdict is not None
    assert realized.verdict.status == "warn"
    assert realized.summary == (
        "2011-03-07: 50.0% of the campaign were positive, 33.3% of all; 1 were treated; "
        "50.0% of the 2 highest-scored were positive: warn"
    )


def test_without_limits_the_newest_week_has_figures_all_the_same(bench: Workbench) -> None:
    unlimited = limited(bench, None)
    day = matured_week(unlimited, labels=[1, 0, 0, 0], treated=[False] * 4)

    realized = watch_outcomes(unlimited, day)

    assert realized.verdict is None
    assert realized.summary == "2011-03-07: 50.0% of the campaign were positive, 25.0% of all"


def test_a_week_in_which_nothing_is_decided_says_so(bench: Workbench) -> None:
    unlimited = limited(bench, None)
    day = matured_week(unlimited, labels=[None] * 4, treated=[False] * 4)

    assert watch_outcomes(unlimited, day).summary == "2011-03-07: all 4 outcomes are undecided"


def empty(bench: Workbench, **info: int) -> None:
    logged = bench.datasets.store.get(SCORES, str(bench.use_case.clock.first))
    nobody: pa.Table = bench.datasets.store.read(logged).slice(0, 0)
    bench.datasets.store.put(nobody, dataset=SCORES, partition=logged.partition, info=logged.info | info)


erase = partial(empty, erased=4)


@pytest.mark.parametrize(
    ("weeks", "key", "change", "said"),
    [
        pytest.param(0, None, None, "nothing to judge yet: no scores whose outcome is known", id="too-early"),
        pytest.param(
            5, "another", None, "nothing to judge: the scores of 2011-03-07 were logged under another pseudonym key",
            id="another-key",
        ),
        pytest.param(5, None, erase, "nothing to judge: all scores of 2011-03-07 were erased", id="erased"),
        pytest.param(5, None, empty, "nothing to judge: nobody was in scope for 2011-03-07", id="nobody"),
        pytest.param(6, None, None, "nothing to judge yet: no scores as old as 2011-03-14", id="no-scores"),
    ],
)  # fmt: skip
def test_where_nothing_can_be_judged_it_says_why(
    bench: Workbench, weeks: int, key: str | None, change: Callable[[Workbench], None] | None, said: str
) -> None:
    matured_week(bench, labels=[1, 1, 0, 0], treated=[False] * 4, key=key)
    if change:
        change(bench)

    realized = watch_outcomes(bench, bench.use_case.clock.first + weeks * week.WEEK)

    assert realized.quality is None
    assert realized.summary == said


def test_drift_tells_what_has_reached_which_limit() -> None:
    quiet = drift({"visits": (0.04, "stable"), "score": (0.01, "stable")})
    moved = drift({"visits": (0.15, "warn"), "score": (0.01, "stable")}, erased="retraining is due: 1 person")
    far = drift({"visits": (0.31, "act"), "plan": (0.2, "act"), "score": (0.1, "warn")})
    few = drift({"visits": (0.31, "chance"), "score": (0.05, "stable")})
    agreed = replace(far, due=datetime(2011, 3, 9, tzinfo=UTC))

    assert quiet.summary == "largest PSI 0.04 (visits); all below 0.1"
    assert moved.summary == (
        "largest PSI 0.15 (visits); worth a look: visits at or above 0.1; retraining is not due; "
        "retraining is due: 1 person"
    )
    assert few.verdict == "visits at or above 0.1, as chance alone gives with 60 people"
    assert replace(few, people=0).verdict == "nobody was scored, so there is nothing to compare"
    assert far.verdict == "retraining is due: visits, plan at or above 0.2"
    assert agreed.verdict == "retraining is due by 2011-03-09 00:00 UTC: visits, plan at or above 0.2"
    assert (agreed.largest, agreed.of_status("warn")) == (0.31, ["score"])


def test_a_week_is_classified_by_the_limits_of_the_use_case(bench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    act = bench.use_case.requirements.monitoring.psi.act
    table = pd.DataFrame({"name": ["visits"], "psi": [act], "chance": [0.0]})
    monkeypatch.setattr(week, "stability_of", lambda *_: (table, 60))

    assert watch_drift(bench, bench.use_case.clock.first).of_status("act") == ["visits"]


@pytest.mark.parametrize(
    ("psi", "labels", "drift_is", "quality_is"),
    [
        pytest.param(0.05, [1, 1, 0, 0], "ok", "ok", id="kept"),
        pytest.param(0.15, [1, 0, 0, 0], "watch", "watch", id="warnings"),
        pytest.param(0.25, [0, 0, 0, 0], "fails", "fails", id="both-fail"),
    ],
)
def test_the_monitors_of_a_date_are_read_again(
    bench: Workbench,
    monkeypatch: pytest.MonkeyPatch,
    psi: float,
    labels: list[int | None],
    drift_is: str,
    quality_is: str,
) -> None:
    strict = limited(bench, LIMITS.model_copy(update={"warn": 0.95}))
    day = matured_week(strict, labels=labels, treated=[False] * 4)
    table = pd.DataFrame({"name": ["visits"], "psi": [psi], "chance": [0.01]})
    monkeypatch.setattr(week, "stability_of", lambda *_: (table, 4))
    monkeypatch.setattr(week, "retraining_is_due", lambda *_: None)  # no version is in force here

    found = {one.name: (one.status, one.says) for one in read_monitors(strict, day)}

    assert found["drift"][0] == drift_is
    assert found["drift"][1].startswith(f"largest PSI {psi:.2f} (visits)")
    assert found["realized_quality"][0] == quality_is


def test_a_monitor_that_cannot_be_told_says_why(bench: Workbench) -> None:
    found = read_monitors(limited(bench, LIMITS), matured_week(bench, labels=[1] * 4, treated=[False] * 4))

    assert [(one.name, one.status) for one in found] == [("drift", "unknown"), ("realized_quality", "ok")]
    assert found[0].says.startswith("cannot be told: ")
