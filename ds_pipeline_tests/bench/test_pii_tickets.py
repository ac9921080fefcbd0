"""The labelled tickets and what is counted on them. The scripts of bench/ are no package: they are imported by path."""

import sys
import unicodedata
from pathlib import Path

import pytest

BENCH = Path(__file__).resolve().parents[2] / "bench"


@pytest.fixture(scope="module")
def modules():
    sys.path.insert(0, str(BENCH))
    try:
        import pii_people
        import pii_quality
        import pii_tickets
    finally:
        sys.path.remove(str(BENCH))
    return pii_tickets, pii_quality, pii_people


@pytest.fixture(scope="module")
def tickets(modules):
    return modules[1].read_tickets()


@pytest.fixture(scope="module")
def score(modules):
    """Score of one text whose labels and finds are given as (part of the text, kind)."""
    quality = modules[1]

    def of(text, labels, found, neutral=()):
        def spans(parts):
            return [quality.Span(text.index(part), text.index(part) + len(part), kind) for part, kind in parts]

        one = quality.Score()
        one.add(
            quality.Ticket("t", text, spans(labels), [span[:2] for span in spans((n, "") for n in neutral)], []),
            spans(found),
        )
        return one

    return of


def test_the_generator_makes_the_committed_file_byte_for_byte(modules):
    assert modules[0].lines().encode() == modules[0].SET.read_bytes()


def test_spans_lie_inside_their_text_in_order_and_do_not_overlap(tickets):
    for ticket in tickets:
        edges = [
            edge
            for span in sorted([*(span[:2] for span in ticket.spans), *map(tuple, ticket.neutral)])
            for edge in span
        ]
        assert edges == sorted(edges), ticket.id
        assert not edges or (edges[0] >= 0 and edges[-1] <= len(ticket.text)), ticket.id
        assert all(span.start < span.end for span in ticket.spans), ticket.id


def test_a_span_neither_begins_nor_ends_with_a_space(tickets):
    for ticket in tickets:
        for start, end, _ in ticket.spans:
            assert ticket.text[start:end] == ticket.text[start:end].strip(), ticket.id


def test_kinds_are_known_and_each_occurs(modules, tickets):
    assert {span.kind for ticket in tickets for span in ticket.spans} == set(modules[0].KINDS)


def test_no_mark_or_slot_is_left_in_a_text(tickets):
    for ticket in tickets:
        assert not any(mark in ticket.text for mark in ("[[", "]]", "|PERSON", "~~", "{first", "{full", "{problem")), (
            ticket.id
        )


def test_the_set_is_large_various_and_a_fifth_of_it_names_nobody(modules, tickets):
    nameless = [ticket for ticket in tickets if not ticket.spans]
    assert len(tickets) >= 600
    assert len(nameless) >= len(tickets) / 5
    assert len({ticket.text for ticket in tickets}) == len(tickets)
    assert len({frame for section in modules[0].frames().values() for frame in section}) >= 250


def test_people_come_from_many_cultures_and_countries(modules):
    people = modules[2]
    assert len(people.CULTURES) >= 25
    assert len(people.COUNTRIES) >= 15
    assert set(people.HOMES) == set(people.CULTURES)
    assert {home for homes in people.HOMES.values() for home in homes.split()} <= set(people.COUNTRIES)


def test_a_text_that_names_nobody_holds_no_name_of_the_lists(modules, tickets):
    cultures = [one for name, one in modules[2].CULTURES.items() if name != "wordy"]
    names = {name.lower() for one in cultures for part in one[1:3] for name in part.replace("|", " ").split()}
    words = {"min", "ten", "bin"}
    for ticket in tickets:
        if not ticket.spans:
            found = {word.strip('.,:;!?()"').lower() for word in ticket.text.split()} & (names - words)
            assert not found, (ticket.id, found)


def test_mail_addresses_use_reserved_domains(tickets):
    for ticket in tickets:
        for start, end, kind in ticket.spans:
            domain = ticket.text[start:end].lower().replace(" ", "").rpartition("@")[2].split("?")[0]
            if kind == "EMAIL" and "@" in ticket.text[start:end]:
                assert domain.endswith((".example", ".test", ".invalid", "example.com", "example.org", "example.net",
                                        "example.co.uk")), ticket.id  # fmt: skip


def test_characters_are_letters_and_digits_only(score):
    one = score("Jane Doe, Leeds!", [("Jane Doe", "PERSON")], [("Jane", "PERSON"), (", ", "PERSON")])
    assert (one.personal, one.left, one.other, one.masked_too_much) == (7, 3, 5, 0)


def test_a_combining_mark_counts_with_its_letter(score):
    name = unicodedata.normalize("NFD", "Zoë")
    assert score(name, [(name, "PERSON")], []).left == 4


def test_what_is_masked_beside_a_label_is_too_much_unless_neutral(score):
    one = score("Dr Doe called", [("Doe", "PERSON")], [("Dr Doe called", "PERSON")], neutral=["Dr"])
    assert (one.left, one.other, one.masked_too_much) == (0, 6, 6)


def test_a_find_of_another_kind_counts_as_masked_but_not_as_right(score):
    one = score("in Nancy", [("Nancy", "LOCATION")], [("Nancy", "PERSON")])
    place, person = one.kinds["LOCATION"], one.kinds["PERSON"]
    assert (place.labelled, place.as_such, place.as_anything, place.whole) == (1, 0, 1, 1)
    assert (person.reported, person.right) == (1, 0)


def test_a_find_on_neutral_ground_alone_is_not_held_against_the_precision(score):
    assert score("via Leipzig", [], [("Leipzig", "LOCATION")], neutral=["Leipzig"]).kinds["LOCATION"].reported == 0


def test_wnut17_is_read_with_exact_offsets_and_scored_by_hand(modules, tmp_path):
    quality = modules[1]
    path = tmp_path / "test.annotated"
    path.write_text(
        "Ann\tB-person\nLee\tI-person\nin\tO\nRome\tB-location\n\n\t\nRome\tB-person\nApple\tB-corporation\n"
    )
    labelled = quality.read_wnut17(path)
    assert labelled == [
        ("Ann Lee in Rome", [quality.Span(0, 7, "PERSON"), quality.Span(11, 15, "LOCATION")]),
        ("Rome Apple", [quality.Span(0, 4, "PERSON")]),
    ]
    found = [[quality.Span(0, 3, "PERSON")], [quality.Span(5, 10, "PERSON"), quality.Span(0, 4, "LOCATION")]]
    scores = quality.score_wnut17(found, labelled)
    assert scores["PERSON"] == {"exact": (0, 0), "overlap": (0.5, 0.5)}
    assert scores["LOCATION"] == {"exact": (0, 0), "overlap": (0, 0)}


def test_letters_for_speed_differ_and_have_about_the_words_asked_for(modules):
    letters = modules[0].letters(200, words=68, seed=5)
    assert len(set(letters)) == 200
    assert 60 <= sum(len(text.split()) for text in letters) / 200 <= 76
