"""Trains the model that is shipped: `python -m tools.ner.train --help`.

Everything is drawn from one seed and in one thread: the same lists, the same libraries and the same processor type
make the same bytes. Needs the packages of the extra `dev`.
"""

import argparse
import hashlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Adam, fix_random_seed, warmup_linear
from threadpoolctl import threadpool_limits

from ds_pipeline.masking.ner.pipeline import network_of, use_numpy_products
from tools.ner.corpus import stream
from tools.ner.prose import LabelledText, read_wnut17, read_wordnet
from tools.ner.untrained import blank_pipeline
from tools.ner.word_lists import build_gazetteer

SEED = 17
STEPS = 4_000
WARM_UP, LEARN_RATE, DROPOUT = 300, 0.0015, 0.12
FIRST_BATCH, LAST_BATCH = 300, 1_000  # words
HELD_OUT = 8  # every eighth text of WNUT-17, for choosing between models
TRAINING_PARTS = ("wnut17train.conll", "emerging.dev.conll")


def wnut17_texts(folder: Path, *, held_out: bool) -> list[LabelledText]:
    """The training and development parts without (or only) every eighth text; the test part is never read here."""
    texts = [text for part in TRAINING_PARTS for text in read_wnut17(folder / part)]
    return [text for position, text in enumerate(texts) if (position % HELD_OUT == 0) == held_out]


def train(nlp: Language, docs: Iterator[Doc], *, steps: int, seed: int) -> None:
    """Fit the network to the documents; at the end it holds the average of its weights."""
    fix_random_seed(seed)
    sample = [_example(next(docs)) for _ in range(200)]
    ner = network_of(nlp)
    ner.initialize(lambda: sample, nlp=nlp)
    use_numpy_products(nlp)
    optimizer = Adam(
        learn_rate=cast(Any, warmup_linear(LEARN_RATE, min(WARM_UP, steps), steps + 1)),
        L2=0.01, L2_is_weight_decay=True, grad_clip=1.0, use_averages=True,
    )  # fmt: skip
    loss = 0.0
    for step in range(1, steps + 1):
        size = min(LAST_BATCH, FIRST_BATCH + step // 2)
        loss += ner.update(_batch(docs, size), drop=DROPOUT, sgd=optimizer)["ner"]
        optimizer.step_schedules()
        if step % 500 == 0:
            sys.stderr.write(f"step {step} of {steps}: loss {loss / 500:.1f}\n")
            loss = 0.0
    with ner.model.use_params(optimizer.averages):
        averaged = ner.model.to_bytes()
    ner.model.from_bytes(averaged)


def _example(doc: Doc) -> Example:
    predicted = doc.copy()
    predicted.set_ents([], default="missing")
    return Example(predicted, doc)


def _batch(docs: Iterator[Doc], size: int) -> list[Example]:
    batch, words = [], 0
    while words < size:
        doc = next(docs)
        batch.append(_example(doc))
        words += len(doc)
    return batch


def save(nlp: Language, folder: Path) -> str:
    """Write the model and return one digest over the names and bytes of its files."""
    nlp.to_disk(folder, exclude=["vocab"])
    return digest(folder)


def digest(folder: Path) -> str:
    """SHA-256 over the relative names and the bytes of all files but the model card, in the order of the names."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "MODEL_CARD.md"):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def main(arguments: Sequence[str] | None = None) -> None:
    """The command: read, train, write, print the digest."""
    parser = argparse.ArgumentParser(prog="python -m tools.ner.train", description=__doc__)
    parser.add_argument(
        "--wnut17", type=Path, required=True, help="folder with wnut17train.conll and emerging.dev.conll"
    )
    parser.add_argument("--wordnet", type=Path, required=True, help="folder with data.noun (Debian: wordnet-base)")
    parser.add_argument("--output", type=Path, required=True, help="folder for the model; replaced if it is there")
    parser.add_argument("--steps", type=int, default=STEPS)
    parser.add_argument("--hold-out", action="store_true", help="train without every eighth text of WNUT-17")
    options = parser.parse_args(arguments)
    wnut17 = wnut17_texts(options.wnut17, held_out=False)
    if not options.hold_out:
        wnut17 += wnut17_texts(options.wnut17, held_out=True)
    nlp = blank_pipeline(build_gazetteer(options.wordnet))
    docs = stream(nlp, wnut17=wnut17, wordnet=read_wordnet(options.wordnet), seed=SEED)
    with threadpool_limits(1):  # sums of floats differ between runs with two threads
        train(nlp, docs, steps=options.steps, seed=SEED)
    sys.stdout.write(f"{save(nlp, options.output)}\n")


if __name__ == "__main__":
    main()
