"""What a candidate is judged by, and the shape of every check: the material in, findings and measurements out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

import pandas as pd

from ds_pipeline.evaluation.checks.fits import FitPredict
from ds_pipeline.evaluation.measure.baselines import ChampionFacts
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.requirements import Requirements


@dataclass(frozen=True)
class Material:
    """The files of a candidate, the rows it was made from, and those it has not seen.

    Attributes:
        day: the scoring date that it was trained for.
        files, model: of the candidate, and what was loaded from its model.joblib.
        training: training.json.
        labelled: all labelled rows of the training weeks.
        trained_on: those that it was trained on.
        fit, validate: the inner parts of them.
        holdout: the labelled rows of the holdout, with the score of the candidate and of what it is compared with.
        holdout_digest: of the snapshots that they come from.
        undecided_rows: how many rows of the holdout there are beside them.
        looks: how often its weeks were looked at, this time included.
        reference: what reference.json will hold.
        quick_fit: fits the candidate's parameters, shortened and not calibrated, and scores other rows.
        made_again: waits for the candidate as it was made in fresh processes; nothing where nobody has begun it.
    """

    use_case: UseCase
    day: date
    files: Mapping[str, bytes]
    model: Any
    training: Mapping[str, Any]
    labelled: pd.DataFrame
    trained_on: pd.DataFrame
    fit: pd.DataFrame
    validate: pd.DataFrame
    holdout: pd.DataFrame
    holdout_digest: str
    undecided_rows: int
    looks: int
    champion: ChampionFacts | None
    reference: dict[str, Any]
    quick_fit: FitPredict
    made_again: Callable[[], Iterable[Any]] = tuple

    @property
    def entity(self) -> str:
        return self.use_case.problem.entity

    @property
    def features(self) -> FeatureSet:
        return self.use_case.features

    @property
    def requirements(self) -> Requirements:
        return self.use_case.requirements


class Checked(NamedTuple):
    """What a check has found, by the field of the evaluation that holds it, and what its gates are judged on.

    Both are empty where the requirements do not ask.
    """

    findings: Mapping[str, Any] = {}
    measurements: Mapping[str, Measurement] = {}


Check = Callable[[Material], Checked]


def check_all(checks: Iterable[Check], of: Material) -> Checked:
    """What all checks have found and measured, made in their order."""
    findings: dict[str, Any] = {}
    measurements: dict[str, Measurement] = {}
    for check in checks:
        checked = check(of)
        findings |= checked.findings
        measurements |= checked.measurements
    return Checked(findings, measurements)
