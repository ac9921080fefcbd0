"""The stream of training texts: messages made from templates and identities, mixed with real prose.

Nothing is drawn twice from the templates: training reads the stream as long as it likes. The share of each source,
and how often letters lose their case and words their tag, are the numbers at the top.
"""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from ds_pipeline.masking.ner.gazetteer import UNKNOWN
from ds_pipeline.masking.ner.pipeline import tagger_of
from tools.ner.identities import Identities
from tools.ner.material import lines
from tools.ner.prose import LabelledText

SOURCES = {"synthetic": 0.53, "wnut17": 0.27, "wordnet": 0.20}
RENAMED = 0.5  # share of the real prose
LOWER, UPPER, TITLE = 0.05, 0.05, 0.015  # share of texts in one case
PARTLY_LOWER = 0.10 / 3  # share of names in lower case in a text that is not
HIDDEN_DOCS, HIDDEN_WORDS = 0.30, 0.45  # share of texts in which tags of names are hidden, and of names there
_SLOT = re.compile(r"\{([A-Za-z]+)(_?)\}")
_LABELS = {
    **dict.fromkeys(("name", "first", "last"), "PERSON"),
    **dict.fromkeys(("city", "country", "state", "address", "street", "road", "postcode"), "LOCATION"),
    "org": "ORG",
}


Draw = Callable[[], str]


class Writer:
    """Fills templates and puts messages together."""

    def __init__(self, rng: random.Random, *, prose: Sequence[LabelledText], values: Mapping[str, Draw]) -> None:
        """With prose to put between the sentences, and for each slot what draws a value."""
        self._rng, self._prose, self._values = rng, prose, values

    def fill(self, template: str) -> LabelledText:
        """The template with a value in each slot."""
        template = template.replace("\\n", "\n").replace("\\t", "\t")
        text, spans, position = "", [], 0
        for slot in _SLOT.finditer(template):
            text += template[position : slot.start()]
            position = slot.end()
            kind = slot[1].lower()
            value = self._values[kind]()
            if slot[2] or (kind in _LABELS and self._rng.random() < PARTLY_LOWER):
                value = value.lower()
            elif slot[1][0].isupper():
                value = value.upper()
            label = _LABELS.get(kind)
            if label:
                spans += [
                    (len(text) + line.start(), len(text) + line.end(), label) for line in re.finditer(r"[^\n]+", value)
                ]
            text += value
        return LabelledText(text + template[position:], spans)

    def _sentence(self) -> LabelledText:
        draw = self._rng.random()
        if draw < 0.42:
            return self.fill(self._rng.choice(lines("personal")))
        if draw < 0.72:
            return self.fill(self._rng.choice(lines("neutral")))
        if draw < 0.82:
            return LabelledText(self._rng.choice(lines("ambiguous")), [])
        return self._rng.choice(self._prose)

    def message(self) -> LabelledText:
        """One text: a message, a form, a record, a chat, or only a name or a place."""
        draw = self._rng.random()
        fills = self._fills
        if draw < 0.10:
            return _joined([self.fill(self._rng.choice(lines("short")))], [""])
        if draw < 0.22:
            return fills(lines("fields"), self._rng.randrange(1, 9), ("\n", "\n", "\n", ", ", " | ", "; ", " "))
        if draw < 0.36:
            return fills(lines("records"), self._rng.choice((1, 1, 2, 3, 4)), ("\n",))
        body = [self._sentence() for _ in range(self._rng.choice((1, 1, 1, 2, 2, 3, 3, 4, 5, 7)))]
        between = self._rng.choice((" ", " ", " ", " ", "\n", "  ", "\n\n", ". ", " - "))
        parts, gaps = body, [""] + [between] * (len(body) - 1)
        if self._rng.random() < 0.35:
            parts = [self.fill(self._rng.choice(lines("greetings"))), *parts]
            gaps = ["", self._rng.choice((" ", "\n", "\n\n", "\n\n", ", ")), *gaps[1:]]
        if self._rng.random() < 0.30:
            if self._rng.random() < 0.75:
                parts = [*parts, self.fill(self._rng.choice(lines("closings")))]
                gaps = [*gaps, self._rng.choice((" ", "\n", "\n\n", "\n\n"))]
            parts = [*parts, self.fill(self._rng.choice(lines("signatures")))]
            gaps = [*gaps, self._rng.choice((" ", "\n", "\n", "\n"))]
        return _joined(parts, gaps)

    def _fills(self, forms: Sequence[str], number: int, gaps: Sequence[str]) -> LabelledText:
        gap = self._rng.choice(gaps)
        parts = [self.fill(self._rng.choice(forms)) for _ in range(number)]
        return _joined(parts, [""] + [gap] * (number - 1))


