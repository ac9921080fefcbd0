"""Pictures that nobody looks at: drawing takes most of the time of a page."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any
from unittest import mock

ONE_PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)


@contextmanager
def of_one_pixel() -> Iterator[None]:
    """Every picture is a PNG of one pixel; what is drawn on it, and whatever is wrong there, still happens."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    def print_figure(_: FigureCanvasAgg, target: IO[bytes], **__: Any) -> None:
        target.write(ONE_PIXEL)

    with mock.patch.object(FigureCanvasAgg, "print_figure", print_figure):
        yield
