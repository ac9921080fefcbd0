"""The state of a use case as text."""

from __future__ import annotations

from ds_pipeline.cli.status import show_status


def test_columns_do_not_shift_with_the_longest_name() -> None:
    gate = {"value": 0.5, "bound": None, "comparison": ">=", "threshold": 0.4, "passed": True, "verdict": "pass"}
    found = {
        "use_case": "shop", "champion": None, "evaluation": None, "latest_scores": None, "quarantine": [],
        "monitors": [], "still_out": {}, "ledger": "ok",
        "erasures": {"finished": 0, "unfinished": False, "retraining": None},
        "gates": [gate | {"name": name} for name in ("short", "false_positives_by_gender_2")],
        "tables": [{"table": name, "read": 12, "kept": 12} for name in ("users", "cancellations")],
    }  # fmt: skip

    lines = show_status(found).splitlines()

    assert f"    {'short':<27} 0.500, asked >= 0.400: pass" in lines
    for words in ("0.500, asked", "12 rows read"):
        assert len({line.index(words) for line in lines if words in line}) == 1
        assert sum(words in line for line in lines) == 2


def test_a_gate_that_does_not_apply_is_called_so() -> None:
    """It was called pass: nothing had been compared."""
    gate = {"name": "gain", "value": None, "bound": None, "comparison": ">=", "threshold": -0.02, "passed": True}
    found = {
        "use_case": "shop", "champion": None, "evaluation": None, "latest_scores": None, "quarantine": [],
        "monitors": [], "still_out": {}, "ledger": "ok",
        "erasures": {"finished": 0, "unfinished": False, "retraining": None}, "tables": [],
        "gates": [gate | {"verdict": "not_applicable"}],
    }  # fmt: skip

    assert "    gain not measured, asked >= -0.020: n/a" in show_status(found).splitlines()


def test_a_monitor_that_fails_and_a_list_that_is_still_out_stand_out() -> None:
    found = {
        "use_case": "shop", "champion": None, "evaluation": None, "latest_scores": None, "quarantine": [],
        "erasures": {"finished": 0, "unfinished": False, "retraining": None}, "tables": [], "gates": [],
        "still_out": {"2011-03-07": "v0002"}, "ledger": "ok",
        "monitors": [
            {"name": "drift", "status": "fails", "says": "retraining is due: visits at or above 0.2"},
            {"name": "realized_quality", "status": "ok", "says": "2011-03-07: good"},
        ],
    }  # fmt: skip

    lines = show_status(found).splitlines()

    assert "  drift            FAILS: retraining is due: visits at or above 0.2" in lines
    assert "  STILL OUT  the list of 2011-03-07 by v0002" in lines
    assert "  realized_quality ok: 2011-03-07: good" in lines


def test_a_broken_ledger_is_told_as_verify_tells_it_and_a_whole_one_is_not() -> None:
    found = {
        "use_case": "shop", "champion": None, "evaluation": None, "latest_scores": None, "quarantine": [],
        "monitors": [], "still_out": {}, "ledger": "ok", "tables": [], "gates": [],
        "erasures": {"finished": 0, "unfinished": False, "retraining": None},
    }  # fmt: skip
    fault = "ledger/: 000002.json is missing, but was made. Restore it."

    assert f"  ledger     {fault}" in show_status(found | {"ledger": fault}).splitlines()
    assert "ledger" not in show_status(found | {"ledger": "ok"})
