"""The start of a use case: what is said about the files once it is written."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from ds_pipeline.project import Project, Settings
from ds_pipeline.starter.answers import Answers
from ds_pipeline.starter.start import look_for_identifiers, start_case

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


def test_the_look_finds_what_the_text_engine_or_the_leak_scan_finds() -> None:
    call, plain = look_for_identifiers()(["Rückruf unter 0664 1234567", "web"])

    assert {"PHONE", "SCAN"} <= call.keys()
    assert plain == {}
