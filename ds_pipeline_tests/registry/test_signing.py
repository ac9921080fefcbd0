import os
import pwd
from collections.abc import Callable
from itertools import count
from multiprocessing import get_context
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ds_pipeline.errors import RegistryError
from ds_pipeline.registry.signing import SigningKeys

DECISION = b'{"promote":true}'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "bundle"
    (made / "sub").mkdir(parents=True)
    (made / "a.txt").write_bytes(b"a")
    (made / "sub" / "b.txt").write_bytes(b"b")
    return made


def test_the_first_run_makes_a_private_folder_a_private_key_and_a_pin(keys: SigningKeys) -> None:
    assert keys.folder.stat().st_mode & 0o777 == 0o700
    assert keys.private_path.stat().st_mode & 0o777 == 0o600
    assert keys.pin_path.read_bytes().startswith(b"-----BEGIN PUBLIC KEY-----")


def test_a_second_run_keeps_the_keys(keys: SigningKeys) -> None:
    before = keys.private_path.read_bytes(), keys.pin_path.read_bytes()
    keys.create_if_first(registry_is_empty=True)
    keys.create_if_first(registry_is_empty=False)
    assert (keys.private_path.read_bytes(), keys.pin_path.read_bytes()) == before


@pytest.mark.parametrize("registry_is_empty", [pytest.param(True, id="empty"), pytest.param(False, id="not_empty")])
def test_a_lost_private_key_is_never_replaced_in_silence(keys: SigningKeys, registry_is_empty: bool) -> None:
    keys.private_path.unlink()
    with pytest.raises(RegistryError, match=r"\.keys/signing\.pem: the signing key is missing.*Restore"):
        keys.create_if_first(registry_is_empty=registry_is_empty)
    assert not keys.private_path.exists()


def test_a_registry_with_versions_gets_no_new_key_even_when_both_are_lost(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match="Restore it from a backup"):
        SigningKeys(tmp_path / ".keys").create_if_first(registry_is_empty=False)
    assert not (tmp_path / ".keys").exists()


def test_a_lost_pin_is_not_derived_anew_once_the_registry_holds_versions(keys: SigningKeys) -> None:
    keys.pin_path.unlink()
    with pytest.raises(RegistryError, match=r"trusted_signer\.pem: the pinned public key is missing"):
        keys.create_if_first(registry_is_empty=False)
    assert not keys.pin_path.exists()


def test_a_first_run_killed_between_the_two_files_is_completed_by_the_next(keys: SigningKeys) -> None:
    before = keys.private_path.read_bytes()
    keys.pin_path.unlink()
    keys.create_if_first(registry_is_empty=True)
    assert keys.private_path.read_bytes() == before
    keys.verify(DECISION, keys.sign(DECISION), what="decision")


def test_first_runs_at_once_agree_on_one_key(tmp_path: Path) -> None:
    context = get_context("fork")
    barrier, signatures = context.Barrier(4), context.Queue()

    def first_run() -> None:
        made = SigningKeys(tmp_path / ".keys")
        barrier.wait()
        made.create_if_first(registry_is_empty=True)
        signatures.put(made.sign(DECISION))

    processes = [context.Process(target=first_run) for _ in range(4)]
    for process in processes:
        process.start()
    for _ in processes:
        SigningKeys(tmp_path / ".keys").verify(DECISION, signatures.get(timeout=30), what="decision")
    for process in processes:
        process.join()
        assert process.exitcode == 0


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644], ids=oct)
def test_a_private_key_that_others_can_read_is_refused(keys: SigningKeys, mode: int) -> None:
    keys.private_path.chmod(mode)
    with pytest.raises(RegistryError, match="others can read the signing key"):
        keys.sign(DECISION)
    with pytest.raises(RegistryError, match="others can read the signing key"):
        keys.create_if_first(registry_is_empty=False)


