"""Material of which a test knows only what its check may look at."""

from __future__ import annotations

from dataclasses import fields
from types import SimpleNamespace
from typing import Any

from ds_pipeline.evaluation.checks.material import Material
from ds_pipeline.use_case.requirements import LabelQuality


def material(**known: Any) -> Material:
    """What a test gives; everything else is None."""
    return Material(**dict.fromkeys((field.name for field in fields(Material)), None) | known)


def of_labels(features: Any = None, *, min_support: int = 50, seed: int = 7, **known: Any) -> Material:
    """Material of a use case that limits everything about labels; its entity is token."""
    limits = LabelQuality(
        max_undecided_share=0.1, max_rate_shift=0.1, max_conflicting_duplicates=0.1, max_rare_value_share=0.1,
        max_estimated_errors=0.1, max_random_errors=0.1, owner="ds",
    )  # fmt: skip
    requirements = SimpleNamespace(
        label_quality=limits,
        slices=SimpleNamespace(min_support=min_support),
        bootstrap=SimpleNamespace(seed=seed),
    )
    use_case = SimpleNamespace(requirements=requirements, features=features, problem=SimpleNamespace(entity="token"))
    return material(use_case=use_case, **known)
