"""Features of 40 weeks: the as-of engine against what a notebook would do, in one process: python bench/features.py

The notebook loads the masked transactions once and, week by week, cuts them with pandas and groups by customer. It
makes half of the features of rhythm.sql and basket.sql; the engine makes all of them from the store.
"""

import time
from datetime import date
from pathlib import Path

import pandas as pd
import pyarrow as pa

from ds_pipeline.features.weeks import features_of_days
from ds_pipeline.project import open_project
from ds_pipeline.store.datasets import Datasets
from ds_pipeline.use_case.load import load_use_case
from ds_pipeline.workbench import Workbench, open_workbench


def notebook(datasets: Datasets, days: list[date], last: date) -> dict[date, pd.DataFrame]:
    """Twelve features per week with pandas, from one frame that holds the future too."""
    weeks = [datasets.read_week("transactions", day) for day in datasets.use_case.clock.dates_until(last)]
    frame = pa.concat_tables(weeks).to_pandas()
    frame["amount"] = frame["quantity"] * frame["unit_price_gbp"].astype(float)
    frame["is_purchase"] = ~frame["invoice_no"].str.startswith("C") & (frame["quantity"] > 0)
    frame["local_day"] = frame["invoiced_at"].dt.tz_convert("Europe/London").dt.tz_localize(None).dt.normalize()
    made = {}
    for day in days:
        end = pd.Timestamp(day)
        recent = frame[(frame["local_day"] < end) & (frame["local_day"] >= end - pd.Timedelta(days=90))]
        bought = recent[recent["is_purchase"]]
        visits = bought.drop_duplicates(["customer_token", "local_day"]).sort_values(["customer_token", "local_day"])
        gaps = visits.groupby("customer_token")["local_day"].diff().dt.days
        by_visit = visits.assign(gap=gaps).groupby("customer_token")
        by_line = bought.groupby("customer_token")
        invoices = bought.groupby(["customer_token", "invoice_no"])["amount"].sum().groupby("customer_token")
        table = pd.DataFrame(
            {
                "days_since_last_purchase": (end - by_visit["local_day"].max()).dt.days,
                "days_since_first_purchase_90d": (end - by_visit["local_day"].min()).dt.days,
                "purchase_days_90d": by_visit.size(),
                "mean_gap_days_90d": by_visit["gap"].mean(),
                "max_gap_days_90d": by_visit["gap"].max(),
                "sd_gap_days_90d": by_visit["gap"].std(),
                "spend_gbp_90d": by_line["amount"].sum(),
                "purchase_lines_90d": by_line.size(),
                "products_90d": by_line["stock_code"].nunique(),
                "invoices_90d": invoices.size(),
                "mean_invoice_gbp_90d": invoices.mean(),
                "max_invoice_gbp_90d": invoices.max(),
            }
        )
        made[day] = table[table["purchase_days_90d"] >= 2]
    return made


def main() -> None:
    """Time both, check that they agree on the population, and print the ratio."""
    project = open_project()
    bench: Workbench = open_workbench(project, load_use_case(project.configs / "retail_lapse"))
    last = bench.use_case.clock.last
    assert last is not None, "a historical use case"
    days = bench.use_case.clock.dates_until(last)
    times = {"as-of engine": 0.0, "pandas notebook": 0.0}
    for _ in range(3):
        started = time.perf_counter()
        ours = features_of_days(bench, bench.use_case, days)
        times["as-of engine"] += time.perf_counter() - started
        started = time.perf_counter()
        theirs = notebook(bench.datasets, days, last)
        times["pandas notebook"] += time.perf_counter() - started
    for day in days:
        frame = ours[day].to_pandas().set_index("customer_token")
        assert set(frame.index) == set(theirs[day].index), day
        assert (frame["purchase_days_90d"] == theirs[day]["purchase_days_90d"].reindex(frame.index)).all(), day
    rows = sum(table.num_rows for table in ours.values())
    for name, seconds in times.items():
        print(f"{name}: {seconds / 3:.2f} s for {rows:,} rows in {len(days)} weeks")
    print(f"the notebook takes {times['pandas notebook'] / times['as-of engine']:.1f} times as long")


if __name__ == "__main__":
    print(f"project: {Path.cwd().name}")
    main()
