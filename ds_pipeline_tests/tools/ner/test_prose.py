"""Real prose as text with spans: WNUT-17 in its columns, WordNet in its data files."""

from pathlib import Path

import pytest

from ds_pipeline.errors import SourceError
from tools.ner.prose import LabelledText, read_wnut17, read_wordnet


def wnut17(folder: Path, *lines: str) -> list[LabelledText]:
    path = folder / "part.conll"
    path.write_text("\n".join(line.replace(" ", "\t") for line in lines) + "\n", encoding="utf-8")
    return read_wnut17(path)


def test_words_are_joined_as_people_write_them(tmp_path: Path) -> None:
    (text,) = wnut17(
        tmp_path, *(f"{word} O" for word in ("It", "'s", "(", "not", ")", "mine", ",", '"', "ok", '"', "?"))
    )

    assert text.text == 'It\'s (not) mine, "ok"?'


def test_spans_are_the_characters_of_the_entity(tmp_path: Path) -> None:
    (text,) = wnut17(tmp_path, "In O", "New B-location", "York B-location", "Ann B-person", "Lee I-person", "sang O")

    assert text.text == "In New York Ann Lee sang"
    assert text.spans == [(3, 6, "LOCATION"), (7, 11, "LOCATION"), (12, 19, "PERSON")]


def test_firms_and_groups_are_one_label_and_works_have_none(tmp_path: Path) -> None:
    (text,) = wnut17(tmp_path, "Acme B-corporation", "Queen B-group", "Jaws B-creative-work", "Kindle B-product")

    assert text.spans == [(0, 4, "ORG"), (5, 10, "ORG")]


def test_an_empty_line_ends_a_text_even_with_a_tab_in_it(tmp_path: Path) -> None:
    assert [text.text for text in wnut17(tmp_path, "a O", " ", "b O", "", "c O")] == ["a", "b", "c"]


def test_a_line_without_a_label_is_refused_by_its_number(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="line 2"):
        wnut17(tmp_path, "a O", "secret")


def test_a_missing_file_is_named_without_its_folder(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"test\.conll") as error:
        read_wnut17(tmp_path / "test.conll")

    assert str(tmp_path) not in str(error.value)


def wordnet(folder: Path, *nouns: str) -> list[LabelledText]:
    (folder / "data.noun").write_text("  1 licence\n" + "".join(noun + "  \n" for noun in nouns), encoding="utf-8")
    for part in ("verb", "adj", "adv"):
        (folder / f"data.{part}").write_text("  1 licence\n", encoding="utf-8")
    return read_wordnet(folder)


OSLO = "00000001 15 n 01 Oslo 0 001 @i 00000009 n 0000 | the capital and largest town"
IBSEN = "00000002 18 n 02 Ibsen 0 Henrik_Ibsen 0 001 @i 00000009 n 0000 | a dramatist born far from here"


def test_names_that_wordnet_has_are_labelled_in_its_texts(tmp_path: Path) -> None:
    play = '00000003 10 n 01 play 0 000 | a play by Henrik Ibsen given in Oslo; "they read Ibsen aloud"'

    texts = {text.text: text.spans for text in wordnet(tmp_path, OSLO, IBSEN, play)}

    assert texts["a play by Henrik Ibsen given in Oslo"] == [(10, 22, "PERSON"), (32, 36, "LOCATION")]
    assert texts["they read Ibsen aloud"] == [(10, 15, "PERSON")]


def test_a_text_with_a_capital_that_wordnet_does_not_have_is_left_out(tmp_path: Path) -> None:
    thing = '00000003 10 n 01 thing 0 000 | a thing that only Zorblax knows about; "that is a fine thing"'

    assert [text.text for text in wordnet(tmp_path, thing)] == ["that is a fine thing"]


def test_a_folder_without_wordnet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"data\.noun"):
        read_wordnet(tmp_path)
