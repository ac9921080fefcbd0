"""The pipeline that is trained: how it reads words, and the shape of its network."""

from typing import cast

import spacy
from spacy.language import Language
from spacy.tokenizer import Tokenizer
from spacy.util import compile_infix_regex

from ds_pipeline.masking.ner.gazetteer import Gazetteer
from ds_pipeline.masking.ner.pipeline import network_of, tagger_of

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
_ALWAYS_APART = r"[\[\](){}<>=|;:,/\\\"“”„_~*#]"


def blank_pipeline(words: Gazetteer) -> Language:
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
