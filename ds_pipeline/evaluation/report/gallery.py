"""All pictures of an evaluation, for the report and for the Dagster UI, each with the same in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from ds_pipeline.evaluation.measure.slices import SliceRow
from ds_pipeline.evaluation.report.curve_pictures import (
    draw_calibration,
    draw_deciles,
    draw_precision_recall,
    words_of_calibration,
    words_of_deciles,
    words_of_precision_recall,
)
from ds_pipeline.evaluation.report.dot_pictures import (
    draw_costs,
    draw_groups,
    draw_importance,
    draw_slices,
    words_of_costs,
    words_of_groups,
    words_of_importance,
    words_of_slices,
)
from ds_pipeline.evaluation.report.pictures import SIZE_INCHES, png_of
from ds_pipeline.evaluation.result import Evaluation

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SHOWN_SLICES, SHOWN_INPUTS = 12, 12  # more cannot be read in one picture


class Picture(NamedTuple):
    """A picture, and what it shows in words for who cannot see it."""

    name: str
    png: bytes
    words: str


def pictures_of(evaluation: Evaluation) -> list[Picture]:
    """The pictures of everything that was measured, as PNG; none where nothing was."""
    return [
        Picture(name, png_of(draw, size=(SIZE_INCHES[0], height)), words)
        for name, draw, height, words in _drawings(evaluation)
    ]


def worst_slices(evaluation: Evaluation, *, most: int) -> list[SliceRow]:
    """The groups with the lowest lift, declared or found, of those that could be assessed."""
    return [row for row in evaluation.slices if row.average_precision is not None][:most]


def _drawings(evaluation: Evaluation) -> Iterator[tuple[str, Callable[[Axes], None], float, str]]:
    """Name, drawing, height in inches, and words."""
    if evaluation.curves is None:
        return
    height = SIZE_INCHES[1]
    for name, draw, words in (
        ("precision_recall", draw_precision_recall, words_of_precision_recall),
        ("lift_by_decile", draw_deciles, words_of_deciles),
        ("calibration", draw_calibration, words_of_calibration),
    ):
        yield name, partial(draw, evaluation=evaluation), height, words(evaluation)
    if costs := evaluation.costs:
        yield "costs", partial(draw_costs, costs=costs), height, words_of_costs(costs)
    if slices := worst_slices(evaluation, most=SHOWN_SLICES):
        yield "slices", partial(draw_slices, rows=slices), _height(len(slices)), words_of_slices(slices)
    explained = evaluation.checks.explained if evaluation.checks else None
    if explained is not None and (inputs := explained.inputs[:SHOWN_INPUTS]):
        yield "importance", partial(draw_importance, rows=inputs), _height(len(inputs)), words_of_importance(inputs)
    for (attribute, share), group in groupby(evaluation.groups, lambda row: (row.attribute, row.share)):
        rows = list(group)
        name = f"groups_of_{attribute}_at_{100 * share:g}_percent"
        yield name, partial(draw_groups, rows=rows), _height(len(rows)), words_of_groups(rows)


def _height(rows: int) -> float:
    return max(SIZE_INCHES[1], 1.4 + 0.27 * rows)
