"""What Presidio's analyzer finds in texts, as spans of the stored characters.

A text is read in its plain views and in pieces of bounded length; what is found for one text depends on that text
alone, so that any number of processes gives the same spans. Importing this module imports Presidio and spaCy.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from time import thread_time

from presidio_analyzer import EntityRecognizer
from presidio_analyzer.nlp_engine import NlpArtifacts

from ds_pipeline.masking.find.name_parts import where_names_end
from ds_pipeline.masking.find.place_names import where_places_begin, where_places_end
from ds_pipeline.masking.find.postcodes import around_place
from ds_pipeline.masking.reading.folding import View, views
from ds_pipeline.masking.reading.spans import Found, chunks, gaps, join
from ds_pipeline.masking.text.engines import NamesEngine, artifacts, artifacts_of, load_engine
from ds_pipeline.masking.text.recognizers import build_analyzer, default_recognizers

_ACCOUNT = re.compile(r"(?:[._-]?[^\W\d_]{1,20})?[._-]?[0-9]{1,6}(?![\w,.:/-]?[0-9])\b")
_TO_SPACE, _FROM_SPACE, _GLUE = re.compile(r"\S+"), re.compile(r"\S+$"), re.compile(r"[\d@]")
_CLOSE = re.compile(r"\d(?:[ .-]?\d){4}")
_GLUED_REACH, _CLOSE_REACH = 1_000, 20
_LONGEST_S = 10.0  # of the processor for one text; then TimeoutError, and never a text half read
_BATCH_TEXTS, _BATCH_CHARS = 256, 200_000
_KNOWN_WORDS = 10_000  # in the vocabulary of the engine, some 5 MB


class Detector:
    """Finds identifiers in texts."""

    def __init__(self, engine: str, recognizers: Sequence[EntityRecognizer] | None = None) -> None:
        """With the recognizers of recognizers.py and the names of the engine, or with exactly those given."""
        self._engine, names = load_engine("patterns" if recognizers is not None else engine)
        chosen = [*default_recognizers(), *names] if recognizers is None else recognizers
        self._analyzer = build_analyzer(self._engine, chosen)

    def find(self, texts: Sequence[str]) -> list[list[Found]]:
        """The spans of each text, from left to right and without overlap.

        Raises:
            TimeoutError: a pattern did not finish on a text.
        """
        found: list[list[Found]] = []
        for batch in _batches(texts):
            with self._memory():
                found += self._find_batch(batch)
        return found

    def _memory(self) -> AbstractContextManager:
        """The engine learns the words it meets first, and later ones for a batch only: it reads known words faster."""
        if not isinstance(self._engine, NamesEngine):
            return nullcontext()
        nlp = self._engine.get_nlp("en")
        return nlp.memory_zone() if len(nlp.vocab) > _KNOWN_WORDS else nullcontext()

    def _find_batch(self, texts: Sequence[str]) -> list[list[Found]]:
        pieces = [
            (number, view, begin, stop)
            for number, text in enumerate(texts)
            for view in views(text)
            for begin, stop in chunks(view.text)
        ]
        seen = artifacts_of(
            self._engine, [view.text[begin:stop] if view.is_prose else "" for _, view, begin, stop in pieces]
        )
        found: list[list[Found]] = [[] for _ in texts]
        spent = [0.0] * len(texts)
        for (number, view, begin, stop), names in zip(pieces, seen, strict=True):
            started = thread_time()
            found[number] += self._find_piece(view, begin, stop, names)
            spent[number] += thread_time() - started
            if spent[number] > _LONGEST_S:
                raise TimeoutError
        return [
            self._completed(text, _extended(text, join(text, spans)), until=thread_time() + _LONGEST_S - seconds)
            for text, spans, seconds in zip(texts, found, spent, strict=True)
        ]

    def _find_piece(self, view: View, begin: int, stop: int, names: NlpArtifacts) -> Iterator[Found]:
        text = view.text
        for result in self._analyzer.analyze(text[begin:stop], language="en", nlp_artifacts=names):
            start, end = begin + result.start, begin + result.end
            while end == stop and end < len(text) and not text[end].isspace():
                stop = end = end + 1  # cut in the middle of a word: the rest of it belongs to what was found
            if result.entity_type == "PERSON" and (account := _ACCOUNT.match(text, end)):
                end = account.end()  # the name is the beginning of the name of an account: anna.smith82
            if result.entity_type == "LOCATION":
                start, end = around_place(text, start, end)
            yield Found(*view.original_span(start, end), result.score, result.entity_type)

    def _completed(self, text: str, found: list[Found], *, until: float) -> list[Found]:
        """With what was glued to a span and can only now be told from it: 'a@b.org07700900123'."""
        more: list[Found] = []
        for start, end in gaps(len(text), found) if found else ():
            if _is_glued(text, start, end):
                for view in views(text[start:end]):
                    for begin, stop in chunks(view.text):
                        if thread_time() > until:
                            raise TimeoutError
                        spans = self._find_piece(view, begin, stop, artifacts(None, None))
                        more += [span._replace(start=start + span.start, end=start + span.end) for span in spans]
        return self._completed(text, join(text, [*found, *more]), until=until) if more else found


def _extended(text: str, found: list[Found]) -> list[Found]:
    """Names with the parts that go on, places with the street before and the places behind, up to what else was found."""  # noqa: E501
    whole: list[Found] = []
    for number, span in enumerate(found):
        limit = found[number + 1].start if number + 1 < len(found) else len(text)
        if span.kind == "PERSON":
            span = span._replace(end=min(where_names_end(text, span.end), limit))
        if span.kind == "LOCATION":
            begin = max(where_places_begin(text, (span.start, span.end)), whole[-1].end if whole else 0)
            span = span._replace(start=begin, end=min(where_places_end(text, (span.start, span.end)), limit))
        whole.append(span)
    return whole


def find_spans(engine: str, texts: Sequence[str]) -> list[list[Found]]:
    """The spans of each text by the detector of that engine, which each process loads once."""
    return _detector(engine).find(texts)


@cache
def _detector(engine: str) -> Detector:
    return Detector(engine)


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    first = chars = 0
    for number, text in enumerate(texts):
        if number > first and (number - first == _BATCH_TEXTS or chars + len(text) > _BATCH_CHARS):
            yield texts[first:number]
            first, chars = number, 0
        chars += len(text)
    if first < len(texts):
        yield texts[first:]


def _is_glued(text: str, start: int, end: int) -> bool:
    """Whether a piece between spans has a digit or '@' that meets one without a space, or five digits close to it."""
    right, left = _TO_SPACE.match(text, start, end), _FROM_SPACE.search(text, max(start, end - _GLUED_REACH), end)
    return bool(
        (start and ((right and _GLUE.search(right[0])) or _CLOSE.search(text, start, min(end, start + _CLOSE_REACH))))
        or (
            end < len(text)
            and ((left and _GLUE.search(left[0])) or _CLOSE.search(text, max(start, end - _CLOSE_REACH), end))
        )
    )
