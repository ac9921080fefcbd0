"""Which candidates had seen rows that were erased, and whether what serves is one of them."""

import json
from collections.abc import Sequence
from datetime import date

from ds_pipeline.boundary.erasures import Affected, Change, Erasure, affecting
from ds_pipeline.boundary.suppress import erasures_of
from ds_pipeline.digests import SHORT
from ds_pipeline.errors import ConfigError
from ds_pipeline.registry.bundle import Bundle
from ds_pipeline.scoring.serve import use_case_of
from ds_pipeline.training.labelled import matured_weeks
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench


def candidates_affected(bench: Workbench, changes: Sequence[Change]) -> list[Affected]:
    """Every version and every candidate that may still be promoted which was made from rows that were removed.

    Where that cannot be told any more, because its bundle does not verify or its weeks are not stored, it counts.
    """
    if not changes:
        return []
    affected: dict[str, Affected | None] = {}
    for event, bundle in bench.registry.bundles():
        candidate, version = event.candidate_digest, event.version
        if candidate in affected:
            continue
        if bundle is None:
            cause = "its bundle does not verify, so it cannot be ruled out"
            affected[candidate] = Affected(candidate=candidate, as_of=event.as_of, version=version, rows=0, cause=cause)
        else:
            facts = bundle.json("training.json")
            affected[candidate] = _affected(bench, _case(bench, bundle), facts, candidate, version, changes)
    for day in bench.documents.days("candidate"):
        document = bench.documents.get(kind="candidate", day=day)
        if document.digest not in affected:
            facts = json.loads(document.files["training.json"])
            affected[document.digest] = _affected(bench, None, facts, document.digest, None, changes)
    there = [candidate for candidate in affected.values() if candidate is not None]
    return sorted(there, key=lambda candidate: (candidate.as_of, candidate.version or "", candidate.candidate))


def erasures_since(bench: Workbench) -> tuple[str, list[Erasure]] | None:
    """The champion and the erasures that removed rows it had seen; None where there is none: retraining is due then."""
    champion = bench.registry.champion()
    done = affecting(erasures_of(bench).read(), champion.candidate_digest) if champion else []
    return (champion.version, done) if champion and done else None


def retraining_is_due(bench: Workbench) -> str | None:
    """One sentence for people, or None: nobody whom the champion had seen was erased since."""
    since = erasures_since(bench)
    if since is None:
        return None
    version, done = since
    people = sum(erasure.found for erasure in done)
    who = "1 person was" if people == 1 else f"{people} people were"
    return f"retraining is due: {who} erased since {version} was trained"


def _case(bench: Workbench, bundle: Bundle) -> UseCase | None:
    try:
        return use_case_of(bench, bundle)
    except ConfigError:  # written for an earlier version of this package
        return None


def _affected(
    bench: Workbench, case: UseCase | None, facts: dict, candidate: str, version: str | None, changes: Sequence[Change]
) -> Affected | None:
    """None where no row it had seen was removed; a partition with several snapshots counts its largest.

    Without its use case every week from its first to its date counts, which is more than it saw.
    """
    as_of, clock = date.fromisoformat(facts["as_of"]), (case or bench.use_case).clock
    trained = [date.fromisoformat(week) for week in facts["weeks"]]
    known = clock.dates_until(as_of) if case is None else matured_weeks(clock, as_of)
    later = [day for day in known if day > trained[-1]]  # with the embargo, on which a model may be fitted again
    if case is not None and case.training.refit == "none":
        later = clock.holdout(as_of)
    features, weeks = f"features/{facts['features'][:SHORT]}", {str(week) for week in [*trained, *later]}
    labelled = {str(week + clock.lag) for week in [*trained, *later]}
    rows: dict[tuple[str, str], int] = {}
    for change in changes:
        is_label = change.dataset.startswith("labels/") and change.partition in labelled
        if is_label or (change.dataset == features and change.partition in weeks):
            place = (change.dataset, change.partition)
            rows[place] = max(rows.get(place, 0), change.rows)
    lost = weeks - set(bench.datasets.store.partitions(features))
    cause = "rows were removed from what it was trained or judged on" if rows else ""
    if not rows and lost and any(change.dataset.startswith("masked/") for change in changes):
        cause = f"{len(lost)} of its weeks are not stored any more, so it cannot be ruled out"
    if not cause:
        return None
    return Affected(candidate=candidate, as_of=as_of, version=version, rows=sum(rows.values()), cause=cause)
