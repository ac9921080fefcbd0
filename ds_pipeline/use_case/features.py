"""features.yaml: every feature with its type, unit, range and role."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import Field, model_validator

from ds_pipeline.use_case.model import FileModel
from ds_pipeline.use_case.problem import Name, Text

# Columns that stand beside the features when a model is trained or judged.
SCORING_DATE, LABEL, DECIDED_BY, IS_TREATED = "scoring_date", "label", "decided_by", "is_treated"
RESERVED = (SCORING_DATE, LABEL, DECIDED_BY, IS_TREATED)
# Columns that stand beside them when people are scored, and candidates are compared.
OF_SCORES = (
    "score", "rank", "decile", "decision", "model_version", "candidate_digest", "features_snapshot", "baseline",
    "champion", "logistic_regression", "prior", "true_probability", "is_selected", "is_labelled", "entity",
)  # fmt: skip
MOST_CATEGORIES = 255  # that the gradient boosting takes

# A feature with such a word in its name would carry an identity, whatever the SQL says.
IDENTIFIER_WORDS = frozenset(
    {"name", "forename", "surname", "firstname", "lastname", "email", "mail", "phone", "mobile", "fax", "address",
     "street", "postcode", "zip", "birth", "dob", "birthdate", "ssn", "passport", "iban", "card", "ip", "token", "id"}
)  # fmt: skip
# What is left of an identifier after the boundary may be a feature.
COARSE_WORDS = frozenset({"area", "band", "initial", "region"})


class Feature(FileModel):
    """One feature: what it means, what values it can take, and what it is for.

    Attributes:
        dtype: text is free text behind the PII boundary; the model is given its topics.
        role: input goes into the model; slice and protected only split the evaluation.
        other: the category that takes a value which is none of them, within max_outside_share of the file.
        topics: of a text: how many numbers the model gets for it, fitted on the training rows.
    """

    dtype: Literal["int64", "float64", "bool", "string", "text"]
    unit: Text
    nullable: bool
    meaning: Text
    role: Literal["input", "slice", "protected"]
    minimum: float | None = None
    maximum: float | None = None
    categories: Annotated[list[Text], Field(min_length=1)] | None = None
    other: Text | None = None
    topics: Annotated[int, Field(ge=1, le=100)] | None = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Feature:
        if self.dtype in ("int64", "float64"):
            if self.minimum is None or self.maximum is None:
                raise ValueError("a number needs minimum and maximum; an unbounded window drifts as history grows")
            if self.minimum >= self.maximum:
                raise ValueError(f"minimum ({self.minimum}) must lie below maximum ({self.maximum})")
        elif self.minimum is not None or self.maximum is not None:
            raise ValueError(f"minimum and maximum are for numbers, not {self.dtype}")
        if (self.categories is not None) and self.dtype != "string":
            raise ValueError("categories are for strings")
        if self.categories is not None and len(set(self.categories)) != len(self.categories):
            raise ValueError("a category is there twice")
        if self.other is not None and self.other not in (self.categories or []):
            raise ValueError(f"other ({self.other!r}) must be one of the categories")
        if self.role == "input" and self.dtype == "string" and self.categories is None:
            raise ValueError("a string input needs its categories; free text has the dtype text")
        if self.role == "input" and len(self.categories or []) > MOST_CATEGORIES:
            raise ValueError(
                f"{len(self.categories or []):,} categories; a model takes {MOST_CATEGORIES} at most: keep the "
                "frequent ones and make the others one in SQL"
            )
        if (self.topics is not None) != (self.dtype == "text"):
            raise ValueError("topics is for dtype: text, and is needed there")
        if self.dtype == "text" and self.role != "input":
            raise ValueError("a text is an input; to split the evaluation by it, make categories of it in SQL")
        return self

    @property
    def holds_text(self) -> bool:
        """Whether its values are strings, which can hold an identifier; others cannot be told from one."""
        return self.dtype in ("string", "text")


class FeatureSet(FileModel):
    """All features of a use case, in the order of the model's columns.

    Attributes:
        max_outside_share: of the rows of a week, rounded up, that may have a value of a feature which is not declared:
            a number is taken to the nearer limit, a category becomes `other` or missing. More stop the run.
        scope: SQL files that say of a person what others decide as well, such as a rank: they are run once over
            everyone, also where tables are cut into buckets.
    """

    max_outside_share: Annotated[float, Field(ge=0, lt=1)] = 0.0
    scope: dict[Text, Literal["everyone"]] = Field(default_factory=dict)
    features: Annotated[dict[Name, Feature], Field(min_length=1)]

    @model_validator(mode="after")
    def _names_no_identifier(self) -> FeatureSet:
        bad = sorted(name for name in self.features if names_identifier(name))
        if bad:
            raise ValueError(f"{', '.join(bad)}: the name of an identifier; identifiers cannot be features")
        taken = [name for name in RESERVED if name in self.features]
        if taken:
            raise ValueError(f"{', '.join(taken)}: the name of a column of the labels; choose another")
        taken = [name for name in OF_SCORES if name in self.features]
        if taken:
            raise ValueError(f"{', '.join(taken)}: the name of a column of the scores; choose another")
        if not self.of_role("input"):
            raise ValueError("no feature has the role input")
        return self

    def of_role(self, role: str) -> list[str]:
        """The names of the features with a role, in declared order."""
        return [name for name, feature in self.features.items() if feature.role == role]

    def inputs_of(self, *dtypes: str) -> list[str]:
        """The names of the inputs of some dtypes, in declared order."""
        return [name for name in self.of_role("input") if self.features[name].dtype in dtypes]


def names_identifier(name: str) -> bool:
    """Whether a column name says that it holds an identity."""
    words = set(re.split(r"[_\W]+", name.lower()))
    return bool(words & IDENTIFIER_WORDS) and not words & COARSE_WORDS
