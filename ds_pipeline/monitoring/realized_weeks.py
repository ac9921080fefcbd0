"""What the limits of realized quality say at a scoring date: the logged scores of the newest matured weeks, judged."""

from datetime import date

import pandas as pd

from ds_pipeline.clock import WEEK
from ds_pipeline.monitoring.realized import Verdict, join_outcomes, judge_realized
from ds_pipeline.scoring.serve import is_under_this_key
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.use_case.requirements import RealizedQualityLimits
from ds_pipeline.workbench import Workbench


def verdict_of(bench: Workbench, day: date, limits: RealizedQualityLimits) -> Verdict:
    """The limits applied to the newest weeks that were logged and have matured at D, min_weeks of them at most."""
    clock = bench.use_case.clock
    days = [day - clock.lag - week * WEEK for week in range(limits.min_weeks)]
    found = [_outcomes(bench, one, until=day) for one in days if one >= clock.first]
    return judge_realized([week for week in found if week is not None], limits)


def _outcomes(bench: Workbench, scored: date, *, until: date) -> pd.DataFrame | None:
    """The logged predictions of a date with what happened, if there are any that its labels can be joined to."""
    store = bench.datasets.store
    logged = store.find(SCORES, str(scored))
    # None are left where all were erased, and tokens of another key fit no label.
    if logged is None or logged.rows == 0 or not is_under_this_key(bench, logged):
        return None
    labels = bench.datasets.require_labels([scored], until=until)[0]
    return join_outcomes(
        store.read(logged).to_pandas(), store.read(labels).to_pandas(), entity=bench.use_case.problem.entity
    )
