import pytest

from ds_pipeline.masking.people.typos import TypoIndex, is_slip, rests


@pytest.mark.parametrize("word", ["smithso", "mithson", "smitthson", "xsmithson", "smithxon", "msithson", "smithsno"])
def test_one_slip_is_near_and_found_by_a_shared_rest(word):
    assert is_slip(word, "smithson")
    index = TypoIndex()
    index.add([word, "other"])
    assert index.near(rests("smithson")) == {word}


@pytest.mark.parametrize("word", ["smithson", "smiths", "msithsno", "nosmiths", "smothsan"])
def test_the_word_itself_and_two_slips_are_not(word):
    assert not is_slip(word, "smithson")
