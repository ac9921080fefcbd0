"""Where a person's name goes on behind a small word: 'van 't Hof', 'y Núñez', 'wa Ilunga'."""

import regex  # type: ignore[import-untyped]

from ds_pipeline.masking.reading.starts import limit

_MORE = regex.compile(
    r"[ ](?:van(?:[ ](?:de[nr]?|['’]t))?|von(?:[ ]der)?|de(?:[ ](?:la|los|las))?|del|della|di|da|dos|das|du|y|"
    r"wa|af|binti?|bint|ibn|"
    r"ter|ten|zu)[ ]\p{Lu}[\p{L}\p{M}'’-]+"
)


def where_names_end(text: str, end: int) -> int:
    """The end of a name that was found up to `end`, with the parts that particles link to it."""
    while (more := _MORE.match(text, end, timeout=limit(text))) is not None:
        end = more.end()
    return end
