"""Erase people: from stored tables, scores and delivered lists, for good, and say which models had seen them.

The order is the point: what is to be done is noted first, then nobody can come back, then one file after the other
changes, each whole or not at all, and the record is made last. Killed anywhere, it is finished by the next call.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import uuid4

import pandas as pd

from ds_pipeline.boundary.erasures import Change, Erasure, Pending, merged
from ds_pipeline.boundary.suppress import alone, erasures_of, hash_of, pending_file, suppression_key, suppression_list
from ds_pipeline.boundary.suppression_list import count
from ds_pipeline.erasure.delivered import delivered_changes, remove_delivered
from ds_pipeline.erasure.exposure import candidates_affected
from ds_pipeline.erasure.stored import apply_changes, other_keys_changes, require_gone, stored_changes
from ds_pipeline.errors import ErasureError
from ds_pipeline.masking.columns.tokens import key_fingerprint, tokenize
from ds_pipeline.store.chain import next_link, require_later
from ds_pipeline.store.snapshots import remove_half_written
from ds_pipeline.workbench import Workbench


@dataclass(frozen=True)
class People:
    """Who is to be erased, in memory only.

    Attributes:
        ids: canonical identifiers as their owners know them, each once.
        domains: token domains of the entity.
        keys: pseudonym keys under which they may be stored, the present one first.
    """

    ids: list[str]
    domains: list[str]
    keys: list[bytes]

    def tokens(self) -> list[str]:
        """Their tokens under every key."""
        values = pd.Series(self.ids, dtype="string", name="--entity-id")
        tokens = [tokenize(values, key=key, domain=domain) for key in self.keys for domain in self.domains]
        return sorted(pd.concat(tokens).tolist())

    def hashes(self, key: bytes) -> dict[str, list[str]]:
        """What the suppression list holds of them, by domain."""
        values = pd.Series(self.ids, dtype="string", name="--entity-id")
        return {domain: sorted(hash_of(values, key=key, domain=domain).tolist()) for domain in self.domains}


@dataclass(frozen=True)
class Survey:
    """What an erasure would change.

    Attributes:
        unknown: people of whom no row is stored; they are suppressed all the same.
    """

    changes: list[Change]
    unknown: int


def people_of(bench: Workbench, ids: Sequence[str], *, old_keys: Sequence[bytes] = ()) -> People:
    """The people behind identifiers typed as their owner knows them; blank lines are nobody.

    Raises:
        ErasureError: none is given, or one cannot be an identifier of the entity.
    """
    entity = bench.use_case.problem.entity
    columns = [table.kept[entity] for table in bench.use_case.sources.tables.values() if entity in table.tokens]
    texts = [text.strip() for text in ids if text.strip()]
    if not texts:
        raise ErasureError("No identifier was given. Name at least one: --entity-id, or --file.")
    if all(column.type == "integer" for column in columns):
        wrong = sum(not text.removeprefix("-").isdecimal() for text in texts)
        if wrong:
            raise ErasureError(
                f"{wrong} of {len(texts)} identifiers are not whole numbers, and {entity} is made from numbers. "
                "Nothing was changed; they are not shown here."
            )
        texts = [str(int(text)) for text in texts]
    domains = sorted({str(column.token_domain) for column in columns})
    return People(list(dict.fromkeys(texts)), domains, [bench.key, *old_keys])


def survey(bench: Workbench, people: People, *, drop_other_keys: bool) -> Survey:
    """What an erasure would change; changes nothing.

    Raises:
        ErasureRefused: a run is at work, or something is stored in which these people could not be found.
    """
    with alone(bench):
        return _survey(bench, people, drop_other_keys=drop_other_keys)


def erase(bench: Workbench, people: People, *, actor: str, reason: str, at: datetime, drop_other_keys: bool) -> Erasure:
    """Erase people; an erasure that was interrupted before is finished first.

    Args:
        drop_other_keys: delete tables, and empty scores, that were made under a pseudonym key that is not given.

    Raises:
        ErasureRefused: see survey.
        ErasureError: suppression list or key cannot be relied on, or something is left at the end.
    """
    if set(people.ids) & set(re.split(r"[^\w-]+", reason)):
        raise ErasureError("--reason names an identifier, and it is kept for good. Say why without it.")
    with alone(bench):
        begun = pending_file(bench).find()
        finished = _finish(bench)
        if begun is not None and finished is not None and set(people.tokens()) <= set(begun.tokens):
            return finished  # it was about these very people
        surveyed = _survey(bench, people, drop_other_keys=drop_other_keys)
        # What would stop the record at the end is noticed before anything is changed: a lost signing key, a lost
        # history of promotions, a clock that was set back.
        bench.prepare_to_sign()
        bench.registry.history()
        require_later(erasures_of(bench).read(), at)
        is_first = not any(bench.project.store.glob("*/suppression/list.json"))
        key = suppression_key(bench).read_or_make(is_first=is_first)
        if suppression_list(bench).exists():
            suppression_list(bench).read(fingerprint=key_fingerprint(key))
        pending_file(bench).write(
            Pending(
                request=uuid4().hex,
                actor=actor,
                reason=reason,
                at=at,
                people=len(people.ids),
                found=len(people.ids) - surveyed.unknown,
                tokens=people.tokens(),
                hashes=people.hashes(key),
                changes=surveyed.changes,
            )
        )
        done = _finish(bench)
        assert done is not None
        return done


def resume(bench: Workbench) -> Erasure | None:
    """Finish the erasure that was interrupted; None where there is none."""
    with alone(bench):
        return _finish(bench)


def _finish(bench: Workbench) -> Erasure | None:
    """Everything after the note of what is to be done. Each step may be done again, and then does nothing."""
    file = pending_file(bench)
    for folder in (file.path.parent, bench.datasets.store.root, bench.project.deliveries / bench.use_case.name):
        remove_half_written(folder)
    pending = file.find()
    if pending is None:
        return None
    key = suppression_key(bench).read()
    listed, fingerprint = suppression_list(bench), key_fingerprint(key)
    hashes = {domain: frozenset(values) for domain, values in pending.hashes.items()}
    listed.add(hashes, fingerprint=fingerprint)
    tokens = frozenset(pending.tokens)
    changes = merged(pending.changes, [*stored_changes(bench, tokens), *delivered_changes(bench, hashes, key=key)])
    apply_changes(bench, changes, tokens)
    remove_delivered(bench, changes, hashes, key=key)
    require_gone(bench, tokens, spared=file.path)
    record = erasures_of(bench)
    events = record.read()
    if not events or events[-1].request != pending.request:
        event = next_link(
            Erasure,
            events,
            use_case=bench.use_case.name,
            actor=pending.actor,
            reason=pending.reason,
            at=pending.at,
            request=pending.request,
            people=pending.people,
            found=pending.found,
            listed=count(listed.read(fingerprint=fingerprint)),
            changes=changes,
            affected=candidates_affected(bench, changes),
        )
        record.append(event)
        events.append(event)
    file.remove()
    return events[-1]


def _survey(bench: Workbench, people: People, *, drop_other_keys: bool) -> Survey:
    tokens = frozenset(people.tokens())
    seen: set[str] = set()
    changes = [
        *other_keys_changes(bench, people.keys, tokens, drop=drop_other_keys),
        *stored_changes(bench, tokens, seen=seen),
    ]
    # The list may not be there yet; who is asked for is looked for under any key, and one of the moment will do.
    key = suppression_key(bench).read() if suppression_key(bench).path.exists() else uuid4().bytes
    hashes = {domain: frozenset(values) for domain, values in people.hashes(key).items()}
    changes += delivered_changes(bench, hashes, key=key)
    unknown = sum(seen.isdisjoint(People([person], people.domains, people.keys).tokens()) for person in people.ids)
    return Survey(merged([], changes), unknown=unknown)
