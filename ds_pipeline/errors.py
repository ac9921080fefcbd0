"""The errors a user can meet. Each message says where, what was expected, what was found and what to do.

Messages name columns, counts, tokens and digests; never a cell value, a key or a path outside the project.
"""

from __future__ import annotations

from collections.abc import Mapping


class DsPipelineError(Exception):
    """Base of every error that is shown as a message, without a stack trace."""


class ConfigError(DsPipelineError):
    """A file of a use case is wrong; lists everything that is wrong, with file and key."""


class ClockError(DsPipelineError):
    """A date is not a scoring date of the use case, or lies outside its history."""


class SourceError(DsPipelineError):
    """A source file as a whole cannot be used: missing, truncated, other columns, too many bad rows."""


class LeakError(DsPipelineError):
    """An identifier was found behind the PII boundary."""


class AnonymityError(DsPipelineError):
    """Too few people share a combination of the quasi-identifiers that a table keeps; `figures` says how many."""

    def __init__(self, message: str, figures: Mapping[str, str | int]) -> None:
        super().__init__(message)
        self.figures = figures

    def __reduce__(self) -> tuple[type[AnonymityError], tuple[str, Mapping[str, str | int]]]:
        return type(self), (str(self), self.figures)  # the default leaves the figures out, and it is sent by processes


class KeyMissingError(DsPipelineError):
    """The pseudonym key is missing, too weak, or not allowed for the class of the data."""


class KeyChangedError(DsPipelineError):
    """What is stored was made under another pseudonym key, and nobody has accepted the new one."""


class FeatureError(DsPipelineError):
    """User SQL is not allowed or does not run, or its result breaks features.yaml."""


class HistoryError(DsPipelineError):
    """Partitions that are needed have not been built; names the weeks and the command that builds them."""


class TrainingError(DsPipelineError):
    """No candidate can be trained from what is there."""


class EvaluationError(DsPipelineError):
    """The holdout cannot be evaluated at all (not: evaluated and refused)."""


class RegistryError(DsPipelineError):
    """A bundle, a signature or the history of promotions is missing or broken."""


class ScoringError(DsPipelineError):
    """A scoring date cannot be scored, or its list cannot be delivered."""


class StoreError(DsPipelineError):
    """A stored snapshot is missing, or does not have the digest that was recorded for it."""


class EngineError(DsPipelineError):
    """Work cannot run where DS_PIPELINE_ENGINE says, or what ran it was lost."""


class ErasureError(DsPipelineError):
    """An erasure cannot be done or was not finished, or the suppression list cannot be relied on."""


class ErasureRefused(ErasureError):
    """An erasure that is not begun, because it would be incomplete; says how to go on. Nothing was changed."""
