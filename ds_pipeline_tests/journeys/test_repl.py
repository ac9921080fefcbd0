"""The code block of the architecture that calls one step after another runs, and makes what a run makes."""

from __future__ import annotations

import re
import sys

from ds_pipeline_tests.journeys.conftest import CASE, LAST, REPOSITORY, Done, Journey


def block() -> str:
    """The code as it stands in the document, for the small project."""
    text = (REPOSITORY / "docs" / "architecture.md").read_text()
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.S)
    for shown, ours in (('"retail_lapse"', f'"{CASE}"'), ("date(2011, 12, 5)", f"date.fromisoformat('{LAST}')")):
        assert code.count(shown) == 1
        code = code.replace(shown, ours)
    return code


def said(printed: str) -> dict[str, str]:
    """What each stage of a run said last."""
    return dict(re.findall(r"^ +\d+ s  (\w+) +(.*)$", printed, flags=re.M))


def test_the_steps_of_a_week_run_without_dagster_and_make_what_a_run_makes(
    journey: Journey, first_run: tuple[Journey, Done]
) -> None:
    before, earlier = journey.made(), said(first_run[1].out)

    done = journey.shell(sys.executable, "-c", f"{block()}\nimport sys\nprint('dagster' in sys.modules)")

    assert done.code == 0, done.text
    *lines, knows_dagster = done.out.splitlines()
    assert knows_dagster == "False"
    assert {earlier["candidate"], earlier["holdout_evaluation"], earlier["campaign_list"]} <= set(lines)
    assert f"{earlier['scores'].partition(';')[0]} (recorded earlier, unchanged)" in [
        line.partition(";")[0] for line in lines
    ]
    assert journey.made() == before
