"""The secrets of an installation: keys that sign tokens and seals, and the pepper of codes."""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from pydantic import SecretStr

from service.settings import Settings

CODE_DIGITS = 6
_PUBLIC_PEM = re.compile(r"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


# Not compared by what is in it: public keys have no hash, and what was read is cached by this.
@dataclass(frozen=True, slots=True, eq=False)
class Keys:
    """Loaded once at the start and handed down."""

    signing: Ed25519PrivateKey
    pepper: bytes
    sealing: Ed25519PrivateKey
    earlier: tuple[Ed25519PublicKey, ...] = ()
    """The public halves of sealing keys that were used before."""
    heads_file: Path | None = None
    """Where the heads that were sealed on this machine are noted."""
    signing_before: tuple[Ed25519PublicKey, ...] = ()
    """The public halves of keys whose access tokens are still taken."""
    peppers_before: tuple[bytes, ...] = ()
    """With which some of what is kept was hashed or encrypted."""

    @property
    def peppers(self) -> tuple[bytes, ...]:
        """Newest first."""
        return (self.pepper, *self.peppers_before)

    @property
    def of_tokens(self) -> Mapping[str, Ed25519PublicKey]:
        """The public keys that access tokens may be signed with, newest first."""
        return _by_id(self.signing.public_key(), *self.signing_before)

    @property
    def of_seals(self) -> Mapping[str, Ed25519PublicKey]:
        """The public keys that seals of this installation may be signed with, newest first."""
        return _by_id(self.sealing.public_key(), *self.earlier)

    def hash_of(self, purpose: str, *parts: str) -> str:
        """A keyed hash, 64 hex digits; one purpose's hash is no use for another."""
        return _hash(self.pepper, purpose, *parts)

    def hashes_of(self, purpose: str, *parts: str) -> list[str]:
        """The same by each pepper there was, newest first: to find what was hashed before."""
        return [_hash(pepper, purpose, *parts) for pepper in self.peppers]

    def key_for(self, purpose: str) -> bytes:
        """A key of 32 bytes that follows from the pepper, another one for each purpose."""
        return self.keys_for(purpose)[0]

    def keys_for(self, purpose: str) -> list[bytes]:
        """The same by each pepper there was, newest first."""
        return [_key(pepper, purpose) for pepper in self.peppers]

    def handover_code(self, pickup_id: UUID) -> str:
        """The six digits that the resident of a pickup tells the collector.

        They follow from the pickup, so they stand in no table.
        """
        return self._code("handover", pickup_id)

    def payout_code(self, payout_id: UUID) -> str:
        """The six digits with which a resident says that they got the cash of a payout."""
        return self._code("payout", payout_id)

    def is_payout_code(self, payout_id: UUID, said: str) -> bool:
        """Whether somebody said this payout's code; takes as long whichever digit is wrong."""
        return hmac.compare_digest(self.payout_code(payout_id).encode(), said.encode())

    def _code(self, purpose: str, about: UUID) -> str:
        number = int(self.hash_of(purpose, about.hex), 16) % 10**CODE_DIGITS
        return f"{number:0{CODE_DIGITS}d}"


def _hash(pepper: bytes, *parts: str) -> str:
    return hmac.new(pepper, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()


def _key(pepper: bytes, purpose: str) -> bytes:
    info = f"jumpa {purpose}".encode()
    return HKDF(hashes.SHA256(), length=32, salt=None, info=info).derive(pepper)


def key_id_of(key: Ed25519PublicKey) -> str:
    """The short name of a public key: 16 hex digits of the SHA-256 of its 32 bytes."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]


def public_keys_in(pem: str) -> tuple[Ed25519PublicKey, ...]:
    """The Ed25519 public keys of a text in PEM form. Raises ValueError."""
    found = [load_pem_public_key(block.encode()) for block in _PUBLIC_PEM.findall(pem)]
    keys = tuple(key for key in found if isinstance(key, Ed25519PublicKey))
    if len(keys) < max(len(found), 1):
        raise ValueError("These are no Ed25519 public keys in PEM form.")
    return keys


def keys_of_seals(settings: Settings) -> Mapping[str, Ed25519PublicKey]:
    """The public keys that seals may be signed with, by id; makes none where there is none yet."""
    earlier = _earlier(settings.sealing_keys_before)
    path = _folder(settings) / "sealing.pem"
    if settings.sealing_key is None and not path.exists():
        return _by_id(*earlier)
    private = _private_key(settings.sealing_key, path, "JUMPA_SEALING_KEY")
    return _by_id(private.public_key(), *earlier)


def load_keys(settings: Settings) -> Keys:
    """The keys from the settings, else from the data folder, else made there now."""
    folder = _folder(settings)
    pepper = (
        settings.pepper.get_secret_value().encode()
        if settings.pepper
        else _kept(folder / "pepper", lambda: secrets.token_hex(32).encode())
    )
    return Keys(
        _private_key(settings.signing_key, folder / "signing.pem", "JUMPA_SIGNING_KEY"),
        pepper,
        _private_key(settings.sealing_key, folder / "sealing.pem", "JUMPA_SEALING_KEY"),
        _earlier(settings.sealing_keys_before),
        heads_file(settings),
        _earlier(settings.signing_keys_before),
        tuple(before.encode() for before in _secret(settings.peppers_before).split()),
    )


def heads_file(settings: Settings) -> Path:
    """Beside the keys and outside of the database: who edits one has not yet edited the other."""
    return _folder(settings) / "heads.jsonl"


def _folder(settings: Settings) -> Path:
    return settings.data_dir / "keys"


def _earlier(given: str) -> tuple[Ed25519PublicKey, ...]:
    return public_keys_in(given) if given.strip() else ()


def _secret(given: SecretStr | None) -> str:
    return given.get_secret_value() if given else ""


def _by_id(*keys: Ed25519PublicKey) -> dict[str, Ed25519PublicKey]:
    return {key_id_of(key): key for key in keys}


def _private_key(given: SecretStr | None, path: Path, name: str) -> Ed25519PrivateKey:
    pem = given.get_secret_value().encode() if given else _kept(path, _new_private_key)
    key = load_pem_private_key(pem, password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{name} must be an Ed25519 private key in PEM form.")
    return key


def _new_private_key() -> bytes:
    return Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )


def _kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """The bytes of a file that only its owner reads, made whole if it isn't there yet."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(make())
        try:
            # A link fails if another process was first, and then its key is the one.
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_bytes()