def test_a_key_folder_that_others_can_write_to_is_refused(keys: SigningKeys) -> None:
    keys.folder.chmod(0o777)
    with pytest.raises(RegistryError, match="others can replace the keys"):
        keys.sign(DECISION)


def test_a_private_key_that_does_not_belong_to_the_pin_is_an_unknown_signer(
    keys: SigningKeys, tmp_path: Path, folder: Path
) -> None:
    stranger = SigningKeys(tmp_path / "stranger")
    stranger.create_if_first(registry_is_empty=True)
    keys.private_path.write_bytes(stranger.private_path.read_bytes())
    with pytest.raises(RegistryError, match="unknown signer"):
        keys.sign(DECISION)
    with pytest.raises(RegistryError, match="unknown signer"):
        keys.sign_folder(folder, tmp_path / "bundle.sig")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b"not a key", id="no_pem"),
        pytest.param(
            ec.generate_private_key(ec.SECP384R1()).private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            ),
            id="another_curve",
        ),
        pytest.param(
            ec.generate_private_key(ec.SECP256R1()).private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.BestAvailableEncryption(b"secret"),
            ),
            id="with_a_passphrase",
        ),
    ],
)
def test_what_is_not_a_usable_private_key_is_refused(keys: SigningKeys, content: bytes) -> None:
    keys.private_path.write_bytes(content)
    with pytest.raises(RegistryError, match="expected a PEM private key"):
        keys.sign(DECISION)


def test_verifying_needs_the_pin_alone(keys: SigningKeys, folder: Path, tmp_path: Path) -> None:
    signature = keys.sign(DECISION)
    keys.sign_folder(folder, tmp_path / "bundle.sig")
    keys.private_path.unlink()
    keys.verify(DECISION, signature, what="decision")
    keys.verify_folder(folder, tmp_path / "bundle.sig", what="v0001")


def test_a_changed_document_does_not_verify(keys: SigningKeys) -> None:
    signature = keys.sign(b'{"promote":false}')
    with pytest.raises(RegistryError, match=r"^decision: the signature does not fit"):
        keys.verify(DECISION, signature, what="decision")


@pytest.mark.parametrize("damaged", ["", ":", "nonsense", "{signer}:", "{signer}:!!!", "{signer}:AAAA"])
def test_a_damaged_signature_does_not_verify(keys: SigningKeys, damaged: str) -> None:
    signer = keys.sign(DECISION).partition(":")[0]
    with pytest.raises(RegistryError, match=r"^decision: "):
        keys.verify(DECISION, damaged.format(signer=signer), what="decision")


def test_a_signature_has_one_spelling(keys: SigningKeys) -> None:
    """Base64 ends in bits that decoding ignores; a byte of an event could be changed without a trace."""
    contents = (b'{"number":%d}' % number for number in count())
    content, signature = next((one, text) for one in contents if (text := keys.sign(one)).endswith("="))
    text, padding = signature.rstrip("="), "=" * signature.count("=")
    for last in {"A", "B", "C", "D", "E", "Q", "R", "g", "h", "w", "x"} - {text[-1]}:
        with pytest.raises(RegistryError, match="does not fit"):
            keys.verify(content, text[:-1] + last + padding, what="decision")


def test_a_document_signed_by_a_stranger_does_not_verify(keys: SigningKeys, tmp_path: Path) -> None:
    stranger = SigningKeys(tmp_path / "stranger")
    stranger.create_if_first(registry_is_empty=True)
    with pytest.raises(RegistryError, match="unknown signer"):
        keys.verify(DECISION, stranger.sign(DECISION), what="decision")
    mine, theirs = keys.sign(DECISION), stranger.sign(DECISION)
    relabelled = f"{mine.partition(':')[0]}:{theirs.partition(':')[2]}"
    with pytest.raises(RegistryError, match="does not fit"):
        keys.verify(DECISION, relabelled, what="decision")


def _change(folder: Path) -> None:
    (folder / "sub" / "b.txt").write_bytes(b"c")


def _add(folder: Path) -> None:
    (folder / "c.txt").write_bytes(b"c")


