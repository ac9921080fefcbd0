"""A chain of events of any kind: numbering, signatures, and what is said when something does not fit."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from ds_pipeline.digests import canonical_json, digest_bytes
from ds_pipeline.errors import RegistryError
from ds_pipeline.store.chain import Chain, Link, Signed, file_name, next_link

AT = datetime(2011, 12, 5, 9, tzinfo=UTC)


class Note(Link):
    """An event with a text."""

    text: str


class Seal:
    """A signer whose signature is a digest with a word."""

    def __init__(self, word: str = "ours") -> None:
        self.word = word

    def sign(self, content: bytes) -> str:
        return digest_bytes(content + self.word.encode())

    def verify(self, content: bytes, signature: str, *, what: str) -> None:
        if signature != self.sign(content):
            raise RegistryError(f"{what}: the signature does not fit.")


@pytest.fixture
def chain(tmp_path: Path) -> Chain[Note]:
    return Chain(tmp_path / "notes", Seal(), use_case="mini", kind=Note)


def note(events: list[Note], text: str, **changes: Any) -> Note:
    fields = {"use_case": "mini", "actor": "ann", "reason": "a test"} | changes
    return next_link(Note, events, **{"at": AT, "text": text} | fields)


def written(chain: Chain[Note], *texts: str) -> list[Note]:
    events: list[Note] = []
    for text in texts:
        events.append(note(events, text))
        chain.append(events[-1])
    return events


def test_a_folder_that_is_not_there_has_no_events(chain: Chain[Note]) -> None:
    assert chain.read() == []


def test_events_are_read_as_they_were_made_in_their_order(chain: Chain[Note]) -> None:
    events = written(chain, *"abcdefghijk")

    assert chain.read() == events
    assert [event.number for event in events] == list(range(1, 12))
    assert [event.previous for event in events] == [None, *(event.digest for event in events[:-1])]
    assert file_name(12) == "000012.json"


def test_the_digest_follows_every_field(chain: Chain[Note]) -> None:
    (event,) = written(chain, "a")
    others = [
        event.model_copy(update=update)
        for update in ({"text": "b"}, {"reason": "x"}, {"at": AT + timedelta(seconds=1)}, {"number": 2})
    ]

    assert len({event.digest, *(other.digest for other in others)}) == 5


def test_an_event_is_never_written_over(chain: Chain[Note]) -> None:
    written(chain, "a")

    with pytest.raises(RegistryError, match=r"notes/000001\.json: another process made this event first"):
        chain.append(note([], "b"))

    assert [event.text for event in chain.read()] == ["a"]


def test_a_field_that_is_changed_and_signed_by_another_is_refused(chain: Chain[Note], tmp_path: Path) -> None:
    (event,) = written(chain, "a")
    other = event.model_copy(update={"text": "b"})
    forged = Signed[Note](event=other, signature=Seal("theirs").sign(other.content))
    (tmp_path / "notes" / "000001.json").write_bytes(canonical_json(forged.model_dump(mode="json")))

    with pytest.raises(RegistryError, match=r"notes/000001\.json: the signature does not fit"):
        chain.read()


def test_a_genuine_event_that_does_not_follow_is_refused(chain: Chain[Note]) -> None:
    first, _ = written(chain, "a", "b")
    third = note([first, note([first], "another past")], "c")
    chain.append(third)

    with pytest.raises(RegistryError, match=r"notes/000003\.json: it does not follow the event before it"):
        chain.read()


@pytest.mark.parametrize("removed", ["000001.json", "000002.json"])
def test_a_gap_names_the_event_that_is_missing(chain: Chain[Note], tmp_path: Path, removed: str) -> None:
    written(chain, "a", "b", "c")
    (tmp_path / "notes" / removed).unlink()

    with pytest.raises(RegistryError, match=rf"^notes/{removed}: expected this event, found"):
        chain.read()


def test_events_of_another_use_case_are_refused_although_the_signature_fits(chain: Chain[Note], tmp_path: Path) -> None:
    written(chain, "a")

    with pytest.raises(RegistryError, match="an event of mini, in the registry of maxi"):
        Chain(tmp_path / "notes", Seal(), use_case="maxi", kind=Note).read()


def test_an_event_is_not_dated_before_the_one_that_it_follows(chain: Chain[Note]) -> None:
    earlier = AT - timedelta(seconds=1)
    events = written(chain, "a")

    with pytest.raises(RegistryError, match=r"2011-12-05 08:59:59 UTC is before the last event, .* 09:00:00 UTC"):
        note(events, "b", at=earlier)
    chain.append(note(events, "b").model_copy(update={"at": earlier}))  # by one who holds the key

    with pytest.raises(RegistryError, match=r"notes/000002\.json: dated 2011-12-05 08:59:59 UTC, before the event"):
        chain.read()


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"[]", id="a-list"),
        pytest.param(b'{"event": {}}', id="no-signature"),
        pytest.param(b"\xff", id="no-text"),
    ],
)
def test_what_is_no_event_is_damaged(chain: Chain[Note], tmp_path: Path, content: bytes) -> None:
    written(chain, "a")
    (tmp_path / "notes" / "000001.json").write_bytes(content)

    with pytest.raises(RegistryError, match=r"notes/000001\.json: damaged, .* Restore notes/ from a backup"):
        chain.read()


def test_another_spelling_of_the_same_event_was_changed(chain: Chain[Note], tmp_path: Path) -> None:
    written(chain, "a")
    path = tmp_path / "notes" / "000001.json"
    path.write_text(json.dumps(json.loads(path.read_bytes()), indent=1))

    with pytest.raises(RegistryError, match=r"notes/000001\.json: changed after it was made"):
        chain.read()


def test_texts_lose_their_outer_blanks_and_instants_become_utc() -> None:
    event = next_link(
        Note, [], at=AT.astimezone(timezone(timedelta(hours=5))), text=" a ", use_case="mini", actor=" ann", reason="x "
    )

    assert (event.text, event.actor, event.reason) == ("a", "ann", "x")
    assert (event.at, event.at.tzinfo) == (AT, UTC)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        pytest.param({"reason": "  "}, "reason", id="blank"),
        pytest.param({"actor": "", "reason": ""}, "actor, reason", id="two"),
        pytest.param({"at": AT.replace(tzinfo=None)}, "at", id="no-zone"),
        pytest.param({"colour": "red"}, "colour", id="unknown"),
    ],
)
def test_fields_that_are_empty_or_wrong_are_named_without_their_values(changes: dict[str, Any], named: str) -> None:
    fields = {"at": AT, "text": "a", "use_case": "mini", "actor": "ann", "reason": "because"} | changes

    with pytest.raises(RegistryError) as error:
        next_link(Note, [], **fields)

    assert str(error.value) == f"Nothing was changed; missing, empty or not valid: {named}."
