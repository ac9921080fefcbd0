from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.measure.slices import WEEK, SliceRow
from ds_pipeline.evaluation.report.wording import headline, invented, sections_of, trend, weeks_of


def test_a_trend_is_told_with_the_lift_beside_it() -> None:
    """Precision halves with the share of positives, so the lift stays: the model is not worse."""
    common = {"rows": 100, "positives": 10, "average_precision": None, "lift": None, "selected": 10, "recall": 0.5}
    weeks = [
        SliceRow(slice=WEEK, group=day, base_rate=rate, precision=precision, is_assessable=True, **common)
        for day, rate, precision in [
            ("2024-01-15", 0.1, 0.4), ("2024-01-01", 0.2, 0.8), ("2024-01-22", 0.1, 0.4), ("2024-01-08", 0.2, 0.8)
        ]
    ]  # fmt: skip

    assert [row.group for row in weeks_of(weeks)] == ["2024-01-01", "2024-01-08", "2024-01-15", "2024-01-22"]
    told = trend(weeks_of(weeks))
    assert told == (
        "From the older half of the weeks to the newer, precision goes from 0.800 to 0.400, "
        "and its lift from 4.00 to 4.00."
    )
    assert trend(weeks[:1]) is None


def sources(**synthetic: bool) -> Any:
    """Tables with one column each, country; what else they have is of no interest here."""
    column = SimpleNamespace(alias="age_band")
    tables = {name: SimpleNamespace(synthetic=one, columns={"a": column}) for name, one in synthetic.items()}
    return SimpleNamespace(tables=tables)


def protected(*names: str) -> Any:
    return SimpleNamespace(of_role=lambda role: list(names) if role == "protected" else [])


def test_what_is_said_of_invented_people_is_named() -> None:
    real = invented(sources(customers=False), protected("age_band"))
    some = invented(sources(sales=False, customers=True), protected("age_band"))
    whole = invented(sources(customers=True), protected("age_band"))
    derived = invented(sources(sales=False, customers=True), protected("is_old"))
    assert real is None
    assert some is not None
    assert some.startswith(
        "Synthetic tables: customers. What is said of age_band comes from invented people and says nothing about real"
    )
    assert whole is not None
    assert "All of it comes from invented people" in whole
    assert derived is not None
    assert "protected attributes perhaps" in derived


def test_a_passed_candidate_is_not_called_promoted_before_it_is(decision: Decision) -> None:
    assert headline(decision, None) == "Passed, and may be promoted: it reaches all 6 gates."


def test_the_sections_hold_every_gate_once(decision: Decision) -> None:
    sections = sections_of(decision.gates)
    assert [title for title, _ in sections] == [
        "Acceptance: what the model is worth on the holdout",
        "Data and holdout",
    ]
    assert [gate for _, gates in sections for gate in gates] == decision.gates
