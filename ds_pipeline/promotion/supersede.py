"""Scores and a list that must not stand: found, and replaced by those of the version in force, for good on record.

The earlier scores stay in the store, known to its signed index, and the earlier list beside the new one.
Source: docs/decisions/0014-a-list-is-replaced-on-record.md
"""

from __future__ import annotations

from datetime import date

from ds_pipeline.boundary.leak_check import require_clean_reason
from ds_pipeline.errors import ScoringError
from ds_pipeline.registry.history import way_back
from ds_pipeline.registry.ledger import Superseded
from ds_pipeline.scoring.lists import require_contract
from ds_pipeline.scoring.serve import ScoredWeek, make_scores, noted_scores
from ds_pipeline.store.datasets import SCORES
from ds_pipeline.workbench import Workbench, known_entries, now


def still_out(bench: Workbench) -> dict[date, str]:
    """The scored dates whose scores are of a version that was rolled back from, oldest first, with that version."""
    events, store = bench.registry.history(), bench.datasets.store
    withdrawn = {event.version for event in events} - {event.version for event in way_back(events)}
    versions = {day: str(store.get(SCORES, day).info["model_version"]) for day in store.partitions(SCORES)}
    return {date.fromisoformat(day): version for day, version in versions.items() if version in withdrawn}


def say_still_out(bench: Workbench) -> list[str]:
    """What a rollback has not ended, and how to end it; a line each, none where nothing is out."""
    return [
        f"Still out: the list of {day} by {version}. Replace it: ds-pipeline score {bench.use_case.name} --date {day} "
        '--supersede --reason "..."'
        for day, version in still_out(bench).items()
    ]


def supersede(bench: Workbench, day: date, *, actor: str, reason: str) -> ScoredWeek:
    """Replace the scores of a date by those of the version in force for it; the list follows with the next delivery.

    Scores that the log has lost are replaced as well, by the ledger's word. It is written down before anything is
    replaced: what is killed in between is refused until it is done again.

    Raises:
        ConfigError: the reason holds an identifier.
        ScoringError: the date is not scored, no version is in force for it, or its scores would be the same.
        RegistryError: the ledger, or the bundle of the version, does not verify.
    """
    require_clean_reason(bench, reason)
    require_contract(bench, day)
    logged, noted = bench.datasets.store.find(SCORES, str(day)), noted_scores(bench, day)
    if logged is None and noted is None:
        raise ScoringError(
            f"{bench.use_case.name}: {day} is not scored, so there is nothing to replace. Leave --supersede out."
        )
    made = make_scores(bench, day)
    if logged is not None and made.digest == logged.digest:
        raise ScoringError(
            f"{bench.use_case.name}: {made.version} is in force for {day} and gives the scores that are recorded, so "
            "nothing was replaced. Roll back first, or correct what the features are made of."
        )
    if logged is not None:
        before, scores_before = str(logged.info["model_version"]), logged.digest
    else:
        assert noted is not None
        before, scores_before = noted.version, noted.scores
    says = Superseded(before=before, after=made.version, scores_before=scores_before, scores_after=made.digest)
    entry = bench.ledger.add(says, as_of=day, actor=actor, reason=reason, at=now(), known=known_entries(bench))[-1]
    _keep_lists(bench, day, number=entry.number)
    return made.record(bench, supersedes={"model_version": before, "entry": entry.number})


def _keep_lists(bench: Workbench, day: date, *, number: int) -> None:
    """Move the lists that were delivered aside, under the number of the entry that replaces them."""
    for path in bench.delivery_paths(day):
        if path.exists():
            path.rename(path.with_stem(f"{path.stem}.replaced-{number:06d}"))
