"""Templates of this package: nothing is left out in silence, and HTML is escaped."""

from __future__ import annotations

import pytest
from jinja2 import TemplateNotFound, UndefinedError

from ds_pipeline.templates import FILTERS, environment


def test_what_a_template_is_not_given_is_an_error() -> None:
    template = environment("evaluation/report", filters={}).from_string("{{ name }}")

    assert template.render(name="a") == "a"
    with pytest.raises(UndefinedError, match="name"):
        template.render()


@pytest.mark.parametrize(("is_html", "shown"), [(True, "&lt;b&gt; &amp; &#34;"), (False, '<b> & "')])
def test_values_are_escaped_on_pages_alone(is_html: bool, shown: str) -> None:
    made = environment("evaluation/report", filters={}, is_html=is_html)

    assert made.from_string("{{ text }}").render(text='<b> & "') == shown


def test_lines_of_blocks_leave_no_trace_and_a_document_keeps_its_last_line_end() -> None:
    text = "a\n  {% if True %}\nb\n  {% endif %}\nc\n"

    assert environment("evaluation/report", filters={}).from_string(text).render() == "a\nb\nc\n"
    assert environment("evaluation/report", filters={}, is_html=True).from_string(text).render() == "a\nb\nc"


def test_figures_are_told_in_one_way_and_a_template_may_have_words_of_its_own() -> None:
    made = environment("evaluation/report", filters={"loud": str.upper, "name": lambda name: f"<{name}>"})

    assert made.from_string("{{ 1234.5 | number }} {{ 0.25 | ratio }} {{ 0.25 | share }}").render() == (
        "1,234 0.250 25.0 %"
    )  # fmt: skip
    assert made.from_string("{{ 'a_b' | loud }} {{ 'a_b' | name }}").render() == "A_B <a_b>"
    assert environment("evaluation/report", filters={}).from_string("{{ 'a_b' | name }}").render() == "a b"
    assert "loud" not in FILTERS


def test_every_value_may_be_finished_in_one_way() -> None:
    made = environment("evaluation/report", filters={}, finalize=lambda value: "-" if value is None else value)

    assert made.from_string("{{ a }}{{ b }}").render(a=None, b=1) == "-1"


def test_templates_are_those_of_the_folder() -> None:
    assert environment("evaluation/report", filters={}).get_template("report.html.j2").name == "report.html.j2"
    with pytest.raises(TemplateNotFound):
        environment("evaluation/report", filters={}).get_template("no_such.html.j2")


def test_a_template_is_compiled_once_for_the_same_words() -> None:
    first, again, other = (
        environment("evaluation/report", filters=filters, is_html=True).get_template("report_parts/gates.html.j2")
        for filters in ({"verdict": str.upper}, {"verdict": str.upper}, {"verdict": str.lower})
    )

    assert first is again
    assert first is not other
