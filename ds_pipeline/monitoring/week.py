"""The steps of the weekly monitors: the drift of a scored week, and what matured scores turned out to be worth."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

import pandas as pd

from ds_pipeline.clock import WEEK
from ds_pipeline.erasure.exposure import retraining_is_due
from ds_pipeline.errors import DsPipelineError
from ds_pipeline.figures import counted
from ds_pipeline.monitoring.drift import SCORE, classify, population_stability, retraining_due_by
from ds_pipeline.monitoring.realized import RealizedQuality, Verdict, join_outcomes, judge_realized, realized_quality
from ds_pipeline.scoring.serve import features_for, is_under_this_key, use_case_of
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.use_case.requirements import PsiLimits
from ds_pipeline.workbench import Workbench

MonitorName = Literal["drift", "realized_quality"]
MonitorStatus = Literal["ok", "watch", "fails", "unknown"]


@dataclass(frozen=True)
class Drift:
    """How far a scored week has moved from training.

    Attributes:
        stability: name, psi, chance and status of every input and of the score, largest first.
        people: of whom the week was.
        due: until when a new model is due; None where none is, or no time is agreed.
        erased: a sentence where people whom the version in force had seen were erased since, else None.
    """

    stability: pd.DataFrame
    people: int
    limits: PsiLimits
    due: datetime | None
    erased: str | None

    def of_status(self, status: str) -> list[str]:
        return self.stability.loc[self.stability["status"] == status, "name"].tolist()

    @property
    def largest(self) -> float:
        return float(self.stability["psi"].iloc[0])

    @property
    def verdict(self) -> str:
        act, warn = self.of_status("act"), self.of_status("warn")
        if act:
            by = f" by {self.due:%Y-%m-%d %H:%M} UTC" if self.due else ""
            return f"retraining is due{by}: {', '.join(act)} at or above {self.limits.act:g}"
        if not self.people:
            return "nobody was scored, so there is nothing to compare"
        if warn:
            return f"worth a look: {', '.join(warn)} at or above {self.limits.warn:g}; retraining is not due"
        chance = self.of_status("chance")
        if chance:
            return (
                f"{', '.join(chance)} at or above {self.limits.warn:g}, as chance alone gives with "
                f"{counted(self.people, 'person', 'people')}"
            )
        return f"all below {self.limits.warn:g}"

    @property
    def summary(self) -> str:
        also = f"; {self.erased}" if self.erased is not None else ""
        return f"largest PSI {self.largest:.2f} ({self.stability['name'].iloc[0]}); {self.verdict}{also}"


@dataclass(frozen=True)
class Realized:
    """What the scores whose outcome is known at a date were worth.

    Attributes:
        scored: the scoring date that has matured; None before the first has.
        quality: of that date; None where nothing can be judged.
        verdict: on the newest matured weeks; None where the requirements set no limit.
        summary: one line for people; where nothing can be judged, why.
    """

    scored: date | None
    quality: RealizedQuality | None
    verdict: Verdict | None
    summary: str


@dataclass(frozen=True)
class Monitor:
    """How one monitor stands at a date.

    Attributes:
        status: ok, watch (a warning), fails, or unknown where it cannot be told.
    """

    name: MonitorName
    status: MonitorStatus
    says: str


def read_monitors(bench: Workbench, day: date) -> list[Monitor]:
    """Both monitors of a scored date as they stand now; what stops one is what it says."""
    return [_monitor("drift", _read_drift, bench, day), _monitor("realized_quality", _read_outcomes, bench, day)]


def _monitor(name: MonitorName, read: Callable[[Workbench, date], Monitor], bench: Workbench, day: date) -> Monitor:
    try:
        return read(bench, day)
    except DsPipelineError as error:
        return Monitor(name, "unknown", f"cannot be told: {error}")


def _read_drift(bench: Workbench, day: date) -> Monitor:
    week = watch_drift(bench, day)
    status: MonitorStatus = (
        "fails" if week.of_status("act") else "watch" if week.of_status("warn") or week.erased else "ok"
    )
    return Monitor("drift", status, week.summary)


def _read_outcomes(bench: Workbench, day: date) -> Monitor:
    week = watch_outcomes(bench, day)
    if week.verdict is None or week.verdict.is_kept:
        return Monitor("realized_quality", "ok", week.summary)
    return Monitor("realized_quality", "fails" if week.verdict.status == "critical" else "watch", week.summary)


def watch_drift(bench: Workbench, day: date) -> Drift:
    """The drift of a scored date, against the reference in the bundle of the version that scored it.

    Raises:
        StoreError: the date is not scored.
        RegistryError: the bundle does not verify.
        HistoryError: its features are missing or stale.
    """
    limits = bench.use_case.requirements.monitoring.psi
    stability, people = stability_of(bench, day)
    stability = classify(stability, limits)
    due = retraining_due_by(stability, limits, since=bench.use_case.clock.instant(day))
    return Drift(stability, people, limits, due, retraining_is_due(bench))


def stability_of(bench: Workbench, day: date) -> tuple[pd.DataFrame, int]:
    """The population stability of every input and of the score at a scored date, and how many people were scored."""
    store, entity = bench.datasets.store, bench.use_case.problem.entity
    logged = store.get(SCORES, str(day))
    bundle = bench.registry.open(str(logged.info["model_version"]))
    scores = store.read(logged).to_pandas()[[entity, SCORE]]
    frame = features_for(bench, use_case_of(bench, bundle), day).to_pandas()
    frame = frame.merge(scores, on=entity, how="left", validate="one_to_one")
    return population_stability(bundle.json("reference.json"), frame), len(frame)


def watch_outcomes(bench: Workbench, day: date) -> Realized:
    """What the scores whose labels matured at a date were worth, and how the limits judge the newest such weeks.

    Raises:
        HistoryError: the labels of a scored date are missing or stale.
        ScoringError: a logged prediction has no label.
    """
    clock, limits = bench.use_case.clock, bench.use_case.requirements.monitoring.realized_quality
    scored = clock.matured(day)
    days = [day - clock.lag - week * WEEK for week in range(limits.min_weeks if limits else 1)]
    weeks = [_outcomes(bench, matured, until=day) for matured in days if matured >= clock.first]
    quality = realized_quality(weeks[0]) if weeks and weeks[0] is not None else None
    verdict = judge_realized([week for week in weeks if week is not None], limits) if limits else None
    if quality is None:
        return Realized(scored, None, verdict, _why_nothing_is_judged(bench, scored))
    judged = f"; {verdict.in_words}" if verdict else ""
    return Realized(scored, quality, verdict, f"{scored}: {quality.in_words}{judged}")


def _outcomes(bench: Workbench, scored: date, *, until: date) -> pd.DataFrame | None:
    """The logged predictions of a date with what happened, if there are any that its labels can be joined to."""
    store = bench.datasets.store
    logged = store.find(SCORES, str(scored))
    # None are there where all were erased or nobody was in scope, and tokens of another key fit no label.
    if logged is None or logged.rows == 0 or not is_under_this_key(bench, logged):
        return None
    labels = bench.datasets.require_labels([scored], until=until)[0]
    limits = bench.use_case.requirements.monitoring.realized_quality
    return join_outcomes(
        store.read(logged).to_pandas(),
        store.read(labels).to_pandas(),
        entity=bench.use_case.problem.entity,
        max_lost_share=limits.max_lost_share or 0.0 if limits else 0.0,
    )


def _why_nothing_is_judged(bench: Workbench, scored: date | None) -> str:
    logged = bench.datasets.store.find(SCORES, str(scored)) if scored else None
    if logged is None:
        return f"nothing to judge yet: no scores {f'as old as {scored}' if scored else 'whose outcome is known'}"
    if not is_under_this_key(bench, logged):
        return f"nothing to judge: the scores of {scored} were logged under another pseudonym key"
    if not logged.info.get("erased"):
        return f"nothing to judge: nobody was in scope for {scored}"
    return f"nothing to judge: all scores of {scored} were erased"
