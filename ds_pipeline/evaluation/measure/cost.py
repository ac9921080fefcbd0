"""What decisions cost: the score from which on acting is cheapest, and what each way of choosing costs on the holdout.

The cut-off is chosen on weeks the model was not fitted on and that are not the holdout; the holdout only says what it
is worth. Source: Elkan, The foundations of cost-sensitive learning, IJCAI 2001.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from ds_pipeline.evaluation.measure.record import Record
from ds_pipeline.evaluation.measure.resamples import Floats, Ints, Ranking, ScoredRows
from ds_pipeline.use_case.requirements import Cost

NOBODY, EVERYBODY = "nobody", "everybody"
TOLERANCE = 1e-9  # of the largest cost: sums of cents differ in the last digits


class CostRow(Record):
    """A way of choosing whom to act on, with what it costs per 1,000 rows of the holdout."""

    policy: str
    acted_on: int
    cost_per_1000: float


class Costs(Record):
    """What decisions on the holdout cost.

    Attributes:
        cut_off: the score from which on the model acts; None where it acts on nobody, or was not chosen.
        policies: the model's cut-off comes first, if it was chosen.
    """

    currency: str
    cut_off: float | None
    policies: list[CostRow]

    def saved_per_1000(self, row: CostRow) -> float:
        """What a way of choosing saves against the better of acting on everybody and on nobody, as the gate counts."""
        simple = [one.cost_per_1000 for one in self.policies if one.policy in (NOBODY, EVERYBODY)]
        return min(simple) - row.cost_per_1000


def cost_of(cost: Cost, *, taken: Any, hits: Any, positives: Any) -> Any:
    """What acting on some rows costs in all, in the currency of cost.

    Args:
        taken: rows that are acted on; a number, or an array like the others.
        hits: positives among them.
        positives: positives among all rows.
    """
    return (
        taken * cost.campaign_cost
        + (taken - hits) * cost.false_positive
        + (positives - hits) * cost.false_negative
        - hits * cost.value_saved
    )


def choose_cut_off(label: Ints, score: Floats, cost: Cost) -> float | None:
    """The score from which on acting is cheapest, fewer actions first among equals; inf where acting never pays.

    Args:
        label: 0 or 1 per row of weeks that are not the holdout.
        score: 0..1 per row, by a model that was not fitted on these rows.

    Returns:
        None where rows of this kind cannot tell: none are there, a class is missing, or a score is not a number.
    """
    label, score = np.asarray(label, dtype=np.float64), np.asarray(score, dtype=np.float64)
    if not np.isin(label, (0, 1)).all() or len(np.unique(label)) < 2 or not np.isfinite(score).all():
        return None
    cut_offs, group = np.unique(-score, return_inverse=True)
    taken = np.append(0, np.cumsum(np.bincount(group)))
    hits = np.append(0, np.cumsum(np.bincount(group, weights=label)))
    total = cost_of(cost, taken=taken, hits=hits, positives=label.sum())
    cheapest = int(np.flatnonzero(total <= total.min() + TOLERANCE * np.abs(total).max())[0])
    return float(-cut_offs[cheapest - 1]) if cheapest else math.inf


def cost_table(rows: ScoredRows, *, campaigns: Mapping[str, Ints], with_baseline: bool) -> Costs | None:
    """The cost of the model's cut-off beside that of nobody, everybody, the baseline rule and the campaigns.

    None where nobody says what a decision costs.

    The baseline rule acts on as many rows as the cut-off does; of rows that it ranks alike, as many as are needed are
    taken to be average.

    Args:
        rows: where their cut_off is None, neither it nor the rule is there.
        campaigns: which rows (0/1) each selection of the requirements would act on, by its name.
        with_baseline: whether the baseline ranks anything.
    """
    cost, cut_off = rows.cost, rows.cut_off
    if cost is None:
        return None
    total, positives = len(rows.label), float(rows.label.sum())

    def row(policy: str, taken: float, hits: float) -> CostRow:
        spent = cost_of(cost, taken=taken, hits=hits, positives=positives)
        return CostRow(policy=policy, acted_on=int(taken), cost_per_1000=float(1000 * spent / total))

    policies = []
    if cut_off is not None and not math.isnan(cut_off):
        acted_on = rows.score >= cut_off
        taken = int(acted_on.sum())
        policies.append(row("from the cut-off on", taken, rows.label[acted_on].sum()))
        if with_baseline:
            policies.append(row("as many by the baseline rule", taken, _hits_of(rows.rankings["baseline"], taken)))
    policies += [row(NOBODY, 0, 0), row(EVERYBODY, total, positives)]
    policies += [row(name, chosen.sum(), (chosen * rows.label).sum()) for name, chosen in campaigns.items()]
    is_score = cut_off is not None and math.isfinite(cut_off)
    return Costs(currency=cost.currency, cut_off=cut_off if is_score else None, policies=policies)


def _hits_of(ranking: Ranking, taken: int) -> float:
    """Expected positives among the first rows of a ranking, if those of equal score come in any order."""
    hits = np.searchsorted(ranking.positives, ranking.ends, side="right")
    return float(np.interp(taken, np.append(0, ranking.ends + 1), np.append(0, hits)))
