"""The lists that training starts from: their form, and what a small WordNet makes of words."""

from pathlib import Path

import pytest

from tools.ner import word_lists
from tools.ner.word_lists import (
    build_gazetteer,
    census,
    counties,
    countries,
    cultures,
    language_words,
    places,
    states,
)


@pytest.fixture(scope="module")
def wordnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five lemmas: run is counted in running text, zither is not, and Monday has only a capital."""
    folder = tmp_path_factory.mktemp("wordnet")
    index = {
        "noun": "  1 licence\nzither n 1\nrun n 1\nmonday n 1\n5th n 1\n",
        "verb": "run v 1\ncarry v 1\n",
        "adj": "late a 1\n",
        "adv": "",
    }
    data = {
        "noun": "  1 licence\n1 06 n 01 zither 0 001\n2 06 n 02 run 0 Run 0 001\n3 06 n 01 Monday 0 001\n",
        "verb": "",
        "adj": "",
        "adv": "",
    }
    for part in index:
        (folder / f"index.{part}").write_text(index[part], encoding="utf-8")
        (folder / f"data.{part}").write_text(data[part], encoding="utf-8")
        (folder / f"{part}.exc").write_text(
            "ran run\nun-run run\nsang sing\n" if part == "verb" else "", encoding="utf-8"
        )
    (folder / "cntlist.rev").write_text("run%2:38:00:: 1 5\nlate%3:00:00:: 1 2\n", encoding="utf-8")
    return folder


def test_counted_words_are_frequent_in_all_their_forms(wordnet: Path) -> None:
    words = language_words(wordnet)

    assert {words[form] for form in ("run", "runs", "running", "runned", "ran", "late", "later", "latest")} == {"W"}


def test_other_words_are_rare_in_their_first_two_forms(wordnet: Path) -> None:
    words = language_words(wordnet)

    assert (words["zither"], words["zithers"], words["carry"], words["carrys"]) == ("w", "w", "w", "w")
    assert not {"carries", "carrying", "zitheres"} & words.keys()


def test_proper_names_numbers_and_unknown_exceptions_are_no_words(wordnet: Path) -> None:
    assert not {"monday", "5th", "licence", "sang", "un-run"} & language_words(wordnet).keys()


def test_the_small_words_of_the_language_are_frequent(wordnet: Path) -> None:
    words = language_words(wordnet)

    assert {words[word] for word in ("the", "and", "herself")} == {"W"}


@pytest.mark.parametrize(
    ("lemma", "kind", "forms"),
    [
        pytest.param("bake", "v", ["bakes", "bakees", "baked", "baked", "baking"], id="silent-e"),
        pytest.param("carry", "v", ["carrys", "carries", "carryd", "carried", "carrying"], id="y"),
        pytest.param("run", "v", ["runs", "runes", "rund", "runned", "running"], id="doubled"),
        pytest.param("play", "v", ["plays", "playes", "playd", "played", "playing"], id="y-after-a-vowel"),
        pytest.param("happy", "a", ["happier", "happiest", "happily"], id="adjective"),
        pytest.param("soon", "r", [], id="adverb"),
    ],
)
def test_forms_are_made_by_the_rules_of_spelling(lemma: str, kind: str, forms: list[str]) -> None:
    """Too many rather than too few: a form that nobody writes is met in no text."""
    assert word_lists._forms(lemma, kind) == forms


def test_census_names_are_cased_and_most_frequent_first() -> None:
    last = census("all.last")

    assert last[:3] == ["Smith", "Johnson", "Williams"]
    assert "McDonald" in last
    assert not {"Mcdonald", "MCDONALD"} & set(last)


def test_names_of_every_culture_are_sorted_latin_and_many() -> None:
    for name, culture in cultures().items():
        assert len(culture.first) >= 20, name
        assert len(culture.last) >= 10, name
        assert not [one for one in (*culture.first, *culture.last) if any(char.isdigit() for char in one)], name


def test_names_in_other_alphabets_are_transcribed() -> None:
    russian = cultures()["ru_RU"]

    assert all(char.isascii() or char in "’‘" for one in (*russian.first, *russian.last) for char in one)
    assert "Ivan" in russian.first


def test_places_are_sorted_without_repeats_and_in_latin_letters() -> None:
    assert places() == sorted(set(places()))
    assert min(place.population for place in places()) >= 0
    assert {"London", "Reykjavík"} <= {place.name for place in places()}


def test_countries_states_and_counties_have_the_forms_people_use() -> None:
    assert {"France", "UK", "USA"} <= set(countries())
    assert {"Texas", "Bavaria"} <= set(states())
    assert "Cook County" in counties()


def test_a_word_has_the_letters_of_all_lists_that_know_it(wordnet: Path) -> None:
    words = build_gazetteer(wordnet)

    assert "L" in words.tag("Smith")
    assert words.tag("Zither") == "w"
    assert words.tag("Mary").startswith("F")
    assert words.tag("London").count("P") == 1
    assert "C" in words.tag("France")
    assert "D" in words.tag("Monday")
    assert "T" in words.tag("Mrs")
    assert words.tag("Qwxzyv") == "U"
