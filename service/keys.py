"""The secrets of an installation: the key that signs tokens and the pepper of codes."""

import hashlib
import hmac
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from service.settings import Settings

CODE_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Keys:
    """Loaded once at the start and handed down."""

    signing: Ed25519PrivateKey
    pepper: bytes

    def hash_of(self, purpose: str, *parts: str) -> str:
        """A keyed hash, 64 hex digits; one purpose's hash is no use for another."""
        message = "\x1f".join((purpose, *parts)).encode()
        return hmac.new(self.pepper, message, hashlib.sha256).hexdigest()

    def handover_code(self, pickup_id: UUID) -> str:
        """The six digits that the resident of a pickup tells the collector.

        They follow from the pickup, so they stand in no table but for the remembered answer
        to the listing, which is forgotten after two days.
        """
        number = int(self.hash_of("handover", pickup_id.hex), 16) % 10**CODE_DIGITS
        return f"{number:0{CODE_DIGITS}d}"


def load_keys(settings: Settings) -> Keys:
    """The keys from the settings, else from the data folder, else made there now."""
    folder = settings.data_dir / "keys"
    pem = (
        settings.signing_key.get_secret_value().encode()
        if settings.signing_key
        else _kept(folder / "signing.pem", _new_signing_key)
    )
    pepper = (
        settings.pepper.get_secret_value().encode()
        if settings.pepper
        else _kept(folder / "pepper", lambda: secrets.token_hex(32).encode())
    )
    signing = load_pem_private_key(pem, password=None)
    if not isinstance(signing, Ed25519PrivateKey):
        raise ValueError("JUMPA_SIGNING_KEY must be an Ed25519 private key in PEM form.")
    return Keys(signing, pepper)


def _new_signing_key() -> bytes:
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
