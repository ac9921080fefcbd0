"""Templates of pages, documents and files: one environment for all, with the words of figures.py as filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from ds_pipeline.figures import percent, ratio, significant, words

FILTERS: dict[str, Callable[..., str]] = {"number": significant, "ratio": ratio, "share": percent, "name": words}


def environment(
    folder: str,
    *,
    filters: Mapping[str, Callable[..., str]],
    is_html: bool = False,
    finalize: Callable[[object], object] | None = None,
) -> Environment:
    """The templates of a folder of this package; what one of them is not given is an error, never empty.

    Args:
        filters: of these templates alone.
        is_html: every value is escaped.
        finalize: what is done to every value.
    """
    return _environment(folder, tuple(filters.items()), is_html, finalize)


@cache  # it keeps the templates, and compiling one takes longer than filling it
def _environment(
    folder: str,
    filters: tuple[tuple[str, Callable[..., str]], ...],
    is_html: bool,
    finalize: Callable[[object], object] | None,
) -> Environment:
    made = Environment(
        loader=PackageLoader("ds_pipeline", folder),
        autoescape=is_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=not is_html,
        finalize=finalize,
    )
    made.filters |= {**FILTERS, **dict(filters)}
    return made
