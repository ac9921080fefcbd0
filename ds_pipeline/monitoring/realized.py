"""Realized quality: the predictions that were logged, held against what then happened.

A customer whom the campaign reached is marked as treated: the campaign is there to change the outcome, so that outcome
says less about the model. Every figure stands here twice, for everyone and for those who were not treated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import pandas as pd

from ds_pipeline.errors import ScoringError
from ds_pipeline.figures import declared_percent
from ds_pipeline.model.top_share import top_count
from ds_pipeline.scoring.score import CAMPAIGN
from ds_pipeline.use_case.requirements import RealizedQualityLimits

CHANCE = 0.005  # that the check fails although the scores are worth what was asked
Status = Literal["good", "warn", "critical", "not_judged", "not_assessable"]


@dataclass(frozen=True)
class Quality:
    """What scores turned out to be worth; None where there was no row, or one class only, to tell it from."""

    rows: int
    base_rate: float | None
    average_precision: float | None
    campaign_precision: float | None
    mean_score: float | None


@dataclass(frozen=True)
class RealizedQuality:
    """One scoring date: everyone with a label, and of those the ones who were not treated.

    Attributes:
        lost: scored people who are not in the population of the date any more, since its features were made anew.
    """

    everyone: Quality
    untreated: Quality
    treated: int
    undecided: int
    lost: int = 0

    def figures(self) -> dict[str, float]:
        """All that is known, by name; those of the untreated only where somebody was treated."""
        figures = asdict(self.everyone) | {"treated": self.treated, "undecided": self.undecided}
        if self.treated:
            figures |= {f"{name}_untreated": value for name, value in asdict(self.untreated).items()}
        figures |= {"lost": self.lost} if self.lost else {}
        return {name: value for name, value in figures.items() if value is not None}

    @property
    def in_words(self) -> str:
        """One clause for people."""
        everyone, lost = self.everyone, f"; {self.lost:,} are not in the population any more" if self.lost else ""
        if everyone.base_rate is None:
            return f"all {self.undecided:,} outcomes are undecided{lost}"
        campaign = "-" if everyone.campaign_precision is None else f"{everyone.campaign_precision:.1%}"
        treated = f"; {self.treated:,} were treated" if self.treated else ""
        return f"{campaign} of the campaign were positive, {everyone.base_rate:.1%} of all{treated}{lost}"


@dataclass(frozen=True)
class Verdict:
    """How the limits judge the newest matured weeks.

    Attributes:
        status: not_judged: too few weeks have matured; not_assessable: all of the highest-scored were treated. It is
            critical only where scores that still keep `warn` would hardly ever come out as low.
        precision: among the highest-scored who were not treated; this is what the limits are compared with.
        precision_of_everyone: the same with those who were treated.
        rows: the highest-scored who were not treated, over all weeks.
        treated: the highest-scored who were.
        may_be_chance: below critical, and only a warning: of so few rows it says little.
    """

    status: Status
    precision: float | None
    precision_of_everyone: float | None
    rows: int
    treated: int
    weeks: int
    may_be_chance: bool = False

    @property
    def is_kept(self) -> bool:
        """Nothing to act on: the limits are kept, or it is too early to say."""
        return self.status in ("good", "not_judged")

    @property
    def in_words(self) -> str:
        """One clause for people."""
        if self.status == "not_judged":
            return f"limits not judged yet: too few matured weeks ({self.weeks})"
        if self.precision is None:
            return f"limits cannot be judged: {self.treated:,} of the highest-scored were treated, none were not"
        who = f"the {self.rows:,} highest-scored{' who were not treated' if self.treated else ''}"
        few = " (below critical, which chance alone may give with so few)" if self.may_be_chance else ""
        return f"{self.precision:.1%} of {who} were positive: {self.status}{few}"


def join_outcomes(
    scores: pd.DataFrame, labels: pd.DataFrame, *, entity: str, max_lost_share: float = 0.0
) -> pd.DataFrame:
    """The logged predictions of one scoring date with what happened.

    Args:
        scores: the prediction log of the date.
        labels: its matured labels, one row per entity: label (0, 1, or null for undecided) and, where the use case
            says it, is_treated.
        max_lost_share: of the predictions, rounded up, that may have no row among the labels.

    Returns:
        The rows of scores plus label (float; NaN for undecided and lost), is_treated (bool; null counts as not treated)
        and is_lost (bool).

    Raises:
        ScoringError: more logged predictions than that have no row among the labels.
    """
    known = [name for name in ("label", "is_treated") if name in labels]
    joined = scores.merge(
        labels[[entity, *known]], on=entity, how="left", validate="one_to_one", indicator="is_labelled"
    )
    is_lost = joined["is_labelled"] != "both"
    allowed = int(top_count(max_lost_share, len(joined)))
    if is_lost.sum() > allowed:
        raise ScoringError(
            f"{is_lost.sum():,} of {len(joined):,} logged predictions have no label, at most {allowed:,} may be "
            "without (realized_quality.max_lost_share in requirements.yaml). The population of the scoring date has "
            "changed since it was scored; its quality cannot be judged."
        )
    treated = joined["is_treated"].eq(True) if "is_treated" in known else pd.Series(False, index=joined.index)
    return joined.drop(columns="is_labelled").assign(
        label=joined["label"].astype("Float64").to_numpy(dtype=float, na_value=np.nan),
        is_treated=treated.fillna(False).astype(bool),
        is_lost=is_lost,
    )


def realized_quality(outcomes: pd.DataFrame) -> RealizedQuality:
    """The figures of one scoring date, from join_outcomes; undecided rows are counted and left out."""
    decided = outcomes[outcomes["label"].notna()]
    return RealizedQuality(
        everyone=_quality(decided),
        untreated=_quality(decided[~decided["is_treated"]]),
        treated=int(decided["is_treated"].sum()),
        undecided=len(outcomes) - len(decided) - int(outcomes["is_lost"].sum()),
        lost=int(outcomes["is_lost"].sum()),
    )


def judge_realized(weeks: Sequence[pd.DataFrame], limits: RealizedQualityLimits) -> Verdict:
    """The limits applied to the newest matured weeks together.

    Args:
        weeks: one frame per scoring date, from join_outcomes; fewer than min_weeks are not judged.
    """
    highest = [_highest(week, limits.share) for week in weeks]
    top = pd.concat(highest) if highest else pd.DataFrame({"label": [], "is_treated": []}).astype({"is_treated": bool})
    untreated = top[~top["is_treated"]]
    precision = _mean(untreated["label"])
    status = _status(untreated["label"], len(weeks), limits)
    return Verdict(
        status=status,
        precision=precision,
        precision_of_everyone=_mean(top["label"]),
        rows=len(untreated),
        treated=len(top) - len(untreated),
        weeks=len(weeks),
        may_be_chance=status == "warn" and precision is not None and precision < limits.critical,
    )


def describe_limits(limits: RealizedQualityLimits) -> str:
    """What the limits judge and when they complain, as a sentence."""
    weeks = f"{limits.min_weeks} newest matured weeks together" if limits.min_weeks > 1 else "newest matured week"
    share, warn, critical = map(declared_percent, (limits.share, limits.warn, limits.critical))
    return (
        f"Of the highest-scored {share} of the {weeks}, as far as no campaign reached them: warns "
        f"when fewer than {warn} were positive, fails below {critical}, unless so few rows may come out so by chance."
    )


def _status(labels: pd.Series, weeks: int, limits: RealizedQualityLimits) -> Status:
    from scipy.stats import binom

    if weeks < limits.min_weeks:
        return "not_judged"
    precision = _mean(labels)
    if precision is None:
        return "not_assessable"
    if precision >= limits.warn:
        return "good"
    by_chance = binom.cdf(labels.sum(), len(labels), limits.warn)  # as low as this, where the limit is still kept
    return "critical" if precision < limits.critical and by_chance < CHANCE else "warn"


def _highest(week: pd.DataFrame, share: float) -> pd.DataFrame:
    """The highest-scored share of one date, as it was ranked then, as far as the outcome is decided."""
    quota = top_count(share, week["rank"].max())
    return week[(week["rank"] <= quota) & week["label"].notna()]


def _quality(rows: pd.DataFrame) -> Quality:
    from sklearn.metrics import average_precision_score

    label, score = rows["label"], rows["score"]
    return Quality(
        rows=len(rows),
        base_rate=_mean(label),
        average_precision=float(average_precision_score(label, score)) if label.nunique() == 2 else None,
        campaign_precision=_mean(label[rows["decision"] == CAMPAIGN]),
        mean_score=_mean(score),
    )


def _mean(values: pd.Series) -> float | None:
    return float(values.mean()) if len(values) else None
