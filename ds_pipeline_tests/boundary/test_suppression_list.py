"""Who is on the list, and that nothing goes on when list or key cannot be relied on."""

from __future__ import annotations

from pathlib import Path

import pytest

from ds_pipeline.boundary.suppression_list import SuppressionKey, SuppressionList, count
from ds_pipeline.errors import ErasureError

TWO = {"customer": frozenset({"bb", "aa"}), "account": frozenset({"cc"})}


@pytest.fixture
def listed(tmp_path: Path) -> SuppressionList:
    made = SuppressionList(tmp_path / "suppression")
    made.add(TWO, fingerprint="one key")
    return made


def test_the_list_grows_and_holds_each_hash_once(listed: SuppressionList) -> None:
    listed.add({"customer": frozenset({"aa", "dd"})}, fingerprint="one key")

    assert listed.read(fingerprint="one key") == {
        "customer": frozenset({"aa", "bb", "dd"}),
        "account": frozenset({"cc"}),
    }
    assert count(listed.read(fingerprint="one key")) == 4


def test_the_list_is_private_and_its_order_says_nothing_about_when(listed: SuppressionList) -> None:
    assert listed.path.stat().st_mode & 0o777 == 0o600
    assert listed.path.read_bytes() == b'{"key":"one key","of":{"account":["cc"],"customer":["aa","bb"]}}'


def test_a_list_made_with_another_key_is_refused_and_not_added_to(listed: SuppressionList) -> None:
    before = listed.path.read_bytes()
    with pytest.raises(ErasureError, match=r"made with the key one key, here is other.*Restore it from a backup"):
        listed.read(fingerprint="other")
    with pytest.raises(ErasureError, match="made with the key one key"):
        listed.add({"customer": frozenset({"ee"})}, fingerprint="other")
    assert listed.path.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"key":"one key","of":[]}', b"\xff"], ids=repr)
def test_a_damaged_list_is_not_an_empty_one(listed: SuppressionList, content: bytes) -> None:
    listed.path.write_bytes(content)
    with pytest.raises(ErasureError, match=r"list\.json: damaged"):
        listed.read(fingerprint="one key")


def test_a_missing_list_is_not_an_empty_one(tmp_path: Path) -> None:
    with pytest.raises(ErasureError, match="the suppression list is missing"):
        SuppressionList(tmp_path).read(fingerprint="one key")


def test_the_first_erasure_makes_a_private_key_and_the_next_ones_keep_it(tmp_path: Path) -> None:
    key = SuppressionKey(tmp_path / ".keys")
    made = key.read_or_make(is_first=True)

    assert len(made) == 32
    assert key.path.stat().st_mode & 0o777 == 0o600
    assert key.read_or_make(is_first=True) == made == key.read()


def test_a_lost_key_is_never_made_anew_once_there_is_a_list(tmp_path: Path) -> None:
    key = SuppressionKey(tmp_path / ".keys")
    with pytest.raises(ErasureError, match=r"suppression\.key: the key of the suppression list is missing"):
        key.read_or_make(is_first=False)
    assert not key.path.exists()


@pytest.mark.parametrize(
    ("content", "mode", "said"),
    [
        pytest.param("ab" * 32, 0o640, "others can read", id="open-to-others"),
        pytest.param("ab" * 16, 0o600, "expected 64 hex digits", id="too-short"),
        pytest.param("zz" * 32, 0o600, "expected 64 hex digits", id="not-hex"),
    ],
)
def test_a_key_that_cannot_be_relied_on_is_refused(tmp_path: Path, content: str, mode: int, said: str) -> None:
    key = SuppressionKey(tmp_path)
    key.path.write_text(content)
    key.path.chmod(mode)
    with pytest.raises(ErasureError, match=said) as error:
        key.read()
    assert content not in str(error.value)
