"""The checks and the figures of a masked table, from a step that ended."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any

import dagster as dg
import pyarrow as pa
import pytest

from ds_pipeline.boundary.cross import MaskedWeek
from ds_pipeline.boundary.mask import MaskedSource
from ds_pipeline.boundary.withhold import WITHHELD
from ds_pipeline.defs.assets import ingestion
from ds_pipeline.defs.assets.ingestion import ingestion_assets
from ds_pipeline.ingestion.ingest import REASON
from ds_pipeline.ingestion.possible import NO_LIMIT
from ds_pipeline.use_case.load import UseCase

DAYS = [date(2011, 3, 7), date(2011, 3, 14)]
FIGURES = {"smallest_group": 7}
LIMITS = {"not_before": SimpleNamespace(table="customers", column="joined_at")}


def week(day: date = DAYS[0], *, aside: int = 1, withheld: int = 0, read: int = 3, **changes: Any) -> MaskedWeek:
    """Two rows that were kept, and the rows that were set aside."""
    kept = pa.table({"a": [WITHHELD] * withheld + ["x"] * (2 - withheld)})
    return MaskedWeek(
        day, "s", read, read, kept, pa.table({REASON: pa.array(["missing:a"] * aside, "string")}), **changes
    )


def masked(*weeks: MaskedWeek, anonymity: Any = None, impossible: dict[str, int] | None = None) -> MaskedSource:
    """A step that ended; what is impossible is so in its first week."""
    by_week = {week.day: (impossible or {}) if number == 0 else {} for number, week in enumerate(weeks)}
    return MaskedSource(list(weeks), anonymity, by_week, {week.day: "d" for week in weeks}, [])


def table(*, possible: bool = False, anonymous: bool = False) -> Any:
    """What is asked of a declared table."""
    return SimpleNamespace(
        possible=SimpleNamespace(limits=LIMITS) if possible else None,
        k_anonymity=SimpleNamespace(k=5, from_entities=100) if anonymous else None,
    )


def results(done: MaskedSource, declared: Any) -> dict[str, dg.AssetCheckResult]:
    return {str(check.check_name): check for check in ingestion._results(done, declared)}


ANONYMITY: Any = SimpleNamespace(figures=lambda: FIGURES)


@pytest.mark.parametrize(("possible", "anonymous"), [(False, False), (True, False), (False, True), (True, True)])
def test_every_check_that_is_declared_has_a_result(possible: bool, anonymous: bool) -> None:
    declared = table(possible=possible, anonymous=anonymous)
    done = masked(week(), anonymity=ANONYMITY if anonymous else None)

    names = [check.name for check in ingestion._checks_of(declared)]

    assert names == list(results(done, declared))
    assert len(names) == 3 + possible + anonymous


@pytest.mark.parametrize(
    ("weeks", "passed"),
    [
        pytest.param([week(), week(read=5, aside=0, suppressed=3)], True, id="each-row-is-somewhere"),
        pytest.param([week(read=4)], False, id="a-row-is-nowhere"),
        pytest.param([], True, id="no-week"),
    ],
)
def test_rows_reconcile_over_all_weeks(weeks: list[MaskedWeek], passed: bool) -> None:
    assert results(masked(*weeks), table())["rows_reconcile"].passed is passed


@pytest.mark.parametrize(("drift", "passed"), [((), True), (("gone: phone (string)", "added: a (int64)"), False)])
def test_another_shape_is_a_warning_that_says_what_changed(drift: tuple[str, ...], passed: bool) -> None:
    check = results(masked(week(drift=drift)), table())["shape_is_unchanged"]

    assert (check.passed, check.severity) == (passed, dg.AssetCheckSeverity.WARN)
    assert check.metadata["changes"].value == ("; ".join(drift) or "none")


@pytest.mark.parametrize(
    ("impossible", "passed"),
    [
        pytest.param({}, True, id="none"),
        pytest.param({NO_LIMIT: 9, "not_before": 0}, True, id="nothing-is-known-of-them"),
        pytest.param({NO_LIMIT: 0, "not_before": 1}, False, id="one"),
    ],
)
def test_only_rows_that_break_a_limit_are_impossible(impossible: dict[str, int], passed: bool) -> None:
    check = results(masked(week(), impossible=impossible), table(possible=True))["events_are_possible"]

    assert (check.passed, check.severity) == (passed, dg.AssetCheckSeverity.WARN)
    assert check.metadata["rows"].value == 2
    assert check.metadata[NO_LIMIT].value == impossible.get(NO_LIMIT, 0)


def test_each_week_has_its_figures_and_the_newest_those_of_anonymity() -> None:
    weeks = week(), week(day=DAYS[1], aside=3, suppressed=4, withheld=2)
    done = masked(*weeks, anonymity=ANONYMITY, impossible={NO_LIMIT: 1, "not_before": 2})

    first, second = ingestion._metadata(done).values()

    assert (first["dagster/row_count"], first["rows_read"], first["rows_quarantined"]) == (2, 3, 1)
    assert (first[NO_LIMIT], first["impossible_not_before"]) == (1, 2)
    assert (second["rows_quarantined"], second["rows_suppressed"], second["texts_withheld"]) == (3, 4, 2)
    assert (second["quarantined_by_reason"], second["digest"]) == ({"missing:a": 3}, "d")
    assert second["k_anonymity_smallest_group"] == 7
    assert not [name for name in first if name.startswith("k_anonymity")]


def test_there_is_one_asset_for_each_table_and_it_waits_for_none(shop: UseCase) -> None:
    assets = ingestion_assets(shop)

    assert [asset.key.path for asset in assets] == [["shop", "masked_visits"], ["shop", "masked_plans"]]
    assert not [dep for asset in assets for dep in asset.get_asset_spec().deps]
