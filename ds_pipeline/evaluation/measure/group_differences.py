"""The largest difference between groups of a protected attribute, and what chance alone gives at their support.

Support is counted in what a rate is of: positives, negatives or rows. Why groups without it are neither judged like the
others nor let off, and why chance never takes the place of a limit: docs/decisions/0010-differences-between-groups.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ds_pipeline.evaluation.measure.resamples import Floats, Ints
from ds_pipeline.evaluation.measure.slices import pooled_groups
from ds_pipeline.figures import declared_percent
from ds_pipeline.use_case.requirements import (
    Bootstrap,
    CalibrationDifference,
    DemographicParityDifference,
    EqualizedOddsDifference,
    FalsePositiveRateDifference,
    GroupDifference,
)

Bools = NDArray[np.bool_]
MAX_MISSING = 0.3  # of the rows: beyond it, those whose group nobody knows could turn any difference round


@dataclass(frozen=True)
class Rate:
    """A sum over rows divided by how many rows it is of.

    Attributes:
        of: what those rows are called.
        is_given_the_outcome: of rows of one label, so that chance keeps the positives of each group.
    """

    of: str
    part: Floats
    whole: Floats
    is_given_the_outcome: bool = False


@dataclass(frozen=True)
class Compared:
    """What a gate reads, or why there is nothing to read.

    Attributes:
        value: the largest difference between groups that can be judged (0..1).
        chance: what that of a model that treats all groups alike stays below, in a share of draws (the confidence).
    """

    value: float | None = None
    chance: float | None = None
    note: str | None = None
    problem: str | None = None


def compare(
    threshold: GroupDifference, frame: pd.DataFrame, *, entity: str, min_support: int, settings: Bootstrap
) -> Compared:
    """The largest difference of what a threshold names between groups of its attribute.

    Calibration: mean score minus share of positives, with its sign: groups of which one is scored too high and one too
    low are as far apart as both errors together.

    Args:
        frame: the entity, label (0/1), score, is_selected (0/1: among the highest-scored share of its week) and the
            attribute, one row per entity and week.
        min_support: of positives, negatives or rows, as the rate needs.
        settings: how often chance is drawn, at which confidence, with which seed.
    """
    attribute = threshold.attribute
    missing = float(frame[attribute].isna().mean())
    if missing > MAX_MISSING:
        text = f"{attribute} is missing in {missing:.0%} of the rows; above {MAX_MISSING:.0%} groups tell too little"
        return Compared(problem=text)
    groups = pooled_groups(frame[attribute], 1)
    names, codes = list(groups.cat.categories), groups.cat.codes.to_numpy(np.int64)
    deal = _Deal(frame[entity].factorize()[0], codes, len(names), settings)
    found, drawn, notes = [], [], []
    for rate in rates_of(threshold, frame):
        once = _Sums(*(_sums(values, codes, len(names))[np.newaxis] for values in (rate.part, rate.whole)))
        is_small = once.whole[0] < min_support
        judged = _judged(once.whole[0], is_small, min_support)
        if len(judged) < 2:
            text = f"{attribute} has fewer than two groups of {min_support:,} {rate.of}, so there is nothing to compare"
            return Compared(problem=text)
        chance = deal.draw(rate)
        far = _far(once, chance, is_small, confidence=settings.confidence)
        found.append(_spread(once, [*judged, *([code] for code in far)])[0])
        drawn.append(_spread(chance, judged))
        notes += _told(rate, names, is_small, far, min_support)
    bound = float(np.quantile(np.max(drawn, axis=0), settings.confidence, method="higher"))
    share = declared_percent(settings.confidence)
    notes.append(f"Where all groups are treated alike, chance alone gives up to {bound:.3g} in {share} of draws.")
    return Compared(value=float(max(found)), chance=bound, note=" ".join(notes))


def rates_of(threshold: GroupDifference, frame: pd.DataFrame) -> list[Rate]:
    """The rates whose largest difference a threshold names; of several, the one that is furthest apart counts."""
    label, score, selected = (frame[name].to_numpy(np.float64) for name in ("label", "score", "is_selected"))
    everybody = np.ones(len(frame))
    false_positives = Rate("negatives", selected * (1 - label), 1 - label, is_given_the_outcome=True)
    true_positives = Rate("positives", selected * label, label, is_given_the_outcome=True)
    rates: Mapping[type[GroupDifference], list[Rate]] = {
        FalsePositiveRateDifference: [false_positives],
        EqualizedOddsDifference: [false_positives, true_positives],
        DemographicParityDifference: [Rate("rows", selected, everybody)],
        CalibrationDifference: [Rate("rows", score - label, everybody)],
    }
    return rates[type(threshold)]


class _Sums(NamedTuple):
    """Of a rate, by group (draws x groups)."""

    part: Floats
    whole: Floats


class _Deal:
    """Groups dealt anew to whole entities: what differences chance makes among entities who are treated alike."""

    def __init__(self, entity: Ints, group: Ints, groups: int, settings: Bootstrap) -> None:
        self.entity, self.groups, self.settings = entity, groups, settings
        first = np.unique(entity, return_index=True)[1]
        self.group = group[first]  # an entity that changes its group is dealt with the first one

    def draw(self, rate: Rate) -> _Sums:
        """Draw i depends on the seed and on i alone."""
        part, whole = (_sums(values, self.entity, len(self.group)) for values in (rate.part, rate.whole))
        is_apart = whole > 0 if rate.is_given_the_outcome else np.ones(len(self.group), dtype=bool)
        strata = [np.flatnonzero(is_apart), np.flatnonzero(~is_apart)]
        parts, wholes = (np.empty((self.settings.resamples, self.groups)) for _ in range(2))
        dealt = self.group.copy()
        for draw in range(self.settings.resamples):
            rng = np.random.default_rng([self.settings.seed, draw])
            for members in strata:
                dealt[members] = rng.permutation(self.group[members])
            parts[draw], wholes[draw] = _sums(part, dealt, self.groups), _sums(whole, dealt, self.groups)
        return _Sums(parts, wholes)


def _sums(values: Floats, codes: Ints, groups: int) -> Floats:
    return np.bincount(codes, weights=values, minlength=groups).astype(np.float64)


def _judged(support: Floats, is_small: Bools, min_support: int) -> list[list[int]]:
    """The groups that are judged, each as a list of codes: those with support, and the others together if they have."""
    small: list[int] = np.flatnonzero(is_small).tolist()
    judged = [[code] for code in np.flatnonzero(~is_small).tolist()]
    return [*judged, small] if support[small].sum() >= min_support else judged


def _spread(sums: _Sums, judged: Sequence[Sequence[int]]) -> Floats:
    """The largest difference between the judged groups of each draw; a group of nobody takes no part."""
    part, whole = (np.stack([of[:, list(codes)].sum(axis=1) for codes in judged], axis=1) for of in sums)
    rates = np.divide(part, whole, out=np.full(part.shape, np.nan), where=whole > 0)
    return np.asarray(np.nanmax(rates, axis=1) - np.nanmin(rates, axis=1), dtype=np.float64)


def _far(once: _Sums, chance: _Sums, is_small: Bools, *, confidence: float) -> list[int]:
    """The groups without support whose distance from everybody else is beyond chance, which is divided among them."""
    small = [code for code in np.flatnonzero(is_small).tolist() if once.whole[0, code] > 0]
    level = 1 - (1 - confidence) / max(1, len(small))
    found = []
    for code in small:
        by_chance = _distance(chance, code)
        known = by_chance[np.isfinite(by_chance)]
        if not len(known) or _distance(once, code)[0] > np.quantile(known, level, method="higher"):
            found.append(code)
    return found


def _distance(sums: _Sums, code: int) -> Floats:
    """How far the rate of a group is from that of everybody else; NaN where either is of nobody."""
    part, whole = (of[:, code] for of in sums)
    others_part, others_whole = (of.sum(axis=1) - of[:, code] for of in sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.abs(part / whole - others_part / others_whole), dtype=np.float64)


def _told(rate: Rate, names: Sequence[str], is_small: Bools, far: Sequence[int], min_support: int) -> list[str]:
    """Which groups have no support, and which of them count all the same."""
    small: list[int] = np.flatnonzero(is_small).tolist()
    near = [names[code] for code in small if code not in far]
    told = []
    if near:
        told.append(f"With fewer than {min_support:,} {rate.of}, not judged on their own: {', '.join(near)}.")
    if far:
        those = ", ".join(names[code] for code in far)
        told.append(f"With fewer than {min_support:,} {rate.of}, but beyond chance: {those}.")
    return told
