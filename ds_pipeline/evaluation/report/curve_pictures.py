"""The curves of an evaluation as pictures, each with its words: lift, precision against recall, calibration."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ds_pipeline.evaluation.measure.curves import CurvePoint, Curves
from ds_pipeline.evaluation.report.pictures import CHAMPION, FAINT, INK, MODEL, PALE, REGRESSION, RULE, name_axes
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.figures import words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# The curves beside the model's: what they are, their colour and their line.
RIVALS = {
    "baseline": ("baseline rule", RULE, "--"),
    "logistic_regression": ("logistic regression", REGRESSION, "-."),
    "champion": ("champion in force", CHAMPION, (0, (1, 1))),
}


def draw_deciles(axes: Axes, evaluation: Evaluation) -> None:
    """The share of positives in each tenth."""
    deciles, average = _curves(evaluation).deciles, 100 * (evaluation.facts.base_rate or 0)
    numbers, rates = [one.decile for one in deciles], [100 * one.rate for one in deciles]
    bars = axes.bar(numbers, rates, color=[MODEL] + [PALE] * (len(rates) - 1), width=0.78)
    clear = {"facecolor": "white", "edgecolor": "none", "pad": 0.6}
    axes.bar_label(bars, fmt="%.0f %%", fontsize=8.5, color=INK, padding=2, bbox=clear)
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
    title = f"The highest-scored tenth: {deciles[0].lift:.1f} times the average"
    name_axes(axes, title, "tenth of each week's scores (1 = highest)", "positives, %")


def words_of_deciles(evaluation: Evaluation) -> str:
    """The picture in words."""
    rates = ", ".join(f"{one.decile}: {one.rate:.0%}" for one in _curves(evaluation).deciles)
    average = evaluation.facts.base_rate or 0
    return f"Bar chart. Share of positives by tenth of the scores, highest first: {rates}. Average: {average:.0%}."


def draw_precision_recall(axes: Axes, evaluation: Evaluation) -> None:
    """The model's curve above those of what it is compared with, and the operating points on it."""
    curves, base_rate = _curves(evaluation), evaluation.facts.base_rate or 0
    for rival, (label, colour, style) in RIVALS.items():
        if points := getattr(curves, rival):
            _line(axes, points, color=colour, linestyle=style, linewidth=1.6, label=label)
    _line(axes, curves.score, color=MODEL, linewidth=2.2, label="model")
    axes.axhline(base_rate, color=FAINT, linewidth=1, linestyle=":", label="chance")
    for number, point in enumerate(evaluation.operating_points):
        axes.plot([point.recall], [point.precision], "o", color=INK, markersize=7, markeredgecolor="white", zorder=5)
        axes.annotate(
            f"{words(point.name)}: {point.precision:.2f}",
            (point.recall, point.precision),
            xytext=(7, 7 + 10 * (number % 2)),
            textcoords="offset points",
            fontsize=8.5,
            color=INK,
        )
    axes.set_xlim(0, 1.01)
    axes.set_ylim(0, 1.04)
    handles, labels = axes.get_legend_handles_labels()
    first = labels.index("model")
    order = [first, *(place for place in range(len(labels)) if place != first)]
    axes.legend(
        [handles[place] for place in order],
        [labels[place] for place in order],
        loc="lower left",
        ncols=2,
        fontsize=8.5,
        frameon=False,
        labelcolor=INK,
    )
    gain = evaluation.metrics["average_precision"] - evaluation.metrics.get("baseline_average_precision", base_rate)
    against = "the baseline rule" if curves.baseline else "chance"
    title = f"Average precision {abs(gain):.2f} {'above' if gain >= 0 else 'below'} {against}"
    name_axes(axes, title, "recall: share of all positives found", "precision: positives among the found")


def words_of_precision_recall(evaluation: Evaluation) -> str:
    """The picture in words."""
    points = "; ".join(
        f"{words(point.name)}: precision {point.precision:.2f} at recall {point.recall:.2f}"
        for point in evaluation.operating_points
    )
    reached = {row.name: row.average_precision for row in evaluation.baselines if row.average_precision is not None}
    rivals = "".join(
        f", of the {label} {reached[rival]:.2f}" for rival, (label, _, _) in RIVALS.items() if rival in reached
    )
    own = evaluation.metrics["average_precision"]
    return f"Line chart of precision against recall. Average precision of the model {own:.2f}{rivals}. {points}."


def draw_calibration(axes: Axes, evaluation: Evaluation) -> None:
    """What was predicted and what happened, in bins of equal size."""
    bins = _curves(evaluation).calibration
    axes.plot([0, 1], [0, 1], color=FAINT, linewidth=1.2, linestyle=":")
    axes.annotate(
        "perfect", (0.93, 0.93), xytext=(-4, 6), textcoords="offset points", ha="right", fontsize=9, color=FAINT
    )
    scores, rates = [part.mean_score for part in bins], [part.rate for part in bins]
    axes.plot(scores, rates, "o-", color=MODEL, linewidth=1.6, markersize=6, markeredgecolor="white")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    off = sum(part.rows * abs(part.mean_score - part.rate) for part in bins) / sum(part.rows for part in bins)
    title = f"On average a score is {100 * off:.1f} points off what happened"
    name_axes(axes, title, "mean score of the bin", "share of positives observed")


def words_of_calibration(evaluation: Evaluation) -> str:
    """The picture in words."""
    bins = ", ".join(f"{part.mean_score:.2f}: {part.rate:.2f}" for part in _curves(evaluation).calibration)
    return f"Line chart. Mean score and observed share of positives by bin: {bins}."


def _curves(evaluation: Evaluation) -> Curves:
    assert evaluation.curves is not None
    return evaluation.curves


def _line(axes: Axes, points: list[CurvePoint], **style: object) -> None:
    steady = [point for point in points if point.recall >= 0.01] or points  # before that a single row moves the line
    axes.plot([one.recall for one in steady], [one.precision for one in steady], **style)  # type: ignore[arg-type]
