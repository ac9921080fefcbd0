"""What an evaluation says: totals, measurements, groups and curves; never a token or a value of one customer."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from ds_pipeline.digests import digest_json
from ds_pipeline.evaluation.checks.cross_validation import CrossValidated
from ds_pipeline.evaluation.checks.findings import Checks
from ds_pipeline.evaluation.checks.holdout_budget import LedgerRecord
from ds_pipeline.evaluation.checks.proxies import Proxy
from ds_pipeline.evaluation.measure.baselines import BaselineRow
from ds_pipeline.evaluation.measure.cost import Costs
from ds_pipeline.evaluation.measure.curves import Curves, OperatingPoint
from ds_pipeline.evaluation.measure.facts import Facts
from ds_pipeline.evaluation.measure.fairness import GroupRow
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.evaluation.measure.slices import SliceRow
from ds_pipeline.evaluation.measure.truth import TruthRow
from ds_pipeline.use_case.readers import Limit, keys
from ds_pipeline.use_case.requirements import Requirements

WHOLE = ("baseline", "holdout", "bootstrap", "slices", "cost")  # sections that decide the numbers
JUDGED = ("leakage", "label_quality", "stability", "operations")  # those of which settings do, but no limits


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
    include: dict[str, Any] = dict.fromkeys(WHOLE, True)
    for path, read in keys(Requirements):
        section, *rest = path.split(".")
        if section in JUDGED and read.by == "gate" and not isinstance(read, Limit):
            below = include
            for name in [section, *rest[:-1]]:
                below = below.setdefault(name, {})
            below[rest[-1]] = True
    acceptance = {
        name: threshold.model_dump(exclude={"minimum", "maximum", "owner"})
        for name, threshold in requirements.acceptance.items()
    }
    return digest_json([acceptance, requirements.model_dump(include=include)])
