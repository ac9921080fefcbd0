"""Rare values on which a label hangs: the trigger of a backdoor, or a default that one source writes.

A value of an input that few rows have, but many of the rows with one label, lets whoever can set it choose the score.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ds_pipeline.evaluation.checks.material import Checked, Material
from ds_pipeline.evaluation.measure.measurement import gauge
from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.use_case.features import LABEL

GATE = "rare_value_share"
RARE = 0.01  # of the rows


class RareValue(Record):
    """The rare value of one input on which most of a label hangs; the value itself is not said.

    Attributes:
        label: 0 or 1.
        rows: training rows with the value.
        share: of the rows with the label, those with the value (0..1).
    """

    input: str
    label: int
    rows: int
    share: float


def check_rare_values(of: Material) -> Checked:
    """For each input that has values of fewer than 1 % of the rows, the one with the largest share of a label.

    With half of the rows positive no such share can pass 2 %; with one in twenty it can reach 20 %. A missing value is
    a value; texts are left out. The largest share comes first; the measurement is 0 where no input has a rare value.

    Source: T. Gu, B. Dolan-Gavitt and S. Garg, BadNets: identifying vulnerabilities in the machine learning model
    supply chain, 2017, arXiv:1708.06733: few rows with a trigger and one label are enough.
    """
    limits = of.requirements.label_quality
    if limits is None or limits.max_rare_value_share is None:
        return Checked()
    rows = of.trained_on
    label = rows[LABEL].to_numpy(dtype="int64")
    if not 0 < label.sum() < len(label):
        problem = "the training rows hold one class of label only"
        return Checked({"rare_values": []}, gauge(GATE, problem=problem))
    inputs = of.features.inputs_of("int64", "float64", "bool", "string")
    values = [rarest for name in inputs if (rarest := _rarest(rows[name], label)) is not None]
    values.sort(key=lambda rare: (-rare.share, rare.input))
    value, note = (values[0].share, f"The input is {values[0].input}.") if values else (0.0, None)
    return Checked({"rare_values": values}, gauge(GATE, value=value, note=note))


def _rarest(values: pd.Series, label: np.ndarray) -> RareValue | None:
    code = pd.factorize(values, sort=True)[0] + 1  # 0 is missing
    rows = np.bincount(code)
    of_label = np.vstack([np.bincount(code, weights=label == one, minlength=len(rows)) for one in (0, 1)])
    is_rare = (rows > 0) & (rows < RARE * len(label))
    if not is_rare.any():
        return None
    share = np.where(is_rare, of_label / of_label.sum(axis=1, keepdims=True), -1.0)
    which, place = np.unravel_index(int(share.argmax()), share.shape)
    return RareValue(input=str(values.name), label=int(which), rows=int(rows[place]), share=float(share[which, place]))
