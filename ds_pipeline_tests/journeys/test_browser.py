"""The report in a real browser: nothing fails, nothing is cut off, all pictures are there. Skipped without one."""

from __future__ import annotations

from typing import Any

from ds_pipeline_tests.journeys.browser import Tab


def test_the_report_is_whole_in_a_browser(first_run: Any, tab: Tab) -> None:
    journey, done = first_run
    assert done.code == 0, done.text
    (page,) = (journey.root / "data" / "reports").rglob("evaluation.html")

    tab.resize(1280)
    tab.open(page.as_uri())

    assert tab.ask("document.title") == "Which regular customers are about to lapse? – 2011-08-01"
    assert tab.ask("document.querySelector('.verdict strong').innerText").startswith("✓ Promoted as v0001")
    widths = tab.ask("[...document.images].map(image => image.naturalWidth)")
    assert len(widths) >= 5
    assert min(widths) > 0
    assert tab.requested() == [page.as_uri()]
    dead = "[...document.querySelectorAll('a')].filter(one => !document.querySelector(one.getAttribute('href'))).length"
    assert tab.ask(dead) == 0
    for width in (1280, 400):
        tab.resize(width)
        assert tab.ask("document.documentElement.scrollWidth") <= width, f"cut off at {width} px"
    assert tab.complaints() == []
