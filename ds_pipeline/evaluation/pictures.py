"""The pictures of an evaluation, as PNG: for the report and for the Dagster UI. Colours are safe for colour-blind
readers, and every line says beside it what it is."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import TYPE_CHECKING, cast

from ds_pipeline.evaluation.outcome import CurvePoint, Curves, Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MODEL, RULE, INK, FAINT = "#0b5a8a", "#b34a00", "#22303c", "#66727c"
SIZE_INCHES, DPI = (5.4, 3.7), 180


def pictures(evaluation: Evaluation) -> dict[str, bytes]:
    """PNG bytes by name; none where nothing was measured."""
    if evaluation.curves is None:
        return {}
    drawings: dict[str, Callable[[Axes, Evaluation, Curves], None]] = {
        "lift_by_decile": _draw_deciles,
        "precision_recall": _draw_precision_recall,
        "calibration": _draw_calibration,
    }
    return {name: _png(draw, evaluation, evaluation.curves) for name, draw in drawings.items()}


def alt_texts(evaluation: Evaluation) -> dict[str, str]:
    """The same pictures in words, for who cannot see them."""
    curves = evaluation.curves
    if curves is None:
        return {}
    rates = ", ".join(f"{tenth.decile}: {tenth.rate:.0%}" for tenth in curves.deciles)
    points = "; ".join(
        f"{point.name}: precision {point.precision:.2f} at recall {point.recall:.2f}"
        for point in evaluation.operating_points
    )
    bins = ", ".join(f"{part.mean_score:.2f}: {part.rate:.2f}" for part in curves.calibration)
    baseline = evaluation.metrics.get("baseline_average_precision")
    rule = "" if baseline is None else f", of the baseline rule {baseline:.2f}"
    return {
        "lift_by_decile": f"Bar chart. Share of positives by tenth of the scores, highest first: {rates}. "
        f"Average: {evaluation.facts.base_rate or 0:.0%}.",
        "precision_recall": "Line chart of precision against recall. Average precision of the model "
        f"{evaluation.metrics['average_precision']:.2f}{rule}. {points}.",
        "calibration": f"Line chart. Mean score and observed share of positives by bin: {bins}.",
    }


def _png(draw: Callable[[Axes, Evaluation, Curves], None], evaluation: Evaluation, curves: Curves) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # 0.5 s, which a code location need not pay at start
    from matplotlib.figure import Figure

    figure = Figure(figsize=SIZE_INCHES, dpi=DPI, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(FAINT)
    axes.tick_params(colors=INK, labelsize=9)
    axes.grid(axis="y", color="#e8eaec", linewidth=0.8)
    axes.set_axisbelow(True)
    draw(axes, evaluation, curves)
    buffer = BytesIO()
    # No Software entry: the same evaluation gives the same bytes.
    FigureCanvasAgg(figure).print_figure(buffer, format="png", metadata={"Software": None})
    return buffer.getvalue()


def _name(axes: Axes, title: str, across: str, up: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, color=INK, fontweight="bold", pad=12)
    axes.set_xlabel(across, fontsize=9, color=INK)
    axes.set_ylabel(up, fontsize=9, color=INK)


def _draw_deciles(axes: Axes, evaluation: Evaluation, curves: Curves) -> None:
    numbers = [tenth.decile for tenth in curves.deciles]
    rates = [100 * tenth.rate for tenth in curves.deciles]
    bars = axes.bar(numbers, rates, color=[MODEL] + ["#a9c7da"] * (len(rates) - 1), width=0.78)
    clear = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    axes.bar_label(bars, fmt="%.0f %%", fontsize=8.5, color=INK, padding=2, bbox=clear)
    average = 100 * cast(float, evaluation.facts.base_rate)
    axes.axhline(average, color=RULE, linewidth=1.4, linestyle="--")
    axes.annotate(
        f"all together {average:.0f} %",
        (1, average),
        xycoords=("axes fraction", "data"),
        xytext=(0, 4),
        textcoords="offset points",
        ha="right",
        fontsize=9,
        color=RULE,
    )
    axes.set_xticks(numbers)
    axes.set_ylim(0, max(rates) * 1.12)
    lift = curves.deciles[0].lift
    _name(
        axes,
        f"The highest-scored tenth: {lift:.1f} times the average",
        "tenth of each week's scores (1 = highest)",
        "positives, %",
    )


def _draw_precision_recall(axes: Axes, evaluation: Evaluation, curves: Curves) -> None:
    _curve(axes, curves.score, colour=MODEL, style="-", label="model", at=0.82, above=True)
    if curves.baseline:
        _curve(axes, curves.baseline, colour=RULE, style="--", label="baseline rule", at=0.3, above=False)
    base_rate = cast(float, evaluation.facts.base_rate)
    axes.axhline(base_rate, color=FAINT, linewidth=1, linestyle=":")
    axes.annotate("chance", (0.005, base_rate), xytext=(0, -11), textcoords="offset points", fontsize=8.5, color=FAINT)
    for point in evaluation.operating_points:
        axes.plot([point.recall], [point.precision], "o", color=INK, markersize=7, markeredgecolor="white")
        axes.annotate(
            f"{point.name}\n{point.precision:.2f}",
            (point.recall, point.precision),
            xytext=(7, 7),
            textcoords="offset points",
            fontsize=8.5,
            color=INK,
        )
    axes.set_xlim(0, 1.01)
    axes.set_ylim(0, 1.04)
    gain = evaluation.metrics["average_precision"] - evaluation.metrics.get("baseline_average_precision", base_rate)
    against = "the baseline rule" if curves.baseline else "chance"
    _name(
        axes,
        f"Average precision {abs(gain):.2f} {'above' if gain >= 0 else 'below'} {against}",
        "recall: share of all positives found",
        "precision: positives among the found",
    )


def _curve(
    axes: Axes, points: list[CurvePoint], *, colour: str, style: str, label: str, at: float, above: bool
) -> None:
    steady = [point for point in points if point.recall >= 0.01] or points  # before that a single row moves the line
    axes.plot([p.recall for p in steady], [p.precision for p in steady], color=colour, linestyle=style, linewidth=2)
    anchor = min(steady, key=lambda point: abs(point.recall - at))
    axes.annotate(
        label,
        (anchor.recall, anchor.precision),
        xytext=(0, 7 if above else -8),
        textcoords="offset points",
        va="bottom" if above else "top",
        fontsize=9.5,
        color=colour,
        fontweight="bold",
    )


def _draw_calibration(axes: Axes, evaluation: Evaluation, curves: Curves) -> None:
    scores = [part.mean_score for part in curves.calibration]
    rates = [part.rate for part in curves.calibration]
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1.2, linestyle=":")
    axes.annotate(
        "perfect", (0.93, 0.93), xytext=(-4, 6), textcoords="offset points", ha="right", fontsize=9, color=FAINT
    )
    axes.plot(scores, rates, "o-", color=MODEL, linewidth=1.6, markersize=6, markeredgecolor="white")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    total = sum(part.rows for part in curves.calibration)
    off = sum(part.rows * abs(part.mean_score - part.rate) for part in curves.calibration) / total
    _name(
        axes,
        f"On average a score is {100 * off:.1f} points off what happened",
        "mean score of the bin",
        "share of positives observed",
    )
