"""How every picture looks: the canvas, the colours, the words at its axes. Colours are safe for colour-blind readers,
and whatever is drawn says beside it what it is."""

from __future__ import annotations

import base64
from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MODEL, RULE, INK, FAINT = "#0b5a8a", "#b34a00", "#22303c", "#66727c"
CHAMPION, REGRESSION = "#2b7a4b", "#7a4b94"
PALE = "#a9c7da"
SIZE_INCHES, DPI = (5.4, 3.7), 180


def png_of(draw: Callable[[Axes], None], *, size: tuple[float, float] = SIZE_INCHES) -> bytes:
    """PNG bytes of what is drawn on the empty axes; size in inches. The same drawing gives the same bytes."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # 0.5 s, which a code location need not pay at start
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(axis="y", color="#e8eaec", linewidth=0.8)
    axes.set_axisbelow(True)
    draw(axes)
    buffer = BytesIO()
    # No Software entry: the same evaluation gives the same bytes.
    FigureCanvasAgg(figure).print_figure(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def data_uri(png: bytes) -> str:
    """The picture as an address that a page holds itself."""
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def name_axes(axes: Axes, title: str, across: str, up: str) -> None:
    """The title, which says what is to be seen, and what the axes are."""
    axes.set_title(title, loc="left", fontsize=11, color=INK, fontweight="bold", pad=12)
    axes.set_xlabel(across, fontsize=9, color=INK)
    axes.set_ylabel(up, fontsize=9, color=INK)
