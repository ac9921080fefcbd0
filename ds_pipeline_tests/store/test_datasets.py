"""What datasets are called, which weeks are missing, and which were made from something that has changed."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ds_pipeline.errors import HistoryError, KeyChangedError
from ds_pipeline.store.datasets import KEY, Datasets
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.sources import Sources
from ds_pipeline_tests.workbenches import signer

FIRST = date(2011, 3, 7)
DAYS = [FIRST + timedelta(weeks=week) for week in range(8)]
SOURCES = {"visits": "digest of visits", "plans": "digest of plans"}


@pytest.fixture
def datasets(shop: UseCase, tmp_path: Path) -> Datasets:
    return Datasets(shop, tmp_path, signer(tmp_path), key_fingerprint="one key")


def put(datasets: Datasets, dataset: str, day: date, **info: Any) -> None:
    datasets.store.put(pa.table({"week": [str(day), dataset]}), dataset=dataset, partition=str(day), info=info)


def forget(datasets: Datasets, dataset: str, day: date) -> None:
    """Take a week out of a dataset."""
    (file,) = [one for one in datasets.store.files() if (one.dataset, one.partition) == (dataset, str(day))]
    datasets.store.remove_file(file)


def put_masked(datasets: Datasets, days: list[date], tables: tuple[str, ...] = ("visits", "plans")) -> None:
    for day in days:
        for name in tables:
            put(datasets, datasets.masked(name), day, source=SOURCES[name])


def put_made(datasets: Datasets, days: list[date]) -> None:
    inputs = datasets.inputs_digests(days[-1])
    for day in days:
        put(datasets, datasets.features, day, inputs=inputs[day])
        put(datasets, datasets.labels, day, inputs=inputs[day])


def change(datasets: Datasets, table: str, day: date) -> None:
    """Another content in a masked partition, from the same source."""
    datasets.store.put(
        pa.table({"week": ["changed"]}),
        dataset=datasets.masked(table),
        partition=str(day),
        info={"source": SOURCES[table]},
    )


def test_a_week_is_read_back(datasets: Datasets) -> None:
    put_masked(datasets, DAYS[:1])

    assert datasets.read_week("visits", FIRST)["week"].to_pylist() == [str(FIRST), datasets.masked("visits")]


def test_missing_weeks_are_named_with_the_command_that_builds_them(datasets: Datasets) -> None:
    put_masked(datasets, DAYS, ("plans",))
    put_masked(datasets, [DAYS[0]], ("visits",))

    with pytest.raises(HistoryError) as error:
        datasets.require_masked(DAYS[-1])

    assert str(error.value) == (
        "shop: 2011-04-25 needs weeks that have not been built:\n"
        "  - visits: 7 of 8 weeks: 2011-03-14, 2011-03-21, 2011-03-28, 2011-04-04, 2011-04-11, 2011-04-18 and 1 more\n"
        "Build them with: ds-pipeline history shop --date 2011-04-25"
    )


def test_no_gap_in_the_middle_is_overlooked(datasets: Datasets) -> None:
    put_masked(datasets, [day for day in DAYS if day != DAYS[3]])

    datasets.require_masked(DAYS[2])
    with pytest.raises(
        HistoryError, match=r"  - visits: 1 of 5 weeks: 2011-03-28\n  - plans: 1 of 5 weeks: 2011-03-28\n"
    ):
        datasets.require_masked(DAYS[4])


def test_missing_features_are_named(datasets: Datasets) -> None:
    put_masked(datasets, DAYS)
    put_made(datasets, DAYS[:2])

    assert [one.partition for one in datasets.require_features(DAYS[:2], until=DAYS[-1])] == [
        "2011-03-07",
        "2011-03-14",
    ]
    with pytest.raises(HistoryError, match="  - features: 1 of 3 weeks: 2011-03-21\n"):
        datasets.require_features(DAYS[:3], until=DAYS[-1])


def test_labels_lie_in_the_partition_they_matured_in(datasets: Datasets) -> None:
    """A lag of five weeks."""
    put_masked(datasets, DAYS)
    put_made(datasets, DAYS[:6])

    assert [one.partition for one in datasets.require_labels([FIRST], until=DAYS[-1])] == ["2011-04-11"]
    with pytest.raises(HistoryError, match="  - matured_labels: 1 of 1 weeks: 2011-04-18\n"):
        datasets.require_labels([DAYS[1]], until=DAYS[-1])


def test_features_made_from_other_masked_tables_are_stale_from_there_on(datasets: Datasets) -> None:
    put_masked(datasets, DAYS)
    put_made(datasets, DAYS)
    change(datasets, "plans", DAYS[2])

    assert len(datasets.require_features(DAYS[:2], until=DAYS[-1])) == 2
    with pytest.raises(HistoryError) as error:
        datasets.require_features(DAYS, until=DAYS[-1])

    assert str(error.value) == (
        "shop: features of 2011-03-21, 2011-03-28, 2011-04-04, 2011-04-11, 2011-04-18, 2011-04-25 were made from other "
        "masked tables than those that are there now. Rebuild them with: ds-pipeline history shop --date 2011-04-25"
    )
    with pytest.raises(HistoryError, match="matured_labels of 2011-04-11 were made from other"):
        datasets.require_labels([FIRST], until=DAYS[-1])
    assert datasets.missing_history(DAYS[-1], SOURCES) == DAYS[2:]


def test_a_complete_history_misses_nothing(datasets: Datasets) -> None:
    put_masked(datasets, DAYS)
    put_made(datasets, DAYS)

    assert datasets.missing_history(DAYS[-1], SOURCES) == []


def test_from_a_missing_week_on_everything_is_to_be_built(datasets: Datasets) -> None:
    put_masked(datasets, DAYS[:3] + DAYS[4:])

    assert datasets.missing_history(DAYS[-1], SOURCES) == DAYS[3:]
    assert datasets.missing_history(DAYS[2], SOURCES) == DAYS[:3]  # no features and no labels yet


def test_a_changed_source_is_ingested_again_from_the_first_week(datasets: Datasets) -> None:
    put_masked(datasets, DAYS)
    put_made(datasets, DAYS)

    assert datasets.missing_history(DAYS[-1], SOURCES | {"plans": "another"}) == DAYS


def test_one_missing_partition_of_features_or_labels_is_found(datasets: Datasets) -> None:
    put_masked(datasets, DAYS)
    put_made(datasets, DAYS)
    for dataset, day in ((datasets.features, DAYS[1]), (datasets.labels, DAYS[6])):
        forget(datasets, dataset, day)

    assert datasets.missing_history(DAYS[-1], SOURCES) == [DAYS[1], DAYS[6]]


def test_a_changed_treatment_begins_a_new_history(datasets: Datasets, shop: UseCase, tmp_path: Path) -> None:
    tables = shop.sources.model_dump(exclude_unset=True)
    changed = deepcopy(tables)
    changed["tables"]["plans"]["columns"]["plan"]["treatment"] = "drop"
    moved = deepcopy(tables)
    moved["tables"]["plans"]["path"] = "data/moved.parquet"

    def names(sources: dict[str, Any]) -> list[str]:
        use_case = replace(shop, sources=Sources.model_validate(sources))
        other = Datasets(use_case, tmp_path, signer(tmp_path), key_fingerprint="one key")
        return [other.masked("plans"), other.masked("visits"), other.quarantine("plans")]

    here = [datasets.masked("plans"), datasets.masked("visits"), datasets.quarantine("plans")]
    assert names(tables) == names(moved) == here
    assert [old == new for old, new in zip(here, names(changed), strict=True)] == [False, True, False]


def test_another_key_begins_a_new_history(datasets: Datasets, shop: UseCase, tmp_path: Path) -> None:
    other = Datasets(shop, tmp_path, signer(tmp_path), key_fingerprint="another key")

    assert other.masked("visits") != datasets.masked("visits")
    assert other.quarantine("visits") != datasets.quarantine("visits")
    assert other.features == datasets.features


@pytest.mark.parametrize(
    "clock",
    [pytest.param({"first": FIRST + timedelta(weeks=1)}, id="first"), pytest.param({"time_zone": "UTC"}, id="zone")],
)
def test_other_weeks_begin_a_new_history(
    datasets: Datasets, shop: UseCase, tmp_path: Path, clock: dict[str, Any]
) -> None:
    """With a later first date the old partitions were taken, and everything before them was lost."""
    dates = shop.problem.clock.model_copy(update=clock)
    use_case = replace(shop, problem=shop.problem.model_copy(update={"clock": dates}))

    assert Datasets(use_case, tmp_path, signer(tmp_path), key_fingerprint="one key").masked(
        "visits"
    ) != datasets.masked("visits")


def test_changed_sql_begins_new_features_and_labels(datasets: Datasets, shop: UseCase, tmp_path: Path) -> None:
    def changed(file: str) -> Datasets:
        return Datasets(
            replace(shop, files=shop.files | {file: b"select 1"}), tmp_path, signer(tmp_path), key_fingerprint="one key"
        )

    for file in ("population.sql", "features/visits.sql", "features.yaml"):
        assert changed(file).features != datasets.features
        assert changed(file).labels != datasets.labels
    assert changed("label.sql").features == datasets.features
    assert changed("label.sql").labels != datasets.labels


def put_under(datasets: Datasets, *tables: str) -> None:
    """One masked partition of each table, with the fingerprint of the key it was made with."""
    for name in tables:
        put(datasets, datasets.masked(name), FIRST, source=SOURCES[name], **{KEY: datasets.key_fingerprint})


def test_a_key_that_has_changed_stops_with_both_fingerprints_and_the_command_that_accepts_it(
    datasets: Datasets, shop: UseCase, tmp_path: Path
) -> None:
    """The history was built anew under whatever key was set, and nobody was asked."""
    put_under(datasets, "visits", "plans")
    other = Datasets(shop, tmp_path, signer(tmp_path), key_fingerprint="another key")
    datasets.require_key()

    for asked in (
        other.require_key,
        lambda: other.missing_history(DAYS[1], SOURCES),
        lambda: other.require_masked(DAYS[1]),
        lambda: other.require_features(DAYS[:1], until=DAYS[0]) if put_made_up(other) else None,
    ):
        with pytest.raises(KeyChangedError) as error:
            asked()
        text = str(error.value)
        assert "masked_visits is stored under the key one key and not under the present one, another key" in text
        assert "scores logged under the old key can no longer be joined" in text
        assert text.endswith("ds-pipeline history shop --rebuild")


def put_made_up(datasets: Datasets) -> bool:
    """Features that are there: they do not lie under the key."""
    put(datasets, datasets.features, FIRST, inputs="of another key")
    return True


def test_without_stored_tables_any_key_will_do(datasets: Datasets) -> None:
    datasets.require_key()
    assert datasets.missing_history(DAYS[1], SOURCES) == DAYS[:2]


def test_a_key_is_known_again_when_every_table_is_stored_under_it(
    datasets: Datasets, shop: UseCase, tmp_path: Path
) -> None:
    """A rebuild that was interrupted between two tables has to be asked for again."""
    put_under(datasets, "visits", "plans")
    other = Datasets(shop, tmp_path, signer(tmp_path), key_fingerprint="another key")

    put_under(other, "visits")
    with pytest.raises(KeyChangedError, match="masked_plans is stored under the key one key"):
        other.require_key()
    put_under(other, "plans")
    other.require_key()
    datasets.require_key()


def test_a_changed_treatment_is_no_changed_key(datasets: Datasets, shop: UseCase, tmp_path: Path) -> None:
    put_under(datasets, "visits", "plans")
    tables = shop.sources.model_dump(mode="json", exclude_unset=True)
    tables["tables"]["plans"]["columns"]["plan"]["treatment"] = "drop"
    changed = replace(shop, sources=Sources.model_validate(tables))

    Datasets(changed, tmp_path, signer(tmp_path), key_fingerprint="one key").require_key()
    with pytest.raises(KeyChangedError):
        Datasets(changed, tmp_path, signer(tmp_path), key_fingerprint="another key").require_key()


@pytest.mark.parametrize(
    ("change", "is_new"),
    [
        pytest.param({"meaning": "a plan of a customer"}, False, id="meaning"),
        pytest.param({"origin": "made up", "licence": "CC0", "citation": "x"}, False, id="origin"),
        pytest.param({"max_quarantine_share": 0.5}, True, id="rule"),
    ],
)
def test_what_is_only_said_of_a_table_begins_no_new_history(
    datasets: Datasets, shop: UseCase, tmp_path: Path, change: dict[str, Any], is_new: bool
) -> None:
    tables = shop.sources.model_dump(mode="json", exclude_unset=True)
    tables["tables"]["plans"] |= change
    tables["tables"]["plans"]["columns"]["plan"]["meaning"] = "which plan"
    changed = Datasets(
        replace(shop, sources=Sources.model_validate(tables)), tmp_path, signer(tmp_path), key_fingerprint="one key"
    )

    assert (changed.masked("plans") != datasets.masked("plans")) is is_new


def test_another_limit_of_k_anonymity_judges_every_week_anew(datasets: Datasets, shop: UseCase, tmp_path: Path) -> None:
    def masked(k: int) -> str:
        tables = shop.sources.model_dump(mode="json", exclude_unset=True)
        tables["tables"]["plans"]["columns"]["plan"]["identifies"] = "quasi"
        tables["tables"]["plans"]["k_anonymity"] = {"k": k}
        case = replace(shop, sources=Sources.model_validate(tables))
        return Datasets(case, tmp_path, signer(tmp_path), key_fingerprint="one key").masked("plans")

    assert masked(5) != masked(6)


def test_another_text_engine_begins_a_new_history_of_the_tables_with_texts(
    datasets: Datasets, shop: UseCase, tmp_path: Path
) -> None:
    def names(engine: str) -> list[str]:
        tables = shop.sources.model_dump(mode="json", exclude_unset=True)
        tables["tables"]["plans"]["columns"]["plan"] |= {"identifies": "direct", "treatment": "redact"}
        case = replace(shop, sources=Sources.model_validate(tables | {"text_engine": engine}))
        other = Datasets(case, tmp_path, signer(tmp_path), key_fingerprint="one key")
        return [other.masked("plans"), other.masked("visits")]

    patterns, embedded = names("patterns"), names("embedded")
    assert [one == other for one, other in zip(patterns, embedded, strict=True)] == [False, True]
