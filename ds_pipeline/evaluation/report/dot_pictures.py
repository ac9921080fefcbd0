"""Rows of figures as pictures, each with its words: groups with intervals, protected groups, inputs, costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ds_pipeline.evaluation.checks.explanations import Importance
from ds_pipeline.evaluation.measure.cost import Costs
from ds_pipeline.evaluation.measure.fairness import GroupRow
from ds_pipeline.evaluation.measure.slices import SliceRow
from ds_pipeline.evaluation.report.pictures import FAINT, INK, MODEL, PALE, RULE
from ds_pipeline.figures import declared_percent, percent, significant, words

if TYPE_CHECKING:
    from matplotlib.axes import Axes

RATES = {  # of a protected group: words, colour and marker
    "selected_share": ("selected", INK, "s"),
    "false_positive_rate": ("false positive rate", RULE, "^"),
    "true_positive_rate": ("true positive rate", MODEL, "o"),
}
LONGEST_NAME = 40
OF_MODEL = "from the cut-off on"


def draw_slices(axes: Axes, rows: Sequence[SliceRow]) -> None:
    """The average precision of each group with its interval, and its share of positives, which is chance there."""
    for place, row in enumerate(rows):
        if row.lower is not None and row.upper is not None:
            axes.plot([row.lower, row.upper], [place, place], color=MODEL, linewidth=2, solid_capstyle="butt")
    places = range(len(rows))
    reached = [row.average_precision or 0.0 for row in rows]
    axes.plot(reached, places, "o", color=MODEL, markersize=6.5, markeredgecolor="white", label="average precision")
    chance = [row.base_rate for row in rows]
    axes.plot(chance, places, "|", color=RULE, markersize=11, markeredgewidth=2, label="chance in the group")
    _rows(axes, [f"{words(row.slice)}: {row.group}" for row in rows])
    axes.margins(x=0.06)
    _legend(axes)
    _name(axes, "The groups in which the model gains least", "average precision (90 % interval)")


def words_of_slices(rows: Sequence[SliceRow]) -> str:
    """The picture in words."""
    told = "; ".join(
        f"{words(row.slice)} {row.group}: {significant(row.average_precision)}"
        + (f" ({significant(row.lower)} to {significant(row.upper)})" if row.lower is not None else "")
        + f", chance {significant(row.base_rate)}"
        for row in rows
    )
    return f"Dot chart. Average precision of the groups in which the model gains least, with a 90 % interval: {told}."


def draw_groups(axes: Axes, rows: Sequence[GroupRow]) -> None:
    """The rates of each group of one protected attribute."""
    for rate, (label, colour, marker) in RATES.items():
        known = [(100 * value, place) for place, row in enumerate(rows) if (value := getattr(row, rate)) is not None]
        values, places = [value for value, _ in known], [place for _, place in known]
        axes.plot(values, places, marker, color=colour, markersize=7, markeredgecolor="white", label=label)
    _rows(axes, [row.group for row in rows])
    axes.set_xlim(left=0)
    _legend(axes)
    title = f"Groups of {words(rows[0].attribute)}, at the highest-scored {declared_percent(rows[0].share)}"
    _name(axes, title, "% of the group")


def words_of_groups(rows: Sequence[GroupRow]) -> str:
    """The picture in words."""
    told = "; ".join(
        f"{row.group}: " + ", ".join(f"{label} {percent(getattr(row, rate))}" for rate, (label, _, _) in RATES.items())
        for row in rows
    )
    return f"Dot chart of the groups of {words(rows[0].attribute)}. {told}."


def draw_importance(axes: Axes, rows: Sequence[Importance]) -> None:
    """What shuffling each input takes away, with the standard deviation over the repeats."""
    axes.barh(
        range(len(rows)),
        [row.importance for row in rows],
        xerr=[row.standard_deviation for row in rows],
        color=PALE,
        height=0.62,
        error_kw={"ecolor": MODEL, "elinewidth": 1.6},
    )
    axes.axvline(0, color=FAINT, linewidth=1)
    _rows(axes, [words(row.input) for row in rows])
    title = f"It looks most at {words(rows[0].input)}"
    _name(axes, title, "average precision lost when the input is shuffled")


def words_of_importance(rows: Sequence[Importance]) -> str:
    """The picture in words."""
    told = ", ".join(f"{words(row.input)} {significant(row.importance, 2)}" for row in rows)
    return f"Bar chart. Average precision lost when an input is shuffled, largest first: {told}."


def draw_costs(axes: Axes, costs: Costs) -> None:
    """What each way of choosing saves, as the gate counts it; to the left of 0 it costs more."""
    rows = costs.policies
    saved = [costs.saved_per_1000(row) for row in rows]
    bars = axes.barh(
        range(len(rows)), saved, color=[MODEL if row.policy == OF_MODEL else PALE for row in rows], height=0.62
    )
    axes.bar_label(bars, labels=[significant(one) for one in saved], fontsize=8.5, color=INK, padding=3)
    axes.axvline(0, color=FAINT, linewidth=1)
    axes.margins(x=0.18)
    _rows(axes, [words(row.policy) for row in rows])
    cheapest = min(rows, key=lambda row: row.cost_per_1000)
    title = f"Cheapest: {words(cheapest.policy)}"
    _name(axes, title, f"saved, {costs.currency} per 1,000 rows (best trivial way: 0)")


def words_of_costs(costs: Costs) -> str:
    """The picture in words."""
    told = ", ".join(f"{words(row.policy)} {significant(costs.saved_per_1000(row))}" for row in costs.policies)
    against = "against the better of everybody and nobody"
    return f"Bar chart. Saved in {costs.currency} per 1,000 rows by whom one acts on, {against}: {told}."


def _name(axes: Axes, title: str, across: str) -> None:
    """The title over the names as well, which take much of the width."""
    axes.figure.suptitle(title, x=0.01, ha="left", fontsize=11, color=INK, fontweight="bold")
    axes.set_xlabel(across, fontsize=9, color=INK)


def _legend(axes: Axes) -> None:
    axes.figure.legend(loc="outside lower right", ncols=3, fontsize=8.5, frameon=False, labelcolor=INK)


def _rows(axes: Axes, names: Sequence[str]) -> None:
    """One row per name, the first on top."""
    shown = [text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…" for text in names]
    axes.set_yticks(range(len(names)), shown)
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(names) - 0.5, -0.6)
    axes.grid(axis="x", color="#e8eaec", linewidth=0.8)
    axes.grid(visible=False, axis="y")
