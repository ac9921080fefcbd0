"""The pipeline that is trained and shipped: tokens, tags of the gazetteer, and a small network that finds names."""

from pathlib import Path
from typing import cast

import numpy as np
import spacy
from spacy.language import Language
from spacy.pipeline import EntityRecognizer
from spacy.tokenizer import Tokenizer
from spacy.util import compile_infix_regex
from thinc.api import NumpyOps

from ds_pipeline.masking.ner import gazetteer

WIDTH, DEPTH = 64, 4
LABELS = ("LOCATION", "ORG", "PERSON")
_MODEL = {
    "@architectures": "spacy.TransitionBasedParser.v2",
    "state_type": "ner",
    "extra_state_tokens": False,
    "hidden_width": 64,
    "maxout_pieces": 2,
    "use_upper": True,
    "nO": None,
    "tok2vec": {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": {
            "@architectures": "spacy.MultiHashEmbed.v2",
            "width": WIDTH,
            "attrs": ["NORM", "PREFIX", "SUFFIX", "SHAPE", "TAG"],
            "rows": [4000, 600, 2000, 1500, 500],
            "include_static_vectors": False,
        },
        "encode": {
            "@architectures": "spacy.MaxoutWindowEncoder.v2",
            "width": WIDTH,
            "depth": DEPTH,
            "window_size": 1,
            "maxout_pieces": 3,
        },
    },
}
_LARGEST_BLOCK = 31 << 20  # bytes; glibc adapts to blocks under 32 MB, those of the network have 4
_ALWAYS_APART = r"[\[\](){}<>=|;:,/\\\"“”„_~*#]"


def blank_pipeline(words: gazetteer.Gazetteer) -> Language:
    """Untrained, with a tokenizer that also takes records, tags and paths apart."""
    nlp = spacy.blank("en")
    infixes = [*(nlp.Defaults.infixes or ()), _ALWAYS_APART]
    cast(Tokenizer, nlp.tokenizer).infix_finditer = compile_infix_regex(infixes).finditer
    nlp.add_pipe("gazetteer")
    tagger_of(nlp).use(words)
    nlp.add_pipe("ner", config={"model": _MODEL})
    for label in LABELS:
        network_of(nlp).add_label(label)
    return nlp


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
