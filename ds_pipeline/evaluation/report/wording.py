"""How figures and names are told to people, on the report page and on the model card."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from ds_pipeline.evaluation.gates import verdicts as gates
from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.gates.verdicts import GateResult
from ds_pipeline.evaluation.measure.slices import KNOWN, SliceRow
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.registry.verdicts import Verdict
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.requirements import FIXED_GATES, Requirements
from ds_pipeline.use_case.sources import Sources

NOT_MEASURED = "not measured"
SECTIONS = {name: field.title for name, field in Requirements.model_fields.items() if field.title}  # of the gates
KINDS: dict[Verdict, str] = {"pass": "passed", "refused": "refused", "not_applicable": "aside"}  # classes in the CSS
VERDICTS = {"passed": "✓ passed", "refused": "✕ refused", "aside": "– not applicable"}


def environment(*, is_html: bool) -> Environment:
    """Templates of the evaluation stage, with the filters below; in HTML every value is escaped."""
    made = Environment(
        loader=PackageLoader("ds_pipeline", "evaluation/report"),
        autoescape=is_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=None if is_html else plain_markdown,
    )
    made.filters |= {
        "number": number,
        "ratio": ratio,
        "share": percent,
        "name": name,
        "yes_no": yes_no,
        "verdict": verdict,
    }
    return made


def number(value: float | None, digits: int = 3) -> str:
    """Counts and large figures whole, with commas; others with a few significant digits."""
    if value is None or math.isnan(value):
        return NOT_MEASURED
    if abs(value) >= 10**digits / 10 or value == int(value):
        return f"{value:,.0f}"
    return str(np.format_float_positional(value, precision=digits, fractional=False, trim="-"))


def beside(value: float | None, threshold: float) -> str:
    """A figure as the reason of its gate tells it."""
    return NOT_MEASURED if value is None else gates.beside(value, threshold)


def ratio(value: float | None) -> str:
    """Three decimals, so that the figures of a column stand below each other."""
    return NOT_MEASURED if value is None or math.isnan(value) else f"{value:.3f}"


def percent(value: float | None) -> str:
    return NOT_MEASURED if value is None else f"{100 * value:.1f} %"


def name(text: str) -> str:
    """A name of the configuration as words."""
    return text.replace("_", " ")


def yes_no(value: object) -> str:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)


def verdict(gate: GateResult) -> str:
    """passed, refused, or aside: there was nothing to compare with."""
    return KINDS[gate.verdict]


def sections_of(judged: Sequence[GateResult]) -> list[tuple[str, list[GateResult]]]:
    """The gates under the titles of SECTIONS, in their order; a title without a gate is left out."""
    titled = [(SECTIONS[FIXED_GATES.get(gate.name, "acceptance")], gate) for gate in judged]
    found = {title: [gate for under, gate in titled if under == title] for title in SECTIONS.values()}
    return [(title, those) for title, those in found.items() if those]


def headline(decision: Decision, version: str | None) -> str:
    """The verdict in one sentence."""
    counted = [gate for gate in decision.gates if verdict(gate) != "aside"]
    aside = len(decision.gates) - len(counted)
    count = f"{len(counted)} gates" + (f" that apply ({aside} {'does' if aside == 1 else 'do'} not)" if aside else "")
    if decision.passed:
        promoted = f"Promoted as {version}" if version else "Passed, and may be promoted"
        return f"{promoted}: it reaches all {count}."
    failed = [gate.name for gate in decision.gates if not gate.passed]
    if version:
        return f"In force as {version}, by a person, for a lost champion: {', '.join(failed)} could not be compared."
    return f"Refused because it misses {len(failed)} of {count}: {', '.join(failed) or 'none was applied'}."


def invented(sources: Sources, features: FeatureSet) -> str | None:
    """What of an evaluation is said of invented people; None where no table is synthetic.

    A protected attribute is known to come from a table only where it has the name of one of its columns.
    """
    tables = {name: table for name, table in sources.tables.items() if table.synthetic}
    if not tables:
        return None
    told = f"Synthetic tables: {', '.join(tables)}."
    if len(tables) == len(sources.tables):
        return f"{told} All of it comes from invented people and says nothing about real ones."
    aliases = {column.alias for table in tables.values() for column in table.columns.values()}
    protected = features.of_role("protected")
    named = [attribute for attribute in protected if attribute in aliases]
    what = ", ".join(named) or "what SQL takes from them, protected attributes perhaps,"
    others = " Other attributes may come from them as well." if named else ""
    return f"{told} What is said of {what} comes from invented people and says nothing about real ones.{others}"


def known_and_new(slices: Sequence[SliceRow]) -> str | None:
    """How entities that training knew from earlier weeks fare beside new ones; None where that was not measured."""
    found = {row.group: row for row in slices if row.slice == KNOWN}
    told = [f"{group} ones {_reached(found[group])}" for group in ("known", "new") if group in found]
    return f"Entities that training knew from earlier weeks, and new ones: {'; '.join(told)}." if told else None


def _reached(row: SliceRow) -> str:
    rows = f"{row.rows:,} rows"
    if row.average_precision is None:
        return f"too few to tell ({rows})"
    return f"average precision {ratio(row.average_precision)}, chance {ratio(row.base_rate)} ({rows})"


def limits_of(evaluation: Evaluation, requirements: Requirements) -> list[str]:
    """What an evaluation does not tell, whatever it came to."""
    small = sum(not row.is_assessable for row in evaluation.slices)
    said = [
        "What a campaign would change. The score is the probability of the outcome, not of being persuaded; only "
        "people who were left out by lot can tell.",
        f"What comes after {evaluation.facts.weeks[-1] if evaluation.facts.weeks else 'training'}: prices, seasons and "
        "sources change. Drift and realized quality watch the weeks that follow.",
        "Why anybody does what they do: importances and groups describe the model and its errors, not causes.",
        f"Anything of groups with fewer than {requirements.slices.min_support:,} rows"
        + (f"; {small:,} of those above could not be assessed." if small else "."),
        "Whether it is fair in a sense that no gate measures, or to groups that no column names.",
    ]
    if requirements.label_quality is None:
        said.append("Whether the labels are right: no limits on them were agreed.")
    if requirements.leakage is None:
        said.append("Whether an input knows the outcome: no limits on leakage were agreed.")
    return said


def plain_markdown(value: object) -> object:
    """Text that cannot break a table or become HTML."""
    if not isinstance(value, str):
        return value
    return " ".join(value.split("\n")).replace("&", "&amp;").replace("<", "&lt;").replace("|", "\\|")
