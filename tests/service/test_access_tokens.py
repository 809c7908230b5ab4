"""Access tokens: which are taken, and every way in which one may be wrong."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from models.base import utc_now
from service.auth import NoValidToken, access_token, read_access_token
from service.keys import Keys, key_id_of, load_keys
from service.settings import Settings

ANOTHER = Ed25519PrivateKey.generate()
WHO = UUID("01900000-0000-7000-8000-0000000000aa")
DEVICE = UUID("01900000-0000-7000-8000-0000000000dd")


def claims_of(**changes: Any) -> dict[str, Any]:
    """Good claims but for these changes; what is None is left out."""
    now = utc_now()
    claims = {
        "iss": "jumpa-madu",
        "aud": "jumpa-madu-api",
        "sub": str(WHO),
        "sid": str(DEVICE),
        "typ": "access",
        "iat": now,
        "exp": now + timedelta(minutes=5),
        **changes,
    }
    return {name: value for name, value in claims.items() if value is not None}


def a_token(
    keys: Keys,
    *,
    kid: str | None = None,
    signed_by: Ed25519PrivateKey | None = None,
    **changes: Any,
) -> str:
    """A token made by hand, well or badly."""
    head = {"kid": kid or key_id_of(keys.signing.public_key())}
    return jwt.encode(
        claims_of(**changes), signed_by or keys.signing, algorithm="EdDSA", headers=head
    )


def tampered(keys: Keys) -> str:
    """A good token whose claims now name somebody else."""
    head, _, signature = a_token(keys).split(".")
    body = jwt.decode(a_token(keys, sub=str(uuid4())), options={"verify_signature": False})
    named = base64.urlsafe_b64encode(json.dumps(body).encode()).decode().rstrip("=")
    return f"{head}.{named}.{signature}"


def otherwise_signed(keys: Keys, secret: str | bytes, algorithm: str) -> str:
    """What a server takes that lets the token choose its algorithm."""
    head = {"kid": key_id_of(keys.signing.public_key())}
    return jwt.encode(claims_of(), secret, algorithm=algorithm, headers=head)


def public_bytes(keys: Keys, form: Encoding) -> bytes:
    raw = form == Encoding.Raw
    kind = PublicFormat.Raw if raw else PublicFormat.SubjectPublicKeyInfo
    return keys.signing.public_key().public_bytes(form, kind)


BAD_TOKENS: dict[str, Callable[[Keys], str]] = {
    "no token": lambda _keys: "x",
    "three dots": lambda _keys: "a.b.c",
    "run out": lambda keys: access_token(keys, WHO, DEVICE, lifetime_s=-1),
    "tampered": tampered,
    "unsigned": lambda keys: otherwise_signed(keys, "", "none"),
    "public key as secret": lambda keys: otherwise_signed(
        keys, public_bytes(keys, Encoding.Raw), "HS256"
    ),
    "another key": lambda keys: a_token(keys, signed_by=ANOTHER),
    "another key under its own id": lambda keys: a_token(
        keys, signed_by=ANOTHER, kid=key_id_of(ANOTHER.public_key())
    ),
    "unknown key id": lambda keys: a_token(keys, kid="0" * 16),
    "no key id": lambda keys: jwt.encode(claims_of(), keys.signing, algorithm="EdDSA"),
    "another issuer": lambda keys: a_token(keys, iss="https://sso.example"),
    "no issuer": lambda keys: a_token(keys, iss=None),
    "another audience": lambda keys: a_token(keys, aud="another-api"),
    "no audience": lambda keys: a_token(keys, aud=None),
    "another type": lambda keys: a_token(keys, typ="refresh"),
    "no end": lambda keys: a_token(keys, exp=None),
    "no type": lambda keys: a_token(keys, typ=None),
    "nobody": lambda keys: a_token(keys, sub=None),
    "no device": lambda keys: a_token(keys, sid=None),
    "no id": lambda keys: a_token(keys, sub="somebody"),
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return load_keys(Settings(data_dir=tmp_path_factory.mktemp("own")))


def test_a_good_token_says_whose_it_is(own: Keys) -> None:
    assert read_access_token(own, access_token(own, WHO, DEVICE, lifetime_s=60)) == (WHO, DEVICE)
    assert read_access_token(own, a_token(own)) == (WHO, DEVICE)


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
@pytest.mark.parametrize("make", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_bad_token_is_refused(own: Keys, make: Callable[[Keys], str]) -> None:
    with pytest.raises(NoValidToken):
        read_access_token(own, make(own))


def test_tokens_of_a_key_that_was_replaced_are_taken_while_it_is_named(
    own: Keys, tmp_path: Path
) -> None:
    token = access_token(own, WHO, DEVICE, lifetime_s=60)
    pem = public_bytes(own, Encoding.PEM).decode()
    new = load_keys(Settings(data_dir=tmp_path, signing_keys_before=pem))
    assert read_access_token(new, token) == (WHO, DEVICE)
    assert jwt.get_unverified_header(access_token(new, WHO, DEVICE, lifetime_s=60)) == {
        "alg": "EdDSA",
        "typ": "JWT",
        "kid": key_id_of(new.signing.public_key()),
    }
    with pytest.raises(NoValidToken):
        read_access_token(replace(new, signing_before=()), token)
