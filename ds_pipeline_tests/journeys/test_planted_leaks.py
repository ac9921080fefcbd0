"""Leaks in sources that lie about when they knew: six in a table that stop the training, each with its name; and a past
that was written back, which no replay sees: it is warned of and refused. Nothing that serves changes. What no column
holds, the order of the rows or which texts are withheld, tells nothing.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from unittest import mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ds_pipeline.boundary.cross import masked_weeks
from ds_pipeline.errors import LeakError, TrainingError
from ds_pipeline.evaluation.checks.leakage import require_no_leak, single_feature_aucs
from ds_pipeline.training import candidate as training
from ds_pipeline.training.labelled import labelled_rows
from ds_pipeline.training.rows import rows_to_train_on
from ds_pipeline_tests.journeys.conftest import FIRST, LAST

if TYPE_CHECKING:
    from ds_pipeline_tests.journeys.conftest import Journey

HORIZON = timedelta(days=14)
LIMIT = 0.95
KEPT = {"nullable": True, "identifies": "no", "treatment": "keep", "meaning": "made up"}
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
    with journey.edit("sources.yaml") as sources:
        table = sources["tables"]["transactions"]
        columns = {
            "customer_id": table["columns"]["CustomerID"],
            "noted_at": table["columns"]["InvoiceDate"] | {"alias": "noted_at"},
            **{name: KEPT | {"alias": name, "type": "double"} for name in LEAKS},
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


def days_quiet(journey: Journey) -> pd.Series:
    """By customer, the days without a purchase on the day of the extract, when the newest label has just matured."""
    lines = pd.read_parquet(journey.source["transactions"]).dropna(subset="CustomerID")
    lines = lines[~lines["InvoiceNo"].str.startswith("C") & (lines["Quantity"] > 0)]
    extract = pd.Timestamp(LAST)
    last = lines[lines["InvoiceDate"] < extract].groupby("CustomerID")["InvoiceDate"].max()
    return (extract - last).dt.days.astype("float64")


@pytest.fixture
def written_back(journey: Journey) -> Journey:
    """The finished project with one more column of customers, as of the extract, in rows known when they were made."""
    quiet = days_quiet(journey)
    journey.rewrite("customers", lambda rows: rows.assign(days_quiet=rows["customer_id"].map(quiet)))
    with journey.edit("sources.yaml") as sources:
        columns = sources["tables"]["customers"]["columns"]
        columns["days_quiet"] = KEPT | {"alias": "days_quiet", "type": "double"}
    with journey.edit("features.yaml") as features:
        features["features"]["days_quiet"] = NUMBER | {"meaning": "days without a purchase"}
    (journey.case / "features" / "quiet.sql").write_text("select customer_token, days_quiet from customers")
    with journey.edit("requirements.yaml") as requirements:
        limits = {"max_single_feature_auc": LIMIT, "max_single_feature_rise": 0.05}
        requirements["leakage"] = limits | {"owner": "data-science"}
    return journey


def test_a_column_written_back_is_warned_of_and_refused(written_back: Journey) -> None:
    """It passed every gate, and the replayed week had the same bytes: its past says the same wherever it is cut."""
    before = written_back.serving()

    checked, done = written_back.cli("check"), written_back.cli("run")

    assert checked.code == 0, checked.text
    said = " ".join(checked.out.split())
    assert "customers: hardly any customer_token has more than one version, so nothing says when days_quiet" in said
    assert (done.code, "same bytes" in done.out) == (1, True), done.text
    assert re.findall(r"^(\w+) .* refused *$", done.out, re.MULTILINE) == ["single_feature_rise"]
    assert re.search(r"The largest is of days_quiet: 0\.6\d\d in training, .*, 1\.000 in the newest week", done.out)
    assert written_back.serving() == before
    assert written_back.status()["champion"]["version"] == "v0001"


def test_leavers_whose_rows_or_cells_are_gone_are_warned_of(written_back: Journey) -> None:
    """Of those who have been quiet for five weeks, half have no row by now, and the others an empty cell."""
    quiet = days_quiet(written_back)
    left = quiet.index[quiet > 36]
    written_back.rewrite("customers", lambda rows: rows[~rows["customer_id"].isin(left[::2])])
    written_back.rewrite(
        "customers", lambda rows: rows.assign(days_quiet=rows["days_quiet"].mask(rows["customer_id"].isin(left)))
    )

    done = written_back.cli("check")

    assert done.code == 0, done.text
    said = " ".join(done.out.split())
    assert f"customers has no row of {len(left[::2])} of the " in said
    assert "and of 0 of the " in said
    assert re.search(r"WARNING days_quiet: 6\d% are positive where it is missing and 2\d% where it is not", said)


def test_codes_that_became_known_later_do_not_tell_by_the_texts_that_are_withheld(journey: Journey) -> None:
    """Old notes held a voucher each; of those who left, a later table repeats it, and their old notes were withheld."""
    voucher = "QZXWKJ{:04d}TB"
    text = "The voucher {} was shown on the page."
    journey.rewrite(
        "customers", lambda rows: rows.assign(service_note=[text.format(voucher.format(n)) for n in range(len(rows))])
    )
    path, last = journey.root / "data" / "samples" / "cancellations.parquet", days_quiet(journey)
    everybody = pd.read_parquet(journey.source["customers"])["customer_id"]
    left = [n for n, customer in enumerate(everybody) if last.get(customer, 0) > 36][:18]
    codes = pd.DataFrame({"code": [voucher.format(n) for n in left], "noted_at": datetime(2011, 7, 30)})
    pq.write_table(pa.Table.from_pandas(codes, preserve_index=False), path)
    with journey.edit("sources.yaml") as sources:
        table = sources["tables"]["transactions"]
        columns = {
            "code": {
                "alias": "code", "type": "string", "nullable": False, "identifies": "direct", "holds": "id",
                "treatment": "drop", "meaning": "made up",
            },
            "noted_at": table["columns"]["InvoiceDate"] | {"alias": "noted_at"},
        }  # fmt: skip
        sources["tables"]["cancellations"] = table | {
            "path": "data/samples/cancellations.parquet", "meaning": "a cancellation", "columns": columns,
            "event_time": "noted_at", "known_at": "noted_at", "allow_silent_weeks": True,
        }  # fmt: skip
    bench = journey.open()

    with pytest.raises(
        LeakError, match=rf"'service_note': {len(left)} of 240 masked texts hold a value of canc"
    ) as leak:
        masked_weeks(bench, "customers", bench.use_case.clock.dates_until(LAST))
    assert "QZX" not in str(leak.value)


def test_sources_sorted_by_their_future_give_the_bytes_they_gave(journey: Journey) -> None:
    """A register sorted by the last purchase of all time: the place of a row in it told who would leave."""
    last = pd.read_parquet(journey.source["transactions"]).groupby("CustomerID")["InvoiceDate"].max()
    journey.rewrite("customers", lambda rows: rows.sort_values("customer_id", key=lambda ids: ids.map(last)))
    journey.rewrite("transactions", lambda rows: rows.sort_values("CustomerID", key=lambda ids: ids.map(last)))
    bench = journey.open()

    for name in bench.use_case.sources.tables:
        for week in masked_weeks(bench, name, bench.use_case.clock.dates_until(LAST)):
            assert week.kept == bench.datasets.read_week(name, week.day), (name, week.day)
