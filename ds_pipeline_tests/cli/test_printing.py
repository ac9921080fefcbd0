"""What is printed stays what it is."""

from __future__ import annotations

import pytest

from ds_pipeline.cli.printing import complaints, console, plain, table_of


@pytest.mark.parametrize("text", ["[bold]x[/]", "a[0] of [1]", r"C:\dir", "[/unmatched]", "", "no brackets"])
def test_brackets_in_a_text_are_no_markup(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    console.print(plain(text))
    complaints.print(plain(text))

    assert capsys.readouterr() == (f"{text}\n", f"{text}\n")


def test_a_table_has_its_numbers_to_the_right(capsys: pytest.CaptureFixture[str]) -> None:
    table = table_of("name", "rows", "why", right=slice(1, 2))
    table.add_row("visits", "1,200", "x")
    table.add_row("plans", "3", "y")

    console.print(table)

    assert [line.rstrip() for line in capsys.readouterr().out.splitlines()] == [
        "name     rows  why", "visits  1,200  x", "plans       3  y",
    ]  # fmt: skip
