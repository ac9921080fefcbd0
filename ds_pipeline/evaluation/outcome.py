"""What an evaluation says: totals, measurements, groups and curves; never a token or a value of one customer."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from ds_pipeline.digests import digest_json
from ds_pipeline.evaluation.baselines import BaselineRow
from ds_pipeline.evaluation.checks import Checks
from ds_pipeline.evaluation.cost import Costs
from ds_pipeline.evaluation.looks import LedgerRecord
from ds_pipeline.evaluation.measurement import Measurement
from ds_pipeline.evaluation.record import Record
from ds_pipeline.evaluation.slices import SliceRow
from ds_pipeline.use_case.requirements import Requirements


class Facts(Record):
    """What was evaluated, in totals; undecided_rows had no label, and are not among the rows.

    Attributes:
        champion: digest of the candidate that was in force for the date; None where none was.
    """

    rows: int
    undecided_rows: int = 0
    positives: int
    entities: int
    base_rate: float | None
    weeks: list[date]
    training_rows: int
    training_positives: int
    champion: str | None = None

    @property
    def undecided_share(self) -> float | None:
        """Of all rows of the holdout (0..1); None where there is none."""
        total = self.rows + self.undecided_rows
        return self.undecided_rows / total if total else None


class OperatingPoint(Record):
    """What acting on the scores as the requirements describe it would have given."""

    name: str  # of the acceptance threshold that describes it
    selected: int
    precision: float
    recall: float


class GroupRow(Record):
    """A group of a protected attribute at the selection of the highest-scored share; what cannot be told is None."""

    attribute: str
    share: float
    group: str
    rows: int
    positives: int
    base_rate: float
    selected_share: float | None
    false_positive_rate: float | None
    true_positive_rate: float | None
    mean_score: float | None
    is_assessable: bool


class TruthRow(Record):
    """A figure of the model beside that of the true probability on the same rows, the best that any score can expect.

    Attributes:
        name: average_precision, or the operating point.
        figure: what is compared there.
        ratio: model / truth; None where the truth reaches 0.
    """

    name: str
    figure: Literal["average precision", "precision", "recall"]
    model: float
    truth: float
    ratio: float | None


class FoldMetric(Record):
    """A metric on each fold that was left out, with the mean and the sample standard deviation."""

    name: str
    folds: list[float]
    mean: float
    standard_deviation: float


class CrossValidated(Record):
    """Refits on folds of entities of the training rows; metrics are empty where a problem says why."""

    folds: int
    rows: int
    entities: int
    metrics: list[FoldMetric]
    problem: str | None


class Proxy(Record):
    """How much of a protected attribute an input, or all of them together, tells; None where it cannot be told.

    Attributes:
        measure: what strength is; proxies.py says how it is measured.
        people: how many it was measured on, each once.
        groups: of the attribute that were large enough.
    """

    protected: str
    input: str
    measure: str
    strength: float | None
    people: int
    groups: int


class Decile(Record):
    """A tenth of each week's rows; decile 1 has the highest scores."""

    decile: int
    rows: int
    positives: int
    rate: float
    lift: float


class CurvePoint(Record):
    recall: float
    precision: float


class Bin(Record):
    """Rows of similar score: what was predicted and what happened."""

    rows: int
    mean_score: float
    rate: float


class Curves(Record):
    """What the pictures draw; what ranks nothing, or is not there, has no points."""

    deciles: list[Decile]
    score: list[CurvePoint]
    baseline: list[CurvePoint]
    logistic_regression: list[CurvePoint] = Field(default_factory=list)
    champion: list[CurvePoint] = Field(default_factory=list)
    calibration: list[Bin]


class Evaluation(Record):
    """Everything the holdout says of a candidate.

    Attributes:
        measured_as: digest of the part of the requirements that decides the numbers; gates refuse any other.
        problems: why nothing was measured; empty if it was.
        measurements: what each gate is judged on, by its name; the gates of data_minimums are judged on the facts.
        metrics: further metrics for the report; no gate reads them.
        baselines: the candidate beside the prior, the rule, a logistic regression and the champion; no gate reads it.
        costs: what decisions would have cost, where the requirements say what one costs; no gate reads it.
        slices: the worst group first; no gate reads them.
        groups: of the protected attributes that a fairness gate names, one table per attribute and share.
        truth: the model beside the true probability, where a simulation knows it; no gate reads it.
        cross_validation: where few rows were trained on; no gate reads it.
        proxies: what the inputs tell of protected attributes, on the training rows; no gate reads them.
        checks: leakage, labels, stability, serving and explanations.
        ledger: the look at the holdout with which the evaluation began.
    """

    measured_as: str
    problems: list[str]
    facts: Facts
    measurements: dict[str, Measurement]
    metrics: dict[str, float] = Field(default_factory=dict)
    operating_points: list[OperatingPoint] = Field(default_factory=list)
    baselines: list[BaselineRow] = Field(default_factory=list)
    costs: Costs | None = None
    slices: list[SliceRow] = Field(default_factory=list)
    groups: list[GroupRow] = Field(default_factory=list)
    truth: list[TruthRow] = Field(default_factory=list)
    cross_validation: CrossValidated | None = None
    proxies: list[Proxy] = Field(default_factory=list)
    curves: Curves | None = None
    checks: Checks | None = None
    ledger: LedgerRecord | None = None


def measured_as(requirements: Requirements) -> str:
    """The digest of what decides the numbers; limits and owners do not."""
    acceptance = {
        name: threshold.model_dump(exclude={"minimum", "maximum", "owner"})
        for name, threshold in requirements.acceptance.items()
    }
    settings = requirements.model_dump(
        include={
            "baseline": True,
            "holdout": True,
            "bootstrap": True,
            "slices": True,
            "cost": True,
            "leakage": {"shuffled_labels": {"permutations", "seed"}},
            "stability": {"seeds", "perturbation"},
        }
    )
    return digest_json([acceptance, settings])
