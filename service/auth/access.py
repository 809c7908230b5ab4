"""Access tokens: signed, short-lived, checked without a look-up."""

from datetime import timedelta
from functools import lru_cache
from uuid import UUID

from models.base import utc_now
from service.errors import NotSignedIn
from service.keys import Keys, key_id_of

ISSUER = "jumpa-madu"
AUDIENCE = "jumpa-madu-api"
_ALGORITHM = "EdDSA"


class NoValidToken(NotSignedIn):
    english = "Sign in first: a valid access token is needed."
    indonesian = "Silakan masuk terlebih dahulu: token akses tidak ada atau tidak berlaku."


def access_token(keys: Keys, person_id: UUID, device_id: UUID, *, lifetime_s: int) -> str:
    """A signed token that says who is asking, and on which device."""
    import jwt  # noqa: PLC0415  Slow to import, and a start does without.

    now = utc_now()
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(person_id),
        "typ": "access",
        "sid": str(device_id),
        "iat": now,
        "exp": now + timedelta(seconds=lifetime_s),
    }
    kid = key_id_of(keys.signing.public_key())
    return jwt.encode(claims, keys.signing, algorithm=_ALGORITHM, headers={"kid": kid})


def read_access_token(keys: Keys, token: str) -> tuple[UUID, UUID]:
    """The person and the device of an access token. Raises NoValidToken.

    Whether the device was signed out since is for `caller_of` to ask.
    """
    person_id, device_id, expires_at = _verified(keys, token)
    if expires_at <= utc_now().timestamp():
        raise NoValidToken
    return person_id, device_id


@lru_cache(maxsize=10_000)
def _verified(keys: Keys, token: str) -> tuple[UUID, UUID, float]:
    """Whose token it is and until when; a signature is checked once, the time every time."""
    import jwt  # noqa: PLC0415  See above.

    try:
        claims = jwt.decode(
            token,
            keys.of_tokens[jwt.get_unverified_header(token)["kid"]],
            algorithms=[_ALGORITHM],
            issuer=ISSUER,
            audience=AUDIENCE,
            options={"require": ["iss", "aud", "exp", "iat", "sub", "sid", "typ"]},
        )
        if claims["typ"] != "access":
            raise NoValidToken
        return UUID(claims["sub"]), UUID(claims["sid"]), float(claims["exp"])
    # No text is the id of a key that isn't there, and none of another type can be one.
    except (jwt.PyJWTError, ValueError, KeyError, TypeError):
        raise NoValidToken from None
