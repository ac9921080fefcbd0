"""Keys, classes and small groups from end to end: two keys never mix, and a breach writes nothing."""

from __future__ import annotations

import json
from pathlib import Path

import dagster as dg

from ds_pipeline_tests.journeys.conftest import Journey

OTHER_KEY = "another-key-of-forty-characters-or-so-123"


def fingerprints(journey: Journey) -> set[str]:
    """The keys that the masked tables and their quarantine say they were made with."""
    indexes = [
        json.loads(path.read_text())["partitions"]
        for kind in ("masked", "quarantine")
        for path in journey.store.glob(f"datasets/{kind}/*/*/index.json")
    ]
    assert indexes
    return {pointer["info"]["key"] for index in indexes for pointer in index.values()}


def test_a_changed_key_stops_every_command_until_it_is_accepted(journey: Journey) -> None:
    (old,) = fingerprints(journey)
    before = journey.made()

    changed = f"the pseudonym key has changed: masked_transactions is stored under the key {old} and not"
    messages = {
        "run": [changed, "ds-pipeline history mini_lapse --rebuild"],
        "history": [changed, "ds-pipeline history mini_lapse --rebuild"],
        "score": [f"were recorded under the pseudonym key {old}", "docs/runbooks/keys.md"],
    }
    for command, expected in messages.items():
        done = journey.cli(command, DS_PIPELINE_PSEUDONYM_KEY=OTHER_KEY)
        assert done.code == 2, done.text
        assert all(message in done.err for message in expected), done.err
        assert OTHER_KEY not in done.text
    assert journey.made() == before
    assert journey.cli("run").code == 0

    accepted = journey.cli("history", "--rebuild", DS_PIPELINE_PSEUDONYM_KEY=OTHER_KEY)
    assert accepted.code == 0, accepted.text
    assert fingerprints(journey) > {old}
    assert "all 13 weeks are there" in journey.cli("history", DS_PIPELINE_PSEUDONYM_KEY=OTHER_KEY).out

    scored = journey.cli("score", DS_PIPELINE_PSEUDONYM_KEY=OTHER_KEY)
    assert scored.code == 2
    assert f"were recorded under the pseudonym key {old}, the present one is" in scored.err


def test_a_run_from_dagster_does_not_mix_keys_either(journey: Journey) -> None:
    """The schedule would have begun a history of one week under whatever key was set."""
    before = fingerprints(journey)

    done = journey.materialize('key:"mini_lapse/masked_customers"', "2011-08-01", DS_PIPELINE_PSEUDONYM_KEY=OTHER_KEY)

    assert done.code == 1
    assert "the pseudonym key has changed" in done.text
    assert OTHER_KEY not in done.text
    assert fingerprints(journey) == before


def test_a_key_in_a_file_is_the_same_key(journey: Journey) -> None:
    path = journey.root / "secret.txt"
    path.write_text("demo-key-for-public-data-only-0001\n")
    path.chmod(0o600)

    done = journey.cli("history", DS_PIPELINE_PSEUDONYM_KEY_FILE="secret.txt")

    assert done.code == 0, done.text
    assert "all 13 weeks are there" in done.out


def test_a_breach_of_k_anonymity_stops_the_run_and_writes_nothing(recorded_journey: Journey) -> None:
    """120 people cannot be told apart by country alone; by age and country some can."""
    journey = recorded_journey
    before = journey.made()
    with journey.edit("sources.yaml") as sources:
        sources["tables"]["customers"]["k_anonymity"] = {"k": 20, "from_entities": 0}

    done = journey.cli("run")

    assert done.code == 2, done.text
    assert "tables.customers.k_anonymity: at least 20 people must share each combination" in done.err
    assert "Nothing was written. Widen a column" in done.err
    assert "- age_band (wider bands, or drop): without it the smallest group has 48 and 0 are in groups" in done.err
    assert {name: digest for name, digest in journey.made().items() if "/customers/" in name} == {
        name: digest for name, digest in before.items() if "/customers/" in name
    }
    with dg.DagsterInstance.from_config(str(journey.root / ".dagster")) as instance:
        key = dg.AssetCheckKey(dg.AssetKey([journey.name, "masked_customers"]), "k_anonymity")
        (newest,) = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
        assert newest.event is not None
        evaluation = newest.event.dagster_event.asset_check_evaluation_data
        assert not evaluation.passed
        assert evaluation.metadata["k"].value == 20
    assert "tables.customers.k_anonymity" in journey.cli("check").err


def test_the_figures_of_k_anonymity_and_the_proxies_are_in_the_report(first_run: tuple[Journey, object]) -> None:
    page = (first_run[0].root / "data" / "reports" / "mini_lapse" / "2011-08-01" / "evaluation.html").read_text()

    assert "Proxies of protected attributes" in page
    assert "Fewer than two groups have enough people to tell." in page  # 240 people in six age bands
    assert '<td>customers</td><td>age_band, country</td><td class="n">240</td>' in page


def test_docs_writes_the_list_of_sources_and_says_whether_it_is_current(new_journey: Journey) -> None:
    readme = new_journey.root / "data" / "README.md"

    missing = new_journey.type("docs", "--check")
    assert (missing.code, readme.exists()) == (1, False)
    assert "ds-pipeline docs" in missing.err
    assert new_journey.type("docs").code == 0
    assert "### transactions" in readme.read_text()
    assert new_journey.type("docs", "--check").code == 0

    readme.write_text(readme.read_text().replace("a line of an invoice", "a line"))
    assert new_journey.type("docs", "--check").code == 1
    assert "a line of an invoice" not in readme.read_text()


def test_a_confidential_file_must_be_private_and_the_demo_key_does_not_do(new_journey: Journey) -> None:
    def classify(source: Path) -> None:
        with new_journey.edit("sources.yaml") as sources:
            sources["tables"]["customers"] |= {"data_class": "confidential", "synthetic": False}
        source.chmod(0o644)

    classify(new_journey.source["customers"])

    assert "demo key, which is accepted for public tables only" in new_journey.cli("history").err
    others = new_journey.cli("history", DS_PIPELINE_PSEUDONYM_KEY=OTHER_KEY)
    assert others.code == 2
    assert "others can open this file (mode 0644)" in others.err
    assert "chmod 600 data/samples/customers.parquet" in others.err
    assert not (new_journey.store / "datasets" / "masked").exists()
