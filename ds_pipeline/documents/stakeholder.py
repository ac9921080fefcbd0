"""What a stakeholder reads: contract, model requirements and data dictionary of a use case, made from its YAML files.

Layout and wording of what is known lie in templates/; every other key that a file declares is found by walking the
models, so that nothing that was agreed is left out of its document.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from pydantic import BaseModel

from ds_pipeline.documents.inventory import COMMAND, behind_the_boundary, column_type, people_of
from ds_pipeline.figures import words
from ds_pipeline.markdown import cell, code, plain, sentence
from ds_pipeline.templates import environment
from ds_pipeline.use_case.features import Feature
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.use_case.readers import Read, in_words
from ds_pipeline.use_case.requirements import Requirements
from ds_pipeline.use_case.sources import Column

DOCUMENTS = ("contract", "requirements", "data_dictionary")
LIMITS = {"minimum": "at least", "maximum": "at most"}
COUNTS = {
    "lower": "its one-sided {confidence:.4g} % lower confidence bound",
    "point": "the value itself",
}
IDENTIFIES = {
    "direct": "one person, directly",
    "quasi": "one person, together with other columns",
    "sensitive": "nobody alone; sensitive",
    "no": "nobody",
}
# Keys of a column or a feature that the tables show; any other stands with its values.
IN_CELLS = (
    "alias", "type", "dtype", "nullable", "identifies", "holds", "treatment", "token_domain", "categories", "bands",
    "scale", "minimum", "above", "maximum", "meaning", "role", "unit",
)  # fmt: skip


class Fact(NamedTuple):
    """A declared key: its path within its part of the file, and its value in words."""

    key: str
    value: str
    effect: str = ""


class Asked(NamedTuple):
    """An acceptance threshold in words."""

    name: str
    meaning: str
    limit: str
    counts: str
    declared: str
    owner: str


def use_case_documents(use_case: UseCase, meanings: Mapping[str, str]) -> dict[str, str]:
    """The documents of a use case, file name to text; the same files give the same text.

    Args:
        meanings: what each acceptance threshold measures, in words, by its name.
    """
    filters = {"cell": cell, "code": code, "plain": plain, "sentence": sentence}
    templates = environment("documents/templates", filters=filters, finalize=cell)
    context = {
        "command": COMMAND,
        "declared": declared,
        "facts": facts,
        "summaries": summaries,
        "sections": sections,
        "column_type": column_type,
        "behind_the_boundary": behind_the_boundary,
        "people_of": people_of,
        "identifies": _identifies,
        "values_of": _values,
        "case": use_case,
        "problem": use_case.problem,
        "contract": use_case.contract,
        "requirements": use_case.requirements,
        "asked": [_asked(name, use_case.requirements, meanings[name]) for name in use_case.requirements.acceptance],
    }
    texts = {name: templates.get_template(f"{name}.md.j2").render(context) for name in DOCUMENTS}
    return {f"{name}.md": f"{text.rstrip()}\n" for name, text in texts.items()}


def facts(model: BaseModel, *, without: tuple[str, ...] = ()) -> Iterator[Fact]:
    """Every key of a model with its value, those of nested models under the name of the key they lie below.

    Args:
        without: keys of the model itself that stand elsewhere.
    """
    for name in type(model).model_fields:
        value = getattr(model, name)
        if name in without:
            continue
        if isinstance(value, BaseModel):
            yield from (Fact(f"{words(name)}: {one.key}", one.value, one.effect) for one in facts(value))
        else:
            yield Fact(words(name), plain(value), _effect(model, name) if value is not None else "")


def _effect(model: BaseModel, name: str) -> str:
    """What becomes of a key; empty where nothing but a document reads it."""
    markers = type(model).model_fields[name].metadata
    return next((in_words(one.effect, model) for one in markers if isinstance(one, Read)), "")


def declared(model: BaseModel, *without: str) -> list[Fact]:
    """The keys of a model that a file sets, apart from those that stand elsewhere."""
    unset = set(type(model).model_fields) - model.model_fields_set
    return list(facts(model, without=(*without, *unset)))


def summary(model: BaseModel) -> str:
    """What a part of a file is, as its model says."""
    return (inspect.getdoc(type(model)) or "").partition("\n\n")[0]


def summaries(model: BaseModel) -> list[str]:
    """What a part of a file is, then what each part of it is that has keys of its own."""
    nested = {name: value for name in type(model).model_fields if isinstance(value := getattr(model, name), BaseModel)}
    return [summary(model), *(f"{words(name)}: {summary(value)}" for name, value in nested.items())]


def sections(requirements: Requirements) -> Iterator[tuple[str, BaseModel | None]]:
    """The parts of requirements.yaml other than the thresholds, in their order; None where one is not declared."""
    for name in type(requirements).model_fields:
        if name != "acceptance":
            yield name, getattr(requirements, name)


def _asked(name: str, requirements: Requirements, meaning: str) -> Asked:
    threshold = requirements.acceptance[name]
    key = next(key for key in LIMITS if key in type(threshold).model_fields)
    settings = facts(threshold, without=("metric", "bound", "owner", key))
    return Asked(
        name=name,
        meaning=meaning[0].upper() + meaning[1:],
        limit=f"{LIMITS[key]} {plain(getattr(threshold, key))}",
        counts=COUNTS[threshold.bound].format(confidence=100 * requirements.bootstrap.confidence),
        declared=", ".join([threshold.metric, *(f"{one.key} {one.value}" for one in settings)]),
        owner=threshold.owner,
    )


def _values(model: Column | Feature) -> str:
    """What a feature or a column may be: its categories or its range, and whatever has no cell of its own."""
    listed = plain(model.categories) if isinstance(model, Feature) and model.categories else _range(model)
    return "; ".join(filter(None, [listed, *(f"{one.key}: {one.value}" for one in declared(model, *IN_CELLS))]))


def _range(model: Column | Feature) -> str:
    """The values a column or a feature may have, as far as they are declared."""
    limits = {"minimum": "from", "above": "above", "maximum": "to"}
    found = [
        f"{word} {plain(value)}" for key, word in limits.items() if (value := getattr(model, key, None)) is not None
    ]
    return " ".join(found)


def _identifies(column: Column) -> str:
    return IDENTIFIES[column.identifies] + (f" ({words(column.holds)})" if column.holds else "")
