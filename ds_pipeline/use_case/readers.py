"""Who reads each key of requirements.yaml: a threshold that nothing reads would be a promise that nobody keeps."""

from __future__ import annotations

from typing import Literal

Reader = Literal["gate", "monitor", "budget", "holdout", "bounds", "slices", "baseline", "document"]

# * is the name that the use case gives. A test fails when a key of the model is not here, or a key here is gone.
READERS: dict[str, Reader] = {
    "acceptance.*.metric": "gate",
    "acceptance.*.recall": "gate",
    "acceptance.*.share": "gate",
    "acceptance.*.bins": "gate",
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
    "monitoring.psi.warn": "monitor",
    "monitoring.psi.act": "monitor",
    "monitoring.owner": "document",
    "budgets.run_minutes": "budget",
    "budgets.disk_gb": "budget",
    "budgets.owner": "document",
}
