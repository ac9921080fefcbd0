"""A model fitted again on all matured weeks against the one that was judged, at past dates: python bench/refit.py

For each date before the holdout of the newest one: the judged model (without holdout and embargo), the same parameters
on every matured week, and on as many of the newest weeks as the judged one has, which tells newer from more. Each
scores the week of the date, whose labels are known by now. The parameters are the middle of the search space, chosen by
no outcome. The weeks have to be there: ds-pipeline history USE_CASE. No week of the present holdout is read.
"""

import sys
from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score

from ds_pipeline.clock import WEEK
from ds_pipeline.model.predict import predict
from ds_pipeline.model.top_share import top_count
from ds_pipeline.project import open_project
from ds_pipeline.training.fit import fit_calibrated
from ds_pipeline.training.labelled import labelled_rows
from ds_pipeline.training.rows import rows_to_train_on
from ds_pipeline.use_case.load import load_use_case
from ds_pipeline.use_case.training import SearchSpace
from ds_pipeline.workbench import open_workbench

ORIGINS, SEEDS = 8, 3


def middle(space: SearchSpace) -> dict[str, float | int]:
    """The middle of each range, of the logarithms where it is searched so."""
    found: dict[str, float | int] = {}
    for name, one in space:
        value = np.sqrt(one.low * one.high) if one.log else (one.low + one.high) / 2
        found[name] = round(value) if name in ("max_iter", "max_leaf_nodes", "min_samples_leaf") else float(value)
    return found


def main(name: str) -> None:
    project = open_project()
    case = load_use_case(project.configs / name)
    bench, clock = open_workbench(project, case), case.clock
    until = clock.last
    assert until is not None
    newest = clock.holdout(until)[0] - WEEK
    rows = labelled_rows(bench, clock.dates_until(newest), until=until).rows
    parameters, share = middle(case.training.search_space), case.contract.top_share
    print(name, parameters)
    found = []
    for back, offset in product(reversed(range(ORIGINS)), range(SEEDS)):
        day = newest - back * WEEK
        judged, matured = clock.training(day), clock.dates_until(day - clock.lag)
        training = case.training.model_copy(update={"seed": case.training.seed + offset})
        seeded = replace(case, training=training)
        served = rows[rows["scoring_date"] == day]
        said: dict[str, object] = {"date": day, "judged weeks": len(judged), "refit weeks": len(matured)}
        for kind, weeks in {"judged": judged, "newest": matured[-len(judged) :], "refit": matured}.items():
            fitted = rows_to_train_on(rows[rows["scoring_date"].isin(weeks)], seeded)
            scores = predict(fit_calibrated(fitted, parameters, seeded), served, case.features)
            top = np.argsort(-scores, kind="stable")[: int(top_count(share, len(served)))]
            said[f"{kind} precision"] = served["label"].to_numpy()[top].mean()
            said[f"{kind} AP"] = average_precision_score(served["label"], scores)
        found.append(said)
    means = pd.DataFrame(found).groupby("date", sort=True).mean()
    print(means.round(3).to_string())
    for figure in ("precision", "AP"):
        for kind in ("newest", "refit"):
            gain = means[f"{kind} {figure}"] - means[f"judged {figure}"]
            error = gain.std(ddof=1) / np.sqrt(len(gain))
            print(f"{kind} over judged, {figure}: {gain.mean():+.3f} (standard error {error:.3f}, {len(gain)} weeks)")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "retail_lapse")
