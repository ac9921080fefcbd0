"""What a stakeholder reads says what the YAML files say: every term, every threshold, every column."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from ds_pipeline.documents.inventory import data_readme
from ds_pipeline.documents.stakeholder import facts, use_case_documents
from ds_pipeline.use_case.contract import Contract
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.problem import Problem
from ds_pipeline.use_case.readers import keys
from ds_pipeline.use_case.requirements import Monitoring, Requirements
from ds_pipeline.use_case.sources import Sources

MEANING = "what it measures, in words"


def documents(use_case: UseCase) -> dict[str, str]:
    return use_case_documents(use_case, dict.fromkeys(use_case.requirements.acceptance, MEANING))


def required(use_case: UseCase, **changes: Any) -> str:
    """The requirements document with other parts of requirements.yaml."""
    asked = use_case.requirements.model_dump(mode="json") | changes
    return documents(replace(use_case, requirements=Requirements.model_validate(asked)))["requirements.md"]


def section(text: str, title: str) -> str:
    return text.partition(f"## {title}\n")[2].partition("\n## ")[0]


def rows(text: str, cells: int) -> list[list[str]]:
    """The rows of all tables with so many columns, without their heads."""
    lines = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("|")]
    found = [[one.strip() for one in line] for line in lines if len(line) == cells]
    return [
        row for number, row in enumerate(found) if "---" not in (*row, *(found[number + 1 : number + 2] or [[]])[0])
    ]


def test_the_contract_holds_the_seven_terms_in_their_order(retail_lapse: UseCase) -> None:
    text = documents(retail_lapse)["contract.md"]
    titles = re.findall(r"^## (.*)$", text, re.MULTILINE)

    assert titles == [
        "1. Consumer", "2. Format", "3. Schema", "4. Cadence", "5. Freshness", "6. Failure behaviour", "7. Sunset",
    ]  # fmt: skip
    assert "CRM team (campaign tool import)" in section(text, titles[0])
    assert re.findall(r"campaign_list\.(\w+)", section(text, titles[1])) == ["csv", "parquet"]
    assert "(10 % of those in scope)" in section(text, titles[1])
    assert "Every Monday at 06:00 (Europe/London)." in section(text, titles[3])
    assert "the last scoring date is 2011-12-05" in section(text, titles[3])
    assert "more than 24 hours overdue" in section(text, titles[4])
    assert "last week's stays" in section(text, titles[5])
    assert section(text, titles[6]).strip().startswith("2012-12-31.")


def test_the_schema_of_the_list_flags_pii_and_shows_a_row(retail_lapse: UseCase) -> None:
    schema = section(documents(retail_lapse)["contract.md"], "3. Schema")

    assert [(row[0], row[1], row[2]) for row in rows(schema, 4)] == [
        ("`customer_id`", "integer", "yes"), ("`scoring_date`", "date", "no"), ("`rank`", "integer", "no"),
        ("`score`", "double", "no"), ("`decile`", "integer", "no"), ("`model_version`", "string", "no"),
            ("`replaces`", "string", "no"),
        ("`reason_1`", "string", "no"), ("`reason_2`", "string", "no"), ("`reason_3`", "string", "no"),
    ]  # fmt: skip
    (example,) = rows(schema, 10)
    assert example[:7] == ["12345", "2011-12-05", "1", "0.83", "1", "v0001", "none"]
    assert example[7] == "raises: days since the last purchase (above other customers)"
    assert "comes from `customer_id` of customers" in schema


def test_a_live_use_case_has_no_end_and_a_list_may_be_without_identifiers(retail_lapse: UseCase) -> None:
    clock = retail_lapse.problem.clock.model_copy(update={"last": None})
    contract = retail_lapse.contract.model_copy(update={"identifier": None})
    live = replace(
        retail_lapse, problem=retail_lapse.problem.model_copy(update={"clock": clock}), contract=contract
    )  # fmt: skip

    text = documents(live)["contract.md"]

    assert "last scoring date" not in text
    assert "The list carries no identifier" in text


def test_a_title_without_a_full_stop_gets_one_and_the_owner_is_named(retail_lapse: UseCase) -> None:
    """A contract began "gym3 The list serves one decision", and said "the owner is told" without saying who."""
    problem = retail_lapse.problem.model_copy(update={"title": "gym3", "decision": "Who gets a call", "owner": "crm"})

    text = documents(replace(retail_lapse, problem=problem))["contract.md"]

    assert "\ngym3. The list serves one decision: Who gets a call.\n" in text
    assert section(text, "6. Failure behaviour").strip().endswith("The owner is crm.")


def test_where_the_truth_of_a_simulation_lies_is_no_matter_of_the_agreement(retail_lapse: UseCase) -> None:
    truth = {"path": "data/truth.parquet", "entity": "id", "scoring_date": "day", "probability": "p"}
    problem = Problem.model_validate(retail_lapse.problem.model_dump() | {"truth": truth})

    stated = documents(replace(retail_lapse, problem=problem))["requirements.md"]

    assert "truth" not in stated
    assert "Further:" not in stated


def test_the_problem_statement_is_complete(retail_lapse: UseCase) -> None:
    stated = section(documents(retail_lapse)["requirements.md"], "Problem statement")

    for said in (
        "Of the customers who bought on at least two different days",
        "a win-back offer, every Monday",
        "customer x scoring date",
        "`lapsed_within_30d`. No purchase in the 30 days",
        "30 days from the scoring date",
        "  5 weeks.",
        "- sales that carry no customer number",
        "- wholesale customers who order by the quarter",
    ):
        assert said in stated


def test_each_threshold_is_told_with_metric_limit_bound_and_owner(retail_lapse: UseCase) -> None:
    text = section(documents(retail_lapse)["requirements.md"], "What a model has to reach")
    lower = "its one-sided 95 % lower confidence bound"
    what, gain, error = (
        MEANING.capitalize(),
        "average_precision_gain, over baseline, entities all",
        "expected_calibration_error, bins 10",
    )

    told = rows(text, 6)
    assert [row[0].strip("`") for row in told] == list(retail_lapse.requirements.acceptance)
    assert [row for row in told if row[0] in ("`no_worse_than_champion`", "`saving`")] == [
        ["`no_worse_than_champion`", what, "at least -0.02", lower,
         "average_precision_gain, over champion, entities all", "crm-analytics"],
        ["`saving`", what, "at least 150", lower, "cost_saving, share 0.1", "crm-analytics"],
    ]  # fmt: skip
    assert [row for row in told if row[0] not in ("`no_worse_than_champion`", "`saving`") and "_by_" not in row[0]] == [
        ["`precision_at_recall_60`", what, "at least 0.55", lower, "precision_at_recall, recall 0.6", "crm-analytics"],
        ["`precision_in_top_decile`", what, "at least 0.6", lower, "precision_at_top, share 0.1", "crm-analytics"],
        ["`gain_over_recency_rule`", what, "at least 0.08", lower, gain, "data-science"],
        ["`gain_for_new_customers`", what, "at least 0", lower, "average_precision_gain, over prior, entities new",
         "data-science"],
        ["`calibration`", what, "at most 0.1", "the value itself", error, "data-science"],
    ]  # fmt: skip


def test_every_part_of_the_requirements_is_told_with_its_owner(retail_lapse: UseCase) -> None:
    text = documents(retail_lapse)["requirements.md"]

    due = "at or above it the weekly check fails and a new model is due"
    assert ["training rows", "5000", "with fewer a model is refused"] in rows(section(text, "Data minimums"), 3)
    assert ["psi: act", "0.2", due] in rows(section(text, "Monitoring"), 3)
    assert ["run minutes", "10", "above it the check at the end of a run fails"] in rows(section(text, "Budgets"), 3)
    assert "Owner: data-science." in section(text, "Budgets")
    assert ["max undecided share", "0.01", "above it a model is refused"] in rows(section(text, "Label quality"), 3)
    assert "Not declared." in section(text, "Cross validation")


def test_what_is_monitored_is_told_once_it_is_declared(retail_lapse: UseCase) -> None:
    limits = {"metric": "precision_at_top", "share": 0.1, "warn": 0.3, "critical": 0.2, "min_weeks": 4}
    psi = {"warn": 0.1, "act": 0.2, "retrain_within_hours": 48}
    text = section(
        required(retail_lapse, monitoring={"psi": psi, "realized_quality": limits, "owner": "x"}), "Monitoring"
    )

    due = "at or above it the weekly check fails and a new model is due within 48 hours"
    assert ["psi: act", "0.2", due] in rows(text, 3)
    assert ["realized quality: warn", "0.3", "below it the weekly check warns"] in rows(text, 3)
    assert ["realized quality: critical", "0.2", "below it the weekly check fails"] in rows(text, 3)
    assert "- realized quality: What the highest-scored share turned out to be worth" in text


def test_a_key_that_is_new_in_a_model_is_told_without_new_code() -> None:
    class Pager(Monitoring):
        pager_duty: list[str]

    watched = Pager.model_validate({"psi": {"warn": 0.1, "act": 0.2}, "owner": "x", "pager_duty": ["ann", "bo"]})

    assert ("pager duty", "ann, bo", "") in list(facts(watched))


def test_every_kind_of_reader_but_the_documents_own_is_in_words(retail_lapse: UseCase) -> None:
    text = documents(retail_lapse)["requirements.md"]

    assert [key for key, read in keys(Requirements) if (read.effect == "") != (read.by == "document")] == []
    assert not [row for row in rows(text, 3) if row[2] == "" and row[1] != "not declared"]


def test_the_dictionary_has_every_table_column_and_feature(retail_lapse: UseCase) -> None:
    text = documents(retail_lapse)["data_dictionary.md"]

    for name, table in retail_lapse.sources.tables.items():
        part = text.partition(f"### {name}\n")[2].partition("\n##")[0]
        assert [row[0] for row in rows(part, 7)] == [f"`{column}`" for column in table.columns]
        assert f"when it happened: `{table.event_time}`" in part
        assert f"may see: `{table.known_at}`" in part
        assert f"- class: {table.data_class}" in part
    features = rows(text.partition("## Features\n")[2], 6)
    assert [row[0] for row in features] == [f"`{name}`" for name in retail_lapse.features.features]


def test_a_column_is_told_with_treatment_and_whom_it_identifies(retail_lapse: UseCase) -> None:
    found = {row[0]: row[1:] for row in rows(documents(retail_lapse)["data_dictionary.md"], 7)}

    assert found["`full_name`"][0] == "dropped"
    assert found["`full_name`"][3:5] == ["drop", "one person, directly (name)"]
    assert found["`customer_id`"][0] == "`customer_token`: a token (domain customer)"
    assert found["`country`"][3:5] == ["categories", "one person, together with other columns"]
    assert found["`Quantity`"][4] == "nobody"


def test_what_has_no_cell_of_its_own_stands_with_the_values(retail_lapse: UseCase) -> None:
    tables = retail_lapse.sources.model_dump(mode="json", exclude_unset=True)["tables"]
    tables["customers"]["columns"]["updated_at"]["scan_exempt"] = "a date like any other"
    changed = replace(retail_lapse, sources=Sources.model_validate({"tables": tables}))

    found = {row[0]: row[3] for row in rows(documents(changed)["data_dictionary.md"], 7)}

    assert found["`updated_at`"].endswith("scan exempt: a date like any other")


def test_a_feature_is_told_with_unit_range_and_role(shop: UseCase) -> None:
    text = documents(shop)["data_dictionary.md"]

    assert rows(text.partition("## Features\n")[2], 6) == [
        ["`visits_seen`", "input", "int64, may be missing", "visits", "from 0 to 99", "made up"],
        ["`plan`", "slice", "string, may be missing", "category", "basic, gold", "made up"],
    ]


HOSTILE = "x</td><script>|` [y](javascript:z)\n## Approved"
SHOWN = r"x&lt;/td>&lt;script>\|\` \[y\](javascript:z) ## Approved"


def test_a_text_of_the_files_is_shown_sign_by_sign_in_every_document(retail_lapse: UseCase) -> None:
    """A meaning with a bar moved the cells of its row; HTML and links of a text were HTML and links of the document."""
    case = retail_lapse
    feature, column = "region", "Country"
    features = case.features.model_dump(mode="json", exclude_unset=True)
    features["features"][feature] |= {"meaning": HOSTILE, "unit": HOSTILE, "categories": [HOSTILE, "b"]}
    sources = case.sources.model_dump(mode="json", exclude_unset=True)
    changed = sources["tables"]["transactions"]
    changed |= {"meaning": HOSTILE, "origin": HOSTILE, "licence": HOSTILE, "citation": HOSTILE}
    changed["columns"] = {
        f"{name}|`{name}" if name == column else name: one | ({"meaning": HOSTILE} if name == column else {})
        for name, one in changed["columns"].items()
    }
    contract = case.contract.model_dump()
    contract |= dict.fromkeys(("consumer", "selection", "failure_behaviour"), HOSTILE)
    first, *others = contract["columns"].items()
    contract["columns"] = {HOSTILE: first[1]} | dict(others)
    problem = case.problem.model_dump()
    problem |= dict.fromkeys(("title", "question", "decision", "owner"), HOSTILE) | {"out_of_scope": [HOSTILE]}
    made = replace(
        case,
        problem=Problem.model_validate(problem),
        contract=Contract.model_validate(contract),
        sources=Sources.model_validate(sources),
        features=FeatureSet.model_validate(features),
    )

    for text in [*documents(made).values(), data_readme([made])]:
        plain = "\n".join(text.splitlines()[1:])  # the first line is our own comment
        plain = re.sub(r"(?<!\\)(`+)(?!`).*?(?<!`)\1(?!`)", "code", plain)  # in which nothing is a mark
        assert "<" not in plain
        assert "[y](" not in plain.replace(r"\[y\](", "")
        assert not [title for title in re.findall(r"^#+ .*$", plain, re.MULTILINE) if "Approved" in title]
        assert SHOWN in plain
    told = {row[0]: row[1:] for row in rows(documents(made)["data_dictionary.md"], 7)}
    assert told[r"`` Country\|`Country ``"][5] == SHOWN
    asked = {row[0]: row[1:] for row in rows(documents(made)["data_dictionary.md"], 6)}
    assert asked["`region`"][2:] == [SHOWN, f"{SHOWN}, b", SHOWN]


@pytest.mark.parametrize("name", ["contract.md", "requirements.md", "data_dictionary.md"])
def test_a_document_says_that_it_is_generated_and_ends_with_one_break(retail_lapse: UseCase, name: str) -> None:
    text = documents(retail_lapse)[name]

    assert text.startswith("<!-- Generated by `ds-pipeline docs` from ")
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert not [line for line in text.splitlines() if line != line.rstrip()]
