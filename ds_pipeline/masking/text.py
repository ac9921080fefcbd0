"""Free text with its identifiers replaced by their kind: 'call <PHONE> or mail <EMAIL>'.

Finding is in recognizers.py; here a text is cut into pieces of bounded length, what was found is joined, and
replaced in the stored characters. Presidio is imported on the first text, not with this module.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property, lru_cache
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from ds_pipeline.errors import SourceError
from ds_pipeline.masking.folding import View, repair, views

if TYPE_CHECKING:
    from presidio_analyzer import AnalyzerEngine, EntityRecognizer

_CHUNK = 20_000
_OVERLAP = 1_000  # longer than an identifier with the words that announce it
_CACHED_LINES = 10_000


class _Found(NamedTuple):
    start: int
    end: int
    score: float
    kind: str


class TextRedactor:
    """Replaces identifiers in texts; `entities` counts what was replaced so far, by kind and never by value."""

    def __init__(self, recognizers: "Sequence[EntityRecognizer] | None" = None) -> None:
        """With the recognizers of recognizers.py, or with exactly those given."""
        self._recognizers = recognizers
        self.entities: Counter[str] = Counter()

    def redact(self, texts: pd.Series) -> pd.Series:
        """The texts with each identifier as its kind in angle brackets; null stays the null it was.

        Returns:
            The index and name of `texts`; its dtype, or object for categories.

        Raises:
            SourceError: a cell is not text, or a pattern did not finish on one.
        """
        cells = texts.astype(object)
        if pd.api.types.infer_dtype(cells, skipna=True) not in ("string", "empty"):
            wrong = sum(not isinstance(cell, str) for cell in cells[cells.notna()])
            raise SourceError(
                f"Column '{texts.name}': expected text to redact, found {wrong} cells of another type. "
                "Declare the column as a string in sources.yaml, or give it the treatment 'drop'."
            )
        codes, uniques = pd.factorize(cells, use_na_sentinel=True)
        redacted = np.empty(len(uniques), dtype=object)
        for position, rows in enumerate(np.bincount(codes[codes >= 0], minlength=len(uniques))):
            redacted[position], kinds = self._redact(uniques[position], where=f"Column '{texts.name}'")
            self.entities.update({kind: count * int(rows) for kind, count in kinds.items()})
        result = cells.to_numpy(dtype=object, copy=True)
        result[codes >= 0] = redacted[codes[codes >= 0]]
        dtype = texts.dtype if isinstance(texts.dtype, pd.StringDtype) else object
        return pd.Series(result, index=texts.index, name=texts.name, dtype=dtype)

    def redact_lines(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines one by one, redacted, each with the line end it had; an identifier broken by one is not found."""
        redact = lru_cache(_CACHED_LINES)(lambda body: self._redact(body, where="Input"))
        for line in lines:
            body = line.rstrip("\r\n")
            redacted, kinds = redact(body)
            self.entities.update(kinds)
            yield redacted + line[len(body) :]

    @cached_property
    def _analyzer(self) -> "AnalyzerEngine":
        from ds_pipeline.masking.recognizers import build_analyzer, default_recognizers

        return build_analyzer(default_recognizers() if self._recognizers is None else self._recognizers)

    def _redact(self, text: str, *, where: str) -> tuple[str, Counter[str]]:
        text = repair(text)
        try:
            found = _joined([span for view in views(text) for span in self._find(view)])
        except TimeoutError:
            raise SourceError(
                f"{where}: a pattern did not finish on a text of {len(text)} characters, and what was not read may not "
                "pass. Set the row aside at ingestion, or give the column the treatment 'drop'."
            ) from None
        kinds = Counter(span.kind for span in found)
        edges = [0, *(edge for span in found for edge in (span.start, span.end)), len(text)]
        gaps = [text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True)]
        if any(_is_glued(text, span) for span in found):  # what was glued to a span can only now be told from it
            again = [self._redact(gap, where=where) for gap in gaps]
            gaps, kinds = [gap for gap, _ in again], sum((more for _, more in again), kinds)
        return "".join(chain(*zip(gaps, [*(f"<{span.kind}>" for span in found), ""], strict=True))), kinds

    def _find(self, view: View) -> Iterator[_Found]:
        for begin, stop in _chunks(view.text):
            for result in self._analyzer.analyze(view.text[begin:stop], language="en"):
                start, end = begin + result.start, begin + result.end
                while end == stop and end < len(view.text) and not view.text[end].isspace():
                    stop = end = end + 1  # cut in the middle of a word: the rest of it belongs to what was found
                yield _Found(*view.original_span(start, end), result.score, result.entity_type)


def _chunks(text: str) -> Iterator[tuple[int, int]]:
    """Pieces of bounded length; each repeats the end of the one before it."""
    begin = 0
    while begin + _CHUNK < len(text):
        yield begin, begin + _CHUNK
        begin += _CHUNK - _OVERLAP
    yield begin, len(text)


def _is_glued(text: str, span: _Found) -> bool:
    neighbours = text[max(0, span.start - 1) : span.start] + text[span.end : span.end + 1]
    return any(not neighbour.isspace() for neighbour in neighbours)


def _joined(found: list[_Found]) -> list[_Found]:
    """Spans from left to right; overlapping ones become one, of the kind of the longest, then of the surest."""
    joined: list[_Found] = []
    for span in sorted(found):
        if joined and span.start < joined[-1].end:
            last = joined.pop()
            best = max(last, span, key=lambda one: (one.end - one.start, one.score, one.kind))
            span = best._replace(start=last.start, end=max(last.end, span.end))
        joined.append(span)
    return joined
