"""Which candidates had seen rows that were erased, and whether what serves is one of them."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ds_pipeline.boundary.erasures import Affected, Change, Erasure, affecting
from ds_pipeline.boundary.suppress import erasures_of
from ds_pipeline.digests import SHORT
from ds_pipeline.errors import ConfigError, RegistryError
from ds_pipeline.scoring.serve import use_case_of
from ds_pipeline.use_case.load import UseCase
from ds_pipeline.workbench import Workbench


@dataclass(frozen=True)
class _Seen:
    """What a candidate was made from: its features, and the scoring dates of training, validation and holdout."""

    candidate: str
    as_of: date
    version: str | None
    features: str
    weeks: frozenset[date]
    lag: timedelta


def candidates_affected(bench: Workbench, changes: Sequence[Change]) -> list[Affected]:
    """Every version and every candidate that may still be promoted which was made from rows that were removed.

    Where that cannot be told any more, because its bundle does not verify or its weeks are not stored, it counts.
    """
    if not changes:
        return []
    found: dict[str, Affected | None] = {}
    for event in bench.registry.history():
        if event.candidate_digest not in found:
            try:
                bundle = bench.registry.open(event.version)
            except RegistryError:
                found[event.candidate_digest] = Affected(
                    candidate=event.candidate_digest,
                    as_of=event.as_of,
                    version=event.version,
                    rows=0,
                    cause="its bundle does not verify, so it cannot be ruled out",
                )
                continue
            facts = bundle.json("training.json")
            seen = _seen(bench, _case(bench, event.version), facts, event.candidate_digest, event.version)
            found[event.candidate_digest] = _affected(bench, seen, changes)
    for day in bench.documents.days("candidate"):
        document = bench.documents.get(kind="candidate", day=day)
        if document.digest not in found:
            seen = _seen(bench, None, json.loads(document.files["training.json"]), document.digest, None)
            found[document.digest] = _affected(bench, seen, changes)
    return sorted((one for one in found.values() if one), key=lambda one: (one.as_of, one.version or "", one.candidate))


def erasures_since(bench: Workbench) -> tuple[str, list[Erasure]] | None:
    """The champion and the erasures that removed rows it had seen; None where there is none: retraining is due then."""
    champion = bench.registry.champion()
    done = affecting(erasures_of(bench).read(), champion.candidate_digest) if champion else []
    return (champion.version, done) if champion and done else None


def retraining_is_due(bench: Workbench) -> str | None:
    """One sentence for people, or None: nobody whom the champion had seen was erased since."""
    found = erasures_since(bench)
    if found is None:
        return None
    version, done = found
    people = sum(one.found for one in done)
    who = "1 person was" if people == 1 else f"{people} people were"
    return f"retraining is due: {who} erased since {version} was trained"


def _case(bench: Workbench, version: str) -> UseCase | None:
    try:
        return use_case_of(bench, bench.registry.open(version))
    except ConfigError:  # written for an earlier version of this package
        return None


def _seen(bench: Workbench, case: UseCase | None, facts: dict, candidate: str, version: str | None) -> _Seen:
    """Without its use case every week from its first to its date counts, which is more than it saw."""
    as_of, weeks = date.fromisoformat(facts["as_of"]), [date.fromisoformat(week) for week in facts["weeks"]]
    clock = (case or bench.use_case).clock
    later = clock.holdout(as_of) if case else [day for day in clock.dates_until(as_of) if day > weeks[-1]]
    return _Seen(
        candidate, as_of, version, f"features/{facts['features'][:SHORT]}", frozenset([*weeks, *later]), clock.lag
    )


def _affected(bench: Workbench, seen: _Seen, changes: Sequence[Change]) -> Affected | None:
    """None where no row it had seen was removed; a partition with several snapshots counts its largest."""
    labelled = {str(week + seen.lag) for week in seen.weeks}
    weeks = {str(week) for week in seen.weeks}
    rows: dict[tuple[str, str], int] = {}
    for one in changes:
        is_label = one.dataset.startswith("labels/") and one.partition in labelled
        if is_label or (one.dataset == seen.features and one.partition in weeks):
            place = (one.dataset, one.partition)
            rows[place] = max(rows.get(place, 0), one.rows)
    lost = weeks - set(bench.datasets.store.partitions(seen.features))
    cause = "rows were removed from what it was trained or judged on" if rows else ""
    if not rows and lost and any(one.dataset.startswith("masked/") for one in changes):
        cause = f"{len(lost)} of its weeks are not stored any more, so it cannot be ruled out"
    if not cause:
        return None
    return Affected(
        candidate=seen.candidate, as_of=seen.as_of, version=seen.version, rows=sum(rows.values()), cause=cause
    )
