"""Material of which a test knows only what its check may look at."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from ds_pipeline.evaluation.checks.material import Material


def material(**known: Any) -> Material:
    """What a test gives; everything else is None."""
    return Material(**dict.fromkeys((field.name for field in fields(Material)), None) | known)
