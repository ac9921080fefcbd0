"""What the weekly monitors look at: drift of a scored week, and the realized quality of the newest matured one."""

from datetime import date

import pandas as pd

from ds_pipeline.monitoring.drift import SCORE, classify, population_stability
from ds_pipeline.monitoring.realized import RealizedQuality, realized_quality
from ds_pipeline.scoring.serve import features_for, is_under_this_key, use_case_of
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.workbench import Workbench


def drift_of(bench: Workbench, day: date) -> pd.DataFrame:
    """The population stability of every input and of the score at a scored date; name, psi and status.

    The reference is the one in the bundle of the version that scored it.
    """
    store, entity = bench.datasets.store, bench.use_case.problem.entity
    logged = store.get(SCORES, str(day))
    bundle = bench.registry.open(str(logged.info["model_version"]))
    scores = store.read(logged).to_pandas()[[entity, SCORE]]
    frame = features_for(bench, use_case_of(bench, bundle), day).to_pandas()
    frame = frame.merge(scores, on=entity, how="left", validate="one_to_one")
    stability = population_stability(bundle.json("reference.json"), frame)
    return classify(stability, bench.use_case.requirements.monitoring.psi)


def quality_of(bench: Workbench, day: date) -> RealizedQuality | None:
    """What the scores whose labels matured at D were worth; None where none had been logged, or under another key."""
    scored = bench.use_case.clock.matured(day)
    store = bench.datasets.store
    logged = store.find(SCORES, str(scored)) if scored else None
    # None are left where all were erased, and tokens of another key fit no label.
    if scored is None or logged is None or logged.rows == 0 or not is_under_this_key(bench, logged):
        return None
    labels = bench.datasets.require_labels([scored], until=day)[0]
    return realized_quality(
        store.read(logged).to_pandas(), store.read(labels).to_pandas(), entity=bench.use_case.problem.entity
    )


def why_nothing_is_judged(bench: Workbench, day: date) -> str:
    """Where quality_of has nothing to say, why."""
    scored = bench.use_case.clock.matured(day)
    logged = bench.datasets.store.find(SCORES, str(scored)) if scored else None
    if logged is None:
        return f"nothing to judge yet: no scores {f'as old as {scored}' if scored else 'whose outcome is known'}"
    if not is_under_this_key(bench, logged):
        return f"nothing to judge: the scores of {scored} were logged under another pseudonym key"
    return f"nothing to judge: all scores of {scored} were erased"
