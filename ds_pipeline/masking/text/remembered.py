"""What was found in the texts seen last, so that the replay of a source and its second reader cost nothing.

A text is known by its digest and not kept. The memory is bounded in texts, and long texts are not remembered. Spans
are kept as bytes, because as objects they take ten times the room.
"""

import struct
from collections.abc import Callable
from hashlib import blake2b

from ds_pipeline.masking.reading.spans import Found

_MOST_TEXTS, _LONGEST = 10_000, 2_000
_SPAN = struct.Struct("<HHdB")  # start, end, score, and the number of its kind
_known: dict[bytes, bytes] = {}  # of this process; the text that was asked for last is the last
_kinds: list[str] = []  # all met so far


def remembered(engine: str, texts: list[str], find: Callable[[list[str]], list[list[Found]]]) -> list[list[Found]]:
    """The spans of each text by that engine; `find` is asked, once, about the texts that are not known."""
    keys = [_key(engine, text) if len(text) <= _LONGEST else None for text in texts]
    packed = [None if key is None else _known.pop(key, None) for key in keys]
    missing = [number for number, known in enumerate(packed) if known is None]
    new = dict(zip(missing, find([texts[number] for number in missing]) if missing else [], strict=True))
    spans = [new[number] if known is None else _unpacked(known) for number, known in enumerate(packed)]
    for key, known, one in zip(keys, packed, spans, strict=True):
        if key is not None:
            _known[key] = _packed(one) if known is None else known
            if len(_known) > _MOST_TEXTS:
                del _known[next(iter(_known))]
    return spans


def forget() -> None:
    """Every text is new again."""
    _known.clear()


def _packed(spans: list[Found]) -> bytes:
    return b"".join(_SPAN.pack(span.start, span.end, span.score, _number(span.kind)) for span in spans)


def _unpacked(packed: bytes) -> list[Found]:
    return [Found(start, end, score, _kinds[kind]) for start, end, score, kind in _SPAN.iter_unpack(packed)]


def _number(kind: str) -> int:
    if kind not in _kinds:
        _kinds.append(kind)
    return _kinds.index(kind)


def _key(engine: str, text: str) -> bytes:
    return blake2b(
        text.encode("utf-8", "surrogatepass"), digest_size=16, person=blake2b(engine.encode(), digest_size=16).digest()
    ).digest()
