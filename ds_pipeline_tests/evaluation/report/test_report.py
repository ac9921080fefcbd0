from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from ds_pipeline.evaluation.checks.cross_validation import CrossValidated, FoldMetric
from ds_pipeline.evaluation.checks.error_analysis import ErrorAnalysis, ErrorGroup
from ds_pipeline.evaluation.checks.explanations import Explained, Importance
from ds_pipeline.evaluation.checks.findings import Checks
from ds_pipeline.evaluation.checks.holdout_budget import Approval, LedgerRecord, Override, WeekLooks
from ds_pipeline.evaluation.checks.label_quality import LabelFindings
from ds_pipeline.evaluation.checks.label_rates import RateShift
from ds_pipeline.evaluation.checks.leakage import InputAuc
from ds_pipeline.evaluation.checks.overlap import Overlap
from ds_pipeline.evaluation.checks.proxies import Proxy
from ds_pipeline.evaluation.checks.serving_cost import Operations
from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.measure.cost import CostRow, Costs
from ds_pipeline.evaluation.measure.fairness import GroupRow
from ds_pipeline.evaluation.measure.truth import TruthRow
from ds_pipeline.evaluation.report.gallery import pictures_of
from ds_pipeline.evaluation.report.report import promoted_as, render_report
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.masking.columns.k_anonymity import Anonymity, Groups
from ds_pipeline.use_case.problem import Problem
from ds_pipeline.use_case.requirements import Requirements
from ds_pipeline.use_case.sources import KAnonymity
from ds_pipeline_tests.pictures import of_one_pixel

PROBLEM = Problem.model_validate(
    {
        "title": "Who will leave?",
        "question": "Who will not come back?",
        "decision": "They get a <b>letter</b>.",
        "owner": "crm",
        "entity": "customer_token",
        "unit_of_analysis": "customer x week",
        "target": {"name": "left", "meaning": "No visit in 30 days."},
        "horizon_days": 30,
        "settle_days": 0,
        "clock": {"time_zone": "UTC", "first": "2023-01-02", "last": None},
        "out_of_scope": [],
        "known_confounders": ["Christmas"],
    }
)


