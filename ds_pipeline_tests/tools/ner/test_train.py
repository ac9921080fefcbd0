"""Training is exact: the same documents make the same bytes; and what is shipped is what the model card says."""

import json
import re
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

from spacy.tokens import Doc

from ds_pipeline.masking.ner.finding import MODEL
from ds_pipeline.masking.ner.gazetteer import Gazetteer
from tools.ner.corpus import to_doc
from tools.ner.prose import LabelledText
from tools.ner.train import digest, save, train
from tools.ner.untrained import blank_pipeline

CARD = MODEL / "MODEL_CARD.md"


def trained(folder: Path, *, steps: int) -> str:
    nlp = blank_pipeline(Gazetteer({"ann": "F", "oslo": "P"}))
    texts = [
        LabelledText("Ann is in Oslo", [(0, 3, "PERSON"), (10, 14, "LOCATION")]),
        LabelledText("It rained a lot", []),
    ]
    docs: Iterator[Doc] = cycle([to_doc(nlp, text) for text in texts])
    train(nlp, docs, steps=steps, seed=5)
    return save(nlp, folder)


def test_two_runs_make_the_same_bytes_and_one_step_more_does_not(tmp_path: Path) -> None:
    first, second, longer = (trained(tmp_path / str(run), steps=steps) for run, steps in enumerate((2, 2, 3)))

    assert first == second != longer


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
