"""Secrets that have to be read again, kept so that the database alone doesn't tell them."""

import os
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from service.keys import Keys

_NONCE = 12


def lock(keys: Keys, person_id: UUID, secret: str) -> bytes:
    """The secret encrypted (AES-256-GCM), of use for this person only."""
    nonce = os.urandom(_NONCE)
    return nonce + _cipher(keys).encrypt(nonce, secret.encode(), person_id.bytes)


def unlock(keys: Keys, person_id: UUID, locked: bytes) -> str | None:
    """The secret; None if it is another person's or was locked with another pepper."""
    nonce, sealed = locked[:_NONCE], locked[_NONCE:]
    try:
        return _cipher(keys).decrypt(nonce, sealed, person_id.bytes).decode()
    except InvalidTag:
        return None


def _cipher(keys: Keys) -> AESGCM:
    return AESGCM(keys.key_for("second-factor"))
