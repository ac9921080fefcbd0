"""What a redactor left readable and what it masked too much, on the labelled tickets and on WNUT-17.

Characters are letters and digits only: the comma
between a street and a city names nobody.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

TICKETS = Path(__file__).parent / "pii_tickets.jsonl"
WNUT17_CITATION = (
    "WNUT-17: Derczynski, Nichols, van Erp, Limsopatham (2017), Results of the WNUT2017 Shared Task on Novel and "
    "Emerging Entity Recognition; CC-BY 4.0"
)


class Span(NamedTuple):
    start: int
    end: int
    kind: str

    def touches(self, other: Sequence) -> bool:
        return self.start < other[1] and other[0] < self.end


class Ticket(NamedTuple):
    """A text with its labels, as pii_tickets.jsonl holds it."""

    id: str
    text: str
    spans: list[Span]
    neutral: list[Sequence[int]]
    slices: list[str]


@dataclass
class KindCounts:
    """Spans of one kind: labelled, of these found as such, found as anything, with no character left; and reported."""

    labelled: int = 0
    as_such: int = 0
    as_anything: int = 0
    whole: int = 0
    reported: int = 0
    right: int = 0


@dataclass
class Score:
    """Counts over some texts; rates as properties, NaN where there was nothing to count."""

    texts: int = 0
    personal: int = 0  # characters
    left: int = 0
    other: int = 0
    masked_too_much: int = 0
    kinds: defaultdict[str, KindCounts] = field(default_factory=lambda: defaultdict(KindCounts))

    @property
    def leak(self) -> float:
        return ratio(self.left, self.personal)

    @property
    def over(self) -> float:
        return ratio(self.masked_too_much, self.other)

    def add(self, ticket: Ticket, found: Iterable[Span]) -> None:
        """Count one text."""
        found = list(found)
        masked, personal, neutral = (_covered(spans) for spans in (found, ticket.spans, ticket.neutral))
        readable = {position for position, char in enumerate(ticket.text) if _is_letter_or_digit(char)}
        self.texts += 1
        self.personal += len(personal & readable)
        self.left += len((personal & readable) - masked)
        others = readable - personal - neutral
        self.other += len(others)
        self.masked_too_much += len(others & masked)
        for span in ticket.spans:
            counts, hits = self.kinds[span.kind], [one for one in found if one.touches(span)]
            counts.labelled += 1
            counts.as_anything += bool(hits)
            counts.as_such += any(one.kind == span.kind for one in hits)
            counts.whole += not (set(range(span.start, span.end)) & readable) - masked
        for one in found:
            right = any(one.touches(span) and one.kind == span.kind for span in ticket.spans)
            only_neutral = not right and not (set(range(one.start, one.end)) & readable) - neutral
            self.kinds[one.kind].reported += not only_neutral
            self.kinds[one.kind].right += right


class Agreement(NamedTuple):
    """Recall and precision of one kind on WNUT-17."""

    recall: float
    precision: float


def ratio(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def read_tickets(path: Path = TICKETS) -> list[Ticket]:
    """The labelled set."""
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Ticket(one["id"], one["text"], [Span(*span) for span in one["spans"]], one["neutral"], one["slices"])
        for one in records
    ]


def score_tickets(found: list[list[Span]], tickets: list[Ticket]) -> tuple[Score, dict[str, Score], dict[str, Score]]:
    """All tickets together, by slice, and by ticket."""
    total, single = Score(), dict[str, Score]()
    slices: defaultdict[str, Score] = defaultdict(Score)
    for ticket, spans in zip(tickets, found, strict=True):
        alone = Score()
        for score in (total, alone, *(slices[name] for name in ticket.slices)):
            score.add(ticket, spans)
        single[ticket.id] = alone
    return total, dict(slices), single


def read_wnut17(path: Path) -> list[tuple[str, list[Span]]]:
    """Texts with their persons and locations; tokens are joined by one space, so that offsets are exact."""
    texts = []
    for block in path.read_text(encoding="utf-8").replace("\t\n", "\n").split("\n\n"):
        rows = [line.split("\t") for line in block.splitlines() if "\t" in line]
        text, spans = "", list[Span]()
        for token, tag in ((row[0], row[1].strip()) for row in rows):
            start = len(text) + bool(text)
            text = f"{text} {token}" if text else token
            prefix, _, kind = tag.upper().partition("-")
            if prefix == "B":
                spans.append(Span(start, len(text), kind))
            elif prefix == "I":
                spans[-1] = spans[-1]._replace(end=len(text))
        if text:
            texts.append((text, [span for span in spans if span.kind in ("PERSON", "LOCATION")]))
    return texts


def score_wnut17(found: list[list[Span]], labelled: list[tuple[str, list[Span]]]) -> dict[str, dict[str, Agreement]]:
    """By kind ('PERSON', 'LOCATION') and by measure ('exact', 'overlap')."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (_, gold), spans in zip(labelled, found, strict=True):
        for kind in ("PERSON", "LOCATION"):
            wanted, got = [s for s in gold if s.kind == kind], [s for s in spans if s.kind == kind]
            counts[kind].update(
                wanted=len(wanted),
                got=len(got),
                exact=len({span[:2] for span in wanted} & {span[:2] for span in got}),
                wanted_met=sum(any(span.touches(one) for one in got) for span in wanted),
                got_met=sum(any(one.touches(span) for span in wanted) for one in got),
            )
    return {
        kind: {
            "exact": Agreement(ratio(one["exact"], one["wanted"]), ratio(one["exact"], one["got"])),
            "overlap": Agreement(ratio(one["wanted_met"], one["wanted"]), ratio(one["got_met"], one["got"])),
        }
        for kind, one in counts.items()
    }


def _covered(spans: Iterable[Sequence]) -> set[int]:
    return {position for span in spans for position in range(span[0], span[1])}


def _is_letter_or_digit(char: str) -> bool:
    return unicodedata.category(char)[0] in "LNM"
