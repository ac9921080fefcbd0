import re
import unicodedata
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ds_pipeline.errors import KeyMissingError, SourceError
from ds_pipeline.masking.columns.tokens import canonical_text, key_fingerprint, tokenize

KEY = b"0123456789abcdef0123456789abcdef"
OTHER_KEY = b"fedcba9876543210fedcba9876543210"


def token(value: object, *, key: bytes = KEY, domain: str = "customer") -> str:
    return tokenize(pd.Series([value]), key=key, domain=domain)[0]


def test_a_token_never_changes_between_releases():
    # blake2b of b"17850", 16 bytes: 96b35d09e80ecbc1e2023d0853570e8a
    assert token("17850") == "jgldfnajoiaomlmbocacdnaifdfhaoik"


@given(st.text(min_size=1).filter(str.strip))
def test_a_token_is_32_letters_a_to_p(identifier):
    assert re.fullmatch("[a-p]{32}", token(identifier))


@pytest.mark.parametrize(
    "column",
    [
        pytest.param(pd.Series([17850]), id="integer"),
        pytest.param(pd.Series([17850.0, np.nan]), id="float-with-nulls"),
        pytest.param(pd.Series([17850], dtype="Int64"), id="nullable-integer"),
        pytest.param(pd.Series([" 17850\n"]), id="padded-text"),
        pytest.param(pd.Series(["17850"], dtype="string[pyarrow]"), id="arrow-text"),
        pytest.param(pd.Series(["17850"], dtype="category"), id="category"),
        pytest.param(pd.Series([Decimal("17850.00")]), id="decimal"),
    ],
)
def test_one_customer_has_one_token_however_the_source_types_the_number(column):
    assert tokenize(column, key=KEY, domain="customer").iloc[0] == token("17850")


def test_composed_and_decomposed_letters_are_one_identifier():
    assert token(unicodedata.normalize("NFD", "Zoë")) == token(unicodedata.normalize("NFC", "Zoë"))


def test_another_key_or_domain_gives_another_token():
    assert len({token("17850"), token("17850", key=OTHER_KEY), token("17850", domain="account")}) == 3


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, "", "  "], ids=["None", "NaN", "NA", "empty", "blank"])
def test_a_missing_identifier_has_no_token(missing):
    tokens = tokenize(pd.Series([missing, "a"], dtype=object), key=KEY, domain="customer")
    assert tokens.isna().tolist() == [True, False]


def test_index_name_and_order_stay():
    ids = pd.Series(["b", "a", "b"], index=[7, 3, 7], name="customer_token")
    tokens = tokenize(ids, key=KEY, domain="customer")
    assert tokens.index.tolist() == [7, 3, 7]
    assert tokens.name == "customer_token"
    assert tokens.tolist() == [token("b"), token("a"), token("b")]


def test_an_empty_column_stays_empty():
    assert tokenize(pd.Series([], dtype=object), key=KEY, domain="customer").empty


@pytest.mark.parametrize("key", [b"", b"short", b"x" * 65], ids=["empty", "short", "long"])
def test_a_weak_key_is_refused_without_being_shown(key):
    with pytest.raises(KeyMissingError, match=f"{len(key)} bytes") as refusal:
        token("a", key=key)
    assert "short" not in str(refusal.value)


@pytest.mark.parametrize("domain", ["", "a" * 17], ids=["empty", "17-bytes"])
def test_a_domain_that_would_be_cut_or_shared_is_refused(domain):
    with pytest.raises(SourceError, match="token_domain"):
        token("a", domain=domain)


@pytest.mark.parametrize("value", [1.5, 2.0**60, b"17850", float("inf")], ids=["fraction", "inexact", "bytes", "inf"])
def test_a_value_that_is_no_identifier_is_refused_without_being_shown(value):
    with pytest.raises(SourceError, match=r"'customer_id'.* 1 distinct") as refusal:
        canonical_text(pd.Series([value, "a"], name="customer_id", dtype=object))
    assert str(value) not in str(refusal.value)


def test_a_list_in_a_cell_is_refused():
    with pytest.raises(SourceError, match="'ids'"):
        canonical_text(pd.Series([["a"]], name="ids"))


def test_a_fingerprint_tells_keys_apart_and_is_no_token():
    prints = {key_fingerprint(KEY), key_fingerprint(OTHER_KEY)}
    assert len(prints) == 2
    assert all(re.fullmatch("[a-p]{16}", one) for one in prints)
