"""The start of a use case: what is said about the files once it is written."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from ds_pipeline.project import Project, Settings
from ds_pipeline.starter.answers import Answers
from ds_pipeline.starter.start import look_for_identifiers, start_case
from ds_pipeline.use_case.load import load_use_case
from ds_pipeline.use_case.sources import NULL_WORDS

FIRST_DAY = datetime(2024, 1, 1, 9)


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("state:members.plan=gold", "WARNING members: nobody has two rows. One row per customer as of today has no"),
        ("date:members.left_on", "members: as of today. A date that was entered late or taken back is not known"),
    ],
)
def test_what_a_table_as_of_today_cannot_say_is_said(tmp_path: Path, target: str, said: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "configs").mkdir()
    members = [f"{n},{'gold' if n % 2 else 'basic'},2023-12-01,{'2024-09-01' if n % 3 else ''}" for n in range(30)]
    visits = [f"{n},{FIRST_DAY + timedelta(days=turn)}" for n in range(30) for turn in range(400)]
    (tmp_path / "data" / "members.csv").write_text("\n".join(["member_id,plan,joined_on,left_on", *members]))
    (tmp_path / "data" / "visits.csv").write_text("\n".join(["member_id,visited_at", *visits]))
    answers = Answers("x", ["data/members.csv", "data/visits.csv"], ["member_id"], target, synthetic=True)

    lines = start_case(Project(Settings(project=tmp_path)), answers, ask=None, today=date(2025, 6, 2))

    assert any(said in line for line in lines), lines


def test_guests_are_said_and_declared_to_be_nobody(tmp_path: Path) -> None:
    """NULL, unknown and 0 were three customers with the orders of all guests."""
    (tmp_path / "data").mkdir()
    (tmp_path / "configs").mkdir()
    at = [FIRST_DAY + timedelta(days=turn) for turn in range(400)]
    members = [f"{n},2023-12-01" for n in range(1, 31)]
    visits = [f"{n},{moment}" for n in range(1, 31) for moment in at[n % 4 :: 4]]
    guests = [
        f"{('0', 'NULL', '0', 'unknown', '0', '0', '0', '0')[turn % 8]},{moment}" for turn, moment in enumerate(at)
    ]
    (tmp_path / "data" / "members.csv").write_text("\n".join(["member_id,joined_on", *members]))
    (tmp_path / "data" / "visits.csv").write_text("\n".join(["member_id,visited_at", *visits, *guests]))
    answers = Answers("x", ["data/members.csv", "data/visits.csv"], ["member_id"], "no-event:visits", synthetic=True)
    project = Project(Settings(project=tmp_path))

    lines = start_case(project, answers, ask=None, today=date(2025, 6, 2))

    assert (
        "  WARNING visits: no customer in 400 rows (an empty cell, NULL, 0, unknown or the like), to be set aside"
        in lines
    )
    visits_declared = load_use_case(project.configs / "x").sources.tables["visits"]
    assert visits_declared.columns["member_id"].null_words == [*NULL_WORDS, "0", "unknown"]
    assert visits_declared.max_quarantine_share == 0.18  # 1 of the 8 rows of the last week, and 0.05 beside


def test_spellings_and_rows_known_too_early_are_said(tmp_path: Path) -> None:
    """`Cancelled` and `cancelled ` were two states, of which the threshold counted both and the label one."""
    (tmp_path / "data").mkdir()
    (tmp_path / "configs").mkdir()
    states = ("on", "On", "cancelled", "Cancelled", "paused")
    members = [
        f"{n},{states[(n + turn) % 5]},{FIRST_DAY + timedelta(days=30 * turn + n)}"
        for n in range(1, 31) for turn in range(13)
    ]  # fmt: skip
    visits = [
        f"{n},{'web' if turn % 2 else 'Web '},{FIRST_DAY + timedelta(days=turn)},"
        f"{FIRST_DAY + timedelta(days=turn, hours=-1 if turn % 10 == 0 else 1)}"
        for n in range(1, 31) for turn in range(400)
    ]  # fmt: skip
    (tmp_path / "data" / "members.csv").write_text("\n".join(["member_id,status,changed_at", *members]))
    (tmp_path / "data" / "visits.csv").write_text("\n".join(["member_id,channel,visited_at,loaded_at", *visits]))
    answers = Answers(
        "x", ["data/members.csv", "data/visits.csv"], ["member_id"], "state:members.status=CANCELLED", synthetic=True,
        event_time=["visits=visited_at"], known_at=["visits=loaded_at"],
    )  # fmt: skip
    project = Project(Settings(project=tmp_path))

    lines = start_case(project, answers, ask=None, today=date(2025, 6, 2))

    written = "written in more than one way (capitals, blanks)"
    assert f"  members.status: 2 values {written}: population.sql and label.sql take them for one" in lines
    channel = "SQL compares exactly: write lower(trim(channel)), or correct the source"
    assert f"  visits.channel: 1 value {written}: {channel}" in lines
    assert any("WARNING visits: in some weeks more than 1 % of the rows were known before they" in one for one in lines)
    made = load_use_case(project.configs / "x")
    # Of the seven days of a week one or none is of the tenth day, and a room of 0.01 beside.
    assert made.sources.tables["visits"].max_early_share == pytest.approx(0.16)
    assert made.sources.tables["members"].max_early_share == 0.01
    assert "'cancelled'" in made.label_sql


def test_the_look_finds_what_the_text_engine_or_the_leak_scan_finds() -> None:
    call, plain = look_for_identifiers()(["Rückruf unter 0664 1234567", "web"])

    assert {"PHONE", "SCAN"} <= call.keys()
    assert plain == {}
