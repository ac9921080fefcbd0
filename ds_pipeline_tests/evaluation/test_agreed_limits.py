"""The limits of the use cases that ship bind: a made-up model that reaches them all is damaged until each one refuses.

Three kinds of damage: noise in place of the score, a score that is too high, and one that is too high for one group.
What a whole run refuses is in journeys/test_gates.py.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from ds_pipeline.evaluation.gates.specs import gates_of
from ds_pipeline.evaluation.gates.verdicts import judge
from ds_pipeline.evaluation.measure.facts import Facts
from ds_pipeline.evaluation.measure.group_differences import compare
from ds_pipeline.evaluation.measure.measurement import Measurement
from ds_pipeline.evaluation.measure.metrics import taken_at_top
from ds_pipeline.evaluation.measure.resamples import ScoredRows
from ds_pipeline.evaluation.measure.thresholds import measure_all
from ds_pipeline.use_case.requirements import GroupDifference, Requirements
from ds_pipeline_tests.test_architecture import ROOT

CHANCES = {
    "retail_lapse": (0.15, 0.85, 1.0),
    "subscription_churn": (0.0, 0.7, 9.0),
}  # lowest, highest, how few are high
DOSES = (0.4, 1.0)
PEOPLE, WEEKS = 1500, 8


def requirements_of(case: str) -> Requirements:
    asked = yaml.safe_load((ROOT / "configs" / case / "requirements.yaml").read_text())
    asked["bootstrap"]["resamples"] = 100
    return Requirements.model_validate(asked)


def holdout(case: str) -> pd.DataFrame:
    """Labels that are drawn with the scores, in groups that do not matter; every fourth person is new."""
    rng = np.random.default_rng(12)
    lowest, highest, skew = CHANCES[case]
    person = np.tile(np.arange(PEOPLE), WEEKS)
    score = lowest + (highest - lowest) * rng.random(PEOPLE * WEEKS) ** skew
    return pd.DataFrame(
        {
            "scoring_date": np.repeat(np.arange(WEEKS), PEOPLE),
            "token": person,
            "label": (rng.random(len(person)) < score).astype(float),
            "score": score,
            "champion": score,
            "baseline": rng.random(len(person)),
            "is_new": person % 4 == 0,
            "age_band": np.where(person // 4 % 2, "young", "old"),
            "gender": np.where(person // 8 % 2, "f", "m"),
        }
    )


def noise(rows: pd.DataFrame, dose: float) -> pd.DataFrame:
    """So many scores change places."""
    rng = np.random.default_rng(13)
    score = rows["score"].to_numpy().copy()
    moved = np.flatnonzero(rng.random(len(rows)) < dose)
    score[moved] = score[rng.permutation(moved)]
    return rows.assign(score=score)


def too_high(rows: pd.DataFrame, dose: float) -> pd.DataFrame:
    return rows.assign(score=rows["score"] + dose * (1 - rows["score"]))


def too_high_for(attribute: str, group: str) -> Any:
    def damage(rows: pd.DataFrame, dose: float) -> pd.DataFrame:
        return rows.assign(score=rows["score"].where(rows[attribute] != group, too_high(rows, dose)["score"]))

    return damage


DAMAGES = (noise, too_high, too_high_for("age_band", "old"), too_high_for("gender", "m"))


def missed(rows: pd.DataFrame, requirements: Requirements) -> set[str]:
    """The thresholds on the holdout that refuse these scores."""
    facts = Facts(
        rows=len(rows), positives=int(rows["label"].sum()), entities=PEOPLE, base_rate=float(rows["label"].mean()),
        weeks=[date(2024, 1, 1)], training_rows=9, training_positives=3,
    )  # fmt: skip
    scored, new = (
        ScoredRows.from_frame(part, "token", cost=requirements.cost) for part in (rows, rows[rows["is_new"]])
    )
    found = measure_all(scored, requirements, facts, skip=(), n_jobs=1, new=new)
    selected = rows.assign(is_selected=taken_at_top(scored.once, share=0.1)[0])
    how: dict[str, Any] = {"min_support": requirements.slices.min_support, "settings": requirements.bootstrap}
    for name, asked in requirements.acceptance.items():
        if isinstance(asked, GroupDifference):
            said = asdict(compare(asked, selected, entity="token", **how))
            found[name] = Measurement(metric=asked.metric, rows=facts.rows, positives=facts.positives, **said)
    gates = [gate for gate in gates_of(requirements) if gate.is_of_holdout]
    return {gate.name for gate in gates if not judge(gate, found[gate.name]).passed}


@pytest.mark.parametrize("case", CHANCES)
def test_every_agreed_limit_refuses_a_model_that_is_damaged_enough(case: str) -> None:
    requirements, rows = requirements_of(case), holdout(case)
    assert missed(rows, requirements) == set()

    still_passing = set(requirements.acceptance)
    for dose in (0.6, 1.0):
        for damage in DAMAGES:
            if still_passing:
                still_passing -= missed(damage(rows, dose), requirements)

    assert still_passing == set()
