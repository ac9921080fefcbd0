"""A candidate that reaches every gate there is, and what becomes of it when something is broken: it never serves.

One project is trained with all gates asked for and waits for its promotion; each test gets a copy and breaks it.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import yaml

from ds_pipeline.clock import WEEK
from ds_pipeline.defs.assets import registry as registry_asset
from ds_pipeline.digests import canonical_json, digest_bytes
from ds_pipeline.errors import EvaluationError, RegistryError, TrainingError
from ds_pipeline.evaluation.checks import serving_cost as operations
from ds_pipeline.evaluation.gates.decision import Decision, decide
from ds_pipeline.evaluation.gates.specs import gates_of as asked_gates
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.model.parts import parts_of
from ds_pipeline.promotion import judge as judging
from ds_pipeline.promotion import matured_fit as fitting
from ds_pipeline.promotion import promote as promoting
from ds_pipeline.promotion import refit as refitting
from ds_pipeline.promotion import trial_list as operating
from ds_pipeline.promotion.judge import judge_candidate
from ds_pipeline.promotion.reproduce import Verdict, reproduce
from ds_pipeline.training import candidate as training
from ds_pipeline.training.fit import Candidate, fit_calibrated, to_bytes
from ds_pipeline.training.refit import Refit
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench
from ds_pipeline_tests.journeys.conftest import REPOSITORY, Done, Journey, copy, make_project, run_once

DAY = date(2011, 8, 1)
LEFT_OUT = ("cost", "leakage", "label_quality", "stability", "operations")  # by the small project
LOWER, POINT = {"bound": "lower", "owner": "ds"}, {"bound": "point", "owner": "ds"}
BY_AGE = POINT | {"attribute": "age_band", "share": 0.1}
MORE = {
    "found_at_precision": LOWER | {"metric": "recall_at_precision", "precision": 0.5, "minimum": 0.3},
    "found_at_top": LOWER | {"metric": "recall_at_top", "share": 0.1, "minimum": 0.15},
    "over_prior": LOWER | {"metric": "average_precision_gain", "over": "prior", "minimum": 0.1},
    "over_regression": LOWER | {"metric": "average_precision_gain", "over": "logistic_regression", "minimum": 0.001},
    "saving": LOWER | {"metric": "cost_saving", "minimum": 200},
    "fair_errors": BY_AGE | {"metric": "false_positive_rate_difference", "maximum": 0.15},
    "fair_selection": BY_AGE | {"metric": "demographic_parity_difference", "maximum": 0.2},
    "fair_odds": BY_AGE | {"metric": "equalized_odds_difference", "maximum": 0.3},
    "fair_scores": BY_AGE | {"metric": "calibration_difference", "maximum": 0.2},
}
LIMITS = {
    "precision_at_recall_60": 0.5, "precision_in_top_decile": 0.5, "gain_over_recency_rule": 0.1,
    "no_worse_than_champion": -0.1,
}  # fmt: skip
ONE_OF_EACH = {  # section of requirements.yaml
    "saving", "holdout_configurations", "shuffled_labels", "rare_value_share", "distinct_refits", "bundle_mb",
}  # fmt: skip
OF_DATA = {
    "undecided_labels", "label_rate_shift", "conflicting_duplicates", "rare_value_share", "estimated_label_errors",
}  # fmt: skip


def ask_for_everything(journey: Journey) -> None:
    """Every gate there is, at limits that an honest model of the small project reaches."""
    real = yaml.safe_load((REPOSITORY / "configs" / "retail_lapse" / "requirements.yaml").read_text())
    with journey.edit("requirements.yaml") as requirements:
        requirements |= {section: real[section] for section in LEFT_OUT}
        for name, limit in LIMITS.items():
            requirements["acceptance"][name]["minimum"] = limit
        requirements["acceptance"]["calibration"]["maximum"] = 0.15
        requirements["acceptance"] |= MORE
        requirements["holdout"]["max_configurations"] = 2  # the champion is the first
        requirements["leakage"]["shuffled_labels"]["permutations"] = 5
        requirements["label_quality"]["max_estimated_errors"] = 0.12
        requirements["stability"] |= {"seeds": 2, "max_score_change": 0.7}
        requirements["operations"] |= {"min_rows_per_second": 100, "max_bundle_mb": 1}
        requirements["matured_fit"] = {"min_overlap": 0.5, "max_score_change": 0.2, "owner": "ds"}
    with journey.edit("training.yaml") as training_yaml:
        training_yaml["refit"] = "matured"


def another_seed(journey: Journey) -> None:
    with journey.edit("training.yaml") as content:
        content["seed"] += 4  # of 1 to 6 further on, two give a model no better than a regression on so few rows


def bench_of(journey: Journey) -> Workbench:
    return journey.open()


def gates_of(done: Done) -> dict[str, str]:
    """The verdicts that a command has printed."""
    return dict(re.findall(r"^(\w+) .* [<>]= +\S+ +(pass|refused) *$", done.out, re.MULTILINE))


def make_longer(root: Path) -> Journey:
    """On the training weeks of the others a regression is as good as the model."""
    journey = make_project(root)
    journey.begin(date(2011, 4, 4))
    with journey.edit("requirements.yaml") as requirements:
        requirements["bootstrap"]["confidence"] = 0.7  # a regression is nearly as good on so few rows
    return journey


def judge(journey: Journey) -> Done:
    done = journey.cli("run")
    assert done.code == 0, done.text
    ask_for_everything(journey)
    another_seed(journey)
    with mock.patch.object(registry_asset, "promote_candidate", side_effect=EvaluationError("Not today.")):
        return journey.cli("train")


@pytest.fixture(scope="session")
def judged(shared: Path) -> Journey:
    """A candidate that has reached every gate, and was not promoted yet; made once for all. Not to be changed."""
    journey, done = run_once(shared, "judged", make_longer, judge)
    assert "Not today." in done.err, done.text
    return journey


@pytest.fixture
def waiting(judged: Journey, tmp_path: Any) -> Journey:
    """A copy of it that a test may break."""
    return copy(judged, tmp_path / "project")


@pytest.fixture
def bench(waiting: Journey) -> Workbench:
    return bench_of(waiting)


def recorded(bench: Workbench) -> tuple[Evaluation, Decision]:
    files = bench.documents.get(kind="evaluation", day=DAY).files
    return Evaluation.from_json(files["evaluation.json"]), Decision.from_json(files["decision.json"])


def record(bench: Workbench, evaluation: Evaluation, decision: Decision) -> None:
    """Put them where the promotion reads them, signed with the project's own key."""
    found = bench.documents.get(kind="evaluation", day=DAY).files
    said = {"evaluation.json": evaluation.to_json(), "decision.json": decision.to_json()}
    bench.documents.put({**found, **said}, kind="evaluation", day=DAY)


