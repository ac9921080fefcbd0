"""The lists and templates written for training, one entry a line in `material/<name>.txt`.

Templates have slots such as {name} or {city}; {Name} asks for the value in capital letters, {name_} in lower case, and
`\\n` in a template is the end of a line. The slots are in corpus.py.
"""

from functools import cache
from pathlib import Path

_FOLDER = Path(__file__).parent / "material"


@cache
def lines(name: str) -> tuple[str, ...]:
    """The entries of one list, in the order of the file."""
    return tuple((_FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines())
