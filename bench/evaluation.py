"""The evaluation of a large holdout: bounds and slices against the straightforward loop: python bench/evaluation.py

Made-up rows of the size of the subscription sample: 85,000 of 10,900 users in 8 weeks, 40 inputs. The loop draws the
same users and asks scikit-learn for each metric; a few resamples of it are timed and multiplied.
"""

import time
from dataclasses import fields
from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd
from sklearn.metrics import average_precision_score, precision_recall_curve

from ds_pipeline.evaluation.checks.material import Material
from ds_pipeline.evaluation.evaluate import evaluate
from ds_pipeline.evaluation.measure.baselines import ChampionFacts
from ds_pipeline.evaluation.measure.cost import cost_of
from ds_pipeline.evaluation.measure.intervals import bootstrap, bootstrap_counts
from ds_pipeline.evaluation.measure.metrics import measure
from ds_pipeline.evaluation.measure.resamples import ScoredRows
from ds_pipeline.evaluation.measure.slices import slice_table
from ds_pipeline.use_case.requirements import Cost, HoldoutMetric, Requirements

USERS, WEEKS, PRESENT, INPUTS = 10_900, 8, 0.975, 40
RESAMPLES, OF_THE_LOOP = 2_000, 5
CUT_OFF = 0.1
LOWER = {"minimum": 0.01, "bound": "lower", "owner": "bench"}
ASKED = {
    "acceptance": {
        "recall_at_precision": LOWER | {"metric": "recall_at_precision", "precision": 0.2},
        "recall_at_top": LOWER | {"metric": "recall_at_top", "share": 0.1},
        "precision_at_top": LOWER | {"metric": "precision_at_top", "share": 0.1},
        "over_baseline": LOWER | {"metric": "average_precision_gain", "over": "baseline"},
        "over_prior": LOWER | {"metric": "average_precision_gain", "over": "prior"},
        "over_logistic_regression": LOWER | {"metric": "average_precision_gain", "over": "logistic_regression"},
        "over_champion": LOWER | {"metric": "average_precision_gain", "over": "champion"},
        "saved": LOWER | {"metric": "cost_saving"},
    },
    "data_minimums": {"training_rows": 1, "training_positives": 1, "owner": "bench"},
    "baseline": {"feature": "input_00", "higher_means_more_likely": True},
    "holdout": {"weeks": WEEKS, "min_rows": 1000, "min_positives": 100},
    "bootstrap": {"resamples": RESAMPLES, "confidence": 0.95, "seed": 1},
    "slices": {"min_support": 200},
    "cost": {
        "currency": "EUR", "campaign_cost": 2, "false_positive": 0.5, "false_negative": 0, "value_saved": 20,
        "owner": "bench",
    },
    "monitoring": {"psi": {"warn": 0.1, "act": 0.2}, "owner": "bench"},
    "budgets": {"run_minutes": 10, "disk_gb": 1, "owner": "bench"},
}  # fmt: skip


def made_up() -> pd.DataFrame:
    """The predictions of a model that ranks well, beside two that rank a little worse; one row in 16 is positive."""
    rng = np.random.default_rng(1)
    weeks = [date(2025, 1, 6) + timedelta(weeks=week) for week in range(WEEKS)]
    frame = pd.DataFrame({"scoring_date": np.repeat(weeks, USERS), "user": np.tile(np.arange(USERS), WEEKS)})
    frame = frame[rng.random(len(frame)) < PRESENT].reset_index(drop=True)
    chance = rng.beta(1, 15, len(frame))

    def blurred(width: float) -> np.ndarray:
        return np.clip(chance + rng.normal(0, width, len(frame)), 0, 1)

    numbers = {f"input_{place:02d}": rng.gamma(1, 10, len(frame)).round() for place in range(INPUTS - 5)}
    words = {f"kind_{place}": rng.choice(["a", "b", "c", None], len(frame)) for place in range(5)}
    return frame.assign(
        user=frame["user"].map("u{:05d}".format),
        label=(rng.random(len(frame)) < chance).astype(int),
        score=blurred(0.02),
        baseline=rng.integers(1, 32, len(frame)).astype(float),
        logistic_regression=blurred(0.04),
        champion=blurred(0.03),
        **numbers,
        **words,
    )


