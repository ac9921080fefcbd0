"""Spans as they join, what they leave, and pieces of bounded length."""

from itertools import pairwise

import pytest

from ds_pipeline.masking.reading.spans import Found, chunks, gaps, join

TEXT = "0123456789abcdefghij"


def spans(*found: tuple[int, int, str]) -> list[tuple[int, int, str]]:
    joined = join(TEXT, [Found(start, end, 0.5, kind) for start, end, kind in found])
    return [(span.start, span.end, span.kind) for span in joined]


@pytest.mark.parametrize(
    ("found", "joined"),
    [
        pytest.param([(4, 6, "B"), (0, 2, "A")], [(0, 2, "A"), (4, 6, "B")], id="sorted"),
        pytest.param([(0, 2, "A"), (2, 4, "B")], [(0, 2, "A"), (2, 4, "B")], id="touching-stay-two"),
        pytest.param([(0, 3, "A"), (2, 6, "B")], [(0, 6, "B")], id="overlapping-have-the-kind-of-the-longest"),
        pytest.param([(0, 9, "A"), (2, 3, "B"), (5, 6, "C")], [(0, 9, "A")], id="inside"),
        pytest.param([(0, 3, "A"), (2, 4, "B"), (3, 5, "C")], [(0, 5, "A")], id="a-chain"),
        pytest.param([(0, 4, "ID"), (0, 4, "ID")], [(0, 4, "ID")], id="twice"),
        pytest.param([], [], id="none"),
    ],
)
def test_spans_that_overlap_become_one(found: list[tuple[int, int, str]], joined: list[tuple[int, int, str]]) -> None:
    assert spans(*found) == joined
    assert spans(*reversed(found)) == joined


def test_of_two_of_one_length_the_surer_names_the_kind() -> None:
    found = [Found(0, 4, 0.9, "A"), Found(1, 5, 0.5, "Z")]

    assert join(TEXT, found) == [Found(0, 5, 0.9, "A")]


@pytest.mark.parametrize(
    ("found", "joined"),
    [
        pytest.param([(0, 9, "PERSON"), (3, 5, "ID")], [(0, 3, "PERSON"), (3, 5, "ID"), (5, 9, "PERSON")], id="inside"),
        pytest.param([(0, 5, "LOCATION"), (3, 9, "ID")], [(0, 3, "LOCATION"), (3, 9, "ID")], id="at-its-end"),
        pytest.param([(2, 5, "PERSON"), (0, 9, "ID")], [(0, 9, "ID")], id="covered"),
        pytest.param([(0, 5, "PERSON"), (3, 9, "LOCATION")], [(0, 9, "LOCATION")], id="two-vague-ones"),
        pytest.param([(0, 3, "PERSON"), (3, 5, "ID")], [(0, 3, "PERSON"), (3, 5, "ID")], id="touching"),
    ],
)
def test_what_was_found_surely_is_cut_out_of_names_and_places(
    found: list[tuple[int, int, str]], joined: list[tuple[int, int, str]]
) -> None:
    assert spans(*found) == joined


def test_the_rest_of_a_name_loses_its_signs_at_the_cut_and_is_none_without_a_letter() -> None:
    text = "(Jo) - 77, (x)!"
    found = [Found(0, 13, 0.5, "PERSON"), Found(7, 9, 0.5, "ID")]

    assert [text[span.start : span.end] for span in join(text, found)] == ["(Jo", "77", "x"]
    assert join("77 -", [Found(0, 4, 1, "PERSON"), Found(0, 2, 1, "ID")]) == [Found(0, 2, 1, "ID")]


def test_gaps_and_spans_make_the_whole() -> None:
    assert gaps(9, [Found(0, 2, 1, "A"), Found(2, 4, 1, "A"), Found(6, 9, 1, "A")]) == [(0, 0), (2, 2), (4, 6), (9, 9)]
    assert gaps(9, []) == [(0, 9)]
    assert gaps(0, []) == [(0, 0)]


def test_a_short_text_is_one_piece() -> None:
    assert list(chunks("")) == [(0, 0)]
    assert list(chunks("a" * 20_000)) == [(0, 20_000)]


def test_pieces_reach_over_the_text_each_repeats_the_end_of_the_last_and_words_stay_whole() -> None:
    text = "word " * 9_000

    pieces = list(chunks(text))

    assert (pieces[0][0], pieces[-1][1]) == (0, len(text))
    assert all(end - start <= 20_000 for start, end in pieces)
    assert all(900 <= end - begin <= 1_200 for (_, end), (begin, _) in pairwise(pieces))
    assert all(text[start - 1] == " " for start, _ in pieces[1:])
    assert all(text[end - 1] == " " for _, end in pieces)


def test_a_text_without_a_blank_is_cut_where_a_piece_ends() -> None:
    assert list(chunks("a" * 45_000)) == [(0, 20_000), (19_000, 39_000), (38_000, 45_000)]
