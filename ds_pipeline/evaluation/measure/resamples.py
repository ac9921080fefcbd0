"""The holdout as arrays, ranked once, and resamples of it: how often each entity was drawn.

A resample is a row of counts (resamples x entities). A count of k means the same as the rows of that entity being there
k times, so that the point value (everybody once) and the bootstrap come from the same lines.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ds_pipeline.use_case.requirements import Cost

Ints = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
ScoreName = Literal["score", "baseline", "logistic_regression", "champion"]
SCORES: tuple[ScoreName, ...] = ("score", "baseline", "logistic_regression", "champion")


class CutOffs(NamedTuple):
    """Rows taken, and positives among them, at each cut-off that matters (resamples x cut-offs)."""

    taken: Ints
    hits: Ints


@dataclass(frozen=True)
class Ranking:
    """Rows from the highest score to the lowest; rows with equal scores form one group.

    Attributes:
        order: row positions, best first.
        starts: where in the order each group begins.
        positives: where in the order the positive rows are.
        entity: of each place in the order.
    """

    order: Ints
    starts: Ints
    positives: Ints
    entity: Ints

    @classmethod
    def of(cls, score: Floats, label: Ints, entity: Ints) -> Ranking:
        order = np.argsort(-score, kind="stable")
        ranked = score[order]
        starts = np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1]))
        return cls(order, starts, np.flatnonzero(label[order]), entity[order])

    @cached_property
    def ends(self) -> Ints:
        """Where in the order each group has its last row."""
        return np.append(self.starts[1:], len(self.order)) - 1

    @cached_property
    def cut_offs(self) -> Ints:
        """The last rows of the groups that hold a positive, and of all groups.

        No metric here needs the others: a cut-off that adds negatives alone has the recall of the one before it, and
        less precision.
        """
        return np.unique(np.append(self.ends[self.group_of(self.positives)], len(self.order) - 1))

    @cached_property
    def positives_above(self) -> Ints:
        """How many positive rows the order has up to each of the cut-offs."""
        return np.searchsorted(self.positives, self.cut_offs, side="right")

    def group_of(self, places: Ints) -> Ints:
        """The number of the group that each place in the order belongs to."""
        return np.searchsorted(self.starts, places, side="right") - 1

    def ranked(self, counts: Ints) -> Ints:
        """How often each row is there, best row first (resamples x rows)."""
        return np.take(counts, self.entity, axis=1)  # several times as fast as counts[:, entity]

    def per_group(self, values: Ints) -> Ints:
        """Totals of each group, of values that are ranked."""
        return np.add.reduceat(values, self.starts, axis=1)

    def at_cut_offs(self, counts: Ints) -> CutOffs:
        """What is taken at each of the cut_offs."""
        ranked = self.ranked(counts)
        hits = np.zeros((len(counts), len(self.positives) + 1), dtype=counts.dtype)
        hits[:, 1:] = running_sum(ranked[:, self.positives])
        return CutOffs(running_sum(ranked)[:, self.cut_offs], hits[:, self.positives_above])


@dataclass(frozen=True)
class ScoredRows:
    """The holdout as arrays, ordered by week and entity, so that ties break the same way whatever came in.

    Attributes:
        entity: 0..number of entities - 1.
        logistic_regression, champion: scores (0..1) to compare with, where there are any.
        cost, cut_off: what a decision costs and the score from which on a row is acted on; inf acts on nobody.
    """

    week: Ints
    entity: Ints
    label: Ints
    score: Floats
    baseline: Floats
    logistic_regression: Floats | None = None
    champion: Floats | None = None
    cost: Cost | None = None
    cut_off: float | None = None

    @classmethod
    def from_frame(
        cls, frame: pd.DataFrame, entity: str, *, cost: Cost | None = None, cut_off: float | None = None
    ) -> ScoredRows:
        """The rows of a checked predictions frame that is sorted by scoring_date and entity."""
        return cls(
            week=frame["scoring_date"].factorize(sort=True)[0].astype(np.int64),
            entity=frame[entity].factorize(sort=True)[0].astype(np.int64),
            label=frame["label"].to_numpy(np.int64),
            **{name: frame[name].to_numpy(np.float64) for name in SCORES if name in frame.columns},
            cost=cost,
            cut_off=cut_off,
        )

    @property
    def once(self) -> Resamples:
        """The holdout as it is: one resample, everybody once."""
        return Resamples(self, np.ones((1, int(self.entity.max()) + 1), dtype=np.int64))

    @cached_property
    def rankings(self) -> dict[ScoreName, Ranking]:
        """By each score that there is."""
        scores = {name: getattr(self, name) for name in SCORES}
        return {name: Ranking.of(score, self.label, self.entity) for name, score in scores.items() if score is not None}

    @property
    def by_score(self) -> Ranking:
        return self.rankings["score"]

    @cached_property
    def by_week(self) -> Ranking:
        """Week by week, best score first; the groups are the weeks."""
        order = np.lexsort((-self.score, self.week))
        starts = np.flatnonzero(np.append(True, np.diff(self.week[order]) != 0))
        return Ranking(order, starts, np.flatnonzero(self.label[order]), self.entity[order])


class Places(NamedTuple):
    """Some places of the order week by week, in each resample.

    Attributes:
        there: how often the row at each place is there (resamples x places).
        ahead: how many rows are before it, from the first week on.
        weeks: rows of each week (resamples x weeks).
        ends: rows up to the end of each week.
    """

    there: Ints
    ahead: Ints
    weeks: Ints
    ends: Ints


@dataclass(frozen=True)
class Resamples:
    """Rows with how often each entity is drawn (resamples x entities); metrics share what is summed once."""

    rows: ScoredRows
    counts: Ints
    _cut_offs: dict[ScoreName, CutOffs] = field(default_factory=dict, repr=False, compare=False)

    def cut_offs(self, name: ScoreName) -> CutOffs:
        """What is taken at each cut-off of one of the scores."""
        if name not in self._cut_offs:
            self._cut_offs[name] = self.rows.rankings[name].at_cut_offs(self.counts)
        return self._cut_offs[name]

    @cached_property
    def at_positives(self) -> Places:
        """The positive rows in the order week by week."""
        return self.at_places(self.rows.by_week.positives)

    def at_places(self, places: Ints) -> Places:
        """Some places of the order week by week."""
        ranking = self.rows.by_week
        ranked = ranking.ranked(self.counts)
        running = running_sum(ranked)
        there, ends = ranked[:, places], running[:, ranking.ends]
        return Places(there, running[:, places] - there, np.diff(ends, axis=1, prepend=0), ends)

    def total(self, values: Ints | Floats | NDArray[np.bool_]) -> Floats:
        """The sum of a value per row, one per resample; exact where the values are whole numbers."""
        entities = self.counts.shape[1]
        of_entity = np.bincount(self.rows.entity, weights=values, minlength=entities).astype(np.float64)
        return self.counts.astype(np.float64) @ of_entity


def running_sum(counts: Ints) -> Ints:
    """Over the columns, in the type it comes in: half the bytes take half the time."""
    return np.cumsum(counts, axis=1, dtype=counts.dtype)