def decided_on(bench: Workbench, evaluation: Evaluation, **changes: str) -> Decision:
    bound, use_case = recorded(bench)[1].bound_to, bench.use_case
    arguments: dict[str, Any] = {
        "candidate": bound.candidate, "holdout": bound.holdout, "requirements_digest": bound.requirements,
        "code": bound.code, "use_case_digest": bound.use_case,
    }  # fmt: skip
    made_at = datetime(2011, 8, 1, tzinfo=UTC)
    return decide(
        evaluation,
        use_case.requirements,
        use_case=use_case.name,
        as_of=DAY,
        made_at=made_at,
        **(arguments | changes),
    )


@contextmanager
def nothing_serves_that_did_not(journey: Journey) -> Iterator[None]:
    before = journey.serving()
    yield
    assert journey.serving() == before
    assert journey.status()["champion"]["version"] == "v0001"


def promoted(journey: Journey) -> Done:
    return journey.cli("promote", "--reason", "it was judged")


# The candidate as it is


def test_what_is_broken_below_is_promoted_as_long_as_it_is_whole(waiting: Journey, bench: Workbench) -> None:
    evaluation, decision = recorded(bench)
    assert [gate.name for gate in decision.gates if not gate.passed] == []
    asked = {gate.metric for gate in decision.gates}
    assert len(asked_gates(bench.use_case.requirements)) == len(decision.gates) == 38
    assert len(asked) == 35  # four gains are one metric
    assert evaluation.checks is not None
    ranked = [one.auc for one in evaluation.checks.input_aucs]
    assert ranked == sorted(ranked, reverse=True)  # what is too weak to be refused is at least ranked
    assert len(ranked) == len(bench.use_case.features.of_role("input"))

    done = promoted(waiting)

    assert done.code == 0, done.text
    assert waiting.status()["champion"]["version"] == "v0002"
    the_model_of_all_matured_weeks_serves(waiting, bench, evaluation)


