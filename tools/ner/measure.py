"""Figures of a model on WNUT-17: `python -m tools.ner.measure --help`.

Exact: a found span counts if start, end and label are those of the annotation. Overlap: if it shares a character
with an annotation of the same label. Speed: texts of 68 words, one process, one thread.
"""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc
from threadpoolctl import threadpool_limits

from ds_pipeline.masking.ner.finding import MODEL, Found, find_names
from ds_pipeline.masking.ner.pipeline import load_pipeline
from tools.ner.prose import LabelledText, read_wnut17

KINDS = ("PERSON", "LOCATION")
TEST_PART = "emerging.test.annotated"
_WORDS, _TEXTS = 68, 1_500


def network_only(doc: Doc) -> list[Found]:
    return [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents if ent.label_ in KINDS]


def recall_precision(gold: list[list[Found]], found: list[list[Found]], *, label: str) -> dict[str, float]:
    """Recall and precision, exact and by overlap, of one label; texts in the same order."""
    total: Counter[str] = Counter()
    for wanted, got in zip(gold, found, strict=True):
        ours = [span for span in got if span[2] == label]
        theirs = [span for span in wanted if span[2] == label]
        total["gold"] += len(theirs)
        total["found"] += len(ours)
        total["exact"] += len(set(ours) & set(theirs))
        total["gold_met"] += sum(any(a[0] < b[1] and b[0] < a[1] for b in ours) for a in theirs)
        total["found_met"] += sum(any(a[0] < b[1] and b[0] < a[1] for b in theirs) for a in ours)
    return {
        "recall": total["exact"] / total["gold"],
        "precision": total["exact"] / max(1, total["found"]),
        "recall_overlap": total["gold_met"] / total["gold"],
        "precision_overlap": total["found_met"] / max(1, total["found"]),
    }


def texts_per_second(nlp: Language, texts: Sequence[LabelledText]) -> float:
    """Throughput of the pipeline and `find_names` on texts of 68 words joined from those given."""
    words = " ".join(text.text for text in texts).split(" ")
    batch = [" ".join(words[start : start + _WORDS]) for start in range(0, len(words) - _WORDS, _WORDS)][:_TEXTS]
    with threadpool_limits(1), nlp.memory_zone():
        start = time.perf_counter()
        for doc in nlp.pipe(batch, batch_size=128):
            find_names(doc)
        return len(batch) / (time.perf_counter() - start)


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: recall and precision of the network, and with the rules, and the speed."""
    parser = argparse.ArgumentParser(prog="python -m tools.ner.measure", description=__doc__)
    parser.add_argument("--wnut17", type=Path, required=True, help=f"folder with {TEST_PART}")
    parser.add_argument("--model", type=Path, default=MODEL)
    parser.add_argument(
        "--held-out", action="store_true", help="the texts of `train --hold-out` instead of the test part"
    )
    options = parser.parse_args(arguments)
    if options.held_out:
        from tools.ner.train import wnut17_texts

        texts = wnut17_texts(options.wnut17, held_out=True)
    else:
        texts = read_wnut17(options.wnut17 / TEST_PART)
    nlp = load_pipeline(options.model)
    docs = list(nlp.pipe(text.text for text in texts))
    for name, find in (("network", network_only), ("with rules", find_names)):
        for label in KINDS:
            figures = recall_precision([text.spans for text in texts], [find(doc) for doc in docs], label=label)
            line = "  ".join(f"{key} {value:.3f}" for key, value in figures.items())
            sys.stdout.write(f"{name:10} {label:8} {line}\n")
    sys.stdout.write(f"{texts_per_second(nlp, texts):.0f} texts of {_WORDS} words per second\n")


if __name__ == "__main__":
    main()
