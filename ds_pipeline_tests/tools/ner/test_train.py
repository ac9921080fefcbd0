"""Training is exact: the same documents make the same bytes; and what is shipped is what the model card says."""

import json
import re
from pathlib import Path

from ds_pipeline.masking.ner.finding import MODEL
from tools.ner.train import digest

CARD = MODEL / "MODEL_CARD.md"


def test_the_digest_is_of_names_and_bytes(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    before = digest(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")

    assert digest(tmp_path) != before


def test_the_shipped_files_are_those_of_the_model_card() -> None:
    stated = re.findall(r"^sha256 ([0-9a-f]{64})$", CARD.read_text(encoding="utf-8"), flags=re.M)

    assert stated == [digest(MODEL)]


def test_the_shipped_files_are_small_and_name_no_path() -> None:
    files = [path for path in MODEL.rglob("*") if path.is_file()]
    settings = (MODEL / "config.cfg").read_text() + json.dumps(json.loads((MODEL / "meta.json").read_text()))

    assert sum(path.stat().st_size for path in files) < 8_000_000
    assert not re.search(r"/(?:home|root|tmp|work|Users)\b", settings)