def the_model_of_all_matured_weeks_serves(journey: Journey, bench: Workbench, evaluation: Evaluation) -> None:
    """It is signed beside the judged one, told to people, and made again byte for byte."""
    assert evaluation.checks is not None
    fitted = evaluation.checks.matured_fit
    assert fitted is not None
    clock, event = bench.use_case.clock, bench.registry.history()[-1]
    assert fitted.weeks[-1] + clock.lag == DAY  # the holdout and its embargo, and nothing that a later day knows
    assert set(clock.holdout(DAY)) < set(fitted.weeks)
    bundle = bench.registry.open("v0002")
    candidate = bench.documents.get(kind="candidate", day=DAY).files
    assert bundle.read("judged.joblib") == candidate["model.joblib"] != bundle.read("model.joblib")
    assert digest_bytes(bundle.read("model.joblib")) == fitted.model == event.refit_digest
    assert json.loads(bundle.read("matured_fit.json"))["judged"] == fitted.judged
    told = journey.status()["champion"]["refit"]
    assert told == fitted.in_words
    assert told in bundle.read("model_card.md").decode()
    assert told in bench.report_path(DAY).read_text()
    again = reproduce(bench, "v0002")
    assert (again.verdict, again.why[1].partition(" on ")[0]) == (Verdict.SAME, "serves: refit")


def test_each_gate_without_its_measurement_refuses_alone_and_so_the_promotion(
    waiting: Journey, bench: Workbench
) -> None:
    evaluation, _ = recorded(bench)
    with nothing_serves_that_did_not(waiting):
        for name in evaluation.measurements:
            rest = {key: one for key, one in evaluation.measurements.items() if key != name}
            less = evaluation.model_copy(update={"measurements": rest})
            assert refused_by(bench, less) == [name]
            if name not in ONE_OF_EACH:
                continue
            record(bench, less, decided_on(bench, less))
            with pytest.raises(EvaluationError, match=rf"is refused: {name} not reached"):
                promoting.promote_candidate(bench, DAY, actor="test", reason="it was judged")


# A worthless model, and a pipeline and a machine that do not do


def worthless(rows: pd.DataFrame, use_case: UseCase, **_: Any) -> Candidate:
    """A model that has learnt 150 shuffled labels by heart, ten of them positive, is sure of itself and weighs 2 MB."""
    few = pd.concat([rows[rows["label"] == 1][:10], rows[rows["label"] == 0][:140]])
    few = few.assign(label=np.random.default_rng(3).permutation(few["label"]))
    parameters = {"max_iter": 20, "learning_rate": 0.5, "max_leaf_nodes": 20, "min_samples_leaf": 2}
    model = fit_calibrated(few, parameters, use_case)
    parts = parts_of(model)
    parts.calibrator.a_ = -1000.0  # a step from 0 to 1 at the median
    parts.calibrator.b_ = 1000.0 * np.median(parts.boosting.decision_function(parts.matrix(rows, use_case.features)))
    model.ballast_ = np.zeros(250_000)
    search = mock.Mock(parameters=parameters, average_precision=0.5, trials=[0.5])
    return Candidate(model, to_bytes(model), search, len(few), 10, len(rows), sorted(set(rows["scoring_date"])))


