"""What a reader sees of a text, and the way back to the characters that were stored."""

import pytest

from ds_pipeline.masking.reading.folding import View, repair, views


def shown(text: str) -> list[str]:
    return [view.text for view in views(text)]


def back(text: str, piece: str, *, number: int = 0) -> str:
    """The stored characters behind a piece of the view of that number."""
    view = list(views(text))[number]
    at = view.text.index(piece)
    start, end = view.original_span(at, at + len(piece))
    return text[start:end]


@pytest.mark.parametrize("text", ["", "plain text\n", "café “quoted” £5", "naïve Łódź"])
def test_a_plain_text_is_its_only_view(text: str) -> None:
    assert list(views(text)) == [View(text)]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        pytest.param("ＡＢ１", "AB1", id="full-width"),
        pytest.param("٠٧٧", "077", id="arabic-digits"),
        pytest.param("a\u00a0b\u3000c", "a b c", id="blanks"),
        pytest.param("1\u20112\u22123\u20144", "1-2-3-4", id="dashes-and-minus"),
    ],
)
def test_what_looks_plain_becomes_plain_at_its_place(text: str, plain: str) -> None:
    (view,) = views(text)

    assert view.text == plain
    assert view.original_span(1, 2) == (1, 2)


@pytest.mark.parametrize("hidden", ["\u200b", "\x00", "\u202e", "\u3164", "\ufffd", "\ue000"])
def test_what_is_invisible_joins_in_one_view_and_separates_in_another(hidden: str) -> None:
    text = f"07{hidden}7"

    assert shown(text) == ["077", "07 7"]
    assert back(text, "077") == text
    assert back(text, "7", number=1) == "7"


def test_a_mark_belongs_to_the_letter_before_it() -> None:
    text = "xa\u0332\u0332b"

    assert shown(text) == ["xab"]
    assert back(text, "a") == "a\u0332\u0332"


def test_a_mark_on_a_digit_or_at_the_start_is_hidden() -> None:
    assert shown("1\u03322") == ["12", "1 2"]
    assert shown("\u0332a") == ["a", " a"]


def test_one_character_that_shows_several_is_found_as_a_whole() -> None:
    text = "№\u200b5 ½"

    assert shown(text)[0] == "No5 1⁄2"
    assert back(text, "o5") == "№\u200b5"


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        pytest.param("An<b>na</b>", "Anna", id="tags-inside-a-line"),
        pytest.param("An<br>na", "An\nna", id="tag-of-a-line-end"),
        pytest.param("a&nbsp;b&#64;c&#x40;d&lt;", "a b@c@d<", id="entities"),
        pytest.param(r"a\u0040b\n\"c\/", 'a@b\n"c/', id="escapes"),
        pytest.param("Ａ<i>Ｂ</i>", "AB", id="folded-as-well"),
    ],
)
def test_markup_is_also_seen_as_what_it_shows(text: str, rendered: str) -> None:
    first, second = next(iter(views(text))), next(view for view in views(text) if view.text == rendered)

    assert (first.is_prose, second.is_prose) == (False, True)
    assert second.original_span(0, len(rendered))[0] == 0


def test_an_escape_is_cut_out_as_a_whole() -> None:
    text = r"jo\u0040x"

    assert back(text, "@x", number=1) == r"\u0040x"


@pytest.mark.parametrize("text", ["a < b and c > d", "R&D", "5 & 6;", r"C:\dir", "<3"])
def test_signs_that_are_no_markup_are_plain(text: str) -> None:
    assert list(views(text)) == [View(text)]


@pytest.mark.parametrize(
    ("text", "repaired"),
    [
        pytest.param("plain", "plain", id="ascii"),
        pytest.param("a\ud83d\ude00", "a\U0001f600", id="pair"),
        pytest.param("a\ud83db\ude00", "a\ufffdb\ufffd", id="lone"),
        pytest.param("é\U0001f600", "é\U0001f600", id="nothing-to-repair"),
    ],
)
def test_surrogates_are_joined_or_replaced(text: str, repaired: str) -> None:
    assert repair(text) == repaired
    repair(text).encode("utf-8")
