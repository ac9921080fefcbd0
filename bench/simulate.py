"""The simulator of subscription_churn: time, size, memory, and the best that any model can reach on the holdout.

python bench/simulate.py [users] [weeks] [seed]
"""

import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from sklearn.metrics import average_precision_score, precision_recall_curve

from ds_pipeline.simulation.subscriptions.simulate import simulate
from ds_pipeline.simulation.subscriptions.tables import TRUTH, path_of

HOLDOUT_WEEKS = 8  # of requirements.yaml


def main() -> None:
    """Simulate into a temporary folder and print the figures."""
    users, weeks, seed = (int(value) for value in (*sys.argv[1:], *("20000", "104", "20260216")[len(sys.argv) - 1 :]))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        started, processor = time.perf_counter(), time.process_time()
        made = simulate(folder, users, weeks, seed)
        seconds, processor = time.perf_counter() - started, time.process_time() - processor
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{users:,} users, {weeks} weeks, seed {seed}: {seconds:.1f} s ({processor:.1f} s of processor time)")
        print(f"{made.megabytes:.1f} MB of files, {peak:,.0f} MB of memory at the peak")
        print("rows: " + ", ".join(f"{table} {rows:,}" for table, rows in made.rows.items()))
        print(f"base rate {made.base_rate:.4f}; by quarter:")
        print("  " + ", ".join(f"{quarter} {rate:.4f}" for quarter, rate in made.base_rate_by_quarter.items()))
        print(f"price rises: {', '.join(map(str, made.price_rises))}")
        _best_possible(folder)


def _best_possible(folder: Path) -> None:
    """What the true probability reaches on the newest weeks whose outcome is known."""
    truth = pq.read_table(path_of(folder, TRUTH)).to_pandas()
    truth = truth[truth["is_in_scope"] & truth["cancelled_within_30d"].notna()]
    truth = truth[truth["scoring_date"].isin(sorted(truth["scoring_date"].unique())[-HOLDOUT_WEEKS:])]
    outcome = truth["cancelled_within_30d"].astype(int).to_numpy()
    probability = truth["cancel_probability_30d"].to_numpy()
    precision, recall, _ = precision_recall_curve(outcome, probability)
    top = np.argsort(-probability, kind="stable")[: len(truth) // 10]
    print(f"truth on the last {HOLDOUT_WEEKS} weeks ({len(truth):,} rows, base rate {outcome.mean():.4f}):")
    print(f"  average precision {average_precision_score(outcome, probability):.3f}")
    print(f"  recall at precision 0.30: {recall[precision >= 0.30].max():.3f}")
    print(f"  precision at recall 0.60: {precision[recall >= 0.60].max():.3f}")
    print(f"  recall in the top decile: {outcome[top].sum() / outcome.sum():.3f}")


if __name__ == "__main__":
    main()
