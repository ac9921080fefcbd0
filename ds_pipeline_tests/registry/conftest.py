"""A registry with real keys and a tiny real model."""

import io
import json
import platform
from collections.abc import Callable
from datetime import UTC, date, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from ds_pipeline.digests import digest_bytes
from ds_pipeline.registry.promotion import Promotion
from ds_pipeline.registry.registry import Registry
from ds_pipeline.registry.signing import SigningKeys

AT = datetime(2011, 12, 5, 9, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def model_bytes() -> bytes:
    model = LogisticRegression().fit(np.array([[0.0], [1.0], [2.0], [3.0]]), [0, 0, 1, 1])
    sink = io.BytesIO()
    joblib.dump(model, sink)
    return sink.getvalue()


@pytest.fixture
def make_files(model_bytes: bytes) -> Callable[..., dict[str, bytes]]:
    """The files of a bundle; the name of the candidate makes them differ."""

    def make(candidate: str = "first", **lineage: Any) -> dict[str, bytes]:
        here = {
            "python": platform.python_version(),
            "packages": {"scikit-learn": metadata.version("scikit-learn")},
        }
        return {
            "model.joblib": model_bytes,
            "lineage.json": json.dumps(here | lineage).encode(),
            "metrics.json": json.dumps({"candidate": candidate}).encode(),
            "use_case/features/recency.sql": b"select 1",
        }

    return make


@pytest.fixture
def keys(tmp_path: Path) -> SigningKeys:
    made = SigningKeys(tmp_path / ".keys")
    made.create_if_first(registry_is_empty=True)
    return made


@pytest.fixture
def registry(tmp_path: Path, keys: SigningKeys) -> Registry:
    return Registry(tmp_path / "registry", keys, use_case="mini")


@pytest.fixture
def promote(registry: Registry, make_files: Callable[..., dict[str, bytes]]) -> Callable[..., Promotion]:
    """Promote a candidate by its name."""

    def run(candidate: str, *, as_of: date = date(2011, 12, 5), replace_lost: bool = False, **more: Any) -> Promotion:
        return registry.promote(
            make_files(candidate),
            as_of=as_of,
            candidate_digest=digest_bytes(candidate.encode()),
            decision_digest=digest_bytes(f"decision on {candidate}".encode()),
            actor="weekly run",
            reason="all gates passed",
            at=AT,
            replace_lost=replace_lost,
            **more,
        )

    return run


@pytest.fixture
def go_back(registry: Registry) -> Callable[..., str]:
    """Roll back; the version that is in force then."""

    def run(to: str | None = None, reason: str = "complaints from the branches") -> str:
        return registry.rollback(to, reason=reason, actor="ann", at=AT).version

    return run
