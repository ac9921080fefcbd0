"""The name of an account that tells the name of a person."""

import pytest

from ds_pipeline.masking.ner.finding import find_names, load_ner
from ds_pipeline.masking.ner.gazetteer import Gazetteer
from ds_pipeline.masking.ner.handles import find_handles, holds_name

WORDS = Gazetteer({"emma": "F", "willis": "L", "david": "FL", "frum": "l", "rose": "FLW", "whole": "W", "foods": "w"})


@pytest.mark.parametrize("handle", ["EmmaWillis", "davidfrum", "emma_82", "MissWillis", "davidinleeds"])
def test_a_handle_with_a_first_name_or_a_surname_holds_a_name(handle: str) -> None:
    assert holds_name(handle, WORDS)


@pytest.mark.parametrize("handle", ["WholeFoods", "rose", "nytimes", "Willisburg", "support", "emm"])
def test_a_handle_of_words_or_of_nothing_known_holds_none(handle: str) -> None:
    assert not holds_name(handle, WORDS)


def test_handles_are_found_behind_their_sign_and_addresses_of_email_are_none() -> None:
    text = "ask @EmmaWillis or @ davidfrum, not emma@willis.org, x@emma or @nytimes"

    found = [(text[start:end], named) for start, end, named in find_handles(text, WORDS)]

    assert found == [("EmmaWillis", True), ("davidfrum", True), ("nytimes", False)]


def test_the_name_in_a_handle_is_found_in_a_document() -> None:
    doc = load_ner()("thanks to @EmmaWillis for the quick reply")

    assert (11, 21, "PERSON") in find_names(doc)
