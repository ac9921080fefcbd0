"""Train as at past dates, score the weeks that followed, and write what came of it to reports/.

Whoever reads it has seen these weeks, so it is a look in the ledger, and leaves out those that a candidate is judged on
unless asked. The registry, the documents and Dagster know nothing of it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa

from ds_pipeline.boundary.leak_check import require_clean_files
from ds_pipeline.digests import SHORT
from ds_pipeline.evaluation.measure.predictions import baseline_score
from ds_pipeline.evaluation.measure.walk_forward import FIGURES, Step, measure_weeks, walk_forward
from ds_pipeline.evaluation.report.backtest_page import render_backtest
from ds_pipeline.model.predict import predict
from ds_pipeline.promotion.holdout_ledger import record_backtest
from ds_pipeline.promotion.refit import refit_and_predict
from ds_pipeline.store.snapshots import write_file
from ds_pipeline.training.fit import train_candidate
from ds_pipeline.training.labelled import labelled_rows, matured_weeks, rows_seen
from ds_pipeline.training.labels import positives, undecided
from ds_pipeline.training.rows import rows_to_train_on
from ds_pipeline.use_case.features import LABEL, SCORING_DATE
from ds_pipeline.workbench import Workbench


@dataclass(frozen=True)
class Backtest:
    """What a backtest found.

    Attributes:
        weeks: from `measure_weeks`.
        asked: how many weeks were asked for; fewer are there where earlier ones have too little to train on.
        parameters: where the hyperparameters are from, in words.
    """

    weeks: pd.DataFrame
    steps: list[Step]
    parameters: str
    every: int
    asked: int


def backtest(
    bench: Workbench,
    day: date,
    *,
    weeks: int,
    every: int,
    trials: int | None,
    spend_a_look: bool,
    on_step: Callable[[Step, int], None] = lambda step, rows: None,
) -> Backtest:
    """Walk forward over the newest weeks whose labels have matured at D, without those of the holdout of D.

    Args:
        weeks: how many to score at most; fewer where the first model that could have served is younger.
        every: a new model each so many weeks.
        trials: of the search in each fit; None: the hyperparameters of the version in force, or where there is none a
            search as in training.yaml.
        spend_a_look: score the weeks of the holdout as well; a candidate is then judged on weeks that were seen.
        on_step: told each model that is done, and the rows it was trained on.

    Raises:
        HistoryError: features or labels are missing.
        EvaluationError: no week can be backtested.
        TrainingError: the rows of a date cannot be trained on.
    """
    parameters, said = (None, f"searched for each model, {trials} trials") if trials else _parameters(bench)
    trials = trials or bench.use_case.training.trials
    least = _least_weeks(bench, day, searches=parameters is None)
    steps = walk_forward(
        bench.use_case.clock, until=day, weeks=weeks, every=every, least_weeks=least, with_holdout=spend_a_look
    )
    served = [week for step in steps for week in step.serves]
    record_backtest(bench, day, seen=rows_seen(bench, served, until=day))
    scored = [_step(bench, step, day, parameters, trials, on_step) for step in steps]
    contract, entity = bench.use_case.contract, bench.use_case.problem.entity
    measured = measure_weeks(pd.concat(scored, ignore_index=True), steps, entity=entity, top_share=contract.top_share)
    return Backtest(measured, steps, said, every, asked=weeks)


def write_backtest(bench: Workbench, day: date, found: Backtest) -> list[Path]:
    """Write the weeks as CSV and the page; an earlier backtest of the date is replaced.

    Raises:
        LeakError: an identifier stands in one of them.
    """
    case = bench.use_case
    facts = {
        "scoring date": day,
        "a new model": f"every {found.every} weeks, trained as a candidate of that date is: without the holdout of "
        f"{case.clock.holdout_weeks} weeks before it and the embargo",
        "hyperparameters": found.parameters,
        "highest-scored share": f"{case.contract.top_share:.0%} of everyone scored, as the contract says",
        "baseline rule": case.requirements.baseline.feature,
        "features (SQL and schema)": case.features_digest[:SHORT],
        "training.yaml seed": case.training.seed,
    }
    page = render_backtest(found.weeks, problem=case.problem, facts=facts)
    files = {
        "backtest.csv": found.weeks.to_csv(index=False, lineterminator="\n").encode(),
        "backtest.html": page.encode(),
    }
    require_clean_files(bench, files, where=f"backtest of {day}")
    folder = bench.project.reports / case.name / "backtest" / str(day)
    for name, content in files.items():
        write_file(folder / name, content, replace=True)
    return [folder / name for name in files]


def show_backtest(found: Backtest) -> Iterator[str]:
    """Lines: one per week, the mean below them, and how it was made."""
    figures = [f"{rival}{name}" for name in FIGURES for rival in ("", "baseline_", "prior_")]
    yield f"{'':<45}{'precision':^21}{'recall':^21}{'average precision':^21}"
    yield f"scoring date  model of    age  rows positive {'  model   rule  prior' * 3}"
    for week in found.weeks.itertuples():
        shown = "".join(f"{getattr(week, name):>7.3f}" for name in figures)
        served = f"{week.scoring_date}    {week.trained_as_of}  {week.age_weeks:>3}{week.rows:>6,}{week.positives:>9,}"
        yield f"{served} {shown}"
    means = "".join(f"{found.weeks[name].mean():>7.3f}" for name in figures)
    yield f"{'mean':<44} {means}"
    yield ""
    if len(found.weeks) < found.asked:
        yield f"{len(found.weeks)} of {found.asked} weeks: earlier ones have too little to train on."
    yield f"Hyperparameters: {found.parameters}. Age in weeks; precision and recall of the highest-scored share."


def _parameters(bench: Workbench) -> tuple[Mapping[str, float | int] | None, str]:
    """The hyperparameters of the version in force, if there is one, and a sentence on them."""
    event = bench.registry.champion()
    if event is None:
        return None, f"searched for each model, {bench.use_case.training.trials} trials: no version is in force"
    facts = bench.registry.open(event.version).json("training.json")
    chosen = f"they were chosen on weeks up to {facts['weeks'][-1]}, which earlier models could not know"
    return facts["parameters"], f"those of {event.version} for every model; {chosen}"


def _least_weeks(bench: Workbench, day: date, *, searches: bool) -> int:
    """How many training weeks a model needs: the data minimums, and where it searches, its validation and embargo."""
    clock, minimums = bench.use_case.clock, bench.use_case.requirements.data_minimums
    weeks = matured_weeks(clock, day)
    tables = [bench.datasets.store.read(one) for one in bench.datasets.require_labels(weeks, until=day)]
    rows = np.cumsum([table.num_rows - undecided(table) for table in tables])
    found = np.cumsum([positives(table) for table in tables])
    short = (rows < minimums.training_rows) | (found < minimums.training_positives)
    searched = bench.use_case.training.validation_weeks + clock.lag_weeks if searches else 1
    return max(int(short.sum()) + 1, searched)


def _step(
    bench: Workbench,
    step: Step,
    day: date,
    parameters: Mapping[str, float | int] | None,
    trials: int,
    on_step: Callable[[Step, int], None],
) -> pd.DataFrame:
    """The served weeks with score, baseline and label."""
    case = bench.use_case
    served = _served(bench, step, day)
    labelled = labelled_rows(bench, step.training, until=step.day).rows
    if parameters is None:
        fewer = case.training.model_copy(update={"trials": trials})
        trained = train_candidate(labelled, replace(case, training=fewer))
        rows, scores = trained.rows, predict(trained.model, served, case.features)
    else:
        fitted = rows_to_train_on(labelled, case)
        rows, scores = len(fitted), refit_and_predict(case, parameters)(fitted, served)
    on_step(step, rows)
    return served[[SCORING_DATE, case.problem.entity, LABEL]].assign(
        score=scores, baseline=baseline_score(served, case.requirements.baseline)
    )


def _served(bench: Workbench, step: Step, day: date) -> pd.DataFrame:
    """Everyone who would have been scored, undecided ones included, with what then happened."""
    datasets, entity = bench.datasets, bench.use_case.problem.entity
    features = [datasets.store.read(one) for one in datasets.require_features(step.serves, until=day)]
    labels = [datasets.store.read(one) for one in datasets.require_labels(step.serves, until=day)]
    outcomes = pa.concat_tables(labels).to_pandas()[[SCORING_DATE, entity, LABEL]]
    key = [SCORING_DATE, entity]
    return pa.concat_tables(features).to_pandas().merge(outcomes, on=key, how="left", validate="one_to_one")
