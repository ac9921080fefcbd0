"""requirements.yaml: the thresholds, declared before any model; every key says who reads it, and which gate it sets."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from ds_pipeline.use_case.model import FileModel
from ds_pipeline.use_case.problem import Name, Text
from ds_pipeline.use_case.readers import Limit, Read, at_least, at_most, keys

Share = Annotated[float, Field(gt=0, lt=1)]
Seed = Annotated[int, Field(ge=0, lt=2**32)]
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]

GATE = Read("gate", "a model that misses it is refused")
FEWER = "with fewer a model is refused"
ASSESSABLE = Read("gate", "with fewer a model cannot be judged and is refused", eased_by="less")
HOLDOUT = Read("holdout", "decides on which weeks a model is judged", eased_by="less")
BOUNDS = Read("bounds", "decides how confidence intervals are made", eased_by="less")
SLICES = Read("slices", "decides which groups are shown and judged on their own", eased_by="more")
BASELINE = Read("baseline", "the rule a model has to beat")
COST = Read("cost", "decides what acting on a score costs")
FOLDS = Read("cross_validation", "decides how the further figures are made; they refuse no model")
BUDGET = Read("budget", "above it the check at the end of a run fails")

Owner = Annotated[Text, Read("document", "")]
LowerBound = Annotated[Literal["lower"], GATE]
PointValue = Annotated[Literal["point"], GATE]
GatedShare = Annotated[Share, GATE]
Amount = Annotated[float, Field(ge=0), COST]  # in the currency of cost, per row


class PrecisionAtRecall(FileModel):
    """Precision at the highest cut-off whose recall reaches the target."""

    metric: Annotated[Literal["precision_at_recall"], GATE]
    recall: GatedShare
    minimum: Annotated[Share, at_least("precision at the cut-off that finds {recall!p} of all positives")]
    bound: LowerBound
    owner: Owner


class PrecisionAtTop(FileModel):
    """Precision among the highest-scored share of each scoring date."""

    metric: Annotated[Literal["precision_at_top"], GATE]
    share: GatedShare
    minimum: Annotated[Share, at_least("precision among the highest-scored {share!p} of each week")]
    bound: LowerBound
    owner: Owner


class RecallAtPrecision(FileModel):
    """The largest recall of a cut-off whose precision reaches the target; 0 where none does."""

    metric: Annotated[Literal["recall_at_precision"], GATE]
    precision: GatedShare
    minimum: Annotated[Share, at_least("largest recall of a cut-off with a precision of at least {precision!p}")]
    bound: LowerBound
    owner: Owner


class RecallAtTop(FileModel):
    """Recall of the highest-scored share of each scoring date."""

    metric: Annotated[Literal["recall_at_top"], GATE]
    share: GatedShare
    minimum: Annotated[Share, at_least("recall of the highest-scored {share!p} of each week")]
    bound: LowerBound
    owner: Owner


RIVALS = {
    "baseline": "that of the baseline rule",
    "prior": "the share of positives, which is that of the prior",
    "logistic_regression": "that of a logistic regression on the same inputs",
    "champion": "that of the champion in force",
}


class AveragePrecisionGain(FileModel):
    """Average precision above that of something else, paired in each resample.

    Attributes:
        over: the baseline rule; the prior, which is the same score for everybody; a logistic regression on the same
            training rows and inputs; the champion in force, on the same rows.
        entities: all, or new: those that training did not know, ranked among themselves.
        minimum: below 0 for the champion only: the tolerance by which a candidate may be worse; 0 for new entities.
    """

    metric: Annotated[Literal["average_precision_gain"], GATE]
    over: Annotated[Literal["baseline", "prior", "logistic_regression", "champion"], GATE] = "baseline"
    entities: Annotated[Literal["all", "new"], GATE] = "all"
    minimum: Annotated[float, Field(gt=-1, lt=1), at_least("average precision above {rival}{of_whom}")]
    bound: LowerBound
    owner: Owner

    @property
    def rival(self) -> str:
        return RIVALS[self.over]

    @property
    def of_whom(self) -> str:
        return ", of entities that training did not know" if self.entities == "new" else ""

    @model_validator(mode="after")
    def _is_a_gain(self) -> AveragePrecisionGain:
        if self.over == "champion" or self.minimum > 0 or (self.entities == "new" and self.minimum == 0):
            return self
        least = "0 or more" if self.entities == "new" else "above 0"
        raise ValueError(f"minimum must be {least}, found {self.minimum:g}: only the champion has a tolerance")


class CostSaving(FileModel):
    """What acting on some rows saves per 1,000 rows, against the better of what needs no model.

    Attributes:
        share: the highest-scored share of each week is acted on, against as many by lot and nobody: the list has its
            length. None: whoever reaches the score from which on acting is cheapest, against everybody and nobody; that
            score is chosen on the validation weeks of the training, never on the holdout.
    """

    metric: Annotated[Literal["cost_saving"], GATE]
    share: Annotated[Share | None, GATE] = None
    minimum: Annotated[
        float,
        Field(ge=0),
        at_least("saved per 1,000 rows by acting on {on_whom}, against the better of acting on {others} and on nobody"),
    ]  # in the currency of cost
    bound: LowerBound
    owner: Owner

    @property
    def on_whom(self) -> str:
        if self.share is None:
            return "whoever reaches the cheapest score"
        return f"the highest-scored {100 * self.share:.4g} % of each week"

    @property
    def others(self) -> str:
        return "all" if self.share is None else "as many by lot"


class ExpectedCalibrationError(FileModel):
    """Mean distance of score and outcome over equal-frequency bins; its bootstrap is biased upward, so no bound."""

    metric: Annotated[Literal["expected_calibration_error"], GATE]
    bins: Annotated[int, Field(ge=2, le=100), GATE]
    maximum: Annotated[Share, at_most("mean distance of score and outcome over {bins} bins")]
    bound: PointValue
    owner: Owner


class GroupDifference(FileModel):
    """The largest difference between groups of a protected attribute; a bootstrap would bias it upward, so no bound."""

    difference: ClassVar[str]
    metric: str
    attribute: Annotated[Name, GATE]
    share: GatedShare
    maximum: Annotated[
        Share,
        at_most(
            "largest difference of {difference} between groups of {attribute}, "
            "at the highest-scored {share!p} of each week"
        ),
    ]
    bound: PointValue
    owner: Owner


class FalsePositiveRateDifference(GroupDifference):
    difference = "the false positive rate"
    metric: Annotated[Literal["false_positive_rate_difference"], GATE]


class DemographicParityDifference(GroupDifference):
    difference = "the share selected"
    metric: Annotated[Literal["demographic_parity_difference"], GATE]


class EqualizedOddsDifference(GroupDifference):
    difference = "the false or the true positive rate"
    metric: Annotated[Literal["equalized_odds_difference"], GATE]


class CalibrationDifference(GroupDifference):
    """Of mean score minus share of positives, over all rows of a group; the share is that of the table beside it."""

    metric: Annotated[Literal["calibration_difference"], GATE]
    maximum: Annotated[
        Share, at_most("largest difference of mean score minus share of positives between groups of {attribute}")
    ]


HoldoutMetric = (
    PrecisionAtRecall
    | PrecisionAtTop
    | RecallAtPrecision
    | RecallAtTop
    | AveragePrecisionGain
    | CostSaving
    | ExpectedCalibrationError
)
# What tells at a confidence bound that the scores rank. Without one of them, not over the champion alone, which a first
# model has not got, nothing tells a model from noise.
Ranking = PrecisionAtRecall | PrecisionAtTop | RecallAtPrecision | RecallAtTop | AveragePrecisionGain
Threshold = Annotated[
    HoldoutMetric
    | FalsePositiveRateDifference
    | DemographicParityDifference
    | EqualizedOddsDifference
    | CalibrationDifference,
    Field(discriminator="metric"),
]


class BaselineRule(FileModel):
    """The naive rule to beat: a feature taken as the score."""

    feature: Annotated[Text, BASELINE]
    higher_means_more_likely: Annotated[bool, BASELINE]


class Holdout(FileModel):
    """The newest matured weeks, kept away from training."""

    weeks: Annotated[int, Field(ge=1, le=104), HOLDOUT]
    min_rows: Annotated[Count, ASSESSABLE]
    min_positives: Annotated[Count, ASSESSABLE]
    max_configurations: Annotated[
        Count | None,
        at_most(
            "configurations that were ever judged on one of the holdout weeks",
            "holdout_configurations",
            effect="above it a model is refused until new weeks mature or a person allows it",
        ),
    ] = None


class Bootstrap(FileModel):
    """How the bounds are made: resamples of whole entities, because an entity is in several weeks."""

    resamples: Annotated[int, Field(ge=100, le=100_000), BOUNDS]
    confidence: Annotated[float, Field(gt=0.5, lt=1), BOUNDS]  # one-sided
    seed: Annotated[Seed, Read("bounds", "decides how confidence intervals are made")]


class DataMinimums(FileModel):
    """Fewer training rows or positives than this refuse the candidate."""

    training_rows: Annotated[Count, at_least("rows to train on", "training_rows", fact="training_rows", effect=FEWER)]
    training_positives: Annotated[
        Count, at_least("positives to train on", "training_positives", fact="training_positives", effect=FEWER)
    ]
    owner: Owner


class Cost(FileModel):
    """What a decision on one row costs, all in one currency and per row; what is not named costs nothing."""

    currency: Annotated[Text, COST]
    campaign_cost: Amount  # of acting, whatever happens
    false_positive: Amount  # on top of it, where a negative was acted on
    false_negative: Amount  # of a positive that was not acted on
    value_saved: Amount  # expected of a positive that was acted on
    owner: Owner


class ShuffledLabels(FileModel):
    """Fits on permuted labels, which must do no better than chance on the validation weeks."""

    permutations: Annotated[int, Field(ge=5, le=1000), Read("gate", "so many fits on shuffled labels", eased_by="less")]
    max_deviations: Annotated[
        Positive,
        at_most(
            "permutation standard deviations between fits on shuffled labels and chance, on the validation weeks",
            "shuffled_labels",
        ),
    ]
    seed: Annotated[Seed, Read("gate", "decides how labels are shuffled")]


class Leakage(FileModel):
    """What no honest feature can do."""

    max_single_feature_auc: Annotated[
        float,
        Field(gt=0.5, lt=1),
        at_most(
            "AUC of the strongest single input on the training weeks, or on the weeks of the holdout",
            "single_feature_auc",
            effect="above it the training stops",
        ),
    ]
    max_single_feature_rise: Annotated[
        Share | None,
        at_most("rise of the AUC of a single input from the training weeks to a holdout week", "single_feature_rise"),
    ] = None
    shuffled_labels: ShuffledLabels | None = None
    owner: Owner


class LabelQuality(FileModel):
    """What labels may look like (0..1 of all)."""

    max_undecided_share: Annotated[
        float,
        Field(ge=0, lt=1),
        at_most("share of holdout rows whose label is undecided", "undecided_labels", fact="undecided_share"),
    ]
    max_rate_shift: Annotated[
        Share | None,
        at_most("largest shift of the share of positives of a holdout week or segment", "label_rate_shift"),
    ] = None
    max_conflicting_duplicates: Annotated[
        Share | None,
        at_most("share of training rows nearly the same as one with the opposite label", "conflicting_duplicates"),
    ] = None
    max_rare_value_share: Annotated[
        Share | None,
        at_most("largest share of a label's training rows that hang on one rare value", "rare_value_share"),
    ] = None
    max_estimated_errors: Annotated[
        Share | None,
        at_most("share of training rows whose label out-of-fold scores contradict", "estimated_label_errors"),
    ] = None
    max_random_errors: Annotated[
        Share | None,
        at_most("share of training labels that can be turned at random, as far as scores tell", "random_label_errors"),
    ] = None
    owner: Owner


class Stability(FileModel):
    """Whether the same choice gives the same model, and nearly the same inputs nearly the same scores.

    The chosen configuration is fitted in two fresh processes, and loaded again; both are compared without tolerance.
    """

    distinct_refits: ClassVar = at_most(
        "different models from the same fit in fresh processes", "distinct_refits", limit=1
    )
    reload_difference: ClassVar = at_most(
        "largest change of a score by saving and loading the model", "reload_difference", limit=0
    )
    seeds: Annotated[int, Field(ge=2, le=50), Read("gate", "so many fits with other seeds", eased_by="less")]
    max_standard_deviation: Annotated[
        Share, at_most("standard deviation of the average precision over {seeds} seeds", "seed_deviation")
    ]
    perturbation: Annotated[
        Share, Read("gate", "how far an input is moved, in its standard deviations", eased_by="less")
    ]
    max_score_change: Annotated[
        Share,
        at_most("change of the score when an input moves by {perturbation:g} standard deviations", "score_change"),
    ]
    owner: Owner


class MaturedFitLimits(FileModel):
    """How far the model that serves may be from the judged one, where training.yaml fits it on all matured weeks.

    Compared on the rows of the holdout, which it was fitted on: they tell whom it names, not what it is worth.
    """

    matured_fit_models: ClassVar = at_most(
        "different models from the same fit on all matured weeks", "matured_fit_models", limit=1
    )
    min_overlap: Annotated[
        Share,
        at_least(
            "share of the judged model's list that the model on all matured weeks names too", "matured_fit_overlap"
        ),
    ]
    max_score_change: Annotated[
        Share, at_most("mean change of the score by fitting on all matured weeks", "matured_fit_change")
    ]
    owner: Owner


class Operations(FileModel):
    """What serving the model may take, measured on the bundle as it would be loaded."""

    min_rows_per_second: Annotated[Positive, at_least("rows scored per second", "rows_per_second")]
    max_memory_mb: Annotated[Positive, at_most("MB at the peak of loading the model and scoring", "memory_mb")]
    max_bundle_mb: Annotated[Positive, at_most("MB of the files of the candidate", "bundle_mb")]
    max_load_seconds: Annotated[Positive, at_most("seconds to verify and load the model", "load_seconds")]
    contract_differences: ClassVar = at_most(
        "columns of the scores that differ from what contract.yaml promises", "contract_differences", limit=0
    )
    owner: Owner


class CrossValidation(FileModel):
    """Where few rows were trained on: refits on fixed folds of entities, to see how far the figures vary."""

    folds: Annotated[int, Field(ge=2, le=20), FOLDS]
    below_rows: Annotated[
        Count, Read("cross_validation", "with fewer training rows further figures are made; they refuse no model")
    ]
    seed: Annotated[Seed, FOLDS]


class PsiLimits(FileModel):
    """Population stability index of a feature or the score against training.

    Attributes:
        retrain_within_hours: once act is reached, a new model is due so many hours after the scoring date begins.
    """

    warn: Annotated[Positive, Read("monitor", "at or above it the weekly check warns")]
    act: Annotated[Positive, Read("monitor", "at or above it the weekly check fails and a new model is due{within}")]
    retrain_within_hours: Annotated[
        Count | None, Read("monitor", "how long the new model may take, from the beginning of the scoring date on")
    ] = None

    @property
    def within(self) -> str:
        return f" within {self.retrain_within_hours} hours" if self.retrain_within_hours else ""

    @model_validator(mode="after")
    def _is_ordered(self) -> PsiLimits:
        if self.act <= self.warn:
            raise ValueError(f"act ({self.act}) must be above warn ({self.warn})")
        return self


class RealizedQualityLimits(FileModel):
    """What the highest-scored share turned out to be worth, once the outcome is known: below warn, below critical.

    Attributes:
        min_weeks: how many of the newest matured weeks are judged together; fewer are not judged.
    """

    metric: Annotated[
        Literal["precision_at_top"],
        Read("monitor", "the share of them for whom the target came true, once that is known"),
    ]
    share: Annotated[Share, Read("monitor", "who is judged: the highest-scored of each week whom no campaign reached")]
    warn: Annotated[Share, Read("monitor", "below it the weekly check warns")]
    critical: Annotated[Share, Read("monitor", "below it the weekly check fails")]
    min_weeks: Annotated[
        int, Field(ge=1, le=52), Read("monitor", "so many of the newest weeks with a known outcome are judged together")
    ] = 1
    max_lost_share: Annotated[
        Share | None,
        Read(
            "monitor", "of a scored week, rounded up, may have left the population since; they are left out and counted"
        ),
    ] = None

    @model_validator(mode="after")
    def _is_ordered(self) -> RealizedQualityLimits:
        if self.critical >= self.warn:
            raise ValueError(f"critical ({self.critical}) must be below warn ({self.warn})")
        return self


class Monitoring(FileModel):
    """Limits of the weekly monitors."""

    psi: PsiLimits
    realized_quality: RealizedQualityLimits | None = None
    owner: Owner


class Budgets(FileModel):
    """What a whole run may take."""

    run_minutes: Annotated[Positive, BUDGET]
    disk_gb: Annotated[Positive, BUDGET]
    owner: Owner


class Slices(FileModel):
    """Groups smaller than this pool into "other"; a difference between groups counts what its rate is of."""

    min_support: Annotated[Count, SLICES]


class Requirements(FileModel):
    """What the stakeholder asks of any model."""

    acceptance: Annotated[
        dict[Name, Threshold], Field(min_length=1, title="Acceptance: what the model is worth on the holdout")
    ]
    data_minimums: Annotated[DataMinimums, Field(title="Data and holdout")]
    baseline: BaselineRule
    holdout: Annotated[Holdout, Field(title="Data and holdout")]
    bootstrap: Bootstrap
    slices: Slices
    cost: Cost | None = None
    leakage: Annotated[Leakage | None, Field(title="Leakage: nothing knows the outcome")] = None
    label_quality: Annotated[LabelQuality | None, Field(title="Labels")] = None
    stability: Annotated[Stability | None, Field(title="Stability: the same again")] = None
    matured_fit: Annotated[MaturedFitLimits | None, Field(title="Stability: the same again")] = None
    operations: Annotated[Operations | None, Field(title="Operations: what serving takes")] = None
    cross_validation: CrossValidation | None = None
    monitoring: Monitoring
    budgets: Budgets

    @property
    def asks_for_ranking(self) -> bool:
        """The floor: with data_minimums and holdout, which no file is without, it stays once a holdout was looked at.

        A first model has no champion to be compared with, and a gain of nothing on new entities asks for no more than
        chance now and then gives.
        """
        return any(
            isinstance(gate, Ranking)
            and getattr(gate, "over", None) != "champion"
            and getattr(gate, "entities", "all") == "all"
            for gate in self.acceptance.values()
        )


# The gates with a name of their own, and the part of the file that sets each; no threshold may have it.
FIXED_GATES = {
    read.name: path.partition(".")[0] for path, read in keys(Requirements) if isinstance(read, Limit) and read.name
}
