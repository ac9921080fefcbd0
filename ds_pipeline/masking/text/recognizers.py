"""Our patterns as recognizers of Presidio. Importing this module imports Presidio, which takes over a second.

The stock pattern recognizers are not used: they skip a pattern that times out, so a slow text would pass
unread; the one for emails asks the network for a list of domains and drops `x@acme.local`; the one for IBANs
logs the value it looks at.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from presidio_analyzer import AnalyzerEngine, EntityRecognizer, LocalRecognizer, RecognizerRegistry, RecognizerResult
from presidio_analyzer.context_aware_enhancers import ContextAwareEnhancer
from presidio_analyzer.nlp_engine import NlpArtifacts, NlpEngine

from ds_pipeline.masking.find import addresses, cues, national_ids, numbers, patterns, place_names, shapes

Finder = Callable[[str], Iterable[tuple[int, int]]]


def _find_ids(text: str) -> Iterator[tuple[int, int]]:
    return chain(
        patterns.find_cued_ids(text),
        patterns.find_user_names(text),
        national_ids.find_national_ids(text),
        shapes.find_coded_ids(text),
        shapes.find_secrets(text),
    )


def _find_cards(text: str) -> Iterator[tuple[int, int]]:
    return chain(numbers.find_cards(text), shapes.find_card_details(text))


def _find_phones(text: str) -> Iterator[tuple[int, int]]:
    return chain(numbers.find_phones(text), shapes.find_spoken_numbers(text))


def _find_people(text: str) -> Iterator[tuple[int, int]]:
    return chain(cues.find_cued_names(text), shapes.find_names_in_other_scripts(text))


def _find_places(text: str) -> Iterator[tuple[int, int]]:
    return chain(addresses.find_addresses(text), place_names.find_countries(text))


_FINDERS: dict[str, tuple[Finder, float]] = {
    "IBAN": (patterns.find_ibans, 1.0),
    "CARD": (_find_cards, 1.0),
    "EMAIL": (patterns.find_emails, 0.95),
    "URL": (patterns.find_urls, 0.9),
    "IP": (patterns.find_ips, 0.9),
    "MAC": (patterns.find_macs, 0.9),
    "SSN": (patterns.find_ssns, 0.85),
    "NINO": (patterns.find_ninos, 0.85),
    "DATE_OF_BIRTH": (patterns.find_birth_dates, 0.8),
    "PHONE": (_find_phones, 0.6),
    "ID": (_find_ids, 0.5),
    "LOCATION": (_find_places, 0.4),
    "PERSON": (_find_people, 0.5),
}


class SpanRecognizer(LocalRecognizer):
    """One kind of identifier, by a function that yields its spans; what the function raises is raised."""

    def __init__(self, kind: str, find: Finder, score: float) -> None:
        self._find, self._score = find, score
        super().__init__(supported_entities=[kind], name=f"{kind} spans", supported_language="en")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        kind = self.supported_entities[0]
        return [RecognizerResult(kind, start, end, self._score) for start, end in self._find(text)]


class _NoContext(ContextAwareEnhancer):
    """Scores as they are: each pattern reads its own cues, and the default copies every result deeply."""

    def __init__(self) -> None:
        super().__init__(0.0, 0.0, 0, 0)

    def enhance_using_context(
        self, text: str, raw_results: list[RecognizerResult], *_: Any, **__: Any
    ) -> list[RecognizerResult]:
        return raw_results


def default_recognizers() -> list[EntityRecognizer]:
    return [SpanRecognizer(kind, find, score) for kind, (find, score) in _FINDERS.items()]


def build_analyzer(engine: NlpEngine, recognizers: Sequence[EntityRecognizer]) -> AnalyzerEngine:
    """An analyzer with exactly this engine (see engines.py) and these recognizers; nothing is downloaded."""
    return AnalyzerEngine(
        registry=RecognizerRegistry(recognizers=list(recognizers), supported_languages=["en"]),
        nlp_engine=engine,
        context_aware_enhancer=_NoContext(),
    )