def loop(rows: ScoredRows, count: int, *, share: float, precision: float, cost: Cost) -> list[list[float]]:
    """The same metrics the way a notebook would: copy the rows that were drawn, ask scikit-learn, next."""
    values = []
    for drawn in bootstrap_counts(int(rows.entity.max()) + 1, range(count), seed=1):
        place = np.repeat(np.arange(len(rows.label)), drawn[rows.entity])
        label, score, week = rows.label[place], rows.score[place], rows.week[place]
        precisions, recalls, _ = precision_recall_curve(label, score)
        taken = np.zeros(len(place), dtype=bool)
        for one in np.unique(week):
            members = np.flatnonzero(week == one)
            best = np.argsort(-score[members], kind="stable")[: int(np.ceil(share * len(members)))]
            taken[members[best]] = True
        reached = average_precision_score(label, score)
        others = [getattr(rows, name) for name in ("baseline", "logistic_regression", "champion")]
        gains = [reached - average_precision_score(label, other[place]) for other in others]
        positives, acted = label.sum(), score >= CUT_OFF
        acting = cost_of(cost, taken=acted.sum(), hits=label[acted].sum(), positives=positives)
        everybody = cost_of(cost, taken=len(label), hits=positives, positives=positives)
        nobody = cost_of(cost, taken=0, hits=0, positives=positives)
        values.append(
            [
                recalls[precisions >= precision].max(),
                label[taken].sum() / positives,
                label[taken].mean(),
                gains[0],
                reached - label.mean(),
                *gains[1:],
                1000 * (min(everybody, nobody) - acting) / len(label),
            ]
        )
    return values


def material_of(frame: pd.DataFrame, requirements: Requirements) -> Material:
    """What the evaluation looks at; everything else is None."""
    inputs, weeks = [name for name in frame if name.startswith(("input_", "kind_"))], sorted(set(frame["scoring_date"]))
    known = {
        "use_case": SimpleNamespace(
            requirements=requirements,
            problem=SimpleNamespace(entity="user"),
            features=SimpleNamespace(
                of_role=lambda role: ["kind_0", "kind_1", "kind_2"] if role == "slice" else [],
                inputs_of=lambda *_: inputs,
            ),
            clock=SimpleNamespace(holdout=lambda _: weeks),
        ),
        "training": {"rows": 10_000, "positives": 600},
        "trained_on": frame[["user"]][::3],
        "holdout": frame,
        "undecided_rows": 0,
        "champion": ChampionFacts(version="v0001", candidate="0" * 64),
    }
    return Material(**dict.fromkeys((field.name for field in fields(Material)), None) | known)


def main() -> None:
    """Time the bounds, the loop, the slices and the whole; check that bounds and loop agree."""
    frame, requirements = made_up(), Requirements.model_validate(ASKED)
    assert requirements.cost is not None
    thresholds: dict[str, HoldoutMetric] = dict(requirements.acceptance)  # type: ignore[arg-type]
    rows = ScoredRows.from_frame(frame, "user", cost=requirements.cost, cut_off=CUT_OFF)
    print(f"{len(frame):,} rows, {USERS:,} users, {int(frame['label'].sum()):,} positives; {len(thresholds)} bounds")

    found, times = {}, {}
    for n_jobs in (1, -1):
        started = time.perf_counter()
        found[n_jobs] = bootstrap(rows, thresholds, settings=requirements.bootstrap, n_jobs=n_jobs)
        times[n_jobs] = time.perf_counter() - started
        print(f"bootstrap of {RESAMPLES:,} resamples, n_jobs={n_jobs}: {times[n_jobs]:.2f} s")
    assert all((found[1][name] == found[-1][name]).all() for name in thresholds), "threads change the numbers"

    started = time.perf_counter()
    looped = loop(rows, OF_THE_LOOP, share=0.1, precision=0.2, cost=requirements.cost)
    extrapolated = (time.perf_counter() - started) / OF_THE_LOOP * RESAMPLES
    print(
        f"the loop over scikit-learn: {extrapolated:.0f} s (from {OF_THE_LOOP}), {extrapolated / times[-1]:.0f} times"
    )
    ours = np.column_stack([found[1][name][:OF_THE_LOOP] for name in thresholds])
    assert np.allclose(ours, looped), "the loop measures something else"

    started = time.perf_counter()
    table = slice_table(
        frame.assign(is_selected=rows.score >= CUT_OFF),
        entity="user",
        slices=["kind_0", "kind_1", "kind_2"],
        min_support=200,
        seed=1,
        automatic=[name for name in frame if name.startswith(("input_", "kind_"))],
        known_entities=set(frame["user"][::3]),
    )
    print(f"{len(table)} groups of {len({row.slice for row in table})} slices: {time.perf_counter() - started:.2f} s")

    material = material_of(frame, requirements)
    started = time.perf_counter()
    evaluation = evaluate(material, cut_off=CUT_OFF)
    print(f"the whole evaluation: {time.perf_counter() - started:.2f} s")
    for name, measured in evaluation.measurements.items():
        assert measured.value == float(measure(thresholds[name], rows.once)[0]), name


if __name__ == "__main__":
    main()
