from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pandas as pd
import pytest

from ds_pipeline.evaluation.decision import Decision
from ds_pipeline.evaluation.outcome import CrossValidated, Evaluation, FoldMetric, GroupRow, Proxy, TruthRow
from ds_pipeline.evaluation.pictures import alt_texts, pictures
from ds_pipeline.evaluation.report import headline, render_report
from ds_pipeline.use_case.problem import Problem
from ds_pipeline.use_case.requirements import Requirements

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


@pytest.fixture
def render(requirements: Requirements) -> Callable[..., str]:
    def render(evaluation: Evaluation, decision: Decision, **changes: Any) -> str:
        arguments: dict[str, Any] = {
            "problem": PROBLEM,
            "requirements": requirements,
            "tables": [{"table": "visits", "read": 1200, "kept": 1188}],
            "quarantine": [{"table": "visits", "reason": "no <customer>", "rows": 12, "share": 0.01}],
            "anonymity": [],
            "lineage": {"git_sha": "0123abc", "dirty": True, "seed": 7},
            "version": None,
        }
        return render_report(evaluation, decision, **(arguments | changes))

    return render


def test_the_page_loads_nothing_from_anywhere(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    html = render(evaluated, decision)
    page = Page(html)
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "iframe", "object", "embed", "base", "form"})
    sources = [value for _, attributes in page.tags for name, value in attributes.items() if name in ("src", "href")]
    assert len(sources) == 3
    assert all(str(source).startswith("data:image/png;base64,") for source in sources)
    assert not re.search(r"https?:|url\(|@import", html)


def test_the_verdict_stands_before_everything_else(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    text = Page(render(evaluated, decision, version="v0007")).text
    assert text.index("Promoted as v0007: it reaches all 6 gates.") < text.index("Gates") < text.index("Groups")


def test_a_passed_candidate_is_not_called_promoted_before_it_is(decision: Decision) -> None:
    assert headline(decision, None) == "Passed, and may be promoted: it reaches all 6 gates."


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
                  "too few rows to assess", "Christmas", *decision.bound_to.model_dump().values()):  # fmt: skip
        assert words in text


def test_no_entity_is_on_the_page(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    assert "token-" not in render(evaluated, decision)


def test_every_picture_is_a_png_and_has_words(evaluated: Evaluation, decision: Decision, render: Any) -> None:
    drawn, words = pictures(evaluated), alt_texts(evaluated)
    assert list(drawn) == list(words) == ["lift_by_decile", "precision_recall", "calibration"]
    assert all(png.startswith(b"\x89PNG") for png in drawn.values())
    shown = [attributes["alt"] for tag, attributes in Page(render(evaluated, decision)).tags if tag == "img"]
    assert shown == list(words.values())


def test_the_same_evaluation_gives_the_same_pictures(evaluated: Evaluation) -> None:
    assert pictures(evaluated) == pictures(evaluated)


def test_pictures_do_without_a_baseline(predictions: pd.DataFrame, requirements: Requirements, run: Any) -> None:
    evaluation = run(predictions.assign(baseline=1.0), requirements)
    assert len(pictures(evaluation)) == 3
    assert "baseline" not in alt_texts(evaluation)["precision_recall"]


def test_without_measurements_there_are_no_pictures(
    predictions: pd.DataFrame, requirements: Requirements, run: Any
) -> None:
    evaluation = run(predictions[:0], requirements)
    assert pictures(evaluation) == {}
    assert alt_texts(evaluation) == {}


def proxy(protected: str, name: str, strength: float | None) -> Proxy:
    measure = "AUC" if name == "all inputs together" else "Cramer's V"
    return Proxy(protected=protected, input=name, measure=measure, strength=strength, people=1234, groups=6)


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
    judged = {"table": "people", "columns": ["age_band", "country"], "people": 4346, "smallest_group": 23, "k": 5}
    young = judged | {"table": "newcomers", "people": 12, "smallest_group": 1, "is_judged": False}

    html = render(evaluated, decision, anonymity=[judged | {"is_judged": True}, young])

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