def _remove(folder: Path) -> None:
    (folder / "a.txt").unlink()


def _link(folder: Path) -> None:
    (folder / "a.txt").rename(folder.parent / "elsewhere.txt")
    (folder / "a.txt").symlink_to(folder.parent / "elsewhere.txt")


@pytest.mark.parametrize(("damage", "says"), [(_change, "b.txt"), (_add, "c.txt"), (_remove, "a.txt"), (_link, "")])
def test_a_folder_that_is_not_what_was_signed_does_not_verify(
    keys: SigningKeys, folder: Path, tmp_path: Path, damage: Callable[[Path], None], says: str
) -> None:
    keys.sign_folder(folder, tmp_path / "bundle.sig")
    keys.verify_folder(folder, tmp_path / "bundle.sig", what="v0001")
    damage(folder)
    with pytest.raises(RegistryError, match=rf"^v0001: .*{says}") as caught:
        keys.verify_folder(folder, tmp_path / "bundle.sig", what="v0001")
    assert str(tmp_path) not in str(caught.value)


def test_a_folder_signed_by_a_stranger_does_not_verify(keys: SigningKeys, folder: Path, tmp_path: Path) -> None:
    stranger = SigningKeys(tmp_path / "stranger")
    stranger.create_if_first(registry_is_empty=True)
    stranger.sign_folder(folder, tmp_path / "bundle.sig")
    with pytest.raises(RegistryError, match="unknown signer"):
        keys.verify_folder(folder, tmp_path / "bundle.sig", what="v0001")


@pytest.mark.parametrize("damaged", [b"", b"{}", b"[]", b"null", b"\xff", b'{"verificationMaterial": {}}'], ids=repr)
def test_a_damaged_folder_signature_is_a_registry_error(
    keys: SigningKeys, folder: Path, tmp_path: Path, damaged: bytes
) -> None:
    (tmp_path / "bundle.sig").write_bytes(damaged)
    with pytest.raises(RegistryError, match=r"^v0001: bundle\.sig"):
        keys.verify_folder(folder, tmp_path / "bundle.sig", what="v0001")


def test_every_byte_of_a_folder_signature_counts_or_changes_nothing(
    keys: SigningKeys, folder: Path, tmp_path: Path
) -> None:
    """A flip is a RegistryError, or it hit what says nothing, such as the name of the media type."""
    path = tmp_path / "bundle.sig"
    keys.sign_folder(folder, path)
    whole = path.read_bytes()
    failed = 0
    for position in range(0, len(whole), 23):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :])
        try:
            keys.verify_folder(folder, path, what="v0001")
        except RegistryError:
            failed += 1
    assert failed > len(whole) // 23 // 2


def test_no_message_tells_the_path_or_the_key(keys: SigningKeys, tmp_path: Path) -> None:
    keys.private_path.chmod(0o644)
    with pytest.raises(RegistryError) as caught:
        keys.sign(DECISION)
    assert str(tmp_path) not in str(caught.value)
    assert "PRIVATE" not in str(caught.value)


def test_who_acts_is_who_holds_the_key_and_not_who_the_environment_says(
    keys: SigningKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    fingerprint = keys.sign(DECISION).partition(":")[0]
    account = pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setenv("LOGNAME", "the-stakeholder")
    monkeypatch.setenv("USER", "the-stakeholder")

    assert keys.holder() == f"{account}, key {fingerprint}"

    keys.name_path.write_text("Ann of Sales\n")
    assert keys.holder() == f"Ann of Sales, key {fingerprint}"
    keys.name_path.unlink()
    assert keys.holder() == f"key {fingerprint}"


def test_before_there_is_a_key_the_account_acts_and_without_a_name_its_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(number: int) -> str:
        raise KeyError

    keys = SigningKeys(tmp_path / "none")
    assert keys.holder() == pwd.getpwuid(os.getuid()).pw_name
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    assert keys.holder() == f"user {os.getuid()}"
