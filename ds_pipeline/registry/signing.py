"""The key that signs what serves: a private key of this project and the pinned public key that everyone checks against.

Both lie outside the registry, so whoever can write there cannot also sign. Checking needs the public key alone.
"""

from __future__ import annotations

import base64
import os
import pwd
import tempfile
from contextlib import suppress
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from ds_pipeline.digests import SHORT, digest_bytes
from ds_pipeline.errors import RegistryError
from ds_pipeline.store.snapshots import write_file

CURVE = ec.SECP256R1  # what OpenSSL calls prime256v1; the smallest curve that model_signing takes
ALGORITHM = ec.ECDSA(hashes.SHA256())
SIGNING = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)  # RFC 6979: the same content has the same bytes
OTHERS_CAN_READ = 0o077
OTHERS_CAN_WRITE = 0o022


class SigningKeys:
    """The key pair in one folder: signing.pem (private, 0600) and trusted_signer.pem (the pinned public key).

    Beside them signer.txt says whose key it is: the account that made it, unless its holder writes another name there.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.private_path = folder / "signing.pem"
        self.pin_path = folder / "trusted_signer.pem"
        self.name_path = folder / "signer.txt"

    @property
    def are_made(self) -> bool:
        """Both are there; whether they belong together is checked whenever something is signed."""
        return self.private_path.exists() and self.pin_path.exists()

    def create_if_first(self, registry_is_empty: bool) -> None:
        """Make the key pair on the very first run; on any later run check that it is whole.

        The private key is written first and the pin is derived from it, so a run that was killed between the two
        is completed by the next one, two first runs at once agree, and a key of your own may be put there before.

        Raises:
            RegistryError: a key is missing that signed something before, is open to others, or is not the pinned one.
        """
        is_pinned = self.pin_path.exists()  # looked at before the private key, which a first run makes before the pin
        if not self.private_path.exists():
            if is_pinned or not registry_is_empty:
                raise RegistryError(
                    f"{self._name(self.private_path)}: the signing key is missing, but it has signed before. Restore "
                    "it from a backup; a new key is never made in its place, it could not vouch for what is there."
                )
            with suppress(FileExistsError):
                write_file(self.private_path, _private_pem(ec.generate_private_key(CURVE())), replace=False)
        if not is_pinned:
            if not registry_is_empty:
                raise self._missing_pin()
            with suppress(FileExistsError):
                write_file(self.name_path, f"{_account()}\n".encode(), replace=False)
            with suppress(FileExistsError):
                write_file(self.pin_path, _public_pem(self._read_private().public_key()), replace=False)
        self._private_key()

    def holder(self) -> str:
        """Who acts: the name beside the key, and the fingerprint of the key, without which nobody can sign.

        Before the very first signature there is no key yet: the account that is about to make it.
        """
        if not self.private_path.exists():
            return _account()
        fingerprint = f"key {_fingerprint(self._private_key().public_key())}"
        try:
            name = " ".join(self.name_path.read_text(encoding="utf-8").split())
        except (OSError, UnicodeDecodeError):
            return fingerprint
        return f"{name}, {fingerprint}" if name else fingerprint

    def sign(self, content: bytes) -> str:
        """The signature of a small document, as signer:base64; the signer is the short digest of the public key."""
        key = self._private_key()
        signature = key.sign(content, SIGNING)
        return f"{_fingerprint(key.public_key())}:{base64.b64encode(signature).decode()}"

    def verify(self, content: bytes, signature: str, *, what: str) -> None:
        """Return if the pinned key signed exactly this content.

        Raises:
            RegistryError: unknown signer, or other content than was signed; begins with `what`.
        """
        pinned = self._pinned_key()
        signer, _, encoded = signature.partition(":")
        expected = _fingerprint(pinned)
        if signer != expected:
            raise RegistryError(
                f"{what}: unknown signer {signer[:SHORT]!r}; expected {expected}, whose public key is pinned in "
                f"{self._name(self.pin_path)}. Do not use it unless you know who signed it."
            )
        try:
            raw = base64.b64decode(encoded, validate=True)
            if base64.b64encode(raw).decode() != encoded:  # the last digit may hold bits that decoding ignores
                raise ValueError("not canonical base64")
            pinned.verify(raw, content, ALGORITHM)
        except (ValueError, InvalidSignature) as error:
            raise RegistryError(
                f"{what}: the signature does not fit the content: one of them was changed after signing. "
                "Restore it from a backup."
            ) from error

    def sign_folder(self, folder: Path, signature_path: Path) -> None:
        """Sign every file of a folder in the OpenSSF model signing format; the signature lies outside the folder."""
        from model_signing import signing  # 0.3 s, so only when something is signed

        self._private_key()
        with tempfile.TemporaryDirectory() as temporary:
            written = Path(temporary) / "bundle.sig"
            signing.Config().use_elliptic_key_signer(private_key=self.private_path).sign(folder, written)
            write_file(signature_path, written.read_bytes(), replace=False)

    def verify_folder(self, folder: Path, signature_path: Path, *, what: str) -> None:
        """Return if the pinned key signed exactly the files of this folder.

        Raises:
            RegistryError: missing signature, unknown signer, or changed, missing or extra files; begins with `what`.
        """
        from model_signing import verifying

        self._pinned_key()
        if not signature_path.is_file():
            raise RegistryError(f"{what}: its signature {signature_path.name} is missing. Restore it from a backup.")
        verifier = verifying.Config().use_elliptic_key_verifier(public_key=self.pin_path)
        try:
            verifier.verify(folder, signature_path)
        except InvalidSignature as error:
            raise RegistryError(f"{what}: {signature_path.name} is not a signature of the pinned signer.") from error
        except (ValueError, LookupError, TypeError, AttributeError, OSError) as error:  # a damaged file raises any
            detail = str(error) if str(error).startswith("Signature mismatch") else "unknown signer, or a damaged file"
            raise RegistryError(f"{what}: {signature_path.name} does not verify: {detail}.") from error

    def _private_key(self) -> ec.EllipticCurvePrivateKey:
        """The private key, after it proved to be the pinned one."""
        key = self._read_private()
        found, expected = _fingerprint(key.public_key()), _fingerprint(self._pinned_key())
        if found != expected:
            raise RegistryError(
                f"{self._name(self.private_path)}: unknown signer {found}; the signer pinned in "
                f"{self._name(self.pin_path)} is {expected}. Restore the key that belongs to the pin from a backup."
            )
        return key

    def _read_private(self) -> ec.EllipticCurvePrivateKey:
        name = self._name(self.private_path)
        if not self.private_path.is_file():
            raise RegistryError(f"{name}: the signing key is missing. Restore it from a backup.")
        if self.private_path.stat().st_mode & OTHERS_CAN_READ:
            raise RegistryError(f"{name}: others can read the signing key. Run chmod 600 on it, or treat it as lost.")
        if self.folder.stat().st_mode & OTHERS_CAN_WRITE:
            raise RegistryError(f"{self.folder.name}: others can replace the keys in it. Run chmod 700 on the folder.")
        try:
            key = serialization.load_pem_private_key(self.private_path.read_bytes(), password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, CURVE):
            raise RegistryError(
                f"{name}: expected a PEM private key on the curve prime256v1, without a passphrase. "
                "Restore it from a backup."
            )
        return key

    def _pinned_key(self) -> ec.EllipticCurvePublicKey:
        if not self.pin_path.is_file():
            raise self._missing_pin()
        try:
            key = serialization.load_pem_public_key(self.pin_path.read_bytes())
        except (ValueError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, CURVE):
            raise RegistryError(f"{self._name(self.pin_path)}: expected a PEM public key. Restore it from a backup.")
        return key

    def _missing_pin(self) -> RegistryError:
        return RegistryError(
            f"{self._name(self.pin_path)}: the pinned public key is missing, so no signature can be checked. "
            "Restore it from a backup."
        )

    def _name(self, path: Path) -> str:
        return f"{self.folder.name}/{path.name}"


def _private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _public_pem(key: ec.EllipticCurvePublicKey) -> bytes:
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _fingerprint(key: ec.EllipticCurvePublicKey) -> str:
    return digest_bytes(_public_pem(key))[:SHORT]


def _account() -> str:
    """The account of this process, whatever the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"user {os.getuid()}"