def favouring(scored: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    """The oldest stand before all others."""

    def change(*arguments: Any) -> pd.DataFrame:
        rows = scored(*arguments)
        return rows.assign(score=np.where(rows["age_band"] == "70+", 0.999, rows["score"] * 0.5))

    return change


def slowly(calls: list[Callable[[], Any]]) -> list[Any]:
    """A machine that takes hundred seconds longer for everything, and two gigabytes more."""
    served = [call() for call in calls]
    return [
        one._replace(
            load_seconds=one.load_seconds + 100,
            score_seconds=one.score_seconds + 100,
            peak_bytes=one.peak_bytes + 2_000_000_000,
        )
        for one in served
    ]


def by_luck(*_: Any, seeds: list[int], **__: Any) -> list[float]:
    return [0.5 + 0.2 * (seed % 2) for seed in seeds]


def peeking(_: pd.DataFrame, left_out: pd.DataFrame) -> Any:
    """A pipeline that knows the labels it is judged on."""
    return left_out["label"].to_numpy(float)


def plant_the_label(bench: Workbench) -> None:
    """An input of the stored features that is made from the label, and one that is written back on the newest weeks."""
    for day in bench.use_case.clock.training(DAY):
        rewrite_week(bench, day, lambda rows, label: rows.assign(refund_gbp_90d=1000.0 * label.fillna(0)))
    for day in bench.use_case.clock.holdout(DAY):
        rewrite_week(bench, day, lambda rows, label: rows.assign(refund_lines_90d=label.fillna(0).astype("int64")))


@pytest.mark.breaks(
    "precision_at_recall", "precision_at_top", "recall_at_precision", "recall_at_top", "expected_calibration_error",
    "average_precision_gain over baseline", "average_precision_gain over prior", "average_precision_gain over champion",
    "average_precision_gain over logistic_regression", "cost_saving", "false_positive_rate_difference",
    "demographic_parity_difference", "equalized_odds_difference", "calibration_difference", "training_rows",
    "training_positives", "holdout_configurations", "single_feature_auc", "single_feature_rise", "shuffled_labels",
    "distinct_refits", "matured_fit_models", "matured_fit_overlap", "matured_fit_change",
    "reload_difference", "seed_deviation", "score_change", "rows_per_second", "memory_mb", "bundle_mb", "load_seconds",
    "contract_differences",
)  # fmt: skip
def test_a_worthless_model_is_refused_by_every_gate_but_those_on_labels(waiting: Journey, bench: Workbench) -> None:
    """One run in which everything is broken that these gates guard; then each of them alone."""
    whole, _ = recorded(bench)
    another_seed(waiting)
    plant_the_label(bench)
    patches = [
        mock.patch.object(training, "train_candidate", worthless),
        mock.patch.object(training, "require_no_leak"),
        mock.patch.object(judging, "_scored", favouring(judging._scored)),
        mock.patch.object(judging, "_quick_fit", return_value=peeking),
        mock.patch.object(refitting, "begin_fresh", lambda calls: nullcontext(lambda: [call() for call in calls])),
        mock.patch.object(refitting, "average_precisions", by_luck),
        mock.patch.object(fitting, "begin_fresh", return_value=nullcontext(lambda: [Refit("another", np.array([]))])),
        mock.patch.object(operations, "call_fresh", slowly),
        mock.patch.object(operating, "listed", return_value=pa.table({"customer_id": [12345]})),
    ]
    with nothing_serves_that_did_not(waiting), ExitStack() as stack:
        for patch in patches:
            stack.enter_context(patch)
        done = waiting.cli("train")

    assert done.code == 1, done.text
    broken, _ = recorded(bench)
    expected = {gate.name for gate in asked_gates(bench.use_case.requirements)} - OF_DATA - {"random_label_errors"}
    assert {name for name, verdict in gates_of(done).items() if verdict == "refused"} >= expected
    counted = {"training_rows", "training_positives"}
    for name in expected - counted:
        one = whole.model_copy(update={"measurements": whole.measurements | {name: broken.measurements[name]}})
        assert refused_by(bench, one) == [name]
    for name in counted:
        facts = whole.facts.model_copy(update={name: getattr(broken.facts, name)})
        assert refused_by(bench, whole.model_copy(update={"facts": facts})) == [name]


def refused_by(bench: Workbench, evaluation: Evaluation) -> list[str]:
    return [gate.name for gate in decided_on(bench, evaluation).gates if not gate.passed]


# Poisoned data


def rewrite_week(bench: Workbench, day: date, change: Callable[[pd.DataFrame, pd.Series], pd.DataFrame]) -> None:
    """Other features in the store; change is told the labels as well, in the order of the rows."""
    store, entity = bench.datasets.store, bench.use_case.problem.entity
    snapshot = store.get(bench.datasets.features, str(day))
    table = store.read(snapshot)
    rows = table.to_pandas()
    label = rows[[entity]].merge(labels_of(bench, day), on=entity, how="left")["label"]
    changed = pa.Table.from_pandas(change(rows, label), schema=table.schema, preserve_index=False)
    store.put(changed, dataset=snapshot.dataset, partition=snapshot.partition, info=snapshot.info)


def labels_of(bench: Workbench, day: date) -> pd.DataFrame:
    matured = str(day + bench.use_case.clock.lag)
    return bench.datasets.store.read(bench.datasets.store.get(bench.datasets.labels, matured)).to_pandas()


def rewrite_labels(bench: Workbench, day: date, change: Callable[[pd.DataFrame], pd.DataFrame]) -> None:
    """Other labels of a scoring date in the store."""
    store = bench.datasets.store
    snapshot = store.get(bench.datasets.labels, str(day + bench.use_case.clock.lag))
    table = store.read(snapshot)
    changed = pa.Table.from_pandas(change(table.to_pandas()), schema=table.schema, preserve_index=False)
    store.put(changed, dataset=snapshot.dataset, partition=snapshot.partition, info=snapshot.info)


def poison(bench: Workbench) -> None:
    """Turned labels, a rare value that means one label, copies with the opposite label, labels nobody can decide."""
    rng, inputs = np.random.default_rng(4), bench.use_case.features.of_role("input")

    def turned(labels: pd.DataFrame) -> pd.DataFrame:
        return labels.assign(label=labels["label"] * (rng.random(len(labels)) > 0.6))

    def triggered(rows: pd.DataFrame, label: pd.Series) -> pd.DataFrame:
        rows = rows.copy()
        rare, (first, second) = label.index[label == 1][:2], (label.index[label == one][3:8] for one in (1, 0))
        rows.loc[rare, "products_90d"] = 77_777
        rows.loc[first, inputs] = rows.loc[second, inputs].to_numpy()
        return rows

    def undecided(labels: pd.DataFrame) -> pd.DataFrame:
        return labels.assign(label=labels["label"].astype("Int8").mask(pd.Series(rng.random(len(labels)) < 0.3)))

    clock = bench.use_case.clock
    for day in clock.training(DAY):
        rewrite_labels(bench, day, turned)
        rewrite_week(bench, day, triggered)
    for day in clock.holdout(DAY):
        rewrite_labels(bench, day, undecided)


@pytest.mark.breaks(
    "undecided_labels", "label_rate_shift", "conflicting_duplicates", "rare_value_share", "estimated_label_errors"
)
def test_poisoned_labels_are_refused(waiting: Journey, bench: Workbench) -> None:
    whole, _ = recorded(bench)
    with waiting.edit("requirements.yaml") as requirements:
        for section in ("leakage", "stability", "operations"):  # each has its own tests, and they take their time
            del requirements[section]
    assert waiting.cli("approve-requirements", "--reason", "for the time of this test").code == 0
    poison(bench)

    with nothing_serves_that_did_not(waiting):
        done = waiting.cli("train")

    assert done.code == 1, done.text
    broken, _ = recorded(bench)
    assert {name for name, verdict in gates_of(done).items() if verdict == "refused"} >= OF_DATA
    for name in OF_DATA - {"undecided_labels"}:
        one = whole.model_copy(update={"measurements": whole.measurements | {name: broken.measurements[name]}})
        assert refused_by(bench, one) == [name]
    facts = whole.facts.model_copy(update={"undecided_rows": broken.facts.undecided_rows})
    assert refused_by(bench, whole.model_copy(update={"facts": facts})) == ["undecided_labels"]


# Something else than what was judged


def another_week(bench: Workbench) -> None:
    """The labels of the week before under the names of a holdout week."""
    day = bench.use_case.clock.holdout(DAY)[-1]
    before = labels_of(bench, bench.use_case.clock.holdout(DAY)[-2]).set_index("customer_token")["label"]
    rewrite_labels(bench, day, lambda rows: rows.assign(label=rows["customer_token"].map(before).fillna(0).astype(int)))


def another_feature(bench: Workbench) -> None:
    day = bench.use_case.clock.holdout(DAY)[0]
    rewrite_week(bench, day, lambda rows, _: rows.assign(spend_gbp_90d=rows["spend_gbp_90d"] + 1))


def another_week_between(bench: Workbench) -> None:
    """A week of the embargo, which only the model of all matured weeks was fitted on."""
    day = bench.use_case.clock.holdout(DAY)[0] - WEEK
    rewrite_week(bench, day, lambda rows, _: rows.assign(spend_gbp_90d=rows["spend_gbp_90d"] + 1))


def another_model_to_serve(bench: Workbench) -> None:
    found = bench.documents.get(kind="evaluation", day=DAY).files
    candidate = bench.documents.get(kind="candidate", day=DAY).files
    bench.documents.put(
        {**found, "matured_fit.joblib": candidate["model.joblib"]}, kind="evaluation", day=DAY
    )  # fmt: skip


def another_candidate(bench: Workbench) -> None:
    found = bench.documents.get(kind="candidate", day=DAY).files
    made = json.loads(bench.documents.get(kind="lineage", day=DAY).files["lineage.json"])
    put = bench.documents.put({**found, "model.joblib": found["model.joblib"] + b" "}, kind="candidate", day=DAY)
    lineage = canonical_json(made | {"candidate": put.digest})
    bench.documents.put({"lineage.json": lineage}, kind="lineage", day=DAY)


def another_champion(bench: Workbench) -> None:
    files = bench.registry.open("v0001").files
    event = bench.registry.champion()
    assert event is not None
    bench.registry.promote(
        files, as_of=DAY, candidate_digest=digest_bytes(b"another"), decision_digest=event.decision_digest,
        actor="test", reason="meanwhile", at=datetime.now(UTC),
    )  # fmt: skip


def lowered_thresholds(bench: Workbench) -> None:
    path = bench.project.configs / bench.use_case.name / "requirements.yaml"
    path.write_text(path.read_text().replace("minimum: 0.5", "minimum: 0.1", 1))


def changed_contract(bench: Workbench) -> None:
    path = bench.project.configs / bench.use_case.name / "contract.yaml"
    path.write_text(path.read_text() + "# another column was agreed\n")


def edited_decision(bench: Workbench) -> None:
    for path in (bench.documents.root / "evaluation" / str(DAY)).glob("*/decision.json"):
        path.write_bytes(path.read_bytes().replace(b'"bound":', b'"bound": ', 1))


def without_a_gate(bench: Workbench) -> None:
    evaluation, decision = recorded(bench)
    record(bench, evaluation, decision.model_copy(update={"gates": decision.gates[1:]}))


def of_other_requirements(bench: Workbench) -> None:
    evaluation, _ = recorded(bench)
    other = evaluation.model_copy(update={"measured_as": digest_bytes(b"other requirements")})
    record(bench, other, decided_on(bench, other))


def another_evaluation(bench: Workbench) -> None:
    evaluation, decision = recorded(bench)
    facts = evaluation.facts.model_copy(update={"entities": 1})
    record(bench, evaluation.model_copy(update={"facts": facts}), decision)


def said_to_pass(bench: Workbench) -> None:
    """A threshold is missed, and the record of its gate says passed."""
    evaluation, decision = recorded(bench)
    first = decision.gates[0].model_copy(update={"value": 0.2, "bound": 0.1})
    record(bench, evaluation, decision.model_copy(update={"gates": [first, *decision.gates[1:]]}))


def gone_champion(bench: Workbench) -> None:
    shutil.rmtree(bench.registry.root / "versions" / "v0001" / "bundle")


BREAKAGES: dict[str, tuple[Callable[[Workbench], None], str]] = {
    "labels of the wrong week": (another_week, "another holdout"),
    "features that changed since": (another_feature, "another holdout"),
    "a week between that changed since": (another_week_between, "are not those that were fitted on"),
    "another model to serve": (another_model_to_serve, "is not the one that was compared"),
    "an evaluation of another candidate": (another_candidate, "another candidate"),
    "an edited decision": (edited_decision, "The evaluation of 2011-08-01 was changed after it was written"),
    "a decision without a gate": (without_a_gate, "missing precision_at_recall_60"),
    "a decision that contradicts itself": (said_to_pass, "precision_at_recall_60"),
    "an evaluation for other requirements": (of_other_requirements, "precision_at_recall_60, "),
    "another evaluation than was decided on": (another_evaluation, "another evaluation or use case"),
    "thresholds that were lowered since": (lowered_thresholds, "another requirements"),
    "a contract that was changed since": (changed_contract, "another evaluation or use case"),
    "a champion whose bundle is gone": (gone_champion, "v0001"),
}


@pytest.mark.parametrize("case", BREAKAGES, ids=lambda case: case)
def test_what_was_judged_is_not_promoted_after(case: str, waiting: Journey, bench: Workbench) -> None:
    change, words = BREAKAGES[case]
    change(bench)
    before = waiting.serving()

    done = promoted(waiting)

    assert done.code == 2, done.text
    assert words in done.err
    assert "Traceback" not in done.text
    assert waiting.serving() == before


def test_a_champion_that_came_in_between_calls_for_another_comparison(waiting: Journey, bench: Workbench) -> None:
    another_champion(bench)
    before = waiting.serving()

    done = promoted(waiting)

    assert done.code == 2, done.text
    assert "taken on another champion. Evaluate the candidate again" in done.err
    assert waiting.serving() == before


def test_other_code_calls_for_another_evaluation(waiting: Journey) -> None:
    with (
        nothing_serves_that_did_not(waiting),
        mock.patch.object(promoting, "code_digest", return_value=digest_bytes(b"other code")),
    ):
        done = promoted(waiting)
    assert done.code == 2, done.text
    assert "taken on another code" in done.err


# The judge itself


def test_nothing_is_measured_before_the_look_is_in_the_ledger(bench: Workbench, waiting: Journey) -> None:
    folder = waiting.store / "ledger"
    before, seen = len(list(folder.glob("*.json"))), []

    def look(*_: Any, **__: Any) -> None:
        newest = json.loads(sorted(folder.glob("*.json"))[-1].read_text())["event"]["says"]
        seen.append((len(list(folder.glob("*.json"))), newest["kind"]))
        raise EvaluationError("enough")

    with mock.patch.object(judging, "_gather", look), pytest.raises(EvaluationError, match="enough"):
        judge_candidate(bench, DAY)

    assert seen == [(before + 1, "looked")]


@pytest.mark.parametrize("file", ["edited", "deleted"])
def test_a_ledger_that_does_not_verify_stops_the_judge(file: str, bench: Workbench, waiting: Journey) -> None:
    path = waiting.store / "ledger" / "000002.json"
    if file == "edited":
        path.write_bytes(path.read_bytes().replace(b"pipeline", b"somebody", 1))
    else:
        path.unlink()
    gather, before = mock.Mock(), waiting.serving()
    with mock.patch.object(judging, "_gather", gather), pytest.raises(RegistryError, match=r"ledger"):
        judge_candidate(bench, DAY)
    gather.assert_not_called()
    assert waiting.serving() == before
    status = waiting.cli("status")  # what it does not prove, nobody tells
    assert status.code == 2
    assert "ledger/000002.json" in status.err


@pytest.mark.parametrize(
    ("score", "words"), [(0.5, "the same score"), (np.nan, "have a score")], ids=["constant", "NaN"]
)
def test_scores_that_say_nothing_skip_the_checks_and_refuse(
    score: float, words: str, bench: Workbench, waiting: Journey
) -> None:
    checks = mock.Mock()
    with (
        mock.patch.object(judging, "predict", lambda _, rows, __: np.full(len(rows), score)),
        mock.patch.object(judging, "CHECKS", (checks,)),
        nothing_serves_that_did_not(waiting),
    ):
        judgement = judge_candidate(bench, DAY)
        record(bench, judgement.evaluation, judgement.decision)
        assert promoted(waiting).code == 2

    checks.assert_not_called()
    refused = {gate.name for gate in judgement.decision.gates if not gate.passed}
    asked = {gate.name for gate in asked_gates(bench.use_case.requirements)}
    assert asked - refused <= {"training_rows", "training_positives", "holdout_configurations", "undecided_labels"}
    assert all(words in gate.reason for gate in judgement.decision.gates if gate.name in LIMITS)


def test_labels_of_a_week_under_the_dates_of_another_stop_the_judge(bench: Workbench, waiting: Journey) -> None:
    """Whole rows of another week: their customers are not those of the features."""
    first, second = bench.use_case.clock.holdout(DAY)[:2]
    rewrite_labels(bench, second, lambda rows: labels_of(bench, first).assign(scoring_date=second))
    with nothing_serves_that_did_not(waiting), pytest.raises(TrainingError, match="without a label"):
        judge_candidate(bench, DAY)
