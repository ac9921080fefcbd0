"""What was found in the texts seen last, so that the replay of a source and its second reader cost nothing.

A text is known by its digest and not kept. The memory is bounded in texts, and long texts are not remembered.
"""

from collections.abc import Callable
from hashlib import blake2b

from ds_pipeline.masking.spans import Found

_MOST_TEXTS, _LONGEST = 20_000, 2_000
_known: dict[bytes, list[Found]] = {}  # of this process; the text that was asked for last is the last


def remembered(engine: str, texts: list[str], find: Callable[[list[str]], list[list[Found]]]) -> list[list[Found]]:
    """The spans of each text by that engine; `find` is asked, once, about the texts that are not known."""
    keys = [_key(engine, text) if len(text) <= _LONGEST else None for text in texts]
    found: list[list[Found] | None] = [None if key is None else _known.pop(key, None) for key in keys]
    missing = [number for number, spans in enumerate(found) if spans is None]
    new = dict(zip(missing, find([texts[number] for number in missing]) if missing else [], strict=True))
    spans = [new[number] if one is None else one for number, one in enumerate(found)]
    for key, one in zip(keys, spans, strict=True):
        if key is not None:
            _known[key] = one
            if len(_known) > _MOST_TEXTS:
                del _known[next(iter(_known))]
    return spans


def forget() -> None:
    """Every text is new again."""
    _known.clear()


def _key(engine: str, text: str) -> bytes:
    return blake2b(
        text.encode("utf-8", "surrogatepass"), digest_size=16, person=blake2b(engine.encode(), digest_size=16).digest()
    ).digest()
