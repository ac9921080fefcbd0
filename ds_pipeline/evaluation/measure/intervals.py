"""Bootstrap over entities, because a customer is in several weeks, and over entities and weeks: never over rows.

Why both: docs/decisions/0011-weeks-and-new-entities.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from ds_pipeline import engine
from ds_pipeline.evaluation.measure.metrics import measure
from ds_pipeline.evaluation.measure.resamples import Floats, Ints, Resamples, ScoredRows
from ds_pipeline.use_case.requirements import Bootstrap, HoldoutMetric

CELLS_AT_ONCE = 1_000_000  # resamples x rows held at once: 4 MB per array and thread; less waits for the interpreter
WEEKS = 1  # the stream of draws
COUNTS = np.int32  # sums of it stay below 2**31 as long as the holdout has fewer rows than that


def bootstrap_counts(drawn_from: int, resamples: range, seed: int, *stream: int) -> Ints:
    """How often each entity is drawn in each of the resamples (resamples x entities; every row sums to entities).

    Resample i depends on the seed and on i alone, so any split of the work gives the same numbers.

    Args:
        stream: tells draws of something else from those of entities.
    """
    draws = (np.random.default_rng([seed, i, *stream]).integers(0, drawn_from, size=drawn_from) for i in resamples)
    return np.array([np.bincount(drawn, minlength=drawn_from) for drawn in draws], dtype=COUNTS)


def bootstrap(
    rows: ScoredRows,
    thresholds: Mapping[str, HoldoutMetric],
    *,
    settings: Bootstrap,
    n_jobs: int,
    with_weeks: bool = False,
) -> dict[str, Floats]:
    """The value of every threshold's metric in every resample, all on the same resamples; NaN where not defined.

    Args:
        n_jobs: at most so many at a time, -1 for one per core; the numbers do not depend on it.
        with_weeks: draw weeks as well: a row is there as often as its entity times its week, on the same draws of
            entities (A. B. Owen, The pigeonhole bootstrap, Annals of Applied Statistics 1 (2007), 386-411).
    """
    size = max(1, CELLS_AT_ONCE // len(rows.label))
    chunks = [range(start, min(start + size, settings.resamples)) for start in range(0, settings.resamples, size)]
    entities, weeks = int(rows.entity.max()) + 1, int(rows.week.max()) + 1
    drawn = replace(rows, entity=np.arange(len(rows.label))) if with_weeks else rows

    def values(chunk: range) -> list[Floats]:
        counts = bootstrap_counts(entities, chunk, settings.seed)
        if with_weeks:
            of_weeks = bootstrap_counts(weeks, chunk, settings.seed, WEEKS)
            counts = np.take(counts, rows.entity, axis=1) * np.take(of_weeks, rows.week, axis=1)
        sample = Resamples(drawn, counts)
        return [measure(threshold, sample) for threshold in thresholds.values()]

    parts = engine.run(values, chunks, suits="threading", n_jobs=n_jobs)  # numpy lets other threads go on
    return dict(zip(thresholds, (np.concatenate(column) for column in zip(*parts, strict=True)), strict=True))


def confidence_at(confidence: float, *, looks: int) -> float:
    """The confidence of a bound on rows that were looked at so often: the chance of luck is shared among the looks.

    Of k looks each at its own share, at most (1 - confidence) * (1 + 1/2 + ... + 1/k) of all series hold one that
    passes by luck.

    Source: O. J. Dunn, Multiple comparisons among means, JASA 56 (1961): Bonferroni's inequality.
    """
    return 1 - (1 - confidence) / looks


def lower_bound(values: Floats, confidence: float) -> float:
    """The one-sided lower percentile bound: a share of `confidence` of the resamples lies at or above it."""
    return float(np.quantile(values, 1 - confidence, method="lower"))
