"""Who reads each key of requirements.yaml: a threshold that nothing reads would be a promise that nobody keeps."""

from __future__ import annotations

from typing import Literal

Reader = Literal["gate", "monitor", "budget", "holdout", "bounds", "slices", "baseline", "cross_validation", "document"]

# * is the name that the use case gives. A test fails when a key of the model is not here, or a key here is gone.
READERS: dict[str, Reader] = {
    "acceptance.*.metric": "gate",
    "acceptance.*.recall": "gate",
    "acceptance.*.precision": "gate",
    "acceptance.*.share": "gate",
    "acceptance.*.bins": "gate",
    "acceptance.*.over": "gate",
    "acceptance.*.attribute": "gate",
    "acceptance.*.minimum": "gate",
    "acceptance.*.maximum": "gate",
    "acceptance.*.bound": "gate",
    "acceptance.*.owner": "document",
    "data_minimums.training_rows": "gate",
    "data_minimums.training_positives": "gate",
    "data_minimums.owner": "document",
    "baseline.feature": "baseline",
    "baseline.higher_means_more_likely": "baseline",
    "holdout.weeks": "holdout",
    "holdout.min_rows": "gate",
    "holdout.min_positives": "gate",
    "bootstrap.resamples": "bounds",
    "bootstrap.confidence": "bounds",
    "bootstrap.seed": "bounds",
    "slices.min_support": "slices",
    "label_quality.max_undecided_share": "gate",
    "label_quality.owner": "document",
    "cross_validation.folds": "cross_validation",
    "cross_validation.below_rows": "cross_validation",
    "cross_validation.seed": "cross_validation",
    "monitoring.psi.warn": "monitor",
    "monitoring.psi.act": "monitor",
    "monitoring.psi.retrain_within_hours": "monitor",
    "monitoring.realized_quality.metric": "monitor",
    "monitoring.realized_quality.share": "monitor",
    "monitoring.realized_quality.warn": "monitor",
    "monitoring.realized_quality.critical": "monitor",
    "monitoring.realized_quality.min_weeks": "monitor",
    "monitoring.owner": "document",
    "budgets.run_minutes": "budget",
    "budgets.disk_gb": "budget",
    "budgets.owner": "document",
}