class Page(HTMLParser):
    """Tags, attributes and visible text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def some_invented() -> Any:
    """Sources of which the customers are invented, and with them the column age_band; the visits are not."""
    age = {"a": SimpleNamespace(alias="age_band")}
    tables = {"visits": SimpleNamespace(synthetic=False, columns={}),
              "customers": SimpleNamespace(synthetic=True, columns=age)}  # fmt: skip
    return SimpleNamespace(tables=tables)


@pytest.fixture(autouse=True)
def pictures() -> Iterator[None]:
    with of_one_pixel():
        yield


@pytest.fixture
def render(requirements: Requirements) -> Callable[..., str]:
    def render(evaluation: Evaluation, decision: Decision, **changes: Any) -> str:
        use_case: Any = SimpleNamespace(
            problem=PROBLEM,
            requirements=changes.pop("requirements", requirements),
            sources=changes.pop("sources", SimpleNamespace(tables={})),
            features=SimpleNamespace(of_role=lambda role: ["age_band"] if role == "protected" else []),
        )
        arguments: dict[str, Any] = {
            "pictures": pictures_of(evaluation),
            "tables": [{"table": "visits", "read": 1200, "kept": 1188}],
            "quarantine": [{"table": "visits", "reason": "no <customer>", "rows": 12, "share": 0.01}],
            "anonymity": {},
            "lineage": {"git_sha": "0123abc", "dirty": True, "seed": 7},
        }
        return render_report(evaluation, decision, use_case, **(arguments | changes))

    return render


def test_the_page_loads_nothing_from_anywhere(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    html = render(evaluated, decision)
    page = Page(html)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "iframe", "object", "embed", "base", "form"})
    sources = [value for _, attributes in page.tags for name, value in attributes.items() if name == "src"]
    assert len(sources) == len(pictures_of(evaluated)) == 4
    assert all(str(source).startswith("data:image/png;base64,") for source in sources)
    places = {f"#{attributes['id']}" for _, attributes in page.tags if "id" in attributes}
    assert {str(attributes["href"]) for _, attributes in page.tags if "href" in attributes} <= places
    assert not re.search(r"https?:|url\(|@import", html)


def test_the_verdict_stands_before_everything_else(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    text = Page(promoted_as(render(evaluated, decision), decision, "v0007")).text
    order = ["Promoted as v0007: it reaches all 6 gates.", "The holdout in pictures", "Agreed before any model",
             "Lift is average precision", "Where it comes from"]  # fmt: skip
    places = [text.index(words) for words in order]
    assert places == sorted(places)


def test_a_promotion_changes_the_verdict_and_the_version_alone(
    evaluated: Evaluation, decision: Decision, render: Any
) -> None:
    page = render(evaluated, decision)
    promoted = promoted_as(page, decision, "v0007")

    changed = [
        (before.strip(), after.strip())
        for before, after in zip(page.splitlines(), promoted.splitlines(), strict=True)
        if before != after
    ]
    assert changed == [
        (
            "<strong>✓ Passed, and may be promoted: it reaches all 6 gates.</strong>",
            "<strong>✓ Promoted as v0007: it reaches all 6 gates.</strong>",
        ),
        (
            "<tr><td>version</td><td><code>not promoted</code></td></tr>",
            "<tr><td>version</td><td><code>v0007</code></td></tr>",
        ),
    ]
    assert promoted_as(promoted_as(page, decision, "v0006"), decision, "v0007") == promoted


def test_a_refusal_names_every_missed_gate_and_its_reason(
    evaluated: Evaluation, asked: dict[str, Any], conclude: Any, render: Any
) -> None:
    asked["acceptance"]["gain"]["minimum"] = 0.9
    asked["data_minimums"]["training_rows"] = 5000
    refusal = conclude(evaluated, Requirements.model_validate(asked))
    text = Page(render(evaluated, refusal)).text
    assert "Refused because it misses 2 of 6 gates: gain, training_rows." in text
    assert text.count("asked for at least 5,000: misses by 4,000.") == 2  # in the verdict and in the table
    assert text.count("✕ refused") == 2
    assert text.count("✓ passed") == 4


def test_a_holdout_that_cannot_be_assessed_still_gives_a_page(
    predictions: pd.DataFrame, requirements: Requirements, run: Any, conclude: Any, render: Any
) -> None:
    evaluation = run(predictions[:0], requirements)
    text = Page(render(evaluation, conclude(evaluation, requirements), tables=[], quarantine=[])).text
    assert "The holdout cannot be assessed: 0 rows" in text
    assert "not measured" in text
    assert "None: nothing was measured." in text


def test_what_comes_from_files_is_escaped(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    html = render(evaluated, decision)
    assert "<b>letter</b>" not in html
    assert "They get a &lt;b&gt;letter&lt;/b&gt;." in html
    assert "no &lt;customer&gt;" in html


def test_data_groups_and_lineage_are_on_the_page(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    text = Page(render(evaluated, decision)).text
    for words in ("1,200", "1,188", "99.0 %", "no <customer>", "1.0 %", "0123abc", "dirtyyes", decision.digest, "north",
                  "too few rows to assess", "Christmas",
                  *decision.bound_to.model_dump(exclude_none=True).values()):  # fmt: skip
        assert words in text


def test_no_entity_is_on_the_page(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    assert "token-" not in render(evaluated, decision)


def test_every_picture_has_words(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    shown = [attributes["alt"] for tag, attributes in Page(render(evaluated, decision)).tags if tag == "img"]
    assert shown == [one.words for one in pictures_of(evaluated)]
    assert all(shown)


def proxy(protected: str, name: str, strength: float | None) -> Proxy:
    measure = "AUC" if name == "all inputs together" else "Cramer's V"
    return Proxy(protected=protected, input=name, measure=measure, strength=strength, people=1234, groups=6)


def test_invented_people_are_told_wherever_something_is_said_of_them(
    evaluated: Evaluation, decision: Decision, render: Callable[..., str]
) -> None:
    """A page on an invented age band once did not say that nobody in it exists."""
    told = "Synthetic tables: customers. What is said of age_band comes from invented people"
    rates = dict.fromkeys(["selected_share", "false_positive_rate", "true_positive_rate", "mean_score"], 0.1)
    group = GroupRow(
        attribute="age_band", share=0.1, group="20-29", rows=9, positives=3, base_rate=0.3, **rates, is_assessable=True
    )
    changed = {"groups": [group], "proxies": [proxy("age_band", "all inputs together", 0.7)]}

    html = render(evaluated.model_copy(update=changed), decision, sources=some_invented())

    assert html.count(told) == 4  # at the verdict, the groups, the proxies and the data
    assert "Synthetic" not in render(evaluated, decision)


def test_new_entities_are_told_apart_from_known_ones_below_the_verdict(
    predictions: pd.DataFrame, requirements: Requirements, decision: Decision, run: Any, render: Any
) -> None:
    known = [f"token-{number:02d}" for number in range(30)]
    text = Page(render(run(predictions, requirements, known_entities=known), decision)).text
    assert re.search(r"known ones average precision 0\.\d{3}, chance 0\.\d{3} \(240 rows\); new ones", text)


def test_the_strongest_inputs_are_told_with_their_quarters_from_low_to_high(
    predictions: pd.DataFrame, requirements: Requirements, decision: Decision, run: Any, render: Any
) -> None:
    found = run(predictions, requirements, automatic=["days_away"])
    input_ = Importance(input="days_away", meaning="days", importance=0.1, standard_deviation=0.01)
    explained = Explained(rows=9, positives=3, average_precision=0.6, inputs=[input_])
    html = render(found.model_copy(update={"checks": Checks(explained=explained)}), decision)
    part = html[html.index("Which way they point") :].split("</tbody>")[0]
    limits = [one for one in re.findall(r"<td>([^<]+)</td>", part) if one.startswith("above")]
    assert len(limits) == 3
    assert limits == sorted(limits, key=lambda one: float(one.split()[1].rstrip(",")))
    assert part.index("<td>up to") < part.index("<td>above")


def test_proxies_of_protected_attributes_are_told_with_their_strength(
    evaluated: Evaluation, decision: Decision, render: Callable[..., str]
) -> None:
    """The strongest five of each attribute; an attribute that cannot be assessed says so."""
    inputs = [proxy("age_band", f"input_{number}", (9 - number) / 10) for number in range(7)]
    found = [proxy("age_band", "all inputs together", 0.71), *inputs, proxy("sex", "all inputs together", None)]

    html = render(evaluated.model_copy(update={"proxies": found}), decision)

    assert '<td>all inputs together</td><td>AUC</td><td class="n">0.71</td><td class="n">1,234</td>' in html
    assert '<td>input_0</td><td>Cramer&#39;s V</td><td class="n">0.90</td>' in html
    assert "input_4" in html
    assert "input_5" not in html
    assert "Fewer than two groups have enough people to tell." in html
    assert "Proxies of protected attributes" not in render(evaluated, decision)


def test_the_smallest_group_is_told_beside_what_was_asked(
    evaluated: Evaluation, decision: Decision, render: Callable[..., str]
) -> None:
    limit = KAnonymity(k=5, from_entities=100)
    judged = Anonymity(limit, ["age_band", "country"], people=4346, groups=Groups(23, 0), without={})
    young = replace(judged, people=12, groups=Groups(1, 12))

    html = render(evaluated, decision, anonymity={"people": judged, "newcomers": young})

    cells = '<td>people</td><td>age_band, country</td><td class="n">4,346</td><td class="n">23</td>'
    assert f'{cells}<td class="n">≥ 5</td>' in html
    assert '<td class="n">1</td><td class="n">too few people to judge</td>' in html
    assert "People who share" not in render(evaluated, decision)


def test_groups_of_a_protected_attribute_are_told_with_their_rates(
    evaluated: Evaluation, decision: Decision, render: Callable[..., str]
) -> None:
    common = {"attribute": "age_band", "share": 0.1, "rows": 1250, "positives": 90, "base_rate": 0.072}
    known = {
        "selected_share": 0.111, "false_positive_rate": 0.042, "true_positive_rate": 0.613, "mean_score": 0.068
    }  # fmt: skip
    rows = [
        GroupRow(group="20-29", **common, **known, is_assessable=True),
        GroupRow(group="other", **common, **dict.fromkeys(known), is_assessable=False),
    ]

    html = render(evaluated.model_copy(update={"groups": rows}), decision)

    assert "age band, at the highest-scored 10 % of each week" in html
    cells = [">20-29<", ">1,250<", ">90<", ">11.1 %<", ">4.2 %<", ">61.3 %<", ">6.8 %<", ">7.2 %<"]
    places = [html.index(cell, html.index("Protected attributes")) for cell in cells]
    assert places == sorted(places)
    assert Page(html).text.count("too few rows to assess") == 2  # of the slice and of this attribute


def test_the_holdout_is_told_week_by_week(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    """The lift is 0.5 / 0.25; weeks of 40 rows are too small to be told where a group needs 50."""
    row = evaluated.slices[0].model_copy(
        update={"slice": "scoring_date", "group": "2024-01-01", "base_rate": 0.25, "precision": 0.5}
    )
    pages = [render(one, decision) for one in (evaluated, evaluated.model_copy(update={"slices": [row]}))]
    small, large = (page[page.index('id="weeks"') :].split("<h2")[0] for page in pages)
    assert "No week has the 50 rows that a group needs." in small
    assert re.search(r'2024-01-01.*>0\.500</td>\s*<td class="n">2\.00</td>', large, re.DOTALL)


def test_chance_stands_beside_the_limit_of_a_difference_between_groups(
    evaluated: Evaluation, decision: Decision, render: Callable[..., str]
) -> None:
    first, *others = decision.gates
    beside_it = first.model_copy(update={"chance": 0.0834})
    html = render(evaluated, decision.model_copy(update={"gates": [beside_it, *others]}))
    assert html.count('<span class="soft">chance 0.083</span>') == 1
    assert "stays below in 95.0 % of draws" in Page(html).text


def test_the_model_stands_beside_the_truth(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    row = TruthRow(name="recall_in_top", figure="recall", model=0.45, truth=0.6, ratio=0.75)
    nothing = TruthRow(name="at_precision", figure="recall", model=0.1, truth=0, ratio=None)
    html = render(evaluated.model_copy(update={"truth": [row, nothing]}), decision)
    assert "How near the best possible" in html
    assert "<td>recall in top</td><td>recall</td>" in html
    assert ">75.0 %<" in html
    assert "How near the best possible" not in render(evaluated, decision)


def test_cross_validation_is_told_with_mean_and_spread(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    metric = FoldMetric(name="roc_auc", folds=[0.7, 0.8], mean=0.75, standard_deviation=0.0707)
    refits = CrossValidated(folds=2, rows=4321, entities=99, metrics=[metric], problem=None)
    html = render(evaluated.model_copy(update={"cross_validation": refits}), decision)
    assert '<td>roc auc</td><td class="n">0.75</td><td class="n">0.0707</td><td class="n">0.7, 0.8</td>' in html
    assert "2 fixed folds of the 4,321 training rows" in html

    broken = refits.model_copy(update={"metrics": [], "problem": "too few"})
    assert "Not measured: too few" in render(evaluated.model_copy(update={"cross_validation": broken}), decision)
    assert "Cross-validation" not in render(evaluated, decision)


def test_undecided_rows_are_on_the_page_where_there_are_any(
    predictions: pd.DataFrame, requirements: Requirements, decision: Decision, run: Any, render: Any
) -> None:
    assert (
        "undecided, left out1,234" in Page(render(run(predictions, requirements, undecided_rows=1234), decision)).text
    )
    assert "undecided" not in render(run(predictions, requirements), decision)


def test_a_gate_that_does_not_apply_looks_unlike_one_that_passed(
    evaluated: Evaluation, decision: Decision, render: Any
) -> None:
    first, *rest = decision.gates
    aside = first.model_copy(
        update={"applies": False, "value": None, "bound": None, "reason": "Gain: not applicable, because of nothing."}
    )
    html = render(evaluated, decision.model_copy(update={"gates": [aside, *rest]}))
    assert html.count("– not applicable") == 1
    assert html.count("✓ passed") == 5
    assert '<td class="word aside">– not applicable</td>' in html
    assert "it reaches all 5 gates that apply (1 does not)." in html


def test_gates_stand_under_the_part_of_the_requirements_that_asks_for_them(
    evaluated: Evaluation, decision: Decision, render: Any
) -> None:
    text = Page(render(evaluated, decision)).text
    places = [text.index(words) for words in ("Acceptance: what", "at recall", "Data and holdout", "training rows")]
    assert places == sorted(places)
    assert "Leakage: nothing knows" not in text  # nobody asked


LOOK = LedgerRecord(
    entry=5,
    entry_digest="f" * 64,
    configuration="a" * 64,
    weeks=[WeekLooks(week=date(2024, 1, 1), configurations=12, allowed=3)],
    overrides=[
        Override(
            number=4,
            at=datetime(2024, 3, 5, 9, 30, tzinfo=UTC),
            actor="ada",
            reason="A <join> was wrong.",
            more=3,
            weeks=[date(2024, 1, 1), date(2024, 2, 19)],
        )
    ],
)


def test_every_approval_is_told_with_owner_words_and_reason_and_at_the_verdict(
    evaluated: Evaluation, decision: Decision, render: Any
) -> None:
    approval = Approval(
        number=6,
        at=datetime(2024, 3, 6, 9, 30, tzinfo=UTC),
        actor="ada, key 0123456789ab",
        reason="A pilot.",
        owners=["crm", "ds"],
        changes=["holdout.weeks: 8 becomes 2", "acceptance.saving.minimum: at least 50 is gone"],
        candidates=[],
    )
    looked = LOOK.model_copy(update={"approvals": [approval]})
    html = render(evaluated.model_copy(update={"ledger": looked}), decision)
    agreed = "holdout.weeks: 8 becomes 2; acceptance.saving.minimum: at least 50 is gone"
    assert f"<td>ada, key 0123456789ab</td><td>crm, ds</td><td>{agreed}</td><td>A pilot.</td>" in html
    text = Page(html).text
    assert text.index("with 1 recorded approval: see the ledger.") < text.index("The holdout in pictures")
    assert "recorded approval" not in render(evaluated.model_copy(update={"ledger": LOOK}), decision)


def test_every_override_is_told_with_date_actor_and_reason_and_at_the_verdict(
    evaluated: Evaluation, decision: Decision, render: Any
) -> None:
    html = render(evaluated.model_copy(update={"ledger": LOOK}), decision)
    assert '<td>2024-03-05 09:30</td><td>ada</td><td class="n">3</td><td>2024-01-01 to 2024-02-19</td>' in html
    assert "A &lt;join&gt; was wrong." in html
    assert '<td>2024-01-01</td><td class="n">12</td><td class="n">3</td><td class="n">9</td>' in html
    text = Page(html).text
    told = "3 more were allowed on a holdout week (1 override); 12 were judged: see the ledger."
    assert text.index(told) < text.index("The holdout in pictures")
    assert "were allowed on a holdout week" not in render(evaluated, decision)


def test_what_was_allowed_is_not_told_as_what_was_judged(
    evaluated: Evaluation, decision: Decision, asked: dict[str, Any], render: Any
) -> None:
    """With 2 of 10 judged the page once said that more had been judged than was agreed."""
    asked["holdout"]["max_configurations"] = 10
    week = WeekLooks(week=date(2024, 1, 1), configurations=2, allowed=3)
    looked = evaluated.model_copy(update={"ledger": LOOK.model_copy(update={"weeks": [week]})})
    text = Page(render(looked, decision, requirements=Requirements.model_validate(asked))).text
    assert "3 more than the 10 agreed were allowed on a holdout week (1 override); 2 were judged" in text


def test_what_the_checks_found_is_told_in_words(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    shift = RateShift(
        by="scoring_date", group="2024-01-29", rows=40, rate=0.4, history_rows=900, history_rate=0.5, shift=0.07
    )
    checks = Checks(
        overlap=Overlap(
            training_entities=90, holdout_entities=40, both_entities=30, known_rows_share=0.75,
            last_training_date=date(2023, 11, 20), last_label_ends=date(2023, 12, 20),
            first_holdout_date=date(2024, 1, 1), embargo_days=12,
        ),
        input_aucs=[InputAuc(input="visits", auc=0.61)],
        labels=LabelFindings(rate_shifts=[shift, shift.model_copy(update={"group": "2024-01-22", "shift": 0.0})]),
        operations=Operations(rows=320, load_seconds=1, rows_per_second=44731.331, memory_mb=223, bundle_mb=0.3),
        explained=Explained(rows=300, positives=150, average_precision=0.7, inputs=[
            Importance(input="visits", meaning="visits so far", importance=0.05, standard_deviation=0.01)
        ]),
        errors=[
            ErrorAnalysis(
                kind="false positives among the selected", rows=100, errors=30, error_rate=0.3,
                groups=[ErrorGroup(traits=["visits so far: above 3", "member: no"], rows=60, errors=24, error_rate=0.4,
                                   share_of_errors=0.8)],
            )
        ],
    )  # fmt: skip
    costs = Costs(currency="GBP", cut_off=0.4, policies=[CostRow(policy="nobody", acted_on=0, cost_per_1000=0)])
    text = Page(render(evaluated.model_copy(update={"checks": checks, "costs": costs}), decision)).text
    for words in ("12 days before the holdout begins", "75.0 % of its rows", "30 of 100 (30.0 %)",
                  "40.0 % of 60 rows, 80.0 % of these errors: visits so far: above 3; member: no.", "0.0500", "0.610",
                  "Timings are of this machine", "2024-01-29", "GBP per 1,000 rows"):  # fmt: skip
        assert words in text
    assert "2024-01-22" not in text.split("differ from their own history")[1].split("How often")[0]


def test_groups_that_nobody_asked_for_show_the_weakest_only(
    evaluated: Evaluation, decision: Decision, render: Any
) -> None:
    known = next(row for row in evaluated.slices if row.is_assessable)
    found = [
        known.model_copy(update={"slice": "visits", "group": f"part_{number:02d}", "is_declared": False})
        for number in range(14)
    ]
    text = Page(render(evaluated.model_copy(update={"slices": [*evaluated.slices, *found]}), decision)).text
    assert "the weakest 10 of 14 groups" in text
    assert "part_09" in text
    assert "part_10" not in text


def test_a_backtest_of_the_date_is_shown(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    figures = {
        f"{rival}{figure}": 0.5
        for rival in ("", "baseline_", "prior_")
        for figure in ("precision", "recall", "average_precision")
    }
    week = {"scoring_date": date(2023, 12, 4), "trained_as_of": "2023-11-27", "age_weeks": 1, "rows": 1234, **figures}
    html = render(evaluated, decision, backtest=pd.DataFrame([week | {"precision": 0.625}]))
    assert '<td>2023-12-04</td><td>2023-11-27</td><td class="n">1</td><td class="n">1,234</td>' in html
    assert '<td class="n">0.625</td>' in html
    assert "Precision in the highest-scored share by scoring date" in html
    assert "Backtest" not in render(evaluated, decision)


def test_what_it_does_not_say_is_said(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    text = Page(render(evaluated, decision)).text
    assert "What a campaign would change." in text
    assert "no limits on leakage were agreed" in text
    assert "Christmas" in text
