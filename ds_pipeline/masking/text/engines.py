"""Language models that see names and places, as engines of Presidio. Nothing is downloaded.

Importing this module imports spaCy and Presidio, which takes over a second.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import spacy
from presidio_analyzer import EntityRecognizer, LocalRecognizer, RecognizerResult
from presidio_analyzer.nlp_engine import NerModelConfiguration, NlpArtifacts, NlpEngine, NoOpNlpEngine, SpacyNlpEngine
from spacy.language import Language
from spacy.tokens import Doc

from ds_pipeline.errors import ConfigError
from ds_pipeline.masking.find.cues import NOT_NAMES
from ds_pipeline.masking.reading.words import fold, is_common

FindNames = Callable[[Doc], Iterable[tuple[int, int, str]]]

_STOCK = {"en_core_web_sm", "en_core_web_lg"}
_STOCK_LABELS = {"PERSON": "PERSON", "GPE": "LOCATION", "LOC": "LOCATION", "FAC": "LOCATION"}
_UNUSED_PIPES = ["tagger", "parser", "attribute_ruler", "lemmatizer", "senter"]
_BATCH = 128
_SCORE = 0.7


class NamesEngine(SpacyNlpEngine):
    """A loaded spaCy pipeline; its artifacts carry the document, and no lemmas or keywords that nobody reads."""

    def __init__(self, nlp: Language) -> None:
        super().__init__([{"lang_code": "en", "model_name": nlp.meta["name"]}], NerModelConfiguration())
        self.nlp: Any = {"en": nlp}

    def load(self) -> None:
        """Nothing to load, and nothing to download."""

    def _doc_to_nlp_artifact(self, doc: Doc, language: str) -> NlpArtifacts:
        return artifacts(doc, self)


class NamesRecognizer(LocalRecognizer):
    """The names and places that the language model marked."""

    def __init__(self, find_names: FindNames) -> None:
        self._find_names = find_names
        super().__init__(supported_entities=["PERSON", "LOCATION"], name="Names", supported_language="en")

    def load(self) -> None:
        """Nothing to load."""

    def analyze(self, text: str, entities: list[str], nlp_artifacts: NlpArtifacts) -> list[RecognizerResult]:
        if nlp_artifacts.tokens is None:
            return []
        return [
            RecognizerResult(kind, start, end, _SCORE)
            for start, end, kind in self._find_names(nlp_artifacts.tokens)
            if is_plausible(text[start:end], kind)
        ]


def load_engine(name: str) -> tuple[NlpEngine, list[EntityRecognizer]]:
    """The engine of that name, and the recognizer of its names; 'patterns' has none.

    Raises:
        ConfigError: there is no such engine, or its model is not installed.
    """
    if name == "patterns":
        return NoOpNlpEngine(models=[{"lang_code": "en", "model_name": "no_op"}]), []
    nlp, find_names = _load(name)
    return NamesEngine(nlp), [NamesRecognizer(find_names)]


def artifacts_of(engine: NlpEngine, texts: list[str]) -> Iterator[NlpArtifacts]:
    """What the engine sees in each text; a text without letters is not shown to it."""
    if not isinstance(engine, NamesEngine):
        yield from (artifacts(None, None) for _ in texts)
        return
    seen = engine.process_batch([text for text in texts if _has_letters(text)], "en", batch_size=_BATCH)
    for text in texts:
        yield next(seen)[1] if _has_letters(text) else artifacts(None, None)


def _load(name: str) -> tuple[Language, FindNames]:
    if name == "embedded":
        from ds_pipeline.masking.ner.finding import find_names, load_ner

        return load_ner(), find_names
    if name not in _STOCK:
        raise ConfigError(
            f"Unknown engine '{name}' to find names in text. Known: embedded, {', '.join(sorted(_STOCK))}, patterns."
        )
    if not spacy.util.is_package(name):
        raise ConfigError(
            f"The model '{name}' is not installed, and nothing is downloaded at run time. Install the package {name} "
            "yourself, in a version for this spaCy, or use the engine 'embedded', which is part of ds-pipeline."
        )
    return spacy.load(name, exclude=_UNUSED_PIPES), _stock_names


def is_plausible(name: str, kind: str) -> bool:
    """Whether it can be one: no label of a form, no code, no amount, and no common word in lower case or capitals."""
    words = [word.strip(".,:;'’\"()[]-") for word in name.split()]
    words = [word for word in words if word]
    plain = [fold(word) for word in words]
    if len("".join(words)) < 2 or all(word in NOT_NAMES for word in plain):
        return False
    coded = [any(map(str.isdigit, word)) for word in words]
    if kind == "PERSON":
        spoken = all(map(is_common, plain)) and (name.islower() or (name.isupper() and len(name) > 2))
        return not all(coded) and not spoken
    if all(coded):
        return len(words) > 1 or (words[0].replace("-", "").isdigit() and len(words[0]) >= 4)
    names = [word for word, has_digit in zip(words, coded, strict=True) if not has_digit]
    return not any(coded) or len(words) > 2 or any(len(word) > 3 and not is_common(word) for word in names)


def _stock_names(doc: Doc) -> Iterator[tuple[int, int, str]]:
    for entity in doc.ents:
        if entity.label_ in _STOCK_LABELS:
            yield entity.start_char, entity.end_char, _STOCK_LABELS[entity.label_]


def artifacts(doc: Any, engine: Any) -> NlpArtifacts:
    return NlpArtifacts(entities=[], tokens=doc, tokens_indices=[], lemmas=[], nlp_engine=engine, language="en")


def _has_letters(text: str) -> bool:
    return any(map(str.isalpha, text))
