"""One HTML page on a backtest, with a picture per figure; it loads nothing from anywhere."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import pandas as pd

from ds_pipeline.evaluation.measure.walk_forward import by_age
from ds_pipeline.evaluation.report.pictures import FAINT, INK, MODEL, RULE, data_uri, png_of
from ds_pipeline.figures import ratio
from ds_pipeline.templates import environment
from ds_pipeline.use_case.problem import Problem

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE_INCHES = (9.2, 3.6)
FIGURE = partial(ratio, unknown="not known")
TITLES = {
    "precision": "Precision in the highest-scored share",
    "recall": "Recall of the highest-scored share",
    "average_precision": "Average precision",
}


def render_backtest(weeks: pd.DataFrame, *, problem: Problem, facts: Mapping[str, object]) -> str:
    """The page as text.

    Args:
        weeks: from `backtest.measure_weeks`.
        facts: how it was made, in words: name and value.
    """
    templates = environment("evaluation/report", is_html=True, filters={"figure": FIGURE})
    return templates.get_template("backtest.html.j2").render(
        problem=problem,
        facts=facts,
        weeks=weeks.to_dict("records"),
        ages=by_age(weeks).to_dict("records"),
        means=weeks.drop(columns=["scoring_date", "trained_as_of", "trained_until"]).mean().to_dict(),
        pictures=[(alt_text(weeks, name), data_uri(picture(weeks, name))) for name in TITLES],
    )


def picture(weeks: pd.DataFrame, figure: str) -> bytes:
    """PNG bytes: a figure per scoring date, with the age of the model in weeks at each point."""
    return png_of(partial(_draw, weeks=weeks, figure=figure), size=SIZE_INCHES)


def _draw(axes: Axes, *, weeks: pd.DataFrame, figure: str) -> None:
    across = list(range(len(weeks)))
    dates = [f"{day:%d %b}" for day in weeks["scoring_date"]]
    for place in [place for place in across if weeks["age_weeks"].iloc[place] == 0]:
        axes.axvline(place - 0.5, color=FAINT, linewidth=0.8, linestyle=":")
    axes.plot(across, weeks[f"prior_{figure}"], color=FAINT, linewidth=1.2, linestyle=":", label="prior (chance)")
    axes.plot(across, weeks[f"baseline_{figure}"], color=RULE, linewidth=1.8, linestyle="--", label="baseline rule")
    axes.plot(across, weeks[figure], "o-", color=MODEL, linewidth=2, markeredgecolor="white", label="model")
    for place, (value, age) in enumerate(zip(weeks[figure], weeks["age_weeks"], strict=True)):
        if math.isfinite(value):
            text = axes.annotate(f"{age}", (place, value), xytext=(0, 7), textcoords="offset points", ha="center")
            text.set(fontsize=8, color=MODEL)
    step = -(-len(dates) // 18)  # more labels than that would overlap
    axes.set_xticks(across[::step], dates[::step], rotation=45, ha="right")
    highest = weeks[[figure, f"baseline_{figure}", f"prior_{figure}"]].max().max()
    axes.set_ylim(0, 1.15 * highest if highest > 0 else 1)  # room for the ages
    axes.set_title(TITLES[figure], loc="left", fontsize=11, color=INK, fontweight="bold", pad=12)
    axes.set_xlabel("scoring date (number: age of the model in weeks; dotted: a new model)", fontsize=9, color=INK)
    axes.legend(frameon=False, fontsize=9, ncols=3, loc="upper right", bbox_to_anchor=(1, 1.13), labelcolor=INK)


def alt_text(weeks: pd.DataFrame, figure: str) -> str:
    """The picture in words, for who cannot see it."""
    points = ", ".join(
        f"{one.scoring_date} (age {one.age_weeks}): {FIGURE(getattr(one, figure))}" for one in weeks.itertuples()
    )
    baseline, prior = (FIGURE(weeks[f"{rival}_{figure}"].mean()) for rival in ("baseline", "prior"))
    return (
        f"Line chart. {TITLES[figure]} by scoring date: {points}. On average the baseline rule has {baseline}, "
        f"the prior {prior}."
    )
