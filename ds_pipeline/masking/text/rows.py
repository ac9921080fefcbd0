"""One row of texts, redacted together: its owner's own values, names that recur, and placeholders that agree."""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import chain

from ds_pipeline.masking.people.mentions import is_strong
from ds_pipeline.masking.people.owner import Owner
from ds_pipeline.masking.people.prepared import PreparedText
from ds_pipeline.masking.people.typos import TypoIndex
from ds_pipeline.masking.reading.folding import repair
from ds_pipeline.masking.reading.spans import Found, gaps, join
from ds_pipeline.masking.reading.words import WORD, fold
from ds_pipeline.masking.text.placeholders import People

_ECHO_SCORE = 0.3
_SHORTEST_GLUED = 5  # letters of a name that is looked for inside other words: 'sdlamini'

Row = tuple[list[str], Counter[str]]


def redact_row(
    texts: Sequence[PreparedText], found: Sequence[list[Found]], owner: Owner | None, typos: TypoIndex
) -> Row:
    """The texts of one row with placeholders, and how many identifiers of each kind were replaced.

    Args:
        texts: of the row, in the order of the columns.
        found: what was found in each.
        owner: whose row it is, if known.
        typos: shared by all rows.
    """
    own = [owner.find(text, typos) if owner else [] for text in texts]
    spans = [
        join(text.text, [*theirs, *ours]) if ours else theirs
        for text, theirs, ours in zip(texts, found, own, strict=True)
    ]
    spans = with_echoes(texts, spans)
    people = People(owner.name_words if owner else ())
    redacted = [_replaced(text.text, one, named, people) for text, one, named in zip(texts, spans, own, strict=True)]
    return redacted, Counter(span.kind for one in spans for span in one)


def with_echoes(texts: Sequence[PreparedText], spans: Sequence[list[Found]]) -> list[list[Found]]:
    """With every other mention of a name that was found once in the row, in any case, and as part of a user name."""
    names = {
        name
        for text, found in zip(texts, spans, strict=True)
        for span in found
        if span.kind == "PERSON"
        for name in map(fold, WORD.findall(text.text[span.start : span.end]))
        if is_strong(name)
    }
    if not names:
        return list(spans)
    glued = sorted(name for name in names if len(name) >= _SHORTEST_GLUED)
    return [
        join(text.text, [*found, *_echoes(text, names, glued)])
        if not names.isdisjoint(text.words) or any(any(name in word for name in glued) for word in text.words)
        else found
        for text, found in zip(texts, spans, strict=True)
    ]


def _echoes(text: PreparedText, names: set[str], glued: list[str]) -> Iterator[Found]:
    for view in text.views:
        for match in WORD.finditer(view.text):
            word = fold(match[0])
            if word in names or any(name in word for name in glued):
                yield Found(*view.original_span(*match.span()), _ECHO_SCORE, "PERSON")


def _replaced(text: str, spans: list[Found], own: list[Found], people: People) -> str:
    named = [span for span in own if span.kind == "PERSON"]
    placeholders = [
        people.placeholder(
            text[span.start : span.end], is_owner=any(one.start < span.end and span.start < one.end for one in named)
        )
        if span.kind == "PERSON"
        else f"<{span.kind}>"
        for span in spans
    ]
    kept = [repair(text[start:end]) for start, end in gaps(len(text), spans)]
    return "".join(chain(*zip(kept, [*placeholders, ""], strict=True)))
