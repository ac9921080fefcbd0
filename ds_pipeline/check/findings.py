"""What a dry run makes of some weeks: rates, features one by one, and what looks wrong. Frames in, figures out.

Figures are counts, shares and scores; never a value of a cell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from ds_pipeline.use_case.features import LABEL, FeatureSet
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.requirements import AveragePrecisionGain, Requirements
from ds_pipeline.use_case.sources import Table

TOO_GOOD = 0.95  # ROC AUC of a single feature: nothing that is known beforehand separates so well
JUMP_ERRORS, JUMP_SHARE = 4.0, 0.25  # standard errors, and share of the rate, from which a change is a jump
MOSTLY_NULL = 0.95
FIXED_SECONDS = 15  # of a run: the start of Python and Dagster, the evaluation, its pictures, signatures
PART_SECONDS = 0.07  # of a week of a table in a run: digests, files and their folders, what Dagster records of it
FEWEST = 20  # rows of each class to judge a feature by
STATIC_WORDS = frozenset(
    {"signup", "signed", "registered", "registration", "created", "joined", "birth", "born", "gender"}
)


@dataclass(frozen=True)
class WeekRate:
    """The labels of one scoring date.

    Attributes:
        rows: the population; undecided ones included.
    """

    day: date
    rows: int
    positives: int
    undecided: int

    @property
    def rate(self) -> float:
        """The share of positives among the decided; NaN where none is."""
        decided = self.rows - self.undecided
        return self.positives / decided if decided else math.nan


@dataclass(frozen=True)
class FeatureFacts:
    """One feature over the sampled weeks.

    Attributes:
        null_share: 0..1.
        distinct: different values, null not among them.
        auc: how well it alone tells the classes apart, whichever way round (0.5..1); None where it cannot be said.
    """

    name: str
    role: str
    null_share: float
    distinct: int
    auc: float | None


@dataclass(frozen=True)
class Changed:
    """A column of versions that should not change, and does.

    Attributes:
        changed, of: how many of how many do: people, or what else the rows are versions of.
        by: the columns that say what they are versions of.
    """

    table: str
    column: str
    changed: int
    of: int
    by: str


def week_rate(day: date, labels: pd.Series) -> WeekRate:
    """The figures of one date; labels are 0, 1 or missing."""
    return WeekRate(day, len(labels), int(labels.eq(1).sum()), int(labels.isna().sum()))


def feature_facts(rows: pd.DataFrame, features: FeatureSet) -> list[FeatureFacts]:
    """The features of labelled rows, in declared order."""
    label = rows[LABEL]
    return [
        FeatureFacts(
            name,
            feature.role,
            float(rows[name].isna().mean()),
            int(rows[name].nunique()),
            None if feature.dtype == "text" else _auc(rows[name], label),
        )
        for name, feature in features.features.items()
    ]


def _auc(values: pd.Series, label: pd.Series) -> float | None:
    decided = label.notna()
    values, label = values[decided], label[decided].astype(float)
    if min(label.sum(), len(label) - label.sum()) < FEWEST or not len(values):
        return None
    if pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        scores = values.astype(float)
    else:  # a category by its share of positives: generous to many categories, and it only ever warns
        scores = label.groupby(values.astype(object)).mean().reindex(values.astype(object)).reset_index(drop=True)
    # A missing value may tell as much as any other; it goes to whichever end tells more.
    ranked = [np.where(scores.isna(), end, scores.rank(pct=True)) for end in (-1.0, 2.0)]
    aucs = [roc_auc_score(label, ranks) for ranks in ranked]
    return float(max(max(auc, 1 - auc) for auc in aucs))


def changed_columns(name: str, table: Table, rows: pd.DataFrame, entity: str) -> list[Changed]:
    """The columns of a table of versions that should be the same in every version, and are not.

    Versions are of what the table itself says, such as a subscription, of which a person may have several; of the
    entity where it says nothing. Those columns are dates other than the times of the row, what is sensitive, and what
    its name says was fixed once. An age band moves on by itself.
    """
    by = table.entity or [entity]
    fixed = {table.event_time, table.known_at, entity, *by}
    static = [
        alias
        for alias, column in table.kept.items()
        if alias not in fixed and column.treatment != "band"
        if column.type in ("date", "timestamp")
        or column.identifies == "sensitive"
        or (set(alias.split("_")) & STATIC_WORDS)
    ]
    versions = rows.groupby(by, observed=True, dropna=True, sort=False)
    counts = {alias: int((versions[alias].nunique() > 1).sum()) for alias in static}
    return [Changed(name, alias, n, versions.ngroups, ", ".join(by)) for alias, n in counts.items() if n]


def find_warnings(
    use_case: UseCase,
    rates: Sequence[WeekRate],
    facts: Sequence[FeatureFacts],
    changed: Sequence[Changed],
    *,
    training_weeks: int,
) -> list[str]:
    """What a person should look at before a run.

    Args:
        rates: of the sampled weeks, oldest first.
        training_weeks: that a candidate of the newest date is trained on.
    """
    return [
        *_jumps(rates),
        *_too_few(use_case.requirements, rates, training_weeks),
        *_idle_baseline(use_case.requirements, facts),
        *(
            f"{one.name} alone tells who is positive (ROC AUC {one.auc:.2f}): it may know the outcome already. See "
            "when its columns are written, and known_at in sources.yaml."
            for one in facts
            if one.auc is not None and one.auc > TOO_GOOD
        ),
        *(
            f"{one.name} has no value in {one.null_share:.0%} of the rows."
            for one in facts
            if one.null_share > MOSTLY_NULL
        ),
        *(
            f"{one.name} has the same value in every row; the model can learn nothing from it."
            for one in facts
            if one.role == "input" and _is_constant(one) and one.name != use_case.requirements.baseline.feature
        ),
        *(
            f"{one.table}.{one.column} should not change, but differs between the versions of {one.changed:,} of "
            f"{one.of:,} (by {one.by}). If it is overwritten at the source, earlier weeks did not know it so."
            for one in changed
        ),
    ]


def _is_constant(feature: FeatureFacts) -> bool:
    return feature.null_share == 0 and feature.distinct == 1


def _idle_baseline(requirements: Requirements, facts: Sequence[FeatureFacts]) -> list[str]:
    """Where the rule to beat is the same for everybody: a gate that compares with it refuses every candidate."""
    name = requirements.baseline.feature
    if not any(feature.name == name and feature.distinct <= 1 for feature in facts):
        return []
    gates = [
        gate
        for gate, asked in requirements.acceptance.items()
        if isinstance(asked, AveragePrecisionGain) and asked.over == "baseline"
    ]
    refuses = f": the gate {' and '.join(gates)} will refuse every candidate" if gates else ""
    return [
        f"the baseline {name} has the same value in every row, so it ranks nobody{refuses}. Choose another feature in "
        "requirements.yaml, or correct population.sql or the feature."
    ]


def _jumps(rates: Sequence[WeekRate]) -> list[str]:
    warnings = []
    for before, after in pairwise(rates):
        decided = [week.rows - week.undecided for week in (before, after)]
        if not all(decided):
            continue
        pooled = (before.positives + after.positives) / sum(decided)
        error = math.sqrt(pooled * (1 - pooled) * sum(1 / n for n in decided))
        step = abs(after.rate - before.rate)
        if step > JUMP_ERRORS * error and step > JUMP_SHARE * pooled:
            warnings.append(
                f"the base rate jumps from {before.rate:.1%} at {before.day} to {after.rate:.1%} at {after.day}: a "
                "change of the business, of the source, or of what a row means?"
            )
    return warnings


def _too_few(requirements: Requirements, rates: Sequence[WeekRate], training_weeks: int) -> list[str]:
    """Where the weeks, at the pace of the sampled ones, will not hold what requirements.yaml asks."""
    rows = float(np.mean([week.rows - week.undecided for week in rates]))
    positives = float(np.mean([week.positives for week in rates]))
    minimums, holdout = requirements.data_minimums, requirements.holdout
    asked = [
        ("training", "rows", rows * training_weeks, minimums.training_rows),
        ("training", "positives", positives * training_weeks, minimums.training_positives),
        ("the holdout", "rows", rows * holdout.weeks, holdout.min_rows),
        ("the holdout", "positives", positives * holdout.weeks, holdout.min_positives),
    ]
    return [
        f"too few {what}: {where} will have about {there:,.0f}, requirements.yaml asks for {least:,}; a candidate "
        "would be refused. Look further back, widen population.sql, or agree on another minimum."
        for where, what, there, least in asked
        if there < least
    ]


def run_seconds(*, masking: float, per_week: float, fits: float, weeks: int, tables: int) -> float:
    """How long a full run will take, about.

    Args:
        masking: seconds that all sources took to read and mask.
        per_week: seconds of the features and labels of one week.
        fits: seconds of the search and the final fit.
        weeks, tables: of the history.
    """
    parts = weeks * (tables + 2)  # each week of each table, of the features and of the labels is a file of its own
    # Half of the past is masked again for the replay.
    return 1.5 * masking + weeks * per_week + parts * PART_SECONDS + fits + FIXED_SECONDS


def spread(days: Sequence[date], count: int) -> list[date]:
    """At most so many of the days, evenly spread, the first and the last among them."""
    if len(days) <= count:
        return list(days)
    places = np.linspace(0, len(days) - 1, count).round().astype(int)
    return [days[int(place)] for place in dict.fromkeys(places)]


def total_by_kind(counts: Mapping[str, int]) -> dict[str, int]:
    """Counts, the most frequent first; of those that are equal, by name."""
    return dict(sorted(counts.items(), key=lambda kind: (-kind[1], kind[0])))