def _joined(parts: Sequence[LabelledText], gaps: Sequence[str]) -> LabelledText:
    text, spans = "", []
    for part, gap in zip(parts, gaps, strict=True):
        text += gap
        spans += [(start + len(text), end + len(text), label) for start, end, label in part.spans]
        text += part.text
    return LabelledText(text, spans)


def _recased(text: LabelledText, rng: random.Random) -> LabelledText:
    draw = rng.random()
    if draw < LOWER:
        other = text.text.lower()
    elif draw < LOWER + UPPER:
        other = text.text.upper()
    elif draw < LOWER + UPPER + TITLE:
        other = text.text.title()
    else:
        return text
    return LabelledText(other, text.spans) if len(other) == len(text.text) else text


def renamed(text: LabelledText, values: Mapping[str, Draw]) -> LabelledText:
    """Real prose about other people and places: each name replaced by an invented one of about the same form."""
    kinds = {"PERSON": ("first", "name"), "LOCATION": ("city", "city")}
    parts, position = [], 0
    for start, end, label in text.spans:
        old = text.text[start:end]
        new = values[kinds[label][" " in old]]() if label in kinds and not old.startswith(("@", "#")) else old
        new = new.lower() if old.islower() else new.upper() if old.isupper() and len(old) > 3 else new
        parts += [LabelledText(text.text[position:start], []), LabelledText(new, [(0, len(new), label)])]
        position = end
    return _joined([*parts, LabelledText(text.text[position:], [])], [""] * (len(parts) + 1))


def to_doc(nlp: Language, text: LabelledText) -> Doc:
    """The text as tokens with tags of the gazetteer and with its entities; a span grows to whole tokens."""
    doc = tagger_of(nlp)(nlp.make_doc(text.text))
    spans = []
    for start, end, label in text.spans:
        span = doc.char_span(start, end, label=label, alignment_mode="expand")
        if span is not None:
            spans.append(_without_outer_space(span))
    doc.ents = filter_spans([span for span in spans if len(span)])
    return doc


def _without_outer_space(span: Span) -> Span:
    start, end = span.start, span.end
    while start < end and span.doc[start].is_space:
        start += 1
    while start < end and span.doc[end - 1].is_space:
        end -= 1
    return Span(span.doc, start, end, label=span.label_)


def hide_tags(doc: Doc, rng: random.Random) -> None:
    """Make some names look like words that are in no list."""
    for token in doc:
        known = token.tag_
        if token.ent_type_ in ("PERSON", "LOCATION") and len(known) > 0 and rng.random() < HIDDEN_WORDS:
            token.tag_ = "".join(letter for letter in known if letter in "WwSD") or UNKNOWN


def draws(who: Identities) -> dict[str, Draw]:
    """What draws a value for each slot of the templates."""
    slots = (
        "first last initial title job city country state address street road postcode org product email phone code date"
        " amount count account url handle"
    )
    return {"name": who.full, **{slot: getattr(who, slot) for slot in slots.split(" ")}}


def stream(
    nlp: Language, *, wnut17: Sequence[LabelledText], wordnet: Sequence[LabelledText], seed: int
) -> Iterator[Doc]:
    """Labelled documents without end; the same seed gives the same ones."""
    rng = random.Random(seed)  # noqa: S311  drawing examples is no secret
    values = draws(Identities(rng))
    writer = Writer(rng, prose=wordnet, values=values)
    pools = {"wnut17": wnut17, "wordnet": wordnet}
    names, weights = list(SOURCES), list(SOURCES.values())
    while True:
        source = rng.choices(names, weights)[0]
        if source == "synthetic":
            text = writer.message()
        elif source == "wordnet":
            count = rng.choice((1, 1, 2, 3))
            text = _joined(
                [rng.choice(pools[source]) for _ in range(count)], [""] + [rng.choice((". ", " ", "; "))] * (count - 1)
            )
        else:
            text = rng.choice(pools[source])
        if source != "synthetic" and rng.random() < RENAMED:
            text = renamed(text, values)
        doc = to_doc(nlp, _recased(text, rng))
        if rng.random() < HIDDEN_DOCS:
            hide_tags(doc, rng)
        if len(doc):
            yield doc
