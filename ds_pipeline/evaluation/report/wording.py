"""What the report page and the model card say in sentences."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from ds_pipeline.evaluation.gates.decision import Decision
from ds_pipeline.evaluation.gates.verdicts import GateResult
from ds_pipeline.evaluation.measure.slices import KNOWN, OTHER, WEEK, SliceRow
from ds_pipeline.evaluation.result import Evaluation
from ds_pipeline.figures import beside, ratio
from ds_pipeline.registry.verdicts import Verdict
from ds_pipeline.use_case.features import FeatureSet
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.requirements import FIXED_GATES, Requirements
from ds_pipeline.use_case.sources import Sources

SECTIONS = {name: field.title for name, field in Requirements.model_fields.items() if field.title}  # of the gates
KINDS: dict[Verdict, str] = {"pass": "passed", "refused": "refused", "not_applicable": "aside"}  # classes in the CSS
VERDICTS = {"passed": "✓ passed", "refused": "✕ refused", "aside": "– not applicable"}


def told_of(evaluation: Evaluation, decision: Decision, use_case: UseCase) -> dict[str, Any]:
    """What the page and the model card tell of the same judgement, for their templates."""
    return {
        "evaluation": evaluation,
        "decision": decision,
        "problem": use_case.problem,
        "requirements": use_case.requirements,
        "invented": invented(use_case.sources, use_case.features),
        "headline": headline(decision, None),
        "known_and_new": known_and_new(evaluation.slices),
        "weeks": weeks_of(evaluation.slices),
        "trend": trend(weeks_of(evaluation.slices)),
        "sections": sections_of(decision.gates),
        "verdicts": VERDICTS,
        "beside": beside,
        "limits": limits_of(evaluation, use_case.requirements),
    }


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


def weeks_of(slices: Sequence[SliceRow]) -> list[SliceRow]:
    """The weeks of the holdout, oldest first, but those with too few rows to stand on their own."""
    return sorted((row for row in slices if row.slice == WEEK and row.group != OTHER), key=lambda row: row.group)


def trend(weeks: Sequence[SliceRow]) -> str | None:
    """The older half of the weeks beside the newer: precision of the list, and its lift over the share of positives."""
    told = [(row.precision, row.precision / row.base_rate) for row in weeks if row.precision and row.base_rate]
    half = len(told) // 2
    if not half:
        return None
    older, newer = (tuple(map(fmean, zip(*those, strict=True))) for those in (told[:half], told[-half:]))
    return (
        f"From the older half of the weeks to the newer, precision goes from {ratio(older[0])} to {ratio(newer[0])}, "
        f"and its lift from {older[1]:.2f} to {newer[1]:.2f}."
    )


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
