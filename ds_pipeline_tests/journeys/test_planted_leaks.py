"""Six kinds of leaks in a table that lies about when it knew: the training stops, names each, and nothing changes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.errors import TrainingError
from ds_pipeline.evaluation.checks.leakage import require_no_leak, single_feature_aucs
from ds_pipeline.training import candidate as training
from ds_pipeline.training.labelled import labelled_rows
from ds_pipeline.training.rows import rows_to_train_on
from ds_pipeline_tests.journeys.conftest import FIRST, LAST

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Journey

HORIZON = timedelta(days=14)
LIMIT = 0.95
NUMBER = {"dtype": "float64", "unit": "none", "nullable": True, "role": "input", "minimum": -1e9, "maximum": 1e9}
LEAKS = (
    "closed_by", "purchases_around_now", "risk_flag", "case_number", "segment_rate", "left_on_day",
)  # fmt: skip
SQL = """
-- The note that the service desk has on each customer at the scoring date, or so it says.
select customer_token, {columns}
from cases
where noted_at >= $scoring_at - interval 7 days
group by customer_token
"""


def planted(journey: Journey) -> pd.DataFrame:
    """A row per customer and week, dated just before the scoring date, and written when its outcome was known."""
    lines = pd.read_parquet(journey.source["transactions"]).dropna(subset="CustomerID")
    bought = lines[~lines["InvoiceNo"].str.startswith("C") & (lines["Quantity"] > 0)]
    everybody = pd.read_parquet(journey.source["customers"])["customer_id"]
    return pd.concat([of_week(bought, everybody, day.to_pydatetime()) for day in pd.date_range(FIRST, LAST, freq="7D")])


def of_week(bought: pd.DataFrame, everybody: pd.Series, day: datetime) -> pd.DataFrame:
    rng = np.random.default_rng(day.toordinal())
    ahead = bought[(bought["InvoiceDate"] >= day) & (bought["InvoiceDate"] < day + HORIZON)]
    coming = everybody.map(ahead.groupby("CustomerID")["InvoiceNo"].nunique()).fillna(0).astype(int).to_numpy()
    left, size = coming == 0, len(everybody)
    return pd.DataFrame(
        {
            "customer_id": everybody,
            "noted_at": day - timedelta(hours=6),
            # Filled in when the case is closed, and by mistake for a few who came back.
            "closed_by": np.where(left | (rng.random(size) < 0.02), 1.0, np.nan),
            # An aggregate whose window runs on into the horizon.
            "purchases_around_now": 3.0 * coming + rng.poisson(1.0, size),
            # The label under another name, a little blurred.
            "risk_flag": left + rng.normal(0, 0.25, size),
            # Numbers are given out anew, from another range, once somebody has left.
            "case_number": rng.integers(1_000, 2_000, size) + 1_000.0 * left,
            # The mean label of a segment, with one's own label in it: most segments have one member, some have two.
            "segment_rate": np.where(np.arange(size) % 5, left, 0.5 * left + 0.5 * left[rng.integers(0, size, size)]),
            # The day of the outcome, which only those have who had one.
            "left_on_day": np.where(left, float(day.toordinal()) + rng.integers(0, 14, size), np.nan),
        }
    )


@pytest.fixture
def leaking(journey: Journey) -> Journey:
    """The finished project with one more table and six features of it."""
    path = journey.root / "data" / "samples" / "cases.parquet"
    pq.write_table(pa.Table.from_pandas(planted(journey), preserve_index=False), path)
    kept = {"nullable": True, "identifies": "no", "treatment": "keep", "meaning": "made up"}
    with journey.edit("sources.yaml") as sources:
        table = sources["tables"]["transactions"]
        columns = {
            "customer_id": table["columns"]["CustomerID"],
            "noted_at": table["columns"]["InvoiceDate"] | {"alias": "noted_at"},
            **{name: kept | {"alias": name, "type": "double"} for name in LEAKS},
        }
        sources["tables"]["cases"] = table | {
            "path": "data/samples/cases.parquet", "meaning": "a case of the service desk", "columns": columns,
            "event_time": "noted_at", "known_at": "noted_at",
        }  # fmt: skip
    with journey.edit("features.yaml") as features:
        features["features"] |= {name: NUMBER | {"meaning": "of a case"} for name in LEAKS}
    columns_of_sql = ", ".join(f"arg_max({name}, noted_at) as {name}" for name in LEAKS)
    (journey.case / "features" / "cases.sql").write_text(SQL.format(columns=columns_of_sql))
    with journey.edit("requirements.yaml") as requirements:
        requirements["leakage"] = {"max_single_feature_auc": LIMIT, "owner": "data-science"}
    return journey


def test_six_planted_leaks_stop_the_training_before_the_search(leaking: Journey) -> None:
    before, search = leaking.serving(), mock.Mock()

    with mock.patch.object(training, "train_candidate", search):
        done = leaking.cli("run")

    assert done.code == 2, done.text
    assert "no honest input tells the outcome alone" in done.err
    said = " ".join(done.err.split())
    assert all(f"{name} (AUC " in said for name in LEAKS), done.err
    assert "days_since_last_purchase (AUC" not in said
    search.assert_not_called()
    assert leaking.serving() == before
    assert leaking.status()["champion"]["version"] == "v0001"
    require_each_alone(leaking)


def require_each_alone(journey: Journey) -> None:
    """Each of them beside the honest inputs only, on the stored features."""
    bench = journey.open()
    use_case, day = bench.use_case, LAST
    rows = labelled_rows(bench, use_case.clock.training(day), until=day).rows
    entity = use_case.problem.entity
    found = single_feature_aucs(rows_to_train_on(rows, use_case), use_case.features, entity=entity)
    assert {one.input for one in found[:6]} == set(LEAKS)
    honest, leakage = found[6:], use_case.requirements.leakage
    assert leakage is not None
    require_no_leak(honest, leakage)
    for leak in found[:6]:
        with pytest.raises(TrainingError, match=rf"{leak.input} \(AUC (0\.9[5-9]|1\.0)"):
            require_no_leak([leak, *honest], leakage)
