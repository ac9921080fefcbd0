"""The word for what a gate came to, the same on every screen and in every JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

Verdict = Literal["pass", "refused", "not_applicable"]
WORDS: dict[Verdict, str] = {"pass": "pass", "refused": "refused", "not_applicable": "n/a"}


def verdict_of(*, passed: bool, applies: bool) -> Verdict:
    """A gate that does not apply lets a candidate pass, but has not been passed."""
    if not passed:
        return "refused"
    return "pass" if applies else "not_applicable"


def count_verdicts(verdicts: Sequence[Verdict]) -> str:
    """'24 of 25 gates passed'; where some do not apply, '24 of 24 gates that apply passed, 1 does not apply'."""
    passed, aside = verdicts.count("pass"), verdicts.count("not_applicable")
    if not aside:
        return f"{passed} of {len(verdicts)} gates passed"
    left_out = f"{aside} {'does' if aside == 1 else 'do'} not apply"
    return f"{passed} of {len(verdicts) - aside} gates that apply passed, {left_out}"
